"""Row locks of the balances."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import Q

from inventory.models import Count, DepotWork, Inventory, Location, ReorderLevel

BalanceKey = tuple[int, int, str]
"""(location id, equipment id, condition)."""


def balances(keys: Iterable[BalanceKey]) -> dict[BalanceKey, Inventory]:
    """The existing balances of these keys, locked in primary-key order.

    Where rows are locked they are looked up without a lock first: a locking search by anything but the primary key may
    wait for rows that it only passes, and so make every vehicle wait for every other.
    """
    wanted = Q(pk__in=())
    for location_id, equipment_id, condition in keys:
        wanted |= Q(location_id=location_id, equipment_id=equipment_id, condition=condition)
    if connection.features.has_select_for_update:
        wanted = Q(pk__in=list(Inventory.objects.filter(wanted).values_list("pk", flat=True)))
    rows = list(Inventory.objects.select_for_update().filter(wanted).order_by("pk"))
    return {(row.location_id, row.equipment_id, row.condition): row for row in rows}


def balances_at(location: Location) -> list[Inventory]:
    """All balances of a location, locked in primary-key order."""
    found = list(Inventory.objects.filter(location=location).values_list("pk", flat=True))
    return list(Inventory.objects.select_for_update().filter(pk__in=found).order_by("pk"))


def balances_of(location_ids: Iterable[int], equipment_ids: Iterable[int]) -> None:
    """All balances that these have of these, locked in primary-key order: for who goes on to lock some, then others."""
    wanted = Inventory.objects.filter(location__in=set(location_ids), equipment__in=set(equipment_ids))
    if connection.features.has_select_for_update:
        wanted = Inventory.objects.filter(pk__in=list(wanted.values_list("pk", flat=True)))
    list(wanted.select_for_update().order_by("pk"))


def places(location_ids: Iterable[int]) -> list[Location]:
    """In primary-key order. Who moves something there that wasn't there before waits: its new balance refers to it."""
    return list(Location.objects.select_for_update().filter(pk__in=set(location_ids)).order_by("pk"))


def count(pk: int) -> Count:
    row: Count = Count.objects.select_for_update().get(pk=pk)
    return row


def depot_work(pk: int) -> DepotWork:
    row: DepotWork = DepotWork.objects.select_for_update().get(pk=pk)
    return row


def reorder_level(pk: int) -> ReorderLevel:
    level: ReorderLevel = ReorderLevel.objects.select_for_update().get(pk=pk)
    return level
