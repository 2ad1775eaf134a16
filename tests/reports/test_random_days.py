"""Random days at the company: whatever is asked for, in whatever order, every figure is the model's and the books hold."""

import os
import shutil
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pytest_django import Settings

from tests.model import stock
from tests.model.books import Credit
from tests.model.records import Document, Payment, day_of
from tests.reports import compared
from tests.reports.company import TAKEN, Company, moment

EXAMPLES, STEPS = (int(number) for number in os.environ.get("LEDGER_MACHINE", "10x25").split("x"))

STARTS = ("2023-12-29 09:00", "2024-12-27 23:59", "2026-02-26 10:00")
"""Before the GST rate rose and a week began with the year; before a week that begins in the other year; before March."""
skus = st.sampled_from(["C14", "C09", "C50"])
pieces = st.integers(min_value=1, max_value=5)
conditions = st.sampled_from(["FULL", "EMPTY", "DAMAGED"])
drivers = st.sampled_from(["ali", "ben", "cho"])
depots = st.sampled_from(["north", "south"])
customers = st.sampled_from(["CASH", "METER", "MONTH"])
picks = st.integers(0, 9)
cents = st.integers(min_value=1, max_value=30_000).map(lambda amount: f"{Decimal(amount) / 100:.2f}")
lent = st.sampled_from(["C14", "C50"])
"""A C09 has no deposit, and none can be charged."""
charged = st.tuples(st.just("DEPOSIT"), lent, pieces)
sold = st.tuples(st.sampled_from(["SALE", "SWAP", "REFILL", "SERVICE"]), skus, pieces) | charged
refunded = st.tuples(st.sampled_from(["RETURN"]), skus, pieces)
lines = st.lists(sold, max_size=3) | st.lists(refunded, min_size=1, max_size=2) | st.lists(sold | refunded, max_size=3)
ways = st.sampled_from(["", "", "all", "all", *TAKEN])
units = st.none() | st.sampled_from(["0.00", "0.23", "7.90", "50.00"])


class Days(RuleBasedStateMachine):
    """What may happen at the company, the clock included. `Company` tells the model of it."""

    @initialize(start=st.sampled_from(STARTS), has_coins=st.booleans())
    def open(self, start: str, has_coins: bool) -> None:
        self.coins = override_settings(CASH_ROUNDING=Decimal("0.05" if has_coins else "0.00"))
        self.coins.enable()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.travel = time_machine.travel(moment(start), tick=False)
        self.clock = self.travel.start()
        self.company = Company()
        self.company.books.has_coins = has_coins
        self.moments = [self.company.now]
        for depot, driver in ((self.company.north, self.company.ali), (self.company.south, self.company.ben)):
            self.company.works("GOODS_IN", depot, [(sku, "FULL", 40) for sku in self.company.items])
            self.company.loads(driver, [("OUT", sku, "FULL", 15) for sku in self.company.items])

    def teardown(self) -> None:
        if hasattr(self, "company"):
            self.travel.stop()
        if hasattr(self, "undo"):
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)
        if hasattr(self, "coins"):
            self.coins.disable()

    def _one[T](self, rows: list[T], pick: int) -> T | None:
        """One of the latest."""
        return rows[-1 - pick % len(rows)] if rows else None

    # --- The clock ------------------------------------------------------------------------------------------

    @rule(step=st.sampled_from(["hours", "midnight", "midnight", "week", "month", "days"]), days=st.integers(1, 40))
    def time_passes(self, step: str, days: int) -> None:
        """For some hours, or to the last minute of a day and the first of the next."""
        now = self.company.now
        if step == "hours":
            self._move_to(now + timedelta(hours=7))
            return
        edge = now.replace(hour=23, minute=59, second=0)
        if edge <= now:
            self._move_to(now + timedelta(minutes=2))
            return
        if step == "week":
            edge += timedelta(days=6 - edge.weekday())
        if step == "month":
            edge = (edge.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        if step == "days":
            edge += timedelta(days=days)
        self._move_to(edge)

    def _move_to(self, there: Any) -> None:
        self.clock.move_to(there)
        self.moments.append(there)

    # --- Sales ------------------------------------------------------------------------------------------------

    @rule(driver=drivers, customer=customers, lines=lines, used=units, paid=ways, damaged=st.booleans(), late=st.none() | st.integers(0, 7 * 24 - 1))  # fmt: skip
    def sell(
        self,
        driver: str,
        customer: str,
        lines: list[tuple[str, str, int]],
        used: str | None,
        paid: str,
        damaged: bool,
        late: int | None,
    ) -> None:
        self.company.sells(
            getattr(self.company, driver),
            customer,
            lines,
            usage=None if customer == "CASH" else used,
            paid=paid == "all",
            taken=paid if paid in TAKEN else "",
            happened=None if late is None else self.company.now - timedelta(hours=late),
            comes_back="DAMAGED" if damaged else "EMPTY",
        )

    @rule(sku=lent, cents=st.integers(1, 9_999))
    def change_deposit(self, sku: str, cents: int) -> None:
        self._move_to(self.company.now + timedelta(seconds=1))
        self.company.deposit_is(sku, f"{Decimal(cents) / 100:.2f}")

    @rule(pick=picks, goods_come_back=st.booleans())
    def void(self, pick: int, goods_come_back: bool) -> None:
        document: Document | None = self._one(self.company.books.documents, pick)
        if document is not None:
            self.company.voids(document, goods_come_back=goods_come_back)

    @rule(pick=picks, asked=st.lists(st.tuples(picks, pieces | cents, st.booleans(), st.booleans()), min_size=1, max_size=2))  # fmt: skip
    def credit(self, pick: int, asked: list[tuple[int, int | str, bool, bool]]) -> None:
        document: Document | None = self._one(self.company.books.documents, pick)
        if document is None:
            return
        lines = [index for index, line in enumerate(document.lines) if line.type != "RETURN"]
        lines += [len(document.lines)] if document.usage is not None and document.credits is None else []
        wanted = {
            lines[which % len(lines)]: Credit(
                lines[which % len(lines)],
                pieces=much if isinstance(much, int) else None,
                amount=Decimal(0) if isinstance(much, int) else Decimal(much),
                with_gst=with_gst,
                comes_back=comes_back,
            )
            for which, much, with_gst, comes_back in asked
            if lines
        }
        if wanted:
            self.company.credits(document, list(wanted.values()))

    # --- Money ------------------------------------------------------------------------------------------------

    @rule(
        customer=customers,
        amount=cents,
        method=st.sampled_from(["CASH", "PAYNOW", "CHEQUE", "BANK_TRANSFER"]),
        taker=st.sampled_from(["office", "ali", "ben"]),
        days_ago=st.sampled_from([0, 0, 0, 1, 9]),
    )
    def pay(self, customer: str, amount: str, method: str, taker: str, days_ago: int) -> None:
        received_on = self.company.today - timedelta(days=days_ago)
        to = getattr(self.company, taker)
        self.company.pays(customer, amount, to=to, method=method, received_on=received_on)

    @rule(pick=picks, amount=st.none() | cents, taker=st.sampled_from(["office", "ali"]))
    def pay_document(self, pick: int, amount: str | None, taker: str) -> None:
        documents = [d for d in self.company.books.documents if taker == "office" or d.seller.username == taker]
        document = self._one(documents, pick)
        if document is not None:
            self.company.pays_document(document, amount, to=getattr(self.company, taker))

    @rule(customer=customers, amount=cents, by=st.sampled_from(["office", "supervisor"]))
    def be_good(self, customer: str, amount: str, by: str) -> None:
        self.company.pays_goodwill(customer, amount, by=getattr(self.company, by))

    @rule(amount=cents, by=st.sampled_from(["ali", "supervisor"]))
    def spend(self, amount: str, by: str) -> None:
        self.company.spends(getattr(self.company, by), amount)

    @rule(customer=customers, amount=cents, method=st.sampled_from(["CASH", "BANK_TRANSFER"]))
    def pay_back(self, customer: str, amount: str, method: str) -> None:
        self.company.pays_back(customer, amount, method=method)

    @rule(customer=customers)
    def set_off(self, customer: str) -> None:
        self.company.sets_off(customer)

    @rule(pick=picks)
    def allocate(self, pick: int) -> None:
        books = self.company.books
        payment: Payment | None = self._one([p for p in books.payments if books.credit_of(p) > 0], pick)
        if payment is not None:
            self.company.allocates(payment)

    @rule(pick=picks)
    def reverse(self, pick: int) -> None:
        payment: Payment | None = self._one(self.company.books.payments, pick)
        if payment is not None:
            self.company.reverses(payment)

    # --- Stock ------------------------------------------------------------------------------------------------

    @rule(
        driver=drivers,
        items=st.lists(st.tuples(st.sampled_from(["OUT", "IN"]), skus, conditions, pieces), min_size=1, max_size=3),
    )
    def load(self, driver: str, items: list[tuple[str, str, str, int]]) -> None:
        self.company.loads(getattr(self.company, driver), items)

    @rule(driver=drivers, sku=skus)
    def give_up_load(self, driver: str, sku: str) -> None:
        self.company.gives_up_load(getattr(self.company, driver), sku)

    @rule(
        kind=st.sampled_from(["REFILL", "GOODS_IN", "TRANSFER", "DAMAGE", "SCRAP"]),
        depot=depots,
        sku=skus,
        condition=conditions,
        pieces=pieces,
    )
    def work(self, kind: str, depot: str, sku: str, condition: str, pieces: int) -> None:
        if kind == "REFILL":
            condition = "EMPTY"
        if kind in ("GOODS_IN", "DAMAGE") and condition == "DAMAGED":
            condition = "EMPTY"
        self.company.works(kind, getattr(self.company, depot), [(sku, condition, pieces)])

    @rule(where=st.sampled_from(["north", "ali", "CASH"]), sku=skus, condition=conditions, pieces=st.integers(0, 9))
    def count(self, where: str, sku: str, condition: str, pieces: int) -> None:
        if where == "CASH":
            self.company.counts(self.company.customers[where], sku, pieces)
        else:
            self.company.counts(getattr(self.company, where), sku, pieces, condition)

    @rule(depot=depots, sku=skus, condition=conditions, pieces=st.integers(0, 30))
    def take_stock(self, depot: str, sku: str, condition: str, pieces: int) -> None:
        self.company.takes_stock(getattr(self.company, depot), [(sku, condition, pieces)])

    # --- The end of the day ----------------------------------------------------------------------------------

    @rule(
        driver=drivers,
        cash=cents,
        counted=st.lists(st.tuples(skus, conditions, pieces), max_size=3, unique_by=lambda line: line[:2]),
    )
    def count_day(self, driver: str, cash: str, counted: list[tuple[str, str, int]]) -> None:
        # What comes in the instant of an open count, before it or behind it, nobody can say.
        self._move_to(self.company.now + timedelta(seconds=1))
        seller = getattr(self.company, driver)
        made = self.company.counts_day(seller, cash, counted if seller.vehicle else [])
        if made is not None:
            compared.day_end_agrees(self.company, seller, made[1])

    @rule(pick=picks, accepted=st.booleans())
    def decide(self, pick: int, accepted: bool) -> None:
        waiting = [day_end for day_end in self.company.books.day_ends if day_end.state == "open"]
        day_end = self._one(waiting, pick)
        if day_end is not None:
            self.company.signs_off(day_end) if accepted else self.company.rejects(day_end)

    # --- Looking back ------------------------------------------------------------------------------------------

    @rule(days=st.integers(0, 100))
    @precondition(lambda self: self.company.books.documents)
    def look_at_accounts(self, days: int) -> None:
        first, today = day_of(self.moments[0]), self.company.today
        day = today - timedelta(days=days % ((today - first).days + 1))
        compared.receivables_agree(self.company, day)
        compared.deposits_agree(self.company, day)
        compared.statement_agrees(self.company, self.company.customers["METER"], day, today)
        compared.statement_agrees(self.company, self.company.customers["MONTH"], first, day)

    @rule(pick=picks, by_supervisor=st.booleans())
    @precondition(lambda self: self.company.books.documents)
    def look_at_sales(self, pick: int, by_supervisor: bool) -> None:
        first = day_of(self.moments[-1 - pick % len(self.moments)])
        company = self.company
        if by_supervisor:
            north = [person for person in company.people if person.depot is company.north]
            compared.sales_agree(company, first, company.today, company.supervisor, north)
            compared.receivables_agree(company, first, company.supervisor, north)
        else:
            compared.sales_agree(company, first, company.today)

    @rule(pick=picks, driver=drivers)
    def look_at_stock(self, pick: int, driver: str) -> None:
        at = self.moments[-1 - pick % len(self.moments)]
        compared.stock_agrees(self.company, at)
        compared.driver_day_agrees(self.company, getattr(self.company, driver), day_of(at))

    @invariant()
    def stock_is_where_the_model_says(self) -> None:
        if hasattr(self, "company"):
            compared.table_agrees(self.company, "stock", stock.stock(self.company.books))


@pytest.mark.django_db
def test_whatever_happens_the_figures_are_the_model_s(stub_pdf: None, settings: Settings) -> None:
    class Checked(Days):
        def teardown(self) -> None:
            try:
                if hasattr(self, "company"):
                    compared.everything_agrees(self.company)
                    call_command("verify_books", stdout=StringIO())
            finally:
                super().teardown()
                shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)

    run_state_machine_as_test(Checked, settings=MACHINE)


MACHINE = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
