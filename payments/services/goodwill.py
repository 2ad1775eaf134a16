"""Money that is paid out to a customer though nothing is owed: no deposit's refund, and part of no account."""

from decimal import Decimal

from accounts.models import User
from audit.services import record
from customers import locks as customer_locks
from discrepancies.services import require_another_person
from foundation import clock, confirmations
from foundation.access.capabilities import Capability
from foundation.access.refusing import denied
from foundation.commands import command
from foundation.errors import Invalid, UnknownReference
from foundation.limits import AMOUNT
from foundation.operations.idempotency import client_temp_id, idempotent
from payments.models import Payment
from payments.selectors import serves
from payments.services.cash import cash_position, explain_count
from payments.services.payments import require_room_in_bag
from payments.unlikely import unlikely_payment


@command
@idempotent
def refund_goodwill(*, actor: User, customer_id: int, amount: Decimal, method: str, reason: str) -> Payment:
    """Pay so much out, for a reason. It is undone by reversing the payment.

    Idempotent by (actor, client_temp_id). Locks the customer. Raises Denied, UnknownReference, NeedsAnotherPerson,
    Invalid without a reason, AmountOutOfRange, Unconfirmed.
    """
    if not actor.can(Capability.REFUND_GOODWILL):
        raise denied(actor, Capability.REFUND_GOODWILL)
    customer = customer_locks.visible_customer(actor, customer_id)
    if customer is None:
        raise UnknownReference(customer_id, attr="customer")
    if not reason.strip():
        raise Invalid("A goodwill refund needs its reason.", attr="reason")
    AMOUNT.require(amount, attr="amount")
    if method == Payment.Method.CASH:
        require_room_in_bag(actor, -amount, attr="amount")
    now = clock.now()
    today = clock.business_date(now)
    asked = unlikely_payment(actor, customer, method, -amount, received_on=today, at=now, is_goodwill=True)
    answers = confirmations.require(asked)
    payment: Payment = Payment.objects.create(
        customer=customer,
        method=method,
        amount=-amount,
        received_on=today,
        remarks=reason,
        user=actor,
        depot_id=actor.depot_id,
        is_goodwill=True,
        client_temp_id=client_temp_id(),
        created_at=now,
        date=today,
        # It settles nothing, and leaves nothing to settle with.
        allocated_amount=-amount,
        used_up_on=today,
        **cash_position(now).columns,
    )
    explain_count(payment, is_now=True)
    # It takes nothing back: nobody else has a part in it, and who serves the customer isn't who pays.
    makers = [actor.pk] if serves(actor, customer) else []
    require_another_person(
        Capability.REFUND_GOODWILL, actor=actor, makers=makers, of=customer, document=payment, now=now,
        is_always_listed=True,
    )  # fmt: skip
    record(
        actor=actor,
        action="payments.goodwill.refunded",
        target=payment,
        after={"customer": customer.customer_code, "method": method, "amount": amount},
        reason=reason,
        answers=answers,
    )
    return payment
