"""What changes hands at the door, and how cash is rounded. Pure arithmetic, no queries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings

from foundation.money import ZERO, to_multiple
from payments.models import Payment

CASH = Payment.Method.CASH


@dataclass(frozen=True, slots=True)
class Tender:
    """So much by one method: what stays with the seller, or negative: what is paid out.

    ``given`` is what the customer handed over; the change went back.
    """

    method: str
    amount: Decimal
    given: Decimal | None = None
    reference: str = ""


class Portion(NamedTuple):
    """So much of a tender settles a document, and so much of it is rounded away (see `rounding_of`)."""

    tender: Tender
    amount: Decimal
    rounding: Decimal = ZERO


def in_coins(balance: Decimal) -> Decimal:
    """What a balance comes to in coins: `CASH_ROUNDING` is the smallest one, rounded to half away from zero.

    What would come to nothing is left as it is. Source: the Monetary Authority of Singapore issues no 1-cent coins
    since 2002; who is paid in cash may round to 5 cents.
    """
    coin: Decimal = settings.CASH_ROUNDING
    if not coin:
        return balance
    return to_multiple(balance, coin) or balance


def rounding_of(cash: Decimal, balance: Decimal) -> Decimal:
    """How much more than a balance the cash is that closes it, rounded: negative where the company loses.

    Nothing where it isn't closed by that cash.
    """
    return cash - balance if cash and cash == in_coins(balance) else ZERO


def total_of(tender: Iterable[Tender], *, method: str | None = None) -> Decimal:
    return sum((each.amount for each in tender if method in (None, each.method)), ZERO)


def portions(tender: Sequence[Tender], owed: Decimal, rounding: Decimal) -> list[Portion]:
    """How much of what is ``owed`` each settles, cash last; the ``rounding`` is the cash's."""
    found = []
    for each in sorted(tender, key=lambda each: each.method == CASH):
        of_it = rounding if each.method == CASH else ZERO
        most = owed + of_it
        amount = min(each.amount, most, key=abs) if each.amount * most > 0 else ZERO
        found.append(Portion(each, amount, of_it))
        owed -= amount - of_it
    return found
