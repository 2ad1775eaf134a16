"""A report as a table for a spreadsheet."""

from collections.abc import Iterable, Iterator

from django.http.response import HttpResponseBase

from foundation.spreadsheets.writing import Cell, spreadsheet
from reports.report import Column, Kind, Report, Value

_NUMBER_FORMATS = {Kind.MONEY: "#,##0.00", Kind.RATE: "0.00", Kind.COUNT: "#,##0", Kind.PRICE: "#,##0.00##"}
_WIDTHS = {Kind.TEXT: 26, Kind.DATE: 12}


def report_file(report: Report, file_format: str) -> HttpResponseBase:
    """A report as CSV or XLSX."""
    widths = [_WIDTHS.get(column.kind, 16) for column in report.columns]
    return spreadsheet(report.name, file_format, table(report), widths=widths)


def table(report: Report) -> Iterator[list[Cell]]:
    """Head, rows, totals, and the figures beside them, each on a line of its own."""
    yield [(column.label, None) for column in report.columns]
    for row in report.rows:
        yield [(row[column.name], _NUMBER_FORMATS.get(column.kind)) for column in report.columns]
    if totals := report.totals:
        yield list(_totals_line(report.columns, totals))
    for figure in report.figures:
        yield [(figure.label, None), (figure.value, _NUMBER_FORMATS.get(figure.kind))]


def _totals_line(columns: Iterable[Column], totals: dict[str, Value]) -> Iterator[Cell]:
    for index, column in enumerate(columns):
        if column.is_summed:
            yield totals[column.name], _NUMBER_FORMATS.get(column.kind)
        else:
            yield ("Total" if index == 0 else None), None
