"""Changes of depots. Nothing is deleted: what isn't used any more is deactivated."""

from collections.abc import Mapping

from django.db.models import Model

from audit.services import create_recorded, update_recorded
from depots import locks
from depots.models import Depot
from foundation.commands import command
from foundation.master_data import with_moment
from foundation.operations.idempotency import idempotent


@command
@idempotent
def create_depot(*, actor: Model, values: Mapping[str, object]) -> Depot:
    """Raises Duplicate."""
    return create_recorded(actor=actor, action="depots.depot.created", new=Depot(**values))


@command
@idempotent
def update_depot(*, actor: Model, pk: int, changes: Mapping[str, object]) -> Depot:
    """Locks the row. Raises Duplicate."""
    target = locks.depot(pk)
    update_recorded(actor=actor, action="depots.depot.updated", target=target, changes=with_moment(target, changes))
    return target


@command
@idempotent
def deactivate_depot(*, actor: Model, pk: int) -> Depot:
    """It can't enter new business any more and stays readable in old; what happened before is still recorded.

    Locks the row. `foundation.remains.remaining` tells what is still out.
    """
    target = locks.depot(pk)
    changes = with_moment(target, {"is_active": False})
    update_recorded(actor=actor, action="depots.depot.deactivated", target=target, changes=changes)
    return target
