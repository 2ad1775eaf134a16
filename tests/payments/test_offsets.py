"""What a refund is set off against: what charged its deposits, and no more than that."""

from decimal import Decimal

import pytest

from payments.offsets import Open, Refunded, offsets

A, B = Open(1, "INV-1", Decimal(100)), Open(2, "INV-2", Decimal(30))
BOTH = {7: [A], 8: [B], 9: [A, B]}


@pytest.mark.parametrize(
    ("refunds", "most", "set_off", "against"),
    [
        ([(7, 60)], 60, {}, {A: 60}),
        ([(7, 60)], 50, {}, {A: 50}),
        ([(7, 160)], 160, {}, {A: 100}),
        ([(7, 60), (7, 60)], 120, {}, {A: 100}),
        ([(7, 60), (8, 60)], 70, {}, {A: 60, B: 10}),
        ([(9, 120)], 200, {}, {A: 100, B: 20}),
        ([(6, 60)], 60, {}, {}),
        ([(7, 60)], 60, {1: 60}, {}),
        ([(7, 60)], 60, {1: 45}, {A: 15}),
        ([(7, 60), (7, 60)], 200, {1: 60}, {A: 60}),
        ([(9, 120)], 200, {1: 20, 2: 10}, {A: 90}),
    ],
)
def test_each_refund_settles_what_charged_it(
    refunds: list[tuple[int, int]], most: int, set_off: dict[int, int], against: dict[Open, int]
) -> None:
    found = offsets(
        [Refunded(lot, Decimal(amount)) for lot, amount in refunds],
        BOTH,
        most=Decimal(most),
        set_off={invoice: Decimal(amount) for invoice, amount in set_off.items()},
    )
    assert found == against
