"""Goods from one vehicle to another one."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from audit.models import AuditLog
from foundation import clock
from foundation.access.capabilities import Role
from foundation.errors import Invalid
from foundation.operations.occurrence import Approval
from inventory.models import StockMovement, VehicleTransfer
from inventory.services import NewVehicleTransfer, NewWorkItem, transfer_between_vehicles
from tests.conftest import error_of
from tests.factories import DepotFactory, EquipmentFactory, UserFactory, VehicleFactory
from tests.fleet.conftest import Fleet, ago, moment
from tests.types import Json, Unchanged

pytestmark = pytest.mark.django_db


def test_goods_go_over_with_a_number_and_a_record(fleet: Fleet) -> None:
    shop, at = fleet.shop, moment(minutes=5)
    shop.stocked("vehicle", fleet.first.number, 4, condition="EMPTY")
    items = [{"equipment": shop.cylinder.pk, "condition": "EMPTY", "quantity": 3}]
    items.append({"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 2})
    answer = fleet.give(fleet.first, fleet.other, items=items, reason="Ran short", occurred_at=at.isoformat())
    assert answer.status_code == 201
    said = answer.json()
    number = f"VTR-{clock.now():%Y%m%d}-000001"
    assert {name: said[name] for name in ("transfer_number", "from_vehicle_no", "to_vehicle_no", "reason", "user")} == {
        "transfer_number": number,
        "from_vehicle_no": fleet.first.number,
        "to_vehicle_no": fleet.other.number,
        "reason": "Ran short",
        "user": shop.driver.pk,
    }
    assert [(line["condition"], line["quantity"]) for line in said["items"]] == [("EMPTY", 3), ("FULL", 2)]
    assert (fleet.on(fleet.first), fleet.on(fleet.other)) == (18, 22)
    assert shop.stock("EMPTY", vehicle_no=fleet.first.number) == 1
    assert shop.stock("EMPTY", vehicle_no=fleet.other.number) == 3
    moved = StockMovement.objects.filter(kind="VEHICLE_TRANSFER")
    assert {(row.cause_type, row.cause_id, row.occurred_at, row.reason) for row in moved} == {
        ("inventory.vehicletransfer", said["id"], at, "Ran short")
    }
    record = AuditLog.objects.get(action="inventory.vehicle_transfer.recorded")
    assert record.after == {
        "transfer_number": number,
        "from_vehicle": fleet.first.number,
        "to_vehicle": fleet.other.number,
        "items": [f"3 {shop.cylinder.sku} EMPTY", f"2 {shop.cylinder.sku} FULL"],
    }
    call_command("verify_books", stdout=StringIO())


def test_what_was_counted_already_still_went_over_once(fleet: Fleet) -> None:
    """Both vehicles were counted after it; it arrives later."""
    at = moment(minutes=5)
    for vehicle in (fleet.first, fleet.other):
        fleet.shop.count("vehicle", vehicle.number, 20)
    answer = fleet.give(fleet.first, fleet.other, 2, occurred_at=at.isoformat())
    assert [(line["condition"], line["quantity"]) for line in answer.json()["items"]] == [("FULL", 2)]
    record = AuditLog.objects.get(action="inventory.vehicle_transfer.recorded")
    assert (record.after or {})["items"] == [f"2 {fleet.shop.cylinder.sku} FULL"]
    assert (fleet.on(fleet.first), fleet.on(fleet.other)) == (20, 20)
    call_command("verify_books", stdout=StringIO())


def test_all_of_it_or_nothing(fleet: Fleet, nothing_changes: Unchanged) -> None:
    items = [
        {"equipment": fleet.shop.cylinder.pk, "condition": condition, "quantity": quantity}
        for condition, quantity in (("FULL", 2), ("EMPTY", 1))
    ]
    with nothing_changes():
        refused = fleet.give(fleet.first, fleet.other, items=items)
        nobody = fleet.give(fleet.first, fleet.first)
    assert error_of(refused) == (409, "insufficient_stock", "items.1.quantity")
    assert error_of(nobody) == (400, "invalid", "to_vehicle")


def test_sent_again_it_goes_over_once(fleet: Fleet, nothing_changes: Unchanged) -> None:
    said: Json = {"client_temp_id": "v", "occurred_at": ago(minutes=1)}
    first = fleet.give(fleet.first, fleet.other, **said)
    with nothing_changes():
        again = fleet.give(fleet.first, fleet.other, **said)
        otherwise = fleet.give(fleet.first, fleet.other, 2, **said)
    assert (again.status_code, again.json()) == (200, first.json())
    assert error_of(otherwise) == (409, "idempotency_conflict", "client_temp_id")


def test_back_again_is_another_transfer(fleet: Fleet) -> None:
    fleet.give(fleet.first, fleet.other, 5)
    fleet.take(fleet.other)
    assert fleet.give(fleet.other, fleet.first, 5).status_code == 201
    assert (fleet.on(fleet.first), fleet.on(fleet.other)) == (20, 20)


def test_a_driver_gives_what_was_on_their_vehicle_then(fleet: Fleet, nothing_changes: Unchanged) -> None:
    before = ago(hours=1)
    with nothing_changes():
        assert error_of(fleet.give(fleet.other, fleet.first)) == (403, "permission_denied", "from_vehicle")
    fleet.take(fleet.other, occurred_at=ago(minutes=30))
    assert fleet.give(fleet.other, fleet.first).status_code == 201
    with nothing_changes():
        assert fleet.give(fleet.first, fleet.other).status_code == 403
    assert fleet.give(fleet.first, fleet.other, occurred_at=before).status_code == 201


def test_a_depot_gives_what_is_on_its_own_vehicles(fleet: Fleet, nothing_changes: Unchanged) -> None:
    stranger, homeless = VehicleFactory(), VehicleFactory(depot=None)
    for vehicle in (stranger, homeless):
        fleet.shop.count("vehicle", vehicle.number, 5)
    nobody = UserFactory(role=Role.SUPERVISOR, depot=None)
    assert fleet.give(fleet.other, stranger, by=fleet.supervisor).status_code == 201
    with nothing_changes():
        assert fleet.give(stranger, fleet.other, by=fleet.supervisor).status_code == 403
        assert fleet.give(homeless, fleet.other, by=nobody).status_code == 403
    assert fleet.give(stranger, fleet.other, by=fleet.shop.admin).status_code == 201


def test_both_depots_read_it_wherever_the_vehicles_go_later(fleet: Fleet) -> None:
    stranger = VehicleFactory()
    theirs = UserFactory(role=Role.DEPOT_STAFF, depot=stranger.depot)
    assert fleet.give(fleet.first, stranger).status_code == 201
    new_home = DepotFactory()
    later = UserFactory(role=Role.SUPERVISOR, depot=new_home)
    admin = fleet.shop.client_of(fleet.shop.admin)
    for vehicle in (fleet.first, stranger):
        admin.patch(f"/api/vehicles/{vehicle.pk}/", {"depot": new_home.pk})
    counts = {
        user: fleet.shop.client_of(user).get("/api/vehicle-transfers/").json()["count"]
        for user in (fleet.supervisor, theirs, later, fleet.shop.driver, UserFactory(depot=fleet.shop.depot))
    }
    assert list(counts.values()) == [1, 1, 0, 1, 0]


def test_an_inactive_equipment_gets_home_too(fleet: Fleet) -> None:
    gone = EquipmentFactory()
    fleet.shop.count("vehicle", fleet.first.number, 2, equipment_id=gone.pk)
    fleet.shop.client_of(fleet.shop.admin).delete(f"/api/equipment/{gone.pk}/")
    items = [{"equipment": gone.pk, "condition": "FULL", "quantity": 2}]
    assert fleet.give(fleet.first, fleet.other, items=items).status_code == 201


def test_what_is_too_late_or_too_much_is_refused(fleet: Fleet, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        late = fleet.give(fleet.first, fleet.other, occurred_at=ago(days=8))
        assert error_of(late) == (409, "occurred_at_out_of_range", "occurred_at")
        for items, why in ((items_of(fleet, 10_000), "9,999"), ((), "at least one")):
            data = NewVehicleTransfer(fleet.first.number, fleet.other.number, items)
            with pytest.raises(Invalid, match=why):
                transfer_between_vehicles(actor=fleet.shop.admin, data=data)


def test_a_kept_one_can_be_approved(fleet: Fleet) -> None:
    data = NewVehicleTransfer(fleet.first.number, fleet.other.number, items_of(fleet, 1), occurred_at=moment(days=8))
    transfer_between_vehicles(actor=fleet.shop.driver, data=data, approval=Approval(by=fleet.supervisor))
    after: Any = AuditLog.objects.get(action="inventory.vehicle_transfer.recorded").after
    assert after["approved_by"] == fleet.supervisor.username
    assert VehicleTransfer.objects.count() == 1


def test_the_day_s_end_tells_what_went_over(fleet: Fleet) -> None:
    fleet.give(fleet.first, fleet.other, 3)
    counts = [{"equipment": fleet.shop.cylinder.pk, "condition": "FULL", "quantity": 17}]
    client = fleet.shop.client_of(fleet.shop.driver)
    day = client.post("/api/settlements/", {"cash": "0.00", "counts": counts}).json()
    [line] = fleet.shop.client_of(fleet.shop.admin).get(f"/api/settlements/{day['id']}/").json()["lines"]
    assert (line["opening"], line["other"], line["expected"], line["variance"]) == (20, -3, 17, 0)


def items_of(fleet: Fleet, quantity: int) -> tuple[NewWorkItem, ...]:
    return (NewWorkItem(fleet.shop.cylinder.pk, "FULL", quantity),)
