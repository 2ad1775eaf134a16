"""/api/vehicles/: what there is to drive, and what goes out of use."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine

from accounts.models import User
from accounts.services import NewTaking, take_vehicle
from audit.models import AuditLog
from fleet.errors import VehicleInactive
from fleet.models import Vehicle
from foundation import clock
from foundation.access.capabilities import Role
from tests.conftest import ClientOf, Shop, error_of
from tests.factories import DepotFactory, DriverFactory, UserFactory, VehicleFactory
from tests.fleet.conftest import Fleet, ago, moment
from tests.types import Unchanged

pytestmark = pytest.mark.django_db


def test_a_vehicle_is_added_as_its_plate_is_written(client_of: ClientOf) -> None:
    admin, depot = UserFactory(role=Role.ADMIN), DepotFactory()
    answer = client_of(admin).post("/api/vehicles/", {"number": " gbn 12-3 n ", "depot": depot.pk})
    made = Vehicle.objects.get()
    assert answer.json() == {
        "id": made.pk, "number": "GBN12-3N", "depot": depot.pk, "depot_code": depot.code, "is_active": True,
    }  # fmt: skip
    assert AuditLog.objects.get().action == "fleet.vehicle.created"
    again = client_of(admin).post("/api/vehicles/", {"number": "GBN 12-3N"})
    assert error_of(again) == (400, "unique", "number")
    assert client_of(admin).post("/api/vehicles/", {"number": "GBN2N"}).json()["depot"] is None


def test_its_number_stays(fleet: Fleet, nothing_changes: Unchanged) -> None:
    admin, url = fleet.shop.client_of(fleet.shop.admin), f"/api/vehicles/{fleet.other.pk}/"
    with nothing_changes():
        assert error_of(admin.patch(url, {"number": "GBN1N"})) == (400, "invalid", "number")
    assert admin.put(url, {"number": fleet.other.number.lower(), "depot": None}).json()["depot"] is None


def test_its_depot_is_one_that_is_in_use(fleet: Fleet, nothing_changes: Unchanged) -> None:
    admin, url, closed = fleet.shop.client_of(fleet.shop.admin), "/api/vehicles/", DepotFactory(is_active=False)
    with nothing_changes():
        for answer in (
            admin.post(url, {"number": "GBN1N", "depot": closed.pk}),
            admin.patch(f"{url}{fleet.other.pk}/", {"depot": closed.pk}),
        ):
            assert error_of(answer) == (409, "depot_inactive", "depot")
        assert error_of(admin.post(url, {"number": "GBN1N", "depot": 999_999})) == (400, "does_not_exist", "depot")
    left = VehicleFactory(depot=closed)
    assert admin.patch(f"{url}{left.pk}/", {"depot": closed.pk, "is_active": False}).status_code == 200


def test_deactivating_says_what_is_still_on_it(fleet: Fleet) -> None:
    shop = fleet.shop
    mate = UserFactory(username="mate", depot=shop.depot, vehicle_no=fleet.first.number)
    UserFactory(username="left", depot=shop.depot, vehicle_no=fleet.first.number, is_active=False)
    shop.count("vehicle", fleet.first.number, 3, condition="EMPTY")
    shop.count("vehicle", fleet.first.number, 0, condition="DAMAGED")
    answer = shop.client_of(shop.admin).delete(f"/api/vehicles/{fleet.first.pk}/")
    assert answer.json() == {
        "number": fleet.first.number,
        "remaining": [
            f"{mate.username} drives it",
            f"{shop.driver.username} drives it",
            f"3 EMPTY {shop.cylinder.sku} on it",
            f"20 FULL {shop.cylinder.sku} on it",
        ],
    }
    assert AuditLog.objects.filter(action="fleet.vehicle.deactivated").count() == 1
    empty = VehicleFactory()
    assert shop.client_of(shop.admin).delete(f"/api/vehicles/{empty.pk}/").json()["remaining"] == []


def test_out_of_use_it_is_taken_for_what_was_before_alone(fleet: Fleet, nothing_changes: Unchanged) -> None:
    before = ago(minutes=1)
    admin, url = fleet.shop.client_of(fleet.shop.admin), f"/api/vehicles/{fleet.other.pk}/"
    admin.patch(url, {"is_active": False})
    with nothing_changes():
        for answer in (
            fleet.take(fleet.other),
            fleet.assign(fleet.other),
            fleet.give(fleet.first, fleet.other),
        ):
            assert error_of(answer)[:2] == (409, "vehicle_inactive")
        form = admin.patch(f"/api/accounts/users/{fleet.shop.driver.pk}/", {"vehicle_no": fleet.other.number})
        assert error_of(form) == (409, "vehicle_inactive", "vehicle_no")
    assert fleet.take(fleet.other, occurred_at=before).status_code == 201
    assert fleet.give(fleet.other, fleet.first, occurred_at=before).status_code == 201
    assert fleet.give(fleet.other, fleet.first).status_code == 201, "it is emptied"
    admin.patch(url, {"is_active": True})
    assert Vehicle.objects.get(pk=fleet.other.pk).deactivated_at is None
    assert fleet.take(fleet.other).status_code == 201


def test_the_moment_of_its_deactivation_is_the_first_without_it(fleet: Fleet) -> None:
    at = moment(hours=1)
    Vehicle.objects.filter(pk=fleet.other.pk).update(is_active=False, deactivated_at=at)
    with pytest.raises(VehicleInactive):
        take_vehicle(actor=fleet.shop.driver, data=NewTaking(fleet.other.number, at))
    take_vehicle(actor=fleet.shop.driver, data=NewTaking(fleet.other.number, moment(hours=1, seconds=1)))


def test_its_depot_sees_its_stock_whoever_drives_it(fleet: Fleet) -> None:
    """A driver of another depot takes it, or is sent to another depot: the goods are the first one's."""
    shop, depot = fleet.shop, DepotFactory()
    elsewhere, guest = UserFactory(role=Role.SUPERVISOR, depot=depot), UserFactory(depot=depot)
    fleet.take(fleet.other, by=guest)
    shop.client_of(shop.admin).patch(f"/api/accounts/users/{shop.driver.pk}/", {"depot": depot.pk})
    seen = {
        user: {row["vehicle_no"] for row in shop.client_of(user).get("/api/inventories/").json()["results"]} - {""}
        for user in (fleet.supervisor, elsewhere)
    }
    assert seen == {fleet.supervisor: {fleet.first.number, fleet.other.number}, elsewhere: set()}
    shop.client_of(shop.admin).patch(f"/api/vehicles/{fleet.other.pk}/", {"depot": depot.pk})
    rows = shop.client_of(elsewhere).get("/api/inventories/").json()["results"]
    assert {row["vehicle_no"] for row in rows} == {fleet.other.number}


def test_everybody_reads_them(fleet: Fleet) -> None:
    client = fleet.shop.client_of(fleet.shop.driver)
    VehicleFactory(is_active=False)
    mine = client.get(f"/api/vehicles/?is_active=true&depot={fleet.shop.depot.pk}").json()["results"]
    assert [row["number"] for row in mine] == sorted([fleet.first.number, fleet.other.number])


def test_nothing_is_loaded_onto_a_vehicle_that_is_inactive(shop: Shop) -> None:
    """What was loaded before is; and what is on it can come back."""
    before = clock.now()
    vehicle = Vehicle.objects.get(number=shop.driver.vehicle_no)
    drafts = [
        shop.draft({"direction": "OUT"}).json()["id"],
        shop.draft({"direction": "OUT"}, occurred_at=before.isoformat()).json()["id"],
        shop.draft({"direction": "IN"}).json()["id"],
    ]
    assert shop.client_of(shop.admin).delete(f"/api/vehicles/{vehicle.pk}/").status_code == 200
    assert error_of(shop.confirm(drafts[0])) == (409, "vehicle_inactive", None)
    assert [shop.confirm(pk).status_code for pk in drafts[1:]] == [200, 200]


def test_nothing_is_sold_from_a_vehicle_that_is_inactive_nor_taken_back_onto_it(
    fleet: Fleet, nothing_changes: Unchanged
) -> None:
    """Neither by who is still assigned to it, nor by who names it; what happened before is recorded."""
    shop, before = fleet.shop, ago(minutes=1)
    assert shop.sell({"type": "SALE", "quantity": 2}).status_code == 201
    for vehicle in (fleet.first, fleet.other):
        assert shop.client_of(shop.admin).delete(f"/api/vehicles/{vehicle.pk}/").status_code == 200
    with nothing_changes():
        for kind in ("SALE", "SWAP", "RETURN"):
            for named in (None, fleet.other.number):
                assert error_of(shop.sell({"type": kind}, vehicle=named)) == (409, "vehicle_inactive", "vehicle"), kind
    assert shop.sell({"type": "SALE"}, occurred_at=before).status_code == 201
    assert fleet.on(fleet.first) == 17


@pytest.mark.parametrize("kind", ["SALE", "SWAP"])
def test_nothing_comes_back_onto_a_vehicle_that_is_inactive(
    fleet: Fleet, nothing_changes: Unchanged, kind: str
) -> None:
    """What never left it lies there still, and what is gone doesn't move."""
    shop = fleet.shop
    shop.stocked("customer", shop.customer.pk, 3)
    sales = [shop.sell({"type": kind, "quantity": 1}).json()["transaction"]["id"] for _ in range(3)]
    assert shop.client_of(shop.admin).delete(f"/api/vehicles/{fleet.first.pk}/").status_code == 200
    with nothing_changes():
        for body in ({}, {"goods": "came_back"}, {"return_stock": True}):
            assert error_of(fleet.void(sales[0], **body)) == (409, "vehicle_inactive", "goods")
    for sale, goods in zip(sales, ("never_left", "gone"), strict=False):
        assert fleet.void(sale, goods=goods).status_code == 201
    assert fleet.on(fleet.first) == 18
    shop.client_of(shop.admin).patch(f"/api/vehicles/{fleet.first.pk}/", {"is_active": True})
    assert fleet.void(sales[2]).status_code == 201


def test_what_was_brought_back_by_mistake_leaves_a_vehicle_that_is_inactive(fleet: Fleet) -> None:
    shop = fleet.shop
    shop.stocked("customer", shop.customer.pk, 1)
    sale = shop.sell({"type": "RETURN"}).json()["transaction"]["id"]
    assert shop.client_of(shop.admin).delete(f"/api/vehicles/{fleet.first.pk}/").status_code == 200
    assert fleet.void(sale).status_code == 201
    assert shop.stock("EMPTY", vehicle_no=fleet.first.number) == 0


def test_a_sale_that_moves_nothing_on_an_inactive_vehicle_is_recorded(fleet: Fleet) -> None:
    shop = fleet.shop
    assert shop.client_of(shop.admin).delete(f"/api/vehicles/{fleet.first.pk}/").status_code == 200
    assert shop.sell({"type": "SERVICE"}).status_code == 201


def test_a_late_push_of_what_was_sold_from_a_vehicle_while_it_was_active(fleet: Fleet) -> None:
    """What was sold from it afterwards is kept."""
    shop = fleet.shop
    at = moment(hours=1)
    Vehicle.objects.filter(pk=fleet.first.pk).update(is_active=False, deactivated_at=at)
    line = {"type": "SALE", "equipment": shop.cylinder.pk, "quantity": 1}
    data = {"customer": shop.customer.pk, "items": [line], "vehicle": fleet.first.number}
    operations = [
        {"type": "transaction.create", "client_temp_id": name, "occurred_at": then, "data": data}
        for name, then in (("a", ago(hours=1, seconds=1)), ("b", at.isoformat()))
    ]
    sent = {"protocol": 1, "operations": operations}
    before, after = shop.client_of(shop.driver).post("/api/sync/push/", sent).json()["results"]
    assert before["status"] == "created"
    assert [error["code"] for error in after["errors"]] == ["vehicle_inactive"]
    assert fleet.on(fleet.first) == 19


def test_a_correction_gives_nothing_to_a_vehicle_that_is_inactive(fleet: Fleet, nothing_changes: Unchanged) -> None:
    """What is gone from it is written off."""
    shop = fleet.shop
    assert shop.client_of(shop.admin).delete(f"/api/vehicles/{fleet.other.pk}/").status_code == 200
    with nothing_changes():
        assert error_of(shop.count("vehicle", fleet.other.number, 21)) == (409, "vehicle_inactive", "entity_id")
    assert shop.count("vehicle", fleet.other.number, 0).status_code == 200
    assert fleet.on(fleet.other) == 0


@pytest.fixture
def moved(fleet: Fleet) -> Iterator[tuple[Fleet, User]]:
    """At ten its depot gave a vehicle away, at twelve it got it back; now it is two. With who supervises the other depot."""
    other = DepotFactory()
    address = f"/api/vehicles/{fleet.first.pk}/"
    for hour, depot in ((10, other), (12, fleet.shop.depot)):
        with time_machine.travel(later(hour), tick=False):
            assert fleet.shop.client_of(fleet.shop.admin).patch(address, {"depot": depot.pk}).status_code == 200
    supervisor: User = UserFactory(role=Role.SUPERVISOR, depot=other)
    with time_machine.travel(later(14), tick=False):
        yield fleet, supervisor


def later(hour: int) -> datetime:
    """On the day after the shop was opened."""
    return (clock.now() + timedelta(days=1)).replace(hour=hour, minute=0)


@pytest.mark.parametrize(("hour", "whose"), [(9, "first"), (11, "second"), (13, "first")])
def test_what_was_on_a_vehicle_stays_the_depot_s_that_it_belonged_to(
    moved: tuple[Fleet, User], hour: int, whose: str
) -> None:
    fleet, second = moved
    at = clock.now().replace(hour=hour).isoformat()
    for name, reader in (("first", fleet.supervisor), ("second", second)):
        rows = fleet.shop.client_of(reader).get("/api/reports/stock/", {"at": at}).json()["rows"]
        assert (f"vehicle {fleet.first.number}" in {row["place"] for row in rows}) is (name == whose), name


@pytest.mark.parametrize(("hour", "whose"), [(9, "first"), (11, "second"), (13, "first")])
def test_its_counts_are_decided_by_the_depot_that_it_belonged_to(
    moved: tuple[Fleet, User], hour: int, whose: str
) -> None:
    fleet, second = moved
    stranger = DriverFactory(depot=DepotFactory())
    body = {"vehicle": fleet.first.number, "counts": [], "occurred_at": clock.now().replace(hour=hour).isoformat()}
    counted = fleet.shop.client_of(stranger).post("/api/vehicle-counts/", body).json()["id"]
    for name, reader in (("first", fleet.supervisor), ("second", second)):
        answer = fleet.shop.client_of(reader).post(f"/api/vehicle-counts/{counted}/reject/", {"remarks": "Again"})
        assert answer.status_code == (200 if name == whose else 404), name
