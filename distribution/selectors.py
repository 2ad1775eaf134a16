"""What is still to be loaded or unloaded."""

from collections.abc import Iterable

from django.db.models import QuerySet

from accounts.models import User
from depots.models import Depot
from distribution.models import Distribution
from foundation.remains import tells_of


def drafts(**of: object) -> QuerySet[Distribution]:
    """The loads that are neither confirmed nor cancelled: of a ``user``, at a ``depot``."""
    found: QuerySet[Distribution] = Distribution.objects.filter(status=Distribution.Status.DRAFT, **of).order_by("pk")
    return found


@tells_of(User)
def drafts_of(user: User) -> Iterable[str]:
    return [f"{draft} is neither confirmed nor cancelled" for draft in drafts(user=user)]


@tells_of(Depot)
def drafts_at(depot: Depot) -> Iterable[str]:
    return [f"{draft} is neither confirmed nor cancelled" for draft in drafts(depot=depot)]
