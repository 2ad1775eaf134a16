"""What comes back of a deposit: the arithmetic of lots."""

from decimal import Decimal

import pytest

from deposits.held import Held, Lot, Refund


def amounts(refunds: list[Refund]) -> list[tuple[int, str]]:
    return [(refund.pieces, str(refund.of_one)) for refund in refunds]


def lot(pk: int, pieces: int, amount: str) -> Lot:
    return Lot(pk, pieces, Decimal(amount))


def test_what_is_on_loan_comes_first_and_refunds_nothing() -> None:
    refunds, held = Held(1).without(1)
    assert (amounts(refunds), held.at_site, held.lots) == ([(1, "0.00")], 0, [])


def test_no_more_is_taken_from_the_loan_than_leaves() -> None:
    refunds, held = Held(3, (lot(1, 1, "60.00"),)).without(1)
    assert (amounts(refunds), held.on_loan, held.lots) == ([(1, "0.00")], 1, [lot(1, 1, "60.00")])


def test_a_lot_keeps_what_another_one_refunded() -> None:
    refunds, held = Held(3, (lot(1, 1, "60.00"), lot(2, 2, "80.00"))).without(2)
    assert amounts(refunds) == [(1, "60.00"), (1, "40.00")]
    assert held.lots == [lot(2, 1, "40.00")]


def test_then_the_oldest_lot_each_at_its_own_amount() -> None:
    refunds, held = Held(4, (lot(1, 2, "80.00"), lot(2, 1, "60.00"))).without(3)
    assert amounts(refunds) == [(1, "0.00"), (2, "40.00")]
    assert held.lots == [lot(2, 1, "60.00")]
    assert held.on_loan == 0


def test_the_last_piece_takes_the_rest() -> None:
    held, found = Held(3, (lot(1, 3, "100.00"),)), []
    for _ in range(3):
        refunds, held = held.without(1)
        found += amounts(refunds)
    assert found == [(1, "33.33"), (1, "33.34"), (1, "33.33")]
    assert held.lots == []


@pytest.mark.parametrize(
    ("pieces", "wanted"),
    [(2, [(1, "33.33"), (1, "33.34")]), (3, [(2, "33.33"), (1, "33.34")])],
)
def test_pieces_at_the_same_amount_stand_together(pieces: int, wanted: list[tuple[int, str]]) -> None:
    refunds, _ = Held(3, (lot(1, 3, "100.00"),)).without(pieces)
    assert amounts(refunds) == wanted


def test_a_lost_shell_takes_its_deposit_first() -> None:
    refunds, held = Held(2, (lot(1, 1, "60.00"),)).without(1, loan_first=False)
    assert (amounts(refunds), held.on_loan) == ([(1, "60.00")], 1)


def test_a_deposit_before_its_cylinder_lends_nothing() -> None:
    assert Held(0, (lot(1, 1, "60.00"),)).on_loan == 0


def test_what_is_beyond_loan_and_lots_refunds_nothing() -> None:
    refunds, held = Held(1, (lot(1, 1, "60.00"),)).without(3)
    assert amounts(refunds) == [(1, "60.00"), (2, "0.00")]
    assert held.lots == []


@pytest.mark.parametrize(("pieces", "amount"), [(7, "100.00"), (9, "0.05"), (13, "999.99"), (1, "60.00")])
def test_all_pieces_together_refund_the_lot(pieces: int, amount: str) -> None:
    refunds, held = Held(pieces, (lot(1, pieces, amount),)).without(pieces)
    assert sum((refund.amount for refund in refunds), Decimal(0)) == Decimal(amount)
    assert len(refunds) <= 2
    assert held.lots == []
