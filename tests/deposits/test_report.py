"""What was held against deposits at the end of a day, by age."""

from datetime import datetime
from typing import Any

import pytest
import time_machine

from foundation import clock
from tests.conftest import Shop, open_shop
from tests.deposits.test_cases import sold, void
from tests.factories import CustomerFactory, EquipmentFactory
from tests.types import Json

pytestmark = pytest.mark.django_db

LENT = ({"type": "SALE"}, {"type": "DEPOSIT"})
MONEY = ("amount", "up_to_1_year", "up_to_2_years", "up_to_3_years", "older")


def at(moment: str) -> time_machine.travel:
    return time_machine.travel(datetime.fromisoformat(f"{moment}:00+08:00"), tick=False)


def rows(shop: Shop, as_of: str, **asked: Any) -> list[Json]:
    answer = shop.client_of(shop.admin).get("/api/reports/deposits/", {"as_of": as_of, **asked})
    found: list[Json] = answer.json()["rows"]
    return found


def held_on(shop: Shop, as_of: str) -> list[tuple[int, str]]:
    found = rows(shop, as_of)
    assert [row["up_to_1_year"] for row in found] == [row["amount"] for row in found]
    return [(row["quantity"], row["amount"]) for row in found]


def test_what_was_held_at_the_end_of_a_day(stub_pdf: None) -> None:
    with at("2026-01-01T10:00"):
        shop = open_shop()
    with at("2026-01-05T00:30"):  # the 4th in UTC
        sold(shop, *({**item, "quantity": 3} for item in LENT))
    with at("2026-01-07T10:00"):
        refund = sold(shop, {"type": "RETURN"})
    with at("2026-01-08T10:00"):
        sold(shop, *LENT)
    with at("2026-01-09T10:00"):
        sold(shop, {"type": "RETURN", "quantity": 2})
        # Nothing is left of it today, and was yesterday.
        assert held_on(shop, "2026-01-08") == [(3, "180.00")]
    with at("2026-01-10T10:00"):
        assert void(shop, refund).status_code == 201
        assert held_on(shop, "2026-01-04") == []
        assert held_on(shop, "2026-01-05") == held_on(shop, "2026-01-06") == [(3, "180.00")]
        assert held_on(shop, "2026-01-07") == [(2, "120.00")]
        assert held_on(shop, "2026-01-08") == [(3, "180.00")]
        assert held_on(shop, "2026-01-09") == [(1, "60.00")]
        assert held_on(shop, "2026-01-10") == [(2, "120.00")]


def test_one_customer_s_alone(shop: Shop) -> None:
    other = CustomerFactory()
    with at("2026-01-05T10:00"):
        sold(shop, *LENT)
        sold(shop, *({**item, "quantity": 2} for item in LENT), customer=other.pk)
    with at("2026-01-06T10:00"):
        for customer in (shop.customer, other):
            sold(shop, {"type": "RETURN"}, customer=customer.pk)
        assert [row["quantity"] for row in rows(shop, "2026-01-05", customer=other.pk)] == [2]
        assert [row["quantity"] for row in rows(shop, "2026-01-06", customer=other.pk)] == [1]
        assert [row["quantity"] for row in rows(shop, "2026-01-05")] == [1, 2]


def test_by_customer_and_sku(shop: Shop) -> None:
    first, last = CustomerFactory(customer_code="A"), CustomerFactory(customer_code="B")
    small = EquipmentFactory(sku="A-1")
    for customer in (last, first):
        for equipment in (shop.cylinder, small):
            sold(shop, {"type": "DEPOSIT", "equipment": equipment.pk}, customer=customer.pk)
    found = rows(shop, clock.business_date(clock.now()).isoformat())
    assert [(row["customer_code"], row["sku"]) for row in found] == [
        (customer.customer_code, sku) for customer in (first, last) for sku in ("A-1", shop.cylinder.sku)
    ]


@pytest.mark.parametrize(
    ("as_of", "column"),
    [
        ("2026-01-05", "up_to_1_year"),
        ("2027-01-05", "up_to_1_year"),
        ("2027-01-06", "up_to_2_years"),
        ("2028-01-05", "up_to_2_years"),
        ("2028-01-06", "up_to_3_years"),
        ("2029-01-04", "up_to_3_years"),
        ("2029-01-05", "older"),
    ],
)
def test_a_deposit_is_as_old_as_its_charge(stub_pdf: None, as_of: str, column: str) -> None:
    with at("2026-01-05T00:30"):
        shop = open_shop()
        sold(shop, *LENT)
    with at(f"{as_of}T12:00"):
        [row] = rows(shop, as_of)
    assert {name: row[name] for name in MONEY} == {**dict.fromkeys(MONEY, "0.00"), "amount": "60.00", column: "60.00"}
