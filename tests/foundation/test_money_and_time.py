"""Money is rounded half-up once; dates are Singapore's."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipment.models import Equipment
from foundation import clock
from foundation.money import sum_of, to_cents
from tests.factories import EquipmentFactory

pytestmark = pytest.mark.any_engine


@pytest.mark.parametrize(
    ("exact", "cents"),
    [("0.125", "0.13"), ("0.135", "0.14"), ("2.675", "2.68"), ("-0.125", "-0.13"), ("0.1249", "0.12"), ("1", "1.00")],
)
def test_halves_are_rounded_away_from_zero(exact: str, cents: str) -> None:
    assert to_cents(Decimal(exact)) == Decimal(cents)


def test_nothing_has_no_sign() -> None:
    assert str(to_cents(Decimal("-0.004"))) == "0.00"


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6))
def test_rounding_is_never_off_by_more_than_half_a_cent(exact: Decimal) -> None:
    assert abs(to_cents(exact) - exact) <= Decimal("0.005")
    assert to_cents(-exact) == -to_cents(exact)


@pytest.mark.django_db
def test_sums_in_the_database_are_exact() -> None:
    Equipment.objects.bulk_create(EquipmentFactory.build(deposit=Decimal("0.10")) for _ in range(1_000))
    assert Equipment.objects.aggregate(total=sum_of("deposit"))["total"] == Decimal("100.00")
    assert Equipment.objects.none().aggregate(total=sum_of("deposit"))["total"] == Decimal("0.00")


def test_now_is_told_in_singapores_offset() -> None:
    assert clock.now().utcoffset() == timedelta(hours=8)


def test_the_business_date_is_singapores() -> None:
    assert clock.business_date(datetime(2026, 1, 19, 16, 0, tzinfo=UTC)) == date(2026, 1, 20)
    assert clock.business_date(datetime(2026, 1, 19, 15, 59, 59, tzinfo=UTC)) == date(2026, 1, 19)
