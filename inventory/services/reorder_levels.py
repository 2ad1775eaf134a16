"""What a depot wants to have at least."""

from collections.abc import Mapping

from django.db.models import Model

from audit.services import create_recorded, update_recorded
from foundation.commands import command
from foundation.limits import PIECES, require_each
from foundation.operations.idempotency import idempotent
from inventory import locks
from inventory.models import ReorderLevel

_LIMITS = {"quantity": PIECES}


@command
@idempotent
def create_reorder_level(*, actor: Model, values: Mapping[str, object]) -> ReorderLevel:
    """Raises Duplicate where this depot has a level of this equipment already, AmountOutOfRange."""
    require_each(values, _LIMITS)
    return create_recorded(actor=actor, action="inventory.reorder_level.created", new=ReorderLevel(**values))


@command
@idempotent
def update_reorder_level(*, actor: Model, pk: int, changes: Mapping[str, object]) -> ReorderLevel:
    """Locks the row. Raises Duplicate, AmountOutOfRange."""
    require_each(changes, _LIMITS)
    target = locks.reorder_level(pk)
    update_recorded(actor=actor, action="inventory.reorder_level.updated", target=target, changes=changes)
    return target


@command
@idempotent
def deactivate_reorder_level(*, actor: Model, pk: int) -> ReorderLevel:
    """Nobody is told any more: the level is 0. Locks the row."""
    target = locks.reorder_level(pk)
    update_recorded(actor=actor, action="inventory.reorder_level.deactivated", target=target, changes={"quantity": 0})
    return target
