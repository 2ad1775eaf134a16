"""Distributions in JSON."""

from rest_framework import serializers

from distribution.models import Distribution, DistributionItem
from distribution.services import NewDistribution, NewItem
from fleet.serializers import VehicleNoField
from foundation.api.fields import (
    IdField,
    MomentField,
    QuantityField,
    StrictChoiceField,
    TextField,
    many,
)
from foundation.api.inputs import Input
from foundation.limits import LINES
from inventory.models import Condition


class DistributionItemIn(Input):
    equipment = IdField()
    direction = StrictChoiceField(choices=DistributionItem.Direction.choices)
    condition = StrictChoiceField(choices=Condition.choices)
    quantity = QuantityField()


class DistributionIn(Input):
    depot = IdField()
    vehicle = VehicleNoField(
        required=False,
        allow_null=True,
        default=None,
        help_text="The number of the vehicle. Left out: the one that was assigned to the user when it happened.",
    )
    remarks = TextField(max_length=500, required=False, allow_blank=True, default="")
    occurred_at = MomentField(required=False, allow_null=True, default=None, help_text="Left out: now.")
    items = many(DistributionItemIn, allow_empty=False, max_length=LINES)

    def command(self) -> NewDistribution:
        """The validated load, as the service takes it."""
        sent = self.validated_data
        return NewDistribution(**{**sent, "items": tuple(NewItem(**item) for item in sent["items"])})


class DistributionItemOut(serializers.ModelSerializer[DistributionItem]):
    sku = serializers.CharField(source="equipment.sku", read_only=True)
    equipment_name = serializers.CharField(source="equipment.name", read_only=True)

    class Meta:
        model = DistributionItem
        fields = ("id", "equipment", "sku", "equipment_name", "direction", "condition", "quantity")
        read_only_fields = fields


class DistributionOut(serializers.ModelSerializer[Distribution]):
    depot_code = serializers.CharField(source="depot.code", read_only=True)
    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    items = DistributionItemOut(many=True, read_only=True)

    class Meta:
        model = Distribution
        fields = (
            "id", "distribution_number", "client_temp_id", "status", "depot", "depot_code", "user", "user_name",
            "vehicle_no", "remarks", "items", "total_collection", "total_return",
            "occurred_at", "created_at", "confirmed_at", "confirmed_by", "cancelled_at",
        )  # fmt: skip
        read_only_fields = fields
