"""Equipment in the office."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from equipment import services
from equipment.imports import EquipmentTable
from equipment.models import Equipment, EquipmentPrice
from equipment.selectors import prices_of
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.limits import RATE
from foundation.office.dated import DatedForm, DatedInline
from foundation.office.generic import ModelForm
from foundation.office.imports import ImportsTables
from foundation.office.links import Related, evidence_of, list_of
from foundation.office.master_data import MasterDataAdmin
from foundation.office.menu import Menu
from foundation.office.numbers import DecimalFormField
from foundation.office.pages import OfficeAdmin


class PriceForm(DatedForm[EquipmentPrice]):
    amount = DecimalFormField(max_digits=10, decimal_places=2, min_value=0, max_value=RATE.most, required=False)


class PriceInline(DatedInline[EquipmentPrice, Equipment]):
    model = EquipmentPrice
    form = PriceForm
    ordering = ("kind", "-valid_from", "-pk")
    fields = ("kind", "amount", "valid_from", "reason", "entered", "state")
    readonly_fields = ("entered", "state")

    standing_of = staticmethod(prices_of)


@admin.register(Equipment)
class EquipmentAdmin(ImportsTables, MasterDataAdmin[Equipment]):
    resource_classes = (EquipmentTable,)
    inlines = (PriceInline,)
    runs_several = True
    is_found = True
    list_display = ("sku", "name", "equipment_type", "weight_kg", "default_rate", "deposit", "is_active")
    list_filter = ("equipment_type", "is_active")
    search_fields = ("search_name",)
    fields = ("sku", "name", "equipment_type", "weight_kg", "default_rate", "deposit", "is_active", "as_read")
    create_command = services.create_equipment
    update_command = services.update_equipment
    deactivate_command = services.deactivate_equipment

    def get_inlines(self, request: HttpRequest, obj: Equipment | None) -> Any:
        return self.inlines if obj is not None else ()

    def related(self, request: HttpRequest, target: Equipment) -> Iterable[Related]:
        return (
            list_of("inventory.inventory", "Stock", equipment__id__exact=target.pk),
            list_of("inventory.stockmovement", "Stock movements", equipment__id__exact=target.pk),
            list_of("customers.customerrate", "Contract rates", equipment__id__exact=target.pk),
            evidence_of(target),
        )

    def save_formset(self, request: HttpRequest, form: ModelForm[Equipment], formset: Any, change: bool) -> None:
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        for new in formset.extra_forms:
            if new.has_changed():
                sent = new.cleaned_data
                price = services.set_price(
                    actor=request.user,  # type: ignore[arg-type]  # who may change this is logged in
                    equipment_id=form.instance.pk,
                    kind=EquipmentPrice.Kind(sent["kind"]),
                    amount=sent["amount"],
                    valid_from=clock.business_date(sent["valid_from"]),
                    reason=sent["reason"],
                )
                self.tell_at_the_end(request, price, price.day, equipment=price.equipment_id)


@admin.register(EquipmentPrice)
class EquipmentPriceAdmin(OfficeAdmin[EquipmentPrice]):
    """All prices to search; they are set on an equipment's own page."""

    view_capability = Capability.VIEW_MASTER_DATA
    menu = Menu.MASTER_DATA
    list_display = ("equipment", "kind", "amount", "valid_from", "reason", "created_by", "created_at")
    list_filter = ("kind", "equipment")
    list_select_related = ("equipment", "created_by")
    search_fields = ("equipment__search_name",)
    search_help_text = "SKU or name"
    ordering = ("equipment__sku", "kind", "-valid_from", "-pk")
    fields = ("equipment", "kind", "amount", "valid_from", "reason", "created_by", "created_at")
