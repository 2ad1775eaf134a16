"""From a scope to rows: the one translation that every ``visible_to(user)`` of a document uses."""

from typing import Any

from django.db.models import Q

from foundation.access.capabilities import Capability, Scope


def rows_within(user: Any, capability: Capability, *, depot: str = "depot_id", owner: str = "user") -> Q:
    """Which rows a user holds a capability on: all, their depot's (by ``depot``), their own (by ``owner``), or none.

    ``depot`` is a column of the row itself, written once: the past stays where it happened, whoever moves on.
    ``user`` is an accounts.User, which stands above this floor.
    """
    match user.scope(capability):
        case Scope.ALL:
            return Q()
        case Scope.DEPOT if user.depot_id:
            return Q(**{depot: user.depot_id})
        case Scope.OWN:
            return Q(**{owner: user.pk})
        case _:
            return Q(pk__in=())
