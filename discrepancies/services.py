"""Noting a discrepancy beside what it is about, and seeing to it."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db.models import Model

from accounts.models import User
from accounts.selectors import VehicleUsed, who_may
from accounts.services import when_taken
from audit.services import record
from discrepancies import locks
from discrepancies.errors import AlreadySeen, NeedsAnotherPerson
from discrepancies.models import Discrepancy, DiscrepancySeen
from fleet.models import Assignment, Vehicle
from fleet.selectors import assignment_after
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.access.refusing import denied
from foundation.commands import command
from foundation.entities import entity_name
from foundation.errors import Denied
from foundation.operations.idempotency import client_temp_id, idempotent

Code = Discrepancy.Code


def note_discrepancy(
    code: Code,
    *,
    user: User,
    about: Model,
    detail: str,
    now: datetime,
    shown: object = "",
    billed: object = "",
    operation: str | None = None,
    vehicle_depot: int | None = None,
) -> Discrepancy:
    """Note where what ``about`` records differs from what the field saw. Runs in the transaction that records it.

    ``operation`` is the client_temp_id of whose operation it was; None: of the one that is being carried out.
    ``vehicle_depot`` is the primary key of the depot of the vehicle that it is about, which is told as well.
    """
    noted: Discrepancy = Discrepancy.objects.create(
        code=code,
        user=user,
        depot_id=getattr(about, "depot_id", user.depot_id),
        vehicle_depot_id=vehicle_depot,
        client_temp_id=(client_temp_id() if operation is None else operation) or "",
        entity_type=entity_name(about),
        entity_id=about.pk,
        shown=str(shown)[:100],
        billed=str(billed)[:100],
        detail=detail[:300],
        created_at=now,
        date=clock.business_date(now),
    )
    return noted


def require_another_person(
    capability: Capability,
    *,
    actor: User,
    makers: Iterable[int],
    of: Model,
    document: Model,
    now: datetime,
    is_always_listed: bool = False,
) -> None:
    """Four eyes: what somebody recorded is taken back, or paid out, by another person, or listed for one (FOUR_EYES).

    ``makers`` are the primary keys of those who made what is taken back or paid out, and ``of`` is that; ``document``
    is what does so, written already, in the same transaction; ``capability`` is what another person needs for it.
    ``is_always_listed``: nobody else has a part in it in any case. Runs in the transaction that records the document.
    Raises NeedsAnotherPerson where another person is required.
    """
    is_own = actor.pk in {*makers}
    if settings.FOUR_EYES == "off" or not (is_own or is_always_listed):
        return
    if is_own and settings.FOUR_EYES == "require":
        others = who_may(capability, getattr(document, "depot_id", None), besides=actor)
        who = f"{' or '.join(others)} may." if others else "Nobody else may: an administrator can change that."
        raise NeedsAnotherPerson(f"You recorded {of} yourself: another person has to do this. {who}")
    detail = f"{document} is of {of}, by the same person." if is_own else f"{document} of {of} is one person's alone."
    note_discrepancy(Code.OWN_CORRECTION, user=actor, about=document, detail=detail, now=now, shown=of, billed=document)


def note_pushed_back(
    about: Model, *, user: User, occurred_at: datetime, to: datetime, now: datetime, operation: str | None = None
) -> None:
    """Note what follows a count of its own device though its time says before: it can't explain what was missing."""
    detail = f"Its time says {clock.in_words(occurred_at)}; its device had counted by {clock.in_words(to)} already."
    note_discrepancy(
        Code.AFTER_COUNT, user=user, about=about, detail=detail, now=now,
        shown=clock.in_words(occurred_at), billed=clock.in_words(to), operation=operation,
    )  # fmt: skip


def note_dated_behind(
    about: Model, *, user: User, occurred_at: datetime, count: datetime, now: datetime, operation: str | None = None
) -> None:
    """Note what a device recorded before a count of its own and dates after it: it may be what was missing there."""
    told, counted = clock.in_words(occurred_at), clock.in_words(count)
    detail = f"Its time says {told}; its device recorded it before the count of {counted}, where it may be missing."
    note_discrepancy(
        Code.AFTER_COUNT, user=user, about=about, detail=detail, now=now,
        shown=told, billed=counted, operation=operation,
    )  # fmt: skip


def note_other_vehicle(used: VehicleUsed, *, user: User, about: Model, now: datetime) -> None:
    """Note where an operation's vehicle isn't the one that its user was assigned to then. Likewise."""
    if used.number != used.assigned:
        detail = f"{used.number} is named; assigned was {used.assigned or 'none'}."
        note_discrepancy(
            Code.VEHICLE_NOT_ASSIGNED,
            user=user,
            about=about,
            detail=detail,
            now=now,
            shown=used.number,
            billed=used.assigned,
            vehicle_depot=Vehicle.objects.filter(number=used.number).values_list("depot", flat=True).first(),
        )


@when_taken
def note_vehicle_of_another_depot(taken: Assignment) -> None:
    """Note where somebody took a vehicle of another depot than theirs: both depots' supervisors are told."""
    vehicle = taken.vehicle
    if vehicle is None or vehicle.depot_id in (None, taken.depot_id):
        return
    note_discrepancy(
        Code.VEHICLE_OF_ANOTHER_DEPOT,
        user=taken.user,
        about=taken,
        detail=f"{taken.user} of {taken.depot or 'no depot'} took {vehicle.number} of {vehicle.depot}.",
        now=taken.created_at,
        shown=vehicle.number,
        vehicle_depot=vehicle.depot_id,
    )


@when_taken
def note_vehicle_taken_before_another(taken: Assignment) -> None:
    """Note where somebody took a vehicle from a moment on at which the books had others follow already.

    Else what they sold from it in between would look as if it had been theirs all along.
    """
    vehicle, begins = taken.vehicle, taken.from_at
    later = assignment_after(taken.user_id, begins) if begins else None
    if vehicle is None or begins is None or later is None or later.from_at is None:
        return
    following = later.vehicle.number if later.vehicle else "none"
    note_discrepancy(
        Code.VEHICLE_NOT_ASSIGNED,
        user=taken.user,
        about=taken,
        detail=f"{taken.user} took {vehicle} from {clock.in_words(begins)} on; it was recorded after "
        f"{following}, which they were assigned to from {clock.in_words(later.from_at)} on.",
        now=taken.created_at,
        shown=vehicle.number,
        billed=following,
        vehicle_depot=vehicle.depot_id,
    )


@command
@idempotent
def see_to_discrepancy(*, actor: User, discrepancy_id: int, remarks: str = "") -> Discrepancy:
    """Say that it was seen to. Locks it. Raises Denied (also for one's own operation), AlreadySeen."""
    discrepancy = locks.discrepancy(discrepancy_id)
    if not Discrepancy.objects.decidable_by(actor).filter(pk=discrepancy_id).exists():
        raise denied(actor, Capability.SETTLE_CONFLICTS)
    if discrepancy.user_id == actor.pk:
        raise Denied("Somebody else has to mark what differs in your own operation as seen.")
    if DiscrepancySeen.objects.filter(discrepancy=discrepancy).exists():
        raise AlreadySeen("Somebody has seen to this already.")
    DiscrepancySeen.objects.create(discrepancy=discrepancy, by=actor, at=clock.now(), remarks=remarks)
    record(
        actor=actor,
        action="discrepancies.seen",
        target=discrepancy,
        after={"code": discrepancy.code, "remarks": remarks},
    )
    return discrepancy
