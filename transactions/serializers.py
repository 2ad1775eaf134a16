"""Sales in JSON."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from core.api.fields import (
    ClientTempIdField,
    IdField,
    MomentField,
    QuantityField,
    RateField,
    StrictChoiceField,
    StrictDecimalField,
    TextField,
)
from inventory.models import Condition
from invoices.serializers import InvoiceOut
from transactions.models import Transaction, TransactionItem
from transactions.pricing import SaleItem
from transactions.services import NewSale

MAX_ITEMS = 200
RETURN_CONDITIONS = [choice for choice in Condition.choices if choice[0] != Condition.FULL]


class SaleItemIn(serializers.Serializer[Any]):
    equipment = IdField()
    type = StrictChoiceField(choices=TransactionItem.Type.choices)
    quantity = QuantityField()
    rate = RateField(
        required=False,
        allow_null=True,
        default=None,
        help_text="What the customer was shown. The server prices the line; another rate is refused.",
    )
    condition = StrictChoiceField(
        choices=RETURN_CONDITIONS,
        required=False,
        allow_blank=True,
        default="",
        help_text="Of what comes back; for a RETURN only. Left out: EMPTY.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["condition"] and attrs["type"] != TransactionItem.Type.RETURN:
            raise serializers.ValidationError({"condition": "Only a RETURN has a condition."}, code="invalid")
        return attrs


class SaleIn(serializers.Serializer[Any]):
    """One visit at one customer. Needs ``items`` or ``current_meter``."""

    customer = IdField()
    items = SaleItemIn(many=True, required=False, default=list, max_length=MAX_ITEMS)  # type: ignore[call-arg]
    current_meter = StrictDecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=Decimal(0),
        required=False,
        allow_null=True,
        default=None,
        help_text="The meter's reading now; null where none was read.",
    )
    payment_received = serializers.BooleanField(required=False, default=False, help_text="Paid on the spot.")
    remarks = TextField(max_length=1000, required=False, allow_blank=True, default="")
    occurred_at = MomentField(
        required=False, allow_null=True, default=None, help_text="When it happened in the field. Left out: now."
    )
    client_temp_id = ClientTempIdField()

    def command(self) -> NewSale:
        """The validated sale, as the service takes it."""
        sent = self.validated_data
        return NewSale(**{**sent, "items": tuple(SaleItem(**item) for item in sent["items"])})


class TransactionItemOut(serializers.ModelSerializer[TransactionItem]):
    class Meta:
        model = TransactionItem
        fields = (
            "id", "equipment", "equipment_name", "type", "condition", "quantity", "rate", "rate_source", "amount",
            "taxable",
        )  # fmt: skip
        read_only_fields = fields


class TransactionOut(serializers.ModelSerializer[Transaction]):
    status = serializers.ChoiceField(
        choices=Transaction.Status.choices, read_only=True, help_text="VOIDED once a reversal is recorded."
    )
    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    items = TransactionItemOut(many=True, read_only=True)

    class Meta:
        model = Transaction
        fields = (
            "id", "transaction_number", "client_temp_id", "status", "reverses", "customer", "customer_name", "user",
            "user_name", "vehicle_no", "items", "last_meter_reading", "current_meter_reading", "meter_rate", "usage",
            "usage_amount", "items_amount", "total_amount", "remarks", "payment_type", "payment_received",
            "occurred_at", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class SaleOut(serializers.Serializer[Any]):
    """What one commit recorded: the sale and its document."""

    transaction = TransactionOut(read_only=True)
    invoice = InvoiceOut(read_only=True)
