"""Row locks of the balances."""

from collections.abc import Iterable

from django.db.models import Q

from inventory.models import Inventory

BalanceKey = tuple[int, int, str]
"""(location id, equipment id, condition)."""


def balances(keys: Iterable[BalanceKey]) -> dict[BalanceKey, Inventory]:
    """The existing balances of these keys, locked in primary-key order."""
    wanted = Q(pk__in=())
    for location_id, equipment_id, condition in keys:
        wanted |= Q(location_id=location_id, equipment_id=equipment_id, condition=condition)
    rows = list(Inventory.objects.select_for_update().filter(wanted).order_by("pk"))
    return {(row.location_id, row.equipment_id, row.condition): row for row in rows}
