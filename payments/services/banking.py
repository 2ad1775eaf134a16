"""Money that came without cash: found in the bank's or the terminal's report.

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
