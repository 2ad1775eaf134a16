"""Bring one balance to what was counted, by who may correct the books."""

from django.db import models

from accounts.models import User
from audit.services import record
from customers.models import Customer
from depots.models import Depot
from equipment.models import Equipment
from fleet.models import Vehicle
from fleet.selectors import latest_assignment
from fleet.services import require_number_in_use
from foundation import clock
from foundation.access.capabilities import Capability, Scope
from foundation.access.refusing import denied
from foundation.commands import command
from foundation.errors import Denied, Invalid, UnknownReference
from foundation.limits import PIECES
from foundation.operations.idempotency import idempotent
from inventory.models import Condition, Count, Inventory, Location, LocationKind
from inventory.services.counts import make_count, take_count
from inventory.services.stock import Place, balance_at, customer_place, depot_place, locations, vehicle_place


class Entity(models.TextChoices):
    """Whose stock is corrected."""

    DEPOT = "depot"
    CUSTOMER = "customer"
    VEHICLE = "vehicle"


@command
@idempotent
def correct_inventory(
    *, actor: User, entity: Entity, entity_id: str, equipment_id: int, condition: Condition, quantity: int, reason: str
) -> Inventory:
    """Bring one balance to the counted quantity, against OUTSIDE.

    ``entity_id`` is a depot's or customer's primary key, or a vehicle's number. It is a count of this moment; one that
    agrees moves nothing and is recorded all the same. Locks the place, the balance and OUTSIDE's, a number ticket.
    Raises UnknownReference, Denied beyond the actor's scope, Invalid for a count that can't be or has no reason,
    VehicleInactive where an inactive vehicle would be given something.
    """
    [location] = locations(_place_of(actor, entity, entity_id))
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
    stock = equipment.pk, str(condition)
    count = make_count(
        actor, Count.Kind.CORRECTION, location, {stock: quantity}, occurred_at=now, now=now, remarks=reason
    )
    # Not locked here: places come before balances.
    balance = balance_at(location, equipment, condition)
    before = take_count(count, actor=actor, cause=balance, reason=reason)[stock]
    if location.kind == LocationKind.VEHICLE and quantity > before:
        # What was there is known under the count's locks alone. Less may be found: it has to be emptied somehow.
        require_number_in_use(location.vehicle_no, now, attr="entity_id")
    balance.refresh_from_db()
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
    raise UnknownReference(entity_id, attr="entity_id", what=str(entity))


def _key_of(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _require_correctable(actor: User, location: Location) -> None:
    """ADMINs correct anywhere; a supervisor their own depot, its vehicles, and customers. Nobody what they drive."""
    driven = latest_assignment(actor.pk) if location.kind == LocationKind.VEHICLE else None
    if driven is not None and driven.vehicle is not None and driven.vehicle.number == location.vehicle_no:
        raise Denied("Somebody else has to correct the vehicle that you drive.")
    match actor.scope(Capability.CORRECT_INVENTORY):
        case Scope.ALL:
            return
        case Scope.DEPOT if Location.objects.visible_to(actor).filter(pk=location.pk).exists():
            return
        case _:
            raise denied(actor, Capability.CORRECT_INVENTORY)
