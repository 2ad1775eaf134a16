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
from foundation.access.capabilities import Capability, Scope
from foundation.commands import command
from foundation.confirmations import Answer, Question
from foundation.errors import Invalid, UnknownReference
from foundation.limits import AMOUNT, BALANCE
from foundation.money import ZERO
from foundation.operations.idempotency import client_temp_id, idempotent
from foundation.operations.occurrence import Approval, require_recent
from invoices import locks as invoice_locks
from invoices.models import Invoice
from payments import locks
from payments.errors import AlreadyPaid, ExceedsOutstanding
from payments.models import Allocation, Payment
from payments.offsets import Open
from payments.selectors import cash_in_bag, credit_of, names_of, offsets_of, unfound_of_refund
from payments.services.allocations import Part, Share, record_settling, rounded, settle_with, write_allocations
from payments.services.cash import cash_position, explain_count
from payments.tender import Portion, Tender, in_coins, rounding_of
from payments.unlikely import unfound_deposit, unlikely_payment

MOST_LATE = timedelta(days=366)
"""How long after it came in a payment may be entered: an older date is a slip of the pen."""
Method = Payment.Method
OPERATION = "payment.create"


@dataclass(frozen=True, slots=True)
class NewPayment:
    """A payment, as asked for. ``shares`` None: what is owed for longest first.

    ``given`` was handed over, where change went back. ``occurred_at`` None: now. ``received_on`` None: the day of that.
    ``has_happened``: it was taken without a network.
    """

    customer: int
    method: str
    amount: Decimal
    received_on: date | None = None
    reference: str = ""
    remarks: str = ""
    shares: Sequence[Share] | None = None
    given: Decimal | None = None
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
    settle_with(actor, payment, data.shares, now=now, as_far_as_open=data.has_happened, is_rounded=True)
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
    is open then, in coins where it is cash. Locks the customer, then the invoices. Raises AlreadyPaid,
    ExceedsOutstanding, Invalid, Unconfirmed.
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
    is_cash = method == Method.CASH
    due = in_coins(abs(open_amount)) if is_cash else abs(open_amount)
    wanted = due if amount is None else amount
    rounding = rounding_of(wanted, abs(open_amount)) if is_cash else ZERO
    if wanted - rounding > abs(open_amount):
        before = f", once it is set off against {', '.join(names_of(actor, against))}" if against else ""
        raise ExceedsOutstanding(f"Only {abs(open_amount)} is open of {invoice.invoice_number}{before}.", attr="amount")
    sign = 1 if open_amount > 0 else -1
    if sign < 0:
        require_cash_in_the_field(actor, method, attr="method")
    asked = [*unfound_deposit(unfound_of_refund(invoice), [method], attr="amount")] if sign < 0 else []
    new = NewPayment(customer.pk, method, sign * wanted, received_on=received_on, reference=reference)
    payment, answers = _create(actor, customer, new, new.amount, now, of=invoice, asked=asked)
    write_allocations(actor, rounded(payment, invoice, sign * (wanted - rounding), sign * rounding), now)
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


def may_refund_by(actor: User, method: str) -> bool:
    """Who pays their own refunds out, does it in cash."""
    return method == Method.CASH or actor.scope(Capability.PAY_OUT) is not Scope.OWN


def require_cash_in_the_field(actor: User, method: str, *, attr: str) -> None:
    """Raise Invalid where somebody who pays their own refunds out would do it without cash."""
    if not may_refund_by(actor, method):
        raise Invalid("In the field a refund is paid out in cash.", attr=attr)


def require_room_in_bag(user: User, amount: Decimal, *, attr: str | None) -> None:
    """Raise AmountOutOfRange where a user's cash bag would hold too much with this."""
    BALANCE.require(cash_in_bag(user) + amount, attr=attr)


def take_on_the_spot(invoice: Invoice, portion: Portion, *, user: User, occurred_at: datetime, now: datetime) -> None:
    """What came (or went) with a sale and settles its document, in the sale's own commit; its record covers it.

    The invoice was issued as settled by it, after `require_room_in_bag`.
    """
    amount = portion.tender.amount
    payment = _on_the_spot(invoice, portion.tender, user, occurred_at, now, settles=amount)
    of_it = {"invoice": invoice, "date": invoice.date, "user": user, "created_at": now}
    Allocation.objects.create(payment=payment, amount=amount, **of_it)
    if portion.rounding:
        Allocation.objects.create(rounding_of=payment, amount=-portion.rounding, **of_it)


def settle_on_the_spot(
    invoice: Invoice, tendered: Sequence[Portion], *, user: User, occurred_at: datetime, now: datetime
) -> None:
    """What came (or went) with a sale for what is open of its document, in the sale's own commit.

    What came beyond that settles what the account has owed for longest, and is credit then; what went beyond it the
    customer owes. The sale's record covers it.
    """
    parts: list[Part] = []
    more: list[Payment] = []
    for portion in tendered:
        payment = _on_the_spot(invoice, portion.tender, user, occurred_at, now)
        if portion.amount:
            parts += rounded(payment, invoice, portion.amount - portion.rounding, portion.rounding)
        if portion.amount != payment.amount > 0:
            more.append(payment)
    write_allocations(user, parts, now)
    for payment in more:
        settle_with(user, payment, None, now=now, is_rounded=True)


def _on_the_spot(
    invoice: Invoice,
    tender: Tender,
    user: User,
    occurred_at: datetime,
    now: datetime,
    *,
    settles: Decimal = ZERO,
) -> Payment:
    payment: Payment = Payment.objects.create(
        customer=invoice.customer,
        method=tender.method,
        amount=tender.amount,
        given=tender.given,
        reference=tender.reference,
        received_on=clock.business_date(occurred_at),
        user=user,
        depot_id=invoice.depot_id,
        is_on_the_spot=True,
        created_at=now,
        date=invoice.date,
        allocated_amount=settles,
        used_up_on=invoice.date if settles else None,
        **cash_position(occurred_at).columns,
    )
    explain_count(payment, is_now=occurred_at == now, occurred_at=occurred_at)
    return payment


def set_off(actor: User, credit_note: Invoice, against: Mapping[int, Decimal], *, now: datetime) -> None:
    """Settle open invoices of the same customer with what is open of a credit note: so much of each.

    Locks the invoices. Runs in the caller's transaction, which holds the customer's lock and its audit record.
    """
    rows = {row.pk: row for row in invoice_locks.invoices(against)}
    write_allocations(actor, [Part(credit_note, rows[pk], amount) for pk, amount in against.items()], now)


def _create(
    actor: User,
    customer: Customer,
    new: NewPayment,
    amount: Decimal,
    now: datetime,
    *,
    of: Invoice | None = None,
    asked: Sequence[Question] = (),
) -> tuple[Payment, list[Answer]]:
    """The payment, and what was asked about it, with ``asked``. ``of``: the one document that it pays."""
    today = clock.business_date(now)
    occurred_at = new.occurred_at or now
    told = new.received_on
    if new.has_happened and told is not None and told > today:
        told = None  # a clock that is fast: its own time is put right, see the sync app
    if told is not None and not today - MOST_LATE <= told <= today:
        raise Invalid("Money came in today, or within the year that is behind us.", attr="received_on")
    if amount == 0:
        raise Invalid("A payment has an amount.", attr="amount")
    AMOUNT.require(amount, attr="amount")
    if new.method == Method.CASH:
        require_room_in_bag(actor, amount, attr="amount")
    received_on = told or clock.business_date(occurred_at)
    unlikely = unlikely_payment(
        actor, customer, new.method, amount, new.reference, of=of, received_on=received_on, at=occurred_at
    )
    answers = confirmations.require([*asked, *unlikely])
    payment: Payment = Payment.objects.create(
        customer=customer,
        method=new.method,
        amount=amount,
        given=new.given,
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
    explain_count(payment, is_now=new.occurred_at is None, occurred_at=occurred_at)
    return payment, answers
