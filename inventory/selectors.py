"""What a day's movements did to a place, and what is to be counted there."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from accounts.models import User
from customers.models import Customer
from depots.models import Depot
from equipment.models import Equipment
from fleet.models import Vehicle
from foundation import clock
from foundation.entities import entity_name
from foundation.infrastructure.expressions import added_up
from foundation.remains import UnderWay, tells_of
from inventory.models import Condition, Count, Inventory, Location, LocationKind, StockMovement

Kind = StockMovement.Kind
Stock = tuple[int, str]
"""Equipment and condition."""
_WHERE = {
    LocationKind.DEPOT: "in depots",
    LocationKind.VEHICLE: "on vehicles",
    LocationKind.CUSTOMER: "at customers' sites",
    LocationKind.FIELD: "with drivers who have no vehicle",
}


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
            .annotate(pieces=added_up("quantity"))
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
            .annotate(pieces=added_up("quantity"))
        )
        for equipment, condition, pieces in moved:
            changes[equipment, condition] += sign * pieces
    return changes


@tells_of(Vehicle)
def aboard(vehicle: Vehicle) -> Iterable[str]:
    """What is on a vehicle now."""
    there = Inventory.objects.filter(location__kind=LocationKind.VEHICLE, location__vehicle_no=vehicle.number)
    rows = there.exclude(quantity=0).select_related("equipment").order_by("equipment__sku", "condition")
    return [f"{row.quantity} {row.condition} {row.equipment.sku} on it" for row in rows]


@tells_of(User)
def counted_by(user: User) -> Iterable[str]:
    """The counts of a user that nobody has decided about."""
    rows = Count.objects.filter(user=user, status=Count.Status.COUNTED).order_by("pk")
    return [f"{row} is still to be signed off" for row in rows]


@tells_of(Count)
def counted_before(count: Count) -> Iterable[UnderWay]:
    """The earlier counts of a vehicle that nobody has decided about: signed later, they take from this one.

    Another depot may have to: that of the vehicle then.
    """
    undecided = Count.objects.filter(kind=Count.Kind.VEHICLE, status=Count.Status.COUNTED)
    for row in undecided.filter(count.earlier_ones, location=count.location_id).order_by("ordered_at", "pk"):
        when = clock.in_words(row.occurred_at)
        yield UnderWay(
            f"{row} of {when} is neither signed off nor rejected",
            user=row.user_id,
            entity=entity_name(row),
            entity_id=row.pk,
            occurred_at=row.occurred_at,
        )


@tells_of(Depot)
def stored(depot: Depot) -> Iterable[str]:
    """What is in a depot now."""
    there = Inventory.objects.filter(location__depot=depot).exclude(quantity=0)
    rows = there.select_related("equipment").order_by("equipment__sku", "condition")
    return [f"{row.quantity} {row.condition} {row.equipment.sku} in it" for row in rows]


@tells_of(Customer)
def at_site(customer: Customer) -> Iterable[str]:
    """What is at a customer's site now."""
    there = Inventory.objects.filter(location__customer=customer).exclude(quantity=0)
    rows = there.select_related("equipment").order_by("equipment__sku")
    return [f"{row.quantity} {row.equipment.sku} at the site" for row in rows]


@tells_of(Equipment)
def everywhere(equipment: Equipment) -> Iterable[str]:
    """Where pieces of an equipment are now, but for the rest of the world."""
    anywhere = Inventory.objects.filter(equipment=equipment).exclude(location__kind=LocationKind.OUTSIDE)
    pieces = anywhere.order_by().values_list("location__kind", "condition").annotate(sum=added_up("quantity"))
    return [f"{quantity} {condition} {_WHERE[kind]}" for kind, condition, quantity in sorted(pieces) if quantity]


@dataclass(frozen=True, slots=True)
class CountSheetLine:
    """A line to be filled in."""

    equipment: int
    sku: str
    equipment_name: str
    condition: str


def count_sheet(depot: Depot) -> list[CountSheetLine]:
    """What is to be counted at a depot: equipment in use, and whatever else it holds, in each condition."""
    held = Inventory.objects.filter(location__depot=depot).exclude(quantity=0).values("equipment")
    rows = Equipment.objects.filter(Q(is_active=True) | Q(pk__in=held)).order_by("sku")
    return [CountSheetLine(row.pk, row.sku, row.name, condition) for row in rows for condition in Condition.values]
