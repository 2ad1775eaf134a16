"""Which rows are locked, and in which order: seen on every engine, though SQLite needs no row locks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import models, transaction

from customers.models import Customer
from distribution.models import Distribution
from inventory import locks
from inventory.models import DepotWork, Inventory, Location, ReorderLevel
from inventory.services import deactivate_reorder_level, update_reorder_level
from tests.conftest import Shop, post_confirmed
from tests.factories import DepotFactory, EquipmentFactory

pytestmark = pytest.mark.django_db
Locked = list[models.Model]


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> Locked:
    """The rows, in the order in which they were locked first."""
    seen: Locked = []
    original = models.QuerySet._fetch_all

    def fetch_all(self: Any) -> None:
        is_read = self._result_cache is None
        original(self)
        if is_read and self.query.select_for_update:
            seen.extend(row for row in self._result_cache if isinstance(row, models.Model) and row not in seen)

    monkeypatch.setattr(models.QuerySet, "_fetch_all", fetch_all)
    return seen


def test_what_is_changed_is_locked(shop: Shop, locked: Locked) -> None:
    admin, url = shop.client_of(shop.admin), f"/api/customers/{shop.customer.pk}/"
    loads = [Distribution.objects.get(pk=shop.draft({"direction": "OUT"}).json()["id"]) for _ in range(2)]
    level = ReorderLevel.objects.create(depot=shop.depot, equipment=shop.cylinder, quantity=5)
    line = {"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 1}
    bought = {"kind": "GOODS_IN", "depot": shop.depot.pk, "reason": "Bought", "items": [line]}
    work = DepotWork.objects.get(pk=admin.post("/api/depot-work/", bought).json()["id"])
    rate = {"equipment": shop.cylinder.pk, "rate": "20.00", "valid_from": "2026-01-01"}
    commands: list[tuple[models.Model, Callable[[], Any]]] = [
        (shop.customer, lambda: admin.patch(url, {"name": "Other"})),
        (shop.customer, lambda: post_confirmed(admin, f"{url}rates/", rate)),
        (shop.customer, lambda: shop.sell({"type": "REFILL"})),
        (shop.customer, lambda: admin.delete(url)),
        (loads[0], lambda: shop.confirm(loads[0].pk)),
        (loads[1], lambda: admin.post(f"/api/distributions/{loads[1].pk}/cancel/")),
        (work, lambda: admin.post(f"/api/depot-work/{work.pk}/reverse/", {"reason": "A slip"})),
        (level, lambda: update_reorder_level(actor=shop.admin, pk=level.pk, changes={"quantity": 6})),
        (level, lambda: deactivate_reorder_level(actor=shop.admin, pk=level.pk)),
    ]
    for row, run in commands:
        locked.clear()
        answer = run()
        assert getattr(answer, "status_code", 200) in (200, 201, 204), answer.content
        assert row in locked


@pytest.fixture
def later(shop: Shop) -> Any:
    """A depot whose balances were made after those of OUTSIDE."""
    depot = DepotFactory()
    shop.count("depot", depot.pk, 10)
    shop.count("depot", depot.pk, 10, condition="EMPTY")
    outside = Inventory.objects.filter(location__kind="OUTSIDE", condition="FULL").get()
    assert outside.pk < min(Inventory.objects.filter(location__depot=depot).values_list("pk", flat=True))
    return depot


def test_balances_are_locked_in_the_order_of_their_keys(shop: Shop, later: Any, locked: Locked) -> None:
    """Whatever the order of what was asked for: two that need the same ones meet at the first, and one waits."""
    admin = shop.client_of(shop.admin)
    lines = [{"equipment": shop.cylinder.pk, "condition": condition, "quantity": 3} for condition in ("EMPTY", "FULL")]
    one_each = [{**line, "quantity": 1} for line in lines]
    full, load = one_each[1:], shop.draft({"direction": "IN"}, {"direction": "IN", "condition": "EMPTY"}).json()
    shop.sell({"type": "SWAP"})
    for run in (
        lambda: admin.post("/api/depot-work/stock-take/", {"depot": later.pk, "reason": "x", "items": lines}),
        lambda: admin.post("/api/depot-work/", {"kind": "SCRAP", "depot": later.pk, "reason": "x", "items": one_each}),
        lambda: admin.post(
            "/api/depot-work/",
            {"kind": "TRANSFER", "depot": later.pk, "to_depot": shop.depot.pk, "reason": "x", "items": full},
        ),
        lambda: shop.count("depot", later.pk, 7),
        lambda: shop.confirm(load["id"]),
    ):
        before = dict(Inventory.objects.values_list("pk", "quantity"))
        locked.clear()
        answer = run()
        assert answer.status_code in (200, 201), answer.content
        keys = [row.pk for row in locked if isinstance(row, Inventory)]
        assert keys == sorted(keys)
        changed = {pk for pk, quantity in Inventory.objects.values_list("pk", "quantity") if before.get(pk) != quantity}
        assert changed == {*keys}
        assert len(keys) >= 2


def test_balances_that_are_new_are_made_in_one_order(shop: Shop) -> None:
    """Their keys' order is that of their locations, equipment and conditions, whoever asks for what first."""
    first, second = EquipmentFactory(), EquipmentFactory()
    items = [
        {"equipment": equipment.pk, "condition": condition, "quantity": 1}
        for equipment in (second, first)
        for condition in ("FULL", "EMPTY")
    ]
    body = {"kind": "GOODS_IN", "depot": shop.depot.pk, "reason": "x", "items": items}
    assert shop.client_of(shop.admin).post("/api/depot-work/", body).status_code == 201
    made = Inventory.objects.filter(equipment__in=(first, second)).order_by("pk")
    keys = list(made.values_list("location", "equipment", "condition"))
    assert keys == sorted(keys)
    assert len(keys) == 8


def test_a_count_at_the_day_s_end_locks_all_of_the_vehicle(shop: Shop, locked: Locked) -> None:
    other = EquipmentFactory()
    for condition in ("EMPTY", "DAMAGED"):
        shop.count("vehicle", shop.driver.vehicle_no, 2, condition=condition, equipment_id=other.pk)
    locked.clear()
    answer = shop.client_of(shop.driver).post("/api/settlements/", {"cash": "0.00", "counts": []})
    assert answer.status_code == 201, answer.content
    on_board = Inventory.objects.filter(location__vehicle_no=shop.driver.vehicle_no).order_by("pk")
    assert [row for row in locked if isinstance(row, Inventory)] == list(on_board)
    assert len(on_board) == 3


def test_a_customer_whom_nobody_may_see_is_not_locked(shop: Shop, locked: Locked) -> None:
    answer = shop.sell({"type": "REFILL"}, customer=999_999)
    assert answer.status_code == 400
    assert not [row for row in locked if isinstance(row, Customer)]


def test_places_are_locked_in_the_order_of_their_keys(shop: Shop) -> None:
    keys = list(Location.objects.order_by("-pk").values_list("pk", flat=True))
    assert len(keys) > 2
    with transaction.atomic():
        assert [row.pk for row in locks.places(keys)] == sorted(keys)
