"""What is unlikely of money that comes in."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from customers.models import Customer
from foundation.confirmations import Question
from inventory.errors import ReferenceRepeated
from invoices.errors import AmountUnlikely
from invoices.unlikely import unlikely_amount
from payments.models import Payment

OF_PAYMENTS = (AmountUnlikely, ReferenceRepeated)


def unlikely_payment(
    method: str, amount: Decimal, reference: str, *, with_others_of: tuple[Customer, date] | None = None
) -> Iterator[Question]:
    """All that is asked of a payment. A reversed one doesn't count: its cheque may be entered anew.

    ``with_others_of``: it pays one document, and may pay the customer's others of the same day as well.
    """
    yield from unlikely_amount(amount, attr="amount")
    if not reference:
        return
    same = Payment.objects.filter(reference=reference, method=method, reverses__isnull=True, reversal__isnull=True)
    if with_others_of is not None:
        customer, day = with_others_of
        same = same.exclude(customer=customer, received_on=day)
    if before := same.order_by("pk").first():
        yield ReferenceRepeated(f"{before} has this reference already.", attr="reference", value=reference)
