"""A report as a table for a spreadsheet. No cell of it can start a formula."""

import csv
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from core import clock
from reports.report import Column, Kind, Report, Value

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER_FORMATS = {Kind.MONEY: "#,##0.00", Kind.RATE: "0.00", Kind.COUNT: "#,##0"}
_WIDTHS = {Kind.TEXT: 26, Kind.DATE: 12}


def csv_lines(report: Report) -> Iterator[str]:
    """The report as CSV, line by line. It begins with a mark by which Excel knows UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff"
    for cells in _table(report):
        yield writer.writerow([_plain(value) for value, _ in cells])


def xlsx_file(report: Report) -> IO[bytes]:
    """The report as an Excel workbook, written to disk row by row."""
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(report.name[:31])
    for index, column in enumerate(report.columns):
        sheet.column_dimensions[chr(ord("A") + index)].width = _WIDTHS.get(column.kind, 16)
    sheet.freeze_panes = "A2"
    for number, cells in enumerate(_table(report)):
        row = []
        for value, kind in cells:
            cell: Any = WriteOnlyCell(sheet, value=_typed(value))
            if kind in _NUMBER_FORMATS:
                cell.number_format = _NUMBER_FORMATS[kind]
            if number == 0:
                cell.font = Font(bold=True)
            row.append(cell)
        sheet.append(row)
    file: IO[bytes] = TemporaryFile()  # noqa: SIM115 -- the answer closes it
    book.save(file)
    file.seek(0)
    return file


Cell = tuple[Value, Kind]


def _table(report: Report) -> Iterator[list[Cell]]:
    """Head, rows, totals, and the figures beside them, each on a line of its own."""
    yield [(column.label, Kind.TEXT) for column in report.columns]
    for row in report.rows:
        yield [(row[column.name], column.kind) for column in report.columns]
    if totals := report.totals:
        yield list(_totals_line(report.columns, totals))
    for figure in report.figures:
        yield [(figure.label, Kind.TEXT), (figure.value, figure.kind)]


def _totals_line(columns: Iterable[Column], totals: dict[str, Value]) -> Iterator[Cell]:
    for index, column in enumerate(columns):
        if column.is_summed:
            yield totals[column.name], column.kind
        else:
            yield ("Total" if index == 0 else None), Kind.TEXT


def harmless(text: str) -> str:
    """Text that a spreadsheet takes for text: an apostrophe stands before what would start a formula.

    OWASP, CSV Injection.
    """
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def _plain(value: Value) -> object:
    match value:
        case None:
            return ""
        case str():
            return harmless(value)
        case datetime():
            return value.astimezone(clock.SINGAPORE).isoformat(timespec="seconds")
        case _:
            return value


def _typed(value: Value) -> str | int | Decimal | date | None:
    match value:
        case str():
            # XML has no way to write control characters.
            return harmless("".join(character for character in value if character >= " " or character in "\t\n\r"))
        case datetime():
            # A spreadsheet's times have no offset: Singapore's are meant.
            return value.astimezone(clock.SINGAPORE).replace(tzinfo=None)
        case _:
            return value


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text
