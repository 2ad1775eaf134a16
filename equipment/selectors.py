"""Reads of equipment that commands share."""

from collections.abc import Sequence
from typing import Any

from core.errors import UnknownReference
from equipment.errors import EquipmentInactive
from equipment.models import Equipment


def require_active(actor: Any, item_ids: Sequence[int]) -> dict[int, Equipment]:
    """The equipment behind a document's items, by id.

    Raises UnknownReference or EquipmentInactive, naming the item: ``items.2.equipment``.
    """
    found: dict[int, Equipment] = Equipment.objects.visible_to(actor).in_bulk(set(item_ids))
    for index, pk in enumerate(item_ids):
        attr = f"items.{index}.equipment"
        if pk not in found:
            raise UnknownReference(pk, attr=attr)
        if not found[pk].is_active:
            raise EquipmentInactive(f"{found[pk].sku} is not in use any more.", attr=attr)
    return found
