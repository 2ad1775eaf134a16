"""Equipment in the office."""

from django.contrib import admin

from core.office import MasterDataAdmin, evidence_of, link_to_list
from equipment import services
from equipment.models import Equipment


@admin.register(Equipment)
class EquipmentAdmin(MasterDataAdmin):
    list_display = ("sku", "name", "equipment_type", "weight_kg", "default_rate", "deposit", "is_active")
    list_filter = ("equipment_type", "is_active")
    search_fields = ("sku", "name")
    fields = (
        "sku", "name", "equipment_type", "weight_kg", "default_rate", "deposit", "is_active", "stock", "audit",
    )  # fmt: skip
    readonly_fields = ("stock", "audit")
    create_command = services.create_equipment
    update_command = services.update_equipment
    deactivate_command = services.deactivate_equipment

    @admin.display(description="stock")
    def stock(self, equipment: Equipment) -> str:
        return link_to_list("inventory.inventory", "Stock", equipment__id__exact=equipment.pk) if equipment.pk else "–"

    @admin.display(description="audit")
    def audit(self, equipment: Equipment) -> str:
        return evidence_of(equipment) if equipment.pk else "–"
