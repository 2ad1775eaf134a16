"""Invoices over HTTP."""

from django.http import HttpResponse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED, HTTP_202_ACCEPTED

from accounts.requests import acting_user
from customers.search import DocumentSearch
from foundation.access.capabilities import Capability
from foundation.api.filters import IdFilter, LedgerFilterSet, MomentFilter
from foundation.api.negotiation import JsonErrors
from foundation.api.responses import pdf_file
from foundation.api.schema import conflicts
from foundation.api.viewsets import LedgerViewSet
from invoices import services
from invoices.downloads import pdf_response
from invoices.errors import NoEmailAddress
from invoices.models import GstRate, Invoice, InvoiceEmail
from invoices.selectors import INVOICE_NUMBERS
from invoices.serializers import (
    EmailIn,
    GstRateSerializer,
    InvoiceEmailOut,
    InvoiceOut,
    PrintBatchIn,
)

INVOICE_EXAMPLE = {
    "id": 480,
    "invoice_number": "INV-20260120-000001",
    "kind": "TAX_INVOICE",
    "transaction": 501,
    "customer": 1,
    "status": "generated",
    "subtotal": "164.50",
    "gst_rate": "9.00",
    "gst_amount": "14.81",
    "total_amount": "179.31",
    "settled_amount": "0.00",
    "outstanding_amount": "179.31",
    "due_on": "2026-02-19",
    "pdf_path": "invoices/2026/01/20/INV-20260120-000001-5f0c1d2e3b4a5968.pdf",
    "pdf_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "pdf_url": "http://127.0.0.1:8000/api/invoices/480/pdf/",
    "generated_at": "2026-01-20T10:00:02+08:00",
    "printed_at": None,
    "emailed_at": None,
    "paid_at": None,
}
_INVOICE = OpenApiExample("an invoice", value=INVOICE_EXAMPLE, response_only=True, status_codes=["200"])


_EMAIL = OpenApiExample(
    "queued",
    value={
        "id": 77,
        "invoice": 480,
        "to": "accounts@ahhock.example.sg",
        "status": "QUEUED",
        "attempts": 0,
        "requested_by": 7,
        "requested_at": "2026-01-20T10:06:00+08:00",
        "next_try_at": "2026-01-20T10:06:00+08:00",
        "last_error": "",
        "sent_at": None,
    },
    response_only=True,
    status_codes=["200", "202"],
)


_GST = OpenApiExample("9 %", value={"id": 3, "rate": "9.00", "valid_from": "2024-01-01"}, response_only=True)


class InvoiceFilter(LedgerFilterSet):
    customer = IdFilter(field_name="customer_id")
    user = IdFilter(field_name="user_id")
    date_from = filters.DateFilter(field_name="date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="date", lookup_expr="lte")
    generated_after = MomentFilter(field_name="generated_at", lookup_expr="gte")
    generated_before = MomentFilter(field_name="generated_at", lookup_expr="lt")

    is_open = filters.BooleanFilter(
        field_name="settled_on", lookup_expr="isnull", help_text="Something is still to be paid."
    )

    class Meta:
        model = Invoice
        fields = ("kind", "status")


@extend_schema_view(
    list=extend_schema(
        summary="List invoices",
        description="Tax invoices and credit notes, newest first: an ADMIN sees all, a SUPERVISOR those of their "
        "depot's users, others their own.",
        tags=["Invoices"],
        examples=[_INVOICE],
    ),
    retrieve=extend_schema(summary="Read an invoice", tags=["Invoices"], examples=[_INVOICE]),
)
class InvoiceViewSet(LedgerViewSet):
    queryset = Invoice.objects.select_related("transaction").defer("snapshot")
    serializer_class = InvoiceOut
    filterset_class = InvoiceFilter
    filter_backends = (filters.DjangoFilterBackend, DocumentSearch, OrderingFilter)
    documents = INVOICE_NUMBERS
    ordering_fields = ("id", "total_amount", "generated_at")
    capability = {
        "list": Capability.VIEW_SALES,
        "retrieve": Capability.VIEW_SALES,
        "pdf": Capability.VIEW_SALES,
        "mark_printed": Capability.VIEW_SALES,
        "print_batch": Capability.VIEW_SALES,
        "email": Capability.VIEW_SALES,
        "emails": Capability.VIEW_SALES,
    }

    @extend_schema(
        summary="Download an invoice's PDF",
        description="The document as it was issued. `ETag` is its SHA-256: send it back in `If-None-Match` for a 304.",
        tags=["Invoices"],
        responses={
            (200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, description="The PDF."),
            304: OpenApiResponse(description="Not modified."),
        },
        filters=False,
    )
    @action(detail=True, methods=["get"], content_negotiation_class=JsonErrors)
    def pdf(self, request: Request, pk: str) -> HttpResponse:
        return pdf_response(request, self.get_object())

    @extend_schema(
        summary="Mark an invoice as printed",
        description="The first time counts; a paid invoice stays paid.",
        tags=["Invoices"],
        request=None,
        responses={200: InvoiceOut},
        examples=[
            OpenApiExample(
                "printed",
                value={**INVOICE_EXAMPLE, "status": "printed", "printed_at": "2026-01-20T10:05:00+08:00"},
                response_only=True,
                status_codes=["200"],
            )
        ],
    )
    @action(detail=True, methods=["post"], url_path="print", url_name="print")
    def mark_printed(self, request: Request, pk: str) -> Response:
        invoice = services.mark_printed(actor=acting_user(request), invoice_id=self.get_object().pk)
        return Response(self.get_serializer(invoice).data)

    @extend_schema(
        summary="Print several invoices as one PDF",
        description="The stored documents in the given order; each is marked as printed.",
        tags=["Invoices"],
        request=PrintBatchIn,
        responses={(200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, description="The PDF.")},
        examples=[OpenApiExample("two", value={"invoices": [2, 1]}, request_only=True)],
        filters=False,
    )
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

    @extend_schema(
        summary="Send an invoice by email",
        description="Queued in this commit, sent by a worker, tried again where the mail server could not take it. "
        "`GET` the invoice's emails to see what became of it. One that is still under way is hurried, not doubled.",
        tags=["Invoices"],
        request=EmailIn,
        responses={202: InvoiceEmailOut, **conflicts(NoEmailAddress)},
        examples=[
            OpenApiExample("to the customer", value={}, request_only=True),
            OpenApiExample("elsewhere", value={"to": "accounts@ahhock.example.sg"}, request_only=True),
            _EMAIL,
        ],
    )
    @action(detail=True, methods=["post"])
    def email(self, request: Request, pk: str) -> Response:
        serializer = EmailIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        email = services.request_email(
            actor=acting_user(request), invoice_id=self.get_object().pk, to=serializer.validated_data["to"]
        )
        return Response(InvoiceEmailOut(email).data, status=HTTP_202_ACCEPTED)

    @extend_schema(
        summary="List an invoice's emails",
        description="Each request to send it, newest first, and what became of it.",
        tags=["Invoices"],
        responses=InvoiceEmailOut(many=True),
        examples=[_EMAIL],
        filters=False,
    )
    @action(detail=True, methods=["get"])
    def emails(self, request: Request, pk: str) -> Response:
        page = self.paginate_queryset(InvoiceEmail.objects.filter(invoice=self.get_object()))
        return self.get_paginated_response(InvoiceEmailOut(page, many=True).data)


@extend_schema_view(
    list=extend_schema(
        summary="List GST rates", description="Every role may read.", tags=["Master data"], examples=[_GST]
    ),
    retrieve=extend_schema(summary="Read a GST rate", tags=["Master data"], examples=[_GST]),
)
class GstRateViewSet(LedgerViewSet):
    queryset = GstRate.objects.all()
    serializer_class = GstRateSerializer
    ordering_fields = ("valid_from",)
    capability = {
        "list": Capability.VIEW_MASTER_DATA,
        "retrieve": Capability.VIEW_MASTER_DATA,
        "create": Capability.MANAGE_MASTER_DATA,
    }

    @extend_schema(
        summary="Add a GST rate from a date on",
        description="ADMIN only. Earlier rates stay: documents were issued under them.",
        tags=["Master data"],
        examples=[
            OpenApiExample("10 %", value={"rate": "10.00", "valid_from": "2030-01-01"}, request_only=True),
            OpenApiExample(
                "10 % added",
                value={"id": 4, "rate": "10.00", "valid_from": "2030-01-01"},
                response_only=True,
                status_codes=["201"],
            ),
        ],
        responses={201: GstRateSerializer},
    )
    def create(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        rate = services.add_gst_rate(actor=acting_user(request), values=serializer.validated_data)
        return Response(self.get_serializer(rate).data, status=HTTP_201_CREATED)
