"""Values that count from a moment on, written once: which one was in force when, and who could have known it.

The later date counts; of one date the one that was entered last. So a wrong one is superseded by another of its date,
and both stay. Who enters a date means its midnight in Singapore; who changes a value now means this moment.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import models

from foundation import clock
from foundation.errors import Invalid
from foundation.ledger.models import LedgerModel
from foundation.master_data import FrozenMasterDataQuerySet

EARLIEST = date(2000, 1, 1)
LONGEST_AHEAD = timedelta(days=7_305)
"""What counts in twenty years is agreed on then."""
TAKEN_OVER_WITHIN = timedelta(minutes=15)
"""So long after its date apps may still be told the value before: the clock's command comes every five minutes."""


class DatedValue(LedgerModel):
    """A value from a moment on."""

    valid_from = models.DateTimeField(null=True, help_text="Since when it counts; empty: ever since.")
    reason = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(
        null=True, default=clock.now, help_text="When it was entered; empty: before that was kept."
    )

    objects = FrozenMasterDataQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def day(self) -> date:
        """The date that it is of."""
        return date.min if self.valid_from is None else clock.business_date(self.valid_from)

    def has_begun(self, moment: datetime) -> bool:
        return self.valid_from is None or self.valid_from <= moment

    def was_entered(self, moment: datetime) -> bool:
        """What counts ever since was known ever since."""
        return self.valid_from is None or self.created_at is None or self.created_at <= moment

    @property
    def was_announced(self) -> bool:
        """Was it entered before it began?"""
        return self.valid_from is not None and self.created_at is not None and self.created_at < self.valid_from


@dataclass(frozen=True, slots=True)
class Standing[D: DatedValue]:
    """A row, and what became of it."""

    row: D
    is_superseded: bool
    is_in_force: bool


def in_force[D: DatedValue](rows: Iterable[D], moment: datetime, *, known_at: datetime | None = None) -> D | None:
    """The one that counts at a moment; with ``known_at`` as it looked then, before later ones were entered."""
    begun = (row for row in rows if row.has_begun(moment) and (known_at is None or row.was_entered(known_at)))
    return max(begun, key=_order, default=None)


def known_between[D: DatedValue](rows: Iterable[D], begin: datetime, end: datetime) -> Iterator[D | None]:
    """Each that an app could have known: one that asked at ``begin`` or later, up to ``end``."""
    rows = list(rows)
    changes = {moment for row in rows for moment in (row.valid_from, row.created_at) if moment is not None}
    for moment in (begin, *sorted(change for change in changes if begin < change <= end)):
        yield in_force(rows, moment, known_at=moment)
    first = in_force(rows, begin, known_at=begin)
    if first is not None and first.was_announced:
        yield in_force(rows, begin - TAKEN_OVER_WITHIN, known_at=begin)


def in_force_on[D: DatedValue](rows: Iterable[D], day: date) -> list[D | None]:
    """Each that counts at some time of a date, from its midnight on."""
    rows, begin = list(rows), clock.start_of(day)
    begun = (row.valid_from for row in rows if row.valid_from is not None and row.day == day)
    return [in_force(rows, moment) for moment in sorted({begin, *begun})]


def in_force_before[D: DatedValue](rows: Iterable[D], day: date) -> D | None:
    """The one that counted up to a date."""
    return in_force((row for row in rows if row.day < day), clock.start_of(day))


def require_day(day: date) -> None:
    """Raise Invalid for a date that was mistyped by decades: it would never count, and not every moment can be kept."""
    if day < EARLIEST:
        raise Invalid(f"The earliest date is {EARLIEST.isoformat()}.", attr="valid_from")
    latest = clock.business_date(clock.now()) + LONGEST_AHEAD
    if day > latest:
        raise Invalid(f"The latest date is {latest.isoformat()}.", attr="valid_from")


def require_reason(rows: Iterable[DatedValue], day: date, reason: str, *, today: date) -> None:
    """Raise Invalid without a reason for one that supersedes another, or counts from a past date."""
    if reason:
        return
    if day < today:
        raise Invalid("Please say why it counts from a past date.", attr="reason")
    if any(row.day == day for row in rows):
        raise Invalid(f"Please say why it replaces the one from {day.isoformat()}.", attr="reason")


def standing[D: DatedValue](rows: Iterable[D], moment: datetime) -> dict[int, Standing[D]]:
    """What became of each row, by its id."""
    rows = list(rows)
    now = in_force(rows, moment)
    return {row.pk: Standing(row, any(_supersedes(other, row) for other in rows), row is now) for row in rows}


def _supersedes(other: DatedValue, row: DatedValue) -> bool:
    """Of the same date, entered later, and not only for the rest of the day."""
    is_later = other.pk > row.pk and other.day == row.day
    return is_later and (row.valid_from is None or other.has_begun(row.valid_from))


def _order(row: DatedValue) -> tuple[date, int]:
    return row.day, row.pk
