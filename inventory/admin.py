"""Stock in the office: read-only, and corrected by counting."""

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from core.access import Capability
from core.office import OfficeAdmin, evidence_of, link_to, link_to_list, may
from customers.models import Customer
from depots.models import Depot
from inventory import services
from inventory.models import Inventory, Location, LocationKind, StockMovement
from inventory.services import Entity


@admin.register(Location)
class LocationAdmin(OfficeAdmin):
    view_capability = Capability.VIEW_INVENTORY
    list_display = ("__str__", "kind")
    list_filter = ("kind",)
    list_select_related = ("depot", "customer")
    search_fields = ("vehicle_no", "depot__code", "customer__name", "customer__customer_code")


class CountForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A count of one balance. The difference is moved against OUTSIDE."""

    quantity = forms.IntegerField(min_value=0, max_value=1_000_000, label="counted quantity")
    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 2}))

    class Meta:
        model = Inventory
        fields = ("quantity",)


class NewCountForm(CountForm):
    """A count of something that may have no balance yet."""

    depot = forms.ModelChoiceField(Depot.objects.all(), required=False)
    vehicle_no = forms.CharField(max_length=16, required=False, label="or vehicle")
    customer = forms.ModelChoiceField(Customer.objects.all(), required=False, label="or customer")

    class Meta:
        model = Inventory
        fields = ("equipment", "condition", "quantity")

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        places = [sent.get("depot"), sent.get("vehicle_no"), sent.get("customer")]
        if sum(bool(place) for place in places) != 1:
            raise ValidationError("Name one place: a depot, a vehicle or a customer.")
        return sent

    def place(self) -> tuple[Entity, str]:
        sent = self.cleaned_data
        if sent["depot"]:
            return Entity.DEPOT, str(sent["depot"].pk)
        if sent["customer"]:
            return Entity.CUSTOMER, str(sent["customer"].pk)
        return Entity.VEHICLE, sent["vehicle_no"].upper().replace(" ", "")


@admin.register(Inventory)
class InventoryAdmin(OfficeAdmin):
    view_capability = Capability.VIEW_INVENTORY
    list_display = ("location", "equipment", "condition", "quantity", "updated_at", "movements")
    list_filter = ("location__kind", "condition", "location__depot", "equipment")
    list_select_related = ("location__depot", "location__customer", "equipment")
    search_fields = ("equipment__sku", "equipment__name", "location__vehicle_no", "location__customer__name")
    ordering = ("location__kind", "location_id", "equipment__sku", "condition")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.CORRECT_INVENTORY)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_real = obj is None or not obj.location.is_virtual
        return is_real and may(request, Capability.CORRECT_INVENTORY)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = CountForm if change else NewCountForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        if obj is None:
            return ("depot", "vehicle_no", "customer", "equipment", "condition", "quantity", "reason")
        shown = ("location", "equipment", "condition")
        if self.has_change_permission(request, obj):
            return (*shown, "quantity", "reason", "updated_at", "movements", "audit")
        return (*shown, "quantity", "updated_at", "movements", "audit")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("location", "equipment", "condition", "updated_at", "movements", "audit")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        sent = form.cleaned_data
        if change:
            entity, entity_id = _place_of(obj.location)
            equipment, condition = obj.equipment, obj.condition
        else:
            entity, entity_id = form.place()
            equipment, condition = sent["equipment"], sent["condition"]
        balance = services.correct_inventory(
            actor=request.user,  # type: ignore[arg-type]
            entity=entity,
            entity_id=entity_id,
            equipment_id=equipment.pk,
            condition=condition,
            quantity=sent["quantity"],
            reason=sent["reason"],
        )
        obj.pk, obj.location, obj._state.adding = balance.pk, balance.location, False

    @admin.display(description="movements")
    def movements(self, balance: Inventory) -> str:
        return link_to_list("inventory.stockmovement", "Movements", equipment__id__exact=balance.equipment_id)

    @admin.display(description="audit")
    def audit(self, balance: Inventory) -> str:
        return evidence_of(balance)


def _place_of(location: Location) -> tuple[Entity, str]:
    match location.kind:
        case LocationKind.DEPOT:
            return Entity.DEPOT, str(location.depot_id)
        case LocationKind.CUSTOMER:
            return Entity.CUSTOMER, str(location.customer_id)
        case _:
            return Entity.VEHICLE, location.vehicle_no


@admin.register(StockMovement)
class StockMovementAdmin(OfficeAdmin):
    view_capability = Capability.VIEW_INVENTORY
    list_display = (
        "created_at", "kind", "quantity", "equipment", "from_location", "from_condition", "to_location", "to_condition",
        "user",
    )  # fmt: skip
    list_filter = ("kind", "from_condition", "to_condition", "equipment")
    list_select_related = (
        "equipment", "user", "from_location__depot", "from_location__customer", "to_location__depot",
        "to_location__customer",
    )  # fmt: skip
    search_fields = ("=cause_id", "from_location__vehicle_no", "to_location__vehicle_no", "to_location__customer__name")
    date_hierarchy = "date"
    ordering = ("-id",)
    fields = (
        "kind", "quantity", "equipment", "from_location", "from_condition", "to_location", "to_condition", "cause",
        "reason", "user", "occurred_at", "created_at",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="cause")
    def cause(self, movement: StockMovement) -> str:
        document = apps.get_model(movement.cause_type)._default_manager.filter(pk=movement.cause_id).first()
        return link_to(document) if document else f"{movement.cause_type} {movement.cause_id}"
