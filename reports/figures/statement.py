"""A customer's account between two dates: what was owed, what was billed, what was paid, what is owed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q

from customers.models import Customer
from foundation.infrastructure.replica import may_lag
from foundation.money import ZERO, sum_of, to_cents
from invoices.models import Invoice
from invoices.words import day_text
from payments.models import Allocation, Payment
from payments.selectors import rounded_away
from reports.figures.receivables import BUCKETS, OLDEST, bucket_of, open_items


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the account. ``amount`` raises the balance; a payment's is negative.

    ``day`` is that of the record: an account that was told once stays as it was.
    """

    day: date
    kind: str
    """INVOICE, CREDIT_NOTE, PAYMENT (a payment that pays out, or is reversed, raises the balance) or ROUNDING."""
    number: str
    details: str
    due_on: date | None
    """Of an invoice."""
    amount: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Statement:
    customer: Customer
    date_from: date
    date_to: date
    opening_balance: Decimal
    entries: Sequence[Entry]
    closing_balance: Decimal
    ageing: dict[str, Decimal]
    """What is open on ``date_to`` by days overdue; ``credit`` is what is not set off yet. They add up to the close."""


@may_lag()
def statement(customer: Customer, *, date_from: date, date_to: date) -> Statement:
    """The account of one customer, both dates included."""
    opening = _balance_before(customer, date_from)
    entries = list(_entries(customer, date_from, date_to, opening))
    closing = entries[-1].balance if entries else opening
    ageing = dict.fromkeys([name for name, *_ in BUCKETS] + [OLDEST[0]], ZERO)
    for _, due_on, amount in open_items(Q(customer=customer), date_to):
        if amount > 0:
            ageing[bucket_of(due_on, date_to)] += amount
    return Statement(
        customer=customer,
        date_from=date_from,
        date_to=date_to,
        opening_balance=opening,
        entries=entries,
        closing_balance=closing,
        ageing={**ageing, "credit": closing - sum(ageing.values(), ZERO)},
    )


def _balance_before(customer: Customer, day: date) -> Decimal:
    billed = Invoice.objects.filter(customer=customer, date__lt=day).aggregate(sum=sum_of("total_amount"))["sum"]
    of_account = Payment.objects.filter(is_goodwill=False)
    paid = of_account.filter(customer=customer, date__lt=day).aggregate(sum=sum_of("amount"))["sum"]
    return to_cents(billed - paid + rounded_away(Q(customer=customer), Q(date__lt=day)))


def _entries(customer: Customer, date_from: date, date_to: date, balance: Decimal) -> Iterator[Entry]:
    invoices = Invoice.objects.filter(customer=customer, date__gte=date_from, date__lte=date_to).defer("snapshot")
    of_account = Payment.objects.filter(customer=customer, is_goodwill=False)
    payments = of_account.filter(date__gte=date_from, date__lte=date_to)
    roundings = Allocation.objects.filter(rounding_of__customer=customer, date__gte=date_from, date__lte=date_to)
    lines = (
        [
            (
                (invoice.date, 0, invoice.pk),
                "INVOICE" if invoice.kind == Invoice.Kind.TAX_INVOICE else invoice.kind,
                invoice.invoice_number,
                "",
                invoice.due_on if invoice.total_amount > 0 else None,
                invoice.total_amount,
            )
            for invoice in invoices
        ]
        + [
            (
                (payment.date, 1, payment.pk),
                "PAYMENT",
                str(payment),
                " ".join(
                    filter(None, (payment.get_method_display(), payment.reference, _came(payment), _undoing(payment)))
                ),
                None,
                -payment.amount,
            )
            for payment in payments
        ]
        + [
            ((rounding.date, 2, rounding.pk), "ROUNDING", str(rounding.rounding_of), "", None, -rounding.amount)
            for rounding in roundings.select_related("rounding_of")
        ]
    )
    for (day, _, _), kind, number, details, due_on, amount in sorted(lines, key=lambda line: line[0]):
        balance += amount
        yield Entry(day, kind, number, details, due_on, amount, balance)


def _came(payment: Payment) -> str:
    """When it came, if it was recorded on another day."""
    return "" if payment.received_on == payment.date else f"(of {day_text(payment.received_on)})"


def _undoing(payment: Payment) -> str:
    if payment.reverses_id:
        return f"(reverses PAY-{payment.reverses_id:06d})"
    return "(paid out)" if payment.amount < 0 else ""
