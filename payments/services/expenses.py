"""What somebody pays from the own cash bag: petrol, parking. Never edited: what takes one back is another one."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.models import User
from accounts.selectors import depot_at
from audit.services import record
from foundation import clock, confirmations
from foundation.access.capabilities import Capability
from foundation.access.refusing import denied
from foundation.access.scoping import rows_within
from foundation.commands import command
from foundation.errors import AlreadyReversed, Denied, Invalid
from foundation.limits import AMOUNT
from foundation.operations.idempotency import client_temp_id, idempotent
from foundation.operations.occurrence import Approval, require_recent
from payments import locks
from payments.models import CashExpense
from payments.services.cash import cash_position, explain_count
from payments.services.payments import require_room_in_bag
from payments.unlikely import unlikely_expense

EXPENSE_CREATE = "expense.create"


@dataclass(frozen=True, slots=True)
class NewExpense:
    """What was paid, as asked for. ``reference`` is the receipt's number. ``occurred_at`` None: now."""

    amount: Decimal
    reason: str
    reference: str = ""
    occurred_at: datetime | None = None


@command
@idempotent
def record_expense(*, actor: User, data: NewExpense, approval: Approval | None = None) -> CashExpense:
    """Record what the actor paid from the own cash bag: so much less is expected in it, even less than nothing.

    Like cash, it is handed in with the first count that stands after it was paid. Idempotent by (actor,
    client_temp_id). ``approval`` lets a kept one happen (see the sync app). Raises Denied, IdempotencyConflict,
    RefusedBefore, OccurredAtOutOfRange, Invalid without a reason, AmountOutOfRange, Unconfirmed.
    """
    if not actor.can(Capability.HAND_IN_CASH):
        raise denied(actor, Capability.HAND_IN_CASH)
    now = clock.now()
    occurred_at = data.occurred_at or now
    require_recent(occurred_at, now=now, approval=approval)
    if not data.reason.strip():
        raise Invalid("An expense needs its reason.", attr="reason")
    if data.amount <= 0:
        raise Invalid("An expense has an amount.", attr="amount")
    AMOUNT.require(data.amount, attr="amount")
    require_room_in_bag(actor, -data.amount, attr="amount")
    asked = unlikely_expense(actor, data.amount, data.reason, data.reference, at=occurred_at)
    answers = confirmations.require(asked)
    expense: CashExpense = CashExpense.objects.create(
        user=actor,
        depot_id=depot_at(actor, occurred_at),
        amount=data.amount,
        reason=data.reason,
        reference=data.reference,
        occurred_at=occurred_at,
        client_temp_id=client_temp_id(),
        created_at=now,
        date=clock.business_date(now),
        **cash_position(occurred_at).columns,
    )
    explain_count(expense, is_now=data.occurred_at is None, occurred_at=occurred_at)
    record(
        actor=actor,
        action="payments.expense.recorded",
        target=expense,
        after={
            "amount": data.amount,
            "reference": data.reference,
            "occurred_at": occurred_at,
            **(approval.evidence if approval else {}),
        },
        reason=data.reason,
        answers=answers,
    )
    return expense


@command
@idempotent
def reverse_expense(*, actor: User, expense_id: int, reason: str) -> CashExpense:
    """Take an expense back: it was entered wrongly. Whoever paid may, until it is handed in; others as a payment's.

    Answers the reversal. It stands beside the expense in the order of what happened: in the bag that it was paid from,
    or with what it was handed in with. Locks the user's row: who signs the bag off waits.
    Raises Denied, AlreadyReversed, AmountOutOfRange, Invalid without a reason.
    """
    expense = locks.bag_of_expense(expense_id)
    is_own = expense.user_id == actor.pk and expense.cash_count_id is None
    within = CashExpense.objects.filter(rows_within(actor, Capability.REVERSE_PAYMENT), pk=expense_id)
    if not (is_own or within.exists()):
        if expense.user_id == actor.pk:
            raise Denied(f"{expense} was handed in with {expense.cash_count}: a supervisor takes it back now.")
        raise denied(actor, Capability.REVERSE_PAYMENT)
    if not reason.strip():
        raise Invalid("A reversal needs its reason.", attr="reason")
    if expense.reverses_id is not None or CashExpense.objects.filter(reverses=expense).exists():
        raise AlreadyReversed(f"{expense} is reversed already, or a reversal itself.")
    if expense.cash_count_id is None:
        require_room_in_bag(expense.user, expense.amount, attr=None)
    now = clock.now()
    reversal: CashExpense = CashExpense.objects.create(
        user=expense.user,
        depot_id=expense.depot_id,
        amount=-expense.amount,
        reason=reason,
        reference=expense.reference,
        occurred_at=now,
        reverses=expense,
        client_temp_id=client_temp_id(),
        created_at=now,
        date=clock.business_date(now),
        **expense.position.columns,
    )
    explain_count(reversal)
    record(
        actor=actor,
        action="payments.expense.reversed",
        target=expense,
        after={"reversal": reversal.pk, "amount": reversal.amount},
        reason=reason,
    )
    return reversal
