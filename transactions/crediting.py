"""What a credit note in part comes to: pure arithmetic over what is left of an invoice. No queries, no clock.

The GST of all that was credited so far is rounded, not that of each credit note, so that the last one takes the rest
and no cent stays. It is the invoice's own rate, whatever is in force today.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from foundation.errors import Invalid
from foundation.money import CENT, ZERO, to_cents
from transactions.errors import ExceedsInvoice
from transactions.models import TransactionItem


@dataclass(frozen=True, slots=True)
class CreditLine:
    """A line to be credited, as asked for: so many pieces, or so much money.

    ``line`` counts from 1 as the invoice prints them, the meter's usage is the last. ``return_stock``: the pieces come
    back onto the sale's vehicle.
    """

    line: int
    quantity: int | None = None
    amount: Decimal | None = None
    amount_includes_gst: bool = False
    return_stock: bool = True


class Taxed(NamedTuple):
    """So much before GST, and its GST."""

    net: Decimal = ZERO
    gst: Decimal = ZERO

    def plus(self, other: "Taxed") -> "Taxed":
        return Taxed(self.net + other.net, self.gst + other.gst)

    def less(self, other: "Taxed") -> "Taxed":
        return Taxed(self.net - other.net, self.gst - other.gst)

    @property
    def gross(self) -> Decimal:
        return self.net + self.gst


@dataclass(frozen=True, slots=True)
class LineLeft:
    """What no document has taken back of a line. ``item`` None: of the meter's usage."""

    item: TransactionItem | None
    quantity: int
    amount: Decimal
    is_taxable: bool


@dataclass(frozen=True, slots=True)
class InvoiceLeft:
    """What no document has taken back of an invoice: of its lines, and of the whole with GST.

    ``billed`` and ``credited`` are of the part that bears GST.
    """

    number: str
    lines: Sequence[LineLeft]
    total: Decimal
    gst_rate: Decimal
    billed: Taxed
    credited: Taxed


@dataclass(frozen=True, slots=True)
class CreditedLine:
    """So many pieces and so much money of a line, as sizes. No pieces: only the amount is corrected."""

    asked: CreditLine
    line: LineLeft
    quantity: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Credit:
    """What is credited, as sizes. ``taxed`` is the part that bears GST; ``left`` of the whole afterwards."""

    lines: Sequence[CreditedLine]
    subtotal: Decimal
    taxed: Taxed
    left: Decimal

    @property
    def total(self) -> Decimal:
        return self.subtotal + self.taxed.gst


def plan_credit(invoice: InvoiceLeft, asked: Sequence[CreditLine]) -> Credit:
    """What these lines credit. Raises Invalid, ExceedsInvoice."""
    if len({line.line for line in asked}) != len(asked):
        raise Invalid("A line is named twice.", attr="lines")
    credited, taxed, subtotal = invoice.credited, Taxed(), ZERO
    lines = []
    for index, line in enumerate(asked):
        if not 1 <= line.line <= len(invoice.lines):
            raise Invalid(f"{invoice.number} has lines 1 to {len(invoice.lines)}.", attr=f"lines.{index}.line")
        left = invoice.lines[line.line - 1]
        quantity, part = _part_of(invoice, left, line, credited, attr=f"lines.{index}")
        lines.append(CreditedLine(line, left, quantity, part.net))
        subtotal += part.net
        if left.is_taxable:
            credited, taxed = credited.plus(part), taxed.plus(part)
    rest = invoice.total - subtotal - taxed.gst
    if rest < 0:
        raise ExceedsInvoice(f"Only {invoice.total} with GST is left of {invoice.number}.", attr="lines")
    return Credit(lines, subtotal, taxed, rest)


def _part_of(
    invoice: InvoiceLeft, left: LineLeft, asked: CreditLine, credited: Taxed, *, attr: str
) -> tuple[int, Taxed]:
    """So many pieces of a line, and what they come to."""
    name = f"line {asked.line} of {invoice.number}"
    if left.amount <= 0:
        raise ExceedsInvoice(f"There is nothing to credit of {name}.", attr=f"{attr}.line")
    if asked.quantity is not None:
        if asked.quantity > left.quantity:
            raise ExceedsInvoice(f"Only {left.quantity} pieces are left of {name}.", attr=f"{attr}.quantity")
        # What was corrected of the price is spread over the pieces; the last ones take the rest.
        net = to_cents(left.amount * asked.quantity / left.quantity)
        return asked.quantity, _with_gst(invoice, credited, net) if left.is_taxable else Taxed(net)
    assert asked.amount is not None
    if asked.amount_includes_gst and left.is_taxable:
        part = _of_gross(invoice, credited, asked.amount, left.amount)
    else:
        part = _with_gst(invoice, credited, asked.amount) if left.is_taxable else Taxed(asked.amount)
    if part.net > left.amount:
        raise ExceedsInvoice(f"Only {left.amount} before GST is left of {name}.", attr=f"{attr}.amount")
    return 0, part


def _with_gst(invoice: InvoiceLeft, credited: Taxed, net: Decimal) -> Taxed:
    gst = to_cents((credited.net + net) * invoice.gst_rate / 100) - credited.gst
    # Where a sum with GST was credited before, a cent more of it may have been GST.
    return Taxed(net, max(gst, ZERO))


def _of_gross(invoice: InvoiceLeft, credited: Taxed, gross: Decimal, most: Decimal) -> Taxed:
    """The part whose sum is given. Rounding may take it a cent beyond a line that is credited whole."""
    left = invoice.billed.less(credited)
    gst = to_cents((credited.gross + gross) * invoice.gst_rate / (100 + invoice.gst_rate)) - credited.gst
    net = gross - min(max(gst, ZERO), left.gst)
    if net - most == CENT and gross - most <= left.gst:
        net = most
    # With the last of the amount goes the last of its GST.
    return Taxed(gross - left.gst, left.gst) if net == left.net else Taxed(net, gross - net)
