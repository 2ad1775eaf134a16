"""Money that came without cash: found in the bank's or the terminal's report, or sent back by the bank.

Whoever took it doesn't say so themselves: who keeps cash and calls it PayNow stays on the list of what nobody found.
"""

from datetime import date

from accounts.models import User
from audit.services import record
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.access.refusing import denied
from foundation.access.scoping import rows_within
from foundation.commands import command
from foundation.errors import Denied, Invalid
from foundation.operations.idempotency import idempotent
from payments import locks
from payments.errors import NotBanked
from payments.models import Payment
from payments.services.allocations import require_standing
from payments.services.reversals import take_back


@command
@idempotent
def bank_payment(*, actor: User, payment_id: int, banked_on: date | None = None) -> Payment:
    """Say on which day the bank's or the terminal's report has a payment, a cheque being banked; None: today.

    Said again it is corrected. Locks the payment. Raises Denied (also for what one took oneself), Invalid for cash and
    for a day before the money came or after today, AlreadyReversed.
    """
    payment = _lock(actor, payment_id)
    require_standing(payment)
    today = clock.business_date(clock.now())
    if payment.method == Payment.Method.CASH:
        raise Invalid("Cash is handed in and counted.", attr="banked_on")
    day = banked_on or today
    if not payment.received_on <= day <= today:
        raise Invalid(f"{payment} came on {payment.received_on}: it was banked since then, by today.", attr="banked_on")
    _say(actor, payment, day, "payments.payment.banked")
    return payment


@command
@idempotent
def unbank_payment(*, actor: User, payment_id: int, reason: str) -> Payment:
    """Take that back: the report doesn't have it after all. Locks the payment.

    Raises Denied, NotBanked, Invalid, AlreadyReversed.
    """
    payment = _lock(actor, payment_id)
    if not reason.strip():
        raise Invalid("Please say why.", attr="reason")
    if payment.banked_on is None:
        raise NotBanked(f"Nobody has found {payment} in a report.")
    require_standing(payment)
    _say(actor, payment, None, "payments.payment.unbanked", reason=reason)
    return payment


@command
@idempotent
def bounce_cheque(*, actor: User, payment_id: int, reason: str) -> Payment:
    """The bank sent a cheque back: it is reversed, and what it settled is open again. Answers the reversal.

    Locks as `reverse_payment`, and raises what that does; Invalid for what is no cheque.
    """
    payment: Payment = Payment.objects.get(pk=payment_id)
    if payment.method != Payment.Method.CHEQUE or payment.amount < 0:
        raise Invalid(f"{payment} is no cheque of a customer's.", attr=None)
    reversal = take_back(actor, payment_id, reason)
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


def _lock(actor: User, payment_id: int) -> Payment:
    [payment] = locks.payments([payment_id])
    if not Payment.objects.filter(rows_within(actor, Capability.BANK_PAYMENT), pk=payment_id).exists():
        raise denied(actor, Capability.BANK_PAYMENT)
    if payment.user_id == actor.pk:
        raise Denied("Somebody else has to find what you took in the report.")
    return payment


def _say(actor: User, payment: Payment, banked_on: date | None, action: str, reason: str = "") -> None:
    before = payment.banked_on
    if before == banked_on:
        return
    payment.banked_on = banked_on
    payment.save(update_fields=["banked_on"])
    record(
        actor=actor,
        action=action,
        target=payment,
        before={"banked_on": before},
        after={"banked_on": banked_on},
        reason=reason,
    )
