"""What a day's movements did to a place."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from django.db.models import Sum

from inventory.models import Location, StockMovement

Kind = StockMovement.Kind
Stock = tuple[int, str]
"""Equipment and condition."""


@dataclass(slots=True)
class Flow:
    """How many pieces came to a vehicle and left it, by why."""

    loaded: int = 0
    unloaded: int = 0
    delivered: int = 0
    collected: int = 0
    other: int = 0
    """Corrections, reversals, variances: signed."""

    @property
    def net(self) -> int:
        return self.loaded - self.unloaded - self.delivered + self.collected + self.other


_FLOWS = {
    Kind.DISTRIBUTION_OUT: "loaded",
    Kind.DISTRIBUTION_IN: "unloaded",
    Kind.SALE: "delivered",
    Kind.SWAP_OUT: "delivered",
    Kind.SWAP_IN: "collected",
    Kind.RETURN: "collected",
}


def flows_of_day(vehicle: Location, day: date) -> dict[Stock, Flow]:
    """What the movements that were recorded on a Singapore date brought to a vehicle and took from it."""
    flows: dict[Stock, Flow] = defaultdict(Flow)
    for end, sign in (("to", 1), ("from", -1)):
        moved = (
            StockMovement.objects.filter(**{"date": day, f"{end}_location": vehicle})
            .order_by()
            .values_list("equipment_id", f"{end}_condition", "kind")
            .annotate(pieces=Sum("quantity"))
        )
        for equipment, condition, kind, pieces in moved:
            flow, name = flows[equipment, condition], _FLOWS.get(Kind(kind), "other")
            signed = sign * pieces if name == "other" else pieces
            setattr(flow, name, getattr(flow, name) + signed)
    return flows


def moved_after(vehicle: Location, day: date) -> dict[Stock, int]:
    """By how much a place's balances have changed since the end of a Singapore date."""
    changes: dict[Stock, int] = defaultdict(int)
    for end, sign in (("to", 1), ("from", -1)):
        moved = (
            StockMovement.objects.filter(**{"date__gt": day, f"{end}_location": vehicle})
            .order_by()
            .values_list("equipment_id", f"{end}_condition")
            .annotate(pieces=Sum("quantity"))
        )
        for equipment, condition, pieces in moved:
            changes[equipment, condition] += sign * pieces
    return changes
