"""Sellers and the office at one customer's account, all at once: it is what was answered, to the cent."""

from collections import Counter, defaultdict
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from random import Random
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from accounts.models import User
from customers.models import Customer
from foundation.access.capabilities import Role
from payments.selectors import cash_in_bag
from tests.concurrency.races import at_once, post
from tests.conftest import client_for
from tests.factories import CustomerFactory, DepotFactory, DriverFactory, EquipmentFactory, UserFactory
from tests.types import Answer, Json

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("stub_pdf")]

SELLERS, OFFICE, TURNS = 8, 4, 10
RATE = Decimal("28.01")
REFUSALS = {"already_reversed", "already_voided", "exceeds_credit", "exceeds_outstanding", "already_paid"}


class Account:
    """One customer, whom all serve; and what was answered to them."""

    def __init__(self, customer: Customer, cylinder: int, admin: User) -> None:
        self.customer, self.cylinder, self.admin = customer, cylinder, admin
        self.owed = Decimal(0)
        self.bags: dict[int, list[Decimal]] = defaultdict(list)
        self.sales: list[int] = []
        self.invoices: list[int] = []
        self.documents: list[Decimal] = []
        self.money: list[Decimal] = []
        self.codes: Counter[tuple[int, str]] = Counter()

    def ask(self, user: User, url: str, body: Json) -> Answer:
        """What is asked about is confirmed."""
        answer = post(user, url, body)
        if answer.status_code == 409 and (asked := [each for each in answer.json()["errors"] if "value" in each]):
            seen = [{name: each[name] for name in ("code", "attr", "value")} for each in asked]
            answer = post(user, url, {**body, "confirm": seen})
        code = answer.json()["errors"][0]["code"] if 400 <= answer.status_code < 500 else ""
        self.codes[answer.status_code, code] += 1
        return answer

    def moved(self, user_id: int, method: str, amount: Decimal) -> None:
        if method != "CHEQUE":
            self.money.append(amount)
        if method == "CASH":
            self.bags[user_id].append(amount)

    # What a seller does.

    def sell(self, chance: Random, seller: User) -> None:
        pieces = chance.randint(1, 3)
        total = (pieces * RATE * Decimal("1.09")).quantize(Decimal("0.01"))
        coins = (total * 20).quantize(Decimal(1)) / 20
        tender: list[tuple[str, Decimal]] = chance.choice(
            [
                [],
                [("CASH", coins)],
                [("PAYNOW", total)],
                [("CASH", Decimal("10.00"))],
                [("PAYNOW", Decimal("20.02")), ("CASH", coins - 20)],
                [("CASH", total + Decimal("15.03"))],
            ]
        )
        lines = [{"equipment": self.cylinder, "type": "SERVICE", "quantity": pieces}]
        said = [{"method": method, "amount": str(amount)} for method, amount in tender]
        body = {"customer": self.customer.pk, "items": lines, "tender": said}
        answer = self.ask(seller, "/api/transactions/", body)
        if answer.status_code == 201:
            self.documents.append(Decimal(answer.json()["invoice"]["total_amount"]))
            self.sales.append(answer.json()["transaction"]["id"])
            self.invoices.append(answer.json()["invoice"]["id"])
            for method, amount in tender:
                self.moved(seller.pk, method, amount)

    def pay(self, chance: Random, seller: User) -> None:
        method, amount = chance.choice(["CASH", "CASH", "PAYNOW"]), Decimal(chance.randint(500, 6_000)) / 100
        self._money(seller, "/api/payments/", {"method": method, "amount": str(amount)})

    def pay_back(self, chance: Random, payer: User) -> None:
        self._money(payer, "/api/payouts/", {"method": "CASH", "amount": str(Decimal(chance.randint(100, 900)) / 100)})

    def _money(self, user: User, url: str, body: Json) -> None:
        answer = self.ask(user, url, {"customer": self.customer.pk, **body})
        if answer.status_code == 201:
            self.moved(user.pk, body["method"], Decimal(answer.json()["amount"]))

    def pay_invoice(self, chance: Random, user: User) -> None:
        """All that is open of it."""
        if self.invoices:
            invoice = chance.choice([*self.invoices])
            self.ask(user, f"/api/invoices/{invoice}/pay/", {"method": "CHEQUE"})  # how much, the books say

    # What the office does.

    def set_off(self, chance: Random, user: User) -> None:
        self.ask(user, "/api/set-offs/", {"customer": self.customer.pk})

    def reverse(self, chance: Random, user: User) -> None:
        if rows := self.payments():
            payment = chance.choice(rows)
            answer = self.ask(user, f"/api/payments/{payment['id']}/reverse/", {"reason": "Wrong"})
            if answer.status_code == 201:
                self.moved(payment["user"], payment["method"], Decimal(answer.json()["amount"]))

    def void(self, chance: Random, user: User) -> None:
        if self.sales:
            answer = self.ask(user, f"/api/transactions/{chance.choice([*self.sales])}/void/", {"reason": "Wrong"})
            if answer.status_code == 201:
                self.documents.append(Decimal(answer.json()["invoice"]["total_amount"]))

    # What the books say.

    def payments(self) -> list[Any]:
        found: list[Any] = client_for(self.admin).get("/api/payments/?page_size=200").json()["results"]
        return found

    def receivables(self) -> Decimal:
        rows = client_for(self.admin).get("/api/reports/receivables/").json()["rows"]
        return sum((Decimal(row["total"]) for row in rows), Decimal(0))


def test_all_take_and_undo_money_at_one_account_and_it_is_what_was_answered(settings: Settings) -> None:
    settings.CASH_ROUNDING = Decimal("0.05")
    depot = DepotFactory()
    admin = UserFactory(role=Role.ADMIN, depot=depot)
    users = [DriverFactory(depot=depot) for _ in range(SELLERS)]
    users += [admin, *(UserFactory(role=Role.SUPERVISOR, depot=depot) for _ in range(OFFICE - 1))]
    account = Account(CustomerFactory(), EquipmentFactory(default_rate=RATE).pk, admin)
    Act = Callable[[Random, User], None]
    field: list[Act] = [account.sell, account.sell, account.sell, account.pay, account.pay, account.pay_back]
    office: list[Act] = [account.set_off, account.reverse, account.reverse, account.void, account.void]
    office += [account.pay_back, account.pay_invoice]

    def work(index: int) -> None:
        chance = Random(index)
        for _ in range(TURNS):
            chance.choice(field if index < SELLERS else office)(chance, users[index])

    at_once(work, clients=len(users))
    connection.close()  # what was answered is there for everybody
    refused = {(status, code) for status, code in account.codes if status not in (200, 201)}
    assert refused <= {(409, code) for code in REFUSALS}
    rows = account.payments()
    assert sorted(Decimal(row["amount"]) for row in rows if row["method"] != "CHEQUE") == sorted(account.money)
    taken = sum((Decimal(row["amount"]) for row in rows), Decimal(0))
    rounding = sum((Decimal(row["rounding"]) for row in rows), Decimal(0))
    assert account.receivables() == sum(account.documents) - taken + rounding
    for user in users:
        assert cash_in_bag(user) == sum(account.bags[user.pk]), user
    call_command("verify_books", stdout=StringIO())
