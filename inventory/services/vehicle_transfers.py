"""Goods from one vehicle to another one, on the road or in the yard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from accounts.selectors import vehicle_at
from audit.services import record
from equipment.models import Equipment
from fleet.models import Vehicle
from fleet.services import require_in_use
from foundation import clock
from foundation.access.capabilities import Capability, Scope
from foundation.commands import command
from foundation.errors import Denied, Invalid, UnknownReference
from foundation.limits import QUANTITY
from foundation.operations.idempotency import client_temp_id, idempotent
from foundation.operations.occurrence import Approval, require_recent
from inventory.models import StockMovement, VehicleTransfer, VehicleTransferItem
from inventory.services.depot_work import NewWorkItem
from inventory.services.stock import Move, hold_stock, locations, post_movements, vehicle_place
from sequences.services import take_numbers

TRANSFER_PREFIX = "VTR"


@dataclass(frozen=True, slots=True)
class NewVehicleTransfer:
    """What goes over, and between which vehicles, by their numbers. ``occurred_at`` None: now."""

    from_vehicle: str
    to_vehicle: str
    items: Sequence[NewWorkItem]
    reason: str = ""
    occurred_at: datetime | None = None


@command
@idempotent
def transfer_between_vehicles(
    *, actor: User, data: NewVehicleTransfer, approval: Approval | None = None
) -> VehicleTransfer:
    """Move cylinders from a vehicle to another one: all of the lines or none. Back again is another transfer.

    Who gives records it: from their own vehicle, from one of their depot's, or from any. Idempotent by
    (actor, client_temp_id). ``approval`` lets a kept one happen (see the sync app). Locks the balances in primary-key
    order, then a number ticket. Raises IdempotencyConflict, RefusedBefore, OccurredAtOutOfRange, UnknownReference,
    Denied, Invalid, VehicleInactive, InsufficientStock, AmountOutOfRange.
    """
    now = clock.now()
    occurred_at = data.occurred_at or now
    require_recent(occurred_at, now=now, approval=approval)
    source = _vehicle(actor, data.from_vehicle, attr="from_vehicle")
    target = _vehicle(actor, data.to_vehicle, attr="to_vehicle")
    _require_giving(actor, source, occurred_at)
    if source == target:
        raise Invalid("A transfer goes to another vehicle.", attr="to_vehicle")
    require_in_use(target, occurred_at, attr="to_vehicle")
    if not data.items:
        raise Invalid("A transfer needs at least one item.", attr="items")
    moves = _moves(actor, source, target, data.items)
    hold = hold_stock(moves, occurred_at=occurred_at, now=now, approval=approval)
    [number] = take_numbers(TRANSFER_PREFIX, day=clock.business_date(now))
    transfer: VehicleTransfer = VehicleTransfer.objects.create(
        transfer_number=number,
        from_vehicle=source,
        from_depot=source.depot,
        to_vehicle=target,
        to_depot=target.depot,
        reason=data.reason,
        user=actor,
        client_temp_id=client_temp_id(),
        occurred_at=occurred_at,
        created_at=now,
        date=clock.business_date(now),
    )
    VehicleTransferItem.objects.bulk_create(
        VehicleTransferItem(
            transfer=transfer, equipment=move.equipment, condition=move.from_condition, quantity=move.quantity
        )
        for move in moves
    )
    post_movements(hold, actor=actor, cause=transfer, now=now, reason=data.reason)
    record(
        actor=actor,
        action="inventory.vehicle_transfer.recorded",
        target=transfer,
        after={
            "transfer_number": number,
            "from_vehicle": source.number,
            "to_vehicle": target.number,
            "items": [f"{move.quantity} {move.equipment.sku} {move.from_condition}" for move in moves],
            **(approval.evidence if approval else {}),
        },
        reason=data.reason,
    )
    return transfer


def _vehicle(actor: User, number: str, *, attr: str) -> Vehicle:
    vehicle: Vehicle | None = Vehicle.objects.visible_to(actor).filter(number=number).select_related("depot").first()
    if vehicle is None:
        raise UnknownReference(number, attr=attr)
    return vehicle


def _require_giving(actor: User, source: Vehicle, occurred_at: datetime) -> None:
    match actor.scope(Capability.TRANSFER_GOODS):
        case Scope.ALL:
            return
        case Scope.DEPOT if actor.depot_id and source.depot_id == actor.depot_id:
            return
        case Scope.OWN if source.number == vehicle_at(actor, occurred_at):
            return
        case _:
            raise Denied("You can't take anything from that vehicle.", attr="from_vehicle")


def _moves(actor: User, source: Vehicle, target: Vehicle, items: Sequence[NewWorkItem]) -> list[Move]:
    """Inactive equipment moves too: it has to get home somehow."""
    known = {
        row.pk: row for row in Equipment.objects.visible_to(actor).filter(pk__in={item.equipment for item in items})
    }
    here, there = locations(vehicle_place(source.number), vehicle_place(target.number))
    moves = []
    for index, item in enumerate(items):
        QUANTITY.require(item.quantity, attr=f"items.{index}.quantity")
        if item.equipment not in known:
            raise UnknownReference(item.equipment, attr=f"items.{index}.equipment")
        moves.append(
            Move(
                StockMovement.Kind.VEHICLE_TRANSFER,
                known[item.equipment],
                item.quantity,
                here,
                item.condition,
                there,
                item.condition,
                f"items.{index}.quantity",
            )
        )
    return moves
