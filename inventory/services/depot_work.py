"""What depots do with cylinders besides loading them: refill, take in, pass on, write off, count.

Each is one document with its lines, its reason and its movements, all in one commit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models

from accounts.models import User
from audit.services import record
from depots.errors import DepotInactive
from depots.models import Depot
from discrepancies.services import require_another_person
from equipment.errors import EquipmentInactive
from equipment.models import Equipment
from foundation import clock, confirmations
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.commands import command
from foundation.confirmations import Answer
from foundation.entities import entity_name
from foundation.errors import AlreadyReversed, Denied, Invalid, UnknownReference
from foundation.limits import PIECES, QUANTITY, Limit
from foundation.master_data import was_active
from foundation.operations.idempotency import client_temp_id, idempotent
from foundation.operations.occurrence import require_past, require_recent
from inventory import locks
from inventory.models import Condition, Count, DepotWork, DepotWorkItem, LocationKind, StockMovement
from inventory.selectors import Stock
from inventory.services.counts import make_count, take_count
from inventory.services.stock import Move, Place, depot_place, hold_stock, locations, post_movements
from inventory.unlikely import unlikely_goods_in
from sequences.services import take_numbers

WORK_PREFIX = "WRK"
Kind = DepotWork.Kind

CONDITIONS = {
    Kind.REFILL: {Condition.EMPTY},
    Kind.GOODS_IN: {Condition.FULL, Condition.EMPTY},
    Kind.TRANSFER: {*Condition},
    Kind.DAMAGE: {Condition.FULL, Condition.EMPTY},
    Kind.SCRAP: {*Condition},
    Kind.EXCHANGE: {*Condition},
}
"""What can be refilled, taken in, passed on, found damaged, scrapped, given to the brand that owns it."""
_NEW_BUSINESS = frozenset({Kind.GOODS_IN, Kind.TRANSFER})
"""What an inactive equipment can't enter. What is there of it may still be written off."""
_WRITING_OFF = frozenset({Kind.SCRAP, Kind.STOCK_TAKE})
"""What corrects the books, and so takes the right to correct them."""


@dataclass(frozen=True, slots=True)
class NewWorkItem:
    """So many of this, in this condition (before the work)."""

    equipment: int
    condition: str
    quantity: int


@dataclass(frozen=True, slots=True)
class NewDepotWork:
    """A piece of work, as asked for. ``occurred_at`` None: now."""

    kind: str
    depot: int
    items: Sequence[NewWorkItem]
    reason: str
    to_depot: int | None = None
    reference: str = ""
    occurred_at: datetime | None = None


class WorkedGoods(models.TextChoices):
    """What became of the goods of depot work that is reversed."""

    NEVER_LEFT = "never_left", "It never happened"
    CAME_BACK = "came_back", "They go back now"


@dataclass(frozen=True, slots=True)
class NewReversal:
    """A piece of work to be reversed, why, and what became of its goods."""

    work: int
    reason: str
    goods: str = WorkedGoods.CAME_BACK


@dataclass(frozen=True, slots=True)
class DepotCount:
    """A stock-take, as asked for: what isn't named stays as it is. ``counted_at`` None: now."""

    depot: int
    items: Sequence[NewWorkItem]
    reason: str
    counted_at: datetime | None = None


@command
@idempotent
def record_depot_work(*, actor: User, data: NewDepotWork) -> DepotWork:
    """Refill, take goods in, transfer, set damaged ones apart, scrap, exchange: all of the lines or none.

    Idempotent by (actor, client_temp_id). Locks the balances in primary-key order, then a number ticket. Raises
    IdempotencyConflict, OccurredAtOutOfRange, UnknownReference, Denied, Invalid, DepotInactive, EquipmentInactive,
    InsufficientStock, Unconfirmed.
    """
    now = clock.now()
    occurred_at = data.occurred_at or now
    require_recent(occurred_at, now=now)
    kind = Kind(data.kind)
    depot = _depot_for(actor, kind, data.depot, occurred_at)
    to_depot = _target(actor, kind, depot, data.to_depot, occurred_at)
    _require_reason_and_items(data.reason, data.items, QUANTITY)
    equipment = _equipment(actor, data.items, active_at=occurred_at if kind in _NEW_BUSINESS else None)
    for index, item in enumerate(data.items):
        if item.condition not in CONDITIONS[kind]:
            allowed = ", ".join(sorted(CONDITIONS[kind]))
            raise Invalid(
                f"For {kind.label.lower()} the condition is one of {allowed}.", attr=f"items.{index}.condition"
            )
        if kind == Kind.EXCHANGE and not equipment[item.equipment].is_foreign:
            raise Invalid("Only another brand's shells are given away.", attr=f"items.{index}.equipment")
    hold = hold_stock(_moves(kind, depot, to_depot, data.items, equipment), occurred_at=occurred_at, now=now)
    lines = [(equipment[item.equipment], item.condition, item.quantity) for item in data.items]
    answers = confirmations.require(unlikely_goods_in(depot, lines, data.reference) if kind == Kind.GOODS_IN else ())
    work = _create(actor, kind, depot, to_depot, data.reason, data.reference, occurred_at, now)
    DepotWorkItem.objects.bulk_create(
        DepotWorkItem(work=work, equipment=equipment[item.equipment], condition=item.condition, quantity=item.quantity)
        for item in data.items
    )
    post_movements(hold, actor=actor, cause=work, now=now, reason=data.reason)
    if kind == Kind.SCRAP:
        # What was written off, nobody can look at any more.
        require_another_person(
            _needed(kind), actor=actor, makers=(), of=depot, document=work, now=now, is_always_listed=True
        )
    _record(actor, work, [f"{quantity} {row.sku} {condition}" for row, condition, quantity in lines], answers)
    return work


@command
@idempotent
def take_stock(*, actor: User, data: DepotCount) -> DepotWork:
    """Bring the books to what was counted at a depot, against OUTSIDE, in one commit.

    What the books said of that moment is kept beside each count. Idempotent by (actor, client_temp_id). Locks the
    place, the balances in primary-key order, number tickets. Raises IdempotencyConflict, OccurredAtOutOfRange,
    UnknownReference, Denied, Invalid, CountContradicted.
    """
    now = clock.now()
    counted_at = data.counted_at or now
    require_recent(counted_at, now=now)
    require_past(counted_at, now=now, attr="counted_at")
    depot = _depot_for(actor, Kind.STOCK_TAKE, data.depot, counted_at)
    _require_reason_and_items(data.reason, data.items, PIECES)
    equipment = _equipment(actor, data.items, active_at=None)
    [here] = locations(depot_place(depot))
    counted: dict[Stock, int] = {}
    for index, item in enumerate(data.items):
        if (item.equipment, item.condition) in counted:
            raise Invalid("The same equipment in the same condition is counted twice.", attr=f"items.{index}")
        counted[item.equipment, item.condition] = item.quantity
    count = make_count(
        actor, Count.Kind.STOCK_TAKE, here, counted, occurred_at=counted_at, now=now, remarks=data.reason
    )
    work = _create(actor, Kind.STOCK_TAKE, depot, None, data.reason, "", counted_at, now, count=count)
    expected = take_count(count, actor=actor, cause=work, reason=data.reason)
    DepotWorkItem.objects.bulk_create(
        DepotWorkItem(
            work=work,
            equipment=equipment[pk],
            condition=condition,
            quantity=quantity,
            expected=expected[pk, condition],
        )
        for (pk, condition), quantity in counted.items()
    )
    _record(
        actor,
        work,
        [
            f"{equipment[pk].sku} {condition}: {expected[pk, condition]} to {quantity}"
            for (pk, condition), quantity in counted.items()
        ],
    )
    return work


@command
@idempotent
def reverse_depot_work(*, actor: User, data: NewReversal) -> DepotWork:
    """Record what takes a piece of work back: its lines negated, its movements the other way round, at both ends.

    Goods that go back move now: a count that was made in between found the work done, and stays right. Work that never
    happened (``never_left``) is taken back at its own moment instead: a count since then didn't find it, has booked
    the difference already, and is explained. What compensated for the work isn't reversed; what compensates for its
    reversal stands beside it. Of whoever reverses it; the work keeps its own.

    Idempotent by (actor, client_temp_id). Locks the work, the balances in primary-key order, then a number ticket.
    Raises Denied, AlreadyReversed, NeedsAnotherPerson, DepotInactive where goods would come to a closed depot,
    InsufficientStock where they have moved on; Invalid without a reason, and for a stock-take: a count is superseded by
    another count.
    """
    now = clock.now()
    work = locks.depot_work(data.work)
    if not _may_reverse(actor, work):
        raise Denied("You can't do this work at that depot.")
    if not data.reason.strip():
        raise Invalid("A reversal needs its reason.", attr="reason")
    if work.kind == Kind.STOCK_TAKE:
        raise Invalid(f"{work} is a stock-take: another count supersedes it. Please count again.", attr=None)
    if _is_reversed(work):
        raise AlreadyReversed(f"{work} is reversed already, or a reversal itself.")
    hold = hold_stock(_moves_back(work, data.goods, now), occurred_at=now, now=now)
    reversal = _create(
        actor, Kind(work.kind), work.depot, work.to_depot, data.reason, work.reference, now, now, reverses=work
    )
    DepotWorkItem.objects.bulk_create(
        DepotWorkItem(work=reversal, equipment=item.equipment, condition=item.condition, quantity=-item.quantity)
        for item in work.items.order_by("pk")
    )
    post_movements(hold, actor=actor, cause=reversal, now=now, reason=data.reason)
    require_another_person(
        _needed(Kind(work.kind)), actor=actor, makers=[work.user_id], of=work, document=reversal, now=now
    )
    record(
        actor=actor,
        action="inventory.depot_work.reversed",
        target=work,
        after={"work_number": work.work_number, "reversal": reversal.work_number, "goods": data.goods},
        reason=data.reason,
    )
    return reversal


def _may_reverse(actor: User, work: DepotWork) -> bool:
    """May somebody do such work at its depot? Then they may take it back."""
    return DepotWork.objects.filter(rows_within(actor, _needed(Kind(work.kind))), pk=work.pk).exists()


def is_reversible(actor: User, work: DepotWork) -> bool:
    """Is there a reversal of it to be offered to somebody?"""
    return work.kind != Kind.STOCK_TAKE and not _is_reversed(work) and _may_reverse(actor, work)


def _is_reversed(work: DepotWork) -> bool:
    """Or a reversal itself."""
    return work.reverses_id is not None or DepotWork.objects.filter(reverses=work).exists()


def _moves_back(work: DepotWork, goods: str, now: datetime) -> list[Move]:
    """Each movement of the work, and nothing that compensated for it, the other way round; the last one first."""
    movements = StockMovement.objects.filter(cause_type=entity_name(work), cause_id=work.pk, count__isnull=True)
    ends = ("from_location__depot", "to_location__depot")
    moves = []
    for movement in movements.select_related("equipment", *ends).order_by("-pk"):
        here = movement.from_location
        comes_back = goods == WorkedGoods.CAME_BACK and here != movement.to_location
        if comes_back and here.depot is not None and not was_active(here.depot, now):
            raise DepotInactive(here.depot.code, attr="goods")
        moves.append(
            Move(
                kind=StockMovement.Kind.REVERSAL,
                equipment=movement.equipment,
                quantity=movement.quantity,
                from_location=movement.to_location,
                from_condition=movement.to_condition,
                to_location=here,
                to_condition=movement.from_condition,
                attr="goods",
                position=movement.position if goods == WorkedGoods.NEVER_LEFT else None,
                reverses=movement,
            )
        )
    return moves


def _needed(kind: DepotWork.Kind) -> Capability:
    return Capability.CORRECT_INVENTORY if kind in _WRITING_OFF else Capability.WORK_DEPOT


def _depot_for(actor: User, kind: DepotWork.Kind, depot_id: int, at: datetime) -> Depot:
    depot: Depot | None = Depot.objects.visible_to(actor).filter(pk=depot_id).first()
    if depot is None:
        raise UnknownReference(depot_id, attr="depot")
    if not Depot.objects.filter(rows_within(actor, _needed(kind), depot="pk"), pk=depot_id).exists():
        raise Denied("You can't do this work at that depot.", attr="depot")
    if kind in _NEW_BUSINESS and not was_active(depot, at):
        raise DepotInactive(depot.code, attr="depot")
    return depot


def _target(actor: User, kind: DepotWork.Kind, depot: Depot, to_depot_id: int | None, at: datetime) -> Depot | None:
    """Where a transfer goes: any depot, as a driver may load at any."""
    if kind != Kind.TRANSFER:
        if to_depot_id is not None:
            raise Invalid("Only a transfer goes to another depot.", attr="to_depot")
        return None
    if to_depot_id is None:
        raise Invalid("A transfer goes to another depot: please name it.", attr="to_depot")
    target: Depot | None = Depot.objects.visible_to(actor).filter(pk=to_depot_id).first()
    if target is None:
        raise UnknownReference(to_depot_id, attr="to_depot")
    if target.pk == depot.pk:
        raise Invalid("A transfer goes to another depot.", attr="to_depot")
    if not was_active(target, at):
        raise DepotInactive(target.code, attr="to_depot")
    return target


def _require_reason_and_items(reason: str, items: Sequence[NewWorkItem], most: Limit) -> None:
    if not reason.strip():
        raise Invalid("Please say why.", attr="reason")
    if not items:
        raise Invalid("There is nothing to do without items.", attr="items")
    for index, item in enumerate(items):
        most.require(item.quantity, attr=f"items.{index}.quantity")


def _equipment(actor: User, items: Sequence[NewWorkItem], *, active_at: datetime | None) -> dict[int, Equipment]:
    wanted = {item.equipment for item in items}
    found = {row.pk: row for row in Equipment.objects.visible_to(actor).filter(pk__in=wanted)}
    for index, item in enumerate(items):
        row = found.get(item.equipment)
        if row is None:
            raise UnknownReference(item.equipment, attr=f"items.{index}.equipment")
        if active_at is not None and not was_active(row, active_at):
            raise EquipmentInactive(row.sku, attr=f"items.{index}.equipment")
    return found


def _moves(
    kind: DepotWork.Kind,
    depot: Depot,
    to_depot: Depot | None,
    items: Iterable[NewWorkItem],
    equipment: dict[int, Equipment],
) -> list[Move]:
    here, world, *there = locations(
        depot_place(depot), Place(LocationKind.OUTSIDE), *([depot_place(to_depot)] if to_depot else [])
    )
    moves = []
    for index, item in enumerate(items):
        source, target = here, here
        condition: str = item.condition
        match kind:
            case Kind.REFILL:
                condition = Condition.FULL
            case Kind.DAMAGE:
                condition = Condition.DAMAGED
            case Kind.GOODS_IN:
                source = world
            case Kind.SCRAP | Kind.EXCHANGE:
                target = world
            case Kind.TRANSFER:
                [target] = there
        moves.append(
            Move(
                StockMovement.Kind(kind),
                equipment[item.equipment],
                item.quantity,
                source,
                item.condition,
                target,
                condition,
                f"items.{index}.quantity",
            )
        )
    return moves


def _create(
    actor: User,
    kind: DepotWork.Kind,
    depot: Depot,
    to_depot: Depot | None,
    reason: str,
    reference: str,
    occurred_at: datetime,
    now: datetime,
    *,
    count: Count | None = None,
    reverses: DepotWork | None = None,
) -> DepotWork:
    [number] = take_numbers(WORK_PREFIX, day=clock.business_date(now))
    work: DepotWork = DepotWork.objects.create(
        work_number=number,
        kind=kind,
        depot=depot,
        to_depot=to_depot,
        reason=reason,
        reference=reference,
        user=actor,
        count=count,
        reverses=reverses,
        client_temp_id=client_temp_id(),
        occurred_at=occurred_at,
        created_at=now,
        date=clock.business_date(now),
    )
    return work


def _record(actor: User, work: DepotWork, items: list[str], answers: Sequence[Answer] = ()) -> None:
    record(
        actor=actor,
        action="inventory.depot_work.recorded",
        target=work,
        after={
            "work_number": work.work_number,
            "kind": work.kind,
            "depot": work.depot.code,
            "to_depot": work.to_depot.code if work.to_depot else None,
            "items": items,
        },
        reason=work.reason,
        answers=answers,
    )
