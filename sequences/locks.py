"""Row locks of the number tickets and their counters."""

from datetime import date

from django.db import connection

from sequences.models import Sequence, Ticket


def lowest_free_ticket(prefix: str, day: date) -> Ticket | None:
    """The lowest ticket that no other transaction is using, locked; None when there is none.

    Tickets that others hold are passed over, not waited for: numbers never make sales queue.
    """
    return (
        Ticket.objects.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
        .filter(prefix=prefix, date=day)
        .order_by("number")
        .first()
    )


def sequence(prefix: str, day: date) -> Sequence:
    return Sequence.objects.select_for_update().get(prefix=prefix, date=day)


def free_tickets_of(prefix: str, day: date) -> list[Ticket]:
    """All free tickets of a day, lowest first, locked; waits for the sales that are using one."""
    return list(Ticket.objects.select_for_update().filter(prefix=prefix, date=day).order_by("number"))
