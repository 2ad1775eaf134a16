"""Reads of equipment that commands share."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Model

from equipment.errors import EquipmentInactive
from equipment.models import Equipment, PastPrice
from foundation.errors import UnknownReference
from foundation.master_data import was_active


@dataclass(frozen=True, slots=True)
class Prices:
    """What one piece costs where no contract says otherwise. None: no such price is set."""

    default_rate: Decimal | None
    deposit: Decimal | None


def prices_at(equipment: Mapping[int, Equipment], moment: datetime) -> dict[int, Prices]:
    """The prices that were in force at a moment, by equipment id."""
    prices = {pk: Prices(each.default_rate, each.deposit) for pk, each in equipment.items()}
    changed = [pk for pk, each in equipment.items() if each.priced_at is not None and moment < each.priced_at]
    if changed:
        # Latest first, so that of each equipment the one that ended soonest after the moment stays.
        for past in PastPrice.objects.filter(equipment__in=changed, until__gt=moment).order_by("-until"):
            prices[past.equipment_id] = Prices(past.default_rate, past.deposit)
    return prices


def prices_of() -> Callable[[int, datetime], Prices]:
    """`prices_at` of all equipment and many moments: all prices are read at once."""
    ended: dict[int, list[tuple[datetime, Prices]]] = defaultdict(list)
    past = PastPrice.objects.order_by("until").values_list("equipment", "until", "default_rate", "deposit")
    for pk, until, default_rate, deposit in past:
        ended[pk].append((until, Prices(default_rate, deposit)))
    rows = Equipment.objects.get_queryset().values_list("pk", "default_rate", "deposit", "priced_at")
    now = {pk: (Prices(default_rate, deposit), since) for pk, default_rate, deposit, since in rows}

    def at(pk: int, moment: datetime) -> Prices:
        prices, since = now[pk]
        if since is None or moment >= since:
            return prices
        later = ended.get(pk, [])
        index = bisect_right(later, moment, key=lambda each: each[0])
        return later[index][1] if index < len(later) else prices

    return at


def prices_between(equipment: Mapping[int, Equipment], begin: datetime, end: datetime) -> dict[int, list[Prices]]:
    """All prices that were in force at some time from ``begin`` to ``end``, by equipment id."""
    prices = {pk: [each] for pk, each in prices_at(equipment, end).items()}
    changed = [pk for pk, each in equipment.items() if each.priced_at is not None and begin < each.priced_at]
    if changed:
        for past in PastPrice.objects.filter(equipment__in=changed, until__gt=begin, until__lte=end):
            prices[past.equipment_id].append(Prices(past.default_rate, past.deposit))
    return prices


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
