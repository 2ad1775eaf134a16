"""Sixteen clients at the same instant, over HTTP, on the engine that the tests run on."""

from collections import Counter
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum

from accounts.models import User
from core.access import Role
from customers.models import Customer
from depots.models import Depot
from distribution.models import Distribution
from equipment.models import Equipment
from inventory.models import Inventory
from inventory.services import Entity, correct_inventory
from tests.concurrency.races import CLIENTS, at_once, post
from tests.factories import (
    CustomerFactory,
    DepotFactory,
    DriverFactory,
    EquipmentFactory,
    MeteredCustomerFactory,
    UserFactory,
)
from transactions.models import Transaction

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("stub_pdf"),
]


@pytest.fixture
def depot() -> Depot:
    return DepotFactory()


@pytest.fixture
def cylinder() -> Equipment:
    return EquipmentFactory()


@pytest.fixture
def drivers(depot: Depot, cylinder: Equipment) -> list[User]:
    """As many drivers as clients, each with 5 full cylinders on a vehicle, at a depot with 100."""
    admin = UserFactory(role=Role.ADMIN, depot=depot)
    drivers = [DriverFactory(depot=depot) for _ in range(CLIENTS)]
    stock(admin, Entity.DEPOT, str(depot.pk), cylinder, 100)
    for driver in drivers:
        stock(admin, Entity.VEHICLE, driver.vehicle_no, cylinder, 5)
    return drivers


@pytest.fixture(autouse=True)
def books_hold() -> Iterator[None]:
    """After each race, whatever it did: every invariant, read over a connection of its own."""
    yield
    connection.close()
    call_command("verify_books", stdout=StringIO())


def stock(admin: User, entity: Entity, entity_id: str, cylinder: Equipment, quantity: int) -> None:
    correct_inventory(
        actor=admin,
        entity=entity,
        entity_id=entity_id,
        equipment_id=cylinder.pk,
        condition="FULL",  # type: ignore[arg-type]
        quantity=quantity,
        reason="Opening balance",
    )


def sale(customer: Customer, cylinder: Equipment, **extra: Any) -> dict[str, Any]:
    return {"customer": customer.pk, "items": [{"equipment": cylinder.pk, "type": "SALE", "quantity": 1}], **extra}


def test_one_operation_sent_by_all_happens_once(drivers: list[User], cylinder: Equipment) -> None:
    customer = CustomerFactory()
    for _ in range(3):
        body = sale(customer, cylinder, client_temp_id=f"op-{Transaction.objects.count()}")
        before = Transaction.objects.count()
        answers = at_once(lambda _, body=body: post(drivers[0], "/api/transactions/", body))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: CLIENTS - 1}
        assert len({answer.json()["transaction"]["transaction_number"] for answer in answers}) == 1
        assert Transaction.objects.count() == before + 1


def test_the_last_cylinders_are_sold_once(drivers: list[User], cylinder: Equipment) -> None:
    customers = [CustomerFactory() for _ in range(CLIENTS)]
    answers = at_once(lambda i: post(drivers[0], "/api/transactions/", sale(customers[i], cylinder)))
    assert Counter(answer.status_code for answer in answers) == {201: 5, 409: CLIENTS - 5}
    left = Inventory.objects.filter(location__vehicle_no=drivers[0].vehicle_no, condition="FULL")
    assert left.aggregate(left=Sum("quantity"))["left"] == 0


def test_a_meter_bills_each_unit_once(drivers: list[User]) -> None:
    """Readings arrive in any order: each bills from the one before, and those left behind are refused."""
    customer = MeteredCustomerFactory()
    answers = at_once(
        lambda i: post(drivers[i], "/api/transactions/", {"customer": customer.pk, "current_meter": f"{1201 + i}.00"})
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    customer.refresh_from_db()
    billed = Transaction.objects.filter(customer=customer).aggregate(usage=Sum("usage"))["usage"]
    assert customer.last_meter_reading == 1200 + billed == 1216


def test_numbers_have_no_gap_and_no_repeat(drivers: list[User], cylinder: Equipment) -> None:
    """A third of the sales is refused after everything but the numbers; the others are numbered 1 to n."""
    customers = [CustomerFactory() for _ in range(CLIENTS)]

    def work(index: int) -> list[int]:
        codes = []
        for turn in range(6):
            body = sale(customers[index], cylinder)
            if turn % 3 == 2:
                body["items"][0]["quantity"] = 50
            codes.append(post(drivers[index], "/api/transactions/", body).status_code)
        return codes

    assert at_once(work) == [[201, 201, 409, 201, 201, 409]] * CLIENTS
    numbers = sorted(int(number[-6:]) for number in Transaction.objects.values_list("transaction_number", flat=True))
    assert numbers == list(range(1, 4 * CLIENTS + 1))


def test_a_load_is_confirmed_once(drivers: list[User], depot: Depot, cylinder: Equipment) -> None:
    item = {"equipment": cylinder.pk, "direction": "OUT", "condition": "FULL", "quantity": 3}
    load = post(drivers[0], "/api/distributions/", {"depot": depot.pk, "items": [item]}).json()
    answers = at_once(lambda _: post(drivers[0], f"/api/distributions/{load['id']}/confirm/"))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: CLIENTS - 1}
    codes = {answer.json()["errors"][0]["code"] for answer in answers if answer.status_code == 409}
    assert codes == {"already_confirmed"}
    assert Inventory.objects.get(location__depot=depot, condition="FULL").quantity == 97


def test_all_draw_on_one_depot(drivers: list[User], depot: Depot, cylinder: Equipment) -> None:
    """100 cylinders, 16 loads of 7: fourteen fit, two don't."""
    item = {"equipment": cylinder.pk, "direction": "OUT", "condition": "FULL", "quantity": 7}
    loads = [post(driver, "/api/distributions/", {"depot": depot.pk, "items": [item]}).json() for driver in drivers]
    answers = at_once(lambda i: post(drivers[i], f"/api/distributions/{loads[i]['id']}/confirm/"))
    assert Counter(answer.status_code for answer in answers) == {200: 14, 409: 2}
    assert Distribution.objects.filter(status="CONFIRMED").count() == 14
    assert Inventory.objects.get(location__depot=depot, condition="FULL").quantity == 2


def test_a_new_item_at_a_new_place_is_one_balance(drivers: list[User], cylinder: Equipment) -> None:
    """The first sale to a customer makes their location and balance: sixteen first ones make one."""
    customer = CustomerFactory()
    answers = at_once(lambda i: post(drivers[i], "/api/transactions/", sale(customer, cylinder)))
    assert {answer.status_code for answer in answers} == {201}
    assert Inventory.objects.get(location__customer=customer).quantity == CLIENTS


def test_everything_at_once(drivers: list[User], depot: Depot, cylinder: Equipment) -> None:
    """Any mix of commands on the same rows, refused and repeated ones among them: each answers, none fails."""
    customer = MeteredCustomerFactory()
    other = EquipmentFactory()
    answered: list[int] = []

    def work(index: int) -> set[int]:
        driver, codes = drivers[index % 4], set()

        def note(answer: Any) -> Any:
            codes.add(answer.status_code)
            if answer.status_code in (200, 201) and "transaction" in answer.json():
                answered.append(answer.json()["transaction"]["id"])
            return answer

        for turn in range(4):
            lines = [
                {"equipment": cylinder.pk, "type": "SWAP", "quantity": 1},
                {"equipment": other.pk, "type": "DEPOSIT", "quantity": 1},
            ]
            body = {"customer": customer.pk, "items": lines, "current_meter": f"{1200 + 16 * turn + index}.00"}
            note(post(driver, "/api/transactions/", body))
            note(post(driver, "/api/transactions/", sale(customer, cylinder, client_temp_id=f"same-{turn}")))
            refused = {"equipment": cylinder.pk, "type": "SALE", "quantity": 500}
            note(post(driver, "/api/transactions/", {"customer": customer.pk, "items": [*lines, refused]}))
            item = {"equipment": cylinder.pk, "direction": "OUT", "condition": "FULL", "quantity": 1}
            back = {"equipment": cylinder.pk, "direction": "IN", "condition": "EMPTY", "quantity": 1}
            load = note(post(driver, "/api/distributions/", {"depot": depot.pk, "items": [item, back]}))
            note(post(driver, f"/api/distributions/{load.json()['id']}/confirm/"))
        return codes

    assert set().union(*at_once(work)) <= {200, 201, 409}
    connection.close()  # what was answered is there for everybody
    assert set(answered) == set(Transaction.objects.values_list("pk", flat=True))
