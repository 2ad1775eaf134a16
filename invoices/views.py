"""Invoices over HTTP."""

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED, HTTP_202_ACCEPTED

from accounts.requests import acting_user
from customers.search import DocumentSearch
from equipment.errors import RateFromPast
from foundation.access.capabilities import Capability
from foundation.api.filters import (
    DayFilter,
    FilterBackend,
    IdFilter,
    KnownOrdering,
    LedgerFilterSet,
    MomentFilter,
    YesNoFilter,
)
from foundation.api.inputs import Nothing
from foundation.api.negotiation import JsonErrors
from foundation.api.queries import PageQuery
from foundation.api.responses import pdf_file
from foundation.api.viewsets import LedgerViewSet
from invoices import openapi, services
from invoices.downloads import pdf_response
from invoices.errors import GstRateUnlikely
from invoices.models import GstRate, Invoice, InvoiceEmail
from invoices.selectors import INVOICE_NUMBERS
from invoices.serializers import (
    EmailIn,
    GstRateSerializer,
    InvoiceEmailOut,
    InvoiceOut,
    PdfQuery,
    PrintBatchIn,
    ReleaseIn,
)


class InvoiceFilter(LedgerFilterSet):
    customer = IdFilter(field_name="customer_id")
    user = IdFilter(field_name="user_id")
    depot = IdFilter(field_name="depot_id")
    date_from = DayFilter(field_name="date", lookup_expr="gte")
    date_to = DayFilter(field_name="date", lookup_expr="lte")
    generated_after = MomentFilter(field_name="generated_at", lookup_expr="gte")
    generated_before = MomentFilter(field_name="generated_at", lookup_expr="lt")

    is_open = YesNoFilter(field_name="settled_on", lookup_expr="isnull", help_text="Something is still to be paid.")

    class Meta:
        model = Invoice
        fields = ("kind", "status")


@openapi.invoices
class InvoiceViewSet(LedgerViewSet):
    queryset = Invoice.objects.select_related("transaction").defer("snapshot")
    serializer_class = InvoiceOut
    filterset_class = InvoiceFilter
    filter_backends = (FilterBackend, DocumentSearch, KnownOrdering)
    documents = INVOICE_NUMBERS
    operations = {"print_batch": None}
    ordering_fields = ("id", "total_amount", "generated_at")
    capability = {
        "list": Capability.VIEW_SALES,
        "retrieve": Capability.VIEW_SALES,
        "pdf": Capability.VIEW_SALES,
        "mark_printed": Capability.SEND_DOCUMENT,
        "print_batch": Capability.SEND_DOCUMENT,
        "email": Capability.SEND_DOCUMENT,
        "emails": Capability.VIEW_SALES,
        "release": Capability.RELEASE_EMAIL,
    }

    @openapi.download_pdf
    @action(detail=True, methods=["get"], content_negotiation_class=JsonErrors, query=PdfQuery)
    def pdf(self, request: Request, pk: str) -> HttpResponse:
        return pdf_response(request, self.get_object(), as_issued=self.asked()["copy"] == "as_issued")

    @openapi.mark_printed
    @action(detail=True, methods=["post"], url_path="print", url_name="print")
    def mark_printed(self, request: Request, pk: str) -> Response:
        Nothing.require(request.data)
        invoice = services.mark_printed(actor=acting_user(request), invoice_id=self.get_object().pk)
        return Response(self.get_serializer(invoice).data)

    @openapi.print_batch
    @action(
        detail=False,
        methods=["post"],
        url_path="print-batch",
        url_name="print-batch",
        content_negotiation_class=JsonErrors,
    )
    def print_batch(self, request: Request) -> HttpResponse:
        serializer = PrintBatchIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        pdf = services.print_batch(actor=acting_user(request), invoice_ids=serializer.validated_data["invoices"])
        return pdf_file(pdf, "invoices.pdf")

    @openapi.send_email
    @action(detail=True, methods=["post"])
    def email(self, request: Request, pk: str) -> Response:
        serializer = EmailIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        email = services.request_email(
            actor=acting_user(request), invoice_id=self.get_object().pk, to=serializer.validated_data["to"]
        )
        return Response(InvoiceEmailOut(email).data, status=HTTP_202_ACCEPTED)

    @openapi.release
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        serializer = ReleaseIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        services.release_email(actor=acting_user(request), invoice_id=self.get_object().pk, **serializer.validated_data)
        return Response(self.get_serializer(self.get_object()).data)

    @openapi.list_emails
    @action(detail=True, methods=["get"], query=PageQuery)
    def emails(self, request: Request, pk: str) -> Response:
        page = self.paginate_queryset(InvoiceEmail.objects.filter(invoice=self.get_object()))
        return self.get_paginated_response(InvoiceEmailOut(page, many=True).data)


@openapi.gst_rates
class GstRateViewSet(LedgerViewSet):
    queryset = GstRate.objects.with_standing()
    serializer_class = GstRateSerializer
    filter_backends = (KnownOrdering,)
    ordering_fields = ("valid_from",)
    asks = {"create": (GstRateUnlikely, RateFromPast)}
    capability = {
        "list": Capability.VIEW_MASTER_DATA,
        "retrieve": Capability.VIEW_MASTER_DATA,
        "create": Capability.MANAGE_MASTER_DATA,
    }

    @openapi.add_gst_rate
    def create(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        rate = services.add_gst_rate(actor=acting_user(request), values=serializer.validated_data)
        return Response(self.get_serializer(self.get_queryset().get(pk=rate.pk)).data, status=HTTP_201_CREATED)
