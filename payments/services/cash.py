"""Cash on its way to the office: counted by who took it, signed off by somebody else.

Each piece of cash is handed in with the first count that stands after it was taken, however late either arrives.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db.models import Min

from accounts import locks as user_locks
from accounts.models import User
from accounts.selectors import depot_at
from audit.services import record
from discrepancies.models import Discrepancy
from discrepancies.services import note_discrepancy, note_pushed_back
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.access.refusing import denied
from foundation.commands import command
from foundation.errors import Denied, Invalid
from foundation.limits import BALANCE
from foundation.money import shown
from foundation.operations.idempotency import client_temp_id, idempotent
from foundation.operations.occurrence import Approval, require_past, require_recent
from foundation.operations.ordering import position_of, pushed_back
from foundation.operations.position import JUST_AFTER, Position
from inventory.errors import EarlierCountOpen
from payments import locks
from payments.bag import Bag, BagRow, in_words, is_in_bags
from payments.errors import CashCountDecided
from payments.models import CashCount, CashExpense
from payments.selectors import cash_expected
from sequences.services import take_numbers

CASH_COUNT_PREFIX = "CSH"
CASH_COUNT = "cash_count"
Status = CashCount.Status


@dataclass(frozen=True, slots=True)
class NewCashCount:
    """What was found in the bag, as sent. ``occurred_at`` None: now."""

    cash: Decimal
    remarks: str = ""
    occurred_at: datetime | None = None


@command
@idempotent
def record_cash_count(*, actor: User, data: NewCashCount, approval: Approval | None = None) -> CashCount:
    """Keep what somebody counted in their cash bag. It stays there until somebody else signs it off.

    Idempotent by (actor, client_temp_id). ``approval`` lets a kept one happen (see the sync app). Locks a number
    ticket. Raises IdempotencyConflict, RefusedBefore, OccurredAtOutOfRange, AmountOutOfRange.
    """
    now = clock.now()
    occurred_at = data.occurred_at or now
    require_recent(occurred_at, now=now, approval=approval)
    require_past(occurred_at, now=now, attr="occurred_at")
    BALANCE.require(data.cash, attr="cash")
    position = position_of(occurred_at, CashCount.objects.standing())
    if occurred_at == now:
        # What is counted now comes after all that is recorded, also in the same instant.
        latest = Bag().filter(user=actor, ordered_at__gte=now).latest
        position = replace(position, at=latest + JUST_AFTER) if latest else position
    [number] = take_numbers(CASH_COUNT_PREFIX, day=clock.business_date(now))
    count: CashCount = CashCount.objects.create(
        count_number=number,
        depot_id=depot_at(actor, occurred_at),
        user=actor,
        cash=data.cash,
        remarks=data.remarks,
        client_temp_id=client_temp_id(),
        occurred_at=occurred_at,
        created_at=now,
        date=clock.business_date(now),
        **position.columns,
    )
    record(
        actor=actor,
        action="payments.cash_count.recorded",
        target=count,
        after={
            "count_number": number,
            "occurred_at": occurred_at,
            "cash": count.cash,
            **(approval.evidence if approval else {}),
        },
    )
    return count


@command
@idempotent
def sign_off_cash_count(*, actor: User, count_id: int, remarks: str = "") -> CashCount:
    """Take over the bag: all cash taken before the count is handed in with it; what differs stays on record.

    Somebody's bags are taken over in the order of their moments: each holds what the one before left. Locks the count,
    then its user's row: who records cash of theirs meanwhile waits. Raises Denied (also for one's own count),
    CashCountDecided, EarlierCountOpen.
    """
    count = _lock_undecided(actor, count_id)
    user_locks.users((count.user_id,))
    earlier = CashCount.objects.decidable_by(actor).filter(
        count.earlier_ones, user=count.user_id, status=Status.COUNTED
    )
    if first := earlier.order_by("ordered_at", "pk").first():
        raise EarlierCountOpen(f"{first} of {clock.in_words(first.occurred_at)} comes first: decide about it before.")
    _decide(actor, count, Status.SIGNED_OFF, remarks)
    _hand_in(count)
    _record_decision(actor, count, "payments.cash_count.signed_off")
    return count


@command
@idempotent
def reject_cash_count(*, actor: User, count_id: int, remarks: str) -> CashCount:
    """Have it counted again; whoever made it may take it back so, before anybody decided.

    Locks the count. Raises Denied, CashCountDecided, Invalid without remarks.
    """
    count = _lock_undecided(actor, count_id, may_be_own=True)
    if not remarks.strip():
        raise Invalid("Please say why it has to be counted again.", attr="remarks")
    _decide(actor, count, Status.REJECTED, remarks)
    _record_decision(actor, count, "payments.cash_count.rejected")
    return count


def cash_position(occurred_at: datetime) -> Position:
    """The place of money in the order of what happened, as far as its device says."""
    return position_of(occurred_at, CashCount.objects.standing())


def explain_count(row: BagRow, *, is_now: bool = False, occurred_at: datetime | None = None) -> None:
    """Hand cash in with the first count that stands after it was taken, or spent, if there is one.

    What is taken now comes after all of them; what stands behind a count though its time, ``occurred_at``, says before
    is noted. In the commit that made the row, after it: its row holds its user's,
    and who signs off waits for that.
    """
    if not is_in_bags(row):
        return
    if occurred_at is not None and row.ordered_at != occurred_at:
        note_pushed_back(row, user=row.user, occurred_at=occurred_at, to=row.ordered_at, now=row.created_at)
    counts = list(CashCount.objects.standing().filter(user=row.user_id, ordered_at__gte=row.ordered_at))
    if not counts:
        return
    if is_now:
        row.ordered_at = max(count.ordered_at for count in counts) + JUST_AFTER
    else:
        row.cash_count = min(counts, key=lambda each: each.order)
        _note_handed_in_already(row, row.cash_count)
    row.save(update_fields=["ordered_at", "cash_count"])


def _note_handed_in_already(row: BagRow, count: CashCount) -> None:
    """Note what changes a signed hand-in: cash of before, or what takes cash back.

    Also by its own device's word: a number that was left out may have been kept back.
    """
    happened = "spent" if isinstance(row, CashExpense) else "taken"
    what = "taken back" if row.reverses_id else happened
    detail = (
        f"{in_words(row)}, recorded as {what} after {count} was signed off, counts as "
        f"handed in with it: its variance is another one now."
    )
    note_discrepancy(
        Discrepancy.Code.AFTER_COUNT, user=row.user, about=row, detail=detail, now=row.created_at,
        shown=f"S$ {shown(row.amount)}", billed=str(count),
    )  # fmt: skip


def _hand_in(count: CashCount) -> None:
    """All that the count is the first after, now that it stands; likewise of the counts after it, and of what moved."""
    cash = Bag().filter(user=count.user_id)
    since = count.ordered_at
    for rows, moment in pushed_back(count, CashCount.objects, *cash):
        since = min(since, rows.aggregate(earliest=Min("ordered_at"))["earliest"] or since)
        for row in rows.select_related("user") if rows.model is not CashCount else ():
            note_pushed_back(row, user=row.user, occurred_at=row.ordered_at, to=moment, now=clock.now(), operation="")
        rows.update(ordered_at=moment)
    standing = CashCount.objects.standing().filter(user=count.user_id)
    earlier = standing.filter(ordered_at__lt=since).order_by("-ordered_at").first()
    if earlier is not None:
        cash = cash.filter(ordered_at__gt=earlier.ordered_at)
    changed: set[int | None] = set()
    for each in sorted(standing.filter(ordered_at__gte=since), key=lambda each: each.order):
        handed_in = cash.filter(ordered_at__lte=each.ordered_at).exclude(cash_count=each)
        if moved := handed_in.counts:
            changed |= {each.pk, *moved}
        handed_in.hand_in(each.pk)
        cash = cash.filter(ordered_at__gt=each.ordered_at)
    left = cash.exclude(cash_count=None)
    changed |= left.counts
    left.hand_in(None)
    for other in standing.filter(pk__in=changed - {count.pk, None}):
        note_discrepancy(
            Discrepancy.Code.AFTER_COUNT, user=other.user, about=other, now=clock.now(), shown=str(other),
            detail=f"{count} was signed off since: what was handed in with {other}, and its variance, are others now.",
            billed=str(count),
        )  # fmt: skip


def _lock_undecided(actor: User, count_id: int, *, may_be_own: bool = False) -> CashCount:
    count = locks.cash_count(count_id)
    is_taken_back = may_be_own and count.user_id == actor.pk
    if not (is_taken_back or CashCount.objects.decidable_by(actor).filter(pk=count_id).exists()):
        raise denied(actor, Capability.SIGN_OFF_SETTLEMENT)
    if count.user_id == actor.pk and not may_be_own:
        raise Denied("Somebody else has to sign off your count.")
    if count.status != Status.COUNTED:
        raise CashCountDecided(f"{count} is {count.get_status_display().split(':')[0].lower()} already.")
    return count


def _decide(actor: User, count: CashCount, status: CashCount.Status, remarks: str) -> None:
    count.status = status
    count.decided_by, count.decided_at, count.decision_remarks = actor, clock.now(), remarks
    count.save(update_fields=["status", "decided_by", "decided_at", "decision_remarks"])


def _record_decision(actor: User, count: CashCount, action: str) -> None:
    # Of what is counted again nobody is told what should have been there.
    expected = {"expected": cash_expected(count)} if count.status == Status.SIGNED_OFF else {}
    record(
        actor=actor,
        action=action,
        target=count,
        before={"status": Status.COUNTED},
        after={"status": count.status, "cash": count.cash, **expected},
        reason=count.decision_remarks,
    )
