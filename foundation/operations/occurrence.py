"""How far from now something that is reported may have happened."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from foundation import clock
from foundation.errors import Conflict, Invalid


class OccurredAtOutOfRange(Conflict):
    """occurred_at lies more than 7 days back or 5 minutes ahead."""

    code = "occurred_at_out_of_range"


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody with the right to decide lets an operation happen for the user who reported it.

    Whenever it happened; with ``rates`` also at the rates that it names, with ``site_reason`` also with more at the
    customer's site than the books know, for that reason; ``without_reading`` leaves a sale's reading out. ``by`` None:
    the server itself, again.
    ``another_time`` is when it happened by them, where that isn't what its device said, ``sent``.
    """

    by: Any
    rates: bool = False
    site_reason: str = ""
    without_reading: bool = False
    another_time: datetime | None = None
    sent: datetime | None = None

    @property
    def evidence(self) -> dict[str, object]:
        """For the audit record of what happens by it."""
        if self.by is None:
            return {"retried": "automatically"}
        corrected = {"site_corrected": self.site_reason} if self.site_reason else {}
        overruled = {"occurred_at": self.another_time, "occurred_at_sent": self.sent} if self.another_time else {}
        left_out = {"reading_left_out": True} if self.without_reading else {}
        return {"approved_by": self.by.username, **corrected, **left_out, **overruled}


def require_past(occurred_at: datetime, *, now: datetime, attr: str) -> None:
    """Raise Invalid for a count of a moment to come: whatever happened until then would be counted already."""
    if occurred_at > now:
        raise Invalid("A count says what was there: its time can't lie ahead.", attr=attr)


def require_recent(occurred_at: datetime, *, now: datetime, approval: Approval | None = None) -> None:
    """Raise OccurredAtOutOfRange beyond OCCURRED_AT_MAX_AGE back or OCCURRED_AT_MAX_AHEAD ahead, unless approved."""
    first, last = now - settings.OCCURRED_AT_MAX_AGE, now + settings.OCCURRED_AT_MAX_AHEAD
    if approval is None and not first <= occurred_at <= last:
        raise OccurredAtOutOfRange(
            f"{clock.in_full(occurred_at)} is out of range: it must lie between {clock.in_full(first)} and "
            f"{clock.in_full(last)}. The server's time is {clock.in_full(now)}.",
            attr="occurred_at",
        )
