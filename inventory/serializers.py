"""Balances and movements in JSON."""

from typing import Any

from rest_framework import serializers

from core.api.fields import IdField, StrictChoiceField, StrictIntegerField, TextField
from inventory.models import Condition, Inventory, Location, LocationKind, StockMovement
from inventory.services import Entity


class LocationOut(serializers.ModelSerializer[Location]):
    name = serializers.SerializerMethodField()

    class Meta:
        model = Location
        fields = ("id", "kind", "name", "depot", "customer", "vehicle_no")
        read_only_fields = fields

    def get_name(self, location: Location) -> str:
        return str(location)


class InventoryOut(serializers.ModelSerializer[Inventory]):
    inventory_type = serializers.ChoiceField(source="location.kind", choices=LocationKind.choices, read_only=True)
    location_name = serializers.CharField(source="location", read_only=True)
    depot = serializers.IntegerField(source="location.depot_id", read_only=True, allow_null=True)
    customer = serializers.IntegerField(source="location.customer_id", read_only=True, allow_null=True)
    vehicle_no = serializers.CharField(source="location.vehicle_no", read_only=True)
    sku = serializers.CharField(source="equipment.sku", read_only=True)
    equipment_name = serializers.CharField(source="equipment.name", read_only=True)

    class Meta:
        model = Inventory
        fields = (
            "id", "inventory_type", "location", "location_name", "depot", "customer", "vehicle_no",
            "equipment", "sku", "equipment_name", "condition", "quantity", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


class StockMovementOut(serializers.ModelSerializer[StockMovement]):
    sku = serializers.CharField(source="equipment.sku", read_only=True)
    from_location = LocationOut(read_only=True)
    to_location = LocationOut(read_only=True)
    user_name = serializers.CharField(source="user.username", read_only=True)

    class Meta:
        model = StockMovement
        fields = (
            "id", "kind", "equipment", "sku", "quantity", "from_location", "from_condition", "to_location",
            "to_condition", "cause_type", "cause_id", "reason", "user", "user_name", "occurred_at", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class EntityIdField(TextField):
    """A primary key as a number or its digits, or a vehicle's number."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, int) and not isinstance(data, bool):
            data = str(data)
        return super().to_internal_value(data).replace(" ", "").upper()


class CorrectionIn(serializers.Serializer[Any]):
    entity = StrictChoiceField(choices=Entity.choices)
    entity_id = EntityIdField(max_length=20, help_text="Primary key of the depot or customer, or the vehicle's number.")
    equipment_id = IdField()
    condition = StrictChoiceField(choices=Condition.choices)
    quantity = StrictIntegerField(min_value=0, max_value=1_000_000, help_text="The counted quantity.")
    reason = TextField(max_length=500)
