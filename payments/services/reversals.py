"""Taking money back. Nothing is edited: a reversal is a payment of its own, with the amounts negated."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from django.db.models import Q

from accounts import locks as user_locks
from accounts.models import User
from audit.services import record
from discrepancies.services import require_another_person
from foundation import clock, confirmations
from foundation.access.capabilities import Capability
from foundation.access.refusing import denied
from foundation.access.scoping import rows_within
from foundation.commands import command
from foundation.errors import Invalid
from foundation.limits import BALANCE
from foundation.money import ZERO
from foundation.operations.idempotency import idempotent
from invoices import locks as invoice_locks
from invoices.models import Invoice
from invoices.selectors import open_amount
from invoices.services import mark_unpaid
from payments import locks
from payments.errors import MoneyBanked
from payments.models import Allocation, Payment
from payments.selectors import credit_of
from payments.services.allocations import Part, require_standing, standing_parts, undo, write_allocations
from payments.services.cash import explain_count


@command
@idempotent
def reverse_payment(*, actor: User, payment_id: int, reason: str) -> Payment:
    """Take a payment back: it was entered wrongly, or the cheque bounced. What it settled is open again.

    Answers the reversal. Cash goes out of the bag that it was taken into, or handed in with. Locks the customer, the
    invoices, the payment.
    Raises Denied, AlreadyReversed, NeedsAnotherPerson, AmountOutOfRange, Invalid without a reason, Unconfirmed for what
    the bank has.
    """
    return _take_back(actor, payment_id, reason)


@command
@idempotent
def bounce_cheque(*, actor: User, payment_id: int, reason: str) -> Payment:
    """The bank sent a cheque back: it is reversed, and what it settled is open again. Answers the reversal.

    Locks as `reverse_payment`, and raises what that does; Invalid for what is no cheque.
    """
    payment: Payment = Payment.objects.get(pk=payment_id)
    if payment.method != Payment.Method.CHEQUE or payment.amount < 0:
        raise Invalid(f"{payment} is no cheque of a customer's.", attr=None)
    reversal = _take_back(actor, payment_id, reason, is_sent_back=True)
    [payment] = locks.payments([payment_id])
    payment.bounced_on = clock.business_date(clock.now())
    payment.save(update_fields=["bounced_on"])
    record(
        actor=actor,
        action="payments.cheque.bounced",
        target=payment,
        after={"bounced_on": payment.bounced_on, "banked_on": payment.banked_on, "reference": payment.reference},
        reason=reason,
    )
    return reversal


def _take_back(actor: User, payment_id: int, reason: str, *, is_sent_back: bool = False) -> Payment:
    """What `reverse_payment` does, in the caller's transaction. ``is_sent_back``: by the bank, which had it."""
    user_locks.makers(Payment.objects.filter(pk=payment_id).values_list("user_id", flat=True))
    customer = locks.customer_of_payment(payment_id)
    payment: Payment = Payment.objects.get(pk=payment_id)
    if not Payment.objects.filter(rows_within(actor, Capability.REVERSE_PAYMENT), pk=payment_id).exists():
        raise denied(actor, Capability.REVERSE_PAYMENT)
    if not reason.strip():
        raise Invalid("A reversal needs its reason.", attr="reason")
    require_standing(payment)
    answers = confirmations.require(() if is_sent_back else _at_the_bank(payment))
    now = clock.now()
    reversal = write_reversal(actor, payment, now)
    if not is_sent_back:
        require_another_person(
            Capability.REVERSE_PAYMENT, actor=actor, makers=[payment.user_id], of=payment, document=reversal, now=now
        )
    BALANCE.require(open_amount(customer), attr=None)
    record(
        actor=actor,
        action="invoices.payment.reversed",
        target=payment,
        after={"reversal": reversal.pk, "amount": reversal.amount},
        reason=reason,
        answers=answers,
    )
    return reversal


def _at_the_bank(payment: Payment) -> Iterator[MoneyBanked]:
    if payment.banked_on is not None:
        detail = f"The bank's report of {payment.banked_on} has {payment}: money that goes back is paid back instead."
        yield MoneyBanked(detail, attr="reason", value=payment.banked_on)


def settle_void(*, actor: User, voided: Invoice, voiding: Invoice, now: datetime) -> None:
    """Let a voided document and the one that voids it settle each other. No money moves.

    What was paid, or set off, becomes the customer's credit again, from today on: what was owed before stays so.
    Paying it back is a command of its own, see `pay_out`. What a refund had paid out stays paid out: what voids it is
    owed. Either is what changed hands: no rounding of it stands. Runs in the caller's transaction, which holds the
    customer's lock. Raises AmountOutOfRange where that credit is too much.
    """
    is_refund = voided.total_amount < 0
    of_it = Allocation.objects.filter(invoice=voided)
    settled = standing_parts(Allocation.objects.filter(credit_note=voided) if is_refund else of_it)
    if is_refund:
        for rounding in standing_parts(of_it.filter(rounding_of__isnull=False)):
            settled.append(rounding)
            if rounding.amount > 0:
                # More was paid out than the refund came to: that is owed beside it.
                settled.append(replace(rounding, amount=-rounding.amount, is_rounding=False))
    undo(actor, settled, now)
    voided, voiding = invoice_locks.invoices([voided.pk, voiding.pk])
    credit, owed = (voided, voiding) if is_refund else (voiding, voided)
    if credit.outstanding_amount:
        write_allocations(actor, [Part(credit, owed, -credit.outstanding_amount)], now)
    # Nobody paid: they cancel each other.
    for invoice in invoice_locks.invoices([voiding.pk] if is_refund else [voided.pk, voiding.pk]):
        if invoice.outstanding_amount == 0:
            mark_unpaid(invoice)
    BALANCE.require(credit_of(voided.customer), attr=None)


def settle_credit(*, actor: User, credited: Invoice, note: Invoice, now: datetime) -> None:
    """Let a credit note settle the invoice that it credits in part, as far as that is open; the rest of it is credit.

    No money moves. Runs in the caller's transaction, which holds the customer's lock.
    """
    settling = min(max(credited.outstanding_amount, ZERO), -note.outstanding_amount)
    if settling:
        write_allocations(actor, [Part(note, credited, settling)], now)
        if note.outstanding_amount == 0:
            mark_unpaid(note)
        if credited.outstanding_amount == 0 and not _is_paid(credited):
            mark_unpaid(credited)


def _is_paid(invoice: Invoice) -> bool:
    """Did money settle any of it?"""
    return any(isinstance(part.source, Payment) for part in standing_parts(Allocation.objects.filter(invoice=invoice)))


def _cancel_voided(actor: User, note: Invoice, now: datetime) -> None:
    """Let a refund that is paid out no more be settled with the document that voids it, where it was voided.

    Money that has settled that document meanwhile is credit again.
    """
    voiding = Invoice.objects.filter(transaction__reverses__invoice=note).first()
    if voiding is None:
        return
    note, voiding = invoice_locks.invoices([note.pk, voiding.pk])
    wanted, is_open = -note.outstanding_amount, voiding.outstanding_amount
    if not wanted:
        return
    freed: list[Part] = []
    for part in sorted(
        reversed(standing_parts(Allocation.objects.filter(invoice=voiding))), key=lambda part: not part.is_rounding
    ):
        if is_open < wanted:
            freed.append(part if part.is_rounding else replace(part, amount=min(part.amount, wanted - is_open)))
            is_open += freed[-1].amount
    undo(actor, freed, now)
    write_allocations(actor, [Part(note, voiding, min(wanted, is_open))], now)


def _roundings_of_nothing(payout: Payment) -> list[Part]:
    """What a payout was rounded by goes with the last of the credit that it paid out: what was paid is owed then."""
    standing = standing_parts(Allocation.objects.filter(payout=payout))
    own = [part for part in standing if part.source == payout]
    paid_out = sum((part.amount for part in standing if part not in own), ZERO)
    return [replace(part, amount=-part.amount) for part in own if paid_out <= abs(part.amount)]


def write_reversal(actor: User, payment: Payment, now: datetime) -> Payment:
    """The same payment with its amounts negated; neither leaves any credit.

    It stands beside the payment in the order of what happened: what was handed in stays so, and no later bag is short
    of what somebody pays back.
    """
    today = clock.business_date(now)
    of_it = Q(payment=payment) | Q(rounding_of=payment) | Q(payout=payment)
    standing = standing_parts(Allocation.objects.filter(of_it))
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
    undone = []
    for part in standing:
        part = replace(part, amount=-part.amount)
        part = replace(part, source=reversal) if part.source == payment else part
        undone.append(replace(part, target=reversal) if part.target == payment else part)
        if isinstance(part.target, Payment) and part.target != payment and not part.is_rounding:
            undone += _roundings_of_nothing(part.target)
    write_allocations(actor, undone, now)
    for part in standing:
        if not part.is_rounding and isinstance(part.target, Invoice) and part.target.total_amount < 0:
            _cancel_voided(actor, part.target, now)
    for row in locks.payments([payment.pk, reversal.pk]):
        row.used_up_on = today
        row.save(update_fields=["used_up_on"])
    return reversal
