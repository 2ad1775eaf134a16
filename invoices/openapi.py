"""What the API's schema says of invoices and GST rates."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view

from foundation.api.schema import conflicts
from invoices.errors import NoEmailAddress, NotHeld
from invoices.serializers import (
    EmailIn,
    GstRateSerializer,
    InvoiceEmailOut,
    InvoiceOut,
    PdfQuery,
    PrintBatchIn,
    ReleaseIn,
)

INVOICE_EXAMPLE = {
    "id": 480,
    "invoice_number": "INV-20260120-000001",
    "kind": "TAX_INVOICE",
    "transaction": 501,
    "customer": 1,
    "depot": 1,
    "status": "generated",
    "state": "ISSUED",
    "corrects": None,
    "credit_kind": "",
    "date": "2026-01-20",
    "tax_point_on": "2026-01-20",
    "gst_on": "2026-01-20",
    "subtotal": "164.50",
    "taxable_amount": "164.50",
    "gst_rate": "9.00",
    "gst_amount": "14.81",
    "total_amount": "179.31",
    "settled_amount": "0.00",
    "outstanding_amount": "179.31",
    "credited_amount": "0.00",
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

_GST = OpenApiExample(
    "9 %",
    value={"id": 3, "rate": "9.00", "valid_from": "2024-01-01", "reason": "", "is_superseded": False},
    response_only=True,
)

invoices = extend_schema_view(
    list=extend_schema(
        summary="List invoices",
        description="Tax invoices and credit notes, newest first: an ADMIN, ACCOUNTS and an AUDITOR see all, a "
        "SUPERVISOR those of their "
        "depot then, others their own.",
        tags=["Invoices"],
        examples=[_INVOICE],
    ),
    retrieve=extend_schema(summary="Read an invoice", tags=["Invoices"], examples=[_INVOICE]),
)

download_pdf = extend_schema(
    summary="Download an invoice's PDF",
    description="The document as it was issued, whose SHA-256 the `ETag` is: in `If-None-Match` it gets a 304. "
    "Where something was taken back of it since, it is stamped VOIDED or CREDITED IN PART, with the credit notes.",
    tags=["Invoices"],
    parameters=[PdfQuery],
    responses={
        (200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, description="The PDF."),
        304: OpenApiResponse(description="Not modified."),
        **conflicts(),
    },
    filters=False,
)

mark_printed = extend_schema(
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

print_batch = extend_schema(
    summary="Print several invoices as one PDF",
    description="The stored documents in the given order; each is marked as printed.",
    tags=["Invoices"],
    request=PrintBatchIn,
    responses={(200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, description="The PDF.")},
    examples=[OpenApiExample("two", value={"invoices": [2, 1]}, request_only=True)],
    filters=False,
)

send_email = extend_schema(
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

release = extend_schema(
    summary="Release a held invoice",
    description="ADMIN and ACCOUNTS, and SUPERVISOR in their depot. A document with an unlikely amount, quantity or "
    "usage isn't "
    "emailed before: what was asked for meanwhile goes now.",
    tags=["Invoices"],
    request=ReleaseIn,
    responses={200: InvoiceOut, **conflicts(NotHeld)},
    examples=[OpenApiExample("looked at", value={"remarks": "Read the meter myself"}, request_only=True), _INVOICE],
)

list_emails = extend_schema(
    summary="List an invoice's emails",
    description="Each request to send it, newest first, and what became of it.",
    tags=["Invoices"],
    responses=InvoiceEmailOut(many=True),
    examples=[_EMAIL],
    filters=False,
)

gst_rates = extend_schema_view(
    list=extend_schema(
        summary="List GST rates", description="Every role may read.", tags=["Master data"], examples=[_GST]
    ),
    retrieve=extend_schema(summary="Read a GST rate", tags=["Master data"], examples=[_GST]),
)

add_gst_rate = extend_schema(
    summary="Add a GST rate from a date on",
    description="ADMIN only. Earlier rates stay: documents were issued under them. A rate that was wrong is superseded "
    "by another one of the same date, for a `reason`; `GET /api/reports/mispriced/` lists the documents that it taxed.",
    tags=["Master data"],
    examples=[
        OpenApiExample(
            "10 %",
            value={
                "rate": "10.00",
                "valid_from": "2030-01-01",
                "confirm": [{"code": "gst_rate_unlikely", "attr": "rate", "value": "10.00"}],
            },
            request_only=True,
        ),
        OpenApiExample(
            "10 % added",
            value={"id": 4, "rate": "10.00", "valid_from": "2030-01-01", "reason": "", "is_superseded": False},
            response_only=True,
            status_codes=["201"],
        ),
    ],
    responses={201: GstRateSerializer},
)
