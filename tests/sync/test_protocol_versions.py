"""Which fields a push may have: its protocol says so. What nobody knows is kept, and nothing is lost on the way."""

import json

import pytest
from django.db.models import QuerySet

from audit.models import AuditLog
from foundation.operations.models import ClientOperation
from sync import serializers
from sync.models import SyncConflict
from tests.conftest import Shop, error_of
from tests.sync.conftest import Push, confirm_of, load_of, sale_of
from tests.types import Answer, Json, Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db


def send(shop: Shop, body: object) -> Answer:
    return shop.client_of(shop.driver).post("/api/sync/push/", body)


def retry(shop: Shop, result: Json, **body: bool) -> Answer:
    return shop.client_of(shop.admin).post(f"/api/sync/conflicts/{result['conflict']}/retry/", body)


def test_a_push_names_its_protocol_or_speaks_the_first(shop: Shop) -> None:
    bodies: list[Json] = [{}, {"protocol": 1}, {"protocol": "1"}]
    for number, body in enumerate(bodies):
        answer = send(shop, {**body, "operations": [sale_of(shop, f"a{number}")]})
        assert answer.json()["results"][0]["status"] == "created"


@pytest.mark.parametrize("version", [3, 4, "3", 10**18])
def test_a_newer_protocol_is_refused_whole_and_nothing_is_kept(
    shop: Shop, nothing_changes: Unchanged, version: object
) -> None:
    """Whatever it holds: only a newer server can know."""
    bodies: list[Json] = [
        {"operations": [sale_of(shop, "a")]},
        {"operations": "elsewhere", "sent_at": "2026-11-26T10:05:00+08:00"},
        {},
    ]
    with nothing_changes():
        for body in bodies:
            answer = send(shop, {"protocol": version, **body})
            assert error_of(answer) == (409, "protocol_too_new", "protocol")
    assert send(shop, {"operations": [sale_of(shop, "a")]}).json()["results"][0]["status"] == "created"


@pytest.mark.parametrize("version", [0, -1, None, "x", "", 1.0, True, [], {}])
def test_what_is_no_protocol_is_refused(shop: Shop, nothing_changes: Unchanged, version: object) -> None:
    with nothing_changes():
        answer = send(shop, {"protocol": version, "operations": [sale_of(shop, "a")]})
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "protocol")


def test_an_older_app_is_still_understood(shop: Shop, push: Push, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serializers, "PROTOCOL", 3)
    assert push(sale_of(shop, "a"))[0]["status"] == "created"


def test_a_push_has_no_other_fields(shop: Shop, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        answer = send(shop, {"operations": [sale_of(shop, "a")], "sent_at": "2026-11-26T10:05:00+08:00"})
    assert error_of(answer) == (400, "unknown_field", "sent_at")


def unknown(shop: Shop) -> dict[str, Json]:
    """By the field that nobody knows."""
    sale, line = sale_of(shop, "a"), {"equipment": shop.cylinder.pk, "quantity": 1, "type": "SALE"}
    return {
        "payment_recieved": sale_of(shop, "a", payment_recieved=True),
        "items.0.prize": sale_of(shop, "a", {"prize": "1.00"}),
        "items.1.prize": sale_of(shop, "a", {}, {"prize": "1.00"}),
        "number": {**sale, "number": 41},
        "occurred_at": {**sale, "data": {**sale["data"], "occurred_at": "2026-01-20T09:12:00+08:00"}},
        "client_temp_id": {**sale, "data": {**sale["data"], "client_temp_id": "b"}},
        "items.0.\ufffd": sale_of(shop, "a", {**line, "\ufffd": 1}),
    }


@pytest.mark.parametrize("field", range(7))
def test_an_unknown_field_keeps_its_operation_and_no_other(shop: Shop, push: Push, field: int) -> None:
    [attr, operation] = list(unknown(shop).items())[field]
    results = push(sale_of(shop, "before"), operation, sale_of(shop, "after"))
    assert [result["status"] for result in results] == ["created", "rejected", "created"]
    assert [(error["code"], error["attr"]) for error in results[1]["errors"]] == [("unknown_field", attr)]
    assert push(operation) == [results[1]]
    assert SyncConflict.objects.get().code == "unknown_field"


def test_it_happens_without_the_field_when_somebody_says_so(shop: Shop, push: Push) -> None:
    operation = sale_of(shop, "a", payment_recieved=True)
    [kept] = push(operation)
    assert error_of(retry(shop, kept)) == (400, "unknown_field", "payment_recieved")
    retried = retry(shop, kept, ignore_unknown_fields=True)
    assert retried.status_code == 200
    sale = Transaction.objects.get()
    assert (sale.payment_received, sale.client_temp_id) == (False, "a")
    assert (AuditLog.objects.latest("id").after or {})["unknown_fields_ignored"] is True
    assert push(operation)[0]["id"] == sale.pk


def test_what_was_kept_stays_as_it_was_sent(shop: Shop, push: Push) -> None:
    """Whatever the retry left out of it."""
    operation = sale_of(shop, "a", payment_recieved=True)
    [kept] = push(operation)
    assert retry(shop, kept, ignore_unknown_fields=True).status_code == 200
    content = json.loads(ClientOperation.objects.get().content)
    assert content == {**operation["data"], "occurred_at": None}


def test_what_is_wrong_otherwise_can_not_be_ignored(shop: Shop, push: Push) -> None:
    [kept] = push(sale_of(shop, "a", {"quantity": 0}, payment_recieved=True))
    assert [error["attr"] for error in kept["errors"]] == ["items.0.quantity"]
    assert retry(shop, kept, ignore_unknown_fields=True).status_code == 400
    assert not Transaction.objects.exists()


def test_what_an_earlier_release_recorded_is_answered_again(shop: Shop, push: Push) -> None:
    """Its answer was lost, and the server was upgraded in between."""
    operation = sale_of(shop, "a", payment_recieved=True)
    [made] = push(sale_of(shop, "a"))  # as that release understood it
    assert push(operation) == [{**made, "status": "duplicate"}]
    assert not SyncConflict.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_an_earlier_release_refused_is_still_the_same_conflict(shop: Shop, push: Push, unguarded: None) -> None:
    operation = sale_of(shop, "a", {"quantity": 99}, payment_recieved=True)
    [refused] = push(sale_of(shop, "a", {"quantity": 99}))  # as that release understood it
    QuerySet(SyncConflict).update(payload=json.dumps(operation))  # as it kept it
    assert push(operation) == [refused]
    assert SyncConflict.objects.count() == 1


def test_loads_and_confirmations_are_as_strict(shop: Shop, push: Push) -> None:
    load = load_of(shop, "a")
    load["data"]["items"][0]["rate"] = "1.00"
    confirm = confirm_of("b", "a")
    confirm["data"]["depot"] = 1
    [first, second] = push(load, confirm)
    assert first["errors"][0]["attr"] == "items.0.rate"
    assert second["errors"][0]["attr"] == "depot"
    assert retry(shop, first, ignore_unknown_fields=True).status_code == 200
    assert retry(shop, second, ignore_unknown_fields=True).status_code == 200


def test_names_that_no_answer_can_carry_are_shortened(shop: Shop) -> None:
    operation = sale_of(shop, "a")
    operation["data"] |= {"x" * 100_000: 1, **{f"f{number}": 1 for number in range(5_000)}}
    operation["data"]["items"][0]["surrogate"] = 1
    body = json.dumps({"operations": [operation]}).replace("surrogate", "\\ud800")
    answer = shop.client_of(shop.driver).post("/api/sync/push/", body, content_type="application/json")
    errors = answer.json()["results"][0]["errors"]
    assert len(errors) < 100
    assert max(len(error["attr"]) for error in errors) < 100
