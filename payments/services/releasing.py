"""What had settled a document that was voided, for the one that takes its place."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from accounts.models import User
from audit.services import record
from customers.models import Customer
from foundation import clock
from foundation.money import ZERO
from invoices.models import Invoice
from payments.models import Allocation, Payment
from payments.selectors import MOVED
from payments.services.allocations import Part, standing_parts, write_allocations
from payments.services.cash import explain_count
from payments.services.reversals import write_reversal


@dataclass(frozen=True, slots=True)
class Released:
    """The parts that settled a document whose total was ``total``."""

    parts: Sequence[Part]
    total: Decimal

    def settling(self, total: Decimal) -> list[Part]:
        """What of it settles another total. Of the same one it settles the same, with what cash was rounded by."""
        if total == self.total:
            return [*self.parts]
        settling, left = [], max(total, ZERO)
        for part in self.parts:
            amount = min(part.amount, left)
            if amount > 0 and not part.is_rounding:
                settling.append(replace(part, amount=amount))
                left -= amount
        return settling

    def amount(self, total: Decimal) -> Decimal:
        return sum((part.amount for part in self.settling(total)), ZERO)


def release(voided: Invoice, customer: Customer) -> Released:
    """What settles a document, before it is voided, and goes on to one of ``customer``. Under both customers' locks.

    Within one account all does. To another one only what was taken at the door with the voided one and settled nothing
    else, unless the bank's report has it: who paid that is certain.
    """
    parts = standing_parts(Allocation.objects.filter(invoice=voided))
    if customer.pk != voided.customer_id:
        along = [part for part in parts if _goes_along(part.source, parts)]
        # Cash was rounded as it closed the whole: of a part of that there is nothing to round.
        parts = along if len(along) == len(parts) else [part for part in along if not part.is_rounding]
    return Released(parts, voided.total_amount)


def _goes_along(source: Payment | Invoice, parts: Sequence[Part]) -> bool:
    if not isinstance(source, Payment) or not source.is_on_the_spot or source.banked_on is not None:
        return False
    settles = sum((part.amount for part in parts if part.source == source and not part.is_rounding), ZERO)
    return settles == source.amount


def settle_again(actor: User, released: Released, invoice: Invoice, *, now: datetime) -> None:
    """Let it settle the invoice that takes the voided one's place; the rest is credit.

    Another customer's is taken back there, and stands here, as what it was: the same bag held it all along. Runs in
    the caller's transaction, which holds both customers' locks, and whose record covers it.
    """
    moved: dict[int, Payment] = {}
    for source in dict.fromkeys(part.source for part in released.parts):
        if isinstance(source, Payment) and source.customer_id != invoice.customer_id:
            moved[source.pk] = _move(actor, Payment.objects.get(pk=source.pk), invoice.customer, now)
    parts = [
        replace(
            part, source=moved.get(part.source.pk, part.source) if isinstance(part.source, Payment) else part.source
        )
        for part in released.settling(invoice.outstanding_amount)
    ]
    write_allocations(actor, [replace(part, target=invoice) for part in parts], now)


def _move(actor: User, payment: Payment, customer: Customer, now: datetime) -> Payment:
    """The same money, of another customer. Cash of a bag stays in that bag, and in the count it was handed in with."""
    write_reversal(actor, payment, now)
    moved: Payment = Payment.objects.create(
        customer=customer,
        method=payment.method,
        amount=payment.amount,
        given=payment.given,
        received_on=payment.received_on,
        reference=payment.reference,
        remarks=payment.remarks,
        user=payment.user,
        depot_id=payment.depot_id,
        is_on_the_spot=True,
        created_at=now,
        date=clock.business_date(now),
        **payment.position.columns,
    )
    explain_count(moved)
    # Who pays out what is left of it, made it so: see `makers_of_credit`.
    record(
        actor=actor,
        action=MOVED,
        target=moved,
        after={"customer": customer.customer_code, "method": moved.method, "amount": moved.amount, "of": str(payment)},
    )
    return moved
