"""A report as a file: the API's clients and the office alike."""

from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from core import clock
from reports.formats import csv_lines, xlsx_file
from reports.report import Report

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"


def report_file(report: Report, file_format: str) -> HttpResponseBase:
    """A report as CSV or XLSX. The file's name is our own."""
    day = clock.business_date(clock.now())
    headers = {"Content-Disposition": f'attachment; filename="{report.name}-{day}.{file_format}"'}
    if file_format == "csv":
        return StreamingHttpResponse(csv_lines(report), content_type=f"{CSV}; charset=utf-8", headers=headers)
    return FileResponse(xlsx_file(report), content_type=XLSX, headers=headers)
