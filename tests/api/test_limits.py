"""Nothing is written that can't be read: each number at its limit and one beyond, alone and in sums."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from importlib import import_module
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DataError, IntegrityError, transaction
from rest_framework import serializers
from rest_framework.test import APIClient

from core.packages import PACKAGES
from core.settings import company
from customers.models import Customer
from customers.services import create_customer, set_contract_rate, set_meter_rate, update_customer
from distribution.services import NewDistribution, NewItem, create_distribution
from equipment.models import EquipmentPrice
from equipment.services import create_equipment, set_price, update_equipment
from foundation.api.fields import IdField
from foundation.limits import AmountOutOfRange
from inventory.models import Condition, Inventory
from inventory.services import (
    CountedLine,
    DepotCount,
    Entity,
    NewDepotWork,
    NewWorkItem,
    correct_inventory,
    create_reorder_level,
    record_depot_work,
    take_stock,
)
from payments.services import NewPayment, record_payment
from settlements.services import NewSettlement, count_day
from tests.conftest import Shop, error_of, post_confirmed, to_confirm
from tests.factories import CustomerFactory, DepotFactory, EquipmentFactory, MeteredCustomerFactory
from tests.types import Answer, Json, Unchanged
from transactions.pricing import SaleItem
from transactions.services import NewMeter, NewSale, create_customer_transaction_and_invoice, replace_meter

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stub_pdf")]


QUANTITY, RATE, READING, AMOUNT, BALANCE, PIECES = (
    9_999,
    "99999.99",
    "99999999.99",
    "9999999.99",
    "99999999.99",
    999_999,
)


def writable_numbers() -> Iterator[tuple[str, serializers.Field[Any, Any, Any, Any]]]:
    """Every number that an input of the API takes, ids and versions aside."""
    import_module("core.urls")
    waiting: list[type[Any]] = [serializers.Serializer]
    seen: set[type[Any]] = set()
    while waiting:
        kind = waiting.pop()
        waiting += [each for each in kind.__subclasses__() if each not in seen]
        seen |= {*kind.__subclasses__()}
        if kind.__module__.partition(".")[0] not in PACKAGES:
            continue
        for name, field in kind().fields.items():
            if field.read_only or isinstance(field, IdField) or kind.__name__.endswith("Out"):
                continue
            if isinstance(field, serializers.IntegerField | serializers.DecimalField):
                yield f"{kind.__name__}.{name}", field


def test_every_number_that_the_api_takes_has_a_limit() -> None:
    numbers = dict(writable_numbers())
    assert {
        "SaleItemIn.rate",
        "SettlementIn.cash",
        "CustomerSerializer.meter_rate",
        "PullQuery.page_size",
    } <= numbers.keys()
    unlimited = {
        name
        for name, field in numbers.items()
        if getattr(field, "max_value", None) is None and getattr(field, "max_whole_digits", None) != 4
    }
    assert unlimited == set()


@pytest.fixture
def boss(shop: Shop) -> APIClient:
    return shop.client_of(shop.admin)


BODIES: dict[str, tuple[str, Callable[[Shop], Json], str]] = {
    "line": (
        "/api/transactions/",
        lambda shop: {"customer": shop.customer.pk, "items": [{"equipment": shop.cylinder.pk, "type": "REFILL", "quantity": 1, "rate": "1.00"}]},
        "items.0.quantity",
    ),
    "rate": (
        "/api/transactions/",
        lambda shop: {"customer": shop.customer.pk, "items": [{"equipment": shop.cylinder.pk, "type": "REFILL", "quantity": 1, "rate": "1.00"}]},
        "items.0.rate",
    ),
    "reading": (
        "/api/transactions/",
        lambda _: {"customer": MeteredCustomerFactory(last_meter_reading="99999999.00").pk, "current_meter": "99999999.50"},
        "current_meter",
    ),
    "load": (
        "/api/distributions/",
        lambda shop: {"depot": shop.depot.pk, "items": [{"equipment": shop.cylinder.pk, "direction": "OUT", "condition": "FULL", "quantity": 1}]},
        "items.0.quantity",
    ),
    "goods in": (
        "/api/depot-work/",
        lambda shop: {"kind": "GOODS_IN", "depot": shop.depot.pk, "reason": "Bought", "items": [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 1}]},
        "items.0.quantity",
    ),
    "stock-take": (
        "/api/depot-work/stock-take/",
        lambda shop: {"depot": shop.depot.pk, "reason": "Counted", "items": [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 1}]},
        "items.0.quantity",
    ),
    "count": (
        "/api/inventories/update-inventory/",
        lambda shop: {"entity": "depot", "entity_id": shop.depot.pk, "equipment_id": shop.cylinder.pk, "condition": "EMPTY", "quantity": 1, "reason": "Counted"},
        "quantity",
    ),
    "day-end": (
        "/api/settlements/",
        lambda shop: {"cash": "0.00", "counts": [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 1}]},
        "counts.0.quantity",
    ),
    "cash": ("/api/settlements/", lambda _: {"cash": "0.00"}, "cash"),
    "payment": (
        "/api/payments/",
        lambda shop: {"customer": shop.customer.pk, "method": "PAYNOW", "amount": "1.00"},
        "amount",
    ),
    "expense": ("/api/expenses/", lambda _: {"amount": "1.00", "reason": "Petrol"}, "amount"),
    "meter's rate": ("/api/customers/", lambda _: {"name": "Kedai", "meter_rate": "1.0000"}, "meter_rate"),
    "first reading": ("/api/customers/", lambda _: {"name": "Kedai", "meter_rate": "1", "last_meter_reading": "1.00"}, "last_meter_reading"),
    "list price": ("/api/equipment/", lambda _: {"sku": "NEW-1", "name": "New", "equipment_type": "CYLINDER", "default_rate": "1.00"}, "default_rate"),
    "deposit": ("/api/equipment/", lambda _: {"sku": "NEW-1", "name": "New", "equipment_type": "CYLINDER", "deposit": "1.00"}, "deposit"),
}  # fmt: skip
LIMITS: dict[str, tuple[str | int, str | int]] = {
    "line": (QUANTITY, 10_000),
    "rate": (RATE, "100000.00"),
    "reading": (READING, "100000000.00"),
    "load": (QUANTITY, 10_000),
    "goods in": (QUANTITY, 10_000),
    "stock-take": (PIECES, 1_000_000),
    "count": (PIECES, 1_000_000),
    "day-end": (PIECES, 1_000_000),
    "cash": (BALANCE, "100000000.00"),
    "payment": (AMOUNT, "10000000.00"),
    "expense": (AMOUNT, "10000000.00"),
    "meter's rate": ("99999.9999", "100000.0000"),
    "first reading": (READING, "100000000.00"),
    "list price": (RATE, "100000.00"),
    "deposit": (RATE, "100000.00"),
}
"""The largest value that is taken, and the smallest that is refused."""


def confirmed(shop: Shop, *lines: Json, **more: Any) -> Answer:
    """A sale of the office's, with all that it asks confirmed."""
    asking = shop.sell(*lines, by=shop.admin, **more)
    return shop.sell(*lines, by=shop.admin, **more, confirm=to_confirm(asking)) if asking.status_code == 409 else asking


def with_value(body: Any, path: str, value: object) -> Any:
    step, _, rest = path.partition(".")
    key: Any = int(step) if step.isdigit() else step
    body[key] = with_value(body[key], rest, value) if rest else value
    return body


@pytest.mark.parametrize("write", BODIES)
def test_a_number_at_its_limit_is_taken(shop: Shop, write: str) -> None:
    address, body, path = BODIES[write]
    actor = shop.driver if address == "/api/settlements/" else shop.admin
    response = post_confirmed(shop.client_of(actor), address, with_value(body(shop), path, LIMITS[write][0]))
    assert response.status_code in (200, 201), response.json()
    call_command("verify_books", stdout=StringIO())


@pytest.mark.parametrize("write", BODIES)
def test_one_beyond_the_limit_is_refused(shop: Shop, write: str, nothing_changes: Unchanged) -> None:
    address, body, path = BODIES[write]
    actor = shop.driver if address == "/api/settlements/" else shop.admin
    spoilt = with_value(body(shop), path, LIMITS[write][1])
    with nothing_changes():
        status, _, attr = error_of(shop.client_of(actor).post(address, spoilt))
    assert (status, attr) == (400, path)


def item(equipment: Any, quantity: int) -> NewWorkItem:
    return NewWorkItem(equipment.pk, "FULL", quantity)


def refill(shop: Shop, quantity: int, rate: str) -> object:
    line = SaleItem(shop.cylinder.pk, "REFILL", quantity, rate=Decimal(rate))
    return create_customer_transaction_and_invoice(actor=shop.admin, data=NewSale(shop.customer.pk, (line,)))


COMMANDS: dict[str, tuple[Callable[[Shop], object], str]] = {
    "customer": (lambda s: create_customer(actor=s.admin, values={"name": "K", "meter_rate": Decimal(100_000)}), "meter_rate"),
    "customer's reading": (
        lambda s: create_customer(actor=s.admin, values={"name": "K", "last_meter_reading": Decimal(100_000_000)}),
        "last_meter_reading",
    ),
    "customer's change": (
        lambda s: update_customer(actor=s.admin, pk=s.customer.pk, changes={"meter_rate": Decimal(100_000)}),
        "meter_rate",
    ),
    "contract rate": (
        lambda s: set_contract_rate(
            actor=s.admin, customer_id=s.customer.pk, equipment_id=s.cylinder.pk, rate=Decimal(100_000), valid_from=date(2026, 1, 1)
        ),
        "rate",
    ),
    "price": (
        lambda s: set_price(
            actor=s.admin, equipment_id=s.cylinder.pk, kind=EquipmentPrice.Kind.DEPOSIT, amount=Decimal(100_000),
            valid_from=date(2035, 1, 1),
        ),
        "amount",
    ),
    "meter's rate": (
        lambda s: set_meter_rate(
            actor=s.admin, customer_id=s.customer.pk, meter_rate=Decimal(100_000), valid_from=date(2035, 1, 1)
        ),
        "meter_rate",
    ),
    "equipment": (lambda s: create_equipment(actor=s.admin, values={"sku": "N", "default_rate": Decimal(100_000)}), "default_rate"),
    "equipment's change": (
        lambda s: update_equipment(actor=s.admin, pk=s.cylinder.pk, changes={"deposit": Decimal(100_000)}),
        "deposit",
    ),
    "reorder level": (
        lambda s: create_reorder_level(actor=s.admin, values={"depot": s.depot, "equipment": s.cylinder, "quantity": 1_000_000}),
        "quantity",
    ),
    "count": (
        lambda s: correct_inventory(
            actor=s.admin, entity=Entity.DEPOT, entity_id=str(s.depot.pk), equipment_id=s.cylinder.pk,
            condition=Condition.FULL, quantity=1_000_000, reason="Counted",
        ),
        "quantity",
    ),
    "goods in": (
        lambda s: record_depot_work(
            actor=s.admin, data=NewDepotWork("GOODS_IN", s.depot.pk, [item(s.cylinder, 10_000)], "Bought")
        ),
        "items.0.quantity",
    ),
    "stock-take": (
        lambda s: take_stock(actor=s.admin, data=DepotCount(s.depot.pk, [item(s.cylinder, 1_000_000)], "Counted")),
        "items.0.quantity",
    ),
    "load": (
        lambda s: create_distribution(
            actor=s.driver, data=NewDistribution(s.depot.pk, [NewItem(s.cylinder.pk, "OUT", "FULL", 10_000)])
        ),
        "items.0.quantity",
    ),
    "day-end": (
        lambda s: count_day(actor=s.driver, data=NewSettlement(Decimal(0), [CountedLine(s.cylinder.pk, "FULL", 1_000_000)])),
        "counts.0.quantity",
    ),
    "cash": (lambda s: count_day(actor=s.driver, data=NewSettlement(Decimal(100_000_000))), "cash"),
    "payment": (
        lambda s: record_payment(actor=s.admin, data=NewPayment(s.customer.pk, "PAYNOW", Decimal(10_000_000))),
        "amount",
    ),
    "line": (lambda s: refill(s, 10_000, "1.00"), "items.0.quantity"),
    "rate": (lambda s: refill(s, 1, "100000.00"), "items.0.rate"),
    "reading": (
        lambda s: create_customer_transaction_and_invoice(
            actor=s.driver,
            data=NewSale(MeteredCustomerFactory(last_meter_reading="99999999.00").pk, current_meter=Decimal(100_000_000)),
        ),
        "current_meter",
    ),
    "meter": (
        lambda s: replace_meter(
            actor=s.admin, data=NewMeter(MeteredCustomerFactory().pk, Decimal(100_000_000), "N", Decimal(0))
        ),
        "final_reading",
    ),
    "new meter": (
        lambda s: replace_meter(
            actor=s.admin, data=NewMeter(MeteredCustomerFactory().pk, Decimal(1_300), "N", Decimal(100_000_000))
        ),
        "first_reading",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_itself_refuses_what_is_beyond(shop: Shop, name: str) -> None:
    """Uploads and the office come without the API's fields."""
    command, attr = COMMANDS[name]
    with pytest.raises(AmountOutOfRange) as refused:
        command(shop)
    assert refused.value.attr == attr


def test_a_line_is_refused_for_what_it_amounts_to(shop: Shop, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        refused = shop.sell({"type": "REFILL", "quantity": 9_999, "rate": "99999.99"}, by=shop.admin)
    assert error_of(refused) == (400, "amount_out_of_range", "items.0.quantity")


def test_a_document_is_refused_for_what_its_lines_add_up_to(shop: Shop, nothing_changes: Unchanged) -> None:
    line = {"type": "REFILL", "quantity": 100, "rate": "50000.00"}
    with nothing_changes():
        refused = shop.sell(line, line, by=shop.admin)
    assert error_of(refused) == (400, "amount_out_of_range", "items")


def test_gst_counts_to_the_limit_of_a_document(shop: Shop, nothing_changes: Unchanged) -> None:
    """9,174,311.93 and 9 % of it are 9,999,999.9(9|10); a cent more is beyond."""
    exact = {"type": "REFILL", "quantity": 100, "rate": "91743.11"}
    assert confirmed(shop, exact, {"type": "REFILL", "rate": "0.91"}).json()["invoice"]["total_amount"] == "9999999.98"
    with nothing_changes():
        refused = shop.sell(exact, {"type": "REFILL", "rate": "0.93"}, by=shop.admin)
    assert error_of(refused) == (400, "amount_out_of_range", "items")


@pytest.mark.parametrize(
    ("last", "reading", "rate"), [("0.00", "1000000.00", "1.0000"), ("0.00", "999999.99", "20.0000")]
)
def test_a_reading_is_refused_for_its_usage_and_for_what_it_bills(
    shop: Shop, last: str, reading: str, rate: str, nothing_changes: Unchanged
) -> None:
    customer = CustomerFactory(meter_rate=rate, last_meter_reading=last)
    with nothing_changes():
        for lines in ((), ({"type": "SERVICE"},)):
            refused = shop.sell(*lines, customer=customer.pk, current_meter=reading)
            assert error_of(refused) == (400, "amount_out_of_range", "current_meter")


def test_a_meter_is_not_replaced_at_a_telephone_number(shop: Shop, boss: APIClient, nothing_changes: Unchanged) -> None:
    customer = MeteredCustomerFactory()
    body = {"final_reading": "1300.00", "new_meter_number": "N", "first_reading": "100000000.00"}
    with nothing_changes():
        refused = boss.post(f"/api/customers/{customer.pk}/replace-meter/", body)
    assert error_of(refused) == (400, "max_value", "first_reading")


def test_an_account_is_full_at_its_limit(shop: Shop, nothing_changes: Unchanged) -> None:
    nearly = {"type": "REFILL", "quantity": 100, "rate": "91743.11"}
    for _ in range(10):
        assert confirmed(shop, nearly).status_code == 201
    with nothing_changes():
        refused = shop.sell({"type": "REFILL", "quantity": 1, "rate": "10.00"}, by=shop.admin)
    assert error_of(refused) == (400, "amount_out_of_range", "items")
    assert confirmed(shop, {"type": "REFILL", "rate": "10.00"}, payment_received=True).status_code == 201
    # What comes back makes room, also beside what is sold.
    lines = ({"type": "SALE"}, {"type": "DEPOSIT"})
    assert shop.sell(*lines, by=shop.driver, payment_received=True).status_code == 201
    assert shop.sell({"type": "REFILL", "rate": None}, {"type": "RETURN"}, by=shop.driver).status_code == 201
    assert shop.client_of(shop.admin).get(f"/api/customers/{shop.customer.pk}/statement/").status_code == 200


def test_a_bag_is_full_at_its_limit(shop: Shop, nothing_changes: Unchanged) -> None:
    nearly = {"type": "REFILL", "quantity": 100, "rate": "91743.11"}
    for _ in range(10):
        assert confirmed(shop, nearly, payment_received=True).status_code == 201
    with nothing_changes():
        refused = shop.sell({"type": "REFILL", "rate": "10.00"}, by=shop.admin, payment_received=True)
        also = shop.client_of(shop.admin).post(
            "/api/payments/", {"customer": shop.customer.pk, "method": "CASH", "amount": "20.00"}
        )
    assert error_of(refused) == (400, "amount_out_of_range", "payment_received")
    assert error_of(also) == (400, "amount_out_of_range", "amount")


def test_a_customers_credit_is_full_at_its_limit(shop: Shop, boss: APIClient, nothing_changes: Unchanged) -> None:
    body = {"customer": shop.customer.pk, "method": "PAYNOW", "amount": AMOUNT}
    for _ in range(10):
        assert post_confirmed(boss, "/api/payments/", body).status_code == 201
    with nothing_changes():
        refused = boss.post("/api/payments/", {**body, "amount": "1.00"})
    assert error_of(refused) == (400, "amount_out_of_range", "amount")


def test_a_deposit_account_is_full_at_its_limit(shop: Shop, nothing_changes: Unchanged) -> None:
    # A deposit of 99,999 is 9,999,900 a line; the eleventh such line would be 109,998,900.
    costly = EquipmentFactory(deposit="99999.00")
    line = {"equipment": costly.pk, "type": "DEPOSIT", "quantity": 100}
    for _ in range(10):
        assert confirmed(shop, line, payment_received=False).status_code == 201
    with nothing_changes():
        refused = shop.sell(line, by=shop.admin)
    assert error_of(refused) == (400, "amount_out_of_range", "items")


def test_a_place_is_full_at_its_limit(shop: Shop, boss: APIClient, nothing_changes: Unchanged) -> None:
    shop.count("depot", shop.depot.pk, PIECES)
    item = {"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 1}
    with nothing_changes():
        refused = boss.post(
            "/api/depot-work/", {"kind": "GOODS_IN", "depot": shop.depot.pk, "reason": "Bought", "items": [item]}
        )
    assert error_of(refused) == (400, "amount_out_of_range", "items.0.quantity")


def test_what_came_from_outside_in_all_has_no_limit(shop: Shop) -> None:
    """OUTSIDE is no place: its balance is what was ever bought."""
    other = DepotFactory()
    for depot in (shop.depot, other):
        assert shop.count("depot", depot.pk, PIECES).status_code == 200
    assert shop.count("depot", other.pk, PIECES - 5).status_code == 200  # and some of it goes back there
    assert Inventory.objects.get(location__kind="OUTSIDE", condition="FULL").quantity == -2 * PIECES - 15


def test_the_database_refuses_what_a_column_does_not_hold(shop: Shop) -> None:
    """On SQLite too, which would write it, and never read it again."""
    for changes in ({"last_meter_reading": Decimal("10000000000.00")}, {"meter_rate": Decimal("1000000.0000")}):
        with pytest.raises((IntegrityError, DataError)), transaction.atomic():
            Customer.objects.filter(pk=shop.customer.pk).update(**changes)


@pytest.mark.parametrize("value", ["0", "10000", "-1", "x"])
def test_a_setting_lowers_a_limit_and_never_raises_it(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMIT_QUANTITY", value)
    with pytest.raises(ImproperlyConfigured, match="LIMIT_QUANTITY"):
        company._limit("LIMIT_QUANTITY", "9999")
    monkeypatch.setenv("LIMIT_QUANTITY", "50")
    assert company._limit("LIMIT_QUANTITY", "9999") == 50
