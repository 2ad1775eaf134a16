"""Money: exact decimals, rounded in one place."""

from decimal import ROUND_HALF_UP, Decimal

from django.db.models import DecimalField, Q, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Round

from foundation.infrastructure.expressions import added_up
from foundation.unreadable import WORD, is_unreadable

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def to_cents(amount: Decimal) -> Decimal:
    """Round to the cent, half away from zero, as IRAS accepts and people expect: 0.125 becomes 0.13.

    Nothing has no sign: -0.00 becomes 0.00.
    """
    return amount.quantize(CENT, rounding=ROUND_HALF_UP) + ZERO


def to_multiple(amount: Decimal, of: Decimal) -> Decimal:
    """Round to whole pieces ``of`` so much, half away from zero."""
    return (amount / of).quantize(Decimal(1), rounding=ROUND_HALF_UP) * of


def shown(amount: Decimal) -> str:
    """For people: 1234.5 is 1,234.50."""
    return WORD if is_unreadable(amount) else f"{amount:,.2f}"


def sum_of(field: str | Combinable, where: Q | None = None) -> Coalesce:
    """SQL sum of a money column, exact on every engine, 0.00 for no rows, `UNREADABLE` where one of its rows is.

    SQLite adds decimals as binary floats, so the sum is rounded back to the cent.
    """
    return Coalesce(rounded(added_up(field, where)), Value(ZERO), output_field=_MONEY)


def rounded(expression: Combinable | Sum) -> Round:
    """SQL rounding to the cent, for sums and for comparisons in constraints (see `sum_of`)."""
    return Round(expression, 2, output_field=_MONEY)


_MONEY = DecimalField(max_digits=18, decimal_places=2)
