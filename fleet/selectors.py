"""Which vehicle somebody drove, and whose it was."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db.models import F, Q

from depots.models import Depot
from fleet.models import Assignment, PastVehicleDepot, Vehicle
from foundation.remains import tells_of


def assignment_at(user_id: int, moment: datetime) -> Assignment | None:
    """What counted for a user at a moment: the last to begin by then; of two at once the one recorded last."""
    return _last(Q(from_at__isnull=True) | Q(from_at__lte=moment), user_id)


def latest_assignment(user_id: int) -> Assignment | None:
    """What counts for a user now, for none begins later."""
    return _last(Q(), user_id)


def assignment_after(user_id: int, moment: datetime) -> Assignment | None:
    """The next one to begin after a moment."""
    later = Assignment.objects.standing().filter(user=user_id, from_at__gt=moment).select_related("vehicle")
    found: Assignment | None = later.order_by("from_at", "pk").first()
    return found


def _last(begun: Q, user_id: int) -> Assignment | None:
    standing = Assignment.objects.standing().filter(begun, user=user_id).select_related("vehicle")
    found: Assignment | None = standing.order_by(F("from_at").desc(nulls_last=True), "-pk").first()
    return found


def of_depot(depot: int, number: str, moment: str) -> Q:
    """What was on a depot's vehicles while they belonged to it.

    ``number`` and ``moment`` are the lookups of a vehicle's number and of when it was.
    """
    periods = _periods(depot)
    own = Vehicle.objects.filter(depot=depot).exclude(number__in=periods)
    condition = Q(**{f"{number}__in": own.values("number")})
    for moved, spans in periods.items():
        for since, until in spans:
            then = {f"{moment}__gte": since, f"{moment}__lt": until}
            condition |= Q(**{number: moved}, **{name: at for name, at in then.items() if at is not None})
    return condition


def numbers_of(depot: int, at: datetime) -> set[str]:
    """The vehicles that belonged to a depot at a moment."""
    periods = _periods(depot)
    own = set(Vehicle.objects.filter(depot=depot).exclude(number__in=periods).values_list("number", flat=True))
    return own | {
        number
        for number, spans in periods.items()
        if any((since is None or since <= at) and (until is None or at < until) for since, until in spans)
    }


def _periods(depot: int) -> dict[str, list[tuple[datetime | None, datetime | None]]]:
    """When each vehicle that has changed depots belonged to this one: from, and until before; None: open."""
    concerned = Q(vehicle__depot=depot) | Q(vehicle__past_depots__depot=depot)
    rows = PastVehicleDepot.objects.filter(concerned).order_by("vehicle", "until", "pk")
    since: dict[Vehicle, datetime] = {}
    periods: dict[str, list[tuple[datetime | None, datetime | None]]] = defaultdict(list)
    for row in rows.select_related("vehicle").distinct():
        spans = periods[row.vehicle.number]
        if row.depot_id == depot:
            spans.append((since.get(row.vehicle), row.until))
        since[row.vehicle] = row.until
    for vehicle, moment in since.items():
        if vehicle.depot_id == depot:
            periods[vehicle.number].append((moment, None))
    return periods


@tells_of(Depot)
def fleet_of(depot: Depot) -> Iterable[str]:
    """The vehicles of a depot that are in use."""
    numbers = Vehicle.objects.filter(depot=depot, is_active=True).order_by("number")
    return [f"{number} belongs to it" for number in numbers.values_list("number", flat=True)]
