"""Vehicles in the office: who drives them, what goes over, and what is left on one."""

import pytest

from accounts.models import User
from fleet.models import Assignment, Vehicle
from foundation.access.capabilities import Role
from inventory.models import VehicleTransfer
from tests.admin.pages import errors_of, form_of, logged_in, messages_of, url
from tests.conftest import Shop
from tests.factories import DriverFactory, UserFactory, VehicleFactory
from tests.types import Json, Unchanged

pytestmark = pytest.mark.django_db


@pytest.fixture
def first(office: Shop) -> Vehicle:
    return Vehicle.objects.get(number=office.driver.vehicle_no)


@pytest.fixture
def other(office: Shop) -> Vehicle:
    return VehicleFactory(depot=office.depot)


@pytest.fixture
def supervisor(office: Shop) -> User:
    return UserFactory(role=Role.SUPERVISOR, depot=office.depot)


def test_a_vehicle_is_added_and_changed_but_for_its_number(office: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(office.admin)
    new = {"number": "GBN1N", "depot": office.depot.pk, "is_active": "on"}
    assert client.post(url("fleet.vehicle", "add"), new).status_code == 302
    made = Vehicle.objects.get(number="GBN1N")
    assert Vehicle.objects.filter(number="GBN1N", depot=office.depot).exists()
    page = url("fleet.vehicle", "change", made.pk)
    changed = {**form_of(client, page), "number": "GBN2N", "depot": ""}
    assert client.post(page, changed).status_code == 302
    made.refresh_from_db()
    assert (made.number, made.depot_id) == ("GBN1N", None)
    with nothing_changes():
        assert client.post(url("fleet.vehicle", "add"), {**new, "number": "gbn 3"}).status_code == 200


def test_out_of_use_it_says_what_is_left_on_it(office: Shop, first: Vehicle, other: Vehicle) -> None:
    client = logged_in(office.admin)
    chosen = {"action": "deactivate", "_selected_action": [first.pk, other.pk]}
    said = messages_of(client.post(url("fleet.vehicle"), chosen, follow=True))
    left = f"{first}: {office.driver.username} drives it; 22 FULL {office.cylinder.sku} on it."
    assert said == [f"{first}: deactivated.", f"{other}: deactivated.", left]
    page = url("fleet.vehicle", "change", first.pk)
    assert client.post(page, {**form_of(client, page), "is_active": "on"}).status_code == 302
    told = client.post(
        page, {name: value for name, value in form_of(client, page).items() if name != "is_active"}, follow=True
    )
    assert left in messages_of(told)


def test_a_supervisor_assigns_a_vehicle_from_a_moment_on(office: Shop, other: Vehicle, supervisor: User) -> None:
    client, retired = logged_in(supervisor), VehicleFactory(depot=office.depot, is_active=False)
    stranger = DriverFactory()
    page = url("fleet.assignment", "add")
    form = client.get(page).context["adminform"].form
    assert stranger not in form.fields["user"].queryset
    assert office.driver in form.fields["user"].queryset
    assert retired not in form.fields["vehicle"].queryset
    sent = {"user": office.driver.pk, "vehicle": other.pk, "from_at": "", "reason": "In the workshop", "_save": "Save"}
    assert client.post(page, sent).status_code == 302
    made = Assignment.objects.latest("pk")
    assert (made.user, made.vehicle, made.recorded_by, made.reason) == (
        office.driver, other, supervisor, "In the workshop",
    )  # fmt: skip
    office.driver.refresh_from_db()
    assert office.driver.vehicle_no == other.number
    late = client.post(page, {**sent, "from_at": "2020-01-20T10:00"})
    assert list(errors_of(late)) == ["from_at"]


def test_an_assignment_is_corrected_on_a_page_of_its_own(office: Shop, other: Vehicle, supervisor: User) -> None:
    wrong = Assignment.objects.get(user=office.driver)
    client = logged_in(supervisor)
    action = {"action": "correct", "_selected_action": [wrong.pk]}
    assert "What" not in messages_of(client.post(url("fleet.assignment"), action, follow=True))
    sent = {**action, "_answered": "Correct", "vehicle": other.pk, "occurred_at": "", "reason": "The other one"}
    said = messages_of(client.post(url("fleet.assignment"), sent, follow=True))
    assert said == [f"{wrong}: corrected."]
    correction = Assignment.objects.get(corrects=wrong)
    assert (correction.vehicle, correction.from_at, correction.reason) == (other, None, "The other one")
    again = messages_of(client.post(url("fleet.assignment"), sent, follow=True))
    assert again == [f"{wrong}: This assignment was corrected already: please correct the correction."]
    assert client.get(url("fleet.assignment", "change", wrong.pk)).status_code == 200
    staff = logged_in(UserFactory(role=Role.DEPOT_STAFF, depot=office.depot))
    assert staff.get(url("fleet.assignment", "add")).status_code == 403
    staff.post(url("fleet.assignment"), {**sent, "_selected_action": [correction.pk]})
    assert not Assignment.objects.filter(corrects=correction).exists()


def transfer(office: Shop, source: Vehicle, target: Vehicle, quantity: int) -> Json:
    return {
        "from_vehicle": source.pk, "to_vehicle": target.pk, "reason": "Ran short", "_save": "Save",
        "items-TOTAL_FORMS": 1, "items-INITIAL_FORMS": 0, "items-0-equipment": office.cylinder.pk,
        "items-0-condition": "FULL", "items-0-quantity": quantity,
    }  # fmt: skip


def test_goods_go_over_between_a_depot_s_vehicles(
    office: Shop, first: Vehicle, other: Vehicle, supervisor: User, nothing_changes: Unchanged
) -> None:
    client, page, stranger = logged_in(supervisor), url("inventory.vehicletransfer", "add"), VehicleFactory()
    assert stranger not in client.get(page).context["adminform"].form.fields["from_vehicle"].queryset
    assert client.post(page, transfer(office, first, stranger, 2)).status_code == 302
    made = VehicleTransfer.objects.latest("pk")
    assert (made.from_vehicle, made.to_vehicle, made.user) == (first, stranger, supervisor)
    assert office.stock(vehicle_no=stranger.number) == 2
    assert made.transfer_number in client.get(url("inventory.vehicletransfer", "change", made.pk)).content.decode()
    with nothing_changes():
        for refused, why in (
            (transfer(office, first, other, 99), "99 asked"),
            (transfer(office, first, first, 1), "goes to another vehicle"),
        ):
            assert why in client.post(page, refused).content.decode()
