"""A limit holds for a number's size, whatever its sign, and takes the largest one."""

from decimal import Decimal

import pytest

from foundation.limits import AMOUNT, AmountOutOfRange

pytestmark = pytest.mark.any_engine


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_is_taken_and_the_next_refused(sign: int) -> None:
    AMOUNT.require(sign * AMOUNT.most, attr="amount")
    with pytest.raises(AmountOutOfRange) as refused:
        AMOUNT.require(sign * (AMOUNT.most + Decimal("0.01")), attr="amount")
    assert (refused.value.code, refused.value.attr) == ("amount_out_of_range", "amount")
