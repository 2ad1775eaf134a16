"""Changes of vehicles, and the rows that say who drives one.

Who drives what changes by the commands of `accounts.services.vehicles`, under the user's lock.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Model

from audit.services import create_recorded, update_recorded
from depots.errors import DepotInactive
from depots.models import Depot
from fleet import locks
from fleet.errors import VehicleInactive
from fleet.models import Assignment, PastVehicleDepot, Vehicle
from foundation import clock
from foundation.commands import command
from foundation.errors import Invalid, UnknownReference
from foundation.master_data import was_active, with_moment
from foundation.operations.idempotency import idempotent


@command
@idempotent
def create_vehicle(*, actor: Model, values: Mapping[str, object]) -> Vehicle:
    """Add a vehicle. ``values["depot"]`` is a depot's primary key or None.

    Raises UnknownReference, DepotInactive, Duplicate.
    """
    new = Vehicle()
    return create_recorded(actor=actor, action="fleet.vehicle.created", new=_changed(new, _checked(actor, new, values)))


@command
@idempotent
def update_vehicle(*, actor: Model, pk: int, changes: Mapping[str, object]) -> Vehicle:
    """Change anything but the number. What it did, and who saw it then, stays. Locks the row.

    Raises UnknownReference, DepotInactive, Invalid for another number.
    """
    target = locks.vehicle(pk)
    if changes.get("number", target.number) != target.number:
        raise Invalid(
            "Its documents name it by its number: add the other one, and transfer what is on this one.", attr="number"
        )
    checked = _checked(actor, target, changes)
    if "depot" in checked and checked["depot"] != target.depot:
        PastVehicleDepot.objects.create(vehicle=target, depot=target.depot, until=clock.now())
    update_recorded(actor=actor, action="fleet.vehicle.updated", target=target, changes=checked)
    return target


@command
@idempotent
def deactivate_vehicle(*, actor: Model, pk: int) -> Vehicle:
    """It can't be taken from now on; what happened on it before can still be recorded. Locks the row.

    `foundation.remains.remaining` tells what is still on it.
    """
    target = locks.vehicle(pk)
    update_recorded(
        actor=actor,
        action="fleet.vehicle.deactivated",
        target=target,
        changes=_checked(actor, target, {"is_active": False}),
    )
    return target


def vehicle_named(number: str, *, actor: Model, depot: Depot | None) -> Vehicle:
    """The vehicle of a number, as a user's form names it; one that isn't known yet is added, at that depot.

    Runs in the caller's transaction, whose actor may add vehicles.
    """
    known: Vehicle | None = Vehicle.objects.filter(number=number).first()
    if known is not None:
        return known
    home = depot.pk if depot is not None and depot.is_active else None
    return create_vehicle(actor=actor, values={"number": number, "depot": home})


def require_in_use(vehicle: Vehicle, at: datetime, *, attr: str | None) -> None:
    """Raise VehicleInactive where it was inactive at a moment."""
    if not was_active(vehicle, at):
        raise VehicleInactive(vehicle.number, attr=attr)


def require_number_in_use(number: str, at: datetime, *, attr: str | None) -> None:
    """Likewise of a vehicle that a document names by its number; empty: FIELD, which is always in use."""
    vehicle = Vehicle.objects.filter(number=number).first() if number else None
    if vehicle is not None:
        require_in_use(vehicle, at, attr=attr)


def add_assignment(new: Assignment) -> None:
    """Write a row of who drives what. Runs in the caller's transaction, which holds the user's lock."""
    new.save(force_insert=True)


def _changed(vehicle: Vehicle, values: Mapping[str, Any]) -> Vehicle:
    for name, value in values.items():
        setattr(vehicle, name, value)
    return vehicle


def _checked(actor: Model, target: Vehicle, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the model takes them, if the rules let the vehicle have them."""
    checked = dict(values)
    if "depot" in checked:
        checked["depot"] = _depot(actor, target, checked["depot"])
    return with_moment(target, checked)


def _depot(actor: Model, target: Vehicle, pk: int | None) -> Depot | None:
    if pk is None:
        return None
    depot: Depot | None = Depot.objects.visible_to(actor).filter(pk=pk).first()
    if depot is None:
        raise UnknownReference(pk, attr="depot")
    if not depot.is_active and pk != target.depot_id:
        raise DepotInactive(depot.code, attr="depot")
    return depot
