"""A count is the truth of its moment, in whatever order things arrive."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit.models import AuditLog
from discrepancies.models import Discrepancy
from fleet.models import Vehicle
from foundation import clock, remains
from foundation.access.capabilities import Role
from foundation.errors import Denied, Invalid
from foundation.operations.idempotency import Operation, named
from foundation.operations.models import ClientOperation
from foundation.operations.occurrence import Approval
from foundation.remains import UnderWay
from inventory.models import Count, StockMovement
from inventory.services import (
    CountedLine,
    NewVehicleCount,
    lines_seen_by,
    record_vehicle_count,
    reject_count,
    sign_off_count,
)
from sync.models import Device
from tests.conftest import Shop, error_of
from tests.factories import DepotFactory, DriverFactory, EquipmentFactory, UserFactory, VehicleFactory
from tests.inventory.days import at, moment, opened, require_right_books
from tests.types import Answer, Json, Unchanged
from transactions.models import Transaction
from transactions.pricing import SaleItem
from transactions.services import NewSale, create_customer_transaction_and_invoice

__all__ = ["opened"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _books_are_right(db: None) -> Iterator[None]:
    yield
    require_right_books()


def count(shop: Shop, full: int | None, by: User | None = None, **more: Any) -> Json:
    lines = [] if full is None else [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": full}]
    answer = shop.client_of(by or shop.driver).post("/api/vehicle-counts/", {"counts": lines, **more})
    assert answer.status_code == 201, answer.content
    made: Json = answer.json()
    return made


def decide(shop: Shop, counted: Json, what: str = "sign-off", by: User | None = None, **body: Any) -> Answer:
    return shop.client_of(by or shop.admin).post(f"/api/vehicle-counts/{counted['id']}/{what}/", body)


def sign(shop: Shop, counted: Json, by: User | None = None) -> Json:
    answer = decide(shop, counted, by=by)
    assert answer.status_code == 200, answer.content
    signed: Json = answer.json()
    return signed


def on_vehicle(shop: Shop, condition: str = "FULL") -> int:
    return shop.stock(condition, vehicle_no=shop.driver.vehicle_no)


def sell(shop: Shop, quantity: int, **more: Any) -> Json:
    answer = shop.sell({"type": "SALE", "quantity": quantity}, **more)
    assert answer.status_code == 201, answer.content
    sold: Json = answer.json()
    return sold


def posted(counted: Json) -> list[tuple[str, int]]:
    """What was posted for a count: why, and how many pieces it brought."""
    rows = StockMovement.objects.filter(count=counted["id"]).order_by("pk")
    return [(row.kind, row.quantity if row.from_location.kind == "OUTSIDE" else -row.quantity) for row in rows]


# --- What a count says ----------------------------------------------------------------------------


def test_nothing_moves_before_a_count_is_signed_off(opened: Shop) -> None:
    with at(18):
        counted = count(opened, 18)
        assert (counted["status"], on_vehicle(opened)) == ("COUNTED", 20)
        signed = sign(opened, counted)
    [line] = signed["lines"]
    assert (line["quantity"], line["expected"], line["variance"]) == (18, 20, -2)
    assert (signed["status"], signed["vehicle"], signed["decided_by"]) == (
        "SIGNED_OFF",
        opened.driver.vehicle_no,
        opened.admin.pk,
    )
    assert on_vehicle(opened) == 18
    assert posted(counted) == [("VARIANCE", -2)]


def test_a_signed_count_says_what_came_after_the_signature(opened: Shop) -> None:
    other, client = EquipmentFactory(), opened.client_of(opened.admin)
    with at(18):
        signed, same = sign(opened, count(opened, 18)), None
        assert [line["variance_now"] for line in signed["lines"]] == [-2]
    with at(19):
        same = sign(opened, count(opened, 18))
        sell(opened, 2, occurred_at=moment(12).isoformat())
        load = opened.draft(
            {"direction": "OUT", "equipment": other.pk, "quantity": 3}, occurred_at=moment(12).isoformat()
        )
        opened.stocked("depot", opened.depot.pk, 9, equipment_id=other.pk)
        assert opened.confirm(load.json()["id"]).status_code == 200
    with at(20):
        missed = sign(opened, count(opened, 17))
        assert sum(line["variance_now"] for line in missed["lines"]) == -1
    lines = client.get(f"/api/vehicle-counts/{signed['id']}/").json()["lines"]
    told = {line["sku"]: (line["quantity"], line["variance"], line["variance_now"]) for line in lines}
    assert told == {opened.cylinder.sku: (18, -2, 0), other.sku: (0, 0, -3)}
    listed = {
        value: [row["id"] for row in client.get("/api/vehicle-counts/", {"changed": value}).json()["results"]]
        for value in ("true", "false")
    }
    assert listed == {"true": [signed["id"]], "false": [missed["id"], same["id"]]}


def test_a_count_covers_what_nobody_named(opened: Shop) -> None:
    other = EquipmentFactory()
    with at(7):
        opened.count("vehicle", opened.driver.vehicle_no, 3, equipment_id=other.pk, condition="DAMAGED")
    with at(18):
        signed = sign(opened, count(opened, 20))
    assert opened.stock("DAMAGED", equipment=other, vehicle_no=opened.driver.vehicle_no) == 0
    lines = {(line["sku"], line["condition"]): (line["quantity"], line["expected"]) for line in signed["lines"]}
    assert lines == {(opened.cylinder.sku, "FULL"): (20, 20), (other.sku, "DAMAGED"): (0, 3)}


def test_the_vehicle_sells_on_between_a_count_and_its_signature(opened: Shop) -> None:
    with at(12):
        counted = count(opened, 18)
    with at(15):
        sell(opened, 5)
    with at(18):
        sign(opened, counted)
    assert on_vehicle(opened) == 13


def test_a_count_that_comes_late_leaves_later_sales_alone(opened: Shop) -> None:
    with at(15):
        sell(opened, 5)
    with at(18):
        sign(opened, count(opened, 18, occurred_at=moment(12).isoformat()))
    assert on_vehicle(opened) == 13


def test_a_contradicted_count_names_what_left_after_it(opened: Shop, nothing_changes: Unchanged) -> None:
    with at(15):
        sell(opened, 5)
    with at(18):
        counted = count(opened, 3, occurred_at=moment(12).isoformat())
        with nothing_changes():
            answer = decide(opened, counted)
        assert error_of(answer) == (409, "count_contradicted", None)
        detail = answer.json()["errors"][0]["detail"]
        assert f"sold 5 {opened.cylinder.sku} at 20 Jan 15:00" in detail
        assert decide(opened, counted, "reject", remarks="More was sold since").status_code == 200


# --- What comes late ------------------------------------------------------------------------------


def test_a_late_sale_before_a_signed_count_was_counted_already(opened: Shop) -> None:
    with at(18):
        counted = count(opened, 18)
        sign(opened, counted)
    with at(20):
        sell(opened, 2, occurred_at=moment(11).isoformat())
    assert on_vehicle(opened) == 18
    assert opened.stock(customer=opened.customer) == 2
    assert posted(counted) == [("VARIANCE", -2), ("COMPENSATION", 2)]


def test_a_late_sale_after_a_signed_count_moves_the_vehicle(opened: Shop) -> None:
    with at(12):
        counted = count(opened, 20)
        sign(opened, counted)
    with at(20):
        sell(opened, 2, occurred_at=moment(12, 30).isoformat())
    assert on_vehicle(opened) == 18
    assert posted(counted) == []


def test_a_sale_of_the_same_moment_comes_before_the_count(opened: Shop) -> None:
    with at(12):
        sign(opened, count(opened, 18))
    with at(20):
        sell(opened, 2, occurred_at=moment(12).isoformat())
    assert on_vehicle(opened) == 18


def test_a_late_load_is_compensated_at_both_ends_where_both_were_counted(opened: Shop) -> None:
    with at(12):
        opened.count("depot", opened.depot.pk, 90)
        sign(opened, count(opened, 30))
    with at(18):
        draft = opened.draft({"direction": "OUT", "quantity": 10}, occurred_at=moment(9).isoformat()).json()
        assert opened.confirm(draft["id"]).status_code == 200
    assert (opened.stock(depot=opened.depot), on_vehicle(opened)) == (90, 30)


def test_a_late_load_is_compensated_only_where_it_was_counted(opened: Shop) -> None:
    with at(12):
        sign(opened, count(opened, 30))
    with at(18):
        draft = opened.draft({"direction": "OUT", "quantity": 10}, occurred_at=moment(9).isoformat()).json()
        assert opened.confirm(draft["id"]).status_code == 200
    assert (opened.stock(depot=opened.depot), on_vehicle(opened)) == (90, 30)
    with at(19):
        draft = opened.draft({"direction": "OUT", "quantity": 5}, occurred_at=moment(13).isoformat()).json()
        assert opened.confirm(draft["id"]).status_code == 200
    assert (opened.stock(depot=opened.depot), on_vehicle(opened)) == (85, 35)


def test_a_late_sale_is_compensated_once_against_the_first_count_after_it(opened: Shop) -> None:
    counts = []
    for hour, full in ((12, 18), (18, 17)):
        with at(hour):
            counts.append(count(opened, full))
            sign(opened, counts[-1])
    with at(20):
        sell(opened, 2, occurred_at=moment(11).isoformat())
    assert on_vehicle(opened) == 17
    assert [posted(each) for each in counts] == [[("VARIANCE", -2), ("COMPENSATION", 2)], [("VARIANCE", -1)]]


def test_more_than_was_there_may_be_sold_late_where_the_count_covers_it(opened: Shop) -> None:
    """The stock is checked after the movement and what compensates it together."""
    with at(12):
        sign(opened, count(opened, 0))
    with at(18):
        sell(opened, 20, occurred_at=moment(11).isoformat())
    assert on_vehicle(opened) == 0


def test_a_count_that_comes_late_takes_its_difference_from_the_next_one(opened: Shop) -> None:
    with at(18):
        later = count(opened, 17)
        sign(opened, later)
    with at(20):
        earlier = count(opened, 18, occurred_at=moment(12).isoformat())
        sign(opened, earlier)
    assert on_vehicle(opened) == 17
    assert posted(later) == [("VARIANCE", -3), ("COMPENSATION", 2)]
    assert posted(earlier) == [("VARIANCE", -2)]


def test_a_correction_is_a_count(opened: Shop) -> None:
    with at(12):
        assert opened.count("vehicle", opened.driver.vehicle_no, 15).json()["quantity"] == 15
    with at(18):
        sell(opened, 2, occurred_at=moment(11).isoformat())
    assert on_vehicle(opened) == 15
    correction = Count.objects.latest("pk")
    assert (correction.kind, correction.status, correction.remarks) == ("CORRECTION", "SIGNED_OFF", "Counted")
    assert [(line.quantity, line.expected) for line in correction.lines.all()] == [(15, 20)]


def test_a_stock_take_says_when_it_was_counted(opened: Shop) -> None:
    with at(15):
        assert opened.confirm(opened.draft({"direction": "OUT", "quantity": 10}).json()["id"]).status_code == 200
    item = {"equipment": opened.cylinder.pk, "condition": "FULL", "quantity": 95}
    body = {"depot": opened.depot.pk, "reason": "Month's end", "items": [item]}
    with at(18):
        take = opened.client_of(opened.admin).post(
            "/api/depot-work/stock-take/", {**body, "counted_at": moment(12).isoformat()}
        )
    assert take.status_code == 201, take.content
    assert take.json()["items"][0]["expected"] == 100
    assert opened.stock(depot=opened.depot) == 85


def test_a_stock_take_counts_only_what_it_names(opened: Shop) -> None:
    with at(7):
        opened.count("depot", opened.depot.pk, 4, condition="EMPTY")
    item = {"equipment": opened.cylinder.pk, "condition": "FULL", "quantity": 95}
    with at(12):
        body = {"depot": opened.depot.pk, "reason": "Month's end", "items": [item]}
        assert opened.client_of(opened.admin).post("/api/depot-work/stock-take/", body).status_code == 201
    assert (opened.stock(depot=opened.depot), opened.stock("EMPTY", depot=opened.depot)) == (95, 4)


def test_a_contradicted_stock_take_is_refused(opened: Shop, nothing_changes: Unchanged) -> None:
    with at(15):
        assert opened.confirm(opened.draft({"direction": "OUT", "quantity": 10}).json()["id"]).status_code == 200
    item = {"equipment": opened.cylinder.pk, "condition": "FULL", "quantity": 5}
    body = {"depot": opened.depot.pk, "reason": "x", "items": [item], "counted_at": moment(12).isoformat()}
    with at(18), nothing_changes():
        answer = opened.client_of(opened.admin).post("/api/depot-work/stock-take/", body)
        assert error_of(answer) == (409, "count_contradicted", None)


def test_what_moved_between_two_counts_is_no_variance_of_the_earlier_one(opened: Shop) -> None:
    with at(15):
        sell(opened, 5)
    with at(18):
        sign(opened, count(opened, 15))
        earlier = count(opened, 20, occurred_at=moment(12).isoformat())
        sign(opened, earlier)
    assert on_vehicle(opened) == 15
    assert posted(earlier) == []


def test_a_load_of_what_a_count_did_not_name_was_not_there(opened: Shop) -> None:
    other = EquipmentFactory()
    with at(7):
        opened.count("depot", opened.depot.pk, 9, equipment_id=other.pk)
    with at(12):
        sign(opened, count(opened, 20))
    with at(18):
        item = {"direction": "OUT", "quantity": 4, "equipment": other.pk}
        draft = opened.draft(item, occurred_at=moment(9).isoformat()).json()
        assert opened.confirm(draft["id"]).status_code == 200
    assert opened.stock(equipment=other, vehicle_no=opened.driver.vehicle_no) == 0


def test_a_stock_take_leaves_what_it_does_not_name_to_what_comes_late(opened: Shop) -> None:
    with at(7):
        opened.count("depot", opened.depot.pk, 4, condition="EMPTY")
    item = {"equipment": opened.cylinder.pk, "condition": "FULL", "quantity": 100}
    with at(12):
        body = {"depot": opened.depot.pk, "reason": "Month's end", "items": [item]}
        assert opened.client_of(opened.admin).post("/api/depot-work/stock-take/", body).status_code == 201
    with at(18):
        work = {"kind": "SCRAP", "depot": opened.depot.pk, "reason": "Rust", "occurred_at": moment(9).isoformat()}
        work["items"] = [{**item, "condition": "EMPTY", "quantity": 3}]
        assert opened.client_of(opened.admin).post("/api/depot-work/", work).status_code == 201
    assert (opened.stock(depot=opened.depot), opened.stock("EMPTY", depot=opened.depot)) == (100, 1)


def test_what_happens_now_comes_after_a_count_of_the_same_instant(opened: Shop) -> None:
    with at(12):
        sign(opened, count(opened, 18))
        sell(opened, 2)
    assert on_vehicle(opened) == 16


def test_a_count_of_now_comes_after_what_was_recorded_in_the_same_instant(opened: Shop) -> None:
    with at(12):
        sign(opened, count(opened, 20))
        sell(opened, 2)
        [line] = sign(opened, count(opened, 18))["lines"]
    assert (line["expected"], line["variance"], on_vehicle(opened)) == (18, 0, 18)


def test_a_count_of_long_ago_is_refused_and_can_be_approved(opened: Shop) -> None:
    long_ago = moment(12) - timedelta(days=8)
    with at(12):
        refused = opened.client_of(opened.driver).post(
            "/api/vehicle-counts/", {"counts": [], "occurred_at": long_ago.isoformat()}
        )
        assert error_of(refused) == (409, "occurred_at_out_of_range", "occurred_at")
        data = NewVehicleCount(occurred_at=long_ago)
        made = record_vehicle_count(actor=opened.driver, data=data, approval=Approval(by=opened.admin))
    assert made.occurred_at == long_ago


def test_a_stock_take_of_long_ago_is_refused(opened: Shop, nothing_changes: Unchanged) -> None:
    item = {"equipment": opened.cylinder.pk, "condition": "FULL", "quantity": 95}
    long_ago = (moment(12) - timedelta(days=8)).isoformat()
    body = {"depot": opened.depot.pk, "reason": "x", "items": [item], "counted_at": long_ago}
    with at(12), nothing_changes():
        answer = opened.client_of(opened.admin).post("/api/depot-work/stock-take/", body)
        assert error_of(answer)[:2] == (409, "occurred_at_out_of_range")


def test_a_count_of_a_depot_is_that_depots(opened: Shop) -> None:
    other = DepotFactory()
    with at(12):
        opened.count("depot", other.pk, 3)
    assert Count.objects.latest("pk").depot == other


# --- What one device numbered ---------------------------------------------------------------------


def _as_of_device(shop: Shop, number: int, device: str = "phone") -> Any:
    operation = Operation(
        user=shop.driver, client_temp_id=f"n{number}", type="test", sent={}, device=device, number=number
    )
    return named(operation)


def _counted_by_device(shop: Shop, full: int, number: int) -> Json:
    with _as_of_device(shop, number):
        data = NewVehicleCount((CountedLine(shop.cylinder.pk, "FULL", full),), occurred_at=moment(12))
        return {"id": record_vehicle_count(actor=shop.driver, data=data).pk}


def _sold_by_device(shop: Shop, quantity: int, number: int, device: str = "phone") -> None:
    with _as_of_device(shop, number, device):
        items = (SaleItem(shop.cylinder.pk, "SALE", quantity),)
        create_customer_transaction_and_invoice(
            actor=shop.driver, data=NewSale(customer=shop.customer.pk, items=items, occurred_at=moment(11))
        )


@pytest.mark.parametrize("is_signed_first", [True, False])
def test_what_a_device_numbered_above_its_count_can_not_explain_it(opened: Shop, is_signed_first: bool) -> None:
    """Whatever its clock said, and whichever comes first."""
    with at(13):
        counted = _counted_by_device(opened, 18, number=5)
        if is_signed_first:
            sign(opened, counted)
        _sold_by_device(opened, 2, number=6)
        if not is_signed_first:
            sign(opened, counted)
    assert on_vehicle(opened) == 16
    [line] = opened.client_of(opened.admin).get(f"/api/vehicle-counts/{counted['id']}/").json()["lines"]
    assert line["variance"] == -2


def test_what_a_device_numbered_below_its_count_explains_it(opened: Shop) -> None:
    with at(13):
        counted = _counted_by_device(opened, 18, number=5)
        sign(opened, counted)
        _sold_by_device(opened, 2, number=4)
    assert on_vehicle(opened) == 18


def test_what_another_device_numbered_explains_a_count(opened: Shop) -> None:
    with at(13):
        counted = _counted_by_device(opened, 18, number=5)
        sign(opened, counted)
        _sold_by_device(opened, 2, number=6, device="another phone")
    assert on_vehicle(opened) == 18


@pytest.mark.parametrize("goods", ["never_left", "came_back"])
def test_what_takes_back_a_sale_that_moves_behind_a_count_goes_with_it(opened: Shop, goods: str) -> None:
    with at(11, 20):
        _sold_by_device(opened, 2, number=6)
    with at(11, 30):
        _void(opened, {"transaction": {"id": Transaction.objects.get().pk}}, goods)
    with at(13):
        sign(opened, _counted_by_device(opened, 18, number=5))
    assert on_vehicle(opened) == 18


# --- Who counts and who decides -------------------------------------------------------------------


def test_two_users_of_one_vehicle_count_the_same_shortage_and_it_is_booked_once(opened: Shop) -> None:
    mate = DriverFactory(depot=opened.depot)
    with at(18):
        first = count(opened, 18)
    with at(18, 5):
        second = count(opened, 18, by=mate, vehicle=opened.driver.vehicle_no)
    with at(19):
        assert error_of(decide(opened, second)) == (409, "earlier_count_open", None)
        sign(opened, first)
        [line] = sign(opened, second)["lines"]
    assert (line["expected"], line["variance"], on_vehicle(opened)) == (18, 0, 18)


def test_counts_of_one_instant_are_decided_in_the_order_in_which_they_were_recorded(opened: Shop) -> None:
    mate = DriverFactory(depot=opened.depot)
    with at(18):
        first = count(opened, 18)
        second = count(opened, 18, by=mate, vehicle=opened.driver.vehicle_no)
    with at(19):
        assert error_of(decide(opened, second)) == (409, "earlier_count_open", None)
        sign(opened, first)
        [line] = sign(opened, second)["lines"]
    assert (line["expected"], line["variance"], on_vehicle(opened)) == (18, 0, 18)


def test_a_rejected_count_lets_the_next_one_be_decided(opened: Shop) -> None:
    with at(12):
        first = count(opened, 3)
    with at(18):
        second = count(opened, 19)
        assert decide(opened, first, "reject", remarks="The empties were forgotten").status_code == 200
        sign(opened, second)
    assert on_vehicle(opened) == 19


def test_an_open_count_of_one_vehicle_holds_up_no_other(opened: Shop) -> None:
    mate = DriverFactory(depot=opened.depot)
    with at(12):
        count(opened, 18)
    with at(18):
        assert sign(opened, count(opened, 0, by=mate))["pending"] == []


def test_a_rejected_count_leaves_nothing(opened: Shop) -> None:
    with at(12):
        counted = count(opened, 3)
        movements = StockMovement.objects.count()
        assert decide(opened, counted, "reject").status_code == 400, "it needs a reason"
        rejected = decide(opened, counted, "reject", remarks="Again").json()
        assert (rejected["status"], rejected["decision_remarks"]) == ("REJECTED", "Again")
        assert error_of(decide(opened, counted)) == (409, "count_decided", None)
        assert error_of(decide(opened, counted, "reject", remarks="x")) == (409, "count_decided", None)
        sell(opened, 2, occurred_at=moment(11).isoformat())
    assert StockMovement.objects.count() == movements + 1
    assert on_vehicle(opened) == 18
    assert AuditLog.objects.get(action="inventory.count.rejected").reason == "Again"


def test_nobody_signs_off_their_own_count(opened: Shop, nothing_changes: Unchanged) -> None:
    with at(12):
        own = count(opened, 20, by=opened.admin, vehicle=opened.driver.vehicle_no)
        with nothing_changes():
            assert error_of(decide(opened, own)) == (403, "permission_denied", None)
        taken_back = count(opened, 19, by=opened.admin, vehicle=opened.driver.vehicle_no)
        assert decide(opened, taken_back, "reject", remarks="A slip").json()["status"] == "REJECTED"
        assert decide(opened, own, by=UserFactory(role=Role.ADMIN)).status_code == 200


def test_who_counted_takes_a_mistake_back_before_anybody_decided(opened: Shop, nothing_changes: Unchanged) -> None:
    """For a reason, on record; what was decided stands, and a colleague's count is not theirs to take back."""
    colleague = DriverFactory(depot=opened.depot)
    with at(12):
        wrong, right = (count(opened, found) for found in (2, 20))
        with nothing_changes():
            assert decide(opened, wrong, "reject", by=opened.driver).status_code == 400, "it needs a reason"
            assert decide(opened, wrong, "reject", by=colleague, remarks="x").status_code == 404
            assert decide(opened, wrong, by=opened.driver).status_code == 403, "nobody signs off their own"
        taken_back = decide(opened, wrong, "reject", by=opened.driver, remarks="A slip").json()
        assert (taken_back["status"], taken_back["decided_by"]) == ("REJECTED", opened.driver.pk)
        assert decide(opened, right).status_code == 200
        with nothing_changes():
            assert error_of(decide(opened, right, "reject", by=opened.driver, remarks="x"))[:2] == (
                409,
                "count_decided",
            )
    said = AuditLog.objects.get(action="inventory.count.rejected")
    assert (said.user, said.reason) == (opened.driver, "A slip")


def test_a_count_says_what_it_found(opened: Shop, nothing_changes: Unchanged) -> None:
    """What was left out by mistake would empty the vehicle."""
    with nothing_changes():
        answer = opened.client_of(opened.driver).post("/api/vehicle-counts/", {})
    assert error_of(answer) == (400, "required", "counts")


def test_the_depot_of_a_counted_vehicle_hears_what_changed_its_count(opened: Shop) -> None:
    stranger = DriverFactory()
    boss = UserFactory(role=Role.SUPERVISOR, depot=opened.depot)
    with at(12):
        counted = count(opened, 20)
        sign(opened, counted)
    with at(15):
        sold = opened.sell(
            {"type": "SALE"}, by=stranger, vehicle=opened.driver.vehicle_no, occurred_at=moment(11).isoformat()
        )
        assert sold.status_code == 201, sold.json()
    listed = opened.client_of(boss).get("/api/discrepancies/", {"code": "after_count"}).json()["results"]
    assert [each["billed"] for each in listed] == [counted["count_number"]]


def test_who_has_no_vehicle_names_the_one_that_was_counted(opened: Shop) -> None:
    on_foot = UserFactory(depot=opened.depot)
    client = opened.client_of(on_foot)
    with at(12):
        assert error_of(client.post("/api/vehicle-counts/", {"counts": []})) == (400, "invalid", "vehicle")
        named_by = client.post("/api/vehicle-counts/", {"vehicle": opened.driver.vehicle_no.lower(), "counts": []})
    assert (named_by.status_code, named_by.json()["vehicle"]) == (201, opened.driver.vehicle_no)


def test_a_count_is_blind_for_its_counter_and_not_for_who_decides(opened: Shop) -> None:
    other = EquipmentFactory()
    with at(7):
        opened.count("vehicle", opened.driver.vehicle_no, 3, equipment_id=other.pk)
    with at(12):
        counted = count(opened, 18)
        address = f"/api/vehicle-counts/{counted['id']}/"
        own = opened.client_of(opened.driver).get(address).json()
        assert own == counted
        assert [(line["quantity"], line["expected"], line["variance"]) for line in own["lines"]] == [(18, None, None)]
        seen = opened.client_of(opened.admin).get(address).json()["lines"]
        assert [(line["sku"], line["quantity"], line["expected"], line["variance"]) for line in seen] == [
            (opened.cylinder.sku, 18, 20, -2),
            (other.sku, 0, 3, -3),
        ]
        sell(opened, 2, occurred_at=moment(11).isoformat())
        assert opened.client_of(opened.admin).get(address).json()["lines"][0]["variance"] == 0
        [line] = opened.client_of(opened.admin).get("/api/vehicle-counts/").json()["results"][0]["lines"]
        assert line["expected"] is None


def test_a_variance_is_shown_as_it_would_be_signed(opened: Shop) -> None:
    """Also where a later count stands already."""
    with at(18):
        sign(opened, count(opened, 17))
        earlier = count(opened, 18, occurred_at=moment(12).isoformat())
        address = f"/api/vehicle-counts/{earlier['id']}/"
        seen = opened.client_of(opened.admin).get(address).json()["lines"]
        assert sign(opened, earlier)["lines"] == seen
    assert [(line["expected"], line["variance"]) for line in seen] == [(20, -2)]


def test_who_may_not_decide_sees_no_variance(opened: Shop) -> None:
    with at(12):
        counted = Count.objects.get(pk=count(opened, 18)["id"])
    stranger = UserFactory(role=Role.SUPERVISOR)
    assert [line.variance for line in lines_seen_by(stranger, counted)] == [None]
    assert [line.variance for line in lines_seen_by(opened.admin, counted)] == [-2]


def test_the_command_itself_asks_who_decides(opened: Shop, nothing_changes: Unchanged) -> None:
    with at(12):
        counted = count(opened, 18)["id"]
        for stranger in (UserFactory(role=Role.SUPERVISOR), DriverFactory(depot=opened.depot)):
            with nothing_changes():
                with pytest.raises(Denied):
                    sign_off_count(actor=stranger, count_id=counted)
                with pytest.raises(Denied):
                    reject_count(actor=stranger, count_id=counted, remarks="x")


def test_the_command_itself_wants_to_know_why(opened: Shop, nothing_changes: Unchanged) -> None:
    with at(12):
        counted = count(opened, 18)["id"]
        with nothing_changes(), pytest.raises(Invalid):
            reject_count(actor=opened.admin, count_id=counted, remarks="  ")


def test_only_vehicle_counts_are_listed(opened: Shop) -> None:
    with at(12):
        counted = count(opened, 18)
    listed = opened.client_of(opened.admin).get("/api/vehicle-counts/").json()["results"]
    assert [row["id"] for row in listed] == [counted["id"]]
    correction = Count.objects.filter(kind="CORRECTION")[0]
    assert opened.client_of(opened.admin).get(f"/api/vehicle-counts/{correction.pk}/").status_code == 404


def test_a_count_says_what_is_still_on_its_way(opened: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    telling: dict[Any, Any] = remains._TELLING
    now = clock.now()
    device = Device.objects.create(user=opened.driver, key="phone-1", first_heard_at=now, heard_at=now, protocol=2)
    told = UnderWay("operation 17", user=7, entity="sync.device", entity_id=device.pk)
    monkeypatch.setitem(telling, Count, [lambda row: [told]])
    with at(12):
        counted = count(opened, 18)
    assert [each["detail"] for each in counted["pending"]] == ["operation 17"]
    listed = opened.client_of(opened.driver).get("/api/vehicle-counts/").json()["results"]
    assert listed[0]["pending"] is None


# --- What is taken back around a count ------------------------------------------------------------


def _void(shop: Shop, sale: Json, goods: str) -> None:
    address = f"/api/transactions/{sale['transaction']['id']}/void/"
    answer = shop.client_of(shop.admin).post(address, {"reason": "By mistake", "goods": goods})
    assert answer.status_code == 201, answer.content


def test_goods_that_never_left_were_counted(opened: Shop) -> None:
    """Two sold by mistake, twenty counted and signed off, voided: the books say twenty."""
    with at(10):
        sale = sell(opened, 2)
    with at(18):
        counted = count(opened, 20)
        sign(opened, counted)
    with at(19):
        _void(opened, sale, "never_left")
    assert on_vehicle(opened) == 20
    assert opened.stock(customer=opened.customer) == 0
    assert posted(counted) == [("VARIANCE", 2), ("COMPENSATION", -2)]


def test_goods_that_never_left_and_were_not_counted_are_there_again(opened: Shop) -> None:
    with at(10):
        sale = sell(opened, 2)
    with at(19):
        _void(opened, sale, "never_left")
    assert (on_vehicle(opened), opened.stock(customer=opened.customer)) == (20, 0)


def test_goods_that_come_back_come_after_the_count(opened: Shop) -> None:
    with at(10):
        sale = sell(opened, 2)
    with at(18):
        counted = count(opened, 18)
        sign(opened, counted)
    with at(19):
        _void(opened, sale, "came_back")
    assert (on_vehicle(opened), opened.stock(customer=opened.customer)) == (20, 0)
    assert posted(counted) == []


def test_goods_that_are_gone_move_no_more(opened: Shop) -> None:
    with at(10):
        sale = sell(opened, 2)
    with at(18):
        sign(opened, count(opened, 18))
    with at(19):
        _void(opened, sale, "gone")
    assert (on_vehicle(opened), opened.stock(customer=opened.customer)) == (18, 2)


def test_a_late_sale_that_was_compensated_is_taken_back_with_its_own_movements(opened: Shop) -> None:
    with at(18):
        sign(opened, count(opened, 20))
    with at(19):
        sale = sell(opened, 2, occurred_at=moment(10).isoformat())
    with at(20):
        _void(opened, sale, "never_left")
    assert (on_vehicle(opened), opened.stock(customer=opened.customer)) == (20, 0)


# --- Twice ----------------------------------------------------------------------------------------


def test_the_same_count_sent_again_is_the_same(opened: Shop) -> None:
    with at(12):
        first = count(opened, 18, client_temp_id="c1")
        again = opened.client_of(opened.driver).post(
            "/api/vehicle-counts/",
            {
                "counts": [{"equipment": opened.cylinder.pk, "condition": "FULL", "quantity": 18}],
                "client_temp_id": "c1",
            },
        )
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    assert ClientOperation.objects.get(client_temp_id="c1").type == "vehicle_count"


def test_the_list_costs_the_same_whatever_its_length(opened: Shop) -> None:
    client = opened.client_of(opened.admin)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/api/vehicle-counts/").status_code == 200
        return len(queries)

    with at(12):
        count(opened, 18)
        once = cost()
        for hour in range(3):
            sign(opened, {"id": Count.objects.filter(status="COUNTED").earliest("pk").pk})
            count(opened, hour, by=DriverFactory(depot=opened.depot))
        assert cost() == once


def test_a_vehicle_s_own_depot_decides_about_its_counts(opened: Shop) -> None:
    stranger = DriverFactory(depot=DepotFactory())
    supervisor = UserFactory(role=Role.SUPERVISOR, depot=opened.depot)
    with at(12):
        counted = count(opened, 20, by=stranger, vehicle=opened.driver.vehicle_no)
        listed = opened.client_of(supervisor).get("/api/vehicle-counts/").json()["results"]
        assert [row["id"] for row in listed] == [counted["id"]]
        theirs = UserFactory(role=Role.SUPERVISOR, depot=stranger.depot)
        assert decide(opened, counted, by=theirs).status_code == 403, "it is no vehicle of theirs"
        assert decide(opened, counted, by=supervisor).status_code == 200


def test_nobody_is_held_up_by_a_count_that_they_do_not_see(opened: Shop) -> None:
    nobody_s = VehicleFactory(depot=None).number
    supervisor = UserFactory(role=Role.SUPERVISOR, depot=opened.depot)
    with at(11):
        unseen = count(opened, None, by=DriverFactory(depot=DepotFactory()), vehicle=nobody_s)
    with at(12):
        own = count(opened, None, vehicle=nobody_s)
        assert error_of(decide(opened, own))[1] == "earlier_count_open", "an administrator sees both"
        assert decide(opened, unseen, by=supervisor).status_code == 404
        assert decide(opened, own, by=supervisor).status_code == 200


def test_an_earlier_count_that_another_depot_decides_about_is_told_and_charges_the_later_one(opened: Shop) -> None:
    """The vehicle was theirs when it was counted first. Nobody waits for what they can't decide about, but they know of it."""
    vehicle, theirs = Vehicle.objects.get(number=opened.driver.vehicle_no), DepotFactory()
    before, after = (UserFactory(role=Role.SUPERVISOR, depot=depot) for depot in (opened.depot, theirs))
    mate = DriverFactory(depot=theirs)
    with at(11):
        first = count(opened, 18)
    with at(12):
        opened.client_of(opened.admin).patch(f"/api/vehicles/{vehicle.pk}/", {"depot": theirs.pk})
    with at(13):
        second = count(opened, 17, by=mate, vehicle=vehicle.number)

        def told(user: User) -> tuple[list[int], int]:
            read = opened.client_of(user).get(f"/api/vehicle-counts/{second['id']}/").json()
            assert all(each["entity_type"] == "inventory.count" for each in read["pending"])
            return [each["entity_id"] for each in read["pending"]], read["pending_others"]

        assert told(opened.admin) == ([first["id"]], 0)
        assert told(after) == ([], 1)
        [line] = sign(opened, second, by=after)["lines"]
        assert (line["expected"], line["variance"]) == (20, -3)
    with at(14):
        [line] = sign(opened, first, by=before)["lines"]
        assert (line["expected"], line["variance"]) == (20, -2)
        assert told(opened.admin) == ([], 0)
        [line] = opened.client_of(after).get(f"/api/vehicle-counts/{second['id']}/").json()["lines"]
        assert (line["expected"], line["variance"], line["variance_now"]) == (20, -3, -1)
    assert [each.billed for each in Discrepancy.objects.filter(code="after_count")] == [second["count_number"]]
    assert on_vehicle(opened) == 17
