"""GET /api/sync/pull/: everything first, then what changed; nothing that commits is ever missed."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient

from customers.models import Customer
from customers.services import update_customer
from foundation import clock
from foundation.access.capabilities import Role
from inventory.models import Inventory
from sync.feed import begin_anew
from sync.models import FeedEntry
from sync.selectors import holdings_to_pull
from sync.serializers import PulledCustomer
from tests.concurrency.races import Signal, Threads, at_once
from tests.conftest import Shop, error_of, post_confirmed
from tests.factories import (
    CustomerFactory,
    CustomerRateFactory,
    DriverFactory,
    EquipmentFactory,
    MeteredCustomerFactory,
    UserFactory,
)
from tests.types import Json
from transactions.usage import habit_of

pytestmark = pytest.mark.django_db


class Replica:
    """What an app keeps: rows by kind and id, and its cursor."""

    def __init__(self, client: APIClient, page_size: int = 500) -> None:
        self.client, self.page_size = client, page_size
        self.cursor = ""
        self.rows: dict[str, dict[int, Any]] = {}
        self.stock: list[Any] = []
        self.distributions: list[Any] = []

    def pull(self) -> int:
        """Pull to the end; how many pages that took."""
        pages = 0
        while True:
            sent: Json = {"page_size": self.page_size, **({"cursor": self.cursor} if self.cursor else {})}
            response = self.client.get("/api/sync/pull/", sent)
            assert response.status_code == 200, response.content
            answer, pages = response.json(), pages + 1
            for kind in ("depots", "equipment", "gst_rates", "customers"):
                mine = self.rows.setdefault(kind, {})
                mine.update({row["id"]: row for row in answer[kind]})
                for pk in answer["gone"][kind]:
                    mine.pop(pk, None)
            self.cursor = answer["cursor"]
            if not answer["has_more"]:
                self.stock, self.distributions = answer["stock"], answer["distributions"]
                return pages
            assert answer["stock"] is answer["distributions"] is None


@pytest.fixture
def replica(shop: Shop) -> Replica:
    return Replica(shop.client_of(shop.driver))


def test_the_first_pull_brings_what_offline_work_takes(shop: Shop, replica: Replica) -> None:
    gone = CustomerFactory(is_active=False)
    shop.draft({"direction": "OUT"})
    replica.pull()
    assert set(replica.rows["customers"]) == {shop.customer.pk}
    assert gone.pk not in replica.rows["customers"]
    assert replica.rows["equipment"][shop.cylinder.pk]["default_rate"] == "28.50"
    assert replica.rows["depots"][shop.depot.pk]["code"] == shop.depot.code
    assert len(replica.rows["gst_rates"]) >= 3
    assert replica.stock == [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 20}]
    assert [load["status"] for load in replica.distributions] == ["DRAFT"]


def test_rates_are_those_in_force_and_those_to_come(shop: Shop, replica: Replica) -> None:
    today = clock.business_date(clock.now())
    for days, rate in ((-30, "30.00"), (-1, "27.00"), (5, "26.00"), (9, "25.00")):
        CustomerRateFactory(
            customer=shop.customer, equipment=shop.cylinder, rate=rate, valid_from=today + timedelta(days=days)
        )
    replica.pull()
    assert [rate["rate"] for rate in replica.rows["customers"][shop.customer.pk]["rates"]] == [
        "27.00",
        "26.00",
        "25.00",
    ]


def test_what_is_superseded_or_over_is_not_told(shop: Shop, replica: Replica) -> None:
    today = clock.business_date(clock.now())
    lapsed, other = EquipmentFactory(), EquipmentFactory()
    for equipment, days, rate in (
        (shop.cylinder, -9, "36.00"), (shop.cylinder, 5, "27.00"), (shop.cylinder, -9, "34.00"), (shop.cylinder, 5, None),
        (shop.cylinder, 9, "26.00"), (lapsed, -9, "9.00"), (lapsed, -1, None), (other, -9, None), (other, -9, "8.00"),
    ):  # fmt: skip
        CustomerRateFactory(
            customer=shop.customer, equipment=equipment, rate=rate, valid_from=today + timedelta(days=days)
        )
    replica.pull()
    told = [(rate["equipment"], rate["rate"]) for rate in replica.rows["customers"][shop.customer.pk]["rates"]]
    assert sorted(told, key=lambda each: each[0] != shop.cylinder.pk) == [
        (shop.cylinder.pk, "34.00"), (shop.cylinder.pk, None), (shop.cylinder.pk, "26.00"), (other.pk, "8.00"),
    ]  # fmt: skip


def test_of_gst_rates_of_one_date_the_one_that_counts_is_told(shop: Shop, replica: Replica) -> None:
    rate = {"rate": "90.00", "valid_from": "2035-01-01"}
    wrong = post_confirmed(shop.client_of(shop.admin), "/api/gst-rates/", rate).json()
    replica.pull()
    assert replica.rows["gst_rates"][wrong["id"]] == {"id": wrong["id"], "rate": "90.00", "valid_from": "2035-01-01"}
    rate |= {"rate": "9.00", "reason": "Slip."}
    right = post_confirmed(shop.client_of(shop.admin), "/api/gst-rates/", rate).json()
    replica.pull()
    assert wrong["id"] not in replica.rows["gst_rates"]
    assert replica.rows["gst_rates"][right["id"]]["rate"] == "9.00"
    everything = replica.client.get("/api/sync/pull/").json()["gst_rates"]
    assert wrong["id"] not in [row["id"] for row in everything]
    assert len(everything) == 4


@pytest.mark.any_engine
def with_what_is_read(customer: Customer) -> Any:
    """What no column of theirs says."""
    habit = habit_of(customer) if customer.has_meter else None
    holdings = holdings_to_pull([customer.pk])[customer.pk]
    read = {"most_usage_per_day": habit and habit.most_per_day, "metered_since": habit and habit.since}
    vars(customer).update(read, holdings=holdings)
    return customer


def test_customers_are_written_as_the_schema_says(shop: Shop, replica: Replica) -> None:
    """They are read without models and written without serializers' fields, for there are many."""
    MeteredCustomerFactory(meter_rate="0.0000", last_meter_reading="0.00", name="金镬 <&>", postal_code="120462")
    MeteredCustomerFactory(meter_rate="2.1500", last_meter_reading="1234567.50", phone="+65 6861 2345")
    CustomerRateFactory(customer=shop.customer, equipment=shop.cylinder, rate="0.00", valid_from="2026-01-01")
    shop.sell({"type": "SALE"}, {"type": "DEPOSIT"})
    replica.pull()
    by_fields = {
        customer.pk: json.loads(
            JSONRenderer().render(ModelSerializer.to_representation(PulledCustomer(), with_what_is_read(customer)))
        )
        for customer in Customer.objects.prefetch_related("rates")
    }
    assert replica.rows["customers"] == by_fields
    assert len(by_fields) == 3


def test_changes_come_by_the_cursor_and_only_they(shop: Shop, replica: Replica) -> None:
    other = CustomerFactory()
    replica.pull()
    admin = shop.client_of(shop.admin)
    before = replica.cursor
    admin.patch(f"/api/customers/{other.pk}/", {"name": "New name"})
    admin.patch(f"/api/equipment/{shop.cylinder.pk}/", {"default_rate": "30.00"})
    post_confirmed(
        admin,
        f"/api/customers/{shop.customer.pk}/rates/",
        {"equipment": shop.cylinder.pk, "rate": "20.00", "valid_from": "2026-01-01"},
    )
    new = admin.post("/api/depots/", {"code": "NEW", "name": "New"}).json()
    answer = replica.client.get("/api/sync/pull/", {"cursor": before}).json()
    assert [row["name"] for row in answer["customers"]] == [shop.customer.name, "New name"]
    assert answer["customers"][0]["rates"][0]["rate"] == "20.00"
    assert [row["default_rate"] for row in answer["equipment"]] == ["30.00"]
    assert [row["id"] for row in answer["depots"]] == [new["id"]]
    assert answer["gst_rates"] == []
    replica.pull()
    assert replica.cursor != before


def test_what_is_deactivated_is_gone_and_comes_back(shop: Shop, replica: Replica) -> None:
    replica.pull()
    admin = shop.client_of(shop.admin)
    admin.delete(f"/api/customers/{shop.customer.pk}/")
    admin.delete(f"/api/equipment/{shop.cylinder.pk}/")
    replica.pull()
    assert (replica.rows["customers"], replica.rows["equipment"]) == ({}, {})
    admin.patch(f"/api/customers/{shop.customer.pk}/", {"is_active": True})
    replica.pull()
    assert set(replica.rows["customers"]) == {shop.customer.pk}


def test_a_sale_tells_of_the_meter_it_moved(shop: Shop, replica: Replica) -> None:
    metered = MeteredCustomerFactory()
    replica.pull()
    shop.sell(customer=metered.pk, current_meter="1250.00")
    replica.pull()
    assert replica.rows["customers"][metered.pk]["last_meter_reading"] == "1250.00"


def test_pages_add_up_whatever_changes_in_between(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    customers = [CustomerFactory() for _ in range(25)]
    replica = Replica(shop.client_of(shop.driver), page_size=4)
    admin = shop.client_of(shop.admin)
    get = replica.client.get
    changes = iter(customers)

    def get_while_others_write(*args: Any) -> Any:
        answer = get(*args)
        for customer in (next(changes, None), next(changes, None)):
            if customer is not None:
                admin.patch(f"/api/customers/{customer.pk}/", {"name": f"{customer.name}, renamed"})
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(replica.client, "get", get_while_others_write)
        assert replica.pull() > 7
    replica.pull()
    assert {row["name"] for row in replica.rows["customers"].values()} == set(
        Customer.objects.values_list("name", flat=True)
    )
    assert replica.pull() == 1


def test_each_sees_their_own_vehicle_and_drafts(shop: Shop, replica: Replica) -> None:
    other = DriverFactory(depot=shop.depot)
    shop.draft({"direction": "OUT"})
    for user in (other, UserFactory(role=Role.SALES), UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot)):
        theirs = Replica(shop.client_of(user))
        theirs.pull()
        assert (theirs.stock, theirs.distributions) == ([], [])
        assert theirs.rows["customers"]


def test_nothing_new_is_304_by_etag(shop: Shop, replica: Replica) -> None:
    replica.pull()
    first = replica.client.get("/api/sync/pull/", {"cursor": replica.cursor})
    again = replica.client.get("/api/sync/pull/", {"cursor": replica.cursor}, HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    shop.sell({"type": "SALE"})
    assert (
        replica.client.get("/api/sync/pull/", {"cursor": replica.cursor}, HTTP_IF_NONE_MATCH=first["ETag"]).status_code
        == 200
    )


def test_it_is_compressed_for_those_who_ask(shop: Shop, replica: Replica) -> None:
    for _ in range(20):
        CustomerFactory()
    packed = replica.client.get("/api/sync/pull/", HTTP_ACCEPT_ENCODING="gzip")
    plain = replica.client.get("/api/sync/pull/")
    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) / 3
    again = replica.client.get("/api/sync/pull/", HTTP_ACCEPT_ENCODING="gzip", HTTP_IF_NONE_MATCH=packed["ETag"])
    assert again.status_code == 304


@pytest.mark.parametrize("cursor", ["x", "a.b", "1.2.3", "a.1.users.0", "a.1.customers.x", "a.-1", "a.１", "a" * 65])
def test_a_cursor_that_is_none_is_refused(replica: Replica, cursor: str) -> None:
    assert error_of(replica.client.get("/api/sync/pull/", {"cursor": cursor}))[0::2] == (400, "cursor")


@pytest.mark.parametrize("size", ["0", "2001", "x", "-1", "1.5"])
def test_a_page_has_bounds(replica: Replica, size: str) -> None:
    assert error_of(replica.client.get("/api/sync/pull/", {"page_size": size}))[0::2] == (400, "page_size")


def test_apps_begin_anew_after_a_restore(shop: Shop, replica: Replica) -> None:
    replica.pull()
    shop.customer.name = "Changed behind the application's back"
    shop.customer.save()
    replica.pull()
    assert replica.rows["customers"][shop.customer.pk]["name"] != shop.customer.name
    begin_anew()
    replica.pull()
    assert replica.rows["customers"][shop.customer.pk]["name"] == shop.customer.name
    epoch, position = str(replica.cursor).split(".")
    ahead = replica.client.get("/api/sync/pull/", {"cursor": f"{epoch}.{int(position) + 5}"}).json()
    assert ahead["customers"]


def test_the_feed_does_not_grow_with_time(shop: Shop, replica: Replica) -> None:
    admin = shop.client_of(shop.admin)
    for number in range(5):
        admin.patch(f"/api/customers/{shop.customer.pk}/", {"name": f"Name {number}"})
        replica.pull()
    assert FeedEntry.objects.filter(entity_id=shop.customer.pk, entity="customers.customer").count() == 1


def test_a_page_costs_the_same_for_10_and_for_1000_rows(
    shop: Shop, replica: Replica, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    shop.sell({"type": "SALE"}, {"type": "DEPOSIT"})
    replica.pull()
    Customer.objects.bulk_create(CustomerFactory.build() for _ in range(10))
    with django_assert_num_queries(13):
        replica.client.get("/api/sync/pull/", {"page_size": 2000})
    Customer.objects.bulk_create(CustomerFactory.build() for _ in range(1000))
    with django_assert_num_queries(13):
        assert len(replica.client.get("/api/sync/pull/", {"page_size": 2000}).json()["customers"]) == 1011


@pytest.mark.django_db(transaction=True)
class TestBesideWriters:
    def test_a_transaction_that_commits_after_the_pull_is_not_missed(self, shop: Shop, replica: Replica) -> None:
        """It began before, others committed meanwhile, and its note has the lower id."""
        early, late = CustomerFactory(), CustomerFactory()
        replica.pull()
        wrote, pulled = Signal("the early change"), Signal("the pull")

        def slow() -> None:
            with transaction.atomic():
                update_customer(actor=shop.admin, pk=early.pk, changes={"name": "Early"})
                wrote.set()
                pulled.wait()

        with Threads() as beside:
            beside.start(slow)
            wrote.wait()
            if connection.vendor != "sqlite":  # which has one writer at a time
                update_customer(actor=shop.admin, pk=late.pk, changes={"name": "Late"})
            replica.pull()
            assert replica.rows["customers"][early.pk]["name"] != "Early"
            pulled.set()
        replica.pull()
        assert replica.rows["customers"][early.pk]["name"] == "Early"
        assert replica.rows["customers"][late.pk]["name"] == Customer.objects.get(pk=late.pk).name

    def test_replicas_equal_the_server_after_many_writers_and_pulls(self, shop: Shop) -> None:
        customers = [MeteredCustomerFactory() for _ in range(6)]
        cylinder = EquipmentFactory()
        drivers = [DriverFactory(depot=shop.depot) for _ in range(4)]

        def write(index: int) -> None:
            admin, driver = shop.client_of(shop.admin), shop.client_of(drivers[index])
            for turn in range(6):
                customer = customers[(index + turn) % len(customers)]
                answers = (
                    admin.patch(f"/api/customers/{customer.pk}/", {"name": f"Name {index} {turn}"}),
                    admin.patch(f"/api/equipment/{cylinder.pk}/", {"default_rate": f"{20 + turn}.{index}0"}),
                    driver.post(
                        "/api/transactions/",
                        {"customer": customer.pk, "current_meter": f"{1300 + 10 * turn + index}.00"},
                    ),
                )
                assert {answer.status_code for answer in answers} <= {200, 201, 409}

        def read(replica: Replica, over: threading.Event) -> None:
            while not over.is_set():
                replica.pull()

        replicas = [Replica(shop.client_of(drivers[number]), page_size=2 + number) for number in range(3)]
        with Threads() as beside:
            for replica in replicas:
                beside.start(read, replica, beside.over)
            at_once(write, 4)
        fresh = Replica(shop.client_of(drivers[0]))
        fresh.pull()
        for replica in replicas:
            replica.pull()
            assert replica.rows == fresh.rows
        assert Inventory.objects.exists()
