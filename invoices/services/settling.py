"""What is settled of a document. Who settles it with what is up to `payments`, which calls these under its locks."""

from datetime import date, datetime
from decimal import Decimal

from invoices.models import Invoice


def change_settled(invoice: Invoice, amount: Decimal, *, last: date, now: datetime) -> None:
    """Let so much more of a locked document be settled; negative: less.

    ``last`` is the latest date on which anything counts that settles it, or that it settles.
    """
    invoice.settled_amount += amount
    if invoice.outstanding_amount == 0:
        invoice.settled_on = last
        invoice.paid_at = now
    else:
        invoice.settled_on = invoice.paid_at = None
    invoice.status = invoice.furthest_status()
    invoice.save(update_fields=["settled_amount", "settled_on", "paid_at", "status"])


def mark_unpaid(invoice: Invoice) -> None:
    """Say of a locked document that it is settled without anybody having paid."""
    invoice.paid_at = None
    invoice.status = invoice.furthest_status()
    invoice.save(update_fields=["paid_at", "status"])
