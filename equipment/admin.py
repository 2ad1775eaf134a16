"""Equipment in the office."""

from collections.abc import Iterable

from django.contrib import admin
from django.http import HttpRequest

from equipment import services
from equipment.imports import EquipmentTable
from equipment.models import Equipment
from foundation.office.imports import ImportsTables
from foundation.office.links import Related, evidence_of, list_of
from foundation.office.master_data import MasterDataAdmin


@admin.register(Equipment)
class EquipmentAdmin(ImportsTables, MasterDataAdmin[Equipment]):
    resource_classes = (EquipmentTable,)
    is_found = True
    list_display = ("sku", "name", "equipment_type", "weight_kg", "default_rate", "deposit", "is_active")
    list_filter = ("equipment_type", "is_active")
    search_fields = ("search_name",)
    fields = ("sku", "name", "equipment_type", "weight_kg", "default_rate", "deposit", "is_active", "as_read")
    create_command = services.create_equipment
    update_command = services.update_equipment
    deactivate_command = services.deactivate_equipment

    def related(self, request: HttpRequest, target: Equipment) -> Iterable[Related]:
        return (
            list_of("inventory.inventory", "Stock", equipment__id__exact=target.pk),
            list_of("inventory.stockmovement", "Stock movements", equipment__id__exact=target.pk),
            list_of("customers.customerrate", "Contract rates", equipment__id__exact=target.pk),
            evidence_of(target),
        )
