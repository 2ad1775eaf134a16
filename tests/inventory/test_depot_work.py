"""What depots do with cylinders: each piece of work moves what it says, once, for a reason."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from accounts.models import User
from audit.models import AuditLog
from depots.models import Depot
from foundation import clock
from foundation.access.capabilities import Role
from foundation.errors import Denied, Invalid
from inventory.models import DepotWork, StockMovement
from inventory.services import DepotCount, NewDepotWork, NewWorkItem, record_depot_work, take_stock
from tests.conftest import Shop, error_of
from tests.factories import DepotFactory, EquipmentFactory, UserFactory
from tests.types import Answer, Json, Unchanged

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(shop: Shop) -> User:
    return UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot)


@pytest.fixture
def supervisor(shop: Shop) -> User:
    return UserFactory(role=Role.SUPERVISOR, depot=shop.depot)


def work(
    shop: Shop, kind: str, condition: str = "FULL", quantity: int = 5, by: User | None = None, **body: Any
) -> Answer:
    item = {"equipment": shop.cylinder.pk, "condition": condition, "quantity": quantity}
    body = {"kind": kind, "depot": shop.depot.pk, "reason": "Because", "items": [item], **body}
    return shop.client_of(by or shop.admin).post("/api/depot-work/", body)


def take(shop: Shop, *lines: tuple[str, int], by: User | None = None, **body: Any) -> Answer:
    items = [{"equipment": shop.cylinder.pk, "condition": condition, "quantity": n} for condition, n in lines]
    body = {"depot": shop.depot.pk, "reason": "Stock-take", "items": items, **body}
    return shop.client_of(by or shop.admin).post("/api/depot-work/stock-take/", body)


def held(shop: Shop, depot: Depot | None = None) -> dict[str, int]:
    place = depot or shop.depot
    return {condition: shop.stock(condition, depot=place) for condition in ("FULL", "EMPTY", "DAMAGED")}


def test_empties_come_back_full(shop: Shop, staff: User) -> None:
    shop.count("depot", shop.depot.pk, 30, condition="EMPTY")
    answer = work(shop, "REFILL", "EMPTY", 20, by=staff, reference="PLT-1")
    assert answer.status_code == 201, answer.json()
    assert answer.json()["work_number"].startswith("WRK-")
    assert held(shop) == {"FULL": 120, "EMPTY": 10, "DAMAGED": 0}


def test_goods_come_in_from_outside(shop: Shop, staff: User) -> None:
    work(shop, "GOODS_IN", "FULL", 50, by=staff)
    assert held(shop)["FULL"] == 150
    movement = StockMovement.objects.get(kind="GOODS_IN")
    assert (movement.from_location.kind, movement.reason, movement.user) == ("OUTSIDE", "Because", staff)


def test_a_transfer_leaves_one_depot_and_reaches_the_other(shop: Shop, staff: User) -> None:
    there = DepotFactory()
    work(shop, "TRANSFER", "FULL", 30, by=staff, to_depot=there.pk)
    assert (held(shop)["FULL"], held(shop, there)["FULL"]) == (70, 30)
    reader = UserFactory(role=Role.DEPOT_STAFF, depot=there)
    assert shop.client_of(reader).get("/api/depot-work/").json()["count"] == 1
    assert (
        shop.client_of(UserFactory(role=Role.DEPOT_STAFF, depot=DepotFactory())).get("/api/depot-work/").json()["count"]
        == 0
    )


def test_damaged_ones_are_set_apart_and_scrapped(shop: Shop, staff: User, supervisor: User) -> None:
    work(shop, "DAMAGE", "FULL", 3, by=staff)
    assert held(shop) == {"FULL": 97, "EMPTY": 0, "DAMAGED": 3}
    assert error_of(work(shop, "SCRAP", "DAMAGED", 2, by=staff)) == (403, "permission_denied", "depot")
    assert work(shop, "SCRAP", "DAMAGED", 2, by=supervisor).status_code == 201
    assert held(shop) == {"FULL": 97, "EMPTY": 0, "DAMAGED": 1}


def test_a_stock_take_brings_all_counts_in_at_once(shop: Shop, supervisor: User) -> None:
    work(shop, "DAMAGE", "FULL", 3)
    answer = take(shop, ("FULL", 90), ("EMPTY", 4), ("DAMAGED", 3), by=supervisor).json()
    assert [(line["condition"], line["expected"], line["quantity"]) for line in answer["items"]] == [
        ("FULL", 97, 90),
        ("EMPTY", 0, 4),
        ("DAMAGED", 3, 3),
    ]
    assert held(shop) == {"FULL": 90, "EMPTY": 4, "DAMAGED": 3}
    assert StockMovement.objects.filter(kind="STOCK_TAKE").count() == 2
    take(shop, ("DAMAGED", 0))
    assert held(shop) == {"FULL": 90, "EMPTY": 4, "DAMAGED": 0}, "what isn't named stays"


def test_the_count_sheet_is_blind(shop: Shop, staff: User) -> None:
    """With what is in use, and what isn't while some of it is there."""
    EquipmentFactory(is_active=False)
    EquipmentFactory(sku="ZZZ-NEW")
    old, gone = (EquipmentFactory(sku=sku) for sku in ("AAA-OLD", "GONE"))
    for equipment, left in ((old, 2), (gone, 0)):
        shop.count("depot", shop.depot.pk, 2, equipment_id=equipment.pk)
        shop.count("depot", shop.depot.pk, left, equipment_id=equipment.pk)
        shop.client_of(shop.admin).delete(f"/api/equipment/{equipment.pk}/")
    shop.count("vehicle", shop.driver.vehicle_no, 2, equipment_id=gone.pk)
    lines = shop.client_of(staff).get("/api/depot-work/count-sheet/", {"depot": shop.depot.pk}).json()
    assert [(line["sku"], line["condition"]) for line in lines] == [
        (sku, condition)
        for sku in ("AAA-OLD", shop.cylinder.sku, "ZZZ-NEW")
        for condition in ("FULL", "EMPTY", "DAMAGED")
    ]
    assert {name for line in lines for name in line} == {"equipment", "sku", "equipment_name", "condition"}
    elsewhere = shop.client_of(staff).get("/api/depot-work/count-sheet/", {"depot": DepotFactory().pk})
    assert error_of(elsewhere) == (400, "does_not_exist", "depot")


@pytest.mark.parametrize(
    ("kind", "condition", "left"),
    [
        ("REFILL", "EMPTY", {"FULL": 105, "EMPTY": 15, "DAMAGED": 20}),
        ("GOODS_IN", "EMPTY", {"FULL": 100, "EMPTY": 25, "DAMAGED": 20}),
        ("TRANSFER", "EMPTY", {"FULL": 100, "EMPTY": 15, "DAMAGED": 20}),
        ("TRANSFER", "DAMAGED", {"FULL": 100, "EMPTY": 20, "DAMAGED": 15}),
        ("DAMAGE", "EMPTY", {"FULL": 100, "EMPTY": 15, "DAMAGED": 25}),
        ("SCRAP", "FULL", {"FULL": 95, "EMPTY": 20, "DAMAGED": 20}),
        ("SCRAP", "EMPTY", {"FULL": 100, "EMPTY": 15, "DAMAGED": 20}),
    ],
)
def test_what_can_be_done_with_which(shop: Shop, kind: str, condition: str, left: dict[str, int]) -> None:
    for there in ("EMPTY", "DAMAGED"):
        shop.count("depot", shop.depot.pk, 20, condition=there)
    target = DepotFactory()
    answer = work(shop, kind, condition, to_depot=target.pk if kind == "TRANSFER" else None)
    assert answer.status_code == 201, answer.json()
    assert held(shop) == left
    assert held(shop, target)[condition] == (5 if kind == "TRANSFER" else 0)
    assert StockMovement.objects.latest("pk").kind == kind


def test_what_is_not_in_use_enters_nowhere_and_may_still_be_written_off(shop: Shop, nothing_changes: Unchanged) -> None:
    there = DepotFactory()
    shop.count("depot", shop.depot.pk, 20, condition="EMPTY")
    shop.client_of(shop.admin).delete(f"/api/equipment/{shop.cylinder.pk}/")
    with nothing_changes():
        for answer in (work(shop, "GOODS_IN"), work(shop, "TRANSFER", to_depot=there.pk)):
            assert error_of(answer) == (409, "equipment_inactive", "items.0.equipment")
    for kind, condition in (("REFILL", "EMPTY"), ("DAMAGE", "FULL"), ("SCRAP", "FULL")):
        assert work(shop, kind, condition).status_code == 201
    assert take(shop, ("FULL", 1)).status_code == 201


def test_a_closed_depot_is_cleared(shop: Shop, nothing_changes: Unchanged) -> None:
    """Nothing comes in any more and nothing is passed on; what is there is still counted and written off."""
    there = DepotFactory()
    shop.client_of(shop.admin).delete(f"/api/depots/{shop.depot.pk}/")
    with nothing_changes():
        for answer in (work(shop, "GOODS_IN"), work(shop, "TRANSFER", to_depot=there.pk)):
            assert error_of(answer) == (409, "depot_inactive", "depot")
    for kind in ("DAMAGE", "SCRAP"):
        assert work(shop, kind).status_code == 201
    assert take(shop, ("FULL", 1)).status_code == 201


def test_work_is_dated_by_singapore_and_says_when_it_happened(shop: Shop) -> None:
    happened = "2026-01-19T22:00:00+08:00"
    with time_machine.travel("2026-01-20T00:30:00+08:00", tick=False):
        there = DepotFactory().pk
        done = work(shop, "TRANSFER", to_depot=there, occurred_at=happened, reference="DO-77").json()
        counted = take(shop, ("FULL", 90)).json()
    assert (done["work_number"], counted["work_number"]) == ("WRK-20260120-000001", "WRK-20260120-000002")
    row, movement = DepotWork.objects.get(pk=done["id"]), StockMovement.objects.get(kind="TRANSFER")
    assert (row.date.isoformat(), movement.date.isoformat(), row.reference) == ("2026-01-20", "2026-01-20", "DO-77")
    assert row.occurred_at == movement.occurred_at == datetime.fromisoformat(happened)
    assert movement.created_at - movement.occurred_at == timedelta(hours=2, minutes=30)
    assert (movement.cause_type, movement.cause_id) == ("inventory.depotwork", row.pk)
    by_count = StockMovement.objects.get(kind="STOCK_TAKE")
    assert (by_count.reason, by_count.occurred_at, by_count.cause_id) == (
        "Stock-take",
        by_count.created_at,
        counted["id"],
    )


def test_work_leaves_what_was_done_in_the_evidence(shop: Shop) -> None:
    there, sku = DepotFactory(), shop.cylinder.sku
    work(shop, "TRANSFER", to_depot=there.pk)
    take(shop, ("FULL", 90), ("EMPTY", 4))
    moved, counted = AuditLog.objects.filter(entity_type="inventory.depotwork").order_by("id")
    assert (moved.after["kind"], moved.after["depot"], moved.after["to_depot"]) == (
        "TRANSFER",
        shop.depot.code,
        there.code,
    )
    assert (moved.after["items"], moved.reason) == ([f"5 {sku} FULL"], "Because")
    assert (counted.after["kind"], counted.after["to_depot"]) == ("STOCK_TAKE", None)
    assert counted.after["items"] == [f"{sku} FULL: 95 to 90", f"{sku} EMPTY: 0 to 4"]


@pytest.mark.parametrize(("wrong", "attr"), [({"reason": " "}, "reason"), ({"items": ()}, "items")])
def test_the_command_itself_asks_for_a_reason_and_for_items(shop: Shop, wrong: Json, attr: str) -> None:
    sent = {"depot": shop.depot.pk, "reason": "x", "items": (NewWorkItem(shop.cylinder.pk, "FULL", 5),), **wrong}
    with pytest.raises(Invalid) as refused:
        record_depot_work(actor=shop.admin, data=NewDepotWork(kind="GOODS_IN", **sent))
    assert refused.value.attr == attr
    with pytest.raises(Invalid) as refused:
        take_stock(actor=shop.admin, data=DepotCount(**sent))
    assert refused.value.attr == attr


def test_the_command_itself_asks_who_may_write_off(shop: Shop, staff: User) -> None:
    """The route to a stock-take asks as well."""
    with pytest.raises(Denied):
        take_stock(actor=staff, data=DepotCount(shop.depot.pk, (NewWorkItem(shop.cylinder.pk, "FULL", 5),), "x"))


def test_all_lines_move_or_none(shop: Shop, nothing_changes: Unchanged) -> None:
    other = EquipmentFactory()
    items = [
        {"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 1},
        {"equipment": other.pk, "condition": "FULL", "quantity": 1},
    ]
    with nothing_changes():
        response = work(shop, "DAMAGE", items=items)
        assert error_of(response) == (409, "insufficient_stock", "items.1.quantity")


def test_what_makes_no_sense_is_refused(shop: Shop, staff: User, nothing_changes: Unchanged) -> None:
    inactive, closed, elsewhere = EquipmentFactory(is_active=False), DepotFactory(is_active=False), DepotFactory()
    old = [{"equipment": inactive.pk, "condition": "FULL", "quantity": 1}]
    line = {"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 1}
    long_ago = (clock.now() - timedelta(days=8)).isoformat()
    with nothing_changes():
        assert error_of(work(shop, "REFILL", "FULL")) == (400, "invalid", "items.0.condition")
        assert error_of(work(shop, "GOODS_IN", "DAMAGED")) == (400, "invalid", "items.0.condition")
        assert error_of(work(shop, "DAMAGE", "DAMAGED")) == (400, "invalid", "items.0.condition")
        assert error_of(work(shop, "TRANSFER")) == (400, "invalid", "to_depot")
        assert error_of(work(shop, "TRANSFER", to_depot=shop.depot.pk)) == (400, "invalid", "to_depot")
        assert error_of(work(shop, "TRANSFER", to_depot=999_999)) == (400, "does_not_exist", "to_depot")
        assert error_of(work(shop, "TRANSFER", to_depot=closed.pk)) == (409, "depot_inactive", "to_depot")
        assert error_of(work(shop, "GOODS_IN", to_depot=closed.pk)) == (400, "invalid", "to_depot")
        assert error_of(work(shop, "GOODS_IN", depot=closed.pk)) == (409, "depot_inactive", "depot")
        assert error_of(work(shop, "GOODS_IN", depot=999_999)) == (400, "does_not_exist", "depot")
        assert error_of(work(shop, "GOODS_IN", items=[{**line, "equipment": 999_999}])) == (
            400,
            "does_not_exist",
            "items.0.equipment",
        )
        assert error_of(work(shop, "GOODS_IN", items=old)) == (409, "equipment_inactive", "items.0.equipment")
        assert error_of(work(shop, "GOODS_IN", occurred_at=long_ago)) == (
            409,
            "occurred_at_out_of_range",
            "occurred_at",
        )
        assert error_of(work(shop, "GOODS_IN", by=staff, depot=elsewhere.pk)) == (
            403,
            "permission_denied",
            "depot",
        )
        assert work(shop, "STOCK_TAKE").status_code == 400
        assert work(shop, "GOODS_IN", reason="").status_code == 400
        assert work(shop, "GOODS_IN", items=[]).status_code == 400
        assert work(shop, "GOODS_IN", quantity=0).status_code == 400
        assert take(shop, ("FULL", -1)).status_code == 400
        assert error_of(take(shop, items=[line, line])) == (400, "invalid", "items.1")
        assert take(shop, ("FULL", 1), by=staff).status_code == 403
        assert work(shop, "GOODS_IN", by=shop.driver).status_code == 403


def test_the_same_work_sent_again_is_recorded_once(shop: Shop) -> None:
    twice: list[Callable[[], Any]] = [
        lambda: work(shop, "GOODS_IN", client_temp_id="w-1"),
        lambda: take(shop, ("FULL", 99), client_temp_id="w-2"),
    ]
    for send in twice:
        first, second = send(), send()
        assert (first.status_code, second.status_code, second["Idempotent-Replayed"]) == (201, 200, "true")
        assert first.json() == second.json()
    assert DepotWork.objects.count() == 2


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_recorded_work_is_never_changed(shop: Shop, nothing_changes: Unchanged, method: str) -> None:
    pk = work(shop, "GOODS_IN").json()["id"]
    with nothing_changes():
        response = getattr(shop.client_of(shop.admin), method)(f"/api/depot-work/{pk}/", {"reason": "Another"})
    assert error_of(response) == (405, "method_not_allowed", None)


def test_the_books_verify_after_all_of_it(shop: Shop) -> None:
    other = DepotFactory()
    shop.count("depot", shop.depot.pk, 30, condition="EMPTY")
    answers = [
        work(shop, "REFILL", "EMPTY", 20),
        work(shop, "TRANSFER", to_depot=other.pk),
        work(shop, "DAMAGE"),
        work(shop, "SCRAP", "DAMAGED", 2),
        take(shop, ("FULL", 3), ("EMPTY", 11)),
    ]
    assert [answer.status_code for answer in answers] == [201] * 5
    assert held(shop) == {"FULL": 3, "EMPTY": 11, "DAMAGED": 3}
    assert held(shop, other) == {"FULL": 5, "EMPTY": 0, "DAMAGED": 0}
    call_command("verify_books")
