"""What settles what: so much of a payment or of a credit note, allocated to so much of an invoice.

Whoever changes what is settled holds the customer's lock: one at a time changes a customer's account. Invoices and
payments are locked behind it, each in primary-key order.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Max, Q, QuerySet

from accounts.models import User
from audit.services import record
from foundation import clock
from foundation.changes import announce
from foundation.commands import command
from foundation.confirmations import Answer
from foundation.errors import AlreadyReversed, Invalid, UnknownReference
from foundation.infrastructure.expressions import added_up
from foundation.money import ZERO, to_cents
from foundation.operations.idempotency import idempotent
from invoices import locks as invoice_locks
from invoices.models import Invoice
from invoices.services import change_settled
from payments import locks
from payments.errors import ExceedsCredit, ExceedsOutstanding
from payments.models import Allocation, Payment
from payments.tender import rounding_of

NOTHING: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Share:
    """So much for this invoice."""

    invoice: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """An allocation to be: so much of a payment or a credit note settles so much of a document.

    Or of what was paid out: then the target is a payment too, whose amount is negative. ``is_rounding``: what the
    source is rounded by settles it, and nothing of the source itself.
    """

    source: Payment | Invoice
    target: Invoice | Payment
    amount: Decimal
    is_rounding: bool = False


@command
@idempotent
def allocate_payment(*, actor: User, payment_id: int, shares: Sequence[Share] | None = None) -> Payment:
    """Settle invoices with the credit that is left of a payment, from today on: what was owed before stays so.

    Locks the customer, the invoices, the payments. ``shares`` None: what has been owed for longest first. Raises
    AlreadyReversed, UnknownReference, ExceedsOutstanding, ExceedsCredit.
    """
    locks.customer_of_payment(payment_id)
    payment: Payment = Payment.objects.get(pk=payment_id)
    require_standing(payment)
    if payment.credit_amount <= 0:
        raise ExceedsCredit(f"Nothing is left of {payment}.")
    settle_with(actor, payment, shares, now=clock.now(), is_rounded=is_untouched(payment))
    record_settling(actor, "invoices.payment.allocated", payment)
    return payment


def settle_with(
    actor: User,
    payment: Payment,
    shares: Sequence[Share] | None,
    *,
    now: datetime,
    as_far_as_open: bool = False,
    is_rounded: bool = False,
) -> None:
    """Allocate what is left of a payment: as asked, or to what the account has owed for longest.

    As asked, it settles documents that the actor may see; ``as_far_as_open`` where they aren't open that far any more,
    and where it doesn't go that far itself. The account is one, whoever sold. ``is_rounded``: nothing of it was used
    before, and it closes what it comes to in coins, if it is cash.
    """
    if shares is None:
        owed = list(owed_by(payment.customer_id))
    else:
        owed = named(actor, payment.customer_id, shares, attr="allocations", as_far_as_open=as_far_as_open)
    closed = closed_by(payment, owed) if is_rounded and payment.method == Payment.Method.CASH else []
    if closed and (shares is None or len(owed) == len({part.target for part in closed})):
        parts = closed
    elif shares is None or as_far_as_open:
        parts = spread([(payment, payment.credit_amount)], owed)
    else:
        parts = [Part(payment, invoice, amount) for invoice, amount in owed if amount]
        if sum((share.amount for share in shares), ZERO) > payment.credit_amount:
            raise ExceedsCredit(f"Only {payment.credit_amount} is left of the payment.", attr="allocations")
    write_allocations(actor, parts, now)


Owed = tuple[Invoice | Payment, Decimal]
"""What is owed, or is to be settled of it."""


def named(
    actor: User, customer_id: int, shares: Sequence[Share], *, attr: str, as_far_as_open: bool = False
) -> list[Owed]:
    """The invoices of these shares, locked, each with as much open as is asked of it; or with what is open of that.

    Then those that the actor may not see are left out: their money is credit. Raises Invalid, UnknownReference,
    ExceedsOutstanding.
    """
    wanted = [share.invoice for share in shares]
    if len(set(wanted)) != len(wanted):
        raise Invalid("An invoice is named twice.", attr=attr)
    known = Invoice.objects.visible_to(actor).filter(customer=customer_id, pk__in=wanted)
    rows = {invoice.pk: invoice for invoice in invoice_locks.invoices(set(known.values_list("pk", flat=True)))}
    owed: list[Owed] = []
    for index, share in enumerate(shares):
        if share.invoice not in rows and as_far_as_open:
            continue
        if share.invoice not in rows:
            raise UnknownReference(share.invoice, attr=f"{attr}.{index}.invoice")
        outstanding = max(rows[share.invoice].outstanding_amount, ZERO)
        owed.append((rows[share.invoice], min(share.amount, outstanding)))
        if share.amount > outstanding and not as_far_as_open:
            number = rows[share.invoice].invoice_number
            raise ExceedsOutstanding(f"Only {outstanding} is open of {number}.", attr=f"{attr}.{index}.amount")
    return owed


def owed_by(customer_id: int) -> Iterator[Owed]:
    """What a customer owes, what has been due for longest first: open invoices, and what was paid out too much.

    The customer's lock keeps them as they are.
    """
    invoices = Invoice.objects.filter(customer=customer_id, settled_on__isnull=True, total_amount__gt=0)
    payouts = Payment.objects.filter(customer=customer_id, used_up_on__isnull=True, amount__lt=0)
    owed: list[tuple[date, Owed]] = [
        *((row.due_on, (row, row.outstanding_amount)) for row in invoices.order_by("pk").defer("snapshot")),
        *((row.date, (row, -row.credit_amount)) for row in payouts.order_by("pk")),
    ]
    for _, each in sorted(owed, key=lambda one: one[0]):
        yield each


def is_untouched(payment: Payment) -> bool:
    """Was nothing of it used before? Then it is rounded as if it came now."""
    return payment.allocated_amount == 0


def closed_by(cash: Payment, owed: Sequence[Owed], beside: Sequence[Part] = ()) -> list[Part]:
    """What cash closes once it is rounded to coins, in turn; nothing where it closes nothing so.

    ``beside`` settles some of the same, and isn't written yet.
    """
    before = cash.allocated_amount
    for count, (target, amount) in enumerate(owed):
        settled = sum((part.amount for part in beside if part.target == target), ZERO)
        is_closed = isinstance(target, Payment) or amount + settled == target.outstanding_amount
        if not is_closed or before >= cash.amount:
            break
        if rounding := rounding_of(cash.amount, before + amount):
            parts = [Part(cash, each, part) for each, part in owed[:count]]
            return [*parts, *rounded(cash, target, amount, rounding)]
        before += amount
    return []


def rounded(cash: Payment, target: Invoice | Payment, amount: Decimal, rounding: Decimal) -> list[Part]:
    """The parts by which cash closes the last ``amount`` of a target, when it is rounded by so much."""
    parts = [Part(cash, target, amount + rounding)]
    return [*parts, Part(cash, target, -rounding, is_rounding=True)] if rounding else parts


def spread(credits: Iterable[tuple[Payment | Invoice, Decimal]], owed: Iterable[Owed]) -> list[Part]:
    """So much of each credit for what is owed, in turn. Credit notes settle invoices alone."""
    parts: list[Part] = []
    left = dict(enumerate(credits))
    for target, amount in owed:
        for key, (source, most) in left.items():
            part = min(most, amount)
            if part > 0 and not (isinstance(source, Invoice) and isinstance(target, Payment)):
                parts.append(Part(source, target, part))
                left[key] = (source, most - part)
                amount -= part
    return parts


def write_allocations(actor: User, parts: Sequence[Part], now: datetime) -> None:
    """Write allocations, from today on, and what they make of their targets and sources."""
    Allocation.objects.bulk_create(
        Allocation(
            **_source(part),
            invoice=part.target if isinstance(part.target, Invoice) else None,
            payout=part.target if isinstance(part.target, Payment) else None,
            amount=part.amount,
            date=clock.business_date(now),
            user=actor,
            created_at=now,
        )
        for part in parts
    )
    documents: dict[int, Decimal] = defaultdict(Decimal)
    money: dict[int, Decimal] = defaultdict(Decimal)
    for part in parts:
        # A credit note's and a payout's amounts are negative.
        to, of = (documents if isinstance(row, Invoice) else money for row in (part.target, part.source))
        to[part.target.pk] += part.amount if isinstance(part.target, Invoice) else -part.amount
        if not part.is_rounding:
            of[part.source.pk] += part.amount if isinstance(part.source, Payment) else -part.amount
    given: dict[tuple[type, int], list[Payment | Invoice]] = defaultdict(list)
    for part in parts:
        for row in (part.target, part.source):
            given[type(row), row.pk].append(row)
    # What is open of the invoices that charged deposits.
    announce(*{part.target.customer_id: part.target.customer for part in parts}.values())
    for invoice in invoice_locks.invoices(documents):
        change_settled(invoice, documents[invoice.pk], last=_last_date(invoice), now=now)
        _take_over(given[Invoice, invoice.pk], invoice)
    for payment in locks.payments(money):
        _take_over(given[Payment, payment.pk], _with_allocated(payment, money[payment.pk]))


def _source(part: Part) -> dict[str, Any]:
    if isinstance(part.source, Invoice):
        return {"credit_note": part.source}
    return {"rounding_of" if part.is_rounding else "payment": part.source}


def _last_date(invoice: Invoice) -> date:
    of_it = Allocation.objects.filter(Q(invoice=invoice) | Q(credit_note=invoice))
    last: date = of_it.aggregate(last=Max("date"))["last"]
    return last


def _with_allocated(payment: Payment, amount: Decimal) -> Payment:
    payment.allocated_amount += amount
    payment.used_up_on = None
    if payment.credit_amount == 0:
        of_it = Allocation.objects.filter(Q(payment=payment) | Q(payout=payment))
        payment.used_up_on = of_it.aggregate(last=Max("date"))["last"]
    payment.save(update_fields=["allocated_amount", "used_up_on"])
    return payment


def _take_over(rows: Iterable[Payment | Invoice], locked: Payment | Invoice) -> None:
    """The caller's instances say what is stored now."""
    for row in rows:
        for name in locked.life_cycle:
            setattr(row, name, getattr(locked, name))


def standing_parts(allocations: QuerySet[Allocation]) -> list[Part]:
    """What stands of these allocations, by source and target. Their rows are as they were read.

    What a payment settles that was reversed stands no more: the two cancel each other.
    """
    keys = ("payment_id", "rounding_of_id", "credit_note_id", "invoice_id", "payout_id")
    rows = allocations.exclude(_UNDONE).order_by().values_list(*keys).annotate(total=added_up("amount"))
    # SQLite adds decimals as floats.
    standing = [(keys, to_cents(total)) for *keys, total in rows if to_cents(total)]
    payments = Payment.objects.in_bulk({pk for (*paid, _, _, out), _ in standing for pk in (*paid, out) if pk})
    invoices = Invoice.objects.in_bulk({pk for (_, _, note, of, _), _ in standing for pk in (note, of) if pk})
    return [
        Part(
            invoices[note] if note else payments[paid or rounded],
            invoices[of] if of else payments[out],
            total,
            is_rounding=bool(rounded),
        )
        for (paid, rounded, note, of, out), total in sorted(standing, key=lambda one: [key or 0 for key in one[0]])
    ]


_UNDONE = (
    Q(payment__reverses__isnull=False)
    | Q(payment__reversal__isnull=False)
    | Q(rounding_of__reverses__isnull=False)
    | Q(rounding_of__reversal__isnull=False)
    | Q(payout__reverses__isnull=False)
    | Q(payout__reversal__isnull=False)
)


def undo(actor: User, parts: Iterable[Part], now: datetime) -> None:
    """What stands, stands no more from today on."""
    write_allocations(actor, [replace(part, amount=-part.amount) for part in parts], now)


def require_standing(payment: Payment) -> None:
    if payment.reverses_id is not None or Payment.objects.filter(reverses=payment).exists():
        raise AlreadyReversed(f"{payment} is reversed already, or a reversal itself.")


def record_settling(
    actor: User, action: str, payment: Payment, *, answers: Sequence[Answer] = (), more: Mapping[str, object] = NOTHING
) -> None:
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
                Allocation.objects.filter(payment=payment, invoice__isnull=False)
                .values_list("invoice__invoice_number", flat=True)
                .distinct()
            ),
            **more,
        },
        answers=answers,
    )
