"""Loading vehicles and taking cylinders back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from accounts.selectors import vehicle_used
from audit.services import record
from depots.errors import DepotInactive
from depots.models import Depot
from discrepancies.services import note_other_vehicle
from distribution import locks
from distribution.errors import NoVehicle
from distribution.models import Distribution, DistributionItem
from equipment.selectors import require_active
from fleet.services import require_number_in_use
from foundation import clock
from foundation.access.capabilities import Capability, Scope
from foundation.access.refusing import denied
from foundation.commands import command
from foundation.errors import Denied, Invalid, UnknownReference
from foundation.limits import QUANTITY
from foundation.master_data import was_active
from foundation.operations.idempotency import client_temp_id, idempotent
from foundation.operations.occurrence import Approval, require_recent
from inventory.models import StockMovement
from inventory.services import Move, depot_place, hold_stock, locations, post_movements, vehicle_place
from sequences.services import take_numbers

NUMBER_PREFIX = "DST"
OPERATION = "distribution.create"


@dataclass(frozen=True, slots=True)
class NewItem:
    """A line of a load, as asked for."""

    equipment: int
    direction: str
    condition: str
    quantity: int


@dataclass(frozen=True, slots=True)
class NewDistribution:
    """A load, as asked for. ``occurred_at`` None: now; ``vehicle`` None: the one assigned to the user then."""

    depot: int
    items: Sequence[NewItem]
    remarks: str = ""
    occurred_at: datetime | None = None
    vehicle: str | None = None


@command
@idempotent
def create_distribution(*, actor: User, data: NewDistribution, approval: Approval | None = None) -> Distribution:
    """Draft a load. Moves nothing.

    Idempotent by (actor, client_temp_id). ``approval`` lets a kept one happen (see the sync app). Locks a number
    ticket. Raises IdempotencyConflict, RefusedBefore, OccurredAtOutOfRange, Denied, DepotInactive,
    EquipmentInactive, UnknownReference, NoVehicle.
    """
    now = clock.now()
    occurred_at = data.occurred_at or now
    require_recent(occurred_at, now=now, approval=approval)
    depot = _depot_for(actor, data.depot, occurred_at)
    vehicle = vehicle_used(actor, data.vehicle, occurred_at)
    if not data.items:
        raise Invalid("A distribution needs at least one item.", attr="items")
    if _total(data.items, DistributionItem.Direction.IN):
        _require_unloadable(actor, vehicle.number, approval, attr="vehicle")
    for index, item in enumerate(data.items):
        QUANTITY.require(item.quantity, attr=f"items.{index}.quantity")
    unloaded = {n for n, item in enumerate(data.items) if item.direction == DistributionItem.Direction.IN}
    equipment = require_active(actor, [item.equipment for item in data.items], at=occurred_at, coming_back=unloaded)
    [number] = take_numbers(NUMBER_PREFIX, day=clock.business_date(now))
    distribution = Distribution.objects.create(
        distribution_number=number,
        depot=depot,
        user=actor,
        vehicle_no=vehicle.number,
        remarks=data.remarks,
        client_temp_id=client_temp_id(),
        total_collection=_total(data.items, DistributionItem.Direction.OUT),
        total_return=_total(data.items, DistributionItem.Direction.IN),
        occurred_at=occurred_at,
        created_at=now,
        date=clock.business_date(now),
    )
    DistributionItem.objects.bulk_create(
        DistributionItem(
            distribution=distribution,
            equipment=equipment[item.equipment],
            direction=item.direction,
            condition=item.condition,
            quantity=item.quantity,
        )
        for item in data.items
    )
    note_other_vehicle(vehicle, user=actor, about=distribution, now=now)
    record(
        actor=actor,
        action="distribution.created",
        target=distribution,
        after={
            "distribution_number": distribution.distribution_number,
            "depot": depot.code,
            "vehicle_no": distribution.vehicle_no,
            "total_collection": distribution.total_collection,
            "total_return": distribution.total_return,
            **vehicle.evidence,
            **(approval.evidence if approval else {}),
        },
    )
    return distribution


@command
@idempotent
def confirm_distribution(
    *, actor: User, distribution_id: int, occurred_at: datetime | None = None, approval: Approval | None = None
) -> Distribution:
    """Move every item of a draft between its depot and the vehicle, all or none, once.

    ``occurred_at`` is when it happened in the field; None: when the draft says so, else now. ``approval`` lets a kept
    one happen (see the sync app). Locks the distribution, then the balances it touches. Raises Denied,
    AlreadyConfirmed, DistributionCancelled, DepotInactive, VehicleInactive, NoVehicle, InsufficientStock.
    """
    distribution = _lock_own(actor, distribution_id)
    distribution.require_draft()
    now = clock.now()
    is_told = distribution.occurred_at != distribution.created_at
    happened = occurred_at or (distribution.occurred_at if is_told else now)
    if not was_active(distribution.depot, happened):
        raise DepotInactive(distribution.depot.code)
    if distribution.total_return:
        _require_unloadable(actor, distribution.vehicle_no, approval, attr=None)
    if distribution.total_collection:
        require_number_in_use(distribution.vehicle_no, happened, attr=None)
    hold = hold_stock(_moves_of(distribution), occurred_at=happened, now=now, approval=approval)
    post_movements(hold, actor=actor, cause=distribution, now=now)
    _move_to(distribution, Distribution.Status.CONFIRMED, confirmed_at=now, confirmed_by=actor)
    record(
        actor=actor,
        action="distribution.confirmed",
        target=distribution,
        before={"status": Distribution.Status.DRAFT},
        after={"status": distribution.status},
    )
    return distribution


@command
@idempotent
def cancel_distribution(*, actor: User, distribution_id: int) -> Distribution:
    """Give up a draft. Locks the distribution. Raises Denied, AlreadyConfirmed, DistributionCancelled."""
    distribution = _lock_own(actor, distribution_id)
    distribution.require_draft()
    _move_to(distribution, Distribution.Status.CANCELLED, cancelled_at=clock.now())
    record(
        actor=actor,
        action="distribution.cancelled",
        target=distribution,
        before={"status": Distribution.Status.DRAFT},
        after={"status": distribution.status},
    )
    return distribution


def _depot_for(actor: User, depot_id: int, at: datetime) -> Depot:
    depot: Depot | None = Depot.objects.visible_to(actor).filter(pk=depot_id).first()
    if depot is None:
        raise UnknownReference(depot_id, attr="depot")
    if actor.scope(Capability.CHANGE_DISTRIBUTIONS) is Scope.DEPOT and depot.pk != actor.depot_id:
        raise Denied("You can load and unload at your own depot only.", attr="depot")
    if not was_active(depot, at):
        raise DepotInactive(depot.code, attr="depot")
    return depot


def _require_unloadable(actor: User, vehicle_no: str, approval: Approval | None, *, attr: str | None) -> None:
    """Raise NoVehicle for drivers who bring what no vehicle carried: no balance says that they had it.

    Who takes it in at the depot, or decides about what was kept, sees it.
    """
    is_decided = approval is not None and approval.by is not None
    if not vehicle_no and not is_decided and actor.scope(Capability.CHANGE_DISTRIBUTIONS) is Scope.OWN:
        raise NoVehicle(
            "You had no vehicle to unload: please name it, or let the depot take in what you bring.", attr=attr
        )


def _total(items: Sequence[NewItem], direction: DistributionItem.Direction) -> int:
    return sum(item.quantity for item in items if item.direction == direction)


def _lock_own(actor: User, distribution_id: int) -> Distribution:
    distribution = locks.distribution(distribution_id)
    if not Distribution.objects.changeable_by(actor).filter(pk=distribution_id).exists():
        raise denied(actor, Capability.CHANGE_DISTRIBUTIONS)
    return distribution


def _moves_of(distribution: Distribution) -> list[Move]:
    depot, vehicle = locations(depot_place(distribution.depot), vehicle_place(distribution.vehicle_no))
    moves = []
    for index, item in enumerate(distribution.items.select_related("equipment")):
        if item.direction == DistributionItem.Direction.OUT:
            kind, here, there = StockMovement.Kind.DISTRIBUTION_OUT, depot, vehicle
        else:
            kind, here, there = StockMovement.Kind.DISTRIBUTION_IN, vehicle, depot
        moves.append(
            Move(
                kind=kind,
                equipment=item.equipment,
                quantity=item.quantity,
                from_location=here,
                from_condition=item.condition,
                to_location=there,
                to_condition=item.condition,
                attr=f"items.{index}.quantity",
            )
        )
    return moves


def _move_to(distribution: Distribution, status: Distribution.Status, **stamps: object) -> None:
    distribution.status = status
    for name, value in stamps.items():
        setattr(distribution, name, value)
    distribution.save(update_fields=["status", *stamps])
