"""What was unlikely in the field: the meter's chain waits for somebody who confirms it, all else stands and is flagged."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from audit.models import AuditLog, Confirmation
from customers.models import Customer
from foundation import clock
from invoices.models import Invoice
from sync.models import SyncConflict
from tests.conftest import Shop, to_confirm
from tests.factories import MeteredCustomerFactory
from tests.sync.conftest import Push, sale_of
from tests.sync.test_devices import numbered, send_raw
from tests.types import Json
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

SAID = {"code": "usage_unlikely", "attr": "current_meter", "value": "5200.00"}


@pytest.fixture
def metered(shop: Shop) -> Customer:
    customer: Customer = MeteredCustomerFactory()
    return customer


@pytest.fixture
def sell(shop: Shop) -> Callable[..., Json]:
    """One sale, pushed by protocol 2; its result."""

    def send(operation: Json) -> Json:
        answer = send_raw(shop, numbered(operation, 1))
        assert answer.status_code == 200, answer.content
        result: Json = answer.json()["results"][0]
        return result

    return send


def reading(customer: Customer, value: str = "5200.00", **more: Any) -> Json:
    return {"type": "transaction.create", "client_temp_id": "a", "occurred_at": clock.now().isoformat(),
            "data": {"customer": customer.pk, "current_meter": value, **more}}  # fmt: skip


def retry(shop: Shop, by: User, **body: Any) -> Any:
    conflict = SyncConflict.objects.get()
    return shop.client_of(by).post(f"/api/sync/conflicts/{conflict.pk}/retry/", body)


def test_an_unlikely_usage_is_kept_and_a_supervisor_may_confirm_it(
    shop: Shop, metered: Customer, supervisor: User, sell: Callable[..., Json]
) -> None:
    result = sell(reading(metered))
    assert result["status"] == "rejected"
    [error] = result["errors"]
    assert {**error, "detail": ""} == {**SAID, "detail": "", "confirmable": True}
    conflict = SyncConflict.objects.get()
    assert (conflict.code, conflict.errors) == ("usage_unlikely", result["errors"])
    assert not Transaction.objects.exists()

    asked = retry(shop, supervisor)
    assert to_confirm(asked) == [SAID]
    assert SyncConflict.objects.get().status == "OPEN"
    assert retry(shop, supervisor, confirm=[{**SAID, "value": "5300.00"}]).status_code == 409
    answer = retry(shop, supervisor, confirm=to_confirm(asked))
    assert (answer.status_code, answer.json()["status"]) == (200, "RETRIED")
    kept = Confirmation.objects.get()
    assert (kept.user, kept.confirmed_by) == (shop.driver, supervisor)
    record = AuditLog.objects.get(action="transactions.sale.recorded")
    assert record.after is not None
    assert record.after["asked"] == [{**SAID, "confirmed_by": supervisor.username}]


def test_what_was_confirmed_at_the_door_is_recorded(shop: Shop, metered: Customer, sell: Callable[..., Json]) -> None:
    result = sell(reading(metered, confirm=[SAID]))
    assert result["status"] == "created"
    kept = Confirmation.objects.filter(code="usage_unlikely").get()
    assert (kept.user, kept.confirmed_by) == (shop.driver, shop.driver)


def test_another_value_than_the_one_that_was_confirmed_is_kept(metered: Customer, sell: Callable[..., Json]) -> None:
    assert sell(reading(metered, confirm=[{**SAID, "value": "5200.01"}]))["errors"][0]["code"] == "usage_unlikely"


def test_the_same_operation_with_and_without_its_confirmation_is_one(
    shop: Shop, metered: Customer, sell: Callable[..., Json]
) -> None:
    operation = reading(metered)
    confirmed = {**operation, "data": {**operation["data"], "confirm": [SAID]}}
    first = sell(confirmed)
    assert (first["status"], sell(operation)["status"], sell(confirmed)["status"]) == (
        "created",
        "duplicate",
        "duplicate",
    )
    assert Transaction.objects.count() == 1


def test_a_reading_from_before_the_last_one_is_kept(
    shop: Shop, metered: Customer, supervisor: User, sell: Callable[..., Json]
) -> None:
    assert shop.sell(customer=metered.pk, current_meter="1210.00").status_code == 201
    earlier = clock.now() - timedelta(hours=2)
    result = sell({**reading(metered, "1220.00"), "occurred_at": earlier.isoformat(), "clock_offset_s": 0})
    [error] = result["errors"]
    assert (error["code"], error["attr"]) == ("reading_before_last", "occurred_at")
    assert retry(shop, supervisor, confirm=to_confirm(retry(shop, supervisor))).status_code == 200


def test_what_else_is_unlikely_stands_as_it_happened_and_is_flagged(
    shop: Shop, supervisor: User, sell: Callable[..., Json]
) -> None:
    assert shop.count("vehicle", shop.driver.vehicle_no, 200).status_code == 200
    Customer.objects.filter(pk=shop.customer.pk).update(email="site@example.sg", email_invoices=True)
    result = sell(sale_of(shop, "a", {"quantity": 60}))
    assert result["status"] == "created"
    flagged = Confirmation.objects.get()
    assert (flagged.code, flagged.user, flagged.confirmed_by) == ("quantity_unlikely", shop.driver, None)
    listed = shop.client_of(supervisor).get("/api/confirmations/?is_confirmed=false").json()["results"]
    [sale] = Transaction.objects.all()
    assert [(each["id"], each["about"]) for each in listed] == [(flagged.pk, sale.transaction_number)]
    record = AuditLog.objects.get(action="transactions.sale.recorded")
    assert record.after is not None
    assert record.after["asked"][0]["confirmed_by"] is None
    held = Invoice.objects.held().get()
    assert held.emails.get().status == "HELD"


def test_an_unlikely_usage_beside_an_unlikely_quantity_is_all_that_waits(
    shop: Shop, metered: Customer, sell: Callable[..., Json]
) -> None:
    assert shop.count("vehicle", shop.driver.vehicle_no, 200).status_code == 200
    line = {"equipment": shop.cylinder.pk, "type": "SALE", "quantity": 60}
    result = sell(reading(metered, items=[line]))
    assert [error["code"] for error in result["errors"]] == ["usage_unlikely"]
    confirmed = {**reading(metered, items=[line], confirm=[SAID]), "client_temp_id": "b"}
    assert sell({**confirmed, "number": 2})["status"] == "created"
    assert {(each.code, each.confirmed_by) for each in Confirmation.objects.all()} == {
        ("usage_unlikely", shop.driver), ("quantity_unlikely", None), ("amount_unlikely", None),
    }  # fmt: skip


def test_an_older_app_knows_no_confirmation(shop: Shop, metered: Customer, push: Push) -> None:
    [result] = push(reading(metered, confirm=[SAID]))
    assert [(error["code"], error["attr"]) for error in result["errors"]] == [("unknown_field", "confirm")]


@pytest.mark.parametrize("confirm", [None, {}, "x", [None], [{"code": "usage_unlikely"}], [SAID] * 501])
def test_what_can_not_be_read_confirms_nothing(
    shop: Shop, metered: Customer, supervisor: User, sell: Callable[..., Json], confirm: Any
) -> None:
    result = sell(reading(metered, confirm=confirm))
    assert [error["code"] for error in result["errors"]] == ["usage_unlikely"]
    assert retry(shop, supervisor, confirm=[SAID]).status_code == 200


def test_who_saw_another_reading_before_has_confirmed_another_usage(
    metered: Customer, sell: Callable[..., Json]
) -> None:
    """The meter was replaced meanwhile, say: 200 m³ were confirmed, and 4,000 would be billed."""
    result = sell(reading(metered, confirm=[SAID], based_on={"last_reading": "5000.00"}))
    assert [(error["code"], error["value"]) for error in result["errors"]] == [("usage_unlikely", "4000.00")]


@pytest.mark.parametrize("clock_offset_s", [None, -12, 0])
def test_a_time_is_confirmed_as_the_device_says_it(shop: Shop, metered: Customer, clock_offset_s: int | None) -> None:
    assert shop.sell(customer=metered.pk, current_meter="1201.00").status_code == 201
    earlier = (clock.now() - timedelta(days=1)).isoformat()
    said = {"code": "reading_before_last", "attr": "occurred_at", "value": earlier}
    sent = {**reading(metered, "1202.00", confirm=[said]), "occurred_at": earlier, "clock_offset_s": clock_offset_s}
    [result] = send_raw(shop, numbered(sent, 1)).json()["results"]
    assert result["status"] == "created", result


def test_one_operation_s_answers_are_not_the_next_one_s(shop: Shop, metered: Customer) -> None:
    other = MeteredCustomerFactory()
    first = numbered(reading(metered, confirm=[SAID]), 1)
    second = numbered({**reading(other), "client_temp_id": "b"}, 2)
    results = send_raw(shop, first, second).json()["results"]
    assert [result["status"] for result in results] == ["created", "rejected"]
