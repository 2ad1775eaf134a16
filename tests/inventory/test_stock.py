"""The stock ledger: counts, corrections, and what the database itself refuses."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.db import IntegrityError, transaction

from audit.models import AuditLog
from equipment.models import Equipment
from foundation.access.capabilities import Role
from foundation.ledger.models import LedgerWriteRefused
from inventory.models import Inventory, Location, StockMovement
from tests.conftest import Shop, error_of
from tests.factories import DepotFactory, DriverFactory, UserFactory
from tests.types import Unchanged

pytestmark = pytest.mark.django_db


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
    evidence = AuditLog.objects.latest("id")
    assert evidence.after is not None
    assert (evidence.before, evidence.after["quantity"], evidence.reason) == ({"quantity": 100}, counted, "Stock-take")


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


def test_the_database_refuses_a_negative_balance(shop: Shop) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Inventory.objects.filter(location__depot=shop.depot).update(quantity=-1)


def test_the_database_refuses_a_second_balance_of_the_same(shop: Shop) -> None:
    row = Inventory.objects.get(location__depot=shop.depot)
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_the_database_refuses_a_movement_of_nothing_or_to_itself(shop: Shop) -> None:
    row = StockMovement.objects.latest("id")
    for changes in ({"quantity": 0}, {"to_location": row.from_location}):
        row.pk, row._state.adding = None, True
        for name, value in changes.items():
            setattr(row, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()


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
