"""What settles what: so much of a payment or of a credit note, allocated to so much of an invoice.

Whoever changes what is settled holds the customer's lock: one at a time changes a customer's account. Invoices and
payments are locked behind it, each in primary-key order.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Max, Q, QuerySet

from accounts.models import User
from audit.services import record
from foundation import clock
from foundation.changes import announce
from foundation.commands import command
from foundation.confirmations import Answer
from foundation.errors import Invalid, UnknownReference
from foundation.infrastructure.expressions import added_up
from foundation.money import ZERO, to_cents
from foundation.operations.idempotency import idempotent
from invoices import locks as invoice_locks
from invoices.models import Invoice
from invoices.services import change_settled
from payments import locks
from payments.errors import AlreadyReversed, ExceedsCredit, ExceedsOutstanding
from payments.models import Allocation, Payment


@dataclass(frozen=True, slots=True)
class Share:
    """So much for this invoice."""

    invoice: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """An allocation to be: so much of a payment or a credit note settles so much of an invoice, from a date on."""

    source: Payment | Invoice
    invoice: Invoice
    amount: Decimal
    date: date


@command
@idempotent
def allocate_payment(*, actor: User, payment_id: int, shares: Sequence[Share] | None = None) -> Payment:
    """Settle invoices with the credit that is left of a payment, from today on: what was owed before stays so.

    Locks the customer, the invoices, the payment. ``shares`` None: the oldest open ones first. Raises
    AlreadyReversed, UnknownReference, ExceedsOutstanding, ExceedsCredit.
    """
    locks.customer_of_payment(payment_id)
    payment: Payment = Payment.objects.get(pk=payment_id)
    require_standing(payment)
    if payment.credit_amount <= 0:
        raise ExceedsCredit(f"Nothing is left of {payment}.")
    now = clock.now()
    settle_invoices(actor, payment, shares, since=clock.business_date(now), now=now)
    record_settling(actor, "invoices.payment.allocated", payment)
    return payment


def settle_invoices(
    actor: User, payment: Payment, shares: Sequence[Share] | None, *, since: date, now: datetime
) -> None:
    """Allocate what is left of a payment: as asked, or to the oldest open invoices that the actor may see.

    It counts ``since`` a date, or since the invoice is there, if that is later.
    """
    if shares is None:
        shares = list(_oldest_first(actor, payment))
    if sum((share.amount for share in shares), ZERO) > payment.credit_amount:
        raise ExceedsCredit(f"Only {payment.credit_amount} is left of the payment.", attr="allocations")
    wanted = [share.invoice for share in shares]
    if len(set(wanted)) != len(wanted):
        raise Invalid("An invoice is named twice.", attr="allocations")
    known = Invoice.objects.visible_to(actor).filter(customer=payment.customer_id, pk__in=wanted)
    visible = set(known.values_list("pk", flat=True))
    rows = {invoice.pk: invoice for invoice in invoice_locks.invoices(visible)}
    parts = []
    for index, share in enumerate(shares):
        invoice = rows.get(share.invoice)
        if invoice is None:
            raise UnknownReference(share.invoice, attr=f"allocations.{index}.invoice")
        if share.amount > invoice.outstanding_amount:
            raise ExceedsOutstanding(
                f"Only {max(invoice.outstanding_amount, ZERO)} is open of {invoice.invoice_number}.",
                attr=f"allocations.{index}.amount",
            )
        parts.append(Part(payment, invoice, share.amount, max(since, invoice.date)))
    write_allocations(actor, parts, now)


def _oldest_first(actor: User, payment: Payment) -> Iterable[Share]:
    left = payment.credit_amount
    open_invoices = Invoice.objects.visible_to(actor).filter(
        customer=payment.customer_id, settled_on__isnull=True, total_amount__gt=0
    )
    # The customer's lock keeps them as they are.
    for invoice in open_invoices.order_by("due_on", "id").defer("snapshot").iterator():
        if left <= 0:
            return
        amount = min(left, invoice.outstanding_amount)
        left -= amount
        yield Share(invoice.pk, amount)


def write_allocations(actor: User, parts: Sequence[Part], now: datetime) -> None:
    """Write allocations, and what they make of their invoices and sources."""
    Allocation.objects.bulk_create(
        Allocation(
            payment=part.source if isinstance(part.source, Payment) else None,
            credit_note=part.source if isinstance(part.source, Invoice) else None,
            invoice=part.invoice,
            amount=part.amount,
            date=part.date,
            user=actor,
            created_at=now,
        )
        for part in parts
    )
    documents: dict[int, Decimal] = defaultdict(Decimal)
    money: dict[int, Decimal] = defaultdict(Decimal)
    for part in parts:
        documents[part.invoice.pk] += part.amount
        if isinstance(part.source, Payment):
            money[part.source.pk] += part.amount
        else:
            documents[part.source.pk] -= part.amount
    given: dict[tuple[type, int], Payment | Invoice] = {
        (type(row), row.pk): row for part in parts for row in (part.invoice, part.source)
    }
    # What is open of the invoices that charged deposits.
    announce(*{part.invoice.customer_id: part.invoice.customer for part in parts}.values())
    for invoice in invoice_locks.invoices(documents):
        change_settled(invoice, documents[invoice.pk], last=_last_date(invoice), now=now)
        _take_over(given[Invoice, invoice.pk], invoice)
    for payment in locks.payments(money):
        _take_over(given[Payment, payment.pk], _with_allocated(payment, money[payment.pk]))


def _last_date(invoice: Invoice) -> date:
    of_it = Allocation.objects.filter(Q(invoice=invoice) | Q(credit_note=invoice))
    last: date = of_it.aggregate(last=Max("date"))["last"]
    return last


def _with_allocated(payment: Payment, amount: Decimal) -> Payment:
    payment.allocated_amount += amount
    payment.used_up_on = None
    if payment.credit_amount == 0:
        payment.used_up_on = Allocation.objects.filter(payment=payment).aggregate(last=Max("date"))["last"]
    payment.save(update_fields=["allocated_amount", "used_up_on"])
    return payment


def _take_over(row: Payment | Invoice, locked: Payment | Invoice) -> None:
    """The caller's instance says what is stored now."""
    for name in locked.life_cycle:
        setattr(row, name, getattr(locked, name))


def standing_amounts(allocations: QuerySet[Allocation]) -> dict[tuple[int, int], Decimal]:
    """What stands of these allocations of payments, by payment and invoice."""
    rows = allocations.order_by().values_list("payment_id", "invoice_id").annotate(total=added_up("amount"))
    # SQLite adds decimals as floats.
    return {(payment, invoice): to_cents(total) for payment, invoice, total in rows if to_cents(total)}


def require_standing(payment: Payment) -> None:
    if payment.reverses_id is not None or Payment.objects.filter(reverses=payment).exists():
        raise AlreadyReversed(f"{payment} is reversed already, or a reversal itself.")


def record_settling(actor: User, action: str, payment: Payment, *, answers: Sequence[Answer] = ()) -> None:
    record(
        actor=actor,
        action=action,
        target=payment,
        after={
            "customer": payment.customer.customer_code,
            "method": payment.method,
            "amount": payment.amount,
            "reference": payment.reference,
            "allocated_amount": payment.allocated_amount,
            "invoices": list(
                Allocation.objects.filter(payment=payment).values_list("invoice__invoice_number", flat=True).distinct()
            ),
        },
        answers=answers,
    )
