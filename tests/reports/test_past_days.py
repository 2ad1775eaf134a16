"""The past doesn't move: what was owed at the end of a day is told the same ever after, whatever is entered or undone.

PAST_DAYS says how many histories, of how many steps.
"""

import os
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from random import Random
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from pytest_django import Settings

from tests.reports import compared
from tests.reports.company import TAKEN, Company, moment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stub_pdf")]

HISTORIES, STEPS = (int(number) for number in os.environ.get("PAST_DAYS", "1x300").split("x"))
START = "2026-01-05 08:00"
ENTERED_SINCE = "entered_later"
"""The one column that is about what came to be known since."""


class History:
    """Whatever touches an account, at random, and a new day now and then."""

    def __init__(self, seed: int, clock: time_machine.Traveller, *, has_coins: bool) -> None:
        self.chance, self.clock = Random(seed), clock
        self.company = Company()
        self.company.books.has_coins = has_coins
        for depot, driver in ((self.company.north, self.company.ali), (self.company.south, self.company.ben)):
            self.company.works("GOODS_IN", depot, [(sku, "FULL", 2000) for sku in self.company.items])
            self.company.loads(driver, [("OUT", sku, "FULL", 2000) for sku in self.company.items])
        self.told: dict[date, list[Any]] = {}

    def run(self, steps: int) -> None:
        rare = [self.set_off, self.allocate, self.be_good, self.end_day, self.end_day]
        acts: list[Callable[[], object]] = [*3 * [self.sell], *2 * [self.pay, self.pay_document, self.void], *rare]
        acts += 2 * [self.reverse, self.pay_back]
        for _ in range(steps):
            self.clock.shift(timedelta(minutes=1))
            self.chance.choice(acts)()
        self.end_day()

    # What is done.

    def sell(self) -> None:
        company, choice = self.company, self.chance.choice
        types = choice([["SALE"], ["SALE", "DEPOSIT"], ["SALE", "DEPOSIT"], ["RETURN"], ["SALE", "RETURN"]])
        sku = "C09" if types == ["SALE"] else choice(["C14", "C50"])
        ways = ["", "", "all", *TAKEN]
        way = choice(ways)
        late = choice([None, None, self.chance.randrange(7 * 24)])
        company.sells(
            choice([company.ali, company.ben]),
            self._customer(),
            [(kind, sku, self.chance.randint(1, 3)) for kind in types],
            paid=way == "all",
            taken=way if way in TAKEN else "",
            happened=None if late is None else max(company.now - timedelta(hours=late), moment(START)),
        )

    def void(self) -> None:
        if documents := self.company.books.documents[-20:]:
            self.company.voids(self.chance.choice(documents))

    def pay(self) -> None:
        company, customer = self.company, self._customer()
        owed = [amount for _, amount in company.books.owed_by(company.customers[customer])]
        closing = company.books.in_coins(sum(owed[: self.chance.randint(1, 3)], Decimal(0)))
        company.pays(
            customer,
            str(self.chance.choice([closing or Decimal("9.90"), self._amount()])),
            to=self.chance.choice([company.office, company.ali]),
            method=self.chance.choice(["CASH", "CASH", "PAYNOW", "CHEQUE"]),
            received_on=company.today - timedelta(days=self.chance.choice([0, 0, 1, 9])),
        )

    def pay_document(self) -> None:
        books = self.company.books
        if unpaid := [document for document in books.documents if books.open_of(document) != 0]:
            method = self.chance.choice(["CASH", "PAYNOW"])
            amount = self.chance.choice([None, None, str(self._amount())])
            self.company.pays_document(self.chance.choice(unpaid), amount, method=method)

    def pay_back(self) -> None:
        customer = self._customer()
        most = self.company.books.credit_to_pay_back(self.company.customers[customer])
        amount = self.chance.choice([self.company.books.in_coins(most) or Decimal("0.50"), self._amount()])
        self.company.pays_back(customer, str(amount), method=self.chance.choice(["CASH", "CASH", "BANK_TRANSFER"]))

    def set_off(self) -> None:
        self.company.sets_off(self._customer())

    def allocate(self) -> None:
        books = self.company.books
        if left := [payment for payment in books.payments if books.credit_of(payment) > 0]:
            self.company.allocates(self.chance.choice(left))

    def reverse(self) -> None:
        if payments := self.company.books.payments[-20:]:
            self.company.reverses(self.chance.choice(payments))

    def be_good(self) -> None:
        self.company.pays_goodwill(self._customer(), str(self._amount()))

    def _customer(self) -> str:
        return self.chance.choice([*self.company.customers])

    def _amount(self) -> Decimal:
        return Decimal(self.chance.randint(1, 9_999)) / 100

    # What is told.

    def end_day(self) -> None:
        """What is told of it now is kept."""
        self.told[self.company.today] = self.tell(self.company.today)
        self.clock.shift(timedelta(days=self.chance.choice([1, 1, 1, 2, 9])))

    def tell(self, day: date) -> list[Any]:
        """What each customer owed by then, and the statement of one of them."""
        rows = self.company.get("reports/receivables/", as_of=day)["rows"]
        customer = self.company.books.customers[day.toordinal() % 3]
        url, first = f"customers/{self.company.pk(customer)}/statement/", moment(START).date()
        statement = self.company.get(url, date_from=first, date_to=day)
        return [[{**row, ENTERED_SINCE: None} for row in rows if row["total"] != "0.00"], statement]


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_what_was_told_of_a_day_is_told_of_it_ever_after(seed: int, settings: Settings) -> None:
    has_coins = seed % 4 != 3
    settings.CASH_ROUNDING = Decimal("0.05" if has_coins else "0.00")
    settings.UNLIKELY = {**settings.UNLIKELY, "GOODS_IN": Decimal(9_999), "AMOUNT": Decimal(99_999)}
    with time_machine.travel(moment(START), tick=False) as clock:
        history = History(seed, clock, has_coins=has_coins)
        history.run(STEPS)
        company = history.company
        for day, told in history.told.items():
            assert history.tell(day) == told, day
            compared.receivables_agree(company, day)
        for customer in company.books.customers:
            compared.statement_agrees(company, customer, moment(START).date(), company.today)
        compared.accounts_agree(company)
        call_command("verify_books", stdout=StringIO())
