"""What happened before a deactivation is still recorded; what is out can always come back."""

from datetime import datetime
from importlib import import_module
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db.models import Model

from accounts.services import deactivate_user
from customers.models import Customer
from customers.services import deactivate_customer, update_customer
from depots.models import Depot
from depots.services import deactivate_depot, update_depot
from equipment.models import Equipment
from equipment.services import deactivate_equipment, update_equipment
from foundation.master_data import was_active
from inventory.models import DepotWork
from sync.models import SyncConflict
from sync.services import push
from tests.conftest import Shop, error_of
from tests.factories import CustomerFactory, DepotFactory, EquipmentFactory, MeteredCustomerFactory
from tests.fleet.conftest import ago, moment
from tests.types import Answer, Json, Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

COMMANDS: dict[type[Model], tuple[Any, Any]] = {
    Customer: (deactivate_customer, update_customer),
    Depot: (deactivate_depot, update_depot),
    Equipment: (deactivate_equipment, update_equipment),
}


def deactivate(shop: Shop, row: Any, at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        COMMANDS[type(row)][0](actor=shop.admin, pk=row.pk)


@pytest.mark.parametrize("model", COMMANDS)
def test_a_row_knows_since_when_it_is_out_of_use(shop: Shop, model: type[Model]) -> None:
    row: Any = {Customer: shop.customer, Depot: shop.depot, Equipment: shop.cylinder}[model]
    at = moment(hours=1)
    deactivate(shop, row, at)
    row.refresh_from_db()
    assert (row.is_active, row.deactivated_at) == (False, at)
    assert (was_active(row, moment(hours=2)), was_active(row, at), was_active(row, moment())) == (True, False, False)
    _, update = COMMANDS[model]
    update(actor=shop.admin, pk=row.pk, changes={"is_active": False})
    row.refresh_from_db()
    assert row.deactivated_at == at, "again is no other moment"
    update(actor=shop.admin, pk=row.pk, changes={"is_active": True})
    row.refresh_from_db()
    assert (row.is_active, row.deactivated_at) == (True, None)
    assert was_active(row, at)
    model._base_manager.filter(pk=row.pk).update(is_active=False)
    row.refresh_from_db()
    assert not was_active(row, moment(days=300)), "nobody knows since when"


def late_ones() -> tuple[Json, ...]:
    return ({}, {"occurred_at": ago(minutes=59)})


def test_a_late_sale_to_who_was_a_customer_then(shop: Shop, nothing_changes: Unchanged) -> None:
    deactivate(shop, shop.customer, moment(hours=1))
    with nothing_changes():
        for late in late_ones():
            assert error_of(shop.sell({"type": "SALE"}, **late)) == (409, "customer_inactive", "customer")
    assert shop.sell({"type": "SALE"}, occurred_at=ago(minutes=61)).status_code == 201


def test_a_late_sale_of_what_was_sold_then(shop: Shop, nothing_changes: Unchanged) -> None:
    deactivate(shop, shop.cylinder, moment(hours=1))
    with nothing_changes():
        for kind in ("SALE", "SWAP", "DEPOSIT"):
            for late in late_ones():
                assert error_of(shop.sell({"type": kind}, **late)) == (409, "equipment_inactive", "items.0.equipment")
    assert shop.sell({"type": "SALE"}, occurred_at=ago(minutes=61)).status_code == 201


def test_shells_and_deposits_can_always_come_back(shop: Shop, nothing_changes: Unchanged) -> None:
    assert shop.sell({"type": "SALE", "quantity": 2}, {"type": "DEPOSIT", "quantity": 2}).status_code == 201
    for row in (shop.customer, shop.cylinder):
        deactivate(shop, row, moment())
    assert shop.sell({"type": "RETURN"}, payment_received=True).status_code == 201
    other = {"type": "SALE", "equipment": EquipmentFactory().pk}
    with nothing_changes():
        assert error_of(shop.sell({"type": "RETURN"}, other)) == (409, "customer_inactive", "customer")
        assert error_of(shop.sell()) == (409, "customer_inactive", "customer")
    mixed: Json = {"customer": CustomerFactory().pk}
    with nothing_changes():
        lines = ({"type": "RETURN"}, {"type": "SALE"})
        assert error_of(shop.sell(*lines, **mixed)) == (409, "equipment_inactive", "items.1.equipment")


def test_a_reading_is_no_return(shop: Shop, nothing_changes: Unchanged) -> None:
    metered = MeteredCustomerFactory()
    assert shop.sell({"type": "SALE"}, customer=metered.pk).status_code == 201
    deactivate(shop, metered, moment())
    with nothing_changes():
        sold = shop.sell({"type": "RETURN"}, customer=metered.pk, current_meter="1300.00")
        assert error_of(sold) == (409, "customer_inactive", "customer")


def test_a_late_replacement_of_a_meter(shop: Shop) -> None:
    metered, admin = MeteredCustomerFactory(), shop.client_of(shop.admin)
    deactivate(shop, metered, moment(hours=1))

    def replace(**late: str) -> Answer:
        meter = {"final_reading": "1250.00", "new_meter_number": "new", "first_reading": "0.00"}
        return admin.post(f"/api/customers/{metered.pk}/replace-meter/", {**meter, **late})

    assert error_of(replace())[:2] == (409, "customer_inactive")
    assert replace(occurred_at=ago(hours=2)).status_code == 201


def test_a_late_load_of_what_was_there_then(shop: Shop, nothing_changes: Unchanged) -> None:
    with time_machine.travel(moment(hours=3)):
        load = shop.draft({"direction": "OUT"}).json()["id"]
    deactivate(shop, shop.depot, moment(hours=1))
    with nothing_changes():
        for late in late_ones():
            assert error_of(shop.draft({"direction": "OUT"}, **late)) == (409, "depot_inactive", "depot")
    told = shop.draft({"direction": "OUT"}, occurred_at=ago(hours=2)).json()["id"]
    assert shop.confirm(told).status_code == 200, "it says when it happened"
    with nothing_changes():
        assert error_of(shop.confirm(load))[:2] == (409, "depot_inactive")
    [done] = push(actor=shop.driver, operations=[confirmation(load, occurred_at=ago(minutes=90))])
    assert done.status == "created"


def confirmation(load: int, **more: str) -> dict[str, Any]:
    return {"type": "distribution.confirm", "client_temp_id": "confirm", "data": {"distribution": load}, **more}


def test_inactive_equipment_is_unloaded_and_no_more_loaded(shop: Shop, nothing_changes: Unchanged) -> None:
    deactivate(shop, shop.cylinder, moment(hours=1))
    with nothing_changes():
        refused = shop.draft({"direction": "IN"}, {"direction": "OUT"})
        assert error_of(refused) == (409, "equipment_inactive", "items.1.equipment")
    assert shop.draft({"direction": "OUT"}, occurred_at=ago(hours=2)).status_code == 201
    load = shop.draft({"direction": "IN"}).json()
    assert shop.confirm(load["id"]).status_code == 200


def test_late_work_of_a_depot(shop: Shop) -> None:
    admin, target = shop.client_of(shop.admin), DepotFactory()
    items = [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 1}]
    goods_in = {"kind": "GOODS_IN", "depot": shop.depot.pk, "reason": "Bought", "items": items}
    transfer = {"kind": "TRANSFER", "depot": shop.depot.pk, "to_depot": target.pk, "reason": "Moved", "items": items}
    for row, works in ((target, [transfer]), (shop.cylinder, [goods_in]), (shop.depot, [goods_in])):
        deactivate(shop, row, moment(hours=1))
        for work in works:
            assert admin.post("/api/depot-work/", work).status_code == 409
            assert admin.post("/api/depot-work/", {**work, "occurred_at": ago(hours=2)}).status_code == 201
    assert DepotWork.objects.count() == 3


def test_what_a_user_did_before_they_left_may_be_booked_and_nothing_after(
    shop: Shop, nothing_changes: Unchanged
) -> None:
    line = {"type": "SALE", "equipment": shop.cylinder.pk, "quantity": 1}
    data = {"customer": shop.customer.pk, "items": [line]}
    deactivate(shop, shop.customer, moment(hours=3))
    with time_machine.travel(moment(hours=1)):
        at = moment()
        deactivate_user(actor=shop.admin, pk=shop.driver.pk)
    shop.driver.refresh_from_db()
    assert shop.driver.deactivated_at is not None
    assert shop.driver.deactivated_at >= at
    before, after = ago(hours=2), shop.driver.deactivated_at.isoformat()
    shop.driver.is_active = True  # as it was when they pushed
    operations = [
        {"type": "transaction.create", "client_temp_id": name, "occurred_at": at, "data": data}
        for name, at in (("a", before), ("b", after), ("c", None))
    ]
    kept = [result.conflict for result in push(actor=shop.driver, operations=operations)]
    update_customer(actor=shop.admin, pk=shop.customer.pk, changes={"is_active": True})
    admin = shop.client_of(shop.admin)
    statuses = []
    for conflict in kept:
        assert conflict is not None
        answer = admin.post(f"/api/sync/conflicts/{conflict.pk}/retry/", {})
        statuses.append((answer.status_code, SyncConflict.objects.get(pk=conflict.pk).status))
    assert statuses == [(200, "RETRIED"), (409, "OPEN"), (409, "OPEN")]
    assert error_of(answer) == (409, "user_deactivated", "occurred_at")
    assert Transaction.objects.count() == 1


def test_an_earlier_version_s_deactivations_are_dated_by_their_records(shop: Shop) -> None:
    at = moment(hours=1)
    rows: list[Any] = [shop.customer, shop.depot, shop.cylinder]
    for row in rows:
        deactivate(shop, row, at)
        type(row)._base_manager.filter(pk=row.pk).update(deactivated_at=None)
    unknown = CustomerFactory(is_active=False)
    import_module("customers.migrations.0006_fill_deactivations").fill(apps, None)
    for row in rows:
        row.refresh_from_db()
        assert row.deactivated_at == at
    unknown.refresh_from_db()
    assert unknown.deactivated_at is None
