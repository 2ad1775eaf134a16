"""Who lays a document out under which number, where there are no row locks to tell it by."""

from contextlib import ExitStack
from datetime import date

from foundation.infrastructure import file_locks
from sequences.models import Ticket

HINTS = 64
"""More than numbers that one machine lays documents out under at the same time."""


def hinted_tickets(*prefixes: str, day: date, held: ExitStack) -> dict[str, Ticket]:
    """Of each prefix the lowest ticket that nobody else has a hint on; absent where none is left.

    The stack holds the hints, outside any transaction, where there are tickets for all. They tell those who ask here,
    and keep nobody from using a ticket up.
    """
    free = Ticket.objects.filter(prefix__in=prefixes, date=day).order_by("number")
    while True:
        tickets: dict[str, Ticket] = {}
        with ExitStack() as hints:
            for pk, prefix, number in free.values_list("pk", "prefix", "number").iterator():
                if prefix not in tickets and _hint(pk, hints):
                    tickets[prefix] = Ticket(pk=pk, prefix=prefix, date=day, number=number)
                    if len(tickets) == len(prefixes):
                        break
            else:
                return tickets
            # Whoever had the hint before has used the ticket up, unless it is still there.
            if Ticket.objects.filter(pk__in=[ticket.pk for ticket in tickets.values()]).count() == len(tickets):
                held.enter_context(hints.pop_all())
                return tickets


def _hint(pk: int, hints: ExitStack) -> bool:
    return file_locks.hold(file_locks.beside_database(f"number-{pk % HINTS}"), until=hints, wait=False)
