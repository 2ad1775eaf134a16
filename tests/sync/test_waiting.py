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
from foundation.access.capabilities import Role
from foundation.errors import Invalid
from inventory.services import sign_off_count
from sync.devices import DeviceSays
from sync.models import SyncConflict
from sync.services import Envelope, push, withdraw_conflict
from tests.conftest import Shop, error_of
from tests.factories import CustomerFactory, DriverFactory, UserFactory, VehicleFactory
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


def test_on_another_day_a_person_decides(shop: Shop) -> None:
    """Whoever sent it has long since reckoned that it was refused."""
    with time_machine.travel(clock.now().replace(hour=18), tick=False):
        assert later(shop, sale(shop, "a", 5)) == ["rejected"]
        until = SyncConflict.objects.get().tried_again_until
        assert until == clock.end_of(clock.business_date(clock.now()))
    with time_machine.travel(clock.now().replace(hour=7) + timedelta(days=1), tick=False):
        load(shop, 10)
        assert open_ones() == ["a"]
        assert SyncConflict.objects.get().tried_again_until is None


@pytest.mark.parametrize(("whose", "happens"), [("own", False), ("another's", False), ("another customer's", True)])
def test_what_may_have_been_entered_again_waits_for_a_person(shop: Shop, whose: str, happens: bool) -> None:
    assert later(shop, sale(shop, "a", 5)) == ["rejected"]
    by = DriverFactory(depot=shop.depot) if whose == "another's" else shop.driver
    more = {"customer": CustomerFactory().pk} if whose == "another customer's" else {}
    if by != shop.driver:
        shop.stocked("vehicle", by.vehicle_no, 1)
    again = {**sale(shop, "b", 1, **more), "occurred_at": clock.now().isoformat()}
    assert statuses(shop, again, by=by) == ["created"]
    load(shop, 10)
    assert open_ones() == ([] if happens else ["a"])
    assert SyncConflict.objects.get().tried_again_until is None


def test_an_earlier_sale_to_the_customer_is_no_such_one(shop: Shop) -> None:
    now = clock.now()
    first, second = (
        {**sale(shop, name, 5), "occurred_at": (now + timedelta(seconds=seconds)).isoformat()}
        for name, seconds in (("a", 1), ("b", 2))
    )
    assert statuses(shop, second, first) == ["rejected"] * 2
    load(shop, 9)
    assert open_ones() == []


def test_who_sent_it_may_withdraw_it(shop: Shop) -> None:
    [result] = push(actor=shop.driver, operations=[{**sale(shop, "a", 5), "occurred_at": clock.now().isoformat()}])
    assert result.conflict is not None
    path = f"/api/sync/conflicts/{result.conflict.pk}/withdraw/"
    driver = shop.client_of(shop.driver)
    assert error_of(driver.post(path, {"reason": " "}))[0] == 400
    assert error_of(shop.client_of(shop.admin).post(path, {"reason": "No"})) == (403, "permission_denied", None)
    assert shop.client_of(DriverFactory(depot=shop.depot)).post(path, {"reason": "No"}).status_code == 404
    answer = driver.post(path, {"reason": "A slip: 1, not 5"}).json()
    assert (answer["status"], answer["withdrawn_because"], answer["tried_again_until"]) == (
        "OPEN", "A slip: 1, not 5", None,
    )  # fmt: skip
    load(shop, 10)
    assert open_ones() == ["a"], "a supervisor decides"
    assert AuditLog.objects.get(action="sync.conflict.withdrawn").reason == "A slip: 1, not 5"
    retried = shop.client_of(shop.admin).post(f"/api/sync/conflicts/{result.conflict.pk}/retry/", {})
    assert retried.status_code == 200
    assert error_of(driver.post(path, {"reason": "Again"}))[1] == "already_settled"


def test_a_withdrawal_without_a_reason_is_none(shop: Shop) -> None:
    [result] = push(actor=shop.driver, operations=[{**sale(shop, "a", 5), "occurred_at": clock.now().isoformat()}])
    assert result.conflict is not None
    with pytest.raises(Invalid):
        withdraw_conflict(actor=shop.driver, conflict_id=result.conflict.pk, reason="  ")


def test_an_answer_of_protocol_2_says_until_when_it_is_tried_again(shop: Shop) -> None:
    operations = [{**sale(shop, "a", 5), "occurred_at": clock.now().isoformat(), "number": 1}]
    said = {"protocol": 2, "sent_at": clock.now().isoformat(), "device": {"id": "phone", "last_number": 1}}
    body = {**said, "operations": operations}
    [result] = shop.client_of(shop.driver).post("/api/sync/push/", body).json()["results"]
    assert datetime.fromisoformat(result["tried_again_until"]) == clock.end_of(clock.business_date(clock.now()))


def test_what_stands_behind_a_count_of_its_own_device_is_tried_again(shop: Shop) -> None:
    """Its time says before the count of that vehicle; by its number it comes after a count of another one."""
    lorry = VehicleFactory(depot=shop.depot).number
    shop.stocked("vehicle", lorry, 3)
    with time_machine.travel(clock.now() + timedelta(hours=2)):
        counted = shop.client_of(shop.admin).post(
            "/api/vehicle-counts/",
            {"vehicle": lorry, "counts": [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 9}]},
        )
        supervisor = UserFactory(role=Role.ADMIN, depot=shop.depot)
        signed = shop.client_of(supervisor).post(f"/api/vehicle-counts/{counted.json()['id']}/sign-off/", {})
        assert signed.status_code == 200
        line = {"type": "SALE", "equipment": shop.cylinder.pk, "quantity": 8}
        count = {"vehicle": shop.driver.vehicle_no, "counts": []}
        operations = [
            {"type": "vehicle_count", "client_temp_id": "c", "number": 1, "occurred_at": ago(minutes=0), "data": count},
            {
                "type": "transaction.create", "client_temp_id": "s", "number": 2, "occurred_at": ago(minutes=60),
                "data": {"customer": shop.customer.pk, "vehicle": lorry, "items": [line]},
            },
        ]  # fmt: skip
        said = Envelope(2, clock.now(), DeviceSays("phone", 2))
        made, refused = push(actor=shop.driver, operations=operations, said=said)
        assert (made.status, refused.status) == ("created", "rejected")
        assert made.made is not None
        sign_off_count(actor=shop.admin, count_id=made.made.pk)
        assert open_ones() == []
