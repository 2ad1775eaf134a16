"""Closing the books, and reopening them with a reason."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError

from accounts.models import User
from audit.services import record
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.access.refusing import denied
from foundation.commands import TryAgain, command
from foundation.errors import Invalid
from foundation.operations.idempotency import client_temp_id, idempotent
from periods.errors import AlreadyClosed, NotTheLastClosing
from periods.models import Period
from periods.selectors import DAY, held_between, last_recorded_day


@dataclass(frozen=True, slots=True)
class NewPeriod:
    """Up to which day the books are to be closed."""

    ends_on: date


@command
@idempotent
def close_period(*, actor: User, data: NewPeriod) -> Period:
    """Close the books up to a day that is over, from where the last closing ended. No ledger day is in it any more.

    Idempotent by (actor, client_temp_id). Of two at once one waits for the other. Raises Denied, Invalid for a day that
    isn't over, AlreadyClosed.
    """
    if not actor.can(Capability.CLOSE_BOOKS):
        raise denied(actor, Capability.CLOSE_BOOKS)
    now = clock.now()
    if data.ends_on > (over := last_recorded_day(now)):
        raise Invalid(f"The books can be closed up to {over}: a later day isn't over yet.", attr="ends_on")
    last = Period.objects.first()
    until = last.closed_until if last else None
    if until is not None and data.ends_on <= until:
        raise AlreadyClosed(f"The books are closed up to {until}.", attr="ends_on")
    starts_on = until + DAY if until else None
    held = held_between(starts_on, data.ends_on)
    period = _add(
        actor,
        last,
        now,
        starts_on=starts_on,
        ends_on=data.ends_on,
        closed_until=data.ends_on,
        documents=held.documents,
        billed=held.billed,
        received=held.received,
    )
    record(
        actor=actor,
        action="periods.period.closed",
        target=period,
        after={
            "starts_on": starts_on,
            "ends_on": data.ends_on,
            "documents": held.documents,
            "billed": held.billed,
            "received": held.received,
        },
    )
    return period


@command
@idempotent
def reopen_period(*, actor: User, period_id: int, reason: str) -> Period:
    """Take the last closing back: the books are closed up to where it began. A GST return that was filed stays filed.

    Answers the row that reopens it. Raises Denied, NotTheLastClosing, Invalid without a reason.
    """
    if not actor.can(Capability.CLOSE_BOOKS):
        raise denied(actor, Capability.CLOSE_BOOKS)
    if not reason.strip():
        raise Invalid("A reopening needs its reason.", attr="reason")
    period = Period.objects.get(pk=period_id)
    last = Period.objects.first()
    assert last is not None
    if period.reopens_id is not None or hasattr(period, "reopening") or period.ends_on != last.closed_until:
        raise NotTheLastClosing(
            f"The books are closed up to {last.closed_until}: the last closing is reopened first."
            if last.closed_until
            else "The books are open."
        )
    now = clock.now()
    reopening = _add(
        actor,
        last,
        now,
        starts_on=period.starts_on,
        ends_on=period.ends_on,
        closed_until=period.starts_on - DAY if period.starts_on else None,
        reopens=period,
        reason=reason,
        documents=period.documents,
        billed=period.billed,
        received=period.received,
    )
    record(
        actor=actor,
        action="periods.period.reopened",
        target=period,
        after={"closed_until": reopening.closed_until},
        reason=reason,
    )
    return reopening


def _add(actor: User, last: Period | None, now: datetime, **values: object) -> Period:
    """The next row. Where another one took its place meanwhile, the command begins again."""
    try:
        period: Period = Period.objects.create(
            step=last.step + 1 if last else 1,
            user=actor,
            client_temp_id=client_temp_id(),
            created_at=now,
            date=clock.business_date(now),
            **values,
        )
    except IntegrityError as error:
        raise TryAgain from error
    return period
