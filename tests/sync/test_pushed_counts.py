"""Counts that come from the field: as pushed, each of its own moment."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import TestCase

from discrepancies.models import Discrepancy
from foundation.clock import in_words, now
from inventory.models import Count
from payments.models import CashCount
from sync.models import SyncConflict
from tests.conftest import Shop, error_of
from tests.factories import VehicleFactory
from tests.types import Json

pytestmark = pytest.mark.django_db


class Phone:
    """Records operations as an app does, and pushes them."""

    def __init__(self, shop: Shop, key: str = "phone-1") -> None:
        self.shop, self.key, self.last = shop, key, 0

    def recorded(self, type: str, minutes_ago: float, **data: Any) -> Json:
        self.last += 1
        return {
            "type": type,
            "client_temp_id": f"{self.key}-{self.last}",
            "number": self.last,
            "occurred_at": (now() - timedelta(minutes=minutes_ago)).isoformat(),
            "clock_offset_s": 0,
            "data": data,
        }

    def push(self, *operations: Json) -> list[Json]:
        answer = self.shop.client_of(self.shop.driver).post(
            "/api/sync/push/",
            {
                "protocol": 2,
                "sent_at": now().isoformat(),
                "device": {"id": self.key, "last_number": self.last},
                "operations": list(operations),
            },
        )
        assert answer.status_code == 200, answer.json()
        results: list[Json] = answer.json()["results"]
        return results


def counted(phone: Phone, minutes_ago: float, full: int, empty: int = 0) -> Json:
    lines = [
        {"equipment": phone.shop.cylinder.pk, "condition": condition, "quantity": pieces}
        for condition, pieces in (("FULL", full), ("EMPTY", empty))
        if pieces
    ]
    return phone.recorded("vehicle_count", minutes_ago, vehicle=phone.shop.driver.vehicle_no, counts=lines)


def sold(phone: Phone, minutes_ago: float, pieces: int, **more: Any) -> Json:
    items = [{"equipment": phone.shop.cylinder.pk, "type": "SALE", "quantity": pieces}]
    return phone.recorded("transaction.create", minutes_ago, customer=phone.shop.customer.pk, items=items, **more)


def sign_off(shop: Shop, kind: str, pk: int) -> None:
    answer = shop.client_of(shop.admin).post(f"/api/{kind}/{pk}/sign-off/", {})
    assert answer.status_code == 200, answer.json()


def on_vehicle(shop: Shop, condition: str = "FULL") -> int:
    return shop.stock(condition, vehicle_no=shop.driver.vehicle_no)


@pytest.fixture
def shop(shop: Shop) -> Iterator[Shop]:
    """Two hours after the vehicle was counted for the first time."""
    with time_machine.travel(now() + timedelta(hours=2)):
        yield shop


def test_what_was_sold_before_the_count_and_comes_after_it_was_counted_already(shop: Shop) -> None:
    phone = Phone(shop)
    sale, count = sold(phone, 20, 3), counted(phone, 10, 17)
    [made] = phone.push(count)
    assert (made["status"], made["number"]) == ("created", Count.objects.get(kind="VEHICLE").count_number)
    sign_off(shop, "vehicle-counts", made["id"])
    assert on_vehicle(shop) == 17
    assert phone.push(sale)[0]["status"] == "created"
    assert on_vehicle(shop) == 17


def test_a_number_above_the_count_comes_after_it_whatever_the_clock_says(shop: Shop) -> None:
    phone = Phone(shop)
    count = counted(phone, 0, 20)
    late = sold(phone, 60, 3)
    [made] = phone.push(count)
    sign_off(shop, "vehicle-counts", made["id"])
    made = phone.push(late)[0]
    assert (made["status"], [each["code"] for each in made["discrepancies"]]) == ("created", ["after_count"])
    assert on_vehicle(shop) == 17


def test_a_count_signed_off_later_orders_what_its_device_numbered_above_it(shop: Shop) -> None:
    phone = Phone(shop)
    count, sale = counted(phone, 0, 20), sold(phone, 60, 3)
    made, sold_now = phone.push(count, sale)
    assert on_vehicle(shop) == 17
    sign_off(shop, "vehicle-counts", made["id"])
    assert on_vehicle(shop) == 17, "nothing was missing"
    [noted] = Discrepancy.objects.all()
    assert (noted.code, noted.entity_id) == ("after_count", sold_now["id"])
    told, at = (datetime.fromisoformat(each["occurred_at"]) for each in (sale, count))
    assert (noted.shown, noted.billed) == (in_words(told), in_words(at))


def test_cash_that_comes_late_explains_the_bag_that_was_handed_in(shop: Shop) -> None:
    phone = Phone(shop)
    sale = sold(phone, 0, 1, payment_received=True)
    count = phone.recorded("cash_count", 0, cash="31.07")
    [made] = phone.push(count)
    sign_off(shop, "cash-counts", made["id"])
    assert phone.push(sale)[0]["status"] == "created"
    handed_in = shop.client_of(shop.admin).get(f"/api/cash-counts/{made['id']}/").json()
    assert (handed_in["expected"], handed_in["variance"]) == ("31.07", "0.00")
    assert not Discrepancy.objects.exists(), "its number says that it was before"
    later = phone.push(phone.recorded("cash_count", 0, cash="0.00"))[0]
    assert shop.client_of(shop.admin).get(f"/api/cash-counts/{later['id']}/").json()["expected"] == "0.00"


def test_a_void_after_the_hand_in_is_noted_though_the_same_device_counted(shop: Shop) -> None:
    phone = Phone(shop)
    sale, count = sold(phone, 0, 1, payment_received=True), phone.recorded("cash_count", 0, cash="31.07")
    sold_now, made = phone.push(sale, count)
    sign_off(shop, "cash-counts", made["id"])
    voided = shop.client_of(shop.admin).post(f"/api/transactions/{sold_now['id']}/void/", {"reason": "Wrong stall"})
    assert voided.status_code == 201
    assert [each.shown for each in Discrepancy.objects.all()] == ["S$ -31.07"]


def test_a_count_is_kept_once_however_often_it_is_sent(shop: Shop) -> None:
    phone = Phone(shop)
    count, cash = counted(phone, 0, 20), phone.recorded("cash_count", 0, cash="0.00")
    assert [made["status"] for made in phone.push(count, cash)] == ["created", "created"]
    assert [made["status"] for made in phone.push(count, cash)] == ["duplicate", "duplicate"]
    assert Count.objects.filter(kind="VEHICLE").count() == CashCount.objects.count() == 1


def test_who_signs_off_sees_what_has_not_come_yet(shop: Shop) -> None:
    phone = Phone(shop)
    refused = sold(phone, 5, 900)
    sold(phone, 4, 1)
    results = phone.push(refused, counted(phone, 0, 20))
    assert [made["status"] for made in results] == ["rejected", "created"]
    pending = shop.client_of(shop.admin).get(f"/api/vehicle-counts/{results[1]['id']}/").json()["pending"]
    name = shop.driver.username
    assert pending == [
        f"transaction.create of {name} was refused and is kept (insufficient_stock)",
        f"operations of {name} have not come from their device: 2",
    ]


def test_a_sale_before_a_count_waits_for_the_load_that_the_books_did_not_have_then(shop: Shop) -> None:
    """What was found is no proof that there was more before."""
    phone = Phone(shop)
    sale, count = sold(phone, 30, 25), counted(phone, 10, 5)
    refused, made = phone.push(sale, count)
    assert (refused["status"], made["status"]) == ("rejected", "created")
    with TestCase.captureOnCommitCallbacks(execute=True):
        sign_off(shop, "vehicle-counts", made["id"])
    assert SyncConflict.objects.get().status == "OPEN"
    for minutes_ago, status in ((5, "OPEN"), (40, "RETRIED")):
        at = (now() - timedelta(minutes=minutes_ago)).isoformat()
        draft = shop.draft({"direction": "OUT", "quantity": 5}, occurred_at=at).json()["id"]
        with TestCase.captureOnCommitCallbacks(execute=True):
            assert shop.confirm(draft).status_code == 200
        assert SyncConflict.objects.get().status == status
    assert on_vehicle(shop) == 10


@pytest.mark.parametrize("pieces", [20, 21, 900])
def test_nothing_is_sold_before_a_count_that_the_books_of_then_did_not_have(shop: Shop, pieces: int) -> None:
    phone = Phone(shop)
    [made] = phone.push(counted(phone, 10, 18))
    sign_off(shop, "vehicle-counts", made["id"])
    past = (now() - timedelta(minutes=20)).isoformat()
    answer = shop.sell({"type": "SALE", "quantity": pieces}, occurred_at=past)
    if pieces == 20:
        assert answer.status_code == 201
    else:
        assert error_of(answer) == (409, "insufficient_stock", "items.0.quantity")
        number = Count.objects.get(kind="VEHICLE").count_number
        assert f"({number}): the books of then have {pieces - 20} FULL" in answer.json()["errors"][0]["detail"]
    assert on_vehicle(shop) == 18


def test_every_balance_has_to_have_been_there_before_a_count(shop: Shop) -> None:
    """The twenty-first cylinder of a swap wasn't."""
    phone = Phone(shop)
    [made] = phone.push(counted(phone, 10, 18))
    sign_off(shop, "vehicle-counts", made["id"])
    shop.stocked("customer", shop.customer.pk, 20)
    past = (now() - timedelta(minutes=20)).isoformat()
    assert shop.sell({"type": "SWAP", "quantity": 20}, occurred_at=past).status_code == 201
    assert error_of(shop.sell({"type": "SWAP"}, occurred_at=past))[1] == "insufficient_stock"


def test_a_supervisor_lets_happen_what_a_count_has_taken_into_account(shop: Shop) -> None:
    phone = Phone(shop)
    refused, made = phone.push(sold(phone, 30, 25), counted(phone, 10, 5))
    retry = f"/api/sync/conflicts/{refused['conflict']}/retry/"
    answer = shop.client_of(shop.admin).post(retry, {})
    assert error_of(answer)[1] == "insufficient_stock", "nobody has counted since"
    sign_off(shop, "vehicle-counts", made["id"])
    assert shop.client_of(shop.admin).post(retry, {}).status_code == 200
    assert on_vehicle(shop) == 5


def test_a_count_that_moves_behind_another_one_lets_what_it_has_now_counted_happen(shop: Shop) -> None:
    """The clock was set back between the two: the later one is of another vehicle, and was signed off before."""
    phone, lorry = Phone(shop), VehicleFactory(depot=shop.depot).number
    shop.stocked("vehicle", lorry, 5)
    first = counted(phone, 0, 20)
    found = [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 1}]
    second = phone.recorded("vehicle_count", 60, vehicle=lorry, counts=found)
    results = phone.push(first, second)
    sign_off(shop, "vehicle-counts", results[1]["id"])
    assert Phone(shop, "phone-2").push(sold(Phone(shop, "phone-2"), 30, 5, vehicle=lorry))[0]["status"] == "rejected"
    with TestCase.captureOnCommitCallbacks(execute=True):
        sign_off(shop, "vehicle-counts", results[0]["id"])
    assert SyncConflict.objects.get().status == "RETRIED"
    assert shop.stock(vehicle_no=lorry) == 1


def test_what_is_dated_before_a_signed_count_without_its_device_s_word_is_noted(shop: Shop) -> None:
    """A late sale could explain what was missing: somebody should look."""
    phone = Phone(shop)
    sale = sold(phone, 30, 1)
    [made] = phone.push(counted(phone, 10, 19))
    sign_off(shop, "vehicle-counts", made["id"])
    second = Phone(shop, "phone-2")
    other = sold(second, 20, 1)
    assert phone.push(sale)[0]["discrepancies"] == [], "its number says that it was before"
    assert [each["code"] for each in second.push(other)[0]["discrepancies"]] == ["after_count"]
    past = (now() - timedelta(minutes=20)).isoformat()
    assert shop.sell({"type": "SALE"}, occurred_at=past).status_code == 201
    assert Discrepancy.objects.filter(code="after_count").count() == 2
    assert on_vehicle(shop) == 19


def test_a_count_is_of_no_moment_to_come(shop: Shop) -> None:
    soon = (now() + timedelta(minutes=3)).isoformat()
    client = shop.client_of(shop.driver)
    for kind, body in (("vehicle-counts", {"counts": []}), ("cash-counts", {"cash": "0.00"})):
        assert error_of(client.post(f"/api/{kind}/", {**body, "occurred_at": soon})) == (400, "invalid", "occurred_at")


def test_what_moves_behind_a_count_does_so_where_it_went_too(shop: Shop) -> None:
    """The customer's site was counted in between, before it: nothing was missing there."""
    phone = Phone(shop)
    count, sale = counted(phone, 0, 20), sold(phone, 60, 3)
    phone.push(sale)
    shop.count("customer", shop.customer.pk, 0)
    [made] = phone.push({**count, "occurred_at": now().isoformat()})
    sign_off(shop, "vehicle-counts", made["id"])
    assert (on_vehicle(shop), shop.stock(customer=shop.customer)) == (17, 3)


def test_what_came_back_moves_behind_a_count_with_what_had_left(shop: Shop) -> None:
    """Nothing comes back before it has left."""
    phone = Phone(shop)
    count, sale = counted(phone, 0, 20), sold(phone, 60, 3)
    [sold_now] = phone.push(sale)
    voided = shop.client_of(shop.admin).post(
        f"/api/transactions/{sold_now['id']}/void/", {"reason": "A slip", "goods": "came_back"}
    )
    assert voided.status_code == 201, voided.json()
    [made] = phone.push({**count, "occurred_at": now().isoformat()})
    sign_off(shop, "vehicle-counts", made["id"])
    assert (on_vehicle(shop), shop.stock(customer=shop.customer)) == (20, 0)
