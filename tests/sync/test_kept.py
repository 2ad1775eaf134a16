"""What is kept of a refused operation, what it may refer to, and who decides about it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine

from accounts.models import User
from audit.models import AuditLog
from distribution.models import Distribution
from foundation import clock
from foundation.access.capabilities import Role
from foundation.clock import SINGAPORE
from foundation.errors import Busy, Denied, Invalid
from foundation.operations.models import ClientOperation
from sync import operations
from sync.models import ReceivedNumber, SyncConflict
from sync.selectors import open_conflicts
from sync.services import dismiss_conflict, retry_conflict
from tests.conftest import Shop, error_of
from tests.factories import DriverFactory, UserFactory
from tests.sync.conftest import Push, confirm_of, load_of, sale_of
from tests.types import Json
from transactions.services import sales

pytestmark = pytest.mark.django_db


def test_a_load_is_not_confirmed_by_the_name_of_a_sale(shop: Shop, push: Push) -> None:
    """Even where a load has the sale's number as its own key."""
    [sale] = push(sale_of(shop, "sale"))
    load = Distribution.objects.get(pk=shop.draft({"direction": "OUT"}).json()["id"])
    if load.pk != sale["id"]:
        load.pk, load.distribution_number = sale["id"], "DST-20260120-999999"
        Distribution.objects.bulk_create([load])
    [result] = push(confirm_of("confirm", "sale"))
    assert [(error["code"], error["attr"]) for error in result["errors"]] == [("does_not_exist", "distribution")]
    assert Distribution.objects.get(pk=sale["id"]).status == "DRAFT"


def test_the_same_words_of_two_people_are_two_operations(shop: Shop, push: Push) -> None:
    other = DriverFactory(depot=shop.depot)
    too_many = sale_of(shop, "a", {"quantity": 99})
    [mine], [theirs] = push(too_many), push(too_many, by=other)
    assert mine["conflict"] != theirs["conflict"]
    assert [kept.user for kept in SyncConflict.objects.order_by("pk")] == [shop.driver, other]


def test_the_same_words_under_another_id_are_another_operation(shop: Shop, push: Push) -> None:
    first, second = (sale_of(shop, name, {"quantity": 99}) for name in ("a", "b"))
    [one], [other] = push(first), push(second)
    assert one["conflict"] != other["conflict"]
    assert [result["conflict"] for result in push(second, first)] == [other["conflict"], one["conflict"]]


def test_what_has_no_id_is_the_same_by_its_text_alone(push: Push) -> None:
    """Nobody says that two of them are one."""
    spelt = [{"type": "transaction.create", "data": {"rate": rate}} for rate in ("28.5", "28.50")]
    first = [result["conflict"] for result in push(*spelt)]
    assert len(set(first)) == 2
    assert [result["conflict"] for result in push(*spelt)] == first


def test_it_is_of_the_singapore_date_on_which_it_came(shop: Shop, push: Push) -> None:
    # In UTC it is still the 19th.
    with time_machine.travel(datetime(2026, 1, 20, 7, 30, tzinfo=SINGAPORE), tick=False):
        yesterday = clock.now() - timedelta(days=1)
        push(sale_of(shop, "a", {"quantity": 99}, occurred_at=yesterday.isoformat()))
    assert str(SyncConflict.objects.get().date) == "2026-01-20"


def test_a_moment_that_no_clock_tells_is_not_kept_as_one(shop: Shop, push: Push) -> None:
    push(sale_of(shop, "a", occurred_at="0999-01-20T10:00:00+08:00"))
    assert SyncConflict.objects.get().occurred_at is None


@pytest.mark.parametrize(
    "decide", [retry_conflict, partial(dismiss_conflict, reason="Not mine")], ids=["retry", "dismiss"]
)
def test_a_supervisor_of_another_depot_decides_nothing(
    shop: Shop, push: Push, decide: Callable[..., SyncConflict]
) -> None:
    [kept] = push(sale_of(shop, "a", {"quantity": 99}))
    with pytest.raises(Denied):
        decide(actor=UserFactory(role=Role.SUPERVISOR), conflict_id=kept["conflict"])
    assert SyncConflict.objects.get().status == "OPEN"


def test_who_decided_and_when_is_kept_and_it_waits_no_more(shop: Shop, push: Push, supervisor: User) -> None:
    with time_machine.travel(datetime(2026, 1, 20, 10, tzinfo=SINGAPORE), tick=False) as day:
        [first], [second] = push(sale_of(shop, "a", {"quantity": 99})), push(sale_of(shop, "b", {"quantity": 98}))
        assert open_conflicts() == 2
        day.shift(timedelta(hours=1))
        settled = dismiss_conflict(actor=supervisor, conflict_id=first["conflict"], reason="Entered twice")
        assert (settled.settled_at, settled.settled_by) == (clock.now(), supervisor)
        assert open_conflicts() == 1
    assert SyncConflict.objects.get(status="OPEN").pk == second["conflict"]


def test_another_load_and_its_confirmation_under_used_ids_never_happen(
    shop: Shop, push: Push, supervisor: User
) -> None:
    client = shop.client_of(supervisor)
    push(load_of(shop, "load"), confirm_of("confirm", "load"))
    for other in (load_of(shop, "load", quantity=5), confirm_of("confirm", 7)):
        [kept] = push(other)
        assert kept["errors"][0]["code"] == "idempotency_conflict"
        retried = client.post(f"/api/sync/conflicts/{kept['conflict']}/retry/", {})
        assert error_of(retried)[:2] == (409, "belongs_to_another")
    assert Distribution.objects.count() == 1


def test_what_happened_is_not_dismissed_afterwards(shop: Shop, push: Push, supervisor: User) -> None:
    [kept] = push(sale_of(shop, "a", {"quantity": 21}))
    shop.count("vehicle", shop.driver.vehicle_no, 30)
    client = shop.client_of(supervisor)
    assert client.post(f"/api/sync/conflicts/{kept['conflict']}/retry/", {}).status_code == 200
    late = client.post(f"/api/sync/conflicts/{kept['conflict']}/dismiss/", {"reason": "No"})
    assert error_of(late)[:2] == (409, "already_settled")


def test_a_reason_of_spaces_is_none(shop: Shop, push: Push, supervisor: User) -> None:
    [kept] = push(sale_of(shop, "a", {"quantity": 99}))
    with pytest.raises(Invalid):
        dismiss_conflict(actor=supervisor, conflict_id=kept["conflict"], reason="  ")


def test_nobody_decides_about_their_own(shop: Shop, push: Push) -> None:
    [kept] = push(sale_of(shop, "a", {"quantity": 99}))
    shop.driver.role = Role.SUPERVISOR
    shop.driver.save(update_fields=["role"])
    with pytest.raises(Denied):
        dismiss_conflict(actor=shop.driver, conflict_id=kept["conflict"], reason="A slip")
    with pytest.raises(Denied):
        retry_conflict(actor=shop.driver, conflict_id=kept["conflict"])


def test_who_changes_no_loads_confirms_none(shop: Shop, push: Push) -> None:
    load = shop.draft({"direction": "OUT"}).json()["id"]
    [result] = push(confirm_of("a", load), by=UserFactory(role=Role.SALES, depot=shop.depot))
    assert [error["code"] for error in result["errors"]] == ["permission_denied"]


def test_what_the_server_can_not_decide_at_the_moment_is_not_kept(
    shop: Shop, push: Push, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(**_: object) -> None:
        raise Busy("The server is busy.")

    monkeypatch.setattr(operations, "create_customer_transaction_and_invoice", busy)
    response = shop.client_of(shop.driver).post("/api/sync/push/", {"operations": [sale_of(shop, "a")]})
    assert response.status_code == 503
    assert not SyncConflict.objects.exists()


def test_a_mistake_of_the_server_s_is_logged_with_its_place(
    shop: Shop, push: Push, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def mistaken(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(operations, "create_customer_transaction_and_invoice", mistaken)
    [result] = push(sale_of(shop, "a"))
    assert result["errors"][0]["code"] == "server_error"
    [logged] = [entry for entry in caplog.records if entry.name == "hsh.sync"]
    assert (logged.exc_info or (None,))[0] is ZeroDivisionError
    request = SyncConflict.objects.get().request_id
    assert logged.getMessage() == f"operation transaction.create of user {shop.driver.pk} failed (request {request})"


def test_what_happened_while_it_was_being_refused_is_not_kept_as_well(
    shop: Shop, push: Push, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second push of the same sale finds the vehicle empty, since the first one has just sold from it."""
    create, operation = sales.create_customer_transaction_and_invoice, sale_of(shop, "a")
    first: list[Any] = []

    def overtaken(**asked: Any) -> Any:
        if first:
            return create(**asked)
        first.append(None)
        first[:] = push(operation)
        raise Denied

    monkeypatch.setattr(operations, "create_customer_transaction_and_invoice", overtaken)
    [second] = push(operation)
    assert (first[0]["status"], second["status"], second["id"]) == ("created", "duplicate", first[0]["id"])
    assert not SyncConflict.objects.exists()


# --- Secrets ---


@pytest.mark.parametrize("kind", ["user.create", "transaction.create", None])
def test_what_is_named_like_a_secret_is_kept_nowhere_and_still_tells_two_contents_apart(
    shop: Shop, push: Push, kind: str | None
) -> None:
    def operation(secret: str, name: str = "a") -> Json:
        data = {"Password": secret, "more": [{"refresh_token": {"value": secret}, "secret": None}], "customer": 1}
        return {"type": kind, "client_temp_id": name, "data": data}

    [first] = push(operation("correct horse battery"))
    assert push(operation("correct horse battery")) == [first]
    kept = SyncConflict.objects.get()
    stored = "".join(
        repr([*model._default_manager.values_list()])
        for model in (SyncConflict, ClientOperation, AuditLog, ReceivedNumber)
    )
    assert "correct horse" not in stored
    shown = shop.client_of(shop.admin).get(f"/api/sync/conflicts/{kept.pk}/").json()["payload"]["data"]
    assert shown["customer"] == 1
    assert shown["Password"].startswith("sha256:")
    assert shown["more"][0]["secret"] is None
    [other] = push(operation("another one"))
    assert SyncConflict.objects.get(pk=other["conflict"]).pk != kept.pk


def test_what_a_list_that_is_no_operation_holds_is_kept_without_secrets(push: Push) -> None:
    push([{"password": "correct horse"}])
    assert "correct horse" not in SyncConflict.objects.get().payload


def test_what_an_earlier_release_kept_with_a_secret_is_the_same_operation(
    push: Push, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = {"type": "x", "client_temp_id": "a", "data": {"token": "abc"}}
    with monkeypatch.context() as earlier:
        earlier.setattr("sync.reading.without_secrets", lambda sent: sent)
        [kept] = push(operation)
    assert "abc" in SyncConflict.objects.get().payload
    assert push(operation) == [kept]
    assert SyncConflict.objects.count() == 1
