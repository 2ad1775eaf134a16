"""Invoices, their emails, payments and GST rates in JSON."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.reverse import reverse

from foundation.api.fields import (
    AmountField,
    ClientTempIdField,
    IdField,
    StrictChoiceField,
    StrictDecimalField,
    TextField,
)
from invoices.models import Allocation, GstRate, Invoice, InvoiceEmail, Payment
from invoices.services import NewPayment, Share

MAX_BATCH = 200


class InvoiceOut(serializers.ModelSerializer[Invoice]):
    transaction: Any = serializers.PrimaryKeyRelatedField(read_only=True)
    outstanding_amount = serializers.DecimalField(
        max_digits=12, decimal_places=2, read_only=True, help_text="Still to be paid; negative: still to be paid out."
    )
    pdf_url = serializers.SerializerMethodField(help_text="Needs the same authorisation as everything else.")

    class Meta:
        model = Invoice
        fields = (
            "id", "invoice_number", "kind", "transaction", "customer", "status", "subtotal", "gst_rate", "gst_amount",
            "total_amount", "settled_amount", "outstanding_amount", "due_on", "pdf_path", "pdf_sha256", "pdf_url",
            "generated_at", "printed_at", "emailed_at", "paid_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_pdf_url(self, invoice: Invoice) -> str:
        request: Request | None = self.context.get("request")
        return str(reverse("invoice-pdf", args=[invoice.pk], request=request))


class EmailIn(serializers.Serializer[Any]):
    to = serializers.EmailField(
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


class PrintBatchIn(serializers.Serializer[Any]):
    invoices = serializers.ListField(
        child=IdField(), allow_empty=False, max_length=MAX_BATCH, help_text="In the order in which they are printed."
    )


class ReceivedOnField(serializers.DateField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False, allow_null=True, default=None, help_text="A Singapore date. Left out: today.", **kwargs
        )


class ReferenceField(TextField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=64,
            required=False,
            allow_blank=True,
            default="",
            help_text="Cheque number, the bank's reference, …",
            **kwargs,
        )


class PayIn(serializers.Serializer[Any]):
    method = StrictChoiceField(choices=Payment.Method.choices, required=False, default=Payment.Method.CASH)
    amount = AmountField(required=False, allow_null=True, default=None, help_text="Left out: all that is open.")
    received_on = ReceivedOnField()
    reference = ReferenceField()


class ShareIn(serializers.Serializer[Any]):
    invoice = IdField()
    amount = AmountField()


class SharesIn(serializers.Serializer[Any]):
    allocations = serializers.ListField(
        child=ShareIn(),
        required=False,
        allow_null=True,
        default=None,
        max_length=MAX_BATCH,
        help_text="Left out: the oldest open invoices first.",
    )

    def shares(self) -> tuple[Share, ...] | None:
        sent = self.validated_data["allocations"]
        return None if sent is None else tuple(Share(**share) for share in sent)


class PaymentIn(SharesIn):
    customer = IdField()
    method = StrictChoiceField(choices=Payment.Method.choices)
    amount = AmountField(help_text="What it settles nothing of is kept as the customer's credit.")
    received_on = ReceivedOnField()
    reference = ReferenceField()
    remarks = TextField(max_length=500, required=False, allow_blank=True, default="")
    client_temp_id = ClientTempIdField()

    def command(self) -> NewPayment:
        """The validated payment, as the service takes it."""
        sent = {name: value for name, value in self.validated_data.items() if name != "allocations"}
        return NewPayment(**sent, shares=self.shares())


class ReasonIn(serializers.Serializer[Any]):
    reason = TextField(max_length=500)


class AllocationOut(serializers.ModelSerializer[Allocation]):
    invoice_number = serializers.CharField(source="invoice.invoice_number", read_only=True)

    class Meta:
        model = Allocation
        fields = ("invoice", "invoice_number", "amount", "date")
        read_only_fields = fields


class PaymentOut(serializers.ModelSerializer[Payment]):
    payment_number = serializers.CharField(source="__str__", read_only=True)
    customer_name = serializers.CharField(source="customer.name", read_only=True)
    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    credit_amount = serializers.DecimalField(
        max_digits=12, decimal_places=2, read_only=True, help_text="What it settles nothing of, yet."
    )
    reversal: Any = serializers.PrimaryKeyRelatedField(
        read_only=True, allow_null=True, default=None, help_text="The payment that takes this one back."
    )
    allocations = AllocationOut(many=True, read_only=True)

    class Meta:
        model = Payment
        fields = (
            "id", "payment_number", "client_temp_id", "customer", "customer_name", "method", "amount", "received_on",
            "reference", "remarks", "user", "user_name", "is_on_the_spot", "reverses", "reversal", "allocated_amount",
            "credit_amount", "allocations", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class GstRateSerializer(serializers.ModelSerializer[GstRate]):
    rate = StrictDecimalField(
        max_digits=5, decimal_places=2, min_value=Decimal(0), max_value=Decimal(100), help_text="In per cent: 9.00."
    )

    class Meta:
        model = GstRate
        fields = ("id", "rate", "valid_from")
        extra_kwargs: dict[str, Any] = {"valid_from": {"help_text": "The first Singapore date on which it holds."}}
