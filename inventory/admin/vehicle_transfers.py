"""Goods from one vehicle to another one, in the office."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.requests import acting_user
from fleet.models import Vehicle
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.limits import QUANTITY
from foundation.office.generic import FieldGroups, ModelForm, TabularInline
from foundation.office.links import Related, evidence_of, movements_of
from foundation.office.menu import Menu
from foundation.office.numbers import IntegerFormField
from foundation.office.pages import OfficeAdmin, may
from inventory import services
from inventory.models import VehicleTransfer, VehicleTransferItem
from inventory.services import NewVehicleTransfer, NewWorkItem


class TransferItemForm(ModelForm[VehicleTransferItem]):
    quantity = IntegerFormField(min_value=1, max_value=int(QUANTITY.most))

    class Meta:
        model = VehicleTransferItem
        fields = ("equipment", "condition", "quantity")


class TransferItemInline(TabularInline[VehicleTransferItem, VehicleTransfer]):
    """The lines of a transfer: filled in where it is recorded, read afterwards."""

    model = VehicleTransferItem
    form = TransferItemForm
    extra, max_num, can_delete = 5, 200, False
    verbose_name_plural = "items"

    def get_queryset(self, request: HttpRequest) -> QuerySet[VehicleTransferItem]:
        return super().get_queryset(request).select_related("equipment")

    def has_view_permission(self, request: HttpRequest, obj: VehicleTransfer | None = None) -> bool:
        return may(request, Capability.VIEW_TRANSFERS)

    def has_add_permission(self, request: HttpRequest, obj: VehicleTransfer | None = None) -> bool:
        return obj is None and may(request, Capability.TRANSFER_GOODS)

    def has_change_permission(self, request: HttpRequest, obj: VehicleTransfer | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: VehicleTransfer | None = None) -> bool:
        return False


class VehicleTransferForm(ModelForm[VehicleTransfer]):
    class Meta:
        model = VehicleTransfer
        fields = ("from_vehicle", "to_vehicle", "reason")

    def validate_constraints(self) -> None:
        """The command says it in words."""


@admin.register(VehicleTransfer)
class VehicleTransferAdmin(OfficeAdmin[VehicleTransfer]):
    view_capability = Capability.VIEW_TRANSFERS
    menu = Menu.STOCK
    inlines = (TransferItemInline,)
    is_found = True
    list_display = ("transfer_number", "from_vehicle", "to_vehicle", "reason", "user", "created_at")
    list_filter = ("from_vehicle", "to_vehicle")
    list_select_related = ("from_vehicle", "to_vehicle", "user")
    search_fields = ("transfer_number", "from_vehicle__number", "to_vehicle__number", "reason")
    search_help_text = "Number, vehicle, or words of the reason"
    date_hierarchy = "date"
    ordering = ("-id",)
    add_form = VehicleTransferForm

    def related(self, request: HttpRequest, target: VehicleTransfer) -> Iterable[Related]:
        return (movements_of(target), evidence_of(target))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.TRANSFER_GOODS)

    def get_fields(self, request: HttpRequest, obj: VehicleTransfer | None = None) -> FieldGroups:
        if obj is None:
            return (("from_vehicle", "to_vehicle"), "reason")
        return (
            "transfer_number", ("from_vehicle", "to_vehicle"), "reason", ("user", "occurred_at", "created_at"),
            "client_temp_id",
        )  # fmt: skip

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "from_vehicle":
            within = rows_within(request.user, Capability.TRANSFER_GOODS)
            kwargs["queryset"] = Vehicle.objects.filter(within)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: VehicleTransfer, form: ModelForm[VehicleTransfer], change: bool
    ) -> None:
        """The command needs the lines too: it runs when they are known, in `save_related`."""

    def save_related(self, request: HttpRequest, form: ModelForm[VehicleTransfer], formsets: Any, change: bool) -> None:
        sent = form.cleaned_data
        [lines] = formsets
        items = tuple(
            NewWorkItem(line["equipment"].pk, line["condition"], line["quantity"])
            for line in lines.cleaned_data
            if line
        )
        new = NewVehicleTransfer(sent["from_vehicle"].number, sent["to_vehicle"].number, items, sent["reason"])
        made = services.transfer_between_vehicles(actor=acting_user(request), data=new)
        form.instance.pk = made.pk
        form.instance.refresh_from_db()

    def construct_change_message(self, *args: Any, **kwargs: Any) -> Any:
        return []
