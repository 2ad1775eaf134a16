"""Taking money back. Nothing is edited: a reversal is a payment of its own, with the amounts negated."""

from datetime import datetime

from django.db.models import Q

from accounts.models import User
from audit.services import record
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.access.refusing import denied
from foundation.access.scoping import rows_within
from foundation.commands import command
from foundation.errors import Invalid
from foundation.infrastructure.expressions import added_up
from foundation.limits import BALANCE
from foundation.money import ZERO, to_cents
from foundation.operations.idempotency import idempotent
from invoices import locks as invoice_locks
from invoices.models import Invoice
from invoices.selectors import open_amount
from invoices.services import mark_unpaid
from payments import locks
from payments.models import Allocation, Payment
from payments.selectors import credit_of
from payments.services.allocations import Part, require_standing, standing_amounts, write_allocations
from payments.services.cash import explain_count


@command
@idempotent
def reverse_payment(*, actor: User, payment_id: int, reason: str) -> Payment:
    """Take a payment back: it was entered wrongly, or the cheque bounced. What it settled is open again.

    Answers the reversal. Cash goes out of the bag that it was taken into, or handed in with. Locks the customer, the
    invoices, the payment.
    Raises Denied, AlreadyReversed, AmountOutOfRange, Invalid without a reason.
    """
    customer = locks.customer_of_payment(payment_id)
    payment: Payment = Payment.objects.get(pk=payment_id)
    if not Payment.objects.filter(rows_within(actor, Capability.REVERSE_PAYMENT), pk=payment_id).exists():
        raise denied(actor, Capability.REVERSE_PAYMENT)
    if not reason.strip():
        raise Invalid("A reversal needs its reason.", attr="reason")
    require_standing(payment)
    reversal = _reverse(actor, payment, clock.now())
    BALANCE.require(open_amount(customer), attr=None)
    record(
        actor=actor,
        action="invoices.payment.reversed",
        target=payment,
        after={"reversal": reversal.pk, "amount": reversal.amount},
        reason=reason,
    )
    return reversal


def settle_void(*, actor: User, voided: Invoice, voiding: Invoice, now: datetime) -> None:
    """Let a voided document and the one that voids it settle each other.

    Cash that came with the sale goes back with it; what else was paid, or set off, becomes the customer's credit
    again, from today on: what was owed before stays so. What a refund had paid out stays paid out: what voids it is
    owed. Runs in the caller's transaction, which holds the customer's lock. Raises AmountOutOfRange where that credit
    is too much.
    """
    today = clock.business_date(now)
    _undo_set_offs(actor, voided, now)
    if voided.total_amount < 0:
        # What is left of it once nothing is set off any more: what wasn't paid out.
        [voided] = invoice_locks.invoices([voided.pk])
        if voided.outstanding_amount:
            write_allocations(actor, [Part(voided, voiding, -voided.outstanding_amount, today)], now)
        if voiding.outstanding_amount == 0:
            mark_unpaid(voiding)
        return
    for payment in Payment.objects.filter(allocations__invoice=voided, is_on_the_spot=True, reversal__isnull=True):
        _reverse(actor, payment, now)
    # A payment and its reversal cancel each other already. No credit note settles it yet: that comes below, once.
    kept = Allocation.objects.filter(invoice=voided, payment__reverses__isnull=True, payment__reversal__isnull=True)
    undone = [
        Part(Payment.objects.get(pk=pk), voided, -amount, today) for (pk, _), amount in standing_amounts(kept).items()
    ]
    write_allocations(actor, undone, now)
    if voided.total_amount > 0:
        write_allocations(actor, [Part(voiding, voided, voided.total_amount, today)], now)
    # Nobody paid: they cancel each other.
    for invoice in invoice_locks.invoices([voided.pk, voiding.pk]):
        mark_unpaid(invoice)
    BALANCE.require(credit_of(voided.customer), attr=None)


def _undo_set_offs(actor: User, voided: Invoice, now: datetime) -> None:
    """Open again what a document has settled of others by set-off, or others of it."""
    offs = Allocation.objects.filter(Q(invoice=voided) | Q(credit_note=voided), credit_note__isnull=False)
    standing = offs.order_by().values_list("credit_note_id", "invoice_id").annotate(total=added_up("amount"))
    amounts = {(source, target): to_cents(total) for source, target, total in standing}
    rows = {row.pk: row for row in invoice_locks.invoices(pk for pair in amounts for pk in pair)}
    today = clock.business_date(now)
    parts = [Part(rows[source], rows[target], -sum_, today) for (source, target), sum_ in amounts.items() if sum_]
    write_allocations(actor, parts, now)


def _reverse(actor: User, payment: Payment, now: datetime) -> Payment:
    """The same payment with its amounts negated; neither leaves any credit.

    It stands beside the payment in the order of what happened: what was handed in stays so, and no later bag is short
    of what somebody pays back.
    """
    today = clock.business_date(now)
    reversal: Payment = Payment.objects.create(
        customer=payment.customer,
        method=payment.method,
        amount=-payment.amount,
        received_on=today,
        reference=payment.reference,
        is_goodwill=payment.is_goodwill,
        allocated_amount=-payment.amount if payment.is_goodwill else ZERO,
        user=payment.user,
        depot_id=payment.depot_id,
        reverses=payment,
        created_at=now,
        date=today,
        **payment.position.columns,
    )
    explain_count(reversal)
    settled = standing_amounts(Allocation.objects.filter(payment=payment))
    invoices = {row.pk: row for row in invoice_locks.invoices(invoice_id for _, invoice_id in settled)}
    parts = [Part(reversal, invoices[pk], -amount, today) for (_, pk), amount in settled.items()]
    write_allocations(actor, parts, now)
    for row in locks.payments([payment.pk, reversal.pk]):
        row.used_up_on = today
        row.save(update_fields=["used_up_on"])
    return reversal
