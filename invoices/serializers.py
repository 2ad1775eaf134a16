"""Invoices, their emails and GST rates in JSON."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.reverse import reverse

from foundation.api.fields import (
    EmailField,
    IdField,
    StrictChoiceField,
    StrictDecimalField,
    TextField,
)
from foundation.api.inputs import Input, KnownFieldsOnly
from invoices.models import GstRate, Invoice, InvoiceEmail

MAX_BATCH = 200


class InvoiceOut(serializers.ModelSerializer[Invoice]):
    transaction: Any = serializers.PrimaryKeyRelatedField(read_only=True)
    outstanding_amount = serializers.DecimalField(
        max_digits=12, decimal_places=2, read_only=True, help_text="Still to be paid; negative: still to be paid out."
    )
    state = serializers.ChoiceField(
        choices=Invoice.State.choices, read_only=True, help_text="What other documents have left of it."
    )
    credit_kind = serializers.CharField(
        read_only=True, help_text="Of a credit note GENUINE or TAX_ERROR: which GST period it counts in. Else empty."
    )
    pdf_url = serializers.SerializerMethodField(help_text="Needs the same authorisation as everything else.")

    class Meta:
        model = Invoice
        fields = (
            "id", "invoice_number", "kind", "transaction", "customer", "depot", "status", "state", "corrects",
            "credit_kind", "date", "tax_point_on", "gst_on", "subtotal", "taxable_amount", "gst_rate", "gst_amount",
            "total_amount", "settled_amount", "outstanding_amount", "credited_amount", "due_on", "pdf_path",
            "pdf_sha256", "pdf_url", "generated_at", "printed_at", "emailed_at", "paid_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_pdf_url(self, invoice: Invoice) -> str:
        request: Request | None = self.context.get("request")
        return str(reverse("invoice-pdf", args=[invoice.pk], request=request))


class ReleaseIn(Input):
    remarks = TextField(max_length=500, required=False, allow_blank=True, default="")


class EmailIn(Input):
    to = EmailField(
        max_length=254,
        required=False,
        allow_blank=True,
        default="",
        help_text="Left out: the customer's own address.",
    )


class InvoiceEmailOut(serializers.ModelSerializer[InvoiceEmail]):
    class Meta:
        model = InvoiceEmail
        fields = (
            "id", "invoice", "to", "status", "attempts", "requested_by", "requested_at", "next_try_at", "last_error",
            "sent_at",
        )  # fmt: skip
        read_only_fields = fields


class PdfQuery(Input):
    copy = StrictChoiceField(
        choices=["current", "as_issued"],
        required=False,
        default="current",
        help_text="current: with the stamp of what was taken back since. as_issued: without it.",
    )


class PrintBatchIn(Input):
    invoices = serializers.ListField(
        child=IdField(), allow_empty=False, max_length=MAX_BATCH, help_text="In the order in which they are printed."
    )


class GstRateSerializer(KnownFieldsOnly, serializers.ModelSerializer[GstRate]):
    rate = StrictDecimalField(
        max_digits=5, decimal_places=2, min_value=Decimal(0), max_value=Decimal(100), help_text="In per cent: 9.00."
    )
    reason = TextField(
        max_length=500,
        required=False,
        allow_blank=True,
        help_text="Needed where a rate of the same date is superseded: why that was wrong.",
    )
    is_superseded = serializers.BooleanField(read_only=True, help_text="Another one of the same date counts instead.")

    class Meta:
        model = GstRate
        fields = ("id", "rate", "valid_from", "reason", "is_superseded")
        extra_kwargs: dict[str, Any] = {"valid_from": {"help_text": "The first Singapore date on which it holds."}}
