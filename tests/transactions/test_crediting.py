"""What is credited in part: however it is cut up, never more than was billed, and no cent stays."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import DomainError
from foundation.money import ZERO, to_cents
from transactions.crediting import Credit, CreditLine, InvoiceLeft, LineLeft, Taxed, plan_credit
from transactions.errors import ExceedsInvoice

RATE = Decimal(9)
CENT = Decimal("0.01")
amounts = st.integers(1, 30_000).map(lambda cents: Decimal(cents) / 100)
billed_lines = st.lists(st.tuples(st.integers(0, 9), amounts, st.booleans()), min_size=1, max_size=4)
asked_lines = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 9) | amounts, st.booleans()), min_size=1, max_size=3)


def billed(lines: list[tuple[int, Decimal, bool]], rate: Decimal = RATE) -> InvoiceLeft:
    """An invoice of lines: pieces (none: usage), amount, taxed."""
    taxable = sum((amount for _, amount, is_taxed in lines if is_taxed), ZERO)
    tax = Taxed(taxable, to_cents(taxable * rate / 100))
    return InvoiceLeft(
        number="INV-1",
        lines=[LineLeft(None, pieces, amount, is_taxed) for pieces, amount, is_taxed in lines],
        total=sum((amount for _, amount, _ in lines), ZERO) + tax.gst,
        gst_rate=rate,
        billed=tax,
        credited=Taxed(),
    )


def after(invoice: InvoiceLeft, credit: Credit) -> InvoiceLeft:
    """What is left of it then."""
    lines = list(invoice.lines)
    for each in credit.lines:
        at = each.asked.line - 1
        left = lines[at]
        lines[at] = LineLeft(None, left.quantity - each.quantity, left.amount - each.amount, left.is_taxable)
    return InvoiceLeft(
        number=invoice.number,
        lines=lines,
        total=invoice.total - credit.total,
        gst_rate=invoice.gst_rate,
        billed=invoice.billed,
        credited=invoice.credited.plus(credit.taxed),
    )


def asked(lines: list[tuple[int, Any, bool]]) -> list[CreditLine]:
    by_line = {
        line: CreditLine(line, quantity=much) if isinstance(much, int) else CreditLine(line, None, much, with_gst)
        for line, much, with_gst in lines
    }
    return list(by_line.values())


@given(billed_lines, st.lists(asked_lines, max_size=12), st.sampled_from(["7", "8", "9", "0"]))
def test_however_an_invoice_is_credited_nothing_is_left_of_it_in_the_end(
    lines: list[tuple[int, Decimal, bool]], credits: list[list[tuple[int, Any, bool]]], rate: str
) -> None:
    left = billed(lines, Decimal(rate))
    everything = left.total
    told = ZERO
    for each in credits:
        try:
            credit = plan_credit(left, asked(each))
        except DomainError:
            continue
        assert credit.total >= 0
        assert credit.left == left.total - credit.total
        told += credit.total
        left = after(left, credit)
        rest = left.billed.less(left.credited)
        exact = rest.net * left.gst_rate / 100
        assert min(rest) >= 0
        # The invoice's rounding, and that of a sum with GST, which is that of what it leaves before GST as well.
        assert abs(rest.gst - exact) <= CENT / 2 + 3 * CENT / 2 * (1 + left.gst_rate / 100)
        if rest.net == 0:
            assert rest.gst == 0
        assert all(line.amount >= 0 and line.quantity >= 0 for line in left.lines)
    for number, line in enumerate(left.lines, start=1):
        if line.amount:
            credit = plan_credit(left, [CreditLine(number, amount=line.amount)])
            told += credit.total
            left = after(left, credit)
    assert (told, left.total) == (everything, ZERO)
    assert left.billed == left.credited


def test_c2_amounts_with_gst_one_by_one() -> None:
    left = billed([(3, Decimal("56.42"), True)])
    taxes = []
    for _ in range(3):
        credit = plan_credit(left, [CreditLine(1, amount=Decimal("20.50"), amount_includes_gst=True)])
        taxes.append(credit.taxed.gst)
        left = after(left, credit)
    assert (taxes, left.total) == ([Decimal("1.69"), Decimal("1.70"), Decimal("1.69")], ZERO)


def test_a_line_with_its_gst_is_credited_whole_though_a_cent_is_rounded_to_the_other_side() -> None:
    left = billed([(1, Decimal("8.50"), True)] * 3)
    for number, gross in ((1, "9.27"), (2, "9.27"), (3, "9.26")):
        credit = plan_credit(left, [CreditLine(number, amount=Decimal(gross), amount_includes_gst=True)])
        assert credit.subtotal == Decimal("8.50")
        left = after(left, credit)
    assert left.total == ZERO


def test_what_exceeds_one_line_is_not_taken_from_another_one_s_tax() -> None:
    left = billed([(1, Decimal("8.50"), True), (1, Decimal("800.00"), True)])
    with pytest.raises(ExceedsInvoice):
        plan_credit(left, [CreditLine(1, amount=Decimal("9.29"), amount_includes_gst=True)])


def test_a_deposit_bears_no_gst_also_where_the_amount_would_include_it() -> None:
    left = billed([(1, Decimal("60.00"), False), (1, Decimal("20.00"), True)])
    credit = plan_credit(left, [CreditLine(1, amount=Decimal("21.80"), amount_includes_gst=True)])
    assert (credit.subtotal, credit.taxed) == (Decimal("21.80"), Taxed())


def test_no_more_than_the_whole_where_a_deposit_was_set_off_against_a_line() -> None:
    left = billed([(1, Decimal("100.00"), True), (1, Decimal("-60.00"), False)])
    with pytest.raises(ExceedsInvoice, match=r"49\.00"):
        plan_credit(left, [CreditLine(1, quantity=1)])


def test_the_gst_of_several_lines_of_one_credit_note_is_rounded_once() -> None:
    credit = plan_credit(billed([(1, Decimal("8.50"), True)] * 3), [CreditLine(line, quantity=1) for line in (1, 2, 3)])
    assert credit.taxed == Taxed(Decimal("25.50"), Decimal("2.30"))


@pytest.mark.parametrize(
    ("asked_for", "with_gst", "right"),
    [("0.01", False, ("0.01", "0.00")), ("8.50", False, ("8.50", "0.76")), ("9.25", True, ("8.49", "0.76"))],
)
def test_a_cent_of_gst_that_was_credited_before_is_credited_no_more(
    asked_for: str, with_gst: bool, right: tuple[str, str]
) -> None:
    """Two lines of 8.50 as 9.27 with their GST: 1.54, where 17.00 alone bear 1.53."""
    left = billed([(1, Decimal("8.50"), True)] * 3)
    for line in (1, 2):
        left = after(left, plan_credit(left, [CreditLine(line, amount=Decimal("9.27"), amount_includes_gst=True)]))
    credit = plan_credit(left, [CreditLine(3, amount=Decimal(asked_for), amount_includes_gst=with_gst)])
    assert credit.taxed == Taxed(*map(Decimal, right))
