"""Reports over HTTP, as JSON, CSV and XLSX, and customers' statements, as JSON and PDF."""

from collections.abc import Callable
from typing import Any

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.models import User
from accounts.requests import acting_user
from core import clock
from core.access import Capability
from core.api.negotiation import JsonErrors
from core.api.responses import pdf_file
from core.api.viewsets import ScopedViewSet
from core.errors import UnknownReference
from core.scoping import rows_within
from customers.models import Customer
from reports import figures
from reports.formats import csv_lines, xlsx_file
from reports.report import Report
from reports.serializers import (
    AsOfQuery,
    ConservationOut,
    DepositsReportOut,
    DriverDayOut,
    DriverDayQuery,
    GstOut,
    MomentQuery,
    PeriodQuery,
    ReceivablesOut,
    SalesQuery,
    SalesSummaryOut,
    StatementOut,
    StatementQuery,
    StockOut,
    as_json,
)
from reports.statements import print_statement

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"


def _described(summary: str, description: str, query: Any, answer: Any, example: dict[str, Any]) -> Callable[..., Any]:
    return extend_schema(
        summary=summary,
        description=description,
        tags=["Reports"],
        parameters=[query],
        responses={
            (200, "application/json"): OpenApiResponse(
                answer, examples=[OpenApiExample("figures", value=example, response_only=True, status_codes=["200"])]
            ),
            (200, CSV): OpenApiResponse(OpenApiTypes.STR, description="`format=csv`"),
            (200, XLSX): OpenApiResponse(OpenApiTypes.BINARY, description="`format=xlsx`"),
        },
        filters=False,
    )


def report_file(report: Report, file_format: str) -> HttpResponseBase:
    """A report as a file to keep. Its name is our own."""
    day = clock.business_date(clock.now())
    headers = {"Content-Disposition": f'attachment; filename="{report.name}-{day}.{file_format}"'}
    if file_format == "csv":
        return StreamingHttpResponse(csv_lines(report), content_type=f"{CSV}; charset=utf-8", headers=headers)
    return FileResponse(xlsx_file(report), content_type=XLSX, headers=headers)


class ReportViewSet(ViewSet):
    """Figures for what the reader may see: all, the own depot's, or the own."""

    content_negotiation_class = JsonErrors
    capability = {
        "sales_summary": Capability.REPORT_SALES,
        "gst": Capability.REPORT_SALES,
        "receivables": Capability.REPORT_SALES,
        "stock": Capability.REPORT_STOCK,
        "conservation": Capability.REPORT_CONSERVATION,
        "driver_day": Capability.REPORT_DRIVER_DAY,
        "deposits": Capability.REPORT_DEPOSITS,
    }

    def _answer(self, request: Request, query: Any, answer: Any, make: Callable[..., Report]) -> HttpResponseBase:
        asked = query(data=request.query_params)
        asked.is_valid(raise_exception=True)
        parameters = dict(asked.validated_data)
        file_format = parameters.pop("format")
        report = make(**parameters)
        return Response(as_json(report, answer)) if file_format == "json" else report_file(report, file_format)

    @_described(
        "Sales summary",
        "Documents and amounts of a period by day, week, month, depot, driver, customer or equipment. A void counts on "
        "its own day. Lines by equipment come with their type; what the meters billed stands on a line of its own.",
        SalesQuery,
        SalesSummaryOut,
        {
            "title": "Sales by day",
            "rows": [
                {
                    "key": "2026-01-20",
                    "name": "2026-01-20",
                    "invoices": 31,
                    "credit_notes": 1,
                    "subtotal": "4210.50",
                    "gst_amount": "361.75",
                    "total_amount": "4572.25",
                }
            ],
            "totals": {
                "invoices": 31,
                "credit_notes": 1,
                "subtotal": "4210.50",
                "gst_amount": "361.75",
                "total_amount": "4572.25",
            },
        },
    )
    @action(detail=False, methods=["get"], url_path="sales-summary", url_name="sales-summary")
    def sales_summary(self, request: Request) -> HttpResponseBase:
        user = acting_user(request)
        return self._answer(request, SalesQuery, SalesSummaryOut, lambda **asked: figures.sales_summary(user, **asked))

    @_described(
        "GST return",
        "Standard-rated supplies and output tax by month and rate, net of credit notes, as the GST return (form GST "
        "F5, boxes 1 and 6) asks for them.",
        PeriodQuery,
        GstOut,
        {
            "title": "GST return",
            "rows": [
                {
                    "month": "2026-01",
                    "gst_rate": "9.00",
                    "invoices": 812,
                    "invoiced_supplies": "101200.00",
                    "invoiced_tax": "9108.00",
                    "credit_notes": 3,
                    "credited_supplies": "-200.00",
                    "credited_tax": "-18.00",
                    "standard_rated_supplies": "101000.00",
                    "output_tax": "9090.00",
                    "outside_gst": "3600.00",
                }
            ],
            "totals": {
                "invoices": 812,
                "invoiced_supplies": "101200.00",
                "invoiced_tax": "9108.00",
                "credit_notes": 3,
                "credited_supplies": "-200.00",
                "credited_tax": "-18.00",
                "standard_rated_supplies": "101000.00",
                "output_tax": "9090.00",
                "outside_gst": "3600.00",
            },
        },
    )
    @action(detail=False, methods=["get"])
    def gst(self, request: Request) -> HttpResponseBase:
        user = acting_user(request)
        return self._answer(request, PeriodQuery, GstOut, lambda **asked: figures.gst(user, **asked))

    @_described(
        "Stock",
        "Pieces by place, equipment and condition, now or at an earlier moment.",
        MomentQuery,
        StockOut,
        {
            "title": "Stock",
            "rows": [
                {
                    "place": "depot HSH KB",
                    "sku": "CYL-14-POL",
                    "name": "14 kg POL cylinder",
                    "condition": "FULL",
                    "quantity": 118,
                }
            ],
            "totals": {"quantity": 118},
        },
    )
    @action(detail=False, methods=["get"])
    def stock(self, request: Request) -> HttpResponseBase:
        user = acting_user(request)
        return self._answer(request, MomentQuery, StockOut, lambda **asked: figures.stock(user, **asked))

    @_described(
        "Conservation of cylinders",
        "ADMIN only. Each equipment's pieces by kind of place; together they are 0, now and at any earlier moment.",
        MomentQuery,
        ConservationOut,
        {
            "title": "Conservation of cylinders",
            "rows": [
                {
                    "sku": "CYL-14-POL",
                    "name": "14 kg POL cylinder",
                    "depots": 118,
                    "vehicles": 14,
                    "customers": 38,
                    "field": 0,
                    "outside": -170,
                    "total": 0,
                }
            ],
            "totals": {"depots": 118, "vehicles": 14, "customers": 38, "field": 0, "outside": -170, "total": 0},
        },
    )
    @action(detail=False, methods=["get"])
    def conservation(self, request: Request) -> HttpResponseBase:
        return self._answer(request, MomentQuery, ConservationOut, figures.conservation)

    @_described(
        "A driver's day",
        "What the vehicle carried, and what was billed and taken. Drivers read their own.",
        DriverDayQuery,
        DriverDayOut,
        {
            "title": "Day of Tan Ah Beng",
            "rows": [
                {
                    "sku": "CYL-14-POL",
                    "name": "14 kg POL cylinder",
                    "condition": "FULL",
                    "opening": 0,
                    "loaded": 20,
                    "delivered": 6,
                    "collected": 0,
                    "unloaded": 0,
                    "other": 0,
                    "closing": 14,
                }
            ],
            "totals": {
                "opening": 0,
                "loaded": 20,
                "delivered": 6,
                "collected": 0,
                "unloaded": 0,
                "other": 0,
                "closing": 14,
            },
            "figures": [{"name": "cash", "label": "Cash taken", "value": "205.50"}],
        },
    )
    @action(detail=False, methods=["get"], url_path="driver-day", url_name="driver-day")
    def driver_day(self, request: Request) -> HttpResponseBase:
        reader = acting_user(request)

        def make(*, driver: int | None, date: Any) -> Report:
            mine = rows_within(reader, Capability.REPORT_DRIVER_DAY, depot="depot_id", owner="pk")
            found = reader if driver is None else User.objects.get_queryset().filter(mine, pk=driver).first()
            if found is None:
                raise UnknownReference(driver, attr="driver")
            return figures.driver_day(found, day=date)

        return self._answer(request, DriverDayQuery, DriverDayOut, make)

    @_described(
        "Receivables",
        "What customers owe by days overdue, less their credit, as of any date.",
        AsOfQuery,
        ReceivablesOut,
        {
            "title": "Receivables",
            "rows": [
                {
                    "customer_code": "CUS-20260120-000001",
                    "name": "Ah Hock Chicken Rice",
                    "current": "179.31",
                    "days_1_30": "0.00",
                    "days_31_60": "0.00",
                    "days_61_90": "0.00",
                    "days_over_90": "0.00",
                    "credit": "-20.69",
                    "total": "158.62",
                }
            ],
            "totals": {
                "current": "179.31",
                "days_1_30": "0.00",
                "days_31_60": "0.00",
                "days_61_90": "0.00",
                "days_over_90": "0.00",
                "credit": "-20.69",
                "total": "158.62",
            },
        },
    )
    @action(detail=False, methods=["get"])
    def receivables(self, request: Request) -> HttpResponseBase:
        user = acting_user(request)
        return self._answer(request, AsOfQuery, ReceivablesOut, lambda **asked: figures.receivables(user, **asked))

    @_described(
        "Deposits held",
        "ADMIN only. What customers hold against deposits, in pieces and money, as of any date.",
        AsOfQuery,
        DepositsReportOut,
        {
            "title": "Deposits held",
            "rows": [
                {
                    "customer_code": "CUS-20260120-000001",
                    "name": "Ah Hock Chicken Rice",
                    "sku": "CYL-14-POL",
                    "quantity": 2,
                    "amount": "120.00",
                }
            ],
            "totals": {"quantity": 2, "amount": "120.00"},
        },
    )
    @action(detail=False, methods=["get"])
    def deposits(self, request: Request) -> HttpResponseBase:
        return self._answer(request, AsOfQuery, DepositsReportOut, figures.deposits)


class CustomerStatementViewSet(ScopedViewSet):
    """A customer's account. Its route lies under the customer's own."""

    queryset = Customer.objects.all()
    capability = {"statement": Capability.VIEW_STATEMENT}
    content_negotiation_class = JsonErrors

    @extend_schema(
        summary="Read a customer's statement of account",
        description="ADMIN only. Opening balance, invoices, credit notes and payments of a period, closing balance and "
        "its ageing. `format=pdf` is the document for the customer.",
        tags=["Payments"],
        parameters=[StatementQuery],
        responses={
            (200, "application/json"): OpenApiResponse(
                StatementOut,
                examples=[
                    OpenApiExample(
                        "January",
                        value={
                            "customer": 1,
                            "customer_code": "CUS-20260120-000001",
                            "customer_name": "Ah Hock Chicken Rice",
                            "date_from": "2026-01-01",
                            "date_to": "2026-01-31",
                            "opening_balance": "0.00",
                            "entries": [
                                {
                                    "date": "2026-01-20",
                                    "kind": "INVOICE",
                                    "number": "INV-20260120-000001",
                                    "details": "",
                                    "due_on": "2026-02-19",
                                    "amount": "179.31",
                                    "balance": "179.31",
                                }
                            ],
                            "closing_balance": "179.31",
                            "ageing": {
                                "current": "179.31",
                                "days_1_30": "0.00",
                                "days_31_60": "0.00",
                                "days_61_90": "0.00",
                                "days_over_90": "0.00",
                                "credit": "0.00",
                            },
                        },
                        response_only=True,
                        status_codes=["200"],
                    )
                ],
            ),
            (200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, description="`format=pdf`"),
        },
        filters=False,
    )
    @action(detail=True, methods=["get"])
    def statement(self, request: Request, pk: str) -> HttpResponseBase:
        customer = self.get_object()
        asked = StatementQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        period = {name: asked.validated_data[name] for name in ("date_from", "date_to")}
        account = figures.statement(customer, **period)
        if asked.validated_data["format"] == "json":
            return Response(StatementOut(account).data)
        return pdf_file(print_statement(account), f"statement-{account.date_from}-{account.date_to}.pdf")
