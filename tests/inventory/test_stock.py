"""The stock ledger: counts, corrections, and who sees what moved."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, time, timedelta
from typing import Any

import pytest
import time_machine

from audit.models import AuditLog
from equipment.models import Equipment
from foundation import clock
from foundation.access.capabilities import Role
from foundation.errors import Invalid
from foundation.ledger.models import LedgerWriteRefused
from inventory.models import Condition, Inventory, Location, ReorderLevel, StockMovement
from inventory.selectors import Flow, flows_of_day, moved_after
from inventory.services import (
    Entity,
    correct_inventory,
    create_reorder_level,
    deactivate_reorder_level,
    update_reorder_level,
)
from tests.conftest import Shop, error_of
from tests.factories import DepotFactory, DriverFactory, EquipmentFactory, UserFactory, VehicleFactory
from tests.types import Json, Unchanged

pytestmark = pytest.mark.django_db


def test_the_command_answers_the_balance_as_it_is(shop: Shop) -> None:
    balance = correct_inventory(
        actor=shop.admin, entity=Entity.DEPOT, entity_id=str(shop.depot.pk), equipment_id=shop.cylinder.pk,
        condition=Condition.FULL, quantity=7, reason="Counted",
    )  # fmt: skip
    assert balance.quantity == 7


@pytest.mark.parametrize(
    ("counted", "moved", "ends"), [(120, 20, ("OUTSIDE", "DEPOT")), (70, 30, ("DEPOT", "OUTSIDE"))]
)
def test_a_correction_moves_the_difference_against_outside(
    shop: Shop, counted: int, moved: int, ends: tuple[str, str]
) -> None:
    response = shop.count("depot", shop.depot.pk, counted, reason="Stock-take")
    assert (response.status_code, response.json()["quantity"]) == (200, counted)
    movement = StockMovement.objects.latest("id")
    assert (movement.quantity, movement.kind, movement.reason) == (moved, "CORRECTION", "Stock-take")
    assert (movement.from_location.kind, movement.to_location.kind) == ends
    assert (movement.cause_type, movement.cause_id) == ("inventory.inventory", response.json()["id"])
    evidence = AuditLog.objects.latest("id")
    assert (evidence.before, evidence.reason) == ({"quantity": 100}, "Stock-take")
    assert evidence.after == {
        "quantity": counted, "location": f"depot {shop.depot}", "equipment": shop.cylinder.sku, "condition": "FULL",
    }  # fmt: skip


def test_a_count_that_agrees_moves_nothing_and_is_recorded(shop: Shop) -> None:
    movements, records = StockMovement.objects.count(), AuditLog.objects.count()
    assert shop.count("depot", shop.depot.pk, 100).status_code == 200
    assert (StockMovement.objects.count(), AuditLog.objects.count()) == (movements, records + 1)


def test_cylinders_are_conserved(shop: Shop) -> None:
    shop.sell({"type": "SWAP", "quantity": 2}, {"type": "SALE"})
    shop.count("depot", shop.depot.pk, 7)
    assert sum(Inventory.objects.values_list("quantity", flat=True)) == 0


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("reason", "", "blank"),
        ("quantity", -1, "min_value"),
        ("equipment_id", 999, "does_not_exist"),
        ("entity_id", 999, "does_not_exist"),
        ("entity_id", "NOSUCH1", "does_not_exist"),
    ],
)
def test_a_bad_correction_is_refused(
    shop: Shop, nothing_changes: Unchanged, field: str, value: object, code: str
) -> None:
    body = {
        "entity": "depot",
        "entity_id": shop.depot.pk,
        "equipment_id": shop.cylinder.pk,
        "condition": "FULL",
        "quantity": 5,
        "reason": "Counted",
    }
    with nothing_changes():
        response = shop.client_of(shop.admin).post("/api/inventories/update-inventory/", {**body, field: value})
    assert error_of(response) == (400, code, field)


def test_customers_cylinders_are_only_counted(shop: Shop, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        response = shop.count("customer", shop.customer.pk, 3, condition="EMPTY")
    assert error_of(response) == (400, "invalid", "condition")


def test_a_vehicle_is_named_by_its_plate_however_written(shop: Shop) -> None:
    plate = shop.driver.vehicle_no
    response = shop.count("vehicle", f" {plate[:3].lower()} {plate[3:]} ", 33)
    assert response.json()["location_name"] == f"vehicle {plate}"
    assert shop.stock(vehicle_no=plate) == 33


def test_a_supervisor_corrects_their_own_depots_stock(shop: Shop, nothing_changes: Unchanged) -> None:
    supervisor = UserFactory(role=Role.SUPERVISOR, depot=shop.depot)
    stranger, elsewhere = DriverFactory(), DepotFactory()
    assert shop.count("depot", shop.depot.pk, 5, by=supervisor).status_code == 200
    assert shop.count("vehicle", shop.driver.vehicle_no, 5, by=supervisor).status_code == 200
    assert shop.count("customer", shop.customer.pk, 5, by=supervisor).status_code == 200
    with nothing_changes():
        assert error_of(shop.count("depot", elsewhere.pk, 5, by=supervisor))[:2] == (403, "permission_denied")
        assert error_of(shop.count("vehicle", stranger.vehicle_no, 5, by=supervisor))[:2] == (403, "permission_denied")


def test_nobody_corrects_the_vehicle_that_they_drive(shop: Shop, nothing_changes: Unchanged) -> None:
    boss = UserFactory(role=Role.SUPERVISOR, depot=shop.depot, vehicle_no="GBK9000S")
    with nothing_changes():
        answer = shop.count("vehicle", boss.vehicle_no, 5, by=boss)
    assert error_of(answer)[1] == "permission_denied"
    assert shop.count("vehicle", shop.driver.vehicle_no, 5, by=boss).status_code == 200


def test_what_stands_on_no_one_s_vehicle_is_corrected_too(shop: Shop) -> None:
    """Neither has a driver: one has stock, the other nothing yet."""
    plate, new = shop.driver.vehicle_no, VehicleFactory().number
    shop.client_of(shop.admin).patch(f"/api/accounts/users/{shop.driver.pk}/", {"vehicle_no": ""})
    for known in (plate, new):
        assert shop.count("vehicle", known, 4).status_code == 200
        assert shop.stock(vehicle_no=known) == 4


@pytest.mark.parametrize("key", ["²", "1.5", "-1", "9" * 19])
def test_a_key_that_is_none_is_refused(shop: Shop, key: str) -> None:
    assert error_of(shop.count("depot", key, 4)) == (400, "does_not_exist", "entity_id")


@pytest.mark.parametrize(("wrong", "attr"), [({"reason": " "}, "reason"), ({"quantity": -1}, "quantity")])
def test_the_command_itself_refuses_a_count_that_cannot_be(
    shop: Shop, nothing_changes: Unchanged, wrong: Json, attr: str
) -> None:
    count: Json = {"equipment_id": shop.cylinder.pk, "condition": "FULL", "quantity": 5, "reason": "x"}
    with nothing_changes(), pytest.raises(Invalid) as refused:
        correct_inventory(actor=shop.admin, entity=Entity.DEPOT, entity_id=str(shop.depot.pk), **{**count, **wrong})
    assert refused.value.attr == attr


def test_a_balance_says_when_it_moved_last(shop: Shop) -> None:
    at_night = "2026-01-20T00:30:00+08:00"
    with time_machine.travel(at_night, tick=False):
        counted = shop.count("depot", shop.depot.pk, 90).json()
    row, movement = Inventory.objects.get(pk=counted["id"]), StockMovement.objects.latest("id")
    assert datetime.fromisoformat(counted["updated_at"]) == row.updated_at == datetime.fromisoformat(at_night)
    assert movement.occurred_at == movement.created_at == row.updated_at
    assert movement.date.isoformat() == "2026-01-20"


def test_who_asks_for_too_much_is_told_what_there_is(shop: Shop, nothing_changes: Unchanged) -> None:
    """All lines of the same count together; the last one is still to be had."""
    other = EquipmentFactory()
    shop.count("vehicle", shop.driver.vehicle_no, 7, equipment_id=other.pk)
    of_other = {"type": "SALE", "quantity": 7, "equipment": other.pk}
    with nothing_changes():
        refused = shop.sell(of_other, {"type": "SALE", "quantity": 15}, {"type": "SALE", "quantity": 6})
    plate = shop.driver.vehicle_no
    assert error_of(refused) == (409, "insufficient_stock", "items.1.quantity")
    told = refused.json()["errors"][0]["detail"]
    assert told == f"Only 20 FULL of {shop.cylinder.sku} at vehicle {plate}; 21 asked."
    assert shop.sell(of_other, {"type": "SALE", "quantity": 15}, {"type": "SALE", "quantity": 5}).status_code == 201


def test_nothing_of_others_is_seen_without_a_place_of_one_s_own(shop: Shop) -> None:
    """A user without a vehicle, a supervisor without a depot, a colleague who drives none."""
    shop.count("customer", shop.customer.pk, 3)
    UserFactory(depot=shop.depot, vehicle_no="")
    walker = DriverFactory(depot=shop.depot, vehicle_no="")
    kinds = {
        user: {row["inventory_type"] for row in shop.client_of(user).get("/api/inventories/").json()["results"]}
        for user in (
            walker,
            UserFactory(role=Role.SUPERVISOR, depot=None),
            UserFactory(role=Role.SUPERVISOR, depot=shop.depot),
        )
    }
    assert [*kinds.values()] == [{"CUSTOMER"}, {"CUSTOMER"}, {"DEPOT", "VEHICLE", "CUSTOMER"}]


def test_a_supervisor_sees_the_movements_of_the_own_depot_and_the_own(shop: Shop) -> None:
    supervisor, elsewhere = UserFactory(role=Role.SUPERVISOR, depot=shop.depot), DepotFactory()
    stranger = DriverFactory(depot=elsewhere)
    shop.count("vehicle", stranger.vehicle_no, 9)
    shop.count("depot", elsewhere.pk, 9)
    shop.sell({"type": "SALE"}, by=stranger)
    shop.count("customer", shop.customer.pk, 5, by=supervisor)
    shop.sell({"type": "SALE"}, by=UserFactory(role=Role.SALES, depot=shop.depot, vehicle_no=""))
    rows = shop.client_of(supervisor).get("/api/inventories/movements/").json()["results"]
    ends = [(row["from_location"]["kind"], row["to_location"]["kind"], row["quantity"]) for row in rows]
    assert ends == [("OUTSIDE", "CUSTOMER", 4), ("OUTSIDE", "VEHICLE", 20), ("OUTSIDE", "DEPOT", 100)]


def test_a_day_s_movements_are_told_by_why(shop: Shop) -> None:
    """By the day that recorded them, and from the vehicle's side."""
    today, plate = clock.business_date(clock.now()), shop.driver.vehicle_no

    def on(days: int, hour: int = 1) -> time_machine.travel:
        moment = datetime.combine(today + timedelta(days=days), time(hour), clock.SINGAPORE)
        return time_machine.travel(moment, tick=False)

    def load(direction: str, **item: Any) -> None:
        shop.confirm(shop.draft({"direction": direction, **item}).json()["id"])

    with on(1):  # shortly after midnight: of what happened yesterday, and still yesterday by UTC
        load("OUT", quantity=10)
        yesterday = (clock.now() - timedelta(hours=3)).isoformat()
        sold = [
            shop.sell({"type": "SALE", "quantity": 4}, occurred_at=yesterday),
            shop.sell({"type": "SWAP", "quantity": 3}, {"type": "RETURN", "condition": "EMPTY"}),
        ]
        assert [answer.status_code for answer in sold] == [201, 201]
        load("IN", quantity=6)
        load("IN", condition="EMPTY", quantity=1)
        shop.count("vehicle", plate, 15)
        shop.count("depot", shop.depot.pk, 7)
    with on(2):
        shop.sell({"type": "SWAP", "quantity": 1})
        shop.count("vehicle", plate, 19)
    vehicle, pk = Location.objects.get(vehicle_no=plate), shop.cylinder.pk
    tomorrow, later = (today + timedelta(days=days) for days in (1, 2))
    flows = flows_of_day(vehicle, tomorrow)
    # 20 + 10 - 7 - 6 = 17, counted as 15
    assert flows == {
        (pk, "FULL"): Flow(loaded=10, unloaded=6, delivered=7, other=-2),
        (pk, "EMPTY"): Flow(unloaded=1, collected=4),
    }
    assert {stock: flow.net for stock, flow in flows.items()} == {(pk, "FULL"): -5, (pk, "EMPTY"): 3}
    assert flows_of_day(vehicle, later)[pk, "FULL"] == Flow(delivered=1, other=5)
    assert moved_after(vehicle, tomorrow) == {(pk, "FULL"): 4, (pk, "EMPTY"): 1}
    assert moved_after(vehicle, today) == {(pk, "FULL"): -1, (pk, "EMPTY"): 4}
    assert moved_after(vehicle, later) == {}


@pytest.mark.parametrize("many", [0, 1_000])
def test_movements_are_found_by_either_end(shop: Shop, monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    """However many there are of the place."""
    monkeypatch.setattr("inventory.models.MANY", many)
    shop.sell({"type": "SALE"})
    shop.count("depot", shop.depot.pk, 50)
    vehicle = Location.objects.get(kind="VEHICLE")
    rows = shop.client_of(shop.admin).get(f"/api/inventories/movements/?location={vehicle.pk}").json()["results"]
    assert [(row["kind"], row["quantity"]) for row in rows] == [("SALE", 1), ("CORRECTION", 20)]


def test_a_level_is_compared_with_the_full_ones_of_its_depot(shop: Shop) -> None:
    shop.count("depot", shop.depot.pk, 30, condition="EMPTY")
    elsewhere, other = DepotFactory(), EquipmentFactory()
    shop.count("depot", shop.depot.pk, 8, equipment_id=other.pk)
    shop.count("depot", elsewhere.pk, 9, condition="EMPTY")
    for depot in (shop.depot, elsewhere):
        for equipment in (shop.cylinder, other):
            ReorderLevel.objects.create(depot=depot, equipment=equipment, quantity=1)
    found = ReorderLevel.objects.with_stock().order_by("depot", "equipment")
    assert [vars(level)["in_stock"] for level in found] == [100, 8, 0, 0]


def test_a_level_given_up_is_0_and_says_who_did_it(shop: Shop) -> None:
    level = create_reorder_level(
        actor=shop.admin, values={"depot": shop.depot, "equipment": shop.cylinder, "quantity": 9}
    )
    update_reorder_level(actor=shop.admin, pk=level.pk, changes={"quantity": 8})
    assert deactivate_reorder_level(actor=shop.admin, pk=level.pk).quantity == 0
    said = AuditLog.objects.filter(entity_type="inventory.reorderlevel").order_by("id")
    assert [(record.action.rpartition(".")[2], record.before) for record in said] == [
        ("created", None), ("updated", {"quantity": 9}), ("deactivated", {"quantity": 8}),
    ]  # fmt: skip


def test_movements_are_never_changed_or_deleted(shop: Shop) -> None:
    row = StockMovement.objects.latest("id")
    for attempt in (
        row.save,
        row.delete,
        lambda: StockMovement.objects.update(quantity=1),
        StockMovement.objects.all().delete,
        lambda: StockMovement.objects.bulk_update([row], ["quantity"]),
    ):
        with pytest.raises(LedgerWriteRefused):
            attempt()


def test_there_is_one_location_for_each_place(shop: Shop) -> None:
    for _ in range(2):
        shop.sell({"type": "SALE"})
        shop.count("depot", shop.depot.pk, 50)
    keys = list(Location.objects.values_list("key", flat=True))
    assert len(keys) == len(set(keys)) == 5


def test_balances_are_filtered(shop: Shop) -> None:
    shop.sell({"type": "SWAP"})
    client = shop.client_of(shop.admin)

    def seen(query: str) -> set[tuple[str, str, int]]:
        rows = client.get(f"/api/inventories/?{query}").json()["results"]
        return {(row["inventory_type"], row["condition"], row["quantity"]) for row in rows}

    assert seen(f"depot={shop.depot.pk}") == {("DEPOT", "FULL", 100)}
    assert seen("inventory_type=VEHICLE") == {("VEHICLE", "FULL", 19), ("VEHICLE", "EMPTY", 1)}
    assert seen(f"vehicle_no={shop.driver.vehicle_no}&condition=EMPTY") == {("VEHICLE", "EMPTY", 1)}
    assert seen(f"customer_id={shop.customer.pk}") == {("CUSTOMER", "FULL", 0)}
    assert seen("inventory_type=OUTSIDE") == {("OUTSIDE", "FULL", -120)}
    assert seen("equipment=999999") == set()


def test_the_ledger_pages_by_cursor(shop: Shop) -> None:
    for quantity in range(5):
        shop.count("depot", shop.depot.pk, quantity)
    client = shop.client_of(shop.admin)
    first = client.get("/api/inventories/movements/?page_size=3").json()
    second = client.get(first["next"]).json()
    ids = [row["id"] for row in first["results"] + second["results"]]
    assert set(first) == {"next", "previous", "results"}
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 6


def test_lists_cost_the_same_whatever_their_length(
    shop: Shop, django_assert_num_queries: Callable[..., AbstractContextManager[None]]
) -> None:
    client = shop.client_of(shop.admin)
    for _ in range(3):
        shop.sell({"type": "SALE"}, {"type": "DEPOSIT"})
        shop.draft({"direction": "OUT"}, {"direction": "IN"})
    for url, queries in {
        "/api/inventories/": 2,
        "/api/inventories/movements/": 7,
        "/api/transactions/": 4,
        "/api/invoices/": 2,
        "/api/distributions/": 4,
        "/api/audit/": 1,
        "/api/customers/": 2,
        "/api/equipment/": 2,
        "/api/depots/": 2,
        "/api/accounts/users/": 2,
    }.items():
        with django_assert_num_queries(queries):
            assert client.get(url).status_code == 200


def test_equipment_is_protected_by_its_history(shop: Shop) -> None:
    from django.db.models import ProtectedError

    with pytest.raises(ProtectedError):
        Equipment.objects.filter(pk=shop.cylinder.pk).delete()
