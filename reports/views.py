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
from foundation.api.queries import KnownParametersOnly
from foundation.api.responses import pdf_file
from foundation.api.viewsets import ScopedViewSet
from reports import figures, openapi
from reports.catalogue import (
    CONSERVATION,
    DEPOSITS,
    DRIVER_DAY,
    GST,
    GST_DOCUMENTS,
    GST_F5,
    MISPRICED,
    RECEIVABLES,
    REPORTS,
    SALES_SUMMARY,
    STOCK,
    Listed,
)
from reports.formats import report_file
from reports.serializers import StatementOut, StatementQuery, as_json
from reports.statements import print_statement


class ReportViewSet(KnownParametersOnly, ViewSet):
    """Figures for what the reader may see: all, the own depot's, or the own."""

    content_negotiation_class = JsonErrors
    capability = {listed.name.replace("-", "_"): listed.capability for listed in REPORTS}

    def _answer(self, request: Request, listed: Listed) -> HttpResponseBase:
        parameters = self.asked()
        file_format = parameters.pop("format")
        report = listed.of(acting_user(request), **parameters)
        return Response(as_json(report, listed.answer)) if file_format == "json" else report_file(report, file_format)

    @openapi.sales_summary
    @action(
        detail=False, methods=["get"], query=SALES_SUMMARY.query, url_path="sales-summary", url_name="sales-summary"
    )
    def sales_summary(self, request: Request) -> HttpResponseBase:
        return self._answer(request, SALES_SUMMARY)

    @openapi.gst
    @action(detail=False, methods=["get"], query=GST.query)
    def gst(self, request: Request) -> HttpResponseBase:
        return self._answer(request, GST)

    @openapi.gst_f5
    @action(detail=False, methods=["get"], query=GST_F5.query, url_path="gst-f5", url_name="gst-f5")
    def gst_f5(self, request: Request) -> HttpResponseBase:
        return self._answer(request, GST_F5)

    @openapi.gst_documents
    @action(
        detail=False, methods=["get"], query=GST_DOCUMENTS.query, url_path="gst-documents", url_name="gst-documents"
    )
    def gst_documents(self, request: Request) -> HttpResponseBase:
        return self._answer(request, GST_DOCUMENTS)

    @openapi.mispriced
    @action(detail=False, methods=["get"], query=MISPRICED.query)
    def mispriced(self, request: Request) -> HttpResponseBase:
        return self._answer(request, MISPRICED)

    @openapi.stock
    @action(detail=False, methods=["get"], query=STOCK.query)
    def stock(self, request: Request) -> HttpResponseBase:
        return self._answer(request, STOCK)

    @openapi.conservation
    @action(detail=False, methods=["get"], query=CONSERVATION.query)
    def conservation(self, request: Request) -> HttpResponseBase:
        return self._answer(request, CONSERVATION)

    @openapi.driver_day
    @action(detail=False, methods=["get"], query=DRIVER_DAY.query, url_path="driver-day", url_name="driver-day")
    def driver_day(self, request: Request) -> HttpResponseBase:
        return self._answer(request, DRIVER_DAY)

    @openapi.receivables
    @action(detail=False, methods=["get"], query=RECEIVABLES.query)
    def receivables(self, request: Request) -> HttpResponseBase:
        return self._answer(request, RECEIVABLES)

    @openapi.deposits
    @action(detail=False, methods=["get"], query=DEPOSITS.query)
    def deposits(self, request: Request) -> HttpResponseBase:
        return self._answer(request, DEPOSITS)


class CustomerStatementViewSet(ScopedViewSet):
    """A customer's account. Its route lies under the customer's own."""

    queryset = Customer.objects.all()
    capability = {"statement": Capability.VIEW_STATEMENT}
    content_negotiation_class = JsonErrors

    @openapi.customer_statement
    @action(detail=True, methods=["get"], query=StatementQuery)
    def statement(self, request: Request, pk: str) -> HttpResponseBase:
        customer = self.get_object()
        asked = self.asked()
        file_format = asked.pop("format")
        account = figures.statement(customer, **asked)
        if file_format == "json":
            return Response(StatementOut(account).data)
        return pdf_file(print_statement(account), f"statement-{account.date_from}-{account.date_to}.pdf")
