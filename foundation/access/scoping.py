"""From a scope to rows: the one translation that every ``visible_to(user)`` of a document uses."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import OuterRef, Q, Subquery
from django.db.models.lookups import Exact

from foundation.access.capabilities import Capability, Scope


def rows_within(user: Any, capability: Capability, *, depot: str = "user__depot_id", owner: str = "user") -> Q:
    """Which rows a user holds a capability on: all, their depot's (by ``depot``), their own (by ``owner``), or none.

    ``user`` is an accounts.User, which stands above this floor.
    """
    match user.scope(capability):
        case Scope.ALL:
            return Q()
        case Scope.DEPOT if user.depot_id and depot == f"{owner}__depot_id":
            # Asked of each row as it is read, by value. Joined, or with EXISTS (which MariaDB joins), a planner begins
            # with the depot's people, and collects and sorts all that they ever did, for one page of the newest.
            owners = get_user_model()._base_manager.filter(pk=OuterRef(f"{owner}_id"))
            return Q(Exact(Subquery(owners.values("depot_id")), user.depot_id))
        case Scope.DEPOT if user.depot_id:
            return Q(**{depot: user.depot_id})
        case Scope.OWN:
            return Q(**{owner: user.pk})
        case _:
            return Q(pk__in=())
