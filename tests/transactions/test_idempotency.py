"""The same operation sent again: nothing happens twice."""

from datetime import timedelta

import pytest
import time_machine

from foundation import clock
from tests.conftest import Shop, error_of
from tests.factories import CustomerRateFactory, DriverFactory, MeteredCustomerFactory
from tests.types import Json, Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

SALE = {"type": "SALE"}


def test_the_first_result_is_answered_again(shop: Shop, nothing_changes: Unchanged) -> None:
    first = shop.sell(SALE, client_temp_id="op-1")
    with nothing_changes():
        again = shop.sell(SALE, client_temp_id="op-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert again.content == first.content


def test_without_an_id_each_is_new(shop: Shop) -> None:
    assert [shop.sell(SALE).status_code, shop.sell(SALE, client_temp_id=None).status_code] == [201, 201]
    assert Transaction.objects.count() == 2


@pytest.mark.parametrize(
    "respelt",
    [
        {"items": [{"type": "SALE", "quantity": 1, "rate": "28.5"}]},
        {"items": [{"rate": 28.50, "quantity": "1", "type": "SALE"}]},
        {"items": [{"type": "SALE", "quantity": 1, "rate": "28.50", "condition": ""}], "remarks": ""},
    ],
)
def test_another_spelling_of_the_same_is_the_same(shop: Shop, respelt: Json) -> None:
    first = shop.sell({**SALE, "rate": "28.50"}, client_temp_id="op-1")
    again = shop.sell(*respelt["items"], client_temp_id="op-1", **{k: v for k, v in respelt.items() if k != "items"})
    assert (again.status_code, again["Idempotent-Replayed"], again.content) == (200, "true", first.content)
    assert Transaction.objects.count() == 1


def test_the_same_instant_in_another_offset_is_the_same(shop: Shop) -> None:
    moment = clock.now() - timedelta(hours=1)
    first = shop.sell(SALE, client_temp_id="op-1", occurred_at=moment.isoformat())
    as_utc = (moment - timedelta(hours=8)).replace(tzinfo=None).isoformat() + "Z"
    again = shop.sell(SALE, client_temp_id="op-1", occurred_at=as_utc)
    assert (first.status_code, again.status_code, again.content) == (201, 200, first.content)
    assert Transaction.objects.count() == 1


@pytest.mark.parametrize(
    "other", [{"remarks": "Another"}, {"payment_received": True}, {"items": [{"type": "SALE", "quantity": 2}]}]
)
def test_other_content_under_the_same_id_is_refused(shop: Shop, nothing_changes: Unchanged, other: Json) -> None:
    shop.sell(SALE, client_temp_id="op-1")
    with nothing_changes():
        response = shop.sell(
            *other.get("items", [SALE]), client_temp_id="op-1", **{k: v for k, v in other.items() if k != "items"}
        )
    assert error_of(response) == (409, "idempotency_conflict", "client_temp_id")


def test_ids_are_compared_byte_for_byte(shop: Shop) -> None:
    for client_temp_id in ("a", "A", "a ", " a", "é", "e", "e\u0301", "😀", "😁"):
        assert shop.sell(SALE, client_temp_id=client_temp_id).status_code == 201
    assert Transaction.objects.count() == 9


def test_another_users_id_is_another_one(shop: Shop) -> None:
    other = DriverFactory()
    shop.count("vehicle", other.vehicle_no, 5)
    assert shop.sell(SALE, client_temp_id="op-1").status_code == 201
    assert shop.sell(SALE, client_temp_id="op-1", by=other).status_code == 201
    assert set(Transaction.objects.values_list("user", "client_temp_id")) == {
        (shop.driver.pk, "op-1"), (other.pk, "op-1"),
    }  # fmt: skip


def test_a_load_and_a_sale_cannot_share_an_id(shop: Shop) -> None:
    assert shop.draft({"direction": "OUT"}, client_temp_id="op-1").status_code == 201
    assert error_of(shop.sell(SALE, client_temp_id="op-1")) == (409, "idempotency_conflict", "client_temp_id")


def test_whatever_changed_since_the_first_result_stands(shop: Shop, nothing_changes: Unchanged) -> None:
    metered = MeteredCustomerFactory(last_meter_reading="1200.00")
    body: Json = {"customer": metered.pk, "current_meter": "1210.00", "client_temp_id": "op-1"}
    first = shop.sell(SALE, **body)
    assert first.status_code == 201
    admin = shop.client_of(shop.admin)
    CustomerRateFactory(customer=metered, equipment=shop.cylinder, rate="1.00")
    admin.delete(f"/api/customers/{metered.pk}/")
    admin.delete(f"/api/equipment/{shop.cylinder.pk}/")
    shop.driver.vehicle_no, shop.driver.depot = "OTHER1", None
    shop.driver.save()
    with time_machine.travel(clock.now() + timedelta(days=30)), nothing_changes():
        again = shop.sell(SALE, **body)
    assert (again.status_code, again.content) == (200, first.content)


def test_a_refused_operation_keeps_its_id_free(shop: Shop) -> None:
    refused = shop.sell({"type": "SALE", "quantity": 99}, client_temp_id="op-1")
    assert error_of(refused) == (409, "insufficient_stock", "items.0.quantity")
    assert not Transaction.objects.exists()
    assert shop.sell({"type": "SALE", "quantity": 2}, client_temp_id="op-1").status_code == 201
    assert Transaction.objects.get().items.get().quantity == 2


def test_both_paths_of_a_create_share_their_ids(shop: Shop) -> None:
    body = {"customer": shop.customer.pk, "items": [{"equipment": shop.cylinder.pk, "type": "SALE", "quantity": 1}]}
    first = shop.sell(SALE, client_temp_id="op-1")
    client = shop.client_of(shop.driver)
    again = client.post("/api/transactions/create_transaction/", {**body, "client_temp_id": "op-1"})
    assert (again.status_code, again.content) == (200, first.content)
    load = {"depot": shop.depot.pk, "items": [
        {"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 1, "direction": "OUT"}
    ]}  # fmt: skip
    drafted = client.post("/api/distributions/create_distribution/", {**load, "client_temp_id": "op-2"})
    assert shop.draft({"direction": "OUT"}, client_temp_id="op-2").json()["id"] == drafted.json()["id"]


def test_the_first_result_of_a_sale_that_was_voided_since_is_told_as_it_is(shop: Shop) -> None:
    sold = shop.sell(SALE, client_temp_id="op-1").json()["transaction"]["id"]
    assert shop.client_of(shop.admin).post(f"/api/transactions/{sold}/void/", {"reason": "Twice"}).status_code == 201
    assert shop.sell(SALE, client_temp_id="op-1").json()["transaction"]["status"] == "VOIDED"
