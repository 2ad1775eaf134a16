"""Sixteen clients at the same instant, over HTTP, on the engine that the tests run on."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum
from pytest_django import Settings

from accounts.models import User
from customers.models import Customer
from depots.models import Depot
from distribution.models import Distribution
from equipment.models import Equipment
from fleet.models import Assignment, Vehicle
from foundation import clock
from foundation.access.capabilities import Role
from inventory.models import Condition, Inventory
from inventory.services import Entity, correct_inventory
from invoices.models import Invoice
from payments.models import Payment
from sequences.models import Ticket
from sequences.services import PRINT_AHEAD, print_tickets
from tests.concurrency.races import CLIENTS, at_once, post
from tests.factories import (
    CustomerFactory,
    DepotFactory,
    DriverFactory,
    EquipmentFactory,
    MeteredCustomerFactory,
    UserFactory,
    VehicleFactory,
)
from tests.types import Answer, Json
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
        condition=Condition.FULL,
        quantity=quantity,
        reason="Opening balance",
    )


def sale(customer: Customer, cylinder: Equipment, **extra: Any) -> Json:
    return {"customer": customer.pk, "items": [{"equipment": cylinder.pk, "type": "SALE", "quantity": 1}], **extra}


def sent_by_all(seller: User, body: Json) -> list[Any]:
    return at_once(lambda _: post(seller, "/api/transactions/", body))


def test_one_operation_sent_by_all_happens_once(drivers: list[User], cylinder: Equipment) -> None:
    customer = CustomerFactory()
    for _ in range(3):
        body = sale(customer, cylinder, client_temp_id=f"op-{Transaction.objects.count()}")
        before = Transaction.objects.count()
        answers = sent_by_all(drivers[0], body)
        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: CLIENTS - 1}
        assert len({answer.json()["transaction"]["transaction_number"] for answer in answers}) == 1
        assert Transaction.objects.count() == before + 1


def test_the_last_cylinders_are_sold_once(drivers: list[User], cylinder: Equipment) -> None:
    customers = [CustomerFactory() for _ in range(CLIENTS)]
    answers = at_once(lambda i: post(drivers[0], "/api/transactions/", sale(customers[i], cylinder)))
    assert Counter(answer.status_code for answer in answers) == {201: 5, 409: CLIENTS - 5}
    left = Inventory.objects.filter(location__vehicle_no=drivers[0].vehicle_no, condition="FULL")
    assert left.aggregate(left=Sum("quantity"))["left"] == 0


def test_a_meter_bills_each_unit_once(drivers: list[User], settings: Settings) -> None:
    """Readings arrive in any order: each bills from the one before, and those left behind are refused."""
    settings.UNLIKELY = {**settings.UNLIKELY, "USAGE_FACTOR": Decimal(100)}
    customer = MeteredCustomerFactory()
    answers = at_once(
        lambda i: post(drivers[i], "/api/transactions/", {"customer": customer.pk, "current_meter": f"{1201 + i}.00"})
    )
    assert answers[-1].status_code == 201, "nothing is ahead of the highest reading"
    assert codes_of(answers).keys() <= {(201, ""), (409, "meter_reading_decreased"), (409, "meter_moved_on")}
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


def test_a_day_begins_without_a_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    """All find no ticket at the same instant, and all print."""
    retries: list[None] = []
    monkeypatch.setattr("foundation.commands.COMMAND_RETRIES.inc", lambda: retries.append(None))
    day = date(2026, 1, 20)
    at_once(lambda _: print_tickets(prefix="TRX", day=day, beyond=None))
    assert Ticket.objects.filter(prefix="TRX", date=day).count() == PRINT_AHEAD
    if connection.vendor == "mysql":
        assert retries == []


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

        def note(answer: Answer) -> Any:
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


# --- The life of invoices ----------------------------------------------------------------------------


def codes_of(answers: list[Any]) -> Counter[tuple[int, str]]:
    """Status, and the error's code."""
    return Counter(
        (answer.status_code, answer.json()["errors"][0]["code"] if answer.status_code >= 400 else "")
        for answer in answers
    )


@pytest.fixture
def supervisors(depot: Depot) -> list[User]:
    return [UserFactory(role=Role.SUPERVISOR, depot=depot) for _ in range(CLIENTS)]


def test_an_assignment_is_corrected_once(drivers: list[User], supervisors: list[User]) -> None:
    wrong = Assignment.objects.get(user=drivers[0])
    url, body = f"/api/vehicle-assignments/{wrong.pk}/correct/", {"vehicle": None, "reason": "x"}
    answers = at_once(lambda i: post(supervisors[i], url, body))
    assert codes_of(answers) == {(201, ""): 1, (409, "already_corrected"): CLIENTS - 1}


def test_goods_go_round_without_a_deadlock(drivers: list[User], cylinder: Equipment) -> None:
    """Each gives to the next one, and the last to the first; nothing is lost on the way."""
    vehicles = [Vehicle.objects.get(number=driver.vehicle_no) for driver in drivers]
    items = [{"equipment": cylinder.pk, "condition": "FULL", "quantity": 1}]

    def give(index: int) -> Answer:
        body = {"to_vehicle": vehicles[(index + 1) % CLIENTS].number, "items": items}
        return post(drivers[index], f"/api/vehicles/{vehicles[index].pk}/transfer/", body)

    assert {answer.status_code for answer in at_once(give)} == {201}
    there = Inventory.objects.filter(location__kind="VEHICLE").values_list("quantity", flat=True)
    assert set(there) == {5}


def test_the_last_cylinders_go_over_once(drivers: list[User], cylinder: Equipment) -> None:
    first, second = (Vehicle.objects.get(number=driver.vehicle_no) for driver in drivers[:2])
    items = [{"equipment": cylinder.pk, "condition": "FULL", "quantity": 1}]
    url, body = f"/api/vehicles/{first.pk}/transfer/", {"to_vehicle": second.number, "items": items}
    answers = at_once(lambda _: post(drivers[0], url, body))
    assert codes_of(answers) == {(201, ""): 5, (409, "insufficient_stock"): CLIENTS - 5}


def test_of_many_vehicles_at_once_the_last_one_recorded_is_the_own(drivers: list[User]) -> None:
    vehicles, at = [VehicleFactory() for _ in range(CLIENTS)], clock.now().isoformat()
    answers = at_once(lambda i: post(drivers[0], f"/api/vehicles/{vehicles[i].pk}/take/", {"occurred_at": at}))
    assert {answer.status_code for answer in answers} == {201}
    latest = Assignment.objects.filter(user=drivers[0]).latest("pk").vehicle
    assert latest is not None
    assert User.objects.get(pk=drivers[0].pk).vehicle_no == latest.number


def test_a_vehicle_is_taken_once_by_one_operation(drivers: list[User]) -> None:
    vehicle = VehicleFactory()
    body = {"client_temp_id": "t", "occurred_at": clock.now().isoformat()}
    answers = at_once(lambda _: post(drivers[0], f"/api/vehicles/{vehicle.pk}/take/", body))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: CLIENTS - 1}
    assert Assignment.objects.filter(user=drivers[0]).count() == 2


def test_a_sale_is_voided_once(drivers: list[User], supervisors: list[User], cylinder: Equipment) -> None:
    body = sale(CustomerFactory(), cylinder, payment_received=True)
    sold = post(drivers[0], "/api/transactions/", body).json()["transaction"]["id"]
    answers = at_once(lambda i: post(supervisors[i], f"/api/transactions/{sold}/void/", {"reason": "Twice"}))
    assert codes_of(answers) == {(201, ""): 1, (409, "already_voided"): CLIENTS - 1}
    assert Inventory.objects.get(location__vehicle_no=drivers[0].vehicle_no, condition="FULL").quantity == 5


def test_an_invoice_is_paid_once(drivers: list[User], supervisors: list[User], cylinder: Equipment) -> None:
    invoice = post(drivers[0], "/api/transactions/", sale(CustomerFactory(), cylinder)).json()["invoice"]
    answers = at_once(lambda i: post(supervisors[i], f"/api/invoices/{invoice['id']}/pay/"))
    assert codes_of(answers) == {(200, ""): 1, (409, "already_paid"): CLIENTS - 1}
    assert Payment.objects.get().amount == Decimal(invoice["total_amount"])


def test_a_credit_is_used_once(drivers: list[User], supervisors: list[User], cylinder: Equipment) -> None:
    """One payment, two invoices of its amount each, all clients allocating to either: one of them is settled."""
    customer = CustomerFactory()
    invoices = [post(drivers[n], "/api/transactions/", sale(customer, cylinder)).json()["invoice"] for n in (0, 1)]
    amount = invoices[0]["total_amount"]
    new = {"customer": customer.pk, "method": "CHEQUE", "amount": amount, "allocations": []}
    payment = post(supervisors[0], "/api/payments/", new).json()["id"]

    def allocate(index: int) -> Answer:
        shares = [{"invoice": invoices[index % 2]["id"], "amount": amount}]
        return post(supervisors[index], f"/api/payments/{payment}/allocate/", {"allocations": shares})

    assert codes_of(at_once(allocate)) == {(200, ""): 1, (409, "exceeds_credit"): CLIENTS - 1}
    assert sorted(Invoice.objects.values_list("settled_amount", flat=True)) == [Decimal(0), Decimal(amount)]


def test_what_settles_the_oldest_is_never_too_much(
    drivers: list[User], supervisors: list[User], cylinder: Equipment
) -> None:
    """It takes what others leave open meanwhile, and the rest is credit."""
    customer = CustomerFactory()
    invoice = post(drivers[0], "/api/transactions/", sale(customer, cylinder)).json()["invoice"]
    money = {"customer": customer.pk, "method": "CHEQUE", "amount": invoice["total_amount"]}

    def settle(index: int) -> Any:
        if index % 2:
            return post(supervisors[index], "/api/payments/", money)
        return post(supervisors[index], f"/api/invoices/{invoice['id']}/pay/", {"amount": "1.00"})

    answers = at_once(settle)
    assert {answer.status_code for answer in answers[1::2]} == {201}
    assert Invoice.objects.get().settled_amount == Decimal(invoice["total_amount"])


def test_a_payment_is_reversed_once(drivers: list[User], supervisors: list[User], cylinder: Equipment) -> None:
    invoice = post(drivers[0], "/api/transactions/", sale(CustomerFactory(), cylinder)).json()["invoice"]
    assert post(drivers[0], f"/api/invoices/{invoice['id']}/pay/").status_code == 200
    payment = Payment.objects.get().pk
    answers = at_once(lambda i: post(supervisors[i], f"/api/payments/{payment}/reverse/", {"reason": "Bounced"}))
    assert codes_of(answers) == {(201, ""): 1, (409, "already_reversed"): CLIENTS - 1}
    assert Invoice.objects.get().settled_amount == 0


def test_depot_work_is_reversed_once(depot: Depot, supervisors: list[User], cylinder: Equipment) -> None:
    line = {"equipment": cylinder.pk, "condition": "FULL", "quantity": 2}
    bought = {"kind": "GOODS_IN", "depot": depot.pk, "reason": "Bought", "items": [line]}
    work = post(supervisors[0], "/api/depot-work/", bought).json()["id"]
    answers = at_once(lambda i: post(supervisors[i], f"/api/depot-work/{work}/reverse/", {"reason": "Entered twice"}))
    assert codes_of(answers) == {(201, ""): 1, (409, "already_reversed"): CLIENTS - 1}


def test_a_day_is_counted_and_signed_off_once(
    drivers: list[User], supervisors: list[User], cylinder: Equipment
) -> None:
    counts = [{"equipment": cylinder.pk, "condition": "FULL", "quantity": 3}]
    body = {"cash": "0.00", "counts": counts, "client_temp_id": "day"}
    answers = at_once(lambda _: post(drivers[0], "/api/settlements/", body))
    assert codes_of(answers) == {(201, ""): 1, (200, ""): CLIENTS - 1}
    day = next(answer.json()["id"] for answer in answers if answer.status_code == 201)
    answers = at_once(lambda i: post(supervisors[i], f"/api/settlements/{day}/sign-off/"))
    assert codes_of(answers) == {(200, ""): 1, (409, "settlement_decided"): CLIENTS - 1}
    assert Inventory.objects.get(location__vehicle_no=drivers[0].vehicle_no, condition="FULL").quantity == 3


@pytest.mark.parametrize("is_late", [True, False])
def test_a_count_is_signed_off_while_its_vehicle_sells(
    drivers: list[User], supervisors: list[User], cylinder: Equipment, is_late: bool
) -> None:
    """Late sales were counted already, whichever is first; later ones come off what was counted."""
    before, customer = clock.now().isoformat(), CustomerFactory()
    counts = [{"equipment": cylinder.pk, "condition": "FULL", "quantity": 3}]
    counted = post(drivers[0], "/api/vehicle-counts/", {"counts": counts}).json()["id"]

    def work(index: int) -> Answer:
        if index == 7:
            return post(supervisors[0], f"/api/vehicle-counts/{counted}/sign-off/")
        body = {**sale(customer, cylinder), **({"occurred_at": before} if is_late else {})}
        return post(drivers[0], "/api/transactions/", body)

    answers = at_once(work)
    signed = answers.pop(7)
    assert codes_of(answers).keys() <= {(201, ""), (409, "insufficient_stock")}
    sold = codes_of(answers)[201, ""]
    left = Inventory.objects.get(location__vehicle_no=drivers[0].vehicle_no, condition="FULL").quantity
    if signed.status_code == 200:
        assert left == (3 if is_late else 3 - sold)
    else:
        assert codes_of([signed]) == {(409, "count_contradicted"): 1}
        assert (is_late, left) == (False, 5 - sold)


@pytest.mark.parametrize("is_late", [True, False])
def test_a_bag_is_signed_off_while_its_user_takes_cash(
    drivers: list[User], supervisors: list[User], cylinder: Equipment, is_late: bool
) -> None:
    """Late cash is handed in with the count, whichever is first; later cash stays in the bag."""
    before, customers = clock.now().isoformat(), [CustomerFactory() for _ in range(CLIENTS)]
    counted = post(drivers[0], "/api/cash-counts/", {"cash": "0.00"}).json()["id"]

    def work(index: int) -> Answer:
        if index == 7:
            return post(supervisors[0], f"/api/cash-counts/{counted}/sign-off/")
        items = [{"equipment": cylinder.pk, "type": "SERVICE", "quantity": 1}]
        body = {"customer": customers[index].pk, "items": items, "payment_received": True}
        return post(drivers[0], "/api/transactions/", {**body, **({"occurred_at": before} if is_late else {})})

    answers = at_once(work)
    signed = answers.pop(7)
    assert (signed.status_code, codes_of(answers)) == (200, {(201, ""): CLIENTS - 1})
    handed_in_with = set(Payment.objects.values_list("cash_count", flat=True))
    assert handed_in_with == {counted if is_late else None}


def test_a_meter_is_read_and_replaced_at_once(drivers: list[User], supervisors: list[User]) -> None:
    """Sales of the old meter come before the replacement or are refused; each of its ten units is billed once.

    The new meter starts far ahead of the old one: a sale doesn't say which of them it read.
    """
    customer = MeteredCustomerFactory()

    def work(index: int) -> Answer:
        if index == 7:
            new = {"final_reading": "1210.00", "new_meter_number": "NEW", "first_reading": "5000.00"}
            return post(supervisors[0], f"/api/customers/{customer.pk}/replace-meter/", new)
        body = {"customer": customer.pk, "current_meter": f"{1201 + index / 2}0"}
        return post(drivers[index], "/api/transactions/", body)

    answers = at_once(work)
    assert answers[7].status_code == 201
    assert codes_of(answers).keys() <= {(201, ""), (409, "meter_reading_decreased"), (409, "meter_moved_on")}
    assert Transaction.objects.aggregate(usage=Sum("usage"))["usage"] == 10
    customer.refresh_from_db()
    assert (customer.meter_number, customer.last_meter_reading) == ("NEW", Decimal(5000))


def test_the_life_of_invoices_all_at_once(
    drivers: list[User], supervisors: list[User], depot: Depot, cylinder: Equipment
) -> None:
    """Sales, payments, voids, reversals, counts and depot work on the same few rows: each answers, none fails."""
    customers = [CustomerFactory(email="site@example.sg", email_invoices=True) for _ in range(2)]
    item = {"equipment": cylinder.pk, "condition": "FULL", "quantity": 1}

    def work(index: int) -> set[int]:
        driver, supervisor, codes = drivers[index % 4], supervisors[index], set()

        def note(user: User, url: str, body: Json | None = None) -> Json:
            answer = post(user, url, body)
            codes.add(answer.status_code)
            told: Json = answer.json()
            return told if answer.status_code < 400 else {}

        for turn in range(3):
            gained = {"kind": "GOODS_IN", "depot": depot.pk, "reason": "Bought", "items": [item]}
            note(supervisor, "/api/depot-work/", gained)
            lines = [
                {"equipment": cylinder.pk, "type": "SWAP", "quantity": 1},
                {"equipment": cylinder.pk, "type": "DEPOSIT", "quantity": 1},
            ]
            body = {"customer": customers[index % 2].pk, "items": lines, "payment_received": turn == 1}
            sold = note(driver, "/api/transactions/", body)
            if sold:
                note(driver, f"/api/invoices/{sold['invoice']['id']}/pay/", {"amount": "10.00"})
                credit = {
                    "customer": customers[index % 2].pk,
                    "method": "PAYNOW",
                    "amount": "15.00",
                    "reference": f"{index} {turn}",
                }
                paid = note(supervisor, "/api/payments/", credit)
                if turn < 2:
                    note(supervisor, f"/api/transactions/{sold['transaction']['id']}/void/", {"reason": "Mixed up"})
                elif paid:
                    note(supervisor, f"/api/payments/{paid['id']}/reverse/", {"reason": "Mixed up"})
            day = note(driver, "/api/settlements/", {"cash": "3.00", "counts": [item]})
            if day:
                note(
                    supervisor,
                    f"/api/settlements/{day['id']}/{'sign-off' if turn % 2 else 'reject'}/",
                    {"remarks": "x"},
                )
        return codes

    assert set().union(*at_once(work)) <= {200, 201, 409}


def test_an_invoice_is_taken_back_once_whoever_does_it(
    drivers: list[User], supervisors: list[User], cylinder: Equipment
) -> None:
    """Voids, credits, payments and bills of one invoice, all at once: one of what excludes the others, and no cent more."""
    customers = [CustomerFactory() for _ in range(2)]
    sold = post(drivers[0], "/api/transactions/", {**sale(customers[0], cylinder), "payment_received": True}).json()
    pk, invoice = sold["transaction"]["id"], sold["invoice"]["id"]

    def work(index: int) -> Answer:
        actor = supervisors[index]
        right = {**sale(customers[index // 4 % 2], cylinder), "remarks": str(index)}
        return {
            0: lambda: post(actor, f"/api/transactions/{pk}/void/", {"reason": "Mixed up", "goods": "never_left"}),
            1: lambda: post(actor, f"/api/transactions/{pk}/bill-again/", {"reason": "Mixed up", "sale": right}),
            2: lambda: post(
                actor,
                f"/api/invoices/{invoice}/credit/",
                {"reason": "Too dear", "lines": [{"line": 1, "amount": "1.00"}]},
            ),
            3: lambda: post(actor, f"/api/invoices/{invoice}/pay/", {"amount": "1.00"}),
        }[index % 4]()

    answers = codes_of(at_once(work))
    done = Invoice.objects.get(pk=invoice)
    whole = Transaction.objects.filter(reverses=pk).count()
    parts = Transaction.objects.filter(corrects=pk).count()
    assert (whole == 1) != (parts > 0)
    assert Transaction.objects.filter(replaces=pk).count() <= whole
    assert done.credited_amount == (done.total_amount if whole else parts * Decimal("1.09"))
    assert answers.keys() <= {
        (201, ""), (200, ""), (409, "already_voided"), (409, "already_credited"), (409, "already_paid"),
    }  # fmt: skip


def test_sales_of_two_customers_are_billed_to_each_other_at_once(
    drivers: list[User], supervisors: list[User], cylinder: Equipment
) -> None:
    customers = [CustomerFactory() for _ in range(2)]
    sales = [
        post(drivers[index % 4], "/api/transactions/", sale(customers[index % 2], cylinder)).json()["transaction"]["id"]
        for index in range(CLIENTS)
    ]

    def work(index: int) -> Answer:
        right = sale(customers[1 - index % 2], cylinder)
        return post(
            supervisors[index], f"/api/transactions/{sales[index]}/bill-again/", {"reason": "Mixed up", "sale": right}
        )

    assert codes_of(at_once(work)) == {(201, ""): CLIENTS}
    assert Transaction.objects.filter(replaces__in=sales).count() == CLIENTS
