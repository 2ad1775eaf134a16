"""Numbers never make sales queue."""

from datetime import date

import pytest
from django.db import transaction

from foundation.commands import command
from sequences.services import print_tickets, take_numbers
from tests.concurrency.races import Signal, Threads, until

pytestmark = pytest.mark.django_db(transaction=True)

DAY = date(2026, 1, 20)


@command
def take() -> str:
    return take_numbers("TRX", day=DAY)[0]


def test_a_number_that_another_sale_is_using_is_passed_over() -> None:
    print_tickets(prefix="TRX", day=DAY, beyond=None)
    taken, let_go = Signal("the first number"), Signal("the end of the first sale")

    def hold() -> None:
        with transaction.atomic():
            take()
            taken.set()
            let_go.wait()

    with Threads() as beside:
        beside.start(hold)
        taken.wait()
        second = beside.start(take)
        try:
            until(lambda: second.answer, "a number beside the first sale", patience=20)
        finally:
            let_go.set()
    assert second.answer == "TRX-20260120-000002"
