"""Who drives which vehicle: a ledger of assignments, and the present one on the user's row.

An assignment says where a sale without a named vehicle happened. What is recorded already stays where it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts import locks
from accounts.models import User
from accounts.selectors import depot_at, vehicle_at
from audit.services import record
from depots.models import Depot
from fleet.errors import AlreadyCorrected
from fleet.models import Assignment, Vehicle
from fleet.selectors import latest_assignment
from fleet.services import add_assignment, require_in_use, vehicle_named
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.access.refusing import denied
from foundation.access.scoping import rows_within
from foundation.commands import command
from foundation.errors import Invalid, UnknownReference
from foundation.operations.idempotency import client_temp_id, idempotent
from foundation.operations.occurrence import Approval, require_recent

TAKEN = "vehicle.taken"


@dataclass(frozen=True, slots=True)
class NewTaking:
    """A vehicle that somebody chose, by its number. ``occurred_at`` None: now."""

    vehicle: str
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewAssignment:
    """A user and the number of the vehicle that they drive; None: none. ``occurred_at`` None: now."""

    user: int
    vehicle: str | None
    occurred_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NewCorrection:
    """What an assignment should have said. ``occurred_at`` None: it began when it says."""

    assignment: int
    vehicle: str | None
    reason: str
    occurred_at: datetime | None = None


Told = Callable[[Assignment], None]
_TOLD: list[Told] = []


def when_taken[F: Told](function: F) -> F:
    """A function that is told, in its transaction, that somebody took a vehicle."""
    _TOLD.append(function)
    return function


@command
@idempotent
def take_vehicle(*, actor: User, data: NewTaking, approval: Approval | None = None) -> Assignment:
    """Drive a vehicle from a moment on, until one is taken or assigned that began later. Others may share it.

    Idempotent by (actor, client_temp_id). ``approval`` lets a kept one happen (see the sync app). Locks the actor's
    row; a caller that goes on with the actor reads them anew. Raises IdempotencyConflict, RefusedBefore,
    OccurredAtOutOfRange, UnknownReference, VehicleInactive.
    """
    now = clock.now()
    begins = _moment(data.occurred_at, now, approval)
    user = locks.users((actor.pk,))[actor.pk]
    vehicle = _vehicle(actor, data.vehicle, begins)
    new = _board(actor, user, _new(actor, user, vehicle, begins, now), action="fleet.vehicle.taken")
    for tell in _TOLD:
        tell(new)
    return new


@command
@idempotent
def assign_vehicle(*, actor: User, data: NewAssignment) -> Assignment:
    """Say which vehicle a user drives from a moment on; none: they sell from FIELD.

    Idempotent by (actor, client_temp_id). Locks the user. Raises IdempotencyConflict, OccurredAtOutOfRange,
    UnknownReference (also for a user beyond the actor's scope), VehicleInactive.
    """
    now = clock.now()
    begins = _moment(data.occurred_at, now)
    within = User.objects.get_queryset().filter(rows_within(actor, Capability.ASSIGN_VEHICLE, owner="pk"))
    if not within.filter(pk=data.user).exists():
        raise UnknownReference(data.user, attr="user")
    user = locks.users((data.user,))[data.user]
    vehicle = _vehicle(actor, data.vehicle, begins)
    new = _new(actor, user, vehicle, begins, now, reason=data.reason)
    return _board(actor, user, new, action="fleet.vehicle.assigned")


@command
@idempotent
def correct_assignment(*, actor: User, data: NewCorrection) -> Assignment:
    """Put another row in an assignment's place, for what is recorded from now on. Once for each row.

    Idempotent by (actor, client_temp_id). Locks the user. Raises IdempotencyConflict, UnknownReference, Denied,
    Invalid, AlreadyCorrected, VehicleInactive.
    """
    now = clock.now()
    wrong = Assignment.objects.visible_to(actor).filter(pk=data.assignment).first()
    if wrong is None:
        raise UnknownReference(data.assignment, attr="assignment")
    if not Assignment.objects.filter(rows_within(actor, Capability.ASSIGN_VEHICLE), pk=wrong.pk).exists():
        raise denied(actor, Capability.ASSIGN_VEHICLE)
    if not data.reason.strip():
        raise Invalid("A correction needs its reason.", attr="reason")
    if data.occurred_at is not None and data.occurred_at > now:
        raise Invalid("It can't begin in the future.", attr="occurred_at")
    user = locks.users((wrong.user_id,))[wrong.user_id]
    if Assignment.objects.filter(corrects=wrong).exists():
        raise AlreadyCorrected("This assignment was corrected already: please correct the correction.")
    begins = wrong.from_at if data.occurred_at is None else data.occurred_at
    vehicle = _vehicle(actor, data.vehicle, begins or now)
    new = _new(actor, user, vehicle, begins, now, reason=data.reason)
    new.depot, new.corrects = wrong.depot, wrong
    return _board(actor, user, new, action="fleet.assignment.corrected")


def assign_from(
    actor: User, user: User, number: str, begins: datetime | None, *, depot: Depot | None
) -> dict[str, Any]:
    """The row behind a user's form; answers the columns of the user's own row, which the caller writes.

    The user is new, or locked; ``depot`` is theirs from now on. ``begins`` None: from the beginning. A number that
    isn't known yet becomes a vehicle at that depot. Raises VehicleInactive.
    """
    now = clock.now()
    vehicle = vehicle_named(number, actor=actor, depot=depot) if number else None
    if vehicle is not None:
        require_in_use(vehicle, now, attr="vehicle_no")
    new = _new(actor, user, vehicle, begins, now)
    new.depot = depot
    _add(actor, user, new, action="fleet.vehicle.assigned")
    return _present(user)


def _moment(occurred_at: datetime | None, now: datetime, approval: Approval | None = None) -> datetime:
    """When it begins: never later than now, whatever a device's clock says."""
    if occurred_at is None:
        return now
    require_recent(occurred_at, now=now, approval=approval)
    return min(occurred_at, now)


def _vehicle(actor: User, number: str | None, at: datetime) -> Vehicle | None:
    if number is None:
        return None
    vehicle: Vehicle | None = Vehicle.objects.visible_to(actor).filter(number=number).first()
    if vehicle is None:
        raise UnknownReference(number, attr="vehicle")
    require_in_use(vehicle, at, attr="vehicle")
    return vehicle


def _new(
    actor: User, user: User, vehicle: Vehicle | None, begins: datetime | None, now: datetime, **more: Any
) -> Assignment:
    return Assignment(
        user=user,
        depot_id=depot_at(user, begins or now),
        vehicle=vehicle,
        from_at=begins,
        recorded_by=actor,
        client_temp_id=client_temp_id(),
        created_at=now,
        date=clock.business_date(now),
        **more,
    )


def _board(actor: User, user: User, new: Assignment, *, action: str) -> Assignment:
    """Add it, and write what counts now on the locked user's row."""
    _add(actor, user, new, action=action)
    present = _present(user)
    for name, value in present.items():
        setattr(user, name, value)
    user.save(update_fields=[*present])
    return new


def _add(actor: User, user: User, new: Assignment, *, action: str) -> None:
    before = {"vehicle_no": vehicle_at(user, new.from_at)} if new.from_at else None
    add_assignment(new)
    after: dict[str, object] = {
        "user": user.username,
        "vehicle_no": new.vehicle.number if new.vehicle else "",
        "from_at": new.from_at,
        **({"corrects": new.corrects_id} if new.corrects_id else {}),
    }
    record(actor=actor, action=action, target=new, before=before, after=after, reason=new.reason)


def _present(user: User) -> dict[str, Any]:
    """What counts now, as the user's row keeps it."""
    latest = latest_assignment(user.pk)
    vehicle = latest.vehicle if latest else None
    return {"vehicle_no": vehicle.number if vehicle else "", "vehicle_since": latest.from_at if latest else None}
