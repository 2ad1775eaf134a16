"""Which vehicle a user drives, and drove; at which depot they work, and worked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.models import PastDepot, User
from depots.models import Depot
from fleet.models import Vehicle
from fleet.selectors import assignment_at
from foundation.access.capabilities import Capability, Scope, holders_at
from foundation.access.scoping import rows_within
from foundation.errors import UnknownReference
from foundation.remains import tells_of


@dataclass(frozen=True, slots=True)
class VehicleUsed:
    """The vehicle of an operation, by its number, and the one that the user was assigned to then; empty: none."""

    number: str
    assigned: str

    @property
    def evidence(self) -> dict[str, object]:
        """What the audit record says where the two differ: the operation stands, and somebody may want to know."""
        return {} if self.number == self.assigned else {"assigned_vehicle": self.assigned}


def vehicle_at(user: User, moment: datetime) -> str:
    """The number of the vehicle that somebody was assigned to at a moment; empty: none."""
    if user.vehicle_since is None or moment >= user.vehicle_since:
        return user.vehicle_no
    assignment = assignment_at(user.pk, moment)
    return assignment.vehicle.number if assignment is not None and assignment.vehicle is not None else ""


def depot_at(user: User, moment: datetime) -> int | None:
    """The primary key of the depot that somebody worked at at a moment; None: at none."""
    if user.depot_since is None or moment >= user.depot_since:
        return user.depot_id
    past = PastDepot.objects.filter(user=user, until__gt=moment).order_by("until", "pk").first()
    return past.depot_id if past is not None else user.depot_id


def worked_within(reader: User, capability: Capability) -> QuerySet[User]:
    """The users on whom somebody holds a capability: all, those of their depot, now or once, or they themselves."""
    now, users = rows_within(reader, capability, owner="pk"), User.objects.get_queryset()
    if reader.scope(capability) is not Scope.DEPOT:
        return users.filter(now)
    once = PastDepot.objects.filter(depot=reader.depot_id).exclude(depot=None)
    return users.filter(now | Q(pk__in=once.values("user")))


def who_may(capability: Capability, depot_id: int | None, *, besides: User) -> list[str]:
    """The names of others who hold a capability at a depot, or everywhere: three of them, to be asked."""
    others = User.objects.get_queryset().filter(holders_at(capability, depot_id), is_active=True).exclude(pk=besides.pk)
    return [other.get_full_name() for other in others.order_by("username")[:3]]


def vehicle_used(user: User, named: str | None, occurred_at: datetime) -> VehicleUsed:
    """The vehicle that an operation names; where it names none, the one assigned when it happened.

    Raises UnknownReference for a number that no vehicle has.
    """
    assigned = vehicle_at(user, occurred_at)
    if named is None or named == assigned:
        return VehicleUsed(assigned, assigned)
    if not Vehicle.objects.visible_to(user).filter(number=named).exists():
        raise UnknownReference(named, attr="vehicle")
    return VehicleUsed(named, assigned)


@tells_of(User)
def driven(user: User) -> Iterable[str]:
    """What a user drives now."""
    return [f"drives {user.vehicle_no}"] if user.vehicle_no else []


@tells_of(Depot)
def staff(depot: Depot) -> Iterable[str]:
    """Who works at a depot now."""
    names = User.objects.get_queryset().filter(depot=depot, is_active=True).order_by("username")
    return [f"{name} works there" for name in names.values_list("username", flat=True)]


@tells_of(Vehicle)
def drivers(vehicle: Vehicle) -> Iterable[str]:
    """Who drives a vehicle now."""
    names = User.objects.get_queryset().filter(vehicle_no=vehicle.number, is_active=True).order_by("username")
    return [f"{name} drives it" for name in names.values_list("username", flat=True)]
