"""What is unlikely of a price."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from django.conf import settings

from equipment.errors import RateFromPast, RateUnlikely
from equipment.models import Equipment
from foundation.confirmations import Question, unprinted


def unlikely_equipment(values: Mapping[str, object], equipment: Equipment | None = None) -> Iterator[Question]:
    """All that is asked of equipment that is added, or (``equipment``) changed, with these values."""
    for name in ("default_rate", "deposit"):
        if name in values:
            before = getattr(equipment, name, None)
            yield from unlikely_rate(values[name], before, attr=name)  # type: ignore[arg-type]  # of a serializer's field
    yield from unprinted(values, equipment, "name")


def unlikely_from_date(
    value: Decimal | None, before: Decimal | None, valid_from: date, *, today: date, attr: str, of: str = ""
) -> Iterator[Question]:
    """All that is asked of a price from a date on, where the one ``before`` that date is another."""
    yield from unlikely_rate(value, before, attr=attr, of=of)
    yield from counts_from_past(valid_from, today=today, of=of)


def unlikely_rate(rate: Decimal | None, before: Decimal | None, *, attr: str, of: str = "") -> Iterator[RateUnlikely]:
    """Ask about a price of nothing, or one that is far from the one before. None: there is none.

    ``of``: what it is the price of, where its field alone doesn't say.
    """
    if rate is None or rate == before:
        return
    percent = settings.UNLIKELY["RATE_CHANGE_PERCENT"]
    if rate == 0:
        yield RateUnlikely(f"{_named(of)}A price of 0.00 bills nothing.", attr=attr, value=rate)
    elif before and abs(rate - before) * 100 > percent * before:
        detail = f"{_named(of)}{rate:f} is more than {percent:f} % off {before:f}, the price before."
        yield RateUnlikely(detail, attr=attr, value=rate)


def counts_from_past(
    valid_from: date, *, today: date, attr: str = "valid_from", of: str = ""
) -> Iterator[RateFromPast]:
    """Ask about a price that would have counted already."""
    if valid_from < today:
        detail = f"{_named(of)}It would count from {valid_from.isoformat()}; what was sold since then stays as it is."
        yield RateFromPast(detail, attr=attr, value=valid_from)


def _named(of: str) -> str:
    return f"{of}: " if of else ""
