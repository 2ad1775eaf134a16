"""How far from now something that is reported may have happened."""

from datetime import datetime

from django.conf import settings

from core.errors import Conflict


class OccurredAtOutOfRange(Conflict):
    """occurred_at lies more than 7 days back or 5 minutes ahead."""

    code = "occurred_at_out_of_range"


def require_recent(occurred_at: datetime, *, now: datetime) -> None:
    """Raise OccurredAtOutOfRange beyond OCCURRED_AT_MAX_AGE back or OCCURRED_AT_MAX_AHEAD ahead."""
    if not now - settings.OCCURRED_AT_MAX_AGE <= occurred_at <= now + settings.OCCURRED_AT_MAX_AHEAD:
        raise OccurredAtOutOfRange(
            f"occurred_at lies more than {settings.OCCURRED_AT_MAX_AGE.days} days back or "
            f"{settings.OCCURRED_AT_MAX_AHEAD.seconds // 60} minutes ahead.",
            attr="occurred_at",
        )
