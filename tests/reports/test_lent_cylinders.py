"""Walks through lending: charged at changing prices, brought back, voided, paid and paid out; each figure is the model's.

`test_random_days` does all that may be done; few of its days are spent on what somebody holds. Here all of them are.
"""

import random
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction
from pytest_django import Settings

from tests.model.records import Document, day_of
from tests.reports import compared
from tests.reports.company import Company, moment
from tests.reports.test_random_days import EXAMPLES

pytestmark = pytest.mark.django_db

STEPS = 80
KINDS = (
    "collection note", "net of a refund", "two documents", "several lots", "loan and lot", "set off against a charge",
    "set off against the sale beside", "paid out", "void of a refund", "void of a refund that was set off",
    "void of a refund that was paid out", "void of one of two",
)  # fmt: skip
DEPOSITS = ("40.00", "60.00", "33.33", "0.10", "120.00")


class Walk:
    """What one seed comes to. ``seen`` says how often what is to be compared really happened."""

    def __init__(self, seed: int, clock: Any, seen: Counter[str]) -> None:
        self.random, self.clock, self.seen = random.Random(seed), clock, seen
        self.company = company = Company()
        self.books = company.books
        for depot, driver in ((company.north, company.ali), (company.south, company.ben)):
            company.works("GOODS_IN", depot, [(sku, "FULL", 400) for sku in company.items])
            company.loads(driver, [("OUT", sku, "FULL", 150) for sku in company.items])

    def go(self) -> None:
        steps: dict[Callable[[], None], int] = {
            self.lend: 6,
            self.take_back: 7,
            self.void: 4,
            self.change_deposit: 2,
            self.pay: 2,
            self.count_site: 1,
            self.be_good: 1,
            self.look_back: 1,
        }
        [step] = self.random.choices(list(steps), list(steps.values()))
        self.clock.shift(timedelta(minutes=self.random.choice((1, 90, 1_000, 20_000))))
        step()

    # --- Steps --------------------------------------------------------------------------------------------

    def lend(self) -> None:
        """With a deposit, without, or with one for more than is delivered."""
        sku, pieces, charged = self._sku(), self.random.randint(1, 3), self.random.choice((0, 0, 1, 2, 3, 4))
        lines = [("SALE", sku, pieces)] + ([("DEPOSIT", sku, charged)] if charged else [])
        self._sell(lines)

    def take_back(self) -> None:
        """Some of what stands there, all of it, or more; and what else is done on the visit."""
        customer, sku = self._customer(), self._sku()
        there = self.books.pieces_at(self.company.customers[customer].place, self.company.items[sku], "FULL")
        lines = [("RETURN", sku, self.random.randint(1, max(1, there) + 1))]
        also = self.random.choice(("", "", "", "SWAP", "REFILL", "SALE", "DEPOSIT", "RETURN"))
        if also:
            lines.append((also, self._sku(), self.random.randint(1, 2)))
        self._sell(self.random.sample(lines, len(lines)), customer)

    def void(self) -> None:
        """Of what moved deposits, the later the likelier."""
        documents = [d for d in self.books.documents if any(line.type in ("DEPOSIT", "RETURN") for line in d.lines)]
        if not documents:
            return
        document = self.random.choice(documents[-6:])
        had_set_off = any(self.books.settles(document, other) for other in self.books.documents)
        paid_out = document.total < 0 and any(payment.came_with is document for payment in self.books.payments)
        if self.company.voids(document, goods_come_back=self.random.random() < 0.7) is not None:
            self._saw("void of a refund", document.total < 0)
            self._saw("void of a refund that was set off", had_set_off)
            self._saw("void of a refund that was paid out", paid_out)
            self._saw("void of one of two", any(document in (d, d.refund) and d.refund for d in self.books.documents))

    def change_deposit(self) -> None:
        self.company.deposit_is(self._sku(), self.random.choice(DEPOSITS))

    def pay(self) -> None:
        """Something of a document, or all: an invoice's, or what a refund left."""
        is_open = [document for document in self.books.documents if self.books.open_of(document) != 0]
        if is_open:
            document = self.random.choice(is_open[-6:])
            part = self.random.choice((None, "0.07", "20.00"))
            if part is None or abs(self.books.open_of(document)) >= 20:
                self.company.pays_document(document, part)

    def count_site(self) -> None:
        """What stands there without anybody having been told, and what is gone."""
        self.company.counts(self.company.customers[self._customer()], self._sku(), self.random.randint(0, 8))

    def be_good(self) -> None:
        self.company.pays_goodwill(self._customer(), "12.50", by=self.company.supervisor)

    def look_back(self) -> None:
        days = [document.day for document in self.books.documents] or [self.company.today]
        day = self.random.choice(days)
        compared.receivables_agree(self.company, day)
        compared.deposits_agree(self.company, day)
        for customer in self.books.customers:
            compared.statement_agrees(self.company, customer, day, self.company.today)
        compared.driver_day_agrees(self.company, self.company.ali, day)

    # --- What they have in common ------------------------------------------------------------------------

    def _sku(self) -> str:
        return self.random.choice(("C14", "C14", "C50"))

    def _customer(self) -> str:
        return self.random.choice(("CASH", "MONTH"))

    def _sell(self, lines: list[tuple[str, str, int]], customer: str | None = None) -> None:
        company = self.company
        late = self.random.choice((None, None, None, 5, 50))
        document = company.sells(
            self.random.choice((company.ali, company.ben, company.cho)),
            customer or self._customer(),
            lines,
            paid=self.random.random() < 0.4,
            happened=None if late is None else company.now - timedelta(hours=late),
            comes_back=self.random.choice(("EMPTY", "EMPTY", "DAMAGED")),
        )
        if document is not None:
            self._note(document)

    def _note(self, document: Document) -> None:
        refund = document.refund or (document if document.total < 0 else None)
        self._saw("collection note", document.kind == "COLLECTION_NOTE")
        self._saw("net of a refund", refund is None and any(line.amount < 0 for line in document.lines))
        if refund is None:
            return
        settled = [a.target for a in self.books.allocations if a.source is refund]
        self._saw("two documents", document.refund is not None)
        self._saw("several lots", len({line.rate for line in refund.lines if line.rate}) > 1)
        self._saw("loan and lot", len({line.rate == 0 for line in refund.lines}) > 1)
        self._saw("set off against a charge", any(each is not document for each in settled))
        self._saw("set off against the sale beside", any(each is document for each in settled))
        self._saw("paid out", any(payment.came_with is refund for payment in self.books.payments))

    def _saw(self, what: str, happened: object) -> None:
        self.seen[what] += bool(happened)


def walked(seed: int, seen: Counter[str]) -> None:
    with time_machine.travel(moment("2025-12-30 09:00"), tick=False) as clock, transaction.atomic():
        walk = Walk(seed, clock, seen)
        for _ in range(STEPS):
            walk.go()
        compared.everything_agrees(walk.company)
        for day in sorted({day_of(movement.when) for movement in walk.books.movements})[::3]:
            compared.deposits_agree(walk.company, day)
            compared.receivables_agree(walk.company, day)
        call_command("verify_books", stdout=StringIO())
        transaction.set_rollback(True)


def test_whatever_is_lent_and_comes_back_the_figures_are_the_model_s(stub_pdf: None, settings: Settings) -> None:
    seen = Counter(dict.fromkeys(KINDS, 0))
    for seed in range(max(3, EXAMPLES // 3)):
        walked(seed, seen)
        shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)
    assert seen.keys() == {*KINDS}
    assert [what for what, times in seen.items() if not times] == []
