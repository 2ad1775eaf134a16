"""Equipment from spreadsheets."""

from collections.abc import Mapping
from typing import Any

from equipment import services
from equipment.models import Equipment
from equipment.serializers import EquipmentSerializer
from foundation.spreadsheets.importing import TableResource

_COLUMNS = ("sku", "name", "equipment_type", "weight_kg", "default_rate", "deposit", "is_active")


class EquipmentTable(TableResource):
    """Known by its SKU."""

    model = Equipment
    serializer = EquipmentSerializer
    columns = {name: name for name in _COLUMNS}
    keys = needed = ("sku",)

    def find(self, row: Mapping[str, object]) -> Equipment | None:
        return Equipment.objects.filter(sku=row.get("sku", "")).first()

    def create(self, actor: Any, values: dict[str, object]) -> Equipment:
        return services.create_equipment(actor=actor, values=values)

    def update(self, actor: Any, target: Any, changes: dict[str, object]) -> None:
        services.update_equipment(actor=actor, pk=target.pk, changes=changes)
