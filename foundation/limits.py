"""How large what is written may be, so that everything that was written can be read, added up and printed.

One table (`settings.LIMITS`) for input fields and commands. Columns are wider than all of it, sums included; what they
hold, the database checks (`foundation.columns`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from foundation.errors import Invalid


class AmountOutOfRange(Invalid):
    """A quantity or an amount is beyond what the books hold; ``attr`` names the input that leads there."""

    code = "amount_out_of_range"


@dataclass(frozen=True, slots=True)
class Limit:
    """The largest size of a number, whatever its sign."""

    name: str
    what: str

    @property
    def most(self) -> Decimal:
        allowed: Decimal = settings.LIMITS[self.name]
        return allowed

    def require(self, value: int | Decimal, *, attr: str | None) -> None:
        """Raise AmountOutOfRange for a number beyond the limit."""
        if not -self.most <= value <= self.most:
            raise AmountOutOfRange(f"{self.what} can be {self.most:,} at most; this would be {value:,}.", attr=attr)


def require_each(values: Mapping[str, object], limits: Mapping[str, Limit]) -> None:
    """Raise AmountOutOfRange for the first value beyond its limit; what is no number is within."""
    for name, limit in limits.items():
        if isinstance(value := values.get(name), int | Decimal):
            limit.require(value, attr=name)


QUANTITY = Limit("QUANTITY", "The quantity of a line")
RATE = Limit("RATE", "A price or a rate")
READING = Limit("READING", "A meter's reading")
USAGE = Limit("USAGE", "The usage of one reading")
AMOUNT = Limit("AMOUNT", "The amount of a line, a document or a payment")
BALANCE = Limit("BALANCE", "What an account or a cash bag adds up to")
PIECES = Limit("PIECES", "What stands in one place")
TERM_DAYS = Limit("TERM_DAYS", "The time that a customer has to pay, in days,")
LINES = 200
"""Of one document."""
