"""The only way in which stock moves.

A move takes a count of one equipment from one location to another. All moves of a command are held
together (`hold_stock`: balances locked and checked) and then written together (`post_movements`), so
that everything that may refuse a sale does so before it takes its number.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db import models
from django.db.models import Min, QuerySet
from django.db.transaction import on_commit

from accounts.models import User
from accounts.selectors import depot_at
from customers.models import Customer
from depots.models import Depot
from discrepancies.models import Discrepancy
from discrepancies.services import note_dated_behind, note_discrepancy, note_pushed_back
from equipment.models import Equipment
from fleet.models import Vehicle
from foundation import clock
from foundation.changes import announce
from foundation.entities import entity_name, model_of
from foundation.errors import Invalid
from foundation.limits import PIECES
from foundation.operations.occurrence import Approval
from foundation.operations.ordering import position_of
from foundation.operations.position import JUST_AFTER, Position
from inventory import locks
from inventory.errors import InsufficientStock
from inventory.locks import BalanceKey
from inventory.models import VIRTUAL_KINDS, Count, Inventory, Location, LocationKind, StockMovement
from inventory.services.counting import StandingCount, books_before, opens_the_books, standing_counts


@dataclass(frozen=True, slots=True)
class Move:
    """A count of one equipment on its way. ``attr`` names the input field that asked for it."""

    kind: StockMovement.Kind
    equipment: Equipment
    quantity: int
    from_location: Location
    from_condition: str
    to_location: Location
    to_condition: str
    attr: str | None = None
    count: Count | None = None
    """The count that the books are brought to; nothing moves then."""
    position: Position | None = None
    """Its place in the order of what happened, where that isn't the others'."""
    reverses: StockMovement | None = None

    @property
    def source(self) -> BalanceKey:
        return (self.from_location.pk, self.equipment.pk, self.from_condition)

    @property
    def target(self) -> BalanceKey:
        return (self.to_location.pk, self.equipment.pk, self.to_condition)


@dataclass(frozen=True, slots=True)
class StockHold:
    """Moves whose balances are locked and suffice, until the transaction ends.

    Among them what compensates for those that come before a count that stands.
    """

    moves: Sequence[Move]
    changed: Sequence[Inventory]
    occurred_at: datetime
    position: Position
    left: Mapping[BalanceKey, int]
    """What each balance that they touch comes to."""


@dataclass(frozen=True, slots=True)
class Place:
    """Names a location, whether its row exists already or not."""

    kind: LocationKind
    reference: str = ""
    depot: Depot | None = None
    customer: Customer | None = None
    vehicle_no: str = ""

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.reference}" if self.reference else str(self.kind)

    @property
    def fields(self) -> dict[str, Any]:
        """Of its row, beside the key."""
        return {"kind": self.kind, "depot": self.depot, "customer": self.customer, "vehicle_no": self.vehicle_no}


@dataclass(frozen=True, slots=True)
class SeenStock:
    """Locations and balances as they were without a lock: enough to refuse early, not to go on."""

    known: Mapping[str, Location]
    quantities: Mapping[BalanceKey, int]
    occurred_at: datetime
    now: datetime

    def locations(self, *places: Place) -> list[Location]:
        """In their order; one that nothing is known of has no row here."""
        return [self.known.get(place.key) or Location(key=place.key, **place.fields) for place in places]

    def require(self, moves: Sequence[Move], *, approval: Approval | None = None) -> Mapping[BalanceKey, int]:
        """What each balance comes to. Raises InsufficientStock, AmountOutOfRange as `hold_stock` would."""
        moves, compensations = self._with_compensations(moves)
        _require_there_when_counted(compensations, approval)
        _require_within(moves, _deltas(moves), self.quantities)
        return self.left(moves, compensated=True)

    def left(self, moves: Sequence[Move], *, compensated: bool = False) -> dict[BalanceKey, int]:
        """What each balance comes to, also below zero. ``compensated``: what counts have already is among the moves."""
        if not compensated:
            moves, _ = self._with_compensations(moves)
        return {key: self.quantities.get(key, 0) + delta for key, delta in _deltas(moves).items()}

    def _with_compensations(self, moves: Sequence[Move]) -> tuple[list[Move], list[Move]]:
        # What happens now comes after every count: nothing compensates for it.
        if self.occurred_at == self.now and not any(move.position for move in moves):
            return [*moves], []
        compensations = _in_order(moves, self.occurred_at, self.now)[1]
        return [*moves, *compensations], compensations


def depot_place(depot: Depot) -> Place:
    return Place(LocationKind.DEPOT, str(depot.pk), depot=depot)


def customer_place(customer: Customer) -> Place:
    return Place(LocationKind.CUSTOMER, str(customer.pk), customer=customer)


def vehicle_place(vehicle_no: str) -> Place:
    """A vehicle; FIELD for a driver without one."""
    return Place(LocationKind.VEHICLE, vehicle_no, vehicle_no=vehicle_no) if vehicle_no else Place(LocationKind.FIELD)


def locations(*places: Place) -> list[Location]:
    """The locations of these places, in their order; one that doesn't exist yet is made."""
    known = {row.key: row for row in Location.objects.filter(key__in=[place.key for place in places])}
    for place in places:
        if place.key not in known:
            known[place.key], _ = Location.objects.get_or_create(key=place.key, defaults=place.fields)
    return [known[place.key] for place in places]


def look_at_stock(
    keys: Iterable[str], equipment_ids: Iterable[int], *, occurred_at: datetime, now: datetime
) -> SeenStock:
    """What lies at these locations, named by their keys, for what happened then."""
    found = Inventory.objects.filter(location__key__in=set(keys), equipment__in=set(equipment_ids))
    rows = list(found.select_related("location"))
    return SeenStock(
        known={row.location.key: row.location for row in rows},
        quantities={(row.location_id, row.equipment_id, row.condition): row.quantity for row in rows},
        occurred_at=occurred_at,
        now=now,
    )


def hold_stock(
    moves: Sequence[Move], *, occurred_at: datetime, now: datetime, approval: Approval | None = None
) -> StockHold:
    """Lock every balance that the moves touch, in primary-key order, and check that they suffice.

    The moves count together: what comes in by one may go out by another. What comes before a count that stands was
    counted already, and is compensated against it at once; the books of the count's moment have to suffice for it too,
    unless somebody who may decide lets it happen (``approval``). Runs in the caller's transaction. Raises Invalid where
    nothing would move, InsufficientStock at the first move that draws on a balance that would fall below zero,
    AmountOutOfRange where too many would be in one place.
    """
    for move in moves:
        if move.quantity < 1:
            raise Invalid("At least one piece moves.", attr=move.attr)
    rows = lock_or_make_balances(*_touched(moves))
    # Only under the locks: who signs a count off holds the balances that it covers.
    position, compensations = _in_order(moves, occurred_at, now)
    if compensations:
        _require_there_when_counted(compensations, approval)
        moves = [*moves, *compensations]
        rows |= lock_or_make_balances(*_touched(compensations))
    deltas = _deltas(moves)
    _require_within(moves, deltas, {key: row.quantity for key, row in rows.items()})
    for key, row in rows.items():
        row.quantity += deltas[key]
    changed = [row for key, row in rows.items() if deltas[key]]
    left = {key: row.quantity for key, row in rows.items()}
    return StockHold(moves=moves, changed=changed, occurred_at=occurred_at, position=position, left=left)


def _touched(moves: Sequence[Move]) -> tuple[set[BalanceKey], dict[int, Location]]:
    keys = {key for move in moves for key in (move.source, move.target)}
    return keys, {place.pk: place for move in moves for place in (move.from_location, move.to_location)}


def _in_order(moves: Sequence[Move], occurred_at: datetime, now: datetime) -> tuple[Position, list[Move]]:
    """The moves' place in the order of what happened, and what compensates for them.

    What happens now comes after all counts that stand: they were made before.
    """
    position = position_of(occurred_at, Count.objects.standing())
    moved = [move for move in moves if move.count is None]
    ends = {end for move in moved for end in (move.source, move.target)}
    since = min([position.at, *(move.position.at for move in moved if move.position)])
    counts = standing_counts(ends, since=since) if ends else []
    if counts and occurred_at == now:
        position = replace(position, at=max(position.at, counts[-1].at + JUST_AFTER))
    return position, _compensations(moved, position, counts)


def _compensations(moves: Sequence[Move], position: Position, counts: Sequence[StandingCount]) -> list[Move]:
    """For each end that was counted after a move had happened: the same pieces back, against OUTSIDE.

    Once, against the first such count.
    """
    if not counts:
        return []
    [world] = locations(Place(LocationKind.OUTSIDE))
    found = []
    for move in moves:
        place = move.position or position
        for end, here, there, condition in (
            (move.target, move.to_location, world, move.to_condition),
            (move.source, world, move.from_location, move.from_condition),
        ):
            count = next((each for each in counts if each.covers(end) and place.at <= each.at), None)
            if count is not None:
                kind = StockMovement.Kind.COMPENSATION
                found.append(
                    Move(
                        kind, move.equipment, move.quantity, here, condition, there, condition, move.attr,
                        count=count.row,
                    )
                )  # fmt: skip
    return found


def _require_there_when_counted(compensations: Sequence[Move], approval: Approval | None) -> None:
    """Nothing leaves before a count that the books of its moment didn't have: what was found is no proof of it.

    What brings it may still arrive. Somebody who decides about what was kept knows more than the books; and of what was
    there before the books began they say nothing.
    """
    if approval is not None and approval.by is not None:
        return
    counts = {move.count.pk: move.count for move in compensations if move.count}
    had = {pk: books_before(count) for pk, count in counts.items()}
    for move in compensations:
        if move.count:
            arrives = move.target[0] != move.count.location_id
            had[move.count.pk][move.target[1:]] += move.quantity if arrives else -move.quantity
    for move in compensations:
        if not move.count or move.target[0] != move.count.location_id:
            continue
        short = -had[move.count.pk][move.target[1:]]
        if short > 0 and not opens_the_books(move.count, move.target[1:]):
            here = move.to_location
            refusal = InsufficientStock(
                f"{here} was counted since ({move.count}): the books of then have {short} {move.to_condition} of "
                f"{move.equipment.sku} too few for this. What brought them has not been recorded.",
                attr=move.attr,
            )
            refusal.waits_for = balance_name(here, move.equipment.pk, move.to_condition)
            raise refusal


def _deltas(moves: Sequence[Move]) -> dict[BalanceKey, int]:
    """By how much each balance changes."""
    deltas: dict[BalanceKey, int] = defaultdict(int)
    for move in moves:
        deltas[move.source] -= move.quantity
        deltas[move.target] += move.quantity
    return deltas


def _require_within(
    moves: Sequence[Move], deltas: Mapping[BalanceKey, int], quantities: Mapping[BalanceKey, int]
) -> None:
    for move in moves:
        has, location = quantities.get(move.source, 0), move.from_location
        if has + deltas[move.source] < 0 and not location.is_virtual:
            asked = sum(other.quantity for other in moves if other.source == move.source)
            refusal = InsufficientStock(
                f"Only {has} {move.from_condition} of {move.equipment.sku} at {location}; {asked} asked.",
                attr=move.attr,
            )
            refusal.waits_for = balance_name(location, move.equipment.pk, move.from_condition)
            raise refusal
    for move in moves:
        location = move.to_location
        if deltas[move.target] > 0 and not location.is_virtual:
            PIECES.require(quantities.get(move.target, 0) + deltas[move.target], attr=move.attr)


Told = Callable[[frozenset[str]], None]
_TOLD: list[Told] = []


def when_stock_is_gained[F: Told](function: F) -> F:
    """A function that is told, after each commit that may let more leave balances, which ones these are
    (`balance_name`), or whose device's operations stand elsewhere now (`device_name`).
    """
    _TOLD.append(function)
    return function


def balance_name(location: Location, equipment: int, condition: str) -> str:
    """A balance's name, whether its row exists already or not."""
    return f"{location.key} {equipment} {condition}"


_DEVICE = "device "


def device_name(device: str) -> str:
    """A device's (`Ordered.device`) among them: what it numbered above a count of its own stands behind that."""
    return f"{_DEVICE}{device}"


def is_device(name: str) -> bool:
    return name.startswith(_DEVICE)


def tell_of_gains(names: Iterable[str]) -> None:
    """Tell whoever wants to know, after the commit."""
    gained = frozenset(names)
    for tell in _TOLD if gained else ():
        on_commit(partial(tell, gained), robust=True)


def post_movements(
    hold: StockHold,
    *,
    actor: User,
    cause: models.Model,
    now: datetime,
    reason: str = "",
    of_another: Mapping[str, models.Model] | None = None,
) -> list[StockMovement]:
    """Write the held moves and the balances that they leave, each in one statement.

    ``of_another``: another row of the same model, as the cause of the moves of a kind. Nothing else writes balances.
    Runs in the caller's transaction, which holds the locks.
    """
    for row in hold.changed:
        row.updated_at = now
    Inventory.objects.bulk_update(hold.changed, ["quantity", "updated_at"])
    announce_holders(move.to_location.customer_id or move.from_location.customer_id for move in hold.moves)
    deltas = _deltas(hold.moves)
    tell_of_gains(
        balance_name(move.to_location, move.equipment.pk, move.to_condition)
        for move in hold.moves
        # Also what a count had already: the books of its moment have more.
        if (move.count is None or deltas[move.target] > 0) and not move.to_location.is_virtual
    )
    depot_id = depot_at(actor, hold.occurred_at)
    if hold.position.number is not None and hold.position.at > hold.occurred_at:
        note_pushed_back(cause, user=actor, occurred_at=hold.occurred_at, to=hold.position.at, now=now)
    _note_dated_behind(hold, cause, actor, now)
    _note_counted_already(hold, cause, actor, now)
    causes = of_another or {}
    return StockMovement.objects.bulk_create(
        StockMovement(
            equipment=move.equipment,
            quantity=move.quantity,
            from_location=move.from_location,
            from_condition=move.from_condition,
            to_location=move.to_location,
            to_condition=move.to_condition,
            kind=move.kind,
            cause_type=entity_name(cause),
            cause_id=causes.get(move.kind, cause).pk,
            reason=reason,
            user=actor,
            depot_id=depot_id,
            count=move.count,
            reverses=move.reverses,
            occurred_at=hold.occurred_at,
            created_at=now,
            date=clock.business_date(now),
            **(move.position or hold.position).columns,
        )
        for move in hold.moves
    )


def announce_holders(customer_ids: Iterable[int | None]) -> None:
    """Tell apps that these customers hold something else now. None: a place of nobody's."""
    announce(*(Customer(pk=pk) for pk in dict.fromkeys(customer_ids) if pk is not None))


def _note_dated_behind(hold: StockHold, cause: models.Model, actor: User, now: datetime) -> None:
    """Note what its device recorded before a count of the same place, and dates after it."""
    at = hold.position
    if at.number is None:
        return
    ends = {end.pk for move in hold.moves for end in (move.from_location, move.to_location)}
    counts = Count.objects.standing().filter(
        location__in=ends, device=at.device, device_number__gt=at.number, ordered_at__lt=at.at
    )
    if count := counts.order_by("ordered_at", "pk").first():
        note_dated_behind(cause, user=actor, occurred_at=hold.occurred_at, count=count.ordered_at, now=now)


def _note_counted_already(hold: StockHold, cause: models.Model, actor: User, now: datetime) -> None:
    """Note what is dated before a signed count: whoever signed it saw another figure.

    Also by its own device's word: a number that was left out may have been kept back. A correction is no signature
    under what was there. The depot of a counted vehicle is told as well.
    """
    counts = {
        move.count.pk: move.count for move in hold.moves if move.kind == StockMovement.Kind.COMPENSATION and move.count
    }
    # What never left is taken back where it was sold.
    position = next((move.position for move in hold.moves if move.position), None)
    for count in counts.values():
        if count.kind != Count.Kind.CORRECTION and count != cause:
            when = clock.in_words(position.at if position else hold.occurred_at)
            detail = f"Dated {when}, before {count}, and recorded after that was signed off: it was counted already."
            note_discrepancy(
                Discrepancy.Code.AFTER_COUNT, user=actor, about=cause, detail=detail, now=now, shown=when,
                billed=str(count), vehicle_depot=_vehicle_depot(count),
            )  # fmt: skip


def _vehicle_depot(count: Count) -> int | None:
    vehicles = Vehicle.objects.filter(number=count.location.vehicle_no) if count.kind == Count.Kind.VEHICLE else None
    return vehicles.values_list("depot", flat=True).first() if vehicles else None


def note_movements_dated_behind(count: Count) -> None:
    """Likewise, of a count that stands from now on: what had come already."""
    if count.device_number is None:
        return
    here = models.Q(from_location=count.location_id) | models.Q(to_location=count.location_id)
    moved = StockMovement.objects.filter(
        here,
        count__isnull=True,
        device=count.device,
        device_number__lt=count.device_number,
        ordered_at__gt=count.ordered_at,
    )
    for row in {(row.cause_type, row.cause_id): row for row in moved.select_related("user")}.values():
        cause = model_of(row.cause_type)._default_manager.get(pk=row.cause_id)
        note_dated_behind(
            cause, user=row.user, occurred_at=row.occurred_at, count=count.ordered_at, now=clock.now(), operation=""
        )


def order_movements(rows: QuerySet[StockMovement], moment: datetime) -> list[tuple[int, datetime]]:
    """Put movements at a moment, with what takes them back and was ordered before it: what is taken back was there.

    Answers the real places that this changes, each with the earliest moment. In the caller's transaction.
    """
    reversals = StockMovement.objects.filter(reverses__in=rows, ordered_at__lt=moment)
    moved = StockMovement.objects.filter(pk__in=list((rows | reversals).values_list("pk", flat=True)))
    for row in {(row.cause_type, row.cause_id): row for row in moved.select_related("user")}.values():
        cause = model_of(row.cause_type)._default_manager.get(pk=row.cause_id)
        note_pushed_back(cause, user=row.user, occurred_at=row.occurred_at, to=moment, now=clock.now(), operation="")
    changed: list[tuple[int, datetime]] = []
    for end in ("from_location", "to_location"):
        places = moved.exclude(**{f"{end}__kind__in": VIRTUAL_KINDS}).order_by().values_list(f"{end}_id")
        changed += places.annotate(earliest=Min("ordered_at"))
    moved.update(ordered_at=moment)
    return changed


def balance_at(location: Location, equipment: Equipment, condition: str) -> Inventory:
    """A balance, made at zero where there is none. Not locked."""
    balance, _ = Inventory.objects.get_or_create(
        location=location, equipment=equipment, condition=condition, defaults={"updated_at": clock.now()}
    )
    return balance


def lock_or_make_balances(keys: Iterable[BalanceKey], at: dict[int, Location]) -> dict[BalanceKey, Inventory]:
    """Every balance of these keys, locked in primary-key order; missing ones are made at zero first."""
    wanted = set(keys)
    rows = locks.balances(wanted)
    if missing := wanted - rows.keys():
        now = clock.now()
        Inventory.objects.bulk_create(
            (
                Inventory(
                    location_id=location_id,
                    equipment_id=equipment_id,
                    condition=condition,
                    may_be_negative=at[location_id].is_virtual,
                    updated_at=now,
                )
                for location_id, equipment_id, condition in sorted(missing)
            ),
            ignore_conflicts=True,
        )
        rows = locks.balances(wanted)
    return rows
