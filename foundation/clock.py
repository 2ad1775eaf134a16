"""The clock, and Singapore's calendar. Tests move time here and nowhere else."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.utils import timezone

SINGAPORE = ZoneInfo("Asia/Singapore")


def now() -> datetime:
    """The current instant, in Singapore's offset."""
    return timezone.now().astimezone(SINGAPORE)


def start_of(day: date) -> datetime:
    """The first instant of a Singapore date."""
    return datetime.combine(day, time.min, tzinfo=SINGAPORE)


def end_of(day: date) -> datetime:
    """The last instant of a Singapore date."""
    return datetime.combine(day, time.max, tzinfo=SINGAPORE)


def in_words(moment: datetime) -> str:
    """For sentences: 26 Nov 18:05, Singapore's time."""
    return f"{moment.astimezone(SINGAPORE):%d %b %H:%M}"


def in_full(moment: datetime) -> str:
    """For sentences about times that may be years off: 2026-11-26 18:05:09, Singapore's time."""
    return f"{moment.astimezone(SINGAPORE):%Y-%m-%d %H:%M:%S}"


def business_date(moment: datetime) -> date:
    """The Singapore date on which a moment falls, whatever its offset."""
    return moment.astimezone(SINGAPORE).date()
