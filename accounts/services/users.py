"""Changes of users."""

from collections.abc import Mapping
from typing import Any

from accounts import locks
from accounts.errors import DepotRequired, OwnAccount
from accounts.models import PastDepot, User
from accounts.services.sessions import end_all_sessions
from accounts.services.vehicles import assign_from
from audit.services import create_recorded, record, update_recorded
from depots.errors import DepotInactive
from depots.models import Depot
from foundation import clock
from foundation.access.capabilities import Capability, Scope, scope_of
from foundation.access.refusing import denied
from foundation.commands import command
from foundation.errors import Duplicate, UnknownReference
from foundation.master_data import with_moment
from foundation.operations.idempotency import idempotent


@command
@idempotent
def create_user(*, actor: User, password: str, values: Mapping[str, object]) -> User:
    """Add a user. ``values["depot"]`` is a depot's primary key or None; the vehicle is theirs from the beginning.

    Raises UnknownReference, DepotInactive, DepotRequired, VehicleInactive, Duplicate.
    """
    new = User()
    for name, value in _checked(actor, new, values).items():
        setattr(new, name, value)
    new.set_password(password)
    hidden = ("password", "last_login", "vehicle_since", "depot_since", "deactivated_at")
    create_recorded(actor=actor, action="accounts.user.created", new=new, hidden=hidden)
    if new.vehicle_no:
        assign_from(actor, new, new.vehicle_no, None, depot=new.depot)
    return new


@command
@idempotent
def update_user(*, actor: User, pk: int, changes: Mapping[str, object]) -> User:
    """Change anything but the password. Another vehicle or depot counts from now on. Deactivated so, refresh tokens end
    too.

    Locks actor and user. Raises OwnAccount and what `create_user` raises.
    """
    target = _locked(actor, pk)
    checked = _checked(actor, target, changes)
    number = checked.get("vehicle_no", target.vehicle_no)
    if number != target.vehicle_no:
        checked |= assign_from(actor, target, number, clock.now(), depot=checked.get("depot", target.depot))
    if "depot" in checked and checked["depot"] != target.depot:
        checked["depot_since"] = clock.now()
        PastDepot.objects.create(user=target, depot=target.depot, until=checked["depot_since"])
    _change(actor, target, "accounts.user.updated", checked)
    return target


@command
@idempotent
def deactivate_user(*, actor: User, pk: int) -> User:
    """Let them in no more, from the next request on; what they did stays readable.

    Locks actor and user. Raises OwnAccount.
    """
    target = _locked(actor, pk)
    _change(actor, target, "accounts.user.deactivated", {"is_active": False})
    return target


@command
@idempotent
def set_password(*, actor: User, pk: int, password: str) -> User:
    """Give a user a new password. All their tokens end: refresh tokens here, access tokens by their claim.

    Locks actor and user.
    """
    target = _locked(actor, pk)
    target.set_password(password)
    target.save(update_fields=["password"])
    end_all_sessions(target)
    record(actor=actor, action="accounts.user.password_set", target=target)
    return target


def _locked(actor: User, pk: int) -> User:
    """The user, locked together with the actor: of two administrators who demote each other one comes first."""
    rows = locks.users((actor.pk, pk))
    if not rows[actor.pk].can(Capability.MANAGE_USERS):
        raise denied(rows[actor.pk], Capability.MANAGE_USERS)
    return rows[pk]


def _change(actor: User, target: User, action: str, changes: Mapping[str, Any]) -> None:
    is_demoted = "role" in changes and scope_of(changes["role"], Capability.MANAGE_USERS) is None
    is_deactivated = changes.get("is_active") is False
    if target == actor and (is_demoted or is_deactivated):
        raise OwnAccount(
            "You can't deactivate or demote yourself: another administrator has to.",
            attr="role" if is_demoted else "is_active",
        )
    changes = with_moment(target, changes)
    if update_recorded(actor=actor, action=action, target=target, changes=changes) and is_deactivated:
        end_all_sessions(target)


def _checked(actor: User, target: User, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the model takes them, if the rules let the user have them."""
    checked = dict(values)
    if "employee_id" in checked:
        checked["employee_id"] = checked["employee_id"] or None
    if "depot" in checked:
        checked["depot"] = _depot(actor, target, checked["depot"])
    if {"role", "depot"} & checked.keys():
        depot = checked.get("depot", target.depot_id)
        if depot is None and _sees_by_depot(checked.get("role", target.role)):
            raise DepotRequired("This role needs a depot: it works on its depot's rows.", attr="depot")
    for name in ("username", "employee_id"):
        _require_free(target, name, checked.get(name))
    return checked


def _depot(actor: User, target: User, pk: int | None) -> Depot | None:
    if pk is None:
        return None
    depot: Depot | None = Depot.objects.visible_to(actor).filter(pk=pk).first()
    if depot is None:
        raise UnknownReference(pk, attr="depot")
    if not depot.is_active and pk != target.depot_id:
        raise DepotInactive(depot.code, attr="depot")
    return depot


def _sees_by_depot(role: str) -> bool:
    return any(scope_of(role, capability) is Scope.DEPOT for capability in Capability)


def _require_free(target: User, name: str, value: str | None) -> None:
    """In any case of letters: two log-ins that differ in nothing else would be mistaken for each other."""
    if value and User.objects.filter(**{f"{name}__iexact": value}).exclude(pk=target.pk).exists():
        raise Duplicate(f"A user with that {name.replace('_', ' ')} already exists.", attr=name)
