"""Balances and movements in JSON."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from fleet.serializers import VehicleNoField
from foundation.api.fields import (
    CountField,
    IdField,
    MomentField,
    QuantityField,
    StrictChoiceField,
    TextField,
    many,
)
from foundation.api.inputs import Input
from foundation.api.queries import Query
from foundation.api.responses import PendingField, PendingOthersField
from foundation.limits import LINES
from inventory.models import (
    Condition,
    Count,
    CountLine,
    DepotWork,
    DepotWorkItem,
    Inventory,
    Location,
    LocationKind,
    StockMovement,
    VehicleTransfer,
    VehicleTransferItem,
)
from inventory.selectors import CountSheetLine
from inventory.services import (
    CountedLine,
    DepotCount,
    Entity,
    NewDepotWork,
    NewReversal,
    NewVehicleCount,
    NewVehicleTransfer,
    NewWorkItem,
    WorkedGoods,
)

WORK_KINDS = [choice for choice in DepotWork.Kind.choices if choice[0] != DepotWork.Kind.STOCK_TAKE]


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
            "to_condition", "cause_type", "cause_id", "count", "reverses", "reason", "user", "user_name",
            "occurred_at", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class EntityIdField(TextField):
    """A primary key as a number or its digits, or a vehicle's number."""

    def to_internal_value(self, data: object) -> str:
        if isinstance(data, int) and not isinstance(data, bool):
            data = str(data)
        return super().to_internal_value(data).replace(" ", "").upper()


class CorrectionIn(Input):
    entity = StrictChoiceField(choices=Entity.choices)
    entity_id = EntityIdField(max_length=20, help_text="Primary key of the depot or customer, or the vehicle's number.")
    equipment_id = IdField()
    condition = StrictChoiceField(choices=Condition.choices)
    quantity = CountField(help_text="The counted quantity.")
    reason = TextField(max_length=500)


class WorkItemIn(Input):
    equipment = IdField()
    condition = StrictChoiceField(choices=Condition.choices, help_text="Before the work.")
    quantity = QuantityField()


class CountedItemIn(Input):
    equipment = IdField()
    condition = StrictChoiceField(choices=Condition.choices)
    quantity = CountField(help_text="The counted quantity.")


class DepotWorkIn(Input):
    kind = StrictChoiceField(choices=WORK_KINDS)
    depot = IdField()
    to_depot = IdField(required=False, allow_null=True, default=None, help_text="Of a TRANSFER, and only of that.")
    reason = TextField(max_length=500)
    reference = TextField(
        max_length=64, required=False, allow_blank=True, default="", help_text="The supplier's or the plant's paper."
    )
    items = many(WorkItemIn, allow_empty=False, max_length=LINES)
    occurred_at = MomentField(required=False, allow_null=True, default=None, help_text="Left out: now.")

    def command(self) -> NewDepotWork:
        """The validated work, as the service takes it."""
        sent = self.validated_data
        return NewDepotWork(**{**sent, "items": tuple(NewWorkItem(**item) for item in sent["items"])})


class WorkReversalIn(Input):
    reason = TextField(max_length=500)
    goods = StrictChoiceField(
        choices=WorkedGoods.choices,
        required=False,
        default=WorkedGoods.CAME_BACK,
        help_text="`came_back` (left out, this): they go back now. `never_left`: it was recorded by mistake and never "
        "happened; taken back at the work's own moment, so that counts since then explain it.",
    )

    def command(self, work: int) -> NewReversal:
        """The validated reversal, as the service takes it."""
        return NewReversal(work, **self.validated_data)


class StockTakeIn(Input):
    """What was counted at a depot; what isn't named stays as it is."""

    depot = IdField()
    reason = TextField(max_length=500)
    items = many(CountedItemIn, allow_empty=False, max_length=LINES)
    counted_at = MomentField(required=False, allow_null=True, default=None, help_text="Left out: now.")

    def command(self) -> DepotCount:
        """The validated count, as the service takes it."""
        sent = self.validated_data
        return DepotCount(**{**sent, "items": tuple(NewWorkItem(**item) for item in sent["items"])})


class DepotWorkItemOut(serializers.ModelSerializer[DepotWorkItem]):
    sku = serializers.CharField(source="equipment.sku", read_only=True)
    equipment_name = serializers.CharField(source="equipment.name", read_only=True)

    class Meta:
        model = DepotWorkItem
        fields = ("id", "equipment", "sku", "equipment_name", "condition", "quantity", "expected")
        read_only_fields = fields


class DepotWorkOut(serializers.ModelSerializer[DepotWork]):
    depot_code = serializers.CharField(source="depot.code", read_only=True)
    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    items = DepotWorkItemOut(many=True, read_only=True)
    reversal: Any = serializers.PrimaryKeyRelatedField(
        read_only=True, allow_null=True, default=None, help_text="The work that took it back."
    )
    pending = PendingField(
        help_text="What is still on its way and may have happened before a stock-take. Null but in its own answer."
    )
    pending_others = PendingOthersField()

    class Meta:
        model = DepotWork
        fields = (
            "id", "work_number", "client_temp_id", "kind", "depot", "depot_code", "to_depot", "reason", "reference",
            "user", "user_name", "items", "reverses", "reversal", "occurred_at", "created_at", "pending",
            "pending_others",
        )  # fmt: skip
        read_only_fields = fields


class PassedOnIn(Input):
    equipment = IdField()
    condition = StrictChoiceField(choices=Condition.choices)
    quantity = QuantityField()


class VehicleTransferIn(Input):
    to_vehicle = VehicleNoField(help_text="The number of the vehicle that gets them.")
    reason = TextField(max_length=500, required=False, allow_blank=True, default="")
    items = many(PassedOnIn, allow_empty=False, max_length=LINES)
    occurred_at = MomentField(required=False, allow_null=True, default=None, help_text="Left out: now.")

    def command(self, from_vehicle: str) -> NewVehicleTransfer:
        """The validated transfer, as the service takes it."""
        sent = self.validated_data
        items = tuple(NewWorkItem(**item) for item in sent["items"])
        return NewVehicleTransfer(**{**sent, "from_vehicle": from_vehicle, "items": items})


class VehicleTransferItemOut(serializers.ModelSerializer[VehicleTransferItem]):
    sku = serializers.CharField(source="equipment.sku", read_only=True)
    equipment_name = serializers.CharField(source="equipment.name", read_only=True)

    class Meta:
        model = VehicleTransferItem
        fields = ("id", "equipment", "sku", "equipment_name", "condition", "quantity")
        read_only_fields = fields


class VehicleTransferOut(serializers.ModelSerializer[VehicleTransfer]):
    from_vehicle_no = serializers.CharField(source="from_vehicle.number", read_only=True)
    to_vehicle_no = serializers.CharField(source="to_vehicle.number", read_only=True)
    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    items = VehicleTransferItemOut(many=True, read_only=True)

    class Meta:
        model = VehicleTransfer
        fields = (
            "id", "transfer_number", "client_temp_id", "from_vehicle", "from_vehicle_no", "to_vehicle", "to_vehicle_no",
            "reason", "user", "user_name", "items", "occurred_at", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class CountSheetQuery(Query):
    depot = IdField()


class CountSheetLineOut(serializers.Serializer[list[CountSheetLine]]):  # with many=True
    """A line to be filled in. What the books say isn't on it: the count is blind."""

    equipment = serializers.IntegerField()
    sku = serializers.CharField()
    equipment_name = serializers.CharField()
    condition = serializers.ChoiceField(choices=Condition.choices)


class VehicleCountIn(Input):
    """A blind count: what isn't named was not there."""

    vehicle = VehicleNoField(
        required=False,
        allow_null=True,
        default=None,
        help_text="The number of the vehicle that was counted. Left out: the one assigned to the counter then.",
    )
    counts = many(CountedItemIn, max_length=LINES, help_text="Empty: nothing was there.")
    remarks = TextField(max_length=500, required=False, allow_blank=True, default="")
    occurred_at = MomentField(
        required=False, allow_null=True, default=None, help_text="When it was counted. Left out: now."
    )

    def command(self) -> NewVehicleCount:
        """The validated count, as the service takes it."""
        sent = self.validated_data
        return NewVehicleCount(**{**sent, "counts": tuple(CountedLine(**line) for line in sent["counts"])})


class DecisionIn(Input):
    remarks = TextField(max_length=500, required=False, allow_blank=True, default="")


class ReasonedDecisionIn(Input):
    remarks = TextField(max_length=500)


class CountLineOut(serializers.ModelSerializer[CountLine]):
    sku = serializers.CharField(source="equipment.sku", read_only=True)
    variance = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="Counted less expected, as it was signed off; negative: missing."
    )
    variance_now = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="With what came after the signature. Null in lists."
    )

    class Meta:
        model = CountLine
        fields = ("equipment", "sku", "condition", "quantity", "expected", "variance", "variance_now")
        read_only_fields = fields


class VehicleCountOut(serializers.ModelSerializer[Count]):
    """``lines`` and ``pending`` of one count are in the context; a list shows the recorded lines."""

    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    vehicle = serializers.CharField(source="location.vehicle_no", read_only=True)
    lines = serializers.SerializerMethodField()
    pending = PendingField(help_text="What is still on its way and may have happened before it. Null in lists.")
    pending_others = PendingOthersField()

    class Meta:
        model = Count
        fields = (
            "id", "count_number", "client_temp_id", "status", "user", "user_name", "depot", "vehicle", "lines",
            "occurred_at", "created_at", "remarks", "decided_by", "decided_at", "decision_remarks", "pending",
            "pending_others",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(CountLineOut(many=True))
    def get_lines(self, count: Count) -> object:
        lines: Sequence[CountLine] | None = self.context.get("lines")
        return CountLineOut(count.lines.all() if lines is None else lines, many=True).data
