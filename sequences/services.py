"""Race-free document numbers without a global queue.

A number stands inside the PDF, and the PDF belongs to the transaction. One counter row, locked from the number to the
commit, would let one sale at a time through the slowest step. So numbers are tickets: rows printed ahead per prefix and
day. A sale reserves the lowest free one, lays its page out, and deletes the row in its own transaction; a rollback
gives the number to the next sale. The counter row is locked only while more tickets are printed, in a short
transaction of its own.

With sales running side by side the order of numbers isn't exactly the order of time.
"""

from collections.abc import Sequence as Several
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial

from django.db import connection, transaction

from audit.services import record
from foundation.commands import TryAgain, command
from sequences import locks
from sequences.hints import hinted_tickets
from sequences.models import Sequence, Ticket, format_number

PRINT_EVERY = 50
"""Using a number that this divides prints more, so that no query has to count what is left."""
PRINT_AHEAD = 150
"""How many numbers beyond that one are printed then: more than sales that can be under way."""


class OutOfTickets(TryAgain):
    """No free ticket: print some, in a transaction of their own, and run the command again."""

    def __init__(self, prefix: str, day: date) -> None:
        super().__init__(f"no free ticket for {prefix} on {day}")
        self.prefix, self.day = prefix, day

    def prepare(self) -> None:
        print_tickets(prefix=self.prefix, day=self.day, beyond=None)


@dataclass(slots=True)
class Reservation:
    """Numbers that nobody else is using, for what is made before they are used up. It may turn out to be lost.

    A number stays a ticket until `take_numbers` deletes it: there is nothing to give back, and no gap.
    """

    tickets: Several[Ticket]

    @property
    def numbers(self) -> list[str]:
        return [format_number(ticket) for ticket in self.tickets]

    def is_for(self, prefixes: Several[str], day: date) -> bool:
        return [(ticket.prefix, ticket.date) for ticket in self.tickets] == [(prefix, day) for prefix in prefixes]


class ReservationLost(TryAgain):
    """A reserved number was used by somebody else: run the command again, without the reservation."""

    def __init__(self, reservation: Reservation) -> None:
        super().__init__(f"of {reservation.numbers} not all are free any more")
        self.reservation = reservation

    def prepare(self) -> None:
        self.reservation.tickets = ()


def reserve_numbers(*prefixes: str, day: date, held: ExitStack) -> Reservation:
    """Reserve the lowest free number of each prefix.

    With row locks: locks the tickets to the end of the caller's transaction, and waits for nobody. Without:
    outside any transaction, until the stack is closed. Raises OutOfTickets.
    """
    if connection.features.has_select_for_update:
        return Reservation([_lowest_free_ticket(prefix, day) for prefix in prefixes])
    tickets = hinted_tickets(*prefixes, day=day, held=held)
    for prefix in prefixes:
        if prefix not in tickets:
            raise OutOfTickets(prefix, day)
    return Reservation([tickets[prefix] for prefix in prefixes])


def take_numbers(*prefixes: str, day: date, reserved: Reservation | None = None) -> list[str]:
    """Use up a number of each prefix: ``["TRX-20260120-000001", "INV-20260120-000001"]``.

    The reserved ones, where they are of these prefixes and this day; else the lowest free ones. Locks the tickets, in
    the given order, to the end of the caller's transaction. Call it last of all that may refuse. Raises OutOfTickets
    and ReservationLost, which the outermost command answers by running again.
    """
    if reserved is None or not reserved.is_for(prefixes, day):
        reserved = Reservation([_lowest_free_ticket(prefix, day) for prefix in prefixes])
    deleted, _ = Ticket.objects.filter(pk__in=[ticket.pk for ticket in reserved.tickets]).delete()
    if deleted < len(reserved.tickets):
        raise ReservationLost(reserved)
    for ticket in reserved.tickets:
        if ticket.number % PRINT_EVERY == 0:
            more = partial(print_tickets, prefix=ticket.prefix, day=day, beyond=ticket.number)
            transaction.on_commit(more, robust=True)
    return reserved.numbers


def _lowest_free_ticket(prefix: str, day: date) -> Ticket:
    ticket = locks.lowest_free_ticket(prefix, day)
    if ticket is None:
        raise OutOfTickets(prefix, day)
    return ticket


def print_tickets(*, prefix: str, day: date, beyond: int | None) -> None:
    """Print tickets to `PRINT_AHEAD` beyond a used number, or beyond the last printed one.

    The first tickets of a day close the days before it. Locks the day's counter.
    """
    _open_counter(prefix=prefix, day=day)
    _print(prefix=prefix, day=day, beyond=beyond)


@command
def _open_counter(*, prefix: str, day: date) -> None:
    """In a transaction of its own: an INSERT that finds the row shares a lock on it, and those who share one and then
    want it for themselves are a deadlock."""
    if not Sequence.objects.filter(prefix=prefix, date=day).exists():
        Sequence.objects.bulk_create([Sequence(prefix=prefix, date=day)], ignore_conflicts=True)


@command
def _print(*, prefix: str, day: date, beyond: int | None) -> None:
    """See `print_tickets`. The counter is there."""
    counter = locks.sequence(prefix, day)
    if counter.last_number == 0:
        _close_days_before(prefix, day)
    if beyond is None and Ticket.objects.filter(prefix=prefix, date=day).exists():
        return  # Somebody else printed while we waited for the counter.
    target = (counter.last_number if beyond is None else beyond) + PRINT_AHEAD
    Ticket.objects.bulk_create(
        Ticket(prefix=prefix, date=day, number=number) for number in range(counter.last_number + 1, target + 1)
    )
    if target > counter.last_number:
        counter.last_number = target
        counter.save(update_fields=["last_number"])


def _close_days_before(prefix: str, day: date) -> None:
    """Account for every number of the days that are over.

    A free ticket below the day's highest used number is void, which takes a crash or a failed sale to
    make and goes into the audit log; those above it are dropped, and the counter goes back to it.
    """
    stale = Ticket.objects.filter(prefix=prefix, date__lt=day).order_by("date")
    for past in stale.values_list("date", flat=True).distinct():
        counter = locks.sequence(prefix, past)
        free = [ticket.number for ticket in locks.free_tickets_of(prefix, past)]
        highest = counter.last_number
        while free and free[-1] == highest:
            free.pop()
            highest -= 1
        for number in free:
            record(
                actor=None,
                action="sequences.number.voided",
                target=counter,
                after={"number": number, "document": format_number(Ticket(prefix=prefix, date=past, number=number))},
                reason="Never used; the day is over.",
            )
        Ticket.objects.filter(prefix=prefix, date=past).delete()
        if highest != counter.last_number:
            counter.last_number = highest
            counter.save(update_fields=["last_number"])
