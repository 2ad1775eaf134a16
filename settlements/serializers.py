"""Day-ends in JSON."""

from typing import Any

from rest_framework import serializers

from foundation.api.fields import TextField, many
from foundation.api.inputs import Input
from foundation.limits import LINES
from inventory.serializers import CountedItemIn
from inventory.services import CountedLine
from payments.serializers import BagField
from settlements.models import Settlement, SettlementLine
from settlements.services import NewSettlement


class SettlementIn(Input):
    """A blind count: what isn't named was not there."""

    counts = many(CountedItemIn, required=False, default=list, max_length=LINES)
    cash = BagField()
    remarks = TextField(max_length=500, required=False, allow_blank=True, default="")

    def command(self) -> NewSettlement:
        sent = self.validated_data
        return NewSettlement(**{**sent, "counts": tuple(CountedLine(**line) for line in sent["counts"])})


OF_THE_BOOKS = ("opening", "loaded", "delivered", "collected", "unloaded", "other", "expected", "variance")
"""Of a line: what isn't told to whoever counted, before somebody else has signed it off."""


class SettlementLineOut(serializers.ModelSerializer[SettlementLine]):
    sku = serializers.CharField(source="equipment.sku", read_only=True)
    variance = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="Counted less expected; negative: missing."
    )

    class Meta:
        model = SettlementLine
        fields = (
            "equipment", "sku", "condition", "opening", "loaded", "delivered", "collected", "unloaded", "other",
            "expected", "counted", "variance",
        )  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {name: {"allow_null": True} for name in OF_THE_BOOKS if name != "variance"}


class SettlementOut(serializers.ModelSerializer[Settlement]):
    """Read by the request's user: their own open count is shown without what the books expected."""

    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    cash_variance = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        read_only=True,
        allow_null=True,
        help_text="Counted less expected; negative: missing.",
    )
    lines = SettlementLineOut(many=True, read_only=True)

    class Meta:
        model = Settlement
        fields = (
            "id", "settlement_number", "client_temp_id", "status", "user", "user_name", "depot", "vehicle_no", "lines",
            "cash_expected", "cash_counted", "cash_variance", "remarks", "created_at", "decided_by", "decided_at",
            "decision_remarks",
        )  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {"cash_expected": {"allow_null": True}}

    def to_representation(self, day: Settlement) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(day)
        if day.is_blind_to(self.context["request"].user):
            # What wasn't counted has a line only because the books expected it.
            shown["lines"] = [line | dict.fromkeys(OF_THE_BOOKS) for line in shown["lines"] if line["counted"]]
            shown |= dict.fromkeys(("cash_expected", "cash_variance"))
        return shown
