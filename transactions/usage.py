"""How a meter is usually used: from its own last readings, for whoever sells by it, with or without a network."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from django.conf import settings
from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from customers.models import Customer
from foundation.money import to_cents
from foundation.unreadable import is_unreadable
from transactions.models import MeterReplacement, Transaction

INTERVALS = 6
"""So many of the last ones say what is usual."""
LEAST_HISTORY = 3
"""Of fewer one slip would be what is usual."""
DAY = timedelta(days=1)
SHORTEST = DAY / 2
"""What is read again sooner than that doesn't say what a day uses."""
_COLUMNS = ("occurred_at", "usage", "last_meter_reading")


class Metered(NamedTuple):
    """A customer's meter, as far as its history needs it."""

    id: int
    created_at: datetime
    meter_replaced_at: datetime | None


class Reading(NamedTuple):
    """When a meter was read, and what had been used since the reading before. A first one only begins to count."""

    at: datetime
    usage: Decimal
    before: Decimal | None


@dataclass(frozen=True, slots=True)
class Habit:
    """How a meter is used. ``since`` is when its last reading was taken, or when the meter became known.

    ``read_at``: the time of the latest reading; None: nobody read it yet. ``per_day``: the usual usage; None: there are
    fewer than `LEAST_HISTORY` intervals of half a day or more, or nothing was used in them.
    """

    since: datetime
    read_at: datetime | None = None
    per_day: Decimal | None = None

    @classmethod
    def of(cls, begun: datetime, readings: Sequence[Reading]) -> "Habit":
        """From the last readings, the oldest first. ``begun``: since when the first of them counts, if it has none
        before it; of more than `INTERVALS` the first only says when the others begin.
        """
        if not readings:
            return cls(begun)
        moments = [begun, *(reading.at for reading in readings)]
        last = [*zip(readings, pairwise(moments), strict=True)][-INTERVALS:]
        per_day = [
            reading.usage / days_between(start, end)
            for reading, (start, end) in last
            if reading.before is not None and end - start >= SHORTEST and not is_unreadable(reading.usage)
        ]
        is_known = len(per_day) >= LEAST_HISTORY
        read_at = max(reading.at for reading in readings)
        return cls(readings[-1].at, read_at, (median(per_day) or None) if is_known else None)

    @property
    def most_per_day(self) -> Decimal:
        """What isn't unlikely yet, in m3 a day."""
        usual, factor = self.per_day, settings.UNLIKELY["USAGE_FACTOR"]
        return to_cents(settings.UNLIKELY["USAGE_PER_DAY"] if usual is None else factor * usual)


def days_between(start: datetime, end: datetime) -> Decimal:
    """Never less than one: what is read twice a day isn't used up in an hour."""
    return Decimal(max(end - start, DAY) / DAY)


def habit_of(customer: Customer) -> Habit:
    """Of one customer's meter."""
    meter = Metered(customer.pk, customer.created_at, customer.meter_replaced_at)
    begun, after = _begins([meter])[customer.pk]
    last = _read().filter(customer=customer, pk__gt=after).order_by("-pk")[: INTERVALS + 1]
    newest_first = [Reading(*row) for row in last.values_list(*_COLUMNS)]
    return Habit.of(begun, newest_first[::-1])


def habits_of(meters: Sequence[Metered]) -> dict[int, Habit]:
    """The same of many, by the customer's id, in two queries."""
    begins = _begins(meters)
    numbered = _read().annotate(newest=Window(RowNumber(), partition_by=F("customer_id"), order_by=F("pk").desc()))
    last = numbered.filter(customer__in=begins, newest__lte=INTERVALS + 1).order_by("pk")
    readings = defaultdict(list)
    for customer, pk, *row in last.values_list("customer_id", "pk", *_COLUMNS):
        if pk > begins[customer][1]:
            readings[customer].append(Reading(*row))
    return {pk: Habit.of(begun, readings[pk]) for pk, (begun, _) in begins.items()}


def _read() -> QuerySet[Transaction]:
    """The sales that stand and read a meter."""
    return Transaction.objects.filter(current_meter_reading__isnull=False, reverses__isnull=True, reversal__isnull=True)


def _begins(meters: Sequence[Metered]) -> dict[int, tuple[datetime, int]]:
    """Since when each meter counts, and behind which transaction."""
    begins = {meter.id: (meter.created_at, 0) for meter in meters}
    replaced = [meter.id for meter in meters if meter.meter_replaced_at is not None]
    if replaced:
        rows = MeterReplacement.objects.filter(customer__in=replaced).order_by("pk")
        for customer, at, follows in rows.values_list("customer_id", "occurred_at", "follows_id"):
            begins[customer] = (at, follows or 0)
    return begins
