"""What is unlikely of money that changes hands."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, F, QuerySet

from accounts.models import User
from customers.models import Customer
from foundation import clock
from foundation.confirmations import Question
from foundation.searching import alike
from inventory.errors import ReferenceRepeated
from invoices.errors import AmountUnlikely
from invoices.models import Invoice
from invoices.unlikely import unlikely_amount
from payments.errors import DateUnlikely, MoneyNotFound, PaymentRepeated
from payments.models import CashExpense, Payment, PaymentQuerySet

OF_PAYOUTS = (AmountUnlikely, ReferenceRepeated, PaymentRepeated)
OF_PAYMENTS = (*OF_PAYOUTS, DateUnlikely)
OF_PAYOUTS_WITHOUT_REFERENCE = OF_EXPENSES = (AmountUnlikely, PaymentRepeated)


def unlikely_payment(
    actor: User,
    customer: Customer,
    method: str,
    amount: Decimal,
    reference: str = "",
    *,
    received_on: date,
    at: datetime,
    of: Invoice | None = None,
    is_goodwill: bool = False,
) -> Iterator[Question]:
    """All that is asked of money that comes, or goes (``amount`` is negative). A reversed one doesn't count: its cheque
    may be entered anew.

    ``of``: the one document that it pays; with the same reference, or for as much, others of the customer may be paid
    one by one that day.
    """
    yield from unlikely_amount(abs(amount), attr="amount")
    days, most = (clock.business_date(at) - received_on).days, settings.UNLIKELY["DAYS_LATE"]
    if days > most:
        detail = f"{received_on} is {days} days before it is recorded: more than {most:f} are unlikely."
        yield DateUnlikely(detail, attr="received_on", value=received_on)
    paid_beside = None
    if of is not None:
        others = Payment.objects.filter(customer=of.customer_id, received_on=received_on, amount=F("allocated_amount"))
        others = others.exclude(allocations__invoice=of).alias(paid=Count("allocations__invoice", distinct=True))
        paid_beside = others.filter(paid=1)
    yield from repeated_reference(actor, method, reference, attr="reference", but_for=paid_beside)
    if not reference:
        equal = Payment.objects.filter(customer=customer, user=actor, method=method, amount=amount)
        equal = equal.filter(is_goodwill=is_goodwill)
        yield from _repeated(equal if paid_beside is None else equal.exclude(pk__in=paid_beside.values("pk")), at)


def unlikely_expense(actor: User, amount: Decimal, reason: str, reference: str, *, at: datetime) -> Iterator[Question]:
    """All that is asked of an expense."""
    yield from unlikely_amount(amount, attr="amount")
    if not reference and (same := alike("reason", reason)):
        yield from _repeated(CashExpense.objects.filter(same, user=actor, amount=amount), at)


def _repeated(equal: QuerySet[Any], at: datetime) -> Iterator[PaymentRepeated]:
    """Ask about money that the same person recorded just before or after it, when neither has a reference."""
    near = timedelta(seconds=int(settings.UNLIKELY["REPEATED_MINUTES"] * 60))
    there = equal.filter(reference="", reverses=None, reversal=None)
    there = there.filter(ordered_at__gt=at - near, ordered_at__lt=at + near)
    if before := there.order_by("-pk").first():
        detail = f"{before} of {clock.in_words(before.ordered_at)} is for the same. Did money change hands once more?"
        yield PaymentRepeated(detail, attr="amount", value=str(before))


def unfound_deposit(paid_by: Iterable[Payment], methods: Iterable[str], *, attr: str) -> Iterator[MoneyNotFound]:
    """Ask about a deposit that is paid back by these methods: what paid for it came by another and isn't found."""
    for payment in paid_by:
        if {*methods} - {payment.method}:
            came = f"The deposit was paid by {payment.get_method_display()} ({payment})"
            yield MoneyNotFound(
                f"{came}: nobody has found that in the bank's report yet.", attr=attr, value=str(payment)
            )


def repeated_reference(
    actor: User, method: str, reference: str, *, attr: str, but_for: PaymentQuerySet | None = None
) -> Iterator[ReferenceRepeated]:
    """Ask about a reference that a payment of this method has already. It is named to who may see it."""
    named = alike("reference", reference)
    if named is None:
        return
    same = Payment.objects.filter(named, method=method, reverses__isnull=True, reversal__isnull=True)
    if but_for is not None:
        same = same.exclude(pk__in=but_for.values("pk"))
    if before := same.order_by("pk").first():
        is_visible = Payment.objects.visible_to(actor).filter(pk=before.pk).exists()
        name = before if is_visible else "Another payment"
        yield ReferenceRepeated(f"{name} has this reference already.", attr=attr, value=reference)
