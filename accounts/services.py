"""The administration of users. Nobody is deleted."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts import locks
from accounts.errors import OwnAccount
from accounts.models import User
from accounts.tokens import TokenPair, end_all_log_ins, issue_tokens
from audit.services import create_recorded, record, update_recorded
from core.access import Capability, Role, Scope, scope_of
from core.commands import command
from core.errors import Invalid


@command
def log_in(*, actor: User) -> TokenPair:
    """Begin a log-in of a user who proved to be one."""
    record(actor=actor, action="accounts.user.logged_in", target=actor)
    return issue_tokens(user=actor)


@command
def create_user(*, actor: User, values: Mapping[str, Any], password: str) -> User:
    """Add a user who can log in. Raises Duplicate, Invalid for a weak password or a role without its depot."""
    user = User(**values)
    _require_depot(user)
    _require_strong(password, user)
    user.set_password(password)
    return create_recorded(actor=actor, action="accounts.user.created", new=user, hidden=("password", "last_login"))


@command
def update_user(*, actor: User, pk: int, changes: Mapping[str, Any]) -> User:
    """Change a user; one who becomes inactive is logged out everywhere. Locks the user.

    Raises OwnAccount, Duplicate, Invalid for a role without its depot.
    """
    user = locks.user(pk)
    if pk == actor.pk and (not changes.get("is_active", True) or changes.get("role", user.role) != user.role):
        raise OwnAccount("You can't deactivate or demote yourself.")
    was_active = user.is_active
    update_recorded(actor=actor, action="accounts.user.updated", target=user, changes=changes)
    _require_depot(user)
    if was_active and not user.is_active:
        end_all_log_ins(user)
    return user


@command
def deactivate_user(*, actor: User, pk: int) -> User:
    """Out at once: no log-in, no token. Locks the user. Raises OwnAccount."""
    user = locks.user(pk)
    if pk == actor.pk:
        raise OwnAccount("You can't deactivate or demote yourself.")
    update_recorded(actor=actor, action="accounts.user.deactivated", target=user, changes={"is_active": False})
    end_all_log_ins(user)
    return user


@command
def set_password(*, actor: User, pk: int, password: str) -> User:
    """Give a user another password; every token from before is dead. Locks the user. Raises Invalid for a weak one."""
    user = locks.user(pk)
    _require_strong(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    end_all_log_ins(user)
    record(actor=actor, action="accounts.user.password_set", target=user)
    return user


def _require_strong(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), attr="password") from error


def _require_depot(user: User) -> None:
    """A role that sees the rows of its own depot needs one."""
    if user.depot_id is None and scope_of(user.role, Capability.VIEW_DEPOT_STOCK) is Scope.DEPOT:
        raise Invalid(f"A user with the role {Role(user.role).label} needs a depot.", attr="depot")
