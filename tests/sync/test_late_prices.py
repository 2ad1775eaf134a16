"""A sale that arrives days later costs what it cost when it happened."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine

from foundation import clock
from tests.conftest import Shop, post_confirmed
from tests.factories import MeteredCustomerFactory, priced
from tests.sync.conftest import Push, sale_of
from tests.types import Json
from transactions.models import Transaction, TransactionItem

pytestmark = pytest.mark.django_db


@pytest.fixture
def noon() -> datetime:
    return clock.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


Clock = Callable[[float], time_machine.travel]


@pytest.fixture
def at(noon: datetime) -> Clock:
    """The clock, so many hours after yesterday's noon."""
    return lambda hours: time_machine.travel(noon + timedelta(hours=hours), tick=False)


def contract(shop: Shop, rate: str, day: datetime) -> None:
    body = {"equipment": shop.cylinder.pk, "rate": rate, "valid_from": clock.business_date(day).isoformat()}
    assert shop.client_of(shop.admin).post(f"/api/customers/{shop.customer.pk}/rates/", body).status_code == 201


def item_of(result: Json) -> TransactionItem:
    assert result["status"] == "created", result
    return TransactionItem.objects.get(transaction_id=result["id"])


def test_a_default_rate_that_changed_since(shop: Shop, push: Push, noon: datetime, at: Clock) -> None:
    """Twice, and both old prices are still right for their time."""
    for hours, rate in ((1, "29.00"), (3, "31.00")):
        with at(hours):
            shop.client_of(shop.admin).patch(f"/api/equipment/{shop.cylinder.pk}/", {"default_rate": rate})
    for number, (hours, rate) in enumerate(((0, "28.50"), (1, "29.00"), (2, "29.00"), (3, "31.00"), (4, "31.00"))):
        moment = (noon + timedelta(hours=hours)).isoformat()
        with at(20):
            named, unnamed, wrong = push(
                sale_of(shop, f"a{number}", {"rate": rate}, occurred_at=moment),
                sale_of(shop, f"b{number}", occurred_at=moment),
                sale_of(shop, f"c{number}", {"rate": "27.00"}, occurred_at=moment),
            )
        assert {str(item_of(named).rate), str(item_of(unnamed).rate)} == {rate}
        assert wrong["errors"][0]["code"] == "rate_mismatch"


def test_a_deposit_that_changed_since(shop: Shop, push: Push, noon: datetime, at: Clock) -> None:
    with at(1):
        shop.client_of(shop.admin).patch(f"/api/equipment/{shop.cylinder.pk}/", {"deposit": "70.00"})
    [before, after] = push(
        sale_of(shop, "a", {"type": "DEPOSIT", "rate": "60.00"}, occurred_at=noon.isoformat()),
        sale_of(shop, "b", {"type": "DEPOSIT"}, occurred_at=(noon + timedelta(hours=2)).isoformat()),
    )
    assert (str(item_of(before).amount), str(item_of(after).amount)) == ("60.00", "70.00")


def test_a_contract_rate_that_begins_between(shop: Shop, push: Push, noon: datetime, at: Clock) -> None:
    with at(-48):
        contract(shop, "26.00", noon - timedelta(days=2))
    with at(6):
        contract(shop, "25.00", noon + timedelta(days=1))
    with at(30):
        [yesterday, today] = push(
            sale_of(shop, "a", {"rate": "26.00"}, occurred_at=noon.isoformat()),
            sale_of(shop, "b", occurred_at=(noon + timedelta(days=1)).isoformat()),
        )
    assert (str(item_of(yesterday).rate), str(item_of(today).rate)) == ("26.00", "25.00")


def test_a_contract_rate_entered_later_for_the_same_day(shop: Shop, push: Push, noon: datetime, at: Clock) -> None:
    """The app could not know it: both what it showed and what is valid now are right."""
    with at(3):
        contract(shop, "25.00", noon)
    with at(20):
        shown, valid, open_rate, wrong = push(
            sale_of(shop, "a", {"rate": "28.50"}, occurred_at=noon.isoformat()),
            sale_of(shop, "b", {"rate": "25.00"}, occurred_at=noon.isoformat()),
            sale_of(shop, "c", occurred_at=noon.isoformat()),
            sale_of(shop, "d", {"rate": "28.50"}, occurred_at=(noon + timedelta(hours=4)).isoformat()),
        )
    assert (str(item_of(shown).rate), item_of(shown).rate_source) == ("28.50", "DEFAULT")
    assert (str(item_of(valid).rate), item_of(valid).rate_source) == ("25.00", "CONTRACT")
    assert str(item_of(open_rate).rate) == "25.00"
    assert wrong["errors"][0]["code"] == "rate_mismatch"  # by then it was known


def test_a_default_price_entered_later_for_the_same_day(shop: Shop, push: Push, noon: datetime, at: Clock) -> None:
    """Nor could it know this one."""
    with at(3):
        for kind, amount in (("DEFAULT_RATE", "29.00"), ("DEPOSIT", "70.00")):
            body = {"kind": kind, "amount": amount, "valid_from": clock.business_date(noon), "reason": "Forgotten"}
            answer = post_confirmed(shop.client_of(shop.admin), f"/api/equipment/{shop.cylinder.pk}/prices/", body)
            assert answer.status_code == 201
    then, later = (noon + timedelta(hours=hours) for hours in (0, 4))
    with at(20):
        old, new, unnamed, deposit, other, known = push(
            sale_of(shop, "a", {"rate": "28.50"}, occurred_at=then.isoformat()),
            sale_of(shop, "b", {"rate": "29.00"}, occurred_at=then.isoformat()),
            sale_of(shop, "c", occurred_at=then.isoformat()),
            sale_of(shop, "d", {"rate": "60.00", "type": "DEPOSIT"}, occurred_at=then.isoformat()),
            sale_of(shop, "e", {"rate": "28.00"}, occurred_at=then.isoformat()),
            sale_of(shop, "f", {"rate": "28.50"}, occurred_at=later.isoformat()),
        )
    assert [str(item_of(each).rate) for each in (old, new, unnamed, deposit)] == ["28.50", "29.00", "29.00", "60.00"]
    assert [each["errors"][0]["code"] for each in (other, known)] == ["rate_mismatch"] * 2


def test_a_price_that_was_set_later_leaves_the_field_s_rate(shop: Shop, push: Push, noon: datetime, at: Clock) -> None:
    priced(shop.cylinder, default_rate=None)
    with at(3):
        shop.client_of(shop.admin).patch(f"/api/equipment/{shop.cylinder.pk}/", {"default_rate": "40.00"})
    with at(20):
        [result] = push(sale_of(shop, "a", {"rate": "33.00"}, occurred_at=noon.isoformat()))
    assert (str(item_of(result).rate), item_of(result).rate_source) == ("33.00", "FIELD")


def test_a_meter_s_rate_that_changed_since(shop: Shop, push: Push, noon: datetime, at: Clock) -> None:
    metered = MeteredCustomerFactory()
    with at(1):
        shop.client_of(shop.admin).patch(f"/api/customers/{metered.pk}/", {"meter_rate": "2.5000"})
    readings = [
        {**sale_of(shop, name), "occurred_at": (noon + timedelta(hours=hours)).isoformat(),
         "data": {"customer": metered.pk, "current_meter": reading}}
        for name, hours, reading in (("a", 0, "1210.00"), ("b", 2, "1220.00"))
    ]  # fmt: skip
    with at(20):
        results = push(*readings)
    rates = [Transaction.objects.get(pk=result["id"]).meter_rate for result in results]
    assert [str(rate) for rate in rates] == ["2.1500", "2.5000"]


def test_gst_is_that_of_the_payment(shop: Shop, push: Push) -> None:
    """Paid on the spot on the last day of 8 %, recorded on the first of 9 %."""
    with time_machine.travel("2024-01-01T09:00:00+08:00", tick=False):
        paid, owed = push(
            sale_of(shop, "a", payment_received=True, occurred_at="2023-12-31T22:00:00+08:00"),
            sale_of(shop, "b", occurred_at="2023-12-31T22:00:00+08:00"),
        )
    rates = [str(Transaction.objects.get(pk=each["id"]).invoice.gst_rate) for each in (paid, owed)]
    assert rates == ["8.00", "9.00"]
