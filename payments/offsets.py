"""What a refund is set off against, before any of it is paid out. Pure arithmetic, no queries."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from foundation.money import ZERO


class Open(NamedTuple):
    """An invoice, and what is open of it."""

    invoice: int
    number: str
    amount: Decimal


class Refunded(NamedTuple):
    """So much that is refunded of a deposit."""

    lot: int
    amount: Decimal


def offsets(
    refunds: Iterable[Refunded],
    charged_by: Mapping[int, Sequence[Open]],
    *,
    most: Decimal,
    set_off: Mapping[int, Decimal] | None = None,
) -> dict[Open, Decimal]:
    """How much of which invoices the refunds settle, ``most`` in all: each what charged its lot, up to its amount.

    ``charged_by`` has the invoices that charged a lot, the first one first; ``set_off`` is what the refunds have
    settled of them already.
    """
    left, done = most, dict(set_off or {})
    against: dict[Open, Decimal] = {}
    for lot, amount in refunds:
        charges = charged_by.get(lot, ())
        for charge in charges:
            before = min(amount, done.get(charge.invoice, ZERO))
            done[charge.invoice] = done.get(charge.invoice, ZERO) - before
            amount -= before
        for charge in charges:
            part = min(amount, charge.amount - against.get(charge, ZERO), left)
            if part > 0:
                against[charge] = against.get(charge, ZERO) + part
                amount -= part
                left -= part
    return against
