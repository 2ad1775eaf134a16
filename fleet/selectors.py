"""Which vehicle somebody drove."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F, Q

from depots.models import Depot
from fleet.models import Assignment, Vehicle
from foundation.remains import tells_of


def assignment_at(user_id: int, moment: datetime) -> Assignment | None:
    """What counted for a user at a moment: the last to begin by then; of two at once the one recorded last."""
    return _last(Q(from_at__isnull=True) | Q(from_at__lte=moment), user_id)


def latest_assignment(user_id: int) -> Assignment | None:
    """What counts for a user now, for none begins later."""
    return _last(Q(), user_id)


def _last(begun: Q, user_id: int) -> Assignment | None:
    standing = Assignment.objects.standing().filter(begun, user=user_id).select_related("vehicle")
    found: Assignment | None = standing.order_by(F("from_at").desc(nulls_last=True), "-pk").first()
    return found


@tells_of(Depot)
def fleet_of(depot: Depot) -> Iterable[str]:
    """The vehicles of a depot that are in use."""
    numbers = Vehicle.objects.filter(depot=depot, is_active=True).order_by("number")
    return [f"{number} belongs to it" for number in numbers.values_list("number", flat=True)]
