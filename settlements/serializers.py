"""Day-ends in JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from foundation.api.fields import TextField, many
from foundation.api.inputs import Input
from foundation.limits import LINES
from inventory.serializers import CountedItemIn
from inventory.services import CountedLine
from payments.selectors import money_seen_by
from payments.serializers import BagField, MoneyTakenOut
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
    money = serializers.SerializerMethodField(
        help_text="What was taken since the cash count before its own, by method, as it is known now. Null in lists, "
        "and for whoever may not see what should be in the bag."
    )

    class Meta:
        model = Settlement
        fields = (
            "id", "settlement_number", "client_temp_id", "status", "user", "user_name", "depot", "vehicle_no", "lines",
            "cash_expected", "cash_counted", "cash_variance", "money", "remarks", "created_at", "decided_by",
            "decided_at", "decision_remarks",
        )  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {"cash_expected": {"allow_null": True}}

    @extend_schema_field(MoneyTakenOut(allow_null=True))
    def get_money(self, day: Settlement) -> object:
        count = None if isinstance(self.parent, serializers.ListSerializer) else day.cash_count
        money = None if count is None else money_seen_by(self.context["request"].user, count)
        return None if money is None else MoneyTakenOut(money).data

    def to_representation(self, day: Settlement) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(day)
        if day.is_blind_to(self.context["request"].user):
            # What wasn't counted has a line only because the books expected it.
            shown["lines"] = [line | dict.fromkeys(OF_THE_BOOKS) for line in shown["lines"] if line["counted"]]
            shown |= dict.fromkeys(("cash_expected", "cash_variance"))
        return shown
