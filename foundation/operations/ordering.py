"""The places that things take in the order of what happened."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Max, Q, QuerySet

from foundation.operations.idempotency import current_operation
from foundation.operations.position import JUST_AFTER, Position


def position_of(occurred_at: datetime, counts: QuerySet[Any]) -> Position:
    """The place of what the current operation does, given the counts that stand.

    ``counts`` are `Ordered` rows: what the same device made before this operation can't come after it.
    """
    operation = current_operation()
    if operation is None or not operation.device or operation.number is None:
        return Position(occurred_at)
    device = f"{operation.user.pk}:{operation.device}"
    earlier = counts.filter(device=device, device_number__lt=operation.number, ordered_at__gte=occurred_at)
    latest: datetime | None = earlier.aggregate(latest=Max("ordered_at"))["latest"]
    return Position(latest + JUST_AFTER if latest else occurred_at, device, operation.number)


def numbered_above(count: Any) -> Q:
    """What a count's own device numbered above it; nothing where it names none."""
    if not count.device or count.device_number is None:
        return Q(pk__in=())
    return Q(device=count.device, device_number__gt=count.device_number)


def pushed_back(count: Any, counts: Any, *moved: QuerySet[Any]) -> Iterator[tuple[QuerySet[Any], datetime]]:
    """What its own device numbered above a count that stands from now on, and whose time says before.

    In parts, each with the moment that it gets; the caller gives it before it asks for the next. ``counts`` are all of
    the count's kind, ``moved`` what moves between them, by kind.
    """
    if not count.device or count.device_number is None:
        return
    floor, number = count.ordered_at, count.device_number
    following = counts.standing().filter(device=count.device, device_number__gt=number).order_by("device_number")
    for each in [*following, None]:
        here = {"device": count.device, "device_number__gt": number, "ordered_at__lte": floor}
        if each is not None:
            here["device_number__lte"] = each.device_number
        for rows in moved:
            yield rows.filter(**here), floor + JUST_AFTER
        yield counts.filter(**here), floor + JUST_AFTER
        if each is not None:
            number, floor = each.device_number, max(each.ordered_at, floor + JUST_AFTER)
