"""A contract rate that was wrong is superseded by one of the same date, and a contract ends."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from audit.models import AuditLog
from customers.models import CustomerRate
from customers.selectors import contract_rates
from foundation import clock
from tests.conftest import Shop, error_of, post_confirmed
from tests.factories import CustomerFactory, CustomerRateFactory, EquipmentFactory
from tests.transactions.test_sale import of
from tests.types import Answer, Json, Unchanged

pytestmark = pytest.mark.django_db

SWAP = {"type": "SWAP", "quantity": 1}
FIRST = "2026-01-01"


class Contract:
    """The shop's customer's, of its cylinder."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.client = shop, shop.client_of(shop.admin)
        self.address = f"/api/customers/{shop.customer.pk}/rates/"

    def asked(self, rate: str | None, valid_from: str = FIRST, **more: Any) -> Answer:
        return self.client.post(self.address, self.body(rate, valid_from, **more))

    def set(self, rate: str | None, valid_from: str = FIRST, **more: Any) -> Json:
        answer = post_confirmed(self.client, self.address, self.body(rate, valid_from, **more))
        assert answer.status_code == 201, answer.json()
        made: Json = answer.json()
        return made

    def body(self, rate: str | None, valid_from: str, **more: Any) -> Json:
        return {"equipment": self.shop.cylinder.pk, "rate": rate, "valid_from": valid_from, **more}

    def listed(self) -> list[tuple[str, str | None, bool, str]]:
        rows = self.client.get(self.address).json()["results"]
        return [(row["valid_from"], row["rate"], row["is_superseded"], row["reason"]) for row in rows]

    def charged(self) -> tuple[str, str]:
        [line] = of(self.shop.sell(SWAP))[0]["items"]
        return line["rate"], line["rate_source"]


@pytest.fixture
def contract(shop: Shop) -> Contract:
    return Contract(shop)


def on(day: str, hour: int = 12) -> datetime:
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), clock.SINGAPORE) + timedelta(hours=hour)


def test_a_rate_of_the_same_date_supersedes_the_one_that_was_wrong(contract: Contract) -> None:
    contract.set("36.00")
    assert contract.charged() == ("36.00", "CONTRACT")
    contract.set("34.00", reason="Slip of the pen.")
    assert contract.charged() == ("34.00", "CONTRACT")
    made = contract.set("35.00", reason="The letter says 35.")
    assert (made["is_superseded"], made["reason"]) == (False, "The letter says 35.")
    assert contract.charged() == ("35.00", "CONTRACT")
    assert contract.listed() == [
        (FIRST, "35.00", False, "The letter says 35."),
        (FIRST, "34.00", True, "Slip of the pen."),
        (FIRST, "36.00", True, ""),
    ]
    record = AuditLog.objects.filter(action="customers.rate.set").latest("id")
    assert record.before == {"rate": "34.00"}
    assert (record.after["rate"], record.reason) == ("35.00", "The letter says 35.")


def test_what_was_wrong_may_come_back(contract: Contract) -> None:
    contract.set("36.00")
    contract.set("34.00", reason="Slip.")
    contract.set("36.00", reason="It was right.")
    assert contract.charged() == ("36.00", "CONTRACT")
    assert [superseded for _, _, superseded, _ in contract.listed()] == [False, True, True]


def test_others_and_other_dates_supersede_nothing(contract: Contract, shop: Shop) -> None:
    contract.set("36.00")
    CustomerRateFactory(customer=shop.customer, equipment=EquipmentFactory(), valid_from=date(2026, 1, 1))
    CustomerRateFactory(customer=CustomerFactory(), equipment=shop.cylinder, valid_from=date(2026, 1, 1))
    contract.set("35.00", "2026-02-01")
    assert not any(superseded for _, _, superseded, _ in contract.listed())


def test_a_rate_is_superseded_for_a_reason(contract: Contract, nothing_changes: Unchanged) -> None:
    contract.set("36.00")
    with nothing_changes():
        for reason in ({}, {"reason": ""}, {"reason": "  "}):
            assert error_of(contract.asked("34.00", **reason)) == (400, "invalid", "reason")
    contract.set("35.00", "2026-02-01")


def test_what_counts_from_that_date_already_is_refused(contract: Contract, nothing_changes: Unchanged) -> None:
    contract.set("36.00")
    contract.set("34.00", reason="Slip.")
    with nothing_changes():
        answer = contract.asked("34.00", reason="Again.")
        assert error_of(answer) == (400, "unique", "valid_from")
        assert "34.00 from 2026-01-01" in answer.json()["errors"][0]["detail"]
    contract.set("34.00", "2026-02-01")


def test_a_contract_ends_and_begins_again(contract: Contract) -> None:
    today = clock.business_date(clock.now())
    before, yesterday = (today - timedelta(days=days) for days in (9, 1))
    contract.set("26.00", before.isoformat())
    made = contract.set(None, yesterday.isoformat(), reason="Not renewed.")
    assert (made["rate"], made["reason"]) == (None, "Not renewed.")
    assert contract.charged() == ("28.50", "DEFAULT")
    contract.set("27.00", today.isoformat())
    assert contract.charged() == ("27.00", "CONTRACT")
    contract.set(None, today.isoformat(), reason="Not before they sign.")
    assert contract.charged() == ("28.50", "DEFAULT")
    contract.set("27.50", today.isoformat(), reason="Signed.")
    assert contract.charged() == ("27.50", "CONTRACT")


def test_a_contract_ends_on_a_day_to_come(contract: Contract) -> None:
    tomorrow = clock.business_date(clock.now()) + timedelta(days=1)
    contract.set("26.00")
    contract.set(None, tomorrow.isoformat())
    assert contract.charged() == ("26.00", "CONTRACT")
    with time_machine.travel(on(tomorrow.isoformat()), tick=False):
        assert contract.charged() == ("28.50", "DEFAULT")


def test_an_end_needs_a_contract(contract: Contract, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        assert error_of(contract.asked(None)) == (400, "invalid", "rate")
    contract.set("36.00", "2026-02-01")
    with nothing_changes():
        assert error_of(contract.asked(None, "2026-01-31")) == (400, "invalid", "rate")
    contract.set(None, "2026-03-01")
    with nothing_changes():
        assert error_of(contract.asked(None, "2026-03-01", reason="Again.")) == (400, "unique", "valid_from")
        assert error_of(contract.asked(None, "2026-03-02")) == (400, "invalid", "rate")
    body = contract.body("36.00", "2026-04-01")
    body.pop("rate")
    assert error_of(contract.client.post(contract.address, body)) == (400, "required", "rate")


def test_after_an_end_a_rate_is_compared_with_what_all_pay(contract: Contract) -> None:
    tomorrow = (clock.business_date(clock.now()) + timedelta(days=1)).isoformat()
    contract.set("10.00")
    contract.set(None, "2026-02-01")
    assert contract.asked("28.00", tomorrow).status_code == 201


def test_rates_of_what_is_inactive_now_are_put_right(contract: Contract, shop: Shop) -> None:
    """What was sold before may come late, or be billed again."""
    contract.set("36.00")
    assert shop.client_of(shop.admin).delete(f"/api/equipment/{shop.cylinder.pk}/").status_code == 200
    contract.set("34.00", reason="Slip.")
    contract.set(None, "2026-02-01")
    assert error_of(contract.asked("30.00", "2026-03-01")) == (409, "equipment_inactive", "equipment")


def test_only_administrators_supersede(contract: Contract, shop: Shop, nothing_changes: Unchanged) -> None:
    contract.set("36.00")
    with nothing_changes():
        answer = shop.client_of(shop.driver).post(contract.address, contract.body("34.00", FIRST, reason="Slip."))
    assert answer.status_code == 403
    assert len(shop.client_of(shop.driver).get(contract.address).json()["results"]) == 1


def test_a_rate_that_comes_twice_is_set_once(contract: Contract) -> None:
    contract.set("36.00")
    first = contract.set("34.00", reason="Slip.", client_temp_id="a")
    contract.set("35.00", reason="Slip again.")
    again = contract.client.post(contract.address, contract.body("34.00", FIRST, reason="Slip.", client_temp_id="a"))
    assert (again.status_code, again.json()["id"], again.json()["is_superseded"]) == (200, first["id"], True)
    assert contract.charged() == ("35.00", "CONTRACT")


def test_what_was_known_is_what_counted_then(shop: Shop) -> None:
    """Of each moment at which a device may have pulled: 36, 34, the end, and 35."""
    entered = on("2026-01-20", 9)
    for hour, rate in enumerate(("36.00", "34.00", None, "35.00")):
        with time_machine.travel(entered + timedelta(hours=hour), tick=False):
            CustomerRateFactory(customer=shop.customer, equipment=shop.cylinder, rate=rate, valid_from=date(2026, 1, 1))

    def found(hours: float, pulled: float | None = None) -> Any:
        pulled_at = None if pulled is None else entered + timedelta(hours=pulled)
        at = entered + timedelta(hours=hours)
        return contract_rates(shop.customer, [shop.cylinder.pk], at, pulled_at=pulled_at)[shop.cylinder.pk]

    thirty_six, thirty_four, thirty_five = Decimal("36.00"), Decimal("34.00"), Decimal("35.00")
    assert [found(hours).known for hours in (-1, 0, 1, 2, 3)] == [None, thirty_six, thirty_four, None, thirty_five]
    assert {found(hours).valid for hours in (-1, 0, 1, 2, 3)} == {thirty_five}
    assert found(0.5, 0.5).pulled == {thirty_six}
    assert found(1.5, 0.5).pulled == {thirty_six, thirty_four}
    assert found(2.5, 1.5).pulled == {thirty_four, None}
    assert found(9, 2.5).pulled == {None, thirty_five}


def test_rows_are_read_by_their_customer(
    contract: Contract, django_assert_num_queries: Callable[[int], Any], shop: Shop
) -> None:
    for number in range(5):
        CustomerRateFactory(
            customer=shop.customer, equipment=shop.cylinder, rate=30 + number, valid_from=date(2026, 1, 1)
        )
    with django_assert_num_queries(1):
        found = contract_rates(shop.customer, [shop.cylinder.pk], clock.now(), pulled_at=clock.now())
    assert found[shop.cylinder.pk].valid == Decimal(34)
    assert CustomerRate.objects.standing().count() == 1


def test_a_year_that_was_mistyped_is_a_slip(shop: Shop, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        for day in ("1999-12-31", "2206-01-01"):
            assert error_of(Contract(shop).asked("20.00", day, reason="Slip.")) == (400, "invalid", "valid_from")
