"""Random years: what a return declared is the same whenever it is asked, and each document is declared once.

The model keeps a line for each document, when it counts and when it was recorded, and declares by IRAS's words.
"""

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from foundation import clock
from invoices.models import GstRate
from periods.models import Period
from periods.services import NewPeriod, close_period, reopen_period
from tests.conftest import Shop, post_confirmed
from tests.factories import EquipmentFactory
from tests.periods.test_gst_returns import Quarter
from tests.types import Json

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
QUARTERS = [(date(2025, 1, 1), date(2025, 3, 31)), (date(2025, 4, 1), date(2025, 6, 30)),
            (date(2025, 7, 1), date(2025, 9, 30)), (date(2025, 10, 1), date(2025, 12, 31))]  # fmt: skip
Span = tuple[date, date]


@dataclass
class Line:
    """One document, as the model knows it."""

    counts_on: date
    recorded_on: date
    value: Decimal
    tax: Decimal
    declared_by: int | None = None


@dataclass
class Declared:
    """What the model says of the whole."""

    lines: list[Line] = field(default_factory=list)
    filed: dict[int, tuple[str, Span, list[Line]]] = field(default_factory=dict)
    box_4: dict[Span, Decimal] = field(default_factory=dict)

    def late(self, until: date) -> dict[Span, list[Line]]:
        """By period that was filed: what was recorded by then and no return declares."""
        found: dict[Span, list[Line]] = {}
        for line in self.lines:
            span = next((span for span in self.box_4 if span[0] <= line.counts_on <= span[1]), None)
            if span and line.declared_by is None and line.recorded_on <= until:
                found.setdefault(span, []).append(line)
        return found

    def fits_next_f5(self, late: dict[Span, list[Line]]) -> bool:
        tax = sum((line.tax for lines in late.values() for line in lines), Decimal(0))
        values = {span: sum((line.value for line in lines), Decimal(0)) for span, lines in late.items()}
        return abs(tax) <= 3000 and all(abs(value) * 20 <= self.box_4[span] for span, value in values.items())

    def f5(self, pk: int, span: Span, until: date) -> tuple[Decimal, Decimal]:
        late = self.late(until)
        own = [line for line in self.lines if span[0] <= line.counts_on <= span[1] and line.recorded_on <= until]
        lines = own + [line for lines in late.values() for line in lines if self.fits_next_f5(late)]
        return self._file(pk, "F5", span, lines, lines)

    def f7(self, pk: int, span: Span, until: date) -> tuple[Decimal, Decimal]:
        new = self.late(until)[span]
        before = {id(line) for kind, of, lines in self.filed.values() if of == span for line in lines}
        own = [line for line in self.lines if id(line) in before and span[0] <= line.counts_on <= span[1]]
        return self._file(pk, "F7", span, own + new, new)

    def _file(self, pk: int, kind: str, span: Span, lines: list[Line], new: list[Line]) -> tuple[Decimal, Decimal]:
        for line in new:
            line.declared_by = pk
        self.filed[pk] = (kind, span, lines)
        boxes = self.boxes(pk)
        if kind == "F5":
            self.box_4[span] = boxes[0]
        return boxes

    def boxes(self, pk: int) -> tuple[Decimal, Decimal]:
        lines = self.filed[pk][2]
        return sum((x.value for x in lines), Decimal("0.00")), sum((x.tax for x in lines), Decimal("0.00"))


@pytest.mark.parametrize("seed", range(4))
def test_what_was_declared_stays_and_everything_is_declared_once(shop: Shop, seed: int) -> None:
    chance = random.Random(seed)
    GstRate.objects.create(rate="10.00", valid_from=date(2025, 8, 15), reason="A rise.")
    declared, invoices = Declared(), []
    with time_machine.travel(datetime(2025, 1, 2, 9, tzinfo=clock.SINGAPORE), tick=False) as travel:
        quarter = Quarter(shop, travel, EquipmentFactory(default_rate=None))
        client = shop.client_of(shop.admin)

        def note(document: Json, counts_on: date) -> None:
            value, tax = Decimal(document["taxable_amount"]), Decimal(document["gst_amount"])
            declared.lines.append(Line(counts_on, clock.business_date(clock.now()), value, tax))

        def sell(today: date) -> None:
            amount = f"{chance.choice((12, 250, 4000))}.{chance.randrange(100):02d}"
            back = timedelta(days=chance.choice((0, 0, 1, 5)))
            how: Json = chance.choice(
                ({}, {"payment_received": True}, {"tender": [{"method": "CARD", "amount": "1.00"}]})
            )
            occurred_at = datetime.combine(today - back, datetime.min.time(), clock.SINGAPORE) + timedelta(hours=8)
            invoice = quarter.sell(amount, occurred_at=occurred_at.isoformat(), **how)
            is_paid = "payment_received" in how
            note(invoice, today - back if is_paid else today)
            rate = Decimal(10) if (today - back if is_paid else today) >= date(2025, 8, 15) else Decimal(9)
            assert Decimal(invoice["gst_rate"]) == rate
            invoices.append((invoice, declared.lines[-1]))

        def correct(today: date) -> None:
            if not invoices:
                return
            invoice, line = invoices.pop(chance.randrange(len(invoices)))
            kind = chance.choice(("GENUINE", "TAX_ERROR"))
            if chance.random() < 0.3:
                body: Json = {"reason": "Wrong", "credit_kind": kind}
                made = client.post(f"/api/transactions/{invoice['transaction']}/void/", body).json()
            else:
                lines = [{"line": 1, "amount": "5.55"}]
                body = {"reason": "Less", "credit_kind": kind, "lines": lines}
                made = client.post(f"/api/invoices/{invoice['id']}/credit/", body).json()
            note(made["invoice"], line.counts_on if kind == "TAX_ERROR" else today)

        due = [*QUARTERS]
        today = date(2025, 1, 2)
        while today < date(2026, 2, 1):
            travel.move_to(
                datetime.combine(today, datetime.min.time(), clock.SINGAPORE) + timedelta(hours=9), tick=False
            )
            (sell if chance.random() < 0.6 else correct)(today)
            if chance.random() < 0.1 and (last := Period.objects.first()) and last.reopens_id is None:
                reopen_period(actor=shop.admin, period_id=last.pk, reason="A mistake")
            elif chance.random() < 0.2:
                last = Period.objects.first()
                if last is None or last.closed_until is None or last.closed_until < today - DAY:
                    close_period(actor=shop.admin, data=NewPeriod(today - DAY))
            if due and today > due[0][1] + timedelta(days=chance.randrange(1, 30)):
                span = due.pop(0)
                body = {"form": "F5", "starts_on": str(span[0]), "ends_on": str(span[1])}
                answer = post_confirmed(client, "/api/gst-returns/", body).json()
                expected = declared.f5(answer["id"], span, today - DAY)
                assert (Decimal(answer["box_1"]), Decimal(answer["box_6"])) == expected
            elif declared.box_4 and chance.random() < 0.1 and (late := declared.late(today - DAY)):
                span = chance.choice(sorted(late))
                answer = quarter.file((str(span[0]), str(span[1])), "F7")
                expected = declared.f7(answer["id"], span, today - DAY)
                assert (Decimal(answer["box_1"]), Decimal(answer["box_6"])) == expected
            today += timedelta(days=chance.randrange(1, 7))
        assert len(declared.filed) > 4
        for pk in declared.filed:
            value, tax = declared.boxes(pk)
            assert tuple(map(Decimal, quarter.boxes(gst_return=pk))) == (value, tax)
            listed = quarter.documents(gst_return=pk)
            assert (Decimal(listed[0]), Decimal(listed[1]), listed[2]) == (value, tax, len(declared.filed[pk][2]))
        errors = quarter.errors()
        late = declared.late(clock.business_date(clock.now()) - DAY)
        assert sorted(error["starts_on"] for error in errors["periods"]) == sorted(str(span[0]) for span in late)
