"""Customers, contract rates, equipment, depots, GST rates."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from audit.models import AuditLog
from customers.models import Customer, CustomerRate
from customers.selectors import contract_rates, meter_rate_at
from foundation.access.capabilities import Role
from foundation.clock import SINGAPORE
from tests.conftest import ClientOf, error_of, post_confirmed
from tests.factories import (
    CustomerFactory,
    CustomerRateFactory,
    DepotFactory,
    EquipmentFactory,
    MeteredCustomerFactory,
    UserFactory,
)
from tests.types import Unchanged

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client_of: ClientOf) -> APIClient:
    return client_of(UserFactory(role=Role.ADMIN))


def test_a_code_is_given_out_when_none_is_sent(admin: APIClient) -> None:
    codes = [admin.post("/api/customers/", {"name": f"Stall {n}"}).json()["customer_code"] for n in (1, 2)]
    assert [code[-7:] for code in codes] == ["-000001", "-000002"]
    assert codes[0].startswith("CUS-")


def test_the_day_in_a_code_is_singapore_s(admin: APIClient) -> None:
    with time_machine.travel("2026-01-20T00:30:00+08:00", tick=False):
        assert admin.post("/api/customers/", {"name": "A"}).json()["customer_code"] == "CUS-20260120-000001"


def test_a_new_customer_is_told_and_recorded_at_version_1(admin: APIClient) -> None:
    cursor = admin.get("/api/sync/pull/").json()["cursor"]
    made = admin.post("/api/customers/", {"name": "A", "version": 7}).json()
    assert made["version"] == 1
    assert [row["id"] for row in admin.get("/api/sync/pull/", {"cursor": cursor}).json()["customers"]] == [made["id"]]
    record = AuditLog.objects.latest("id")
    assert (record.action, record.entity_id) == ("customers.customer.created", made["id"])
    assert record.after is not None
    assert record.after["name"] == "A"


def test_a_code_of_ones_own_is_taken_in_capitals(admin: APIClient) -> None:
    assert (
        admin.post("/api/customers/", {"name": "A", "customer_code": " ah-hock 1 "}).json()["customer_code"]
        == "AH-HOCK 1"
    )
    again = admin.post("/api/customers/", {"name": "B", "customer_code": "Ah-Hock 1"})
    assert error_of(again) == (400, "unique", "customer_code")


@pytest.mark.parametrize("code", ["CAFÉ", "-A", "A/", "A\tB", "A" * 33])
def test_a_code_is_of_plain_letters_and_digits(admin: APIClient, code: str) -> None:
    response = admin.post("/api/customers/", {"name": "A", "customer_code": code})
    assert (response.status_code, response.json()["errors"][0]["attr"]) == (400, "customer_code")


def test_who_has_left_reads_no_master_data(admin: APIClient) -> None:
    assert admin.post("/api/customers/", {"name": "Ah Hock"}).status_code == 201
    assert not Customer.objects.visible_to(UserFactory(role=Role.ADMIN, is_active=False)).exists()


def test_codes_of_the_systems_form_are_reserved(admin: APIClient) -> None:
    response = admin.post("/api/customers/", {"name": "A", "customer_code": "CUS-20260120-000007"})
    assert error_of(response) == (400, "reserved", "customer_code")


def test_the_first_reading_comes_with_the_customer(admin: APIClient) -> None:
    body = {"name": "A", "meter_number": "M-1", "meter_rate": "2.1500", "last_meter_reading": "1200.00"}
    made = admin.post("/api/customers/", body).json()
    assert (made["meter_rate"], made["last_meter_reading"], made["version"]) == ("2.1500", "1200.00", 1)


def test_nothing_but_a_sale_moves_the_reading(admin: APIClient) -> None:
    customer = MeteredCustomerFactory(last_meter_reading="1200.00")
    stale = admin.get(f"/api/customers/{customer.pk}/").json()
    Customer.objects.filter(pk=customer.pk).update(last_meter_reading=Decimal("1300.00"))
    for method, body in (
        ("patch", {"address": "Elsewhere", "last_meter_reading": "1.00"}),
        ("put", {**stale, "address": "There", "version": 2}),
    ):
        response = getattr(admin, method)(f"/api/customers/{customer.pk}/", body)
        assert (response.status_code, response.json()["last_meter_reading"]) == (200, "1300.00")


def test_a_stale_version_is_refused(admin: APIClient, nothing_changes: Unchanged) -> None:
    customer = CustomerFactory()
    url = f"/api/customers/{customer.pk}/"
    assert admin.patch(url, {"address": "First", "version": 1}).json()["version"] == 2
    with nothing_changes():
        for stale in (1, 3):
            refused = admin.patch(url, {"address": "Second", "version": stale})
            assert error_of(refused) == (409, "version_conflict", "version")
    assert admin.patch(url, {"address": "Second", "version": 2}).json()["version"] == 3


def test_a_change_that_changes_nothing_is_none(admin: APIClient, nothing_changes: Unchanged) -> None:
    customer = CustomerFactory(name="Same")
    with nothing_changes():
        assert admin.patch(f"/api/customers/{customer.pk}/", {"name": "Same"}).json()["version"] == 1


def test_a_change_leaves_before_and_after(admin: APIClient) -> None:
    customer = CustomerFactory(name="Old", phone="1")
    changed = admin.patch(f"/api/customers/{customer.pk}/", {"name": "New", "phone": "1"}).json()
    assert datetime.fromisoformat(changed["updated_at"]) > customer.updated_at
    record = AuditLog.objects.get(action="customers.customer.updated")
    assert record.before is not None
    assert record.after is not None
    assert (record.before["name"], record.after["name"]) == ("Old", "New")
    assert {*record.after} == {"name", "version", "updated_at"}


@pytest.mark.parametrize(
    ("url", "factory"),
    [("customers", CustomerFactory), ("equipment", EquipmentFactory), ("depots", DepotFactory)],
)
def test_delete_deactivates(admin: APIClient, url: str, factory: Any) -> None:
    row = factory()
    assert admin.delete(f"/api/{url}/{row.pk}/").status_code == 200
    row.refresh_from_db()
    assert row.is_active is False
    assert admin.get(f"/api/{url}/{row.pk}/").json()["is_active"] is False
    assert AuditLog.objects.latest("id").action.endswith(".deactivated")
    assert admin.patch(f"/api/{url}/{row.pk}/", {"is_active": True}).json()["is_active"] is True


def test_rates_are_added_from_a_date_on_and_listed(admin: APIClient) -> None:
    customer, cylinder = CustomerFactory(), EquipmentFactory()
    url = f"/api/customers/{customer.pk}/rates/"
    for rate, day in (("34.00", "2026-01-01"), ("35.00", "2026-02-01")):
        response = post_confirmed(admin, url, {"equipment": cylinder.pk, "rate": rate, "valid_from": day})
        assert response.status_code == 201
    listed = admin.get(url).json()["results"]
    assert [row["rate"] for row in listed] == ["35.00", "34.00"]
    record = AuditLog.objects.filter(action="customers.rate.set").latest("id")
    assert (record.user_id, record.after["rate"]) == (listed[0]["created_by"], "35.00")


def test_others_have_rates_from_the_same_date(admin: APIClient) -> None:
    customer, cylinder = CustomerFactory(), EquipmentFactory()
    for whose, of_what in ((customer, cylinder), (CustomerFactory(), cylinder), (customer, EquipmentFactory())):
        body = {"equipment": of_what.pk, "rate": "34.00", "valid_from": "2026-01-01"}
        assert post_confirmed(admin, f"/api/customers/{whose.pk}/rates/", body).status_code == 201


def test_nothing_is_agreed_on_for_what_is_not_in_use(admin: APIClient, nothing_changes: Unchanged) -> None:
    url, old = f"/api/customers/{CustomerFactory().pk}/rates/", EquipmentFactory(is_active=False)
    body = {"rate": "34.00", "valid_from": "2026-01-01"}
    with nothing_changes():
        assert error_of(admin.post(url, {**body, "equipment": old.pk})) == (409, "equipment_inactive", "equipment")
        assert error_of(admin.post(url, {**body, "equipment": 999_999})) == (400, "does_not_exist", "equipment")


def test_gst_rates_are_there_and_can_be_added(admin: APIClient) -> None:
    rates = {(row["valid_from"], row["rate"]) for row in admin.get("/api/gst-rates/").json()["results"]}
    assert rates == {("2007-07-01", "7.00"), ("2023-01-01", "8.00"), ("2024-01-01", "9.00")}
    assert post_confirmed(admin, "/api/gst-rates/", {"rate": "10.00", "valid_from": "2035-01-01"}).status_code == 201
    assert admin.patch("/api/gst-rates/1/", {"rate": "1.00"}).status_code == 405


def test_search_and_filters(admin: APIClient) -> None:
    CustomerFactory(name="Hup Lee Bakery", payment_type="CREDIT")
    MeteredCustomerFactory(name="Orchid Park")

    def names(query: str) -> set[str]:
        return {row["name"] for row in admin.get(f"/api/customers/?{query}").json()["results"]}

    assert names("search=bakery") == {"Hup Lee Bakery"}
    assert names("has_meter=true") == {"Orchid Park"}
    assert names("has_meter=false") == {"Hup Lee Bakery"}
    assert names("is_active=false") == set()


def test_a_taken_code_is_refused_by_the_command_too() -> None:
    """Two requests may both pass the first check: the unique column decides."""
    from depots.services import create_depot
    from foundation.errors import Duplicate

    DepotFactory(code="HSH KB")
    with pytest.raises(Duplicate):
        create_depot(actor=UserFactory(role=Role.ADMIN), values={"code": "HSH KB", "name": "Twin"})


def at(on: date, hour: int = 12) -> datetime:
    return datetime.combine(on, time(hour), SINGAPORE)


def test_the_rate_in_force_is_the_latest_that_has_begun() -> None:
    """By Singapore's date: at one in the morning the day before is still UTC's."""
    customer, cylinder = CustomerFactory(), EquipmentFactory()
    CustomerRateFactory(customer=customer, valid_from=date(2026, 1, 1))
    CustomerRateFactory(equipment=cylinder, valid_from=date(2026, 3, 2))
    for day, rate in ((date(2026, 1, 1), "30"), (date(2026, 3, 1), "33"), (date(2026, 2, 1), "32")):
        CustomerRate.objects.create(customer=customer, equipment=cylinder, rate=Decimal(rate), valid_from=day)
    found = [
        contract_rates(customer, [cylinder.pk], moment)
        for moment in (at(date(2025, 12, 31), 23), at(date(2026, 1, 1), 1), at(date(2026, 2, 28)), at(date(2026, 3, 3)))
    ]
    assert [{pk: rates.valid for pk, rates in each.items()} for each in found] == [
        {}, {cylinder.pk: Decimal(30)}, {cylinder.pk: Decimal(32)}, {cylinder.pk: Decimal(33)},
    ]  # fmt: skip
    assert not any(each[cylinder.pk].known for each in found if each)  # they were entered today


def test_a_rate_is_known_from_when_it_was_entered() -> None:
    customer, cylinder = CustomerFactory(), EquipmentFactory()
    for hour, rate in ((9, "30.00"), (12, "29.00")):
        with time_machine.travel(at(date(2026, 1, 20), hour), tick=False):
            CustomerRateFactory(customer=customer, equipment=cylinder, rate=rate, valid_from=date(2026, 1, hour))
    entered = at(date(2026, 1, 20))
    found = [
        contract_rates(customer, [cylinder.pk], entered - ago)[cylinder.pk]
        for ago in (timedelta(seconds=1), timedelta(0))
    ]
    assert [rates.known for rates in found] == [Decimal("30.00"), Decimal("29.00")]
    assert {rates.valid for rates in found} == {Decimal("29.00")}


def test_a_meter_s_rate_holds_until_the_next_one(admin: APIClient) -> None:
    metered, other, bare = MeteredCustomerFactory(), MeteredCustomerFactory(), CustomerFactory()
    days = [at(date(2026, 1, day)) for day in (5, 10, 15, 20)]
    for moment, customer, rate in zip(
        days, (metered, metered, other, metered), ("3.0000", "4.0000", "9.0000", None), strict=True
    ):
        with time_machine.travel(moment, tick=False):
            address = f"/api/customers/{customer.pk}/"
            assert post_confirmed(admin, address, {"meter_rate": rate}, method="patch").status_code == 200
            assert admin.patch(f"/api/customers/{customer.pk}/", {"address": "There"}).status_code == 200
    with time_machine.travel(days[3], tick=False):
        admin.patch(f"/api/customers/{bare.pk}/", {"meter_rate": "5.0000"})
    metered.refresh_from_db()
    bare.refresh_from_db()
    instant = timedelta(microseconds=1)
    moments = [moment + shift for moment in (days[0], days[1], days[3]) for shift in (-instant, timedelta(0))]
    rates = [meter_rate_at(metered, moment) for moment in moments]
    assert [rate and str(rate) for rate in rates] == ["2.1500", "3.0000", "3.0000", "4.0000", "4.0000", None]
    assert meter_rate_at(bare, days[0]) == Decimal("5.0000")  # without an earlier rate the first one holds


def test_equipment_keeps_the_prices_that_it_had_and_no_others(admin: APIClient) -> None:
    cylinder = EquipmentFactory(default_rate="28.50", deposit="60.00")
    for change in ({"name": "Renamed"}, {"default_rate": "28.50"}):
        assert admin.patch(f"/api/equipment/{cylinder.pk}/", change).status_code == 200
    assert cylinder.prices.count() == 2
    assert admin.patch(f"/api/equipment/{cylinder.pk}/", {"deposit": "70.00"}).status_code == 200
    prices = cylinder.prices.filter(kind="DEPOSIT").order_by("pk")
    assert [(str(price.amount), price.valid_from is None) for price in prices] == [("60.00", True), ("70.00", False)]
    assert cylinder.prices.count() == 3
