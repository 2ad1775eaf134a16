"""What comes back of a deposit: refunded is what was charged. Pure arithmetic, no queries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from foundation.money import ZERO, to_cents


class Lot(NamedTuple):
    """What is left of a deposit."""

    pk: int
    pieces: int
    amount: Decimal

    @property
    def of_one(self) -> Decimal:
        """What its next piece refunds: the last one takes the rest."""
        return to_cents(self.amount / self.pieces)


class Refund(NamedTuple):
    """So many pieces at so much each. ``lot`` None: they were lent without a deposit."""

    lot: Lot | None
    pieces: int
    of_one: Decimal

    @property
    def amount(self) -> Decimal:
        return self.pieces * self.of_one


@dataclass(frozen=True, slots=True)
class Held:
    """What a customer has of one equipment: pieces at the site, and lots, the oldest first."""

    at_site: int = 0
    lots: Sequence[Lot] = ()

    @property
    def on_loan(self) -> int:
        """Without a deposit. Never negative: a deposit may be charged before its cylinder is."""
        return max(0, self.at_site - sum(lot.pieces for lot in self.lots))

    def without(self, pieces: int, *, loan_first: bool = True) -> tuple[list[Refund], "Held"]:
        """What so many pieces that leave the site refund, and what is held then.

        On loan first, at nothing, then from the lots, each at its own amount; or the lots first. What is beyond both
        refunds nothing.
        """
        lent = min(pieces, self.on_loan) if loan_first else 0
        refunds = [Refund(None, lent, ZERO)] if lent else []
        left, lots = pieces - lent, []
        for lot in self.lots:
            taken = min(left, lot.pieces)
            refunds += _refunds(lot, taken)
            left -= taken
            paid = sum((each.amount for each in refunds if each.lot == lot), ZERO)
            if taken < lot.pieces:
                lots.append(lot._replace(pieces=lot.pieces - taken, amount=lot.amount - paid))
        if left:
            refunds.append(Refund(None, left, ZERO))
        return refunds, replace(self, at_site=self.at_site - pieces, lots=lots)


def _refunds(lot: Lot, pieces: int) -> Iterator[Refund]:
    """Piece by piece, each at what is left of the lot by its pieces then; those at the same amount together."""
    by_amount: dict[Decimal, int] = {}
    rest = lot
    for _ in range(pieces):
        one = rest.of_one
        by_amount[one] = by_amount.get(one, 0) + 1
        rest = rest._replace(pieces=rest.pieces - 1, amount=rest.amount - one)
    for amount, count in by_amount.items():
        yield Refund(lot, count, amount)
