"""Reads of equipment that commands share."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import product

from django.db.models import Model, Q

from equipment.errors import EquipmentInactive
from equipment.models import Equipment, EquipmentPrice
from foundation import clock
from foundation.dated import Standing, in_force, known_between, standing
from foundation.errors import UnknownReference
from foundation.master_data import was_active


@dataclass(frozen=True, slots=True)
class Prices:
    """What one piece costs where no contract says otherwise. None: no such price is set.

    ``known``: what an app without network could show then, where that was something else: a price that was entered
    with a date that was past.
    """

    default_rate: Decimal | None
    deposit: Decimal | None
    known: "Prices | None" = None


def prices_at(equipment: Mapping[int, Equipment], moment: datetime) -> dict[int, Prices]:
    """The prices that were in force at a moment, by equipment id."""
    prices = {}
    for pk, (rates, deposits) in _rows_of(equipment, moment).items():
        valid = Prices(_amount(in_force(rates, moment)), _amount(in_force(deposits, moment)))
        known = Prices(
            _amount(in_force(rates, moment, known_at=moment)), _amount(in_force(deposits, moment, known_at=moment))
        )
        prices[pk] = valid if known == valid else replace(valid, known=known)
    return prices


def prices_in_force() -> Callable[[int, datetime], Prices]:
    """`prices_at` of all equipment and many moments: all prices are read at once. What was known isn't told."""
    rows: dict[tuple[int, str], list[EquipmentPrice]] = defaultdict(list)
    for row in EquipmentPrice.objects.order_by():
        rows[row.equipment_id, row.kind].append(row)

    def at(pk: int, moment: datetime) -> Prices:
        default_rate, deposit = (
            _amount(in_force(rows.get((pk, kind), ()), moment))
            for kind in (EquipmentPrice.Kind.DEFAULT_RATE, EquipmentPrice.Kind.DEPOSIT)
        )
        return Prices(default_rate, deposit)

    return at


def prices_between(equipment: Mapping[int, Equipment], begin: datetime, end: datetime) -> dict[int, list[Prices]]:
    """All prices that an app could have known at some time from ``begin`` to ``end``, by equipment id.

    Each of the one price beside each of the other.
    """
    return {
        pk: [
            Prices(default_rate, deposit)
            for default_rate, deposit in product(
                *(dict.fromkeys(map(_amount, known_between(of_kind, begin, end))) for of_kind in rows)
            )
        ]
        for pk, rows in _rows_of(equipment, end).items()
    }


def prices_of(equipment: Equipment) -> dict[int, Standing[EquipmentPrice]]:
    """What became of each price of an equipment, by the row's id."""
    rows, now = list(EquipmentPrice.objects.filter(equipment=equipment).order_by()), clock.now()
    found: dict[int, Standing[EquipmentPrice]] = {}
    for kind in EquipmentPrice.Kind:
        found |= standing([row for row in rows if row.kind == kind], now)
    return found


def to_be_taken_over(moment: datetime) -> list[int]:
    """Equipment whose columns don't say what counts now: a price's date has come."""
    equipment: dict[int, Equipment] = Equipment.objects.in_bulk()
    prices = prices_at(equipment, moment)
    return [
        pk
        for pk, each in equipment.items()
        if (each.default_rate, each.deposit) != (prices[pk].default_rate, prices[pk].deposit)
    ]


def _rows_of(equipment: Mapping[int, Equipment], until: datetime) -> dict[int, list[list[EquipmentPrice]]]:
    """Those that have begun, by equipment id and kind, in the order of `Prices`."""
    kinds = [EquipmentPrice.Kind.DEFAULT_RATE, EquipmentPrice.Kind.DEPOSIT]
    rows: dict[int, list[list[EquipmentPrice]]] = {pk: [[] for _ in kinds] for pk in equipment}
    begun = Q(valid_from__isnull=True) | Q(valid_from__lte=until)
    for row in EquipmentPrice.objects.filter(begun, equipment__in=rows).order_by():
        rows[row.equipment_id][kinds.index(row.kind)].append(row)
    return rows


def _amount(row: EquipmentPrice | None) -> Decimal | None:
    return None if row is None else row.amount


def require_active(
    actor: Model, item_ids: Sequence[int], *, at: datetime, coming_back: Collection[int] = ()
) -> dict[int, Equipment]:
    """The equipment behind a document's items, by id. It was in use at that moment, but for what comes back.

    ``coming_back`` are the indexes of those items. Raises UnknownReference or EquipmentInactive, naming the item:
    ``items.2.equipment``.
    """
    found: dict[int, Equipment] = Equipment.objects.visible_to(actor).in_bulk(set(item_ids))
    for index, pk in enumerate(item_ids):
        attr = f"items.{index}.equipment"
        if pk not in found:
            raise UnknownReference(pk, attr=attr)
        if index not in coming_back and not was_active(found[pk], at):
            raise EquipmentInactive(found[pk].sku, attr=attr)
    return found
