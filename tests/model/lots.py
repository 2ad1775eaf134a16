"""Deposits: what was paid for pieces that are lent, and what comes back of it."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from tests.model.places import Places
from tests.model.records import ZERO, Customer, Document, Item, Line, Lot, LotChange, to_the_cent

Refund = tuple[Line, Lot | None]
"""One piece that came back, and the deposit that was paid for it."""


class Lots(Places):
    def __init__(self) -> None:
        super().__init__()
        self.lots: list[Lot] = []
        self.lot_changes: list[LotChange] = []

    def left_of(self, lot: Lot, by: date | None = None) -> tuple[int, Decimal]:
        """Pieces and money of a deposit. ``by`` a day: at its end."""
        pieces, amount = 0, ZERO
        for change in self.lot_changes:
            if change.lot is lot and (by is None or change.document.day <= by):
                pieces += change.pieces
                amount += change.amount
        return pieces, amount

    def lots_of(self, customer: Customer, item: Item) -> list[Lot]:
        """The oldest first. Sorting keeps the order of record among those of one moment."""
        lots = [lot for lot in self.lots if lot.customer is customer and lot.item is item]
        return sorted(lots, key=lambda lot: lot.since)

    def on_loan(self, customer: Customer, item: Item) -> int:
        """What stands at the site without a deposit."""
        against_deposits = sum(self.left_of(lot)[0] for lot in self.lots_of(customer, item))
        return max(0, self.pieces_at(customer.place, item, "FULL") - against_deposits)

    def _refunds(self, customer: Customer, lines: Sequence[Line]) -> list[Refund]:
        """Piece by piece: first what was lent without a deposit, at nothing; then the oldest deposits, each at its own.

        Everything was moved already, and no deposit charged yet. A deposit of the same visit is for what came with it.
        """
        refunds: list[Refund] = []
        for item in dict.fromkeys(line.item for line in lines if line.type == "RETURN"):
            of_it = [line for line in lines if line.item is item]
            brought = [line.comes_back for line in of_it if line.type == "RETURN" for _ in range(line.quantity)]
            charged_now = sum(line.quantity for line in of_it if line.type == "DEPOSIT")
            lots = [(lot, *self.left_of(lot)) for lot in self.lots_of(customer, item)]
            there = self.pieces_at(customer.place, item, "FULL") + len(brought) - charged_now
            paid_for: list[tuple[Lot | None, Decimal]] = []
            for lot, pieces, amount in lots:
                left = amount
                for rest in range(pieces, 0, -1):
                    share = to_the_cent(left / rest)
                    paid_for.append((lot, share))
                    left -= share
            lent: list[tuple[Lot | None, Decimal]] = [(None, ZERO)] * max(0, there - len(paid_for))
            beyond: list[tuple[Lot | None, Decimal]] = [(None, ZERO)] * len(brought)
            for comes_back, (whose, share) in zip(brought, lent + paid_for + beyond, strict=False):
                refunds.append((Line("RETURN", item, 1, share, comes_back), whose))
        return refunds

    def _lot_moves(
        self, sale: Document, note: Document, charges: Sequence[Line], refunds: Sequence[Refund], since: datetime
    ) -> None:
        for line, of in refunds:
            if of is not None:
                self.lot_changes.append(LotChange(of, -1, -line.rate, note))
        for line in charges:
            if line.type == "DEPOSIT":
                lot = Lot(sale.customer, line.item, since)
                self.lots.append(lot)
                self.lot_changes.append(LotChange(lot, line.quantity, line.amount, sale))

    def _changes_by(self, document: Document) -> list[LotChange]:
        return [change for change in self.lot_changes if change.document is document]
