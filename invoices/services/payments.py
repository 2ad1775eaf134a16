"""Money that settles documents: taken, allocated, taken back.

A payment settles invoices in whole or in part by allocations; what it settles nothing of is the customer's credit.
Nothing of it is ever edited: a reversal is a payment of its own, with the amounts negated.

Whoever changes what is settled holds the customer's lock: one at a time changes a customer's account. Invoices and
payments are locked behind it, each in primary-key order.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Max, Q, Sum

from accounts.models import User
from audit.services import record
from customers import locks as customer_locks
from customers.models import Customer
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.commands import command
from foundation.errors import Denied, Invalid, UnknownReference
from foundation.money import ZERO, to_cents
from foundation.operations.idempotency import Recorded, idempotent
from invoices import locks
from invoices.errors import AlreadyPaid, AlreadyReversed, ExceedsCredit, ExceedsOutstanding
from invoices.models import Allocation, Invoice, Payment

OPERATION = "payment.create"
MOST_LATE = timedelta(days=366)
"""How long after it came in a payment may be entered: an older date is a slip of the pen."""
Method = Payment.Method


@dataclass(frozen=True, slots=True)
class Share:
    """So much for this invoice."""

    invoice: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class NewPayment:
    """A payment, as asked for. ``shares`` None: the oldest open invoices first. ``received_on`` None: today."""

    customer: int
    method: str
    amount: Decimal
    received_on: date | None = None
    reference: str = ""
    remarks: str = ""
    shares: Sequence[Share] | None = None
    client_temp_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    """An allocation to be: so much of a payment or a credit note settles so much of an invoice."""

    source: Payment | Invoice
    invoice: Invoice
    amount: Decimal

    @property
    def date(self) -> date:
        source = self.source.received_on if isinstance(self.source, Payment) else self.source.date
        return max(source, self.invoice.date)


@command
@idempotent(OPERATION, Payment)
def record_payment(*, actor: User, data: NewPayment) -> Recorded[Payment]:
    """Record money that came in, and settle invoices with it; the rest is kept as credit.

    Idempotent by (actor, client_temp_id). Locks the customer, then the invoices. Raises IdempotencyConflict,
    UnknownReference, Invalid, ExceedsOutstanding, ExceedsCredit.
    """
    customer = customer_locks.visible_customer(actor, data.customer)
    if customer is None:
        raise UnknownReference(data.customer, attr="customer")
    now = clock.now()
    payment = _create(actor, customer, data, data.amount, now)
    _settle(actor, payment, data.shares, now)
    _record_settling(actor, "invoices.payment.recorded", payment)
    return Recorded(payment)


@command
def pay_invoice(
    *,
    actor: User,
    invoice_id: int,
    method: str = Method.CASH,
    amount: Decimal | None = None,
    received_on: date | None = None,
    reference: str = "",
) -> Invoice:
    """Settle one document: take what is open of an invoice, or pay out what is open of a credit note.

    ``amount`` None: all that is open. Locks the customer, then the invoice. Raises AlreadyPaid, ExceedsOutstanding,
    Invalid.
    """
    customer = _lock_customer_of(Invoice.objects, invoice_id)
    invoice = locks.invoice(invoice_id)
    open_amount = invoice.outstanding_amount
    if open_amount == 0:
        raise AlreadyPaid(f"Nothing is open of {invoice.invoice_number} any more.")
    wanted = abs(open_amount) if amount is None else amount
    if wanted > abs(open_amount):
        raise ExceedsOutstanding(f"Only {abs(open_amount)} is open of {invoice.invoice_number}.", attr="amount")
    now = clock.now()
    signed = wanted if open_amount > 0 else -wanted
    new = NewPayment(customer.pk, method, signed, received_on=received_on, reference=reference)
    payment = _create(actor, customer, new, signed, now)
    _allocate(actor, [_Part(payment, invoice, signed)], now)
    _record_settling(actor, "invoices.payment.recorded", payment)
    return invoice


@command
def allocate_payment(*, actor: User, payment_id: int, shares: Sequence[Share] | None = None) -> Payment:
    """Settle invoices with the credit that is left of a payment. Locks the customer, the invoices, the payment.

    ``shares`` None: the oldest open ones first. Raises AlreadyReversed, UnknownReference, ExceedsOutstanding,
    ExceedsCredit.
    """
    _lock_customer_of(Payment.objects, payment_id)
    payment: Payment = Payment.objects.get(pk=payment_id)
    _require_standing(payment)
    if payment.credit_amount <= 0:
        raise ExceedsCredit(f"Nothing is left of {payment}.")
    _settle(actor, payment, shares, clock.now())
    _record_settling(actor, "invoices.payment.allocated", payment)
    return payment


@command
def reverse_payment(*, actor: User, payment_id: int, reason: str) -> Payment:
    """Take a payment back: it was entered wrongly, or the cheque bounced. What it settled is open again.

    Answers the reversal. Cash goes out of the bag of who took it. Locks the customer, the invoices, the payment.
    Raises Denied, AlreadyReversed, Invalid without a reason.
    """
    _lock_customer_of(Payment.objects, payment_id)
    payment: Payment = Payment.objects.get(pk=payment_id)
    if not Payment.objects.filter(rows_within(actor, Capability.REVERSE_PAYMENT), pk=payment_id).exists():
        raise Denied
    if not reason.strip():
        raise Invalid("A reversal needs its reason.", attr="reason")
    _require_standing(payment)
    reversal = _reverse(actor, payment, clock.now())
    record(
        actor=actor,
        action="invoices.payment.reversed",
        target=payment,
        after={"reversal": reversal.pk, "amount": reversal.amount},
        reason=reason,
    )
    return reversal


def take_on_the_spot(invoice: Invoice, *, user: User, now: datetime) -> None:
    """The cash that came (or went) with a sale, in the sale's own commit; its record covers it."""
    payment = Payment.objects.create(
        customer=invoice.customer,
        method=Method.CASH,
        amount=invoice.total_amount,
        received_on=invoice.date,
        user=user,
        is_on_the_spot=True,
        created_at=now,
        date=invoice.date,
        allocated_amount=invoice.total_amount,
        used_up_on=invoice.date,
    )
    Allocation.objects.create(
        payment=payment,
        invoice=invoice,
        amount=invoice.total_amount,
        date=invoice.date,
        user=user,
        created_at=now,
    )


def settle_void(*, actor: User, voided: Invoice, voiding: Invoice, now: datetime) -> None:
    """Let a voided document and the one that voids it settle each other.

    Cash that came with the sale goes back with it. What else was paid becomes the customer's credit again, and what
    a credit note had settled is open again. Runs in the caller's transaction, which holds the customer's lock.
    """
    cash = Payment.objects.filter(allocations__invoice=voided, is_on_the_spot=True, reversal__isnull=True)
    for payment in cash.distinct():
        _reverse(actor, payment, now)
    touching = Allocation.objects.filter(Q(invoice=voided) | Q(credit_note=voided))
    undone = []
    for (payment_id, note_id, invoice_id), amount in _net(touching).items():
        paid = Payment.objects.get(pk=payment_id) if payment_id else None
        # A payment and its reversal cancel each other already.
        if paid is not None and (paid.reverses_id or _is_reversed(paid)):
            continue
        source = paid or Invoice.objects.get(pk=note_id or 0)
        undone.append(_Part(source, Invoice.objects.get(pk=invoice_id), -amount))
    _allocate(actor, undone, now)
    [voided] = locks.invoices([voided.pk])
    if voided.total_amount > 0:
        _allocate(actor, [_Part(voiding, voided, voided.total_amount)], now)
    elif voided.total_amount < 0:
        _allocate(actor, [_Part(voided, voiding, voiding.total_amount)], now)
    for invoice in locks.invoices([voided.pk, voiding.pk]):
        # Nobody paid: they cancel each other.
        invoice.paid_at = None
        invoice.status = invoice.furthest_status()
        invoice.save(update_fields=["paid_at", "status"])


def _lock_customer_of(rows: object, pk: int) -> Customer:
    customer_id: int = rows.values_list("customer_id", flat=True).get(pk=pk)  # type: ignore[attr-defined]  # a manager
    return customer_locks.customer(customer_id)


def _create(actor: User, customer: Customer, new: NewPayment, amount: Decimal, now: datetime) -> Payment:
    today = clock.business_date(now)
    if new.received_on is not None and not today - MOST_LATE <= new.received_on <= today:
        raise Invalid("Money came in today, or within the year that is behind us.", attr="received_on")
    if amount == 0:
        raise Invalid("A payment has an amount.", attr="amount")
    payment: Payment = Payment.objects.create(
        customer=customer,
        method=new.method,
        amount=amount,
        received_on=new.received_on or today,
        reference=new.reference,
        remarks=new.remarks,
        user=actor,
        client_temp_id=new.client_temp_id,
        created_at=now,
        date=today,
    )
    return payment


def _settle(actor: User, payment: Payment, shares: Sequence[Share] | None, now: datetime) -> None:
    """Allocate what is left of a payment: as asked, or to the oldest open invoices that the actor may see."""
    if shares is None:
        shares = list(_oldest_first(actor, payment))
    if sum((share.amount for share in shares), ZERO) > payment.credit_amount:
        raise ExceedsCredit(f"Only {payment.credit_amount} is left of the payment.", attr="allocations")
    wanted = [share.invoice for share in shares]
    if len(set(wanted)) != len(wanted):
        raise Invalid("An invoice is named twice.", attr="allocations")
    known = Invoice.objects.visible_to(actor).filter(customer=payment.customer_id, pk__in=wanted)
    visible = set(known.values_list("pk", flat=True))
    rows = {invoice.pk: invoice for invoice in locks.invoices(visible)}
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
        parts.append(_Part(payment, invoice, share.amount))
    _allocate(actor, parts, now)


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


def _allocate(actor: User, parts: Sequence[_Part], now: datetime) -> None:
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
    for invoice in locks.invoices(documents):
        _take_over(given[Invoice, invoice.pk], _with_settled(invoice, documents[invoice.pk], now))
    for payment in locks.payments(money):
        _take_over(given[Payment, payment.pk], _with_allocated(payment, money[payment.pk]))


def _with_settled(invoice: Invoice, amount: Decimal, now: datetime) -> Invoice:
    invoice.settled_amount += amount
    if invoice.outstanding_amount == 0:
        of_it = Allocation.objects.filter(Q(invoice=invoice) | Q(credit_note=invoice))
        invoice.settled_on = max(invoice.date, of_it.aggregate(last=Max("date"))["last"])
        invoice.paid_at = invoice.paid_at or now
    else:
        invoice.settled_on = invoice.paid_at = None
    invoice.status = invoice.furthest_status()
    invoice.save(update_fields=["settled_amount", "settled_on", "paid_at", "status"])
    return invoice


def _with_allocated(payment: Payment, amount: Decimal) -> Payment:
    payment.allocated_amount += amount
    payment.used_up_on = None
    if payment.credit_amount == 0:
        last = Allocation.objects.filter(payment=payment).aggregate(last=Max("date"))["last"]
        payment.used_up_on = max(payment.received_on, last or payment.received_on)
    payment.save(update_fields=["allocated_amount", "used_up_on"])
    return payment


def _take_over(row: Payment | Invoice, locked: Payment | Invoice) -> None:
    """The caller's instance says what is stored now."""
    for name in locked.life_cycle:
        setattr(row, name, getattr(locked, name))


def _reverse(actor: User, payment: Payment, now: datetime) -> Payment:
    """The same payment with its amounts negated; neither leaves any credit."""
    today = clock.business_date(now)
    reversal: Payment = Payment.objects.create(
        customer=payment.customer,
        method=payment.method,
        amount=-payment.amount,
        received_on=today,
        reference=payment.reference,
        user=payment.user,
        reverses=payment,
        created_at=now,
        date=today,
    )
    settled = _net(Allocation.objects.filter(payment=payment))
    invoices = {row.pk: row for row in locks.invoices(invoice_id for _, _, invoice_id in settled)}
    _allocate(actor, [_Part(reversal, invoices[pk], -amount) for (_, _, pk), amount in settled.items()], now)
    for row in locks.payments([payment.pk, reversal.pk]):
        row.used_up_on = max(today, row.used_up_on or today)
        row.save(update_fields=["used_up_on"])
    return reversal


def _net(allocations: object) -> dict[tuple[int | None, int | None, int], Decimal]:
    """What stands of these allocations, by payment, credit note and invoice."""
    rows = (
        allocations.order_by()  # type: ignore[attr-defined]  # a queryset
        .values_list("payment_id", "credit_note_id", "invoice_id")
        .annotate(total=Sum("amount"))
    )
    # SQLite adds decimals as floats.
    return {(payment, note, invoice): to_cents(total) for payment, note, invoice, total in rows if to_cents(total)}


def _require_standing(payment: Payment) -> None:
    if payment.reverses_id is not None or _is_reversed(payment):
        raise AlreadyReversed(f"{payment} is reversed already, or a reversal itself.")


def _is_reversed(payment: Payment) -> bool:
    return Payment.objects.filter(reverses=payment).exists()


def _record_settling(actor: User, action: str, payment: Payment) -> None:
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
    )
