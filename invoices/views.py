"""Invoices over HTTP."""

from typing import Any

from django.http import HttpResponse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from accounts.requests import acting_user
from core.access import Capability
from core.api.filters import IdFilter, MomentFilter
from core.api.viewsets import LedgerViewSet
from invoices import services
from invoices.downloads import pdf_response
from invoices.models import GstRate, Invoice
from invoices.serializers import GstRateSerializer, InvoiceOut

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
_GST = OpenApiExample("9 %", value={"id": 3, "rate": "9.00", "valid_from": "2024-01-01"}, response_only=True)


class InvoiceFilter(filters.FilterSet):
    customer = IdFilter(field_name="customer_id")
    user = IdFilter(field_name="user_id")
    date_from = filters.DateFilter(field_name="date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="date", lookup_expr="lte")
    generated_after = MomentFilter(field_name="generated_at", lookup_expr="gte")
    generated_before = MomentFilter(field_name="generated_at", lookup_expr="lt")

    class Meta:
        model = Invoice
        fields = ("kind", "status")


class JsonErrors(BaseContentNegotiation):
    """A document's view answers a PDF whatever the client accepts, and its errors in JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


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
    search_fields = ("invoice_number", "customer__name", "customer__customer_code")
    ordering_fields = ("id", "total_amount", "generated_at")
    capability = Capability.VIEW_SALES

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
        return pdf_response(request._request, self.get_object())

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
