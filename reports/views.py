"""Reports over HTTP, as JSON, CSV and XLSX, and customers' statements, as JSON and PDF."""

from django.http.response import HttpResponseBase
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
from reports import figures, openapi
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

    @openapi.sales_summary
    @action(detail=False, methods=["get"], url_path="sales-summary", url_name="sales-summary")
    def sales_summary(self, request: Request) -> HttpResponseBase:
        return self._answer(request, SALES_SUMMARY)

    @openapi.gst
    @action(detail=False, methods=["get"])
    def gst(self, request: Request) -> HttpResponseBase:
        return self._answer(request, GST)

    @openapi.stock
    @action(detail=False, methods=["get"])
    def stock(self, request: Request) -> HttpResponseBase:
        return self._answer(request, STOCK)

    @openapi.conservation
    @action(detail=False, methods=["get"])
    def conservation(self, request: Request) -> HttpResponseBase:
        return self._answer(request, CONSERVATION)

    @openapi.driver_day
    @action(detail=False, methods=["get"], url_path="driver-day", url_name="driver-day")
    def driver_day(self, request: Request) -> HttpResponseBase:
        return self._answer(request, DRIVER_DAY)

    @openapi.receivables
    @action(detail=False, methods=["get"])
    def receivables(self, request: Request) -> HttpResponseBase:
        return self._answer(request, RECEIVABLES)

    @openapi.deposits
    @action(detail=False, methods=["get"])
    def deposits(self, request: Request) -> HttpResponseBase:
        return self._answer(request, DEPOSITS)


class CustomerStatementViewSet(ScopedViewSet):
    """A customer's account. Its route lies under the customer's own."""

    queryset = Customer.objects.all()
    capability = {"statement": Capability.VIEW_STATEMENT}
    content_negotiation_class = JsonErrors

    @openapi.customer_statement
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
