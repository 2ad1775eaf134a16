"""Money that comes in: on account, for one document, with a sale; and the cash among it on its way to the office."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from accounts.models import User
from accounts.selectors import depot_at
from audit.services import record
from customers import locks as customer_locks
from customers.models import Customer
from foundation import clock, confirmations
from foundation.commands import command
from foundation.confirmations import Answer
from foundation.errors import Invalid, UnknownReference
from foundation.limits import AMOUNT, BALANCE
from foundation.operations.idempotency import client_temp_id, idempotent
from foundation.operations.occurrence import Approval, require_recent
from invoices import locks as invoice_locks
from invoices.models import Invoice
from payments import locks
from payments.errors import AlreadyPaid, ExceedsOutstanding
from payments.models import Allocation, Payment
from payments.offsets import Open
from payments.selectors import cash_in_bag, credit_of, offsets_of
from payments.services.allocations import Part, Share, record_settling, settle_with, write_allocations
from payments.services.cash import cash_position, explain_count
from payments.unlikely import unlikely_payment

MOST_LATE = timedelta(days=366)
"""How long after it came in a payment may be entered: an older date is a slip of the pen."""
Method = Payment.Method
OPERATION = "payment.create"


@dataclass(frozen=True, slots=True)
class NewPayment:
    """A payment, as asked for. ``shares`` None: what is owed for longest first.

    ``occurred_at`` None: now. ``received_on`` None: the day of that. ``has_happened``: it was taken without a network.
    """

    customer: int
    method: str
    amount: Decimal
    received_on: date | None = None
    reference: str = ""
    remarks: str = ""
    shares: Sequence[Share] | None = None
    occurred_at: datetime | None = None
    has_happened: bool = False


@command
@idempotent
def record_payment(*, actor: User, data: NewPayment, approval: Approval | None = None) -> Payment:
    """Record money that came in, and settle invoices with it; the rest is kept as credit.

    Money that changed hands without a network is taken whatever has become of the invoices that it names: it settles
    them as far as they are open. Idempotent by (actor, client_temp_id). ``approval`` lets a kept one happen (see the
    sync app). Locks the customer, then the invoices. Raises IdempotencyConflict, RefusedBefore, OccurredAtOutOfRange,
    UnknownReference, Invalid, ExceedsOutstanding, ExceedsCredit, AmountOutOfRange, Unconfirmed.
    """
    customer = customer_locks.visible_customer(actor, data.customer)
    if customer is None:
        raise UnknownReference(data.customer, attr="customer")
    now = clock.now()
    require_recent(data.occurred_at or now, now=now, approval=approval)
    payment, answers = _create(actor, customer, data, data.amount, now)
    settle_with(actor, payment, data.shares, now=now, as_far_as_open=data.has_happened)
    BALANCE.require(credit_of(customer), attr="amount")
    happened = {} if data.occurred_at is None else {"occurred_at": data.occurred_at}
    more = happened | (approval.evidence if approval else {})
    record_settling(actor, "invoices.payment.recorded", payment, answers=answers, more=more)
    return payment


@command
@idempotent
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

    A deposit's refund is set off first, against what is open of the invoices that charged it. ``amount`` None: all that
    is open then. Locks the customer, then the invoices. Raises AlreadyPaid, ExceedsOutstanding, Invalid, Unconfirmed.
    """
    customer = locks.customer_of_invoice(invoice_id)
    invoice = invoice_locks.invoice(invoice_id)
    open_amount = invoice.outstanding_amount
    if open_amount == 0:
        raise AlreadyPaid(f"Nothing is open of {invoice.invoice_number} any more.")
    now = clock.now()
    against = offsets_of(invoice) if open_amount < 0 else {}
    if against:
        _set_off_first(actor, invoice, against, now)
        open_amount = invoice.outstanding_amount
        if open_amount == 0 and amount is None:
            return invoice
    wanted = abs(open_amount) if amount is None else amount
    if wanted > abs(open_amount):
        numbers = ", ".join(charge.number for charge in against)
        before = f", once it is set off against {numbers}" if against else ""
        raise ExceedsOutstanding(f"Only {abs(open_amount)} is open of {invoice.invoice_number}{before}.", attr="amount")
    signed = wanted if open_amount > 0 else -wanted
    new = NewPayment(customer.pk, method, signed, received_on=received_on, reference=reference)
    payment, answers = _create(actor, customer, new, signed, now, of=invoice)
    write_allocations(actor, [Part(payment, invoice, signed)], now)
    record_settling(actor, "invoices.payment.recorded", payment, answers=answers)
    return invoice


def _set_off_first(actor: User, credit_note: Invoice, against: Mapping[Open, Decimal], now: datetime) -> None:
    set_off(actor, credit_note, {charge.invoice: amount for charge, amount in against.items()}, now=now)
    record(
        actor=actor,
        action="invoices.credit_note.set_off",
        target=credit_note,
        after={"against": {charge.number: amount for charge, amount in against.items()}},
    )


def require_room_in_bag(user: User, amount: Decimal, *, attr: str | None) -> None:
    """Raise AmountOutOfRange where a user's cash bag would hold too much with this."""
    BALANCE.require(cash_in_bag(user) + amount, attr=attr)


def take_on_the_spot(invoice: Invoice, *, user: User, occurred_at: datetime, now: datetime) -> None:
    """The cash that came (or went) with a sale, in the sale's own commit; its record covers it.

    The invoice was issued as settled by it, after `require_room_in_bag`.
    """
    payment = Payment.objects.create(
        customer=invoice.customer,
        method=Method.CASH,
        amount=invoice.total_amount,
        received_on=clock.business_date(occurred_at),
        user=user,
        depot_id=invoice.depot_id,
        is_on_the_spot=True,
        created_at=now,
        date=invoice.date,
        allocated_amount=invoice.total_amount,
        used_up_on=invoice.date,
        **cash_position(occurred_at).columns,
    )
    explain_count(payment, is_now=occurred_at == now)
    Allocation.objects.create(
        payment=payment,
        invoice=invoice,
        amount=invoice.total_amount,
        date=invoice.date,
        user=user,
        created_at=now,
    )


def set_off(actor: User, credit_note: Invoice, against: Mapping[int, Decimal], *, now: datetime) -> None:
    """Settle open invoices of the same customer with what is open of a credit note: so much of each.

    Locks the invoices. Runs in the caller's transaction, which holds the customer's lock and its audit record.
    """
    rows = {row.pk: row for row in invoice_locks.invoices(against)}
    write_allocations(actor, [Part(credit_note, rows[pk], amount) for pk, amount in against.items()], now)


def settle_in_cash(invoice: Invoice, amount: Decimal, *, user: User, occurred_at: datetime, now: datetime) -> None:
    """The cash that came (or went) with a sale for what is open of its document, in the sale's own commit.

    What came beyond that is the customer's credit, what went beyond it the customer owes. Its record covers it.
    """
    payment: Payment = Payment.objects.create(
        customer=invoice.customer,
        method=Method.CASH,
        amount=amount,
        received_on=clock.business_date(occurred_at),
        user=user,
        depot_id=invoice.depot_id,
        is_on_the_spot=True,
        created_at=now,
        date=invoice.date,
        **cash_position(occurred_at).columns,
    )
    explain_count(payment, is_now=occurred_at == now)
    if amount * invoice.outstanding_amount > 0:
        settled = min(amount, invoice.outstanding_amount, key=abs)
        write_allocations(user, [Part(payment, invoice, settled)], now)


def _create(
    actor: User, customer: Customer, new: NewPayment, amount: Decimal, now: datetime, *, of: Invoice | None = None
) -> tuple[Payment, list[Answer]]:
    """The payment, and what was asked about it. ``of``: the one document that it pays."""
    today = clock.business_date(now)
    occurred_at = new.occurred_at or now
    if new.received_on is not None and not today - MOST_LATE <= new.received_on <= today:
        raise Invalid("Money came in today, or within the year that is behind us.", attr="received_on")
    if amount == 0:
        raise Invalid("A payment has an amount.", attr="amount")
    AMOUNT.require(amount, attr="amount")
    if new.method == Method.CASH:
        require_room_in_bag(actor, amount, attr="amount")
    received_on = new.received_on or clock.business_date(occurred_at)
    answers = confirmations.require(unlikely_payment(new.method, amount, new.reference, of=of, received_on=received_on))
    payment: Payment = Payment.objects.create(
        customer=customer,
        method=new.method,
        amount=amount,
        received_on=received_on,
        reference=new.reference,
        remarks=new.remarks,
        user=actor,
        depot_id=depot_at(actor, occurred_at),
        client_temp_id=client_temp_id(),
        created_at=now,
        date=today,
        **cash_position(occurred_at).columns,
    )
    explain_count(payment, is_now=new.occurred_at is None)
    return payment, answers
