"""Counts: what was found at a place at a moment, and the books brought to it.

Only a signed-off count counts. Whatever arrives afterwards and happened before it was counted already (see
`inventory.services.counting`), so that any order of arrival ends in the same books.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product

from django.db.models import Max, Min, Model, Q

from accounts.models import User
from accounts.selectors import depot_at, vehicle_used
from audit.services import record
from discrepancies.services import note_other_vehicle
from equipment.models import Equipment
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.access.refusing import denied
from foundation.commands import command
from foundation.errors import Denied, Invalid, UnknownReference
from foundation.limits import PIECES
from foundation.operations.idempotency import client_temp_id, idempotent
from foundation.operations.occurrence import Approval, require_past, require_recent
from foundation.operations.ordering import position_of, pushed_back
from foundation.operations.position import JUST_AFTER, Position
from foundation.remains import pending_for
from inventory import locks
from inventory.errors import CountContradicted, CountDecided, EarlierCountOpen, InsufficientStock
from inventory.models import Condition, Count, CountLine, Location, LocationKind, StockMovement
from inventory.selectors import Stock
from inventory.services.counting import Adjustment, StandingCount, adjustments, counts_of
from inventory.services.stock import (
    Move,
    Place,
    balance_name,
    device_name,
    hold_stock,
    locations,
    lock_or_make_balances,
    note_movements_dated_behind,
    order_movements,
    post_movements,
    tell_of_gains,
    vehicle_place,
)
from sequences.services import take_numbers

COUNT_PREFIX = "CNT"
VEHICLE_COUNT = "vehicle_count"
Status = Count.Status
_KINDS = {
    Count.Kind.VEHICLE: StockMovement.Kind.VARIANCE,
    Count.Kind.STOCK_TAKE: StockMovement.Kind.STOCK_TAKE,
    Count.Kind.CORRECTION: StockMovement.Kind.CORRECTION,
}


@dataclass(frozen=True, slots=True)
class CountedLine:
    """So many of this were found."""

    equipment: int
    condition: str
    quantity: int


@dataclass(frozen=True, slots=True)
class NewVehicleCount:
    """A blind count, as sent: what isn't named was not there.

    ``occurred_at`` None: now; ``vehicle`` None: the one assigned to the user then.
    """

    counts: Sequence[CountedLine] = ()
    vehicle: str | None = None
    remarks: str = ""
    occurred_at: datetime | None = None


@command
@idempotent
def record_vehicle_count(*, actor: User, data: NewVehicleCount, approval: Approval | None = None) -> Count:
    """Keep what somebody counted on a vehicle. The books stay as they are until somebody else signs it off.

    Idempotent by (actor, client_temp_id). ``approval`` lets a kept one happen (see the sync app). Locks a number
    ticket. Raises IdempotencyConflict, RefusedBefore, OccurredAtOutOfRange, UnknownReference, Invalid,
    AmountOutOfRange.
    """
    now = clock.now()
    occurred_at = data.occurred_at or now
    require_recent(occurred_at, now=now, approval=approval)
    require_past(occurred_at, now=now, attr="occurred_at")
    vehicle = vehicle_used(actor, data.vehicle, occurred_at)
    if not vehicle.number:
        raise Invalid("You had no vehicle then: please name the one that you counted.", attr="vehicle")
    counted = _counted(actor, data.counts)
    [place] = locations(vehicle_place(vehicle.number))
    count = make_count(
        actor, Count.Kind.VEHICLE, place, counted, occurred_at=occurred_at, now=now, remarks=data.remarks
    )
    note_other_vehicle(vehicle, user=actor, about=count, now=now)
    record(
        actor=actor,
        action="inventory.count.recorded",
        target=count,
        after={
            "count_number": count.count_number,
            "location": str(place),
            "occurred_at": occurred_at,
            "lines": said(count.lines.select_related("equipment")),
            **vehicle.evidence,
            **(approval.evidence if approval else {}),
        },
    )
    return count


@command
@idempotent
def sign_off_count(*, actor: User, count_id: int, remarks: str = "") -> Count:
    """Accept a vehicle's count: the books say of its moment what was counted, against OUTSIDE.

    Counts of a vehicle are decided in the order of their moments. Locks the count, the places, their balances in
    primary-key order. Raises Denied (also for one's own count), CountDecided, EarlierCountOpen, CountContradicted.
    """
    count = lock_undecided(actor, count_id)
    earlier = Count.objects.decidable_by(actor).filter(
        count.earlier_ones, location=count.location_id, kind=Count.Kind.VEHICLE, status=Status.COUNTED
    )
    if first := earlier.order_by("ordered_at", "pk").first():
        raise EarlierCountOpen(f"{first} of {clock.in_words(first.occurred_at)} comes first: decide about it before.")
    _decide(actor, count, Status.SIGNED_OFF, remarks)
    bring_to(count, actor=actor, cause=count, reason=remarks or f"Count {count}")
    _record_decision(actor, count, "inventory.count.signed_off")
    return count


@command
@idempotent
def reject_count(*, actor: User, count_id: int, remarks: str) -> Count:
    """Have it counted again; it leaves nothing. Whoever made it may take it back so, before anybody decided.

    Locks the count. Raises Denied, CountDecided, Invalid without remarks.
    """
    count = lock_undecided(actor, count_id, may_be_own=True)
    if not remarks.strip():
        raise Invalid("Please say why it has to be counted again.", attr="remarks")
    _decide(actor, count, Status.REJECTED, remarks)
    _record_decision(actor, count, "inventory.count.rejected")
    return count


def make_count(
    actor: User,
    kind: Count.Kind,
    location: Location,
    counted: Mapping[Stock, int],
    *,
    occurred_at: datetime,
    now: datetime,
    remarks: str,
) -> Count:
    """A count that is still to be decided. In the caller's transaction."""
    [number] = take_numbers(COUNT_PREFIX, day=clock.business_date(now))
    count: Count = Count.objects.create(
        count_number=number,
        kind=kind,
        location=location,
        is_complete=kind == Count.Kind.VEHICLE,
        depot_id=location.depot_id or depot_at(actor, occurred_at),
        user=actor,
        remarks=remarks,
        client_temp_id=client_temp_id(),
        occurred_at=occurred_at,
        created_at=now,
        date=clock.business_date(now),
        **_position(location, occurred_at, now).columns,
    )
    CountLine.objects.bulk_create(
        CountLine(count=count, equipment_id=equipment, condition=condition, quantity=quantity)
        for (equipment, condition), quantity in counted.items()
    )
    return count


def _position(location: Location, occurred_at: datetime, now: datetime) -> Position:
    """What is counted now comes after all that is recorded, also in the same instant."""
    position = position_of(occurred_at, Count.objects.standing())
    if occurred_at != now:
        return position
    here = Q(from_location=location) | Q(to_location=location)
    latest = StockMovement.objects.filter(here, ordered_at__gte=now).aggregate(latest=Max("ordered_at"))["latest"]
    return replace(position, at=latest + JUST_AFTER) if latest else position


def take_count(count: Count, *, actor: User, cause: Model, reason: str) -> dict[Stock, int]:
    """A count by who may correct the books: it stands at once. Answers what the books said of its moment."""
    _decide(actor, count, Status.SIGNED_OFF, "")
    return bring_to(count, actor=actor, cause=cause, reason=reason)


def bring_to(count: Count, *, actor: User, cause: Model, reason: str) -> dict[Stock, int]:
    """Post what a count that stands from now on takes, and keep what the books said beside each line.

    In the caller's transaction. Locks the places whose order changes, then their balances, in primary-key order.
    Raises CountContradicted where what moved later would not have been there.
    """
    now = clock.now()
    changed = _moved_behind(count)
    note_movements_dated_behind(count)
    changed[count.location_id] = min(changed.get(count.location_id, count.ordered_at), count.ordered_at)
    places = locks.places(changed)
    [world] = locations(Place(LocationKind.OUTSIDE))
    counted = {place.pk: counts_of([place.pk], since=changed[place.pk]) for place in places}
    places = [place for place in places if counted[place.pk]]
    stocks = {place.pk: _stocks(place, counted[place.pk]) for place in places}
    keys = {(pk, *stock) for place in places for stock in stocks[place.pk] for pk in (place.pk, world.pk)}
    rows = lock_or_make_balances(keys, {place.pk: place for place in (*places, world)})
    moves, expected = [], {}
    equipment = Equipment.objects.in_bulk({stock[0] for found in stocks.values() for stock in found})
    for place in places:
        balances = {stock: rows[place.pk, *stock].quantity for stock in stocks[place.pk]}
        for each in adjustments(place, counted[place.pk], balances):
            if each.count.pk == count.pk:
                expected[each.stock] = each.expected
            if each.difference:
                moves.append(_move(each, count, place, world, equipment[each.stock[0]]))
    try:
        hold = hold_stock(moves, occurred_at=count.occurred_at, now=now)
    except InsufficientStock as error:
        raise CountContradicted(_contradiction(actor, count, str(error.detail))) from error
    post_movements(hold, actor=actor, cause=cause, now=now, reason=reason)
    # What left before a count was counted as gone: it needs no stock any more.
    tell_of_gains(balance_name(place, *stock) for place in places for stock in _covered(counted[place.pk]))
    if count.device:
        tell_of_gains([device_name(count.device)])
    _keep_expected(count, expected)
    return expected


def _covered(counts: Sequence[StandingCount]) -> Iterable[Stock]:
    """Also what the books have never heard of there."""
    if any(count.row.is_complete for count in counts):
        return product(Equipment.objects.values_list("pk", flat=True), Condition.values)
    return {stock for count in counts for stock in count.lines}


def _moved_behind(count: Count) -> dict[int, datetime]:
    """Order behind a count what its own device numbered above it, whatever the time says.

    Answers the places that this changes, each with the earliest moment.
    """
    changed: dict[int, datetime] = {}
    for rows, moment in pushed_back(count, Count.objects, StockMovement.objects.filter(count__isnull=True)):
        found: Iterable[tuple[int, datetime]]
        if rows.model is StockMovement:
            found = order_movements(rows, moment)
        else:
            found = list(rows.order_by().values_list("location_id").annotate(earliest=Min("ordered_at")))
            rows.update(ordered_at=moment)
        for place, earliest in found:
            changed[place] = min(earliest, changed.get(place, earliest))
    return changed


def _stocks(place: Location, counts: Sequence[StandingCount]) -> set[Stock]:
    """What counts cover: what was counted, and of a complete one all that lies there."""
    counted = {stock for count in counts for stock in count.lines}
    if any(count.row.is_complete for count in counts):
        counted.update(place.inventories.values_list("equipment_id", "condition"))
    return counted


def _move(adjustment: Adjustment, count: Count, place: Location, world: Location, equipment: Equipment) -> Move:
    here, there = (world, place) if adjustment.difference > 0 else (place, world)
    is_own = adjustment.count.pk == count.pk
    condition = adjustment.stock[1]
    return Move(
        _KINDS[Count.Kind(count.kind)] if is_own else StockMovement.Kind.COMPENSATION,
        equipment,
        abs(adjustment.difference),
        here,
        condition,
        there,
        condition,
        count=adjustment.count,
    )


def _contradiction(reader: User, count: Count, detail: str) -> str:
    later = StockMovement.objects.filter(
        ordered_at__gt=count.ordered_at, from_location=count.location_id, count__isnull=True
    )
    named = [
        f"{row.get_kind_display().lower()} {row.quantity} {row.equipment.sku} at {clock.in_words(row.occurred_at)}"
        for row in later.select_related("equipment").order_by("ordered_at", "pk")[:5]
    ]
    under_way = pending_for(reader, count).in_words
    return (
        f"More left after the count than was counted. {detail} After it: {'; '.join(named) or 'nothing'}. Either a "
        "load before it has not arrived yet: then wait for that; or it was miscounted: then count again."
        + (f" Still on its way: {'; '.join(under_way)}." if under_way else "")
    )


def _keep_expected(count: Count, expected: Mapping[Stock, int]) -> None:
    """What nobody named and wasn't there gets a line too: it is missing."""
    lines = {(line.equipment_id, line.condition): line for line in count.lines.all()}
    for stock, line in lines.items():
        line.expected = expected[stock]
    CountLine.objects.bulk_update(lines.values(), ["expected"])
    CountLine.objects.bulk_create(
        CountLine(count=count, equipment_id=equipment, condition=condition, quantity=0, expected=pieces)
        for (equipment, condition), pieces in sorted(expected.items())
        if pieces and (equipment, condition) not in lines
    )


def _counted(counter: User, counts: Sequence[CountedLine]) -> dict[Stock, int]:
    counted: dict[Stock, int] = {}
    known = set(
        Equipment.objects.visible_to(counter)
        .filter(pk__in=[line.equipment for line in counts])
        .values_list("pk", flat=True)
    )
    for index, line in enumerate(counts):
        if line.equipment not in known:
            raise UnknownReference(line.equipment, attr=f"counts.{index}.equipment")
        if (line.equipment, line.condition) in counted:
            raise Invalid("The same equipment in the same condition is counted twice.", attr=f"counts.{index}")
        PIECES.require(line.quantity, attr=f"counts.{index}.quantity")
        counted[line.equipment, line.condition] = line.quantity
    return counted


def lock_undecided(actor: User, count_id: int, *, may_be_own: bool = False) -> Count:
    """A vehicle's count that the actor may decide about; ``may_be_own``: or made. Raises Denied, CountDecided."""
    count = locks.count(count_id)
    is_taken_back = may_be_own and count.user_id == actor.pk
    is_decidable = is_taken_back or Count.objects.decidable_by(actor).filter(pk=count_id).exists()
    if count.kind != Count.Kind.VEHICLE or not is_decidable:
        raise denied(actor, Capability.SIGN_OFF_SETTLEMENT)
    if count.user_id == actor.pk and not may_be_own:
        raise Denied("Somebody else has to sign off your count.")
    if count.status != Status.COUNTED:
        raise CountDecided(f"{count} is {count.get_status_display().split(':')[0].lower()} already.")
    return count


def _decide(actor: User, count: Count, status: Count.Status, remarks: str) -> None:
    count.status = status
    count.decided_by, count.decided_at, count.decision_remarks = actor, clock.now(), remarks
    count.save(update_fields=["status", "decided_by", "decided_at", "decision_remarks"])


def _record_decision(actor: User, count: Count, action: str) -> None:
    record(
        actor=actor,
        action=action,
        target=count,
        before={"status": Status.COUNTED},
        after={"status": count.status, "lines": said(count.lines.select_related("equipment"))},
        reason=count.decision_remarks,
    )


def said(lines: Iterable[CountLine]) -> list[str]:
    """For audit records."""
    return [
        f"{line.quantity} {line.equipment.sku} {line.condition}" + (f", {line.variance:+d}" if line.variance else "")
        for line in lines
    ]
