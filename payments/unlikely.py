"""What is unlikely of money that comes in."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from django.db.models import Count, F

from foundation.confirmations import Question
from foundation.searching import alike
from inventory.errors import ReferenceRepeated
from invoices.errors import AmountUnlikely
from invoices.models import Invoice
from invoices.unlikely import unlikely_amount
from payments.errors import MoneyNotFound
from payments.models import Payment, PaymentQuerySet

OF_PAYMENTS = (AmountUnlikely, ReferenceRepeated)


def unlikely_payment(
    method: str, amount: Decimal, reference: str, *, received_on: date, of: Invoice | None = None
) -> Iterator[Question]:
    """All that is asked of a payment. A reversed one doesn't count: its cheque may be entered anew.

    ``of``: the one document that it pays; with the same reference others of the customer may be paid one by one that
    day.
    """
    yield from unlikely_amount(amount, attr="amount")
    paid_beside = None
    if of is not None:
        others = Payment.objects.filter(customer=of.customer_id, received_on=received_on, amount=F("allocated_amount"))
        others = others.exclude(allocations__invoice=of).alias(paid=Count("allocations__invoice", distinct=True))
        paid_beside = others.filter(paid=1)
    yield from repeated_reference(method, reference, attr="reference", but_for=paid_beside)


def unfound_deposit(paid_by: Iterable[Payment], methods: Iterable[str], *, attr: str) -> Iterator[MoneyNotFound]:
    """Ask about a deposit that is paid back by these methods: what paid for it came by another and isn't found."""
    for payment in paid_by:
        if {*methods} - {payment.method}:
            came = f"The deposit was paid by {payment.get_method_display()} ({payment})"
            yield MoneyNotFound(
                f"{came}: nobody has found that in the bank's report yet.", attr=attr, value=str(payment)
            )


def repeated_reference(
    method: str, reference: str, *, attr: str, but_for: PaymentQuerySet | None = None
) -> Iterator[ReferenceRepeated]:
    """Ask about a reference that a payment of this method has already."""
    named = alike("reference", reference)
    if named is None:
        return
    same = Payment.objects.filter(named, method=method, reverses__isnull=True, reversal__isnull=True)
    if but_for is not None:
        same = same.exclude(pk__in=but_for.values("pk"))
    if before := same.order_by("pk").first():
        yield ReferenceRepeated(f"{before} has this reference already.", attr=attr, value=reference)
