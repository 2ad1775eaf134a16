"""A customer's credit: paid back, or set off against what the customer owes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from django.db.models import Q

from accounts.models import User
from audit.services import record
from customers import locks as customer_locks
from customers.models import Customer
from discrepancies.services import require_another_person
from foundation import clock, confirmations
from foundation.access.capabilities import Capability, Scope
from foundation.access.refusing import denied
from foundation.access.scoping import rows_within
from foundation.commands import command
from foundation.errors import Invalid, UnknownReference
from foundation.limits import AMOUNT
from foundation.money import ZERO, shown
from foundation.operations.idempotency import client_temp_id, idempotent
from invoices.models import Invoice
from payments.errors import ExceedsCredit, MoneyNotFound
from payments.models import Payment
from payments.selectors import makers_of_credit, offsets_of, unfound_of_refund
from payments.services.allocations import (
    Owed,
    Part,
    Share,
    closed_by,
    is_untouched,
    named,
    owed_by,
    spread,
    write_allocations,
)
from payments.services.cash import cash_position, explain_count
from payments.services.payments import require_room_in_bag
from payments.tender import rounding_of
from payments.unlikely import unfound_deposit, unlikely_payment

Method = Payment.Method
Credit = tuple[Payment | Invoice, Decimal]
"""A payment or a credit note, and so much of it."""


@dataclass(frozen=True, slots=True)
class NewPayout:
    """So much of a customer's credit that is paid back."""

    customer: int
    amount: Decimal
    method: str = Method.CASH
    reference: str = ""
    remarks: str = ""


@dataclass(frozen=True, slots=True)
class CreditShare:
    """So much of this payment, or of this credit note."""

    amount: Decimal
    payment: int | None = None
    credit_note: int | None = None


@command
@idempotent
def pay_out(*, actor: User, data: NewPayout) -> Payment:
    """Pay credit back: so much of the payments and credit notes with something left, what came by the same method
    first, then other money that was found, then the oldest.

    Who pays their own customers back, pays what they took themselves, in the way in which it came, and their own
    refunds in cash. Cash that closes all of it is rounded to coins. What a refund is to be set off against is no credit
    yet. Idempotent by (actor, client_temp_id). Locks the customer, the documents, the payments. Raises Denied,
    UnknownReference, ExceedsCredit, NeedsAnotherPerson, AmountOutOfRange, Unconfirmed.
    """
    if not actor.can(Capability.PAY_OUT):
        raise denied(actor, Capability.PAY_OUT)
    customer = _customer(actor, data.customer)
    AMOUNT.require(data.amount, attr="amount")
    credit = sorted(credit_to_pay_out(actor, customer, method=data.method), key=partial(_turn, data.method))
    available = _total(credit)
    rounding = -rounding_of(data.amount, available) if data.method == Method.CASH else ZERO
    left, chosen = data.amount + rounding, list[Credit]()
    for source, most in credit:
        if part := min(left, most):
            chosen.append((source, part))
            left -= part
    if left:
        raise ExceedsCredit(" ".join(_why_no_more(actor, customer, data.method, available)), attr="amount")
    if data.method == Method.CASH:
        require_room_in_bag(actor, -data.amount, attr="amount")
    made = {source: makers_of_credit(source) for source, _ in chosen}
    of = next((source for source in made if actor.pk in made[source]), chosen[0][0])
    now = clock.now()
    today = clock.business_date(now)
    asked = unlikely_payment(actor, customer, data.method, -data.amount, data.reference, received_on=today, at=now)
    answers = confirmations.require([*asked, *_not_found(data, chosen)])
    payout: Payment = Payment.objects.create(
        customer=customer,
        method=data.method,
        amount=-data.amount,
        received_on=today,
        reference=data.reference,
        remarks=data.remarks,
        user=actor,
        depot_id=actor.depot_id,
        client_temp_id=client_temp_id(),
        created_at=now,
        date=today,
        **cash_position(now).columns,
    )
    explain_count(payout, is_now=True)
    parts = [_part(payout, source, amount) for source, amount in chosen]
    if rounding:
        parts += _rounding(payout, chosen[-1][0], rounding)
    write_allocations(actor, parts, now)
    require_another_person(Capability.PAY_OUT, actor=actor, makers=made[of], of=of, document=payout, now=now)
    record(
        actor=actor,
        action="payments.credit.paid_out",
        target=payout,
        after={
            "customer": customer.customer_code,
            "method": data.method,
            "amount": data.amount,
            "reference": data.reference,
            "of": {str(source): amount for source, amount in chosen},
        },
        reason=data.remarks,
        answers=answers,
    )
    return payout


@command
@idempotent
def set_off_credit(
    *,
    actor: User,
    customer_id: int,
    credits: Sequence[CreditShare] | None = None,
    invoices: Sequence[Share] | None = None,
) -> Customer:
    """Settle what a customer owes with the customer's credit, from today on.

    ``credits`` None: all there is, the oldest first. ``invoices`` None: what is owed for longest first. Locks the
    customer, the documents, the payments. Raises UnknownReference, Invalid, ExceedsOutstanding, ExceedsCredit where
    nothing is left to set off.
    """
    customer = _customer(actor, customer_id)
    chosen = list(_left(actor, customer)) if credits is None else _named(actor, customer, credits)
    owed = owed_by(customer.pk) if invoices is None else named(actor, customer.pk, invoices, attr="invoices")
    parts = _settling(chosen, [*owed])
    if not parts:
        raise ExceedsCredit("There is no credit, or nothing that it could be set off against.")
    if sum((part.amount for part in parts), ZERO) < sum((share.amount for share in invoices or ()), ZERO):
        raise ExceedsCredit("There is less credit than is to be set off.", attr="invoices")
    write_allocations(actor, parts, clock.now())
    record(
        actor=actor,
        action="payments.credit.set_off",
        target=customer,
        after={"set_off": [f"{part.amount} of {part.source} against {part.target}" for part in parts]},
    )
    return customer


def _settling(credits: Sequence[Credit], owed: Sequence[Owed]) -> list[Part]:
    """What each credit settles of what is owed, in turn. Cash of which nothing was used closes it in coins."""
    parts: list[Part] = []
    for source, amount in credits:
        closed: list[Part] = []
        if isinstance(source, Payment) and source.method == Method.CASH and is_untouched(source):
            closed = closed_by(source, owed, parts) if amount == source.amount else []
        new = closed or spread([(source, amount)], owed)
        done = [(part.target, part.amount) for part in new]
        owed = [
            (target, left - sum((settled for other, settled in done if other == target), ZERO)) for target, left in owed
        ]
        owed = [(target, left) for target, left in owed if left]
        parts += new
    return parts


def credit_to_pay_out(actor: User, customer: Customer, *, method: str = "") -> Iterator[Credit]:
    """The credit that somebody may pay back, by a method or by any, the oldest first."""
    mine = rows_within(actor, Capability.PAY_OUT)
    is_bound = method and actor.scope(Capability.PAY_OUT) is Scope.OWN
    # In the field a refund is paid in cash.
    notes = Q(pk__in=()) if is_bound and method != Method.CASH else mine
    for source, amount in _credits(customer, mine & Q(method=method) if is_bound else mine, notes):
        # A refund is set off first against what charged its deposits.
        off = sum(offsets_of(source).values(), ZERO) if isinstance(source, Invoice) else ZERO
        yield source, amount - off


def _why_no_more(actor: User, customer: Customer, method: str, available: Decimal) -> Iterator[str]:
    """How much may be paid back by a method, and what keeps it from being more."""
    scope = actor.scope(Capability.PAY_OUT)
    own = rows_within(actor, Capability.PAY_OUT)
    everything, seen = _total(_credits(customer, Q(), Q())), _total(_credits(customer, own, own))
    if not everything:
        yield "This customer has no credit."
        return
    by = f" {_by(method)}" if scope is Scope.OWN else ""
    yield f"{f'Only {available}' if available else 'Nothing'} of this customer's credit can be paid back{by}."
    if scope is Scope.OWN:
        yield "You pay back what you took yourself, in the same way."
        ways = {each: _total(credit_to_pay_out(actor, customer, method=each)) for each in Method if each != method}
        if others := [f"{amount} {_by(each)}" for each, amount in ways.items() if amount]:
            yield f"Beside that: {', '.join(others)}."
    elif seen < everything:
        yield "You pay back what your depot took."
    if set_off := seen - _total(credit_to_pay_out(actor, customer)):
        yield f"{set_off} of it is set off first, against the invoices that charged its deposits."


def _by(method: str) -> str:
    return "in cash" if method == Method.CASH else f"by {Method(method).label}"


def _total(credit: Iterable[Credit]) -> Decimal:
    return sum((amount for _, amount in credit), ZERO)


def _left(actor: User, customer: Customer) -> Iterator[Credit]:
    """The credit that somebody may set off."""
    mine = rows_within(actor, Capability.RECORD_PAYMENT)
    return _credits(customer, mine, mine)


def _credits(customer: Customer, payments: Q, notes: Q) -> Iterator[Credit]:
    """What is left of these payments and credit notes of a customer, whose lock keeps them as they are."""
    for payment in Payment.objects.filter(payments, customer=customer, used_up_on__isnull=True, amount__gt=0).order_by(
        "pk"
    ):
        yield payment, payment.credit_amount
    for note in Invoice.objects.filter(notes, customer=customer, settled_on__isnull=True, total_amount__lt=0).order_by(
        "pk"
    ):
        yield note, -note.outstanding_amount


def _customer(actor: User, customer_id: int) -> Customer:
    customer = customer_locks.visible_customer(actor, customer_id)
    if customer is None:
        raise UnknownReference(customer_id, attr="customer")
    return customer


def _part(payout: Payment, source: Payment | Invoice, amount: Decimal) -> Part:
    if isinstance(source, Invoice):
        return Part(payout, source, -amount)
    return Part(source, payout, amount)


def _turn(method: str, credit: Credit) -> int:
    """When it is its turn to be paid back by a method."""
    source, _ = credit
    if isinstance(source, Invoice) or (source.method != method and _is_unfound(source)):
        return 2
    return 0 if source.method == method else 1


def _is_unfound(payment: Payment) -> bool:
    return payment.method != Method.CASH and payment.banked_on is None


def _not_found(data: NewPayout, chosen: Sequence[Credit]) -> Iterator[MoneyNotFound]:
    """Who calls cash PayNow, and pays it back from the bag, takes it twice."""
    sources = [(source, amount) for source, amount in chosen if isinstance(source, Payment)]
    for payment, amount in sources:
        if payment.method != data.method and _is_unfound(payment):
            came = f"S$ {shown(amount)} of it came by {payment.get_method_display()} ({payment})"
            yield MoneyNotFound(
                f"{came}: nobody has found that in the bank's report yet.", attr="amount", value=str(payment)
            )
    for note in (source for source, _ in chosen if isinstance(source, Invoice)):
        yield from unfound_deposit(unfound_of_refund(note), [data.method], attr="amount")


def _rounding(payout: Payment, last: Payment | Invoice, rounding: Decimal) -> list[Part]:
    """What the last of the credit is rounded by."""
    if isinstance(last, Payment):
        return [Part(payout, payout, -rounding, is_rounding=True)]
    return [Part(payout, last, rounding), Part(payout, last, -rounding, is_rounding=True)]


def _named(actor: User, customer: Customer, shares: Sequence[CreditShare]) -> list[Credit]:
    """Raises Invalid, UnknownReference, ExceedsCredit."""
    keys = [(share.payment, share.credit_note) for share in shares]
    if len(set(keys)) != len(keys):
        raise Invalid("A credit is named twice.", attr="credits")
    known: dict[tuple[int | None, int | None], Credit] = {
        (row.pk, None) if isinstance(row, Payment) else (None, row.pk): (row, amount)
        for row, amount in _left(actor, customer)
    }
    chosen = []
    for index, share in enumerate(shares):
        attr = f"credits.{index}"
        if (share.payment is None) == (share.credit_note is None):
            raise Invalid("Name a payment or a credit note.", attr=attr)
        found = known.get((share.payment, share.credit_note))
        if found is None:
            name = "payment" if share.payment else "credit_note"
            raise UnknownReference(share.payment or share.credit_note, attr=f"{attr}.{name}")
        if share.amount > found[1]:
            raise ExceedsCredit(f"Only {found[1]} is left of {found[0]}.", attr=f"{attr}.amount")
        chosen.append((found[0], share.amount))
    return chosen
