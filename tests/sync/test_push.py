"""POST /api/sync/push/: each operation happens once or is kept, and what is answered first is answered again."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from accounts.models import User
from audit.models import AuditLog
from distribution.models import Distribution
from foundation import clock
from foundation.access.capabilities import Role
from foundation.operations.models import ClientOperation
from sequences.services import take_numbers
from sync.models import SyncConflict
from tests.admin.pages import logged_in, url
from tests.conftest import Shop, error_of
from tests.factories import DriverFactory, UserFactory
from tests.sync.conftest import Push, confirm_of, load_of, sale_of
from tests.types import Json, Unchanged
from transactions import planning
from transactions.models import Transaction
from transactions.pricing import price_items
from transactions.services import sales as services

pytestmark = pytest.mark.django_db


def statuses(results: list[Json]) -> list[str]:
    return [result["status"] for result in results]


def test_a_morning_in_one_push(shop: Shop, push: Push) -> None:
    results = push(load_of(shop, "a"), confirm_of("b", "a"), sale_of(shop, "c"))
    assert statuses(results) == ["created"] * 3
    load, sale = Distribution.objects.get(), Transaction.objects.get()
    assert [result["id"] for result in results] == [load.pk, load.pk, sale.pk]
    assert [result["number"] for result in results] == [
        load.distribution_number, load.distribution_number, sale.transaction_number,
    ]  # fmt: skip
    assert load.status == "CONFIRMED"
    assert results[2]["invoice_number"] == sale.invoice.invoice_number
    assert shop.client_of(shop.driver).get(results[2]["pdf_url"]).status_code == 200
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == 20 + 2 - 1


def test_the_same_push_again_changes_nothing_and_gives_the_same_ids(
    shop: Shop, push: Push, nothing_changes: Unchanged
) -> None:
    batch = [load_of(shop, "a"), confirm_of("b", "a"), sale_of(shop, "c"), sale_of(shop, "d", {"quantity": 99})]
    first = push(*batch)
    assert statuses(first) == ["created", "created", "created", "rejected"]
    with nothing_changes():
        again = push(*batch)
        backwards = push(*reversed(batch))
    assert statuses(again) == ["duplicate", "duplicate", "duplicate", "rejected"]
    assert [{**result, "status": ""} for result in again] == [{**result, "status": ""} for result in first]
    assert backwards[::-1] == again


def test_one_bad_operation_blocks_no_other(shop: Shop, push: Push) -> None:
    batch: list[object] = [sale_of(shop, f"s{number}") for number in range(8)]
    bad: list[object] = [
        None, 7, "sale", [], {}, {"type": "transaction.create"}, {"client_temp_id": "x"},
        {**sale_of(shop, "t1"), "type": "transaction.delete"}, {**sale_of(shop, "t2"), "type": ["a"]},
        {**sale_of(shop, "t3"), "data": None}, {**sale_of(shop, "t4"), "data": {}},
        {**sale_of(shop, "t5"), "occurred_at": "yesterday"}, sale_of(shop, ""), sale_of(shop, "y" * 65),
        sale_of(shop, 12), sale_of(shop, "t6", {"quantity": 0}), sale_of(shop, "t7", {"rate": "1.00"}),
        sale_of(shop, "t8", customer=10**9), confirm_of("t9", "nowhere"), confirm_of("t10", True),
    ]  # fmt: skip
    for index, operation in enumerate(bad):
        batch.insert(index % 8 + index // 8, operation)
    results = push(*batch)
    assert statuses(results).count("created") == 8
    assert statuses(results).count("rejected") == len(bad)
    for operation, result in zip(batch, results, strict=True):
        assert (result["status"] == "rejected") is (operation in bad)
        assert bool(result["errors"]) is (result["conflict"] is not None) is (operation in bad)
    assert SyncConflict.objects.count() == len(bad)
    assert statuses(push(*batch)).count("duplicate") == 8
    assert SyncConflict.objects.count() == len(bad)


def test_what_is_refused_is_kept_with_all_that_is_known(shop: Shop, push: Push) -> None:
    moment = clock.now() - timedelta(hours=2)
    operation = sale_of(shop, "a", {"quantity": 21}, occurred_at=moment.isoformat())
    [result] = push(operation)
    kept = SyncConflict.objects.get(pk=result["conflict"])
    assert result["errors"] == kept.errors == [{"code": "insufficient_stock", "attr": "items.0.quantity", "detail": kept.errors[0]["detail"]}]  # fmt: skip
    assert (kept.user, kept.client_temp_id, kept.type, kept.code, kept.status) == (
        shop.driver, "a", "transaction.create", "insufficient_stock", "OPEN",
    )  # fmt: skip
    assert kept.occurred_at == moment
    evidence = AuditLog.objects.latest("id")
    assert (evidence.action, evidence.entity_id, evidence.user) == ("sync.conflict.kept", kept.pk, shop.driver)
    assert evidence.request_id == kept.request_id != ""


def test_a_refused_operation_stays_refused_when_the_world_changes(shop: Shop, push: Push) -> None:
    """Its answer is the first one; a supervisor decides."""
    operation = sale_of(shop, "a", {"quantity": 21})
    [first] = push(operation)
    shop.count("vehicle", shop.driver.vehicle_no, 50)
    assert push(operation) == [first]
    assert not Transaction.objects.exists()


def test_a_kept_operation_is_refused_at_the_single_endpoint_as_well(shop: Shop, push: Push) -> None:
    push(sale_of(shop, "a", {"quantity": 21}))
    shop.count("vehicle", shop.driver.vehicle_no, 50)
    response = shop.sell({"type": "SALE", "quantity": 21}, client_temp_id="a")
    assert error_of(response) == (409, "insufficient_stock", "items.0.quantity")
    assert error_of(shop.sell({"type": "SALE"}, client_temp_id="a"))[1] == "idempotency_conflict"


def test_the_single_endpoint_and_the_push_share_their_ids(shop: Shop, push: Push) -> None:
    made = shop.sell({"type": "SALE"}, client_temp_id="a").json()["transaction"]
    [result] = push(sale_of(shop, "a"))
    assert (result["status"], result["id"]) == ("duplicate", made["id"])
    [result] = push(sale_of(shop, "b"))
    again = shop.sell({"type": "SALE"}, client_temp_id="b")
    assert (again.status_code, again.json()["transaction"]["id"]) == (200, result["id"])


@pytest.mark.parametrize("rate", ["28.5", "28.50", 28.5])
def test_another_spelling_is_the_same_operation(shop: Shop, push: Push, rate: object) -> None:
    push(sale_of(shop, "a", {"rate": "28.500"[:5]}), sale_of(shop, "b", {"rate": "28.50", "quantity": 30}))
    results = push(sale_of(shop, "a", {"rate": rate}), sale_of(shop, "b", {"rate": rate, "quantity": 30}))
    assert statuses(results) == ["duplicate", "rejected"]
    assert SyncConflict.objects.count() == 1


def test_another_content_under_the_same_id_is_kept_as_well(shop: Shop, push: Push) -> None:
    [first] = push(sale_of(shop, "a"))
    [other] = push(sale_of(shop, "a", {"quantity": 2}))
    assert [error["code"] for error in other["errors"]] == ["idempotency_conflict"]
    kept = SyncConflict.objects.get()
    assert (kept.pk, kept.operation) == (other["conflict"], None)
    assert push(sale_of(shop, "a", {"quantity": 2})) == [other]
    assert push(sale_of(shop, "a"))[0]["id"] == first["id"]
    assert Transaction.objects.count() == 1


def test_a_malformed_second_use_of_an_id_leaves_the_first_alone(shop: Shop, push: Push) -> None:
    [first] = push(sale_of(shop, "a"))
    [bad] = push(sale_of(shop, "a", {"quantity": "many"}))
    assert (bad["status"], bad["errors"][0]["attr"]) == ("rejected", "items.0.quantity")
    assert push(sale_of(shop, "a"))[0] == {**first, "status": "duplicate"}


def test_ids_are_each_user_s_own(shop: Shop, push: Push) -> None:
    other = DriverFactory(depot=shop.depot)
    shop.count("vehicle", other.vehicle_no, 5)
    [mine], [theirs] = push(sale_of(shop, "a")), push(sale_of(shop, "a"), by=other)
    assert (mine["status"], theirs["status"]) == ("created", "created")
    assert mine["id"] != theirs["id"]


def test_what_refers_to_a_refused_operation_is_refused_and_kept(shop: Shop, push: Push, supervisor: User) -> None:
    results = push(load_of(shop, "a", quantity=0), confirm_of("b", "a"), sale_of(shop, "c"))
    assert statuses(results) == ["rejected", "rejected", "created"]
    assert [error["code"] for error in results[1]["errors"]] == ["dependency_rejected"]
    assert SyncConflict.objects.count() == 2


def test_what_refers_to_nothing_or_to_another_user_s_is_refused(shop: Shop, push: Push) -> None:
    push(load_of(shop, "a"))
    stranger = DriverFactory()
    for reference in ("a", Distribution.objects.get().pk):
        [result] = push(confirm_of(f"b-{reference}", reference), by=stranger)
        assert result["errors"][0]["code"] == "does_not_exist"
    assert Distribution.objects.get().status == "DRAFT"


def test_a_load_is_confirmed_when_it_happened(shop: Shop, push: Push) -> None:
    moment = clock.now() - timedelta(hours=3)
    push(load_of(shop, "a"), {**confirm_of("b", "a"), "occurred_at": moment.isoformat()})
    movement = shop.cylinder.movements.latest("id")
    assert (movement.occurred_at, movement.to_location.vehicle_no) == (moment, shop.driver.vehicle_no)


def test_rights_are_those_of_the_single_endpoints(shop: Shop, push: Push) -> None:
    staff = UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot)
    sales = UserFactory(role=Role.SALES, depot=shop.depot)
    [denied, allowed] = push(sale_of(shop, "a"), load_of(shop, "b"), by=staff)
    assert (denied["errors"][0]["code"], allowed["status"]) == ("permission_denied", "created")
    [denied, _] = push(load_of(shop, "a"), sale_of(shop, "b"), by=sales)
    assert denied["errors"][0]["code"] == "permission_denied"


def test_at_most_200_operations(shop: Shop, nothing_changes: Unchanged) -> None:
    client = shop.client_of(shop.driver)
    with nothing_changes():
        response = client.post("/api/sync/push/", {"operations": [sale_of(shop, str(n)) for n in range(201)]})
        assert error_of(response) == (400, "max_length", "operations")
        wrong: list[object] = [{}, {"operations": None}, {"operations": {}}, {"operations": "a"}, []]
        for body in wrong:
            assert client.post("/api/sync/push/", body).status_code == 400
    assert client.post("/api/sync/push/", {"operations": []}).json() == {"results": []}


def test_a_busy_server_keeps_nothing_and_loses_nothing(shop: Shop, push: Push, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = [sale_of(shop, "a"), sale_of(shop, "b"), sale_of(shop, "c")]
    push(sale_of(shop, "before"))  # so that today's numbers are printed
    calls = 0

    take = take_numbers

    def busy(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OperationalError(1213, "Deadlock found")
        return take(*args, **kwargs)

    monkeypatch.setattr("foundation.commands.time.sleep", lambda seconds: None)
    with monkeypatch.context() as patched:
        patched.setattr(services, "take_numbers", busy)
        response = shop.client_of(shop.driver).post("/api/sync/push/", {"operations": batch})
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert not SyncConflict.objects.exists()
    assert statuses(push(*batch)) == ["duplicate", "created", "created"]


def test_a_mistake_of_the_server_s_costs_no_sale(shop: Shop, push: Push, monkeypatch: pytest.MonkeyPatch) -> None:
    original = price_items

    def mistaken(items: Any, *args: Any, **kwargs: Any) -> Any:
        if items[0].item.quantity == 2:
            raise ZeroDivisionError
        return original(items, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(planning, "price_items", mistaken)
        results = push(sale_of(shop, "a"), sale_of(shop, "b", {"quantity": 2}), sale_of(shop, "c"))
    assert statuses(results) == ["created", "rejected", "created"]
    assert results[1]["errors"][0]["code"] == "server_error"
    assert "ZeroDivision" not in str(results)
    assert Transaction.objects.count() == 2


def test_text_that_no_database_takes_is_kept_as_it_came(shop: Shop) -> None:
    bad = [sale_of(shop, "\ud800"), sale_of(shop, "a\x00b"), sale_of(shop, "z", remarks="\ud800"), {"type": "\ud800"}]
    body = json.dumps({"operations": bad})

    def send() -> list[Json]:
        response = shop.client_of(shop.driver).post("/api/sync/push/", body, content_type="application/json")
        results: list[Json] = response.json()["results"]
        return results

    results = send()
    assert statuses(results) == ["rejected"] * 4
    assert send() == results
    assert SyncConflict.objects.count() == 4
    client, office = shop.client_of(shop.admin), logged_in(shop.admin)
    kept = client.get("/api/sync/conflicts/").json()["results"]
    assert [each["payload"].get("data", {}).get("remarks") for each in kept] == [None, "\ufffd", None, None]
    assert [each["payload"]["type"] for each in kept[:1]] == ["\ufffd"]
    for each in kept:
        assert office.get(url("sync.syncconflict", "change", each["id"])).status_code == 200
        dismissed = client.post(f"/api/sync/conflicts/{each['id']}/dismiss/", {"reason": "Half an emoji"})
        assert (dismissed.status_code, dismissed.json()["status"]) == (200, "DISMISSED")


def test_a_device_clock_that_is_wrong_loses_no_sale(shop: Shop, push: Push) -> None:
    for name, moment in (("a", clock.now() + timedelta(days=1)), ("b", clock.now() - timedelta(days=8))):
        [result] = push(sale_of(shop, name, occurred_at=moment.isoformat()))
        assert result["errors"][0]["code"] == "occurred_at_out_of_range"
        assert SyncConflict.objects.get(pk=result["conflict"]).occurred_at == moment
    assert ClientOperation.objects.filter(refusal__isnull=True).count() == 0
