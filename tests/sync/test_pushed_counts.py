"""Counts that come from the field: as pushed, each of its own moment."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import TestCase

from accounts.models import User
from audit.models import AuditLog
from discrepancies.models import Discrepancy
from foundation.access.capabilities import Role
from foundation.clock import SINGAPORE, in_words, now
from inventory.models import Count
from payments.models import CashCount, Payment
from sync.models import Device, SyncConflict
from tests.admin.pages import logged_in, url
from tests.admin.test_life_of_an_invoice import chosen
from tests.conftest import Shop, error_of
from tests.factories import DriverFactory, EquipmentFactory, UserFactory, VehicleFactory
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
    assert Discrepancy.objects.count() == 1, "it was counted already"


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


@pytest.mark.parametrize("is_signed_first", [True, False])
def test_a_number_below_a_count_that_is_dated_after_it_is_noted(shop: Shop, is_signed_first: bool) -> None:
    """The clock was ahead, and put right before the count: what is missing there was sold, and is missing again."""
    phone, other = Phone(shop), VehicleFactory(depot=shop.depot).number
    shop.stocked("vehicle", other, 5)
    sale, elsewhere, count = sold(phone, 5, 3), sold(phone, 4, 1, vehicle=other), counted(phone, 30, 17)
    if is_signed_first:
        [made] = phone.push(count)
        sign_off(shop, "vehicle-counts", made["id"])
        [sold_now, _] = phone.push(sale, elsewhere)
        assert [each["code"] for each in sold_now["discrepancies"]] == ["after_count"]
    else:
        [sold_now, _, made] = phone.push(sale, elsewhere, count)
        sign_off(shop, "vehicle-counts", made["id"])
    [noted] = Discrepancy.objects.filter(code="after_count")
    assert (noted.entity_type, noted.entity_id, noted.user) == (
        "transactions.transaction", sold_now["id"], shop.driver,
    )  # fmt: skip
    told, at = (datetime.fromisoformat(each["occurred_at"]) for each in (sale, count))
    assert (noted.shown, noted.billed) == (in_words(told), in_words(at))
    assert "recorded it before" in noted.detail


def test_cash_that_comes_late_explains_the_bag_that_was_handed_in(shop: Shop) -> None:
    phone = Phone(shop)
    sale = sold(phone, 0, 1, payment_received=True)
    count = phone.recorded("cash_count", 0, cash="31.07")
    [made] = phone.push(count)
    sign_off(shop, "cash-counts", made["id"])
    assert phone.push(sale)[0]["status"] == "created"
    handed_in = shop.client_of(shop.admin).get(f"/api/cash-counts/{made['id']}/").json()
    assert (handed_in["expected"], handed_in["variance"]) == ("31.07", "0.00")
    assert Discrepancy.objects.get().code == "after_count", "its number may have been kept back"
    later = phone.push(phone.recorded("cash_count", 0, cash="0.00"))[0]
    assert shop.client_of(shop.admin).get(f"/api/cash-counts/{later['id']}/").json()["expected"] == "0.00"


def test_a_reversal_after_the_hand_in_is_noted_though_the_same_device_counted(shop: Shop) -> None:
    phone = Phone(shop)
    sale, count = sold(phone, 0, 1, payment_received=True), phone.recorded("cash_count", 0, cash="31.07")
    _, made = phone.push(sale, count)
    sign_off(shop, "cash-counts", made["id"])
    url = f"/api/payments/{Payment.objects.get().pk}/reverse/"
    assert shop.client_of(shop.admin).post(url, {"reason": "Wrong stall"}).status_code == 201
    assert [each.shown for each in Discrepancy.objects.all()] == ["S$ -31.07"]


def test_a_count_is_kept_once_however_often_it_is_sent(shop: Shop) -> None:
    phone = Phone(shop)
    count, cash = counted(phone, 0, 20), phone.recorded("cash_count", 0, cash="0.00")
    assert [made["status"] for made in phone.push(count, cash)] == ["created", "created"]
    assert [made["status"] for made in phone.push(count, cash)] == ["duplicate", "duplicate"]
    assert Count.objects.filter(kind="VEHICLE").count() == CashCount.objects.count() == 1


def pending_of(shop: Shop, kind: str, pk: int) -> list[Json]:
    rows: list[Json] = shop.client_of(shop.admin).get(f"/api/{kind}/{pk}/").json()["pending"]
    return rows


def test_who_signs_off_sees_what_has_not_come_yet(shop: Shop) -> None:
    phone = Phone(shop)
    refused = sold(phone, 5, 900)
    sold(phone, 4, 1)
    results = phone.push(refused, counted(phone, 0, 20))
    assert [made["status"] for made in results] == ["rejected", "created"]
    name, conflict = shop.driver.username, SyncConflict.objects.get()
    device = Device.objects.get()
    assert conflict.corrected_at is not None
    assert pending_of(shop, "vehicle-counts", results[1]["id"]) == [
        {
            "detail": f"transaction.create of {name}, {in_words(conflict.corrected_at)}, was refused and is kept "
            "(insufficient_stock)",
            "code": "insufficient_stock",
            "user": shop.driver.pk,
            "occurred_at": conflict.corrected_at.astimezone(SINGAPORE).isoformat(),
            "entity_type": "sync.syncconflict",
            "entity_id": conflict.pk,
        },
        {
            "detail": f"operations of {name} have not come from their device, last heard {in_words(device.heard_at)}: 2",
            "code": "",
            "user": shop.driver.pk,
            "occurred_at": None,
            "entity_type": "sync.device",
            "entity_id": device.pk,
        },
    ]


def test_what_can_not_change_a_count_is_not_on_its_way_to_it(shop: Shop) -> None:
    """After it, numbered above it, of another vehicle, of another operation's id, or no goods at all."""
    phone, other = Phone(shop), Phone(shop, "phone-2")
    shop.count("vehicle", VehicleFactory(depot=shop.depot, number="GBX1A").number, 5)
    used = sold(phone, 60, 1)
    twice = {**used, "data": {**used["data"], "remarks": "again"}}
    early = sold(phone, 50, 900, vehicle=shop.driver.vehicle_no.lower())
    elsewhere = sold(phone, 49, 900, vehicle="GBX1A")
    goods_alone = phone.recorded("transaction.create", 48, customer=99_999, current_meter="5.00")
    count, cash = counted(phone, 30, 20), phone.recorded("cash_count", 30, cash="0.00")
    above, late = sold(phone, 40, 900), sold(phone, 10, 900)
    made = phone.push(used, twice, early, elsewhere, goods_alone, count, cash, above, late)
    theirs = other.push(sold(other, 40, 900), sold(other, 10, 900))
    by_id = {each["conflict"]: each["client_temp_id"] for each in [*made, *theirs] if each["conflict"]}
    pending = pending_of(shop, "vehicle-counts", made[5]["id"])
    assert [by_id[each["entity_id"]] for each in pending] == ["phone-1-2", "phone-2-1"]
    assert pending_of(shop, "cash-counts", made[6]["id"]) == [], "nothing of it was paid on the spot"


def test_what_is_on_its_way_to_another_s_count_of_the_same_vehicle_is_told(shop: Shop) -> None:
    phone, colleague = Phone(shop), DriverFactory(depot=shop.depot)
    phone.push(sold(phone, 20, 900), sold(phone, 19, 900, payment_received=True))
    body: Json = {"vehicle": shop.driver.vehicle_no, "counts": []}
    made = shop.client_of(colleague).post("/api/vehicle-counts/", body).json()
    assert len(pending_of(shop, "vehicle-counts", made["id"])) == 2
    own = shop.client_of(shop.driver).post("/api/cash-counts/", {"cash": "0.00"}).json()
    assert len(pending_of(shop, "cash-counts", own["id"])) == 1
    theirs = shop.client_of(colleague).post("/api/cash-counts/", {"cash": "0.00"}).json()
    assert pending_of(shop, "cash-counts", theirs["id"]) == []


@pytest.mark.parametrize("named", [True, False])
def test_a_load_that_is_kept_is_on_its_way_to_the_count_of_its_vehicle(shop: Shop, named: bool) -> None:
    phone = Phone(shop)
    shop.count("vehicle", VehicleFactory(depot=shop.depot, number="GBX1A").number, 5)
    item = {"equipment": shop.cylinder.pk, "direction": "OUT", "condition": "FULL", "quantity": 999}
    more = {"vehicle": "gbx 1a"} if named else {}
    load = phone.recorded("distribution.create", 20, depot=shop.depot.pk, items=[item], **more)
    confirmed = phone.recorded("distribution.confirm", 19, distribution=load["client_temp_id"])
    assert [each["status"] for each in phone.push(load, confirmed)] == ["created", "rejected"]
    body: Json = {"vehicle": "GBX1A" if named else shop.driver.vehicle_no, "counts": []}
    made = shop.client_of(shop.admin).post("/api/vehicle-counts/", body).json()
    assert [each["code"] for each in pending_of(shop, "vehicle-counts", made["id"])] == ["insufficient_stock"]
    other: Json = {"vehicle": shop.driver.vehicle_no if named else "GBX1A", "counts": []}
    made = shop.client_of(shop.admin).post("/api/vehicle-counts/", other).json()
    assert pending_of(shop, "vehicle-counts", made["id"]) == []


def test_the_office_links_what_is_on_its_way_for_who_may_open_it(shop: Shop) -> None:
    phone = Phone(shop)
    [refused, made] = phone.push(sold(phone, 5, 900), counted(phone, 0, 20))
    link = f'<a href="{url("sync.syncconflict", "change", refused["conflict"])}">'
    count = Count.objects.get(pk=made["id"])
    for role, is_told in ((Role.SUPERVISOR, True), (Role.DEPOT_STAFF, False)):
        office = logged_in(UserFactory(role=role, depot=shop.depot))
        for page in (
            office.get(url("inventory.count", "change", count.pk)).content.decode(),
            chosen(office, "inventory.count", "sign_off", count).content.decode(),
        ):
            assert ("was refused and is kept" in page) is is_told
            assert (link in page) is is_told
            # Who signs off knows that something may change it, and asks who may see that.
            assert ("1 other, which you may not see" in page) is not is_told


def test_each_reader_is_told_what_they_may_see_and_how_many_others_there_are(shop: Shop) -> None:
    """A colleague counted the vehicle; its driver's operation was refused, and another one has not come."""
    phone, colleague = Phone(shop), DriverFactory(depot=shop.depot)
    sold(phone, 21, 1)
    phone.push(sold(phone, 20, 900))
    line: Json = {"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 2}
    made = shop.client_of(colleague).post("/api/vehicle-counts/", {"vehicle": shop.driver.vehicle_no, "counts": [line]})
    counted = made.json()
    assert (counted["pending"], counted["pending_others"]) == ([], 2)

    def told(user: User) -> tuple[list[str], int]:
        read = shop.client_of(user).get(f"/api/vehicle-counts/{counted['id']}/").json()
        return [each["entity_type"] for each in read["pending"]], read["pending_others"]

    staff = UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot)
    of_the_depot = UserFactory(role=Role.SUPERVISOR, depot=shop.depot)
    assert told(shop.admin) == told(of_the_depot) == (["sync.syncconflict", "sync.device"], 0)
    assert told(colleague) == told(staff) == ([], 2)
    listed = shop.client_of(shop.admin).get("/api/vehicle-counts/").json()["results"]
    assert [(row["pending"], row["pending_others"]) for row in listed] == [(None, None)]
    # More left after it than was counted: why that may be is told likewise.
    phone.push(sold(phone, 0, 5))
    for user, is_named in ((staff, False), (of_the_depot, True)):
        refused = shop.client_of(user).post(f"/api/vehicle-counts/{counted['id']}/sign-off/", {})
        assert error_of(refused)[:2] == (409, "count_contradicted")
        detail = refused.json()["errors"][0]["detail"]
        assert (f"transaction.create of {shop.driver.username}" in detail) is is_named
        assert ("Still on its way: 2 others, which you may not see." in detail) is not is_named


def test_what_of_a_bag_s_is_on_its_way_is_told_to_who_may_see_it(shop: Shop) -> None:
    phone = Phone(shop)
    phone.push(sold(phone, 20, 900, payment_received=True))
    own = shop.client_of(shop.driver).post("/api/cash-counts/", {"cash": "0.00"}).json()
    assert (len(own["pending"]), own["pending_others"]) == (1, 0)
    staff = UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot)
    read = shop.client_of(staff).get(f"/api/cash-counts/{own['id']}/").json()
    assert (read["pending"], read["pending_others"]) == ([], 1)
    asked = chosen(logged_in(staff), "payments.cashcount", "sign_off", CashCount.objects.get()).content.decode()
    assert "Still on its way: 1 other, which you may not see" in asked


def test_who_pushed_it_and_may_open_no_page_of_it_has_no_link(shop: Shop) -> None:
    staff = UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot)
    phone = Phone(replace(shop, driver=staff))
    item = {"equipment": shop.cylinder.pk, "direction": "OUT", "condition": "FULL", "quantity": 999}
    vehicle = shop.driver.vehicle_no
    load = phone.recorded("distribution.create", 20, depot=shop.depot.pk, items=[item], vehicle=vehicle)
    phone.push(load, phone.recorded("distribution.confirm", 19, distribution=load["client_temp_id"]))
    made = shop.client_of(shop.driver).post("/api/vehicle-counts/", {"counts": []}).json()
    page = logged_in(staff).get(url("inventory.count", "change", made["id"])).content.decode()
    assert "distribution.confirm" in page
    assert "/admin/sync/" not in page


def test_a_count_is_compared_without_what_moves_behind_it(shop: Shop) -> None:
    """What will be written is what is shown: its device numbered the sale above it, whatever the clock says."""
    phone = Phone(shop)
    count, cash = counted(phone, 10, 18), phone.recorded("cash_count", 10, cash="0.00")
    above = sold(phone, 20, 3, payment_received=True)
    results = phone.push(count, cash, above)
    assert [each["status"] for each in results] == ["created"] * 3
    office = shop.client_of(shop.admin)
    shown, bag = (
        office.get(f"/api/{kind}/{results[place]['id']}/").json()
        for place, kind in enumerate(("vehicle-counts", "cash-counts"))
    )
    assert [(line["expected"], line["variance"]) for line in shown["lines"]] == [(20, -2)]
    assert bag["expected"] == "0.00"
    for place, kind in enumerate(("vehicle-counts", "cash-counts")):
        sign_off(shop, kind, results[place]["id"])
    signed, handed_in = (
        office.get(f"/api/{kind}/{results[place]['id']}/").json()
        for place, kind in enumerate(("vehicle-counts", "cash-counts"))
    )
    assert signed["lines"] == shown["lines"]
    assert handed_in["expected"] == bag["expected"]
    assert on_vehicle(shop) == 15


def test_so_it_is_where_what_moves_stood_before_an_earlier_count(shop: Shop) -> None:
    phone, colleague = Phone(shop), DriverFactory(depot=shop.depot)
    line = {"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 19}
    body: Json = {"vehicle": shop.driver.vehicle_no, "counts": [line]}
    moment = (now() - timedelta(minutes=30)).isoformat()
    earlier = shop.client_of(colleague).post("/api/vehicle-counts/", {**body, "occurred_at": moment}).json()
    sign_off(shop, "vehicle-counts", earlier["id"])
    results = phone.push(counted(phone, 10, 16), sold(phone, 40, 3), sold(phone, 20, 2))
    assert [each["status"] for each in results] == ["created"] * 3
    address = f"/api/vehicle-counts/{results[0]['id']}/"
    office = shop.client_of(shop.admin)
    [shown] = office.get(address).json()["lines"]
    assert (shown["expected"], shown["variance"]) == (19, -3)
    sign_off(shop, "vehicle-counts", results[0]["id"])
    assert office.get(address).json()["lines"] == [shown]


def test_a_contradicted_count_says_what_may_be_on_its_way(shop: Shop) -> None:
    """More was sold after it than was counted: it was miscounted, or a load before it is still to come."""
    phone = Phone(shop)
    made = phone.push(sold(phone, 40, 900), counted(phone, 30, 2), sold(phone, 10, 5))
    answer = shop.client_of(shop.admin).post(f"/api/vehicle-counts/{made[1]['id']}/sign-off/", {})
    assert error_of(answer)[:2] == (409, "count_contradicted")
    detail = answer.json()["errors"][0]["detail"]
    assert "Either a load before it has not arrived yet" in detail
    assert "count again" in detail
    assert f"Still on its way: transaction.create of {shop.driver.username}" in detail


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


def test_what_is_dated_before_a_signed_count_is_noted_whatever_its_device_says(shop: Shop) -> None:
    """A late sale could explain what was missing: somebody should look."""
    phone = Phone(shop)
    sale = sold(phone, 30, 1)
    [made] = phone.push(counted(phone, 10, 19))
    sign_off(shop, "vehicle-counts", made["id"])
    second = Phone(shop, "phone-2")
    other = sold(second, 20, 1)
    assert [each["code"] for each in phone.push(sale)[0]["discrepancies"]] == ["after_count"]
    assert [each["code"] for each in second.push(other)[0]["discrepancies"]] == ["after_count"]
    past = (now() - timedelta(minutes=20)).isoformat()
    assert shop.sell({"type": "SALE"}, occurred_at=past).status_code == 201
    assert Discrepancy.objects.filter(code="after_count").count() == 3
    assert on_vehicle(shop) == 19


@pytest.mark.parametrize("offset", [-3600, None])
def test_a_count_by_a_wrong_clock_is_of_the_moment_that_the_server_understands(shop: Shop, offset: int | None) -> None:
    """Its phone is an hour ahead; the sale after it, by the right clock, is after it."""
    phone, second, ahead = Phone(shop), Phone(shop, "phone-2"), now() + timedelta(hours=1)
    count = {**counted(phone, 20, 20), "clock_offset_s": offset}
    count["occurred_at"] = (ahead - timedelta(minutes=20)).isoformat()
    body = {"protocol": 2, "sent_at": ahead.isoformat(), "device": {"id": "phone-1", "last_number": 1}}
    answer = shop.client_of(shop.driver).post("/api/sync/push/", {**body, "operations": [count]})
    [made] = answer.json()["results"]
    second.push(sold(second, 10, 3))
    moment = Count.objects.get(pk=made["id"]).occurred_at
    assert abs(moment - (now() - timedelta(minutes=20))) < timedelta(seconds=30)
    sign_off(shop, "vehicle-counts", made["id"])
    assert on_vehicle(shop) == 17


def test_what_left_before_its_load_by_their_times_is_expected_as_less_than_nothing(shop: Shop) -> None:
    """No figure is made up: the load is dated after the count, and what it brought had left before."""
    phone, at = Phone(shop), (now() - timedelta(minutes=10)).isoformat()
    draft = shop.draft({"direction": "OUT", "quantity": 1}, occurred_at=at).json()["id"]
    assert shop.confirm(draft).status_code == 200
    _, made = phone.push(sold(phone, 30, 21), counted(phone, 20, 0))
    address, office = f"/api/vehicle-counts/{made['id']}/", shop.client_of(shop.admin)
    [line] = office.get(address).json()["lines"]
    assert (line["expected"], line["variance"]) == (-1, 1)
    sign_off(shop, "vehicle-counts", made["id"])
    assert office.get(address).json()["lines"] == [line]
    assert on_vehicle(shop) == 1


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


def test_cash_that_moves_behind_its_count_is_noted(shop: Shop) -> None:
    phone, service = Phone(shop), EquipmentFactory(default_rate="10.00")
    count = phone.recorded("cash_count", 0, cash="0.00")
    items = [{"equipment": service.pk, "type": "SERVICE", "quantity": 1}]
    sale = phone.recorded("transaction.create", 3, customer=shop.customer.pk, items=items, payment_received=True)
    made, _ = phone.push(count, sale)
    sign_off(shop, "cash-counts", made["id"])
    assert [noted.code for noted in Discrepancy.objects.all()] == ["after_count"]


def test_a_void_of_what_never_left_names_the_time_of_the_sale(shop: Shop) -> None:
    phone = Phone(shop)
    sale = sold(phone, 20, 2)
    [made] = phone.push(sale)
    [counted_now] = phone.push(counted(phone, 0, 20))
    sign_off(shop, "vehicle-counts", counted_now["id"])
    voided = shop.client_of(shop.admin).post(
        f"/api/transactions/{made['id']}/void/", {"reason": "A slip", "goods": "never_left"}
    )
    assert voided.status_code == 201
    [noted] = Discrepancy.objects.all()
    assert noted.shown == in_words(datetime.fromisoformat(sale["occurred_at"]))


def test_a_withdrawal_is_left_on_record(shop: Shop) -> None:
    phone = Phone(shop)
    phone.push(phone.recorded("withdrawn", 0))
    evidence = AuditLog.objects.get(action="sync.operation.withdrawn").after
    assert evidence == {"number": 1, "client_temp_id": "phone-1-1"}


def test_what_explains_a_signed_stock_take_is_noted(shop: Shop) -> None:
    past = (now() - timedelta(minutes=30)).isoformat()
    line = {"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 95}
    body = {"depot": shop.depot.pk, "reason": "Monthly", "items": [line]}
    assert shop.client_of(shop.admin).post("/api/depot-work/stock-take/", body).status_code == 201
    draft = shop.draft({"direction": "OUT", "quantity": 5}, occurred_at=past).json()["id"]
    assert shop.confirm(draft).status_code == 200
    assert [noted.code for noted in Discrepancy.objects.all()] == ["after_count"]


def handed_in(shop: Shop, *counts: int) -> list[str]:
    client = shop.client_of(shop.admin)
    return [client.get(f"/api/cash-counts/{pk}/").json()["expected"] for pk in counts]


def test_a_count_that_moves_leaves_its_cash_to_the_one_before(shop: Shop) -> None:
    """Its clock was set back: it was made after both others, and was signed first."""
    phone = Phone(shop)
    phone.push(sold(phone, 110, 1, payment_received=True))
    at = (now() - timedelta(minutes=84)).isoformat()
    first = shop.client_of(shop.driver).post("/api/cash-counts/", {"cash": "0.00", "occurred_at": at}).json()["id"]
    second, last = phone.recorded("cash_count", 80, cash="0.00"), phone.recorded("cash_count", 100, cash="31.07")
    made = [each["id"] for each in phone.push(second, last)]
    for pk in (made[1], first, made[0]):
        sign_off(shop, "cash-counts", pk)
    assert handed_in(shop, first, *made) == ["31.07", "0.00", "0.00"]


def test_a_hand_in_that_changes_a_signed_one_says_so(shop: Shop) -> None:
    phone = Phone(shop)
    phone.push(sold(phone, 60, 1, payment_received=True))
    first, second = phone.recorded("cash_count", 30, cash="31.07"), phone.recorded("cash_count", 10, cash="0.00")
    [later] = phone.push(second)
    sign_off(shop, "cash-counts", later["id"])
    assert not Discrepancy.objects.exists()
    [earlier] = phone.push(first)
    sign_off(shop, "cash-counts", earlier["id"])
    [noted] = Discrepancy.objects.all()
    assert (noted.code, noted.shown, noted.billed) == ("after_count", later["number"], earlier["number"])
    assert handed_in(shop, earlier["id"], later["id"]) == ["31.07", "0.00"]
