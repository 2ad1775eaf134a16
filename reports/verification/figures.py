"""Whole numbers in SQL, and what a check is given."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Protocol

from django.db.models import (
    BigIntegerField,
    Case,
    F,
    Q,
    Value,
    When,
)
from django.db.models.functions import Cast, Round
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual

from foundation.infrastructure.expressions import Readable

NUMBER = BigIntegerField()


Breaks = Iterator[str]


class Watch(Protocol):
    """Whoever watches how far a check has come."""

    def windows(self, model: object, key: str = "pk", step: int = 20_000) -> Iterator[Q]:
        """Conditions that cut a model's rows into windows of primary keys; ``key`` is what holds that key."""


def whole(value: Any, scale: int) -> Any:
    """A decimal times ``scale`` as an integer, so that SQLite, which computes decimals as floats, is exact too.

    Nothing where it can't be read.
    """
    number = F(value) if isinstance(value, str) else value
    return Cast(Round(Readable(number, otherwise="NULL") * Value(scale)), NUMBER)


def is_rounded(name: str, exact: Any, unit: int) -> Q:
    """Is the integer ``name`` = ``exact`` / ``unit``, rounded half away from zero? Without a division."""
    excess = 2 * exact - 2 * unit * F(name)
    above = Q(GreaterThanOrEqual(exact, 0)) & Q(GreaterThanOrEqual(excess, -unit)) & Q(LessThan(excess, unit))
    below = Q(LessThan(exact, 0)) & Q(GreaterThan(excess, -unit)) & Q(LessThanOrEqual(excess, unit))
    return above | below


def unless(rule: Q) -> Case:
    """1 where the rule isn't met, also where something is missing."""
    return Case(When(rule, then=Value(0)), default=Value(1))


def in_dollars(value: object) -> Any:
    return Decimal(value) / 100 if isinstance(value, int) else value
