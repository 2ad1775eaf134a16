"""Document numbers: Singapore's date, no repeat, no unexplained gap."""

from datetime import date, datetime
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction

from audit.models import AuditLog
from foundation.commands import command
from sequences.models import Sequence, Ticket
from sequences.services import PRINT_AHEAD, PRINT_EVERY, print_tickets, take_numbers
from tests.conftest import Shop

DAY = date(2026, 1, 20)


@command
def take(*, actor: None, day: date = DAY) -> str:
    """One number, as a sale takes it."""
    return take_numbers("TRX", day=day)[0]


@command
def take_and_fail(*, actor: None) -> None:
    """A sale that is rolled back after it took its number."""
    take_numbers("TRX", day=DAY)
    raise ArithmeticError


def free(day: date = DAY) -> list[int]:
    return list(Ticket.objects.filter(prefix="TRX", date=day).order_by("number").values_list("number", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "stem"),
    [
        ("2026-01-20T07:59:00+08:00", "TRX-20260120-"),  # still the 19th in UTC
        ("2026-01-20T08:01:00+08:00", "TRX-20260120-"),
        ("2026-01-20T23:59:59+08:00", "TRX-20260120-"),
        ("2026-01-21T00:00:00+08:00", "TRX-20260121-"),
        ("2026-01-20T16:00:00+00:00", "TRX-20260121-"),
    ],
)
def test_the_day_is_singapores(shop: Shop, now: str, stem: str) -> None:
    with time_machine.travel(datetime.fromisoformat(now), tick=False):
        number = shop.sell({"type": "SALE"}).json()["transaction"]["transaction_number"]
    assert number == f"{stem}000001"


@pytest.mark.django_db
def test_each_day_counts_from_one(shop: Shop) -> None:
    numbers = []
    for now in ("2026-01-20T10:00:00+08:00", "2026-01-20T11:00:00+08:00", "2026-01-21T09:00:00+08:00"):
        with time_machine.travel(datetime.fromisoformat(now), tick=False):
            numbers.append(shop.sell({"type": "SALE"}).json()["invoice"]["invoice_number"])
    assert numbers == ["INV-20260120-000001", "INV-20260120-000002", "INV-20260121-000001"]


@pytest.mark.django_db
def test_the_lowest_free_number_is_taken() -> None:
    assert [take(actor=None) for _ in range(3)] == [f"TRX-20260120-{n:06d}" for n in (1, 2, 3)]


@pytest.mark.django_db
def test_a_rollback_gives_its_number_to_the_next() -> None:
    take(actor=None)
    with pytest.raises(ArithmeticError):
        take_and_fail(actor=None)
    assert take(actor=None) == "TRX-20260120-000002"


@pytest.mark.django_db
def test_several_prefixes_are_taken_together() -> None:
    @command
    def both(*, actor: None) -> list[str]:
        return take_numbers("TRX", "INV", day=DAY)

    assert both(actor=None) == ["TRX-20260120-000001", "INV-20260120-000001"]
    assert free() == list(range(2, PRINT_AHEAD + 1))


@pytest.mark.django_db(transaction=True)
def test_more_are_printed_long_before_they_run_out() -> None:
    for _ in range(PRINT_EVERY):
        take(actor=None)
    assert free() == list(range(PRINT_EVERY + 1, PRINT_EVERY + PRINT_AHEAD + 1))
    for _ in range(2 * PRINT_EVERY):
        take(actor=None)
    assert Sequence.objects.get().last_number == 3 * PRINT_EVERY + PRINT_AHEAD
    assert free() == list(range(3 * PRINT_EVERY + 1, 3 * PRINT_EVERY + PRINT_AHEAD + 1))


@pytest.mark.django_db
def test_printing_twice_for_the_same_need_prints_once() -> None:
    for beyond in (None, None, 50, 50):
        print_tickets(prefix="TRX", day=DAY, beyond=beyond)
    assert free() == list(range(1, 50 + PRINT_AHEAD + 1))


@pytest.mark.django_db
def test_an_earlier_need_takes_back_nothing_that_was_printed() -> None:
    for beyond in (None, 100, 50):
        print_tickets(prefix="TRX", day=DAY, beyond=beyond)
    assert Sequence.objects.get().last_number == 100 + PRINT_AHEAD
    assert free() == list(range(1, 100 + PRINT_AHEAD + 1))


@pytest.mark.django_db
def test_a_new_day_of_one_prefix_closes_no_day_of_another() -> None:
    print_tickets(prefix="INV", day=DAY, beyond=None)
    print_tickets(prefix="TRX", day=date(2026, 1, 21), beyond=None)
    assert Ticket.objects.filter(prefix="INV", date=DAY).count() == PRINT_AHEAD


@pytest.mark.django_db
def test_a_new_day_accounts_for_the_days_before() -> None:
    numbers = [take(actor=None) for _ in range(5)]
    # What a crash leaves: a number below the highest used one that nobody used.
    Ticket.objects.create(prefix="TRX", date=DAY, number=3)
    take(actor=None, day=date(2026, 1, 21))
    assert numbers[2] == "TRX-20260120-000003"
    assert free() == []
    assert Sequence.objects.get(date=DAY).last_number == 5
    [record] = AuditLog.objects.filter(action="sequences.number.voided")
    assert (record.user, record.after) == (None, {"number": 3, "document": "TRX-20260120-000003"})


@pytest.mark.django_db
def test_a_day_that_is_over_goes_on_where_it_ended() -> None:
    """A clock that was put back by an administrator gives no number twice."""
    take(actor=None)
    take(actor=None, day=date(2026, 1, 21))
    assert take(actor=None) == "TRX-20260120-000002"


@pytest.mark.django_db
def test_days_of_sales_verify(shop: Shop) -> None:
    for day in (20, 21, 22):
        with time_machine.travel(datetime.fromisoformat(f"2026-01-{day}T10:00:00+08:00"), tick=False):
            answers = [shop.sell({"type": "SALE", "quantity": quantity}) for quantity in (1, 500) * 3]
            assert [answer.status_code for answer in answers] == [201, 409] * 3
            numbers = [answer.json()["transaction"]["transaction_number"] for answer in answers[::2]]
            assert numbers == [f"TRX-202601{day}-00000{n}" for n in (1, 2, 3)]
    call_command("verify_books", stdout=StringIO())


@pytest.mark.django_db
def test_a_number_that_a_crash_left_is_accounted_for(shop: Shop) -> None:
    with time_machine.travel(datetime.fromisoformat("2026-01-20T10:00:00+08:00"), tick=False):
        shop.sell({"type": "SALE"})
        Ticket.objects.filter(prefix="TRX", number=2).delete()
        assert shop.sell({"type": "SALE"}).json()["transaction"]["transaction_number"] == "TRX-20260120-000003"
        Ticket.objects.create(prefix="TRX", date=DAY, number=2)
    with time_machine.travel(datetime.fromisoformat("2026-01-21T10:00:00+08:00"), tick=False):
        shop.sell({"type": "SALE"})
        call_command("verify_books", stdout=StringIO())
    assert AuditLog.objects.get(action="sequences.number.voided").after == {
        "number": 2,
        "document": "TRX-20260120-000002",
    }


@pytest.mark.django_db
def test_a_ticket_is_unique() -> None:
    from django.db import IntegrityError

    take(actor=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Ticket.objects.create(prefix="TRX", date=DAY, number=2)
