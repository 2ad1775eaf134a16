"""What is unlikely of money that comes in."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from django.db.models import Count, F

from foundation.confirmations import Question
from foundation.searching import alike
from inventory.errors import ReferenceRepeated
from invoices.errors import AmountUnlikely
from invoices.models import Invoice
from invoices.unlikely import unlikely_amount
from payments.models import Payment

OF_PAYMENTS = (AmountUnlikely, ReferenceRepeated)


def unlikely_payment(
    method: str, amount: Decimal, reference: str, *, received_on: date, of: Invoice | None = None
) -> Iterator[Question]:
    """All that is asked of a payment. A reversed one doesn't count: its cheque may be entered anew.

    ``of``: the one document that it pays; with the same reference others of the customer may be paid one by one that
    day.
    """
    yield from unlikely_amount(amount, attr="amount")
    named = alike("reference", reference)
    if named is None:
        return
    same = Payment.objects.filter(named, method=method, reverses__isnull=True, reversal__isnull=True)
    if of is not None:
        others = Payment.objects.filter(customer=of.customer_id, received_on=received_on, amount=F("allocated_amount"))
        others = others.exclude(allocations__invoice=of).alias(paid=Count("allocations__invoice", distinct=True))
        same = same.exclude(pk__in=others.filter(paid=1).values("pk"))
    if before := same.order_by("pk").first():
        yield ReferenceRepeated(f"{before} has this reference already.", attr="reference", value=reference)
