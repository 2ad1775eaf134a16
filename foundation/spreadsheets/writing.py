"""Tables as files for a spreadsheet, made as they are sent. No cell of them can start a formula."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any

from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from foundation import clock
from foundation.characters import legible
from foundation.unreadable import WORD, is_unreadable

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"
MOST_ROWS = 1_048_576
"""Of a sheet, its head included: the format's own limit."""
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

Value = str | int | Decimal | date | None
Cell = tuple[Value, str | None]
"""What stands in it, and how a number is written ("#,##0.00")."""


def spreadsheet(
    name: str, file_format: str, rows: Iterable[Sequence[Cell]], *, widths: Sequence[int] = ()
) -> HttpResponseBase:
    """The rows, the first of them the head, as a CSV or XLSX file to be saved. ``name`` is our own text."""
    day = clock.business_date(clock.now())
    headers = {"Content-Disposition": f'attachment; filename="{name}-{day}.{file_format}"'}
    if file_format == "csv":
        return StreamingHttpResponse(csv_lines(rows), content_type=f"{CSV}; charset=utf-8", headers=headers)
    return FileResponse(xlsx_file(name, rows, widths), content_type=XLSX, headers=headers)


def csv_lines(rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Line by line. It begins with a mark by which Excel knows UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff"
    for cells in rows:
        yield writer.writerow([_plain(value) for value, _ in cells])


def xlsx_file(name: str, rows: Iterable[Sequence[Cell]], widths: Sequence[int] = ()) -> IO[bytes]:
    """A workbook, written to disk row by row."""
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(name[:31])
    for index, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    sheet.freeze_panes = "A2"
    for number, cells in enumerate(rows):
        row = []
        for value, number_format in cells:
            cell: Any = WriteOnlyCell(sheet, value=_typed(value))
            if number_format:
                cell.number_format = number_format
            if number == 0:
                cell.font = Font(bold=True)
            row.append(cell)
        sheet.append(row)
    file: IO[bytes] = TemporaryFile()  # noqa: SIM115 -- the answer closes it
    book.save(file)
    file.seek(0)
    return file


def harmless(text: str) -> str:
    """Text that a spreadsheet takes for text: an apostrophe stands before what would start a formula.

    OWASP, CSV Injection.
    """
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def _plain(value: Value) -> object:
    match value:
        case None:
            return ""
        case Decimal() if is_unreadable(value):
            return WORD
        case str():
            return harmless(value)
        case datetime():
            return value.astimezone(clock.SINGAPORE).isoformat(timespec="seconds")
        case _:
            return value


def _typed(value: Value) -> str | int | Decimal | date | None:
    match value:
        case str():
            return harmless(legible(value))
        case Decimal() if is_unreadable(value):
            return WORD
        case datetime():
            # A spreadsheet's times have no offset: Singapore's are meant.
            return value.astimezone(clock.SINGAPORE).replace(tzinfo=None)
        case _:
            return value


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text
