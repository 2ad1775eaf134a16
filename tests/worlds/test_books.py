"""Each world through the real commands, in any order of arrival. SIMULATED_BOOKS says how many, of how many steps."""

import os
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.db.models import F

from audit.models import AuditLog
from inventory.models import Count, StockMovement
from payments.models import CashCount
from reports.management.commands.verify_books import Bar
from reports.verification import CHECKS
from sync.models import SyncConflict
from tests.worlds.days import Days
from tests.worlds.office import START

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stub_pdf")]

WORLDS, STEPS = (int(number) for number in os.environ.get("SIMULATED_BOOKS", "100x8").split("x"))


@pytest.mark.parametrize("seed", range(WORLDS))
def test_the_books_are_what_the_rule_says(seed: int, django_capture_on_commit_callbacks: Any) -> None:
    with time_machine.travel(START, tick=False) as clock:
        days = Days(seed, STEPS, clock, partial(django_capture_on_commit_callbacks, execute=True))
        days.run()
        said, expected = days.office.books(days.told.signed), days.told.books()
        assert (said.balances, said.adjustments) == (expected.balances, expected.adjustments)
        if seed % 5 == 0:
            broken = {title: [*check(Bar(title))] for title, check in CHECKS.items()}
            assert {title: breaks for title, breaks in broken.items() if breaks} == {}


def test_the_worlds_have_in_them_what_the_rule_is_about(django_capture_on_commit_callbacks: Any) -> None:
    """What was counted already, what moves behind a count, each kind of void, and what has to wait."""
    refused = decided = 0
    for seed in (0, 1, 2, 5, 9, 14):
        with time_machine.travel(START + seed * timedelta(days=30), tick=False) as clock:
            days = Days(seed, 25, clock, partial(django_capture_on_commit_callbacks, execute=True))
            days.run()
            refused, decided = refused + days.refused, decided + days.decided
    moved, voided = StockMovement.objects.filter(count=None), StockMovement.objects.filter(reverses__isnull=False)
    found = {
        "counted already": StockMovement.objects.filter(kind=StockMovement.Kind.COMPENSATION),
        "moved behind a count": moved.filter(reverses=None, ordered_at__gt=F("occurred_at")),
        "counts behind a count": Count.objects.filter(ordered_at__gt=F("occurred_at")),
        "never left": voided.filter(ordered_at=F("reverses__ordered_at")),
        "came back": voided.filter(ordered_at__gt=F("reverses__ordered_at")),
        "gone": AuditLog.objects.filter(action="transactions.sale.voided", after__goods="gone"),
        "pushed and tried again": SyncConflict.objects.filter(status=SyncConflict.Status.RETRIED),
        "rejected": Count.objects.filter(status=Count.Status.REJECTED),
        "cash handed in": CashCount.objects.filter(status=CashCount.Status.SIGNED_OFF),
    }
    assert {name: rows.count() for name, rows in found.items() if rows.count() < 2} == {}
    assert refused >= 10
    assert decided >= 2
