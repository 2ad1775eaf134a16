"""The only way in which stock moves.

A move takes a count of one equipment from one location to another. All moves of a command are held
together (`hold_stock`: balances locked and checked) and then written together (`post_movements`), so
that everything that may refuse a sale does so before it takes its number.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models

from accounts.models import User
from accounts.selectors import depot_at
from audit.services import record
from customers.models import Customer
from depots.models import Depot
from equipment.models import Equipment
from fleet.models import Vehicle
from foundation import clock
from foundation.access.capabilities import Capability, Scope
from foundation.commands import command
from foundation.entities import entity_name
from foundation.errors import Denied, Invalid, UnknownReference
from foundation.limits import PIECES
from foundation.operations.idempotency import idempotent
from inventory import locks
from inventory.errors import InsufficientStock
from inventory.locks import BalanceKey
from inventory.models import Condition, Inventory, Location, LocationKind, StockMovement


class Entity(models.TextChoices):
    """Whose stock is corrected."""

    DEPOT = "depot"
    CUSTOMER = "customer"
    VEHICLE = "vehicle"


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

    @property
    def source(self) -> BalanceKey:
        return (self.from_location.pk, self.equipment.pk, self.from_condition)

    @property
    def target(self) -> BalanceKey:
        return (self.to_location.pk, self.equipment.pk, self.to_condition)


@dataclass(frozen=True, slots=True)
class StockHold:
    """Moves whose balances are locked and suffice, until the transaction ends."""

    moves: Sequence[Move]
    changed: Sequence[Inventory]


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

    def locations(self, *places: Place) -> list[Location]:
        """In their order; one that nothing is known of has no row here."""
        return [self.known.get(place.key) or Location(key=place.key, **place.fields) for place in places]

    def require(self, moves: Sequence[Move]) -> None:
        """Raise InsufficientStock, AmountOutOfRange as `hold_stock` would."""
        _require_within(moves, _deltas(moves), self.quantities)


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


def look_at_stock(keys: Iterable[str], equipment_ids: Iterable[int]) -> SeenStock:
    """What lies at these locations, named by their keys."""
    found = Inventory.objects.filter(location__key__in=set(keys), equipment__in=set(equipment_ids))
    rows = list(found.select_related("location"))
    return SeenStock(
        known={row.location.key: row.location for row in rows},
        quantities={(row.location_id, row.equipment_id, row.condition): row.quantity for row in rows},
    )


def hold_stock(moves: Sequence[Move]) -> StockHold:
    """Lock every balance that the moves touch, in primary-key order, and check that they suffice.

    The moves count together: what comes in by one may go out by another. Runs in the caller's transaction.
    Raises Invalid where nothing would move, InsufficientStock at the first move that draws on a balance that would fall
    below zero, AmountOutOfRange where too many would be in one place.
    """
    for move in moves:
        if move.quantity < 1:
            raise Invalid("At least one piece moves.", attr=move.attr)
    deltas = _deltas(moves)
    touched = {location.pk: location for move in moves for location in (move.from_location, move.to_location)}
    rows = lock_or_make_balances(deltas, touched)
    _require_within(moves, deltas, {key: row.quantity for key, row in rows.items()})
    for key, row in rows.items():
        row.quantity += deltas[key]
    return StockHold(moves=moves, changed=[row for key, row in rows.items() if deltas[key]])


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
            raise InsufficientStock(
                f"Only {has} {move.from_condition} of {move.equipment.sku} at {location}; {asked} asked.",
                attr=move.attr,
            )
    for move in moves:
        location = move.to_location
        if deltas[move.target] > 0 and not location.is_virtual:
            PIECES.require(quantities.get(move.target, 0) + deltas[move.target], attr=move.attr)


def post_movements(
    hold: StockHold, *, actor: User, cause: models.Model, occurred_at: datetime, now: datetime, reason: str = ""
) -> list[StockMovement]:
    """Write the held moves and the balances that they leave, each in one statement.

    Nothing else writes balances. Runs in the caller's transaction, which holds the locks.
    """
    for row in hold.changed:
        row.updated_at = now
    Inventory.objects.bulk_update(hold.changed, ["quantity", "updated_at"])
    depot_id = depot_at(actor, occurred_at)
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
            cause_id=cause.pk,
            reason=reason,
            user=actor,
            depot_id=depot_id,
            occurred_at=occurred_at,
            created_at=now,
            date=clock.business_date(now),
        )
        for move in hold.moves
    )


@command
@idempotent
def correct_inventory(
    *, actor: User, entity: Entity, entity_id: str, equipment_id: int, condition: Condition, quantity: int, reason: str
) -> Inventory:
    """Bring one balance to the counted quantity, against OUTSIDE.

    ``entity_id`` is a depot's or customer's primary key, or a vehicle's number. Locks the balance and
    OUTSIDE's. A count that agrees moves nothing and is recorded all the same. Raises UnknownReference,
    Denied beyond the actor's scope, Invalid for a count that can't be or has no reason.
    """
    location, world = locations(_place_of(actor, entity, entity_id), Place(LocationKind.OUTSIDE))
    _require_correctable(actor, location)
    equipment = Equipment.objects.visible_to(actor).filter(pk=equipment_id).first()
    if equipment is None:
        raise UnknownReference(equipment_id, attr="equipment_id")
    if not reason.strip():
        raise Invalid("A correction needs its reason.", attr="reason")
    if quantity < 0:
        raise Invalid("A count can't be negative.", attr="quantity")
    PIECES.require(quantity, attr="quantity")
    if location.kind == LocationKind.CUSTOMER and condition != Condition.FULL:
        raise Invalid("At a customer's site cylinders are only counted: their condition is FULL.", attr="condition")
    now = clock.now()
    # Both ends are locked before either is read: the difference has to be to the balance as it is now.
    keys = {(location.pk, equipment.pk, str(condition)): 0, (world.pk, equipment.pk, str(condition)): 0}
    balance = lock_or_make_balances(keys, {location.pk: location, world.pk: world})[next(iter(keys))]
    before, difference = balance.quantity, quantity - balance.quantity
    if difference:
        here, there = (world, location) if difference > 0 else (location, world)
        move = Move(
            StockMovement.Kind.CORRECTION, equipment, abs(difference), here, condition, there, condition, "quantity"
        )
        hold = hold_stock([move])
        post_movements(hold, actor=actor, cause=balance, occurred_at=now, now=now, reason=reason)
        balance.quantity = quantity
    record(
        actor=actor,
        action="inventory.balance.corrected",
        target=balance,
        before={"quantity": before},
        after={
            "quantity": quantity,
            "location": str(location),
            "equipment": equipment.sku,
            "condition": str(condition),
        },
        reason=reason,
    )
    return balance


def _place_of(actor: User, entity: Entity, entity_id: str) -> Place:
    match entity:
        case Entity.VEHICLE if Vehicle.objects.visible_to(actor).filter(number=entity_id).exists():
            return vehicle_place(entity_id)
        case Entity.DEPOT if depot := Depot.objects.visible_to(actor).filter(pk=_key_of(entity_id)).first():
            return depot_place(depot)
        case Entity.CUSTOMER if customer := Customer.objects.visible_to(actor).filter(pk=_key_of(entity_id)).first():
            return customer_place(customer)
    raise UnknownReference(entity_id, attr="entity_id")


def _key_of(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _require_correctable(actor: User, location: Location) -> None:
    """ADMINs correct anywhere; a supervisor their own depot, its vehicles, and customers."""
    match actor.scope(Capability.CORRECT_INVENTORY):
        case Scope.ALL:
            return
        case Scope.DEPOT if Location.objects.visible_to(actor).filter(pk=location.pk).exists():
            return
        case _:
            raise Denied


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
