"""Vehicles in the office. Who drives them stands in the accounts app's pages, what goes over in the inventory's."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from fleet import services
from fleet.models import Vehicle
from foundation.office.generic import ModelForm
from foundation.office.links import Related, evidence_of, list_of
from foundation.office.master_data import MasterDataAdmin, MasterDataForm


class VehicleForm(MasterDataForm[Vehicle]):
    class Meta:
        model = Vehicle
        fields = ("number", "depot", "is_active")


@admin.register(Vehicle)
class VehicleAdmin(MasterDataAdmin[Vehicle]):
    form = VehicleForm
    is_found = True
    list_display = ("number", "depot", "is_active")
    list_filter = ("is_active", "depot")
    list_select_related = ("depot",)
    search_fields = ("number",)
    search_help_text = "Number"
    fields = ("number", "depot", "is_active", "as_read")
    create_command = services.create_vehicle
    update_command = services.update_vehicle
    deactivate_command = services.deactivate_vehicle

    def related(self, request: HttpRequest, target: Vehicle) -> Iterable[Related]:
        return (
            list_of("inventory.inventory", "Stock", location__vehicle_no__exact=target.number),
            list_of("fleet.assignment", "Who drove it", vehicle__id__exact=target.pk),
            list_of("inventory.vehicletransfer", "Given to other vehicles", from_vehicle__id__exact=target.pk),
            list_of("inventory.vehicletransfer", "Got from other vehicles", to_vehicle__id__exact=target.pk),
            evidence_of(target),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Vehicle | None = None) -> tuple[str, ...]:
        """Documents name it by its number."""
        return () if obj is None else ("number",)

    def new_of(self, form: ModelForm[Vehicle]) -> dict[str, Any]:
        return {"values": _plain(form.cleaned_data)}

    def changes_of(self, form: ModelForm[Vehicle]) -> dict[str, Any]:
        return _plain(super().changes_of(form))


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """As the commands take them: the depot by its primary key."""
    return {name: value.pk if name == "depot" and value else value for name, value in values.items()}
