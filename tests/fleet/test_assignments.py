"""Who drives which vehicle: a sale goes to the one of its own moment, whenever it arrives."""

from datetime import datetime, time, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from accounts.models import User
from accounts.selectors import vehicle_at
from accounts.services import NewCorrection, NewTaking, correct_assignment, take_vehicle
from audit.models import AuditLog
from fleet.models import Assignment, Vehicle
from foundation import clock
from foundation.access.capabilities import Role
from foundation.errors import Denied, Invalid
from foundation.operations.models import ClientOperation
from foundation.operations.occurrence import Approval
from inventory.models import StockMovement
from reports.figures.day import driver_day
from sync.services import push
from tests.conftest import error_of
from tests.factories import DepotFactory, DriverFactory, MeteredCustomerFactory, UserFactory, VehicleFactory
from tests.fleet.conftest import Fleet, ago, moment
from tests.types import Json, Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db


def evidence_of(action: str) -> dict[str, Any]:
    after: dict[str, Any] | None = AuditLog.objects.filter(action=action).latest("pk").after
    assert after is not None
    return after


# --- By its own moment ----------------------------------------------------------------------------


def test_a_sale_that_comes_late_goes_to_the_vehicle_of_its_moment(fleet: Fleet) -> None:
    """Sold from the first vehicle, pushed after the office gave the driver the other one."""
    assert fleet.assign(fleet.other, occurred_at=ago(hours=1)).status_code == 201
    assert fleet.sold_from(occurred_at=ago(hours=2)) == fleet.first.number
    assert fleet.sold_from(occurred_at=ago(minutes=30)) == fleet.other.number
    assert fleet.sold_from() == fleet.other.number


def test_so_it_does_in_a_push(fleet: Fleet) -> None:
    fleet.assign(fleet.other, occurred_at=ago(hours=1))
    line = {"equipment": fleet.shop.cylinder.pk, "type": "SALE", "quantity": 1}
    data = {"customer": fleet.shop.customer.pk, "items": [line]}
    operations = [
        {"type": "transaction.create", "client_temp_id": name, "occurred_at": at, "data": {**data, **more}}
        for name, at, more in (
            ("a", ago(hours=2), {}),
            ("b", ago(minutes=5), {}),
            ("c", ago(minutes=5), {"vehicle": fleet.first.number.lower()}),
        )
    ]
    results = push(actor=fleet.shop.driver, operations=operations)
    assert [result.status for result in results] == ["created"] * 3
    vehicles = [fleet.first.number, fleet.other.number, fleet.first.number]
    assert list(Transaction.objects.order_by("pk").values_list("vehicle_no", flat=True)) == vehicles
    assert (fleet.on(fleet.first), fleet.on(fleet.other)) == (18, 19)


def test_a_load_that_comes_late_goes_to_the_vehicle_of_its_moment(fleet: Fleet) -> None:
    fleet.assign(fleet.other, occurred_at=ago(hours=1))
    late = fleet.shop.draft({"direction": "OUT"}, occurred_at=ago(hours=2)).json()
    assert late["vehicle_no"] == fleet.first.number
    assert fleet.shop.confirm(late["id"]).status_code == 200
    assert (fleet.on(fleet.first), fleet.on(fleet.other)) == (21, 20)
    assert fleet.shop.draft({"direction": "OUT"}).json()["vehicle_no"] == fleet.other.number


def test_an_old_meter_s_last_bill_names_the_vehicle_of_its_moment(fleet: Fleet) -> None:
    customer = MeteredCustomerFactory()
    supervisor = DriverFactory(role=Role.SUPERVISOR, depot=fleet.shop.depot)
    fleet.assign(fleet.other, user=supervisor, by=fleet.shop.admin, occurred_at=ago(hours=1))
    supervisor.refresh_from_db()
    sent = {"final_reading": "1230.00", "new_meter_number": "M2", "first_reading": "0.00", "occurred_at": ago(hours=2)}
    client = fleet.shop.client_of(supervisor)
    answer = client.post(f"/api/customers/{customer.pk}/replace-meter/", sent)
    assert answer.json()["sale"]["transaction"]["vehicle_no"] == Assignment.objects.filter(
        user=supervisor, from_at=None
    ).get().vehicle.number  # fmt: skip


def test_a_day_without_documents_is_that_of_the_vehicle_when_it_ended(fleet: Fleet) -> None:
    tomorrow = clock.business_date(clock.now()) + timedelta(days=1)
    with time_machine.travel(datetime.combine(tomorrow, time(12), tzinfo=clock.SINGAPORE), tick=False):
        fleet.assign(fleet.other, occurred_at=ago(hours=1))
    days = {tomorrow - timedelta(days=1): fleet.first, tomorrow: fleet.other}
    told = {day: driver_day(fleet.shop.driver, day=day).parameters["vehicle_no"] for day in days}
    assert told == {day: vehicle.number for day, vehicle in days.items()}


def test_before_the_first_one_nobody_drove_anything(fleet: Fleet) -> None:
    walker = UserFactory(depot=fleet.shop.depot)
    assert fleet.take(fleet.other, by=walker, occurred_at=ago(hours=1)).status_code == 201
    walker.refresh_from_db()
    assert fleet.sold_from(by=walker, occurred_at=ago(hours=2)) == ""
    assert fleet.sold_from(by=walker) == fleet.other.number


def test_an_assignment_counts_from_its_very_moment(fleet: Fleet) -> None:
    begins = moment(hours=1)
    fleet.assign(fleet.other, occurred_at=begins.isoformat())
    fleet.assign(fleet.first)
    driver = fleet.shop.driver
    assert vehicle_at(driver, begins - timedelta(microseconds=1)) == fleet.first.number
    assert vehicle_at(driver, begins) == fleet.other.number


def test_no_order_of_arrival_changes_who_drove_what(fleet: Fleet) -> None:
    """What began last counts last, whenever it was recorded."""
    third = VehicleFactory(depot=fleet.shop.depot)
    for vehicle, at in ((third, ago(hours=1)), (fleet.other, ago(hours=3)), (fleet.first, ago(hours=2))):
        assert fleet.take(vehicle, occurred_at=at).status_code == 201
    driver = fleet.shop.driver
    assert driver.vehicle_no == third.number
    call_command("verify_books", stdout=StringIO())
    hours = {2.5: fleet.other, 1.5: fleet.first, 0.5: third, 4: fleet.first}
    assert {ago_: vehicle_at(driver, moment(hours=ago_)) for ago_ in hours} == {
        ago_: vehicle.number for ago_, vehicle in hours.items()
    }


def test_of_two_at_the_same_moment_the_one_recorded_last_counts(fleet: Fleet) -> None:
    at = ago(hours=1)
    fleet.take(fleet.other, occurred_at=at)
    fleet.take(fleet.first, occurred_at=at)
    assert fleet.shop.driver.vehicle_no == fleet.first.number


# --- A vehicle that is named ----------------------------------------------------------------------


def test_a_named_vehicle_wins_and_the_difference_is_on_record(fleet: Fleet) -> None:
    assert fleet.sold_from(vehicle=fleet.other.number) == fleet.other.number
    assert evidence_of("transactions.sale.recorded")["assigned_vehicle"] == fleet.first.number
    load = fleet.shop.draft({"direction": "OUT"}, vehicle=f" {fleet.other.number.lower()} ").json()
    assert load["vehicle_no"] == fleet.other.number
    assert evidence_of("distribution.created")["assigned_vehicle"] == fleet.first.number


@pytest.mark.parametrize("named", [True, False])
def test_nothing_is_noted_where_it_is_the_assigned_one(fleet: Fleet, named: bool) -> None:
    vehicle = {"vehicle": fleet.first.number} if named else {"vehicle": None}
    assert fleet.sold_from(**vehicle) == fleet.first.number
    fleet.shop.draft({"direction": "OUT"}, **vehicle)
    for action in ("transactions.sale.recorded", "distribution.created"):
        assert "assigned_vehicle" not in evidence_of(action)


def test_who_has_no_vehicle_can_name_one(fleet: Fleet) -> None:
    walker = UserFactory(depot=fleet.shop.depot)
    assert fleet.sold_from(by=walker, vehicle=fleet.other.number) == fleet.other.number
    assert evidence_of("transactions.sale.recorded")["assigned_vehicle"] == ""


def test_what_was_sold_from_a_vehicle_before_it_went_out_of_use_stands(fleet: Fleet) -> None:
    before = ago(minutes=1)
    fleet.shop.client_of(fleet.shop.admin).delete(f"/api/vehicles/{fleet.other.pk}/")
    assert fleet.sold_from(vehicle=fleet.other.number, occurred_at=before) == fleet.other.number


def test_a_number_that_no_vehicle_has_is_refused(fleet: Fleet, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        sold = fleet.shop.sell({"type": "SALE"}, vehicle="GBX4040X")
        loaded = fleet.shop.draft({"direction": "OUT"}, vehicle="GBX4040X")
    assert error_of(sold) == error_of(loaded) == (400, "does_not_exist", "vehicle")


def test_a_sale_s_vehicle_is_part_of_what_it_says(fleet: Fleet) -> None:
    """And left out it is what earlier releases kept."""
    said: Json = {"client_temp_id": "a", "occurred_at": ago(minutes=1)}
    first = fleet.shop.sell({"type": "SALE"}, **said)
    assert first.status_code == 201
    assert "vehicle" not in ClientOperation.objects.get().content
    assert fleet.shop.sell({"type": "SALE"}, **said, vehicle=None).status_code == 200
    other = fleet.shop.sell({"type": "SALE"}, **said, vehicle=fleet.other.number)
    assert error_of(other) == (409, "idempotency_conflict", "client_temp_id")


# --- Taking one -----------------------------------------------------------------------------------


def test_a_driver_takes_a_vehicle(fleet: Fleet) -> None:
    at = moment(minutes=10)
    answer = fleet.take(fleet.other, occurred_at=at.isoformat(), client_temp_id="t")
    assert answer.status_code == 201
    driver = fleet.shop.driver
    assert answer.json() == {
        "id": fleet.assignment().pk, "client_temp_id": "t", "user": driver.pk, "user_name": driver.get_full_name(),
        "depot": fleet.shop.depot.pk, "vehicle": fleet.other.pk, "vehicle_no": fleet.other.number,
        "from_at": at.isoformat(), "corrects": None, "corrected_by": None, "reason": "", "recorded_by": driver.pk,
        "created_at": answer.json()["created_at"],
    }  # fmt: skip
    assert (driver.vehicle_no, driver.vehicle_since) == (fleet.other.number, at)
    record = AuditLog.objects.get(action="fleet.vehicle.taken")
    assert (record.user, record.entity_type, record.entity_id) == (driver, "fleet.assignment", fleet.assignment().pk)
    assert record.before == {"vehicle_no": fleet.first.number}
    assert record.after == {"user": driver.username, "vehicle_no": fleet.other.number, "from_at": at.isoformat()}
    me = fleet.shop.client_of(driver).get("/api/accounts/me/").json()
    assert me["vehicle_no"] == fleet.other.number


def test_taken_it_is_the_own_vehicle_everywhere(fleet: Fleet) -> None:
    fleet.take(fleet.other)
    client = fleet.shop.client_of(fleet.shop.driver)
    fleet.shop.count("vehicle", fleet.other.number, 7)
    assert [row["quantity"] for row in client.get("/api/sync/pull/").json()["stock"]] == [7]
    seen = client.get("/api/inventories/?inventory_type=VEHICLE").json()["results"]
    assert {row["vehicle_no"] for row in seen} == {fleet.other.number}
    day = client.post("/api/settlements/", {"cash": "0.00", "counts": []}).json()
    day = fleet.shop.client_of(fleet.shop.admin).get(f"/api/settlements/{day['id']}/").json()
    assert (day["vehicle_no"], [line["expected"] for line in day["lines"]]) == (fleet.other.number, [7])


def test_a_day_s_count_is_of_the_vehicle_that_is_theirs_under_the_lock(fleet: Fleet) -> None:
    """The office gave the driver another one while the request was on its way."""
    as_it_was = User.objects.get(pk=fleet.shop.driver.pk)
    fleet.assign(fleet.other)
    day = fleet.shop.client_of(as_it_was).post("/api/settlements/", {"cash": "0.00", "counts": []}).json()
    assert day["vehicle_no"] == fleet.other.number


def test_two_share_one(fleet: Fleet) -> None:
    mate = UserFactory(depot=fleet.shop.depot)
    assert fleet.take(fleet.first, by=mate).status_code == 201
    mate.refresh_from_db()
    assert fleet.sold_from(by=mate) == fleet.sold_from() == fleet.first.number


def test_taken_twice_it_is_taken_once(fleet: Fleet, nothing_changes: Unchanged) -> None:
    said: Json = {"client_temp_id": "t", "occurred_at": ago(minutes=5)}
    first = fleet.take(fleet.other, **said)
    with nothing_changes():
        again = fleet.take(fleet.other, **said)
        otherwise = fleet.take(fleet.first, **said)
    assert (again.status_code, again.json()) == (200, first.json())
    assert error_of(otherwise) == (409, "idempotency_conflict", "client_temp_id")


def test_a_clock_that_is_ahead_doesn_t_take_it_in_the_future(fleet: Fleet) -> None:
    with time_machine.travel(clock.now(), tick=False):
        answer = fleet.take(fleet.other, occurred_at=ago(minutes=-4))
        assert answer.json()["from_at"] == clock.now().isoformat()
        assert fleet.sold_from() == fleet.other.number


def test_what_began_too_long_ago_needs_somebody_s_approval(fleet: Fleet, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        for answer in (fleet.take(fleet.other, occurred_at=ago(days=8)), fleet.assign(None, occurred_at=ago(days=8))):
            assert error_of(answer) == (409, "occurred_at_out_of_range", "occurred_at")
    taking = NewTaking(fleet.other.number, moment(days=8))
    take_vehicle(actor=fleet.shop.driver, data=taking, approval=Approval(by=fleet.supervisor))
    fleet.shop.driver.refresh_from_db()
    assert fleet.shop.driver.vehicle_no == fleet.other.number


def test_who_sells_nothing_takes_nothing(fleet: Fleet, nothing_changes: Unchanged) -> None:
    staff = UserFactory(role=Role.DEPOT_STAFF)
    with nothing_changes():
        assert fleet.take(fleet.other, by=staff).status_code == 403


# --- The office -----------------------------------------------------------------------------------


def test_a_supervisor_assigns_within_their_depot(fleet: Fleet, nothing_changes: Unchanged) -> None:
    assert fleet.assign(fleet.other, reason="In the workshop").json()["recorded_by"] == fleet.supervisor.pk
    assert AuditLog.objects.get(action="fleet.vehicle.assigned").reason == "In the workshop"
    stranger = DriverFactory()
    with nothing_changes():
        refused = fleet.assign(fleet.other, user=stranger)
    assert error_of(refused) == (400, "does_not_exist", "user")
    assert fleet.assign(fleet.other, user=stranger, by=fleet.shop.admin).status_code == 201


def test_an_assignment_can_end_without_another_one(fleet: Fleet) -> None:
    assert fleet.assign(None).json()["vehicle_no"] == ""
    assert fleet.sold_from() == ""
    assert fleet.sold_from(occurred_at=ago(hours=1)) == fleet.first.number


def test_sent_again_it_is_assigned_once(fleet: Fleet, nothing_changes: Unchanged) -> None:
    first = fleet.assign(fleet.other, client_temp_id="a")
    with nothing_changes():
        assert fleet.assign(fleet.other, client_temp_id="a").json() == first.json()


def test_the_vehicle_of_a_user_s_form_is_an_assignment_from_now_on(fleet: Fleet) -> None:
    admin, driver = fleet.shop.client_of(fleet.shop.admin), fleet.shop.driver
    answer = admin.patch(f"/api/accounts/users/{driver.pk}/", {"vehicle_no": fleet.other.number})
    assert answer.json()["vehicle_no"] == fleet.other.number
    driver.refresh_from_db()
    latest = fleet.assignment()
    assert (latest.user, latest.vehicle, latest.recorded_by) == (driver, fleet.other, fleet.shop.admin)
    assert latest.from_at == driver.vehicle_since is not None
    assert fleet.sold_from(occurred_at=ago(minutes=1)) == fleet.first.number
    assert fleet.sold_from() == fleet.other.number
    admin.patch(f"/api/accounts/users/{driver.pk}/", {"vehicle_no": ""})
    driver.refresh_from_db()
    assert fleet.assignment().vehicle is None
    assert fleet.sold_from() == ""


def test_a_new_user_s_vehicle_is_theirs_from_the_beginning(fleet: Fleet) -> None:
    sent = {"username": "new", "password": "quite a long one 7", "role": "DRIVER", "vehicle_no": fleet.other.number}
    pk = fleet.shop.client_of(fleet.shop.admin).post("/api/accounts/users/", sent).json()["id"]
    assert (fleet.assignment().user_id, fleet.assignment().vehicle, fleet.assignment().from_at) == (
        pk,
        fleet.other,
        None,
    )
    assert fleet.sold_from(by=User.objects.get(pk=pk), occurred_at=ago(days=2)) == fleet.other.number


def test_a_number_that_is_new_in_a_user_s_form_becomes_a_vehicle_at_their_depot(fleet: Fleet) -> None:
    admin, driver = fleet.shop.client_of(fleet.shop.admin), fleet.shop.driver
    elsewhere = DepotFactory()
    changes = {"vehicle_no": "gbn 1 n", "depot": elsewhere.pk}
    assert admin.patch(f"/api/accounts/users/{driver.pk}/", changes).status_code == 200
    assert Vehicle.objects.get(number="GBN1N").depot == elsewhere
    assert fleet.assignment().depot == elsewhere
    elsewhere.is_active = False
    elsewhere.save()
    assert admin.patch(f"/api/accounts/users/{driver.pk}/", {"vehicle_no": "GBN2N"}).status_code == 200
    assert Vehicle.objects.get(number="GBN2N").depot is None


# --- Put right ------------------------------------------------------------------------------------


def test_a_correction_is_for_what_comes_later_and_moves_nothing(fleet: Fleet) -> None:
    """The office meant the other driver: what was sold meanwhile without a named vehicle stays where it is."""
    wrong = fleet.assign(fleet.other, occurred_at=ago(hours=2)).json()["id"]
    assert fleet.sold_from(occurred_at=ago(minutes=50)) == fleet.other.number
    before = list(StockMovement.objects.order_by("pk").values_list())
    answer = fleet.correct(wrong, fleet.first)
    assert answer.status_code == 201
    assert list(StockMovement.objects.order_by("pk").values_list()) == before
    assert Transaction.objects.get().vehicle_no == fleet.other.number
    assert fleet.sold_from(occurred_at=ago(minutes=40)) == fleet.first.number
    assert fleet.shop.driver.vehicle_no == fleet.first.number
    client = fleet.shop.client_of(fleet.supervisor)
    assert client.get(f"/api/vehicle-assignments/{wrong}/").json()["corrected_by"] == answer.json()["id"]
    assert answer.json()["corrects"] == wrong
    assert evidence_of("fleet.assignment.corrected")["corrects"] == wrong


@pytest.mark.parametrize(("wrongly", "rightly"), [(1, 3), (3, 1)])
def test_a_correction_says_when_it_began(fleet: Fleet, wrongly: int, rightly: int) -> None:
    wrong = fleet.assign(fleet.other, occurred_at=ago(hours=wrongly)).json()["id"]
    assert fleet.correct(wrong, fleet.other, occurred_at=ago(hours=rightly)).status_code == 201
    between = fleet.other if rightly > wrongly else fleet.first
    assert fleet.sold_from(occurred_at=ago(hours=2)) == between.number
    assert fleet.sold_from(occurred_at=ago(hours=4)) == fleet.first.number
    assert fleet.sold_from() == fleet.other.number


def test_left_out_it_began_when_the_wrong_one_did(fleet: Fleet) -> None:
    wrong = fleet.assign(None, occurred_at=ago(hours=1)).json()
    assert fleet.correct(wrong["id"], fleet.other).json()["from_at"] == wrong["from_at"]
    first = Assignment.objects.get(user=fleet.shop.driver, from_at=None)
    assert fleet.correct(first.pk, None).json()["from_at"] is None
    assert fleet.sold_from(occurred_at=ago(hours=2)) == ""


def test_what_was_corrected_can_t_be_again_but_the_correction_can(fleet: Fleet, nothing_changes: Unchanged) -> None:
    wrong = fleet.assign(fleet.other).json()["id"]
    correction = fleet.correct(wrong, None).json()["id"]
    with nothing_changes():
        assert error_of(fleet.correct(wrong, fleet.first)) == (409, "already_corrected", None)
    assert fleet.correct(correction, fleet.first).status_code == 201
    assert fleet.shop.driver.vehicle_no == fleet.first.number


def test_sent_again_it_is_corrected_once(fleet: Fleet, nothing_changes: Unchanged) -> None:
    wrong = fleet.assign(fleet.other).json()["id"]
    first = fleet.correct(wrong, None, client_temp_id="c")
    with nothing_changes():
        again = fleet.correct(wrong, None, client_temp_id="c")
    assert (again.status_code, again.json()) == (200, first.json())


def test_a_correction_of_the_future_or_of_another_depot_is_refused(fleet: Fleet, nothing_changes: Unchanged) -> None:
    wrong = fleet.assign(fleet.other).json()["id"]
    other_supervisor = UserFactory(role=Role.SUPERVISOR)
    with nothing_changes():
        ahead = fleet.correct(wrong, fleet.first, occurred_at=ago(minutes=-1))
        assert error_of(ahead) == (400, "invalid", "occurred_at")
        assert fleet.correct(wrong, fleet.first, by=other_supervisor).status_code == 404


def test_the_command_itself_asks_who_may_correct_and_why(fleet: Fleet, nothing_changes: Unchanged) -> None:
    wrong = fleet.assignment()
    staff = UserFactory(role=Role.DEPOT_STAFF, depot=fleet.shop.depot)
    with nothing_changes():
        with pytest.raises(Denied):
            correct_assignment(actor=staff, data=NewCorrection(wrong.pk, None, "The other one"))
        with pytest.raises(Invalid, match="needs its reason"):
            correct_assignment(actor=fleet.supervisor, data=NewCorrection(wrong.pk, None, " "))


def test_a_driver_s_new_depot_does_not_take_the_past_along(fleet: Fleet) -> None:
    wrong = fleet.assign(fleet.other).json()["id"]
    depot = DepotFactory()
    elsewhere = UserFactory(role=Role.SUPERVISOR, depot=depot)
    admin = fleet.shop.client_of(fleet.shop.admin)
    admin.patch(f"/api/accounts/users/{fleet.shop.driver.pk}/", {"depot": depot.pk})
    correction = fleet.correct(wrong, fleet.first)
    assert correction.json()["depot"] == fleet.shop.depot.pk
    # Also where it begins only now: whoever sees what was wrong sees what is in its place.
    now = fleet.correct(correction.json()["id"], fleet.first, by=fleet.shop.admin, occurred_at=clock.now().isoformat())
    assert now.json()["depot"] == fleet.shop.depot.pk
    assert fleet.shop.client_of(elsewhere).get("/api/vehicle-assignments/").json()["count"] == 0
    assert fleet.shop.client_of(fleet.supervisor).get("/api/vehicle-assignments/").json()["count"] == 4
