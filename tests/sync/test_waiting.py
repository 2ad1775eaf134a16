"""What was refused for want of stock is tried again by the server, once there is some."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit.models import AuditLog
from customers.services import deactivate_customer
from foundation import clock
from sync.models import SyncConflict
from sync.services import push
from tests.conftest import Shop
from tests.factories import CustomerFactory, DriverFactory
from tests.fleet.conftest import ago, moment
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)


def sale(shop: Shop, name: str, quantity: int, *, minutes: float = 1, **data: Any) -> dict[str, Any]:
    line = {"type": "SALE", "equipment": shop.cylinder.pk, "quantity": quantity}
    content = {"customer": shop.customer.pk, "items": [line], **data}
    return {"type": "transaction.create", "client_temp_id": name, "occurred_at": ago(minutes=minutes), "data": content}


def statuses(shop: Shop, *operations: dict[str, Any], by: User | None = None) -> list[str]:
    return [result.status for result in push(actor=by or shop.driver, operations=operations)]


def open_ones() -> list[str]:
    still = SyncConflict.objects.filter(status=SyncConflict.Status.OPEN)
    return list(still.order_by("client_temp_id").values_list("client_temp_id", flat=True))


def load(shop: Shop, quantity: int) -> None:
    draft = shop.draft({"direction": "OUT", "quantity": quantity}).json()["id"]
    assert shop.confirm(draft).status_code == 200


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """One piece is left on the vehicle."""
    assert shop.sell({"type": "SALE", "quantity": 19}).status_code == 201
    return shop


def later(shop: Shop, *operations: dict[str, Any]) -> list[str]:
    """Pushed as of now, behind all counts."""
    return statuses(shop, *({**each, "occurred_at": clock.now().isoformat()} for each in operations))


def test_a_load_lets_it_happen(shop: Shop) -> None:
    operation = {**sale(shop, "a", 5), "occurred_at": clock.now().isoformat()}
    assert statuses(shop, operation) == ["rejected"]
    load(shop, 3)
    assert open_ones() == ["a"], "4 are not 5"
    load(shop, 1)
    assert open_ones() == []
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == 0
    assert statuses(shop, operation) == ["duplicate"]
    conflict = SyncConflict.objects.get()
    assert (conflict.status, conflict.settled_by) == (SyncConflict.Status.RETRIED, None)
    sold = Transaction.objects.latest("pk")
    assert (sold.user, sold.occurred_at) == (shop.driver, datetime.fromisoformat(operation["occurred_at"]))
    record = AuditLog.objects.get(action="sync.conflict.retried")
    assert (record.user, record.reason) == (None, "retried automatically")
    evidence = AuditLog.objects.filter(action="transactions.sale.recorded").latest("pk").after
    assert evidence is not None
    assert evidence["retried"] == "automatically"


def test_in_the_order_in_which_it_happened(shop: Shop) -> None:
    now = clock.now()
    names = (("late", 3), ("early", 1), ("b", 2), ("a", 2))
    for name, seconds in names:
        at = (now + timedelta(seconds=seconds)).isoformat()
        assert statuses(shop, {**sale(shop, name, 2), "occurred_at": at}) == ["rejected"]
    load(shop, 7)
    order = Transaction.objects.filter(client_temp_id__isnull=False).order_by("pk")
    assert list(order.values_list("client_temp_id", flat=True)) == ["early", "a", "b", "late"]


def test_what_is_too_much_does_not_stop_the_next(shop: Shop) -> None:
    assert later(shop, sale(shop, "a", 50), sale(shop, "b", 2)) == ["rejected"] * 2
    load(shop, 1)
    assert open_ones() == ["a"]


def test_only_what_lacked_that_balance_is_looked_at(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []
    monkeypatch.setattr("sync.services.retry_by_itself", lambda **which: tried.append(which))
    other = DriverFactory(depot=shop.depot)
    assert statuses(shop, {**sale(shop, "a", 5), "occurred_at": clock.now().isoformat()}, by=other) == ["rejected"]
    before = SyncConflict.objects.values().get()
    load(shop, 10)
    assert SyncConflict.objects.values().get() == before
    assert tried == []


def test_what_is_refused_for_another_reason_now_waits_for_a_person(shop: Shop) -> None:
    customer = CustomerFactory()
    with time_machine.travel(moment(minutes=5)):
        deactivate_customer(actor=shop.admin, pk=customer.pk)
    type(customer).objects.filter(pk=customer.pk).update(is_active=True)
    assert later(shop, sale(shop, "a", 5, customer=customer.pk)) == ["rejected"]
    type(customer).objects.filter(pk=customer.pk).update(is_active=False)
    load(shop, 10)
    conflict = SyncConflict.objects.get()
    assert (conflict.status, conflict.code, conflict.waits_for) == ("OPEN", "insufficient_stock", "")


def test_one_that_happens_may_make_room_for_the_next(shop: Shop) -> None:
    """The empties that a swap brings are unloaded by what waits for them."""
    assert shop.stock(customer=shop.customer) == 19
    item = {"equipment": shop.cylinder.pk, "direction": "IN", "condition": "EMPTY", "quantity": 3}
    data = {"depot": shop.depot.pk, "items": [item]}
    draft = push(actor=shop.driver, operations=[{"type": "distribution.create", "client_temp_id": "d", "data": data}])[
        0
    ]
    assert draft.made is not None
    line = {"type": "SWAP", "equipment": shop.cylinder.pk, "quantity": 3}
    operations = [
        {"type": "distribution.confirm", "client_temp_id": "confirm", "data": {"distribution": draft.made.pk}},
        sale(shop, "swap", 3, items=[line]),
    ]
    assert later(shop, *operations) == ["rejected"] * 2
    load(shop, 2)
    assert open_ones() == []
    assert shop.stock("EMPTY", vehicle_no=shop.driver.vehicle_no) == 0


def test_a_commit_costs_one_question_at_most(shop: Shop) -> None:
    assert later(shop, sale(shop, "a", 500)) == ["rejected"]
    SyncConflict.objects.update(status=SyncConflict.Status.DISMISSED)
    draft = shop.draft({"direction": "OUT"}).json()["id"]
    with CaptureQueriesContext(connection) as queries:
        assert shop.confirm(draft).status_code == 200
    asked = [query["sql"] for query in queries if "sync_syncconflict" in query["sql"]]
    assert len(asked) == 1
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{asked[0]}")
        assert "conflict_waits_for_idx" in str(cursor.fetchall())
