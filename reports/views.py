"""Reports over HTTP, as JSON, CSV and XLSX, and customers' statements, as JSON and PDF."""

from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.requests import acting_user
from customers.models import Customer
from foundation.access.capabilities import Capability
from foundation.api.negotiation import JsonErrors
from foundation.api.responses import pdf_file
from foundation.api.viewsets import ScopedViewSet
from foundation.spreadsheets.writing import CSV, XLSX
from reports import figures
from reports.catalogue import (
    CONSERVATION,
    DEPOSITS,
    DRIVER_DAY,
    GST,
    RECEIVABLES,
    REPORTS,
    SALES_SUMMARY,
    STOCK,
    Listed,
)
from reports.formats import report_file
from reports.serializers import StatementOut, StatementQuery, as_json
from reports.statements import print_statement


def _described(listed: Listed, description: str, example: dict[str, Any]) -> Callable[..., Any]:
    return extend_schema(
        summary=listed.title,
        description=description,
        tags=["Reports"],
        parameters=[listed.query],
        responses={
            (200, "application/json"): OpenApiResponse(
                listed.answer,
                examples=[OpenApiExample("figures", value=example, response_only=True, status_codes=["200"])],
            ),
            (200, CSV): OpenApiResponse(OpenApiTypes.STR, description="`format=csv`"),
            (200, XLSX): OpenApiResponse(OpenApiTypes.BINARY, description="`format=xlsx`"),
        },
        filters=False,
    )


class ReportViewSet(ViewSet):
    """Figures for what the reader may see: all, the own depot's, or the own."""

    content_negotiation_class = JsonErrors
    capability = {listed.name.replace("-", "_"): listed.capability for listed in REPORTS}

    def _answer(self, request: Request, listed: Listed) -> HttpResponseBase:
        asked = listed.query(data=request.query_params)
        asked.is_valid(raise_exception=True)
        parameters = dict(asked.validated_data)
        file_format = parameters.pop("format")
        report = listed.of(acting_user(request), **parameters)
        return Response(as_json(report, listed.answer)) if file_format == "json" else report_file(report, file_format)

    @_described(
        SALES_SUMMARY,
        "Documents and amounts of a period by day, week, month, depot, driver, customer or equipment. A void counts on "
        "its own day. Lines by equipment come with their type; what the meters billed stands on a line of its own.",
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
                    "type": None,
                    "quantity": None,
                }
            ],
            "totals": {
                "invoices": 31,
                "credit_notes": 1,
                "subtotal": "4210.50",
                "gst_amount": "361.75",
                "total_amount": "4572.25",
                "quantity": None,
            },
        },
    )
    @action(detail=False, methods=["get"], url_path="sales-summary", url_name="sales-summary")
    def sales_summary(self, request: Request) -> HttpResponseBase:
        return self._answer(request, SALES_SUMMARY)

    @_described(
        GST,
        "Standard-rated supplies and output tax by month and rate, net of credit notes, as the GST return (form GST "
        "F5, boxes 1 and 6) asks for them.",
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
        return self._answer(request, GST)

    @_described(
        STOCK,
        "Pieces by place, equipment and condition, now or at an earlier moment.",
        {
            "title": "Stock",
            "rows": [
                {
                    "place": "depot HSH KB",
                    "kind": "DEPOT",
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
        return self._answer(request, STOCK)

    @_described(
        CONSERVATION,
        "ADMIN only. Each equipment's pieces by kind of place; together they are 0, now and at any earlier moment.",
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
        return self._answer(request, CONSERVATION)

    @_described(
        DRIVER_DAY,
        "What the vehicle carried, and what was billed and taken. Drivers read their own.",
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
        return self._answer(request, DRIVER_DAY)

    @_described(
        RECEIVABLES,
        "What customers owe by days overdue, less their credit, as of any date.",
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
        return self._answer(request, RECEIVABLES)

    @_described(
        DEPOSITS,
        "ADMIN only. What customers hold against deposits, in pieces and money, as of any date.",
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
        return self._answer(request, DEPOSITS)


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
