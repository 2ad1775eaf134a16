"""What a depot wants to have at least."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from audit.services import create_recorded, update_recorded
from foundation.commands import command
from foundation.limits import PIECES
from inventory import locks
from inventory.models import ReorderLevel


@command
def create_reorder_level(*, actor: Model, values: Mapping[str, Any]) -> ReorderLevel:
    """Raises Duplicate where this depot has a level of this equipment already, AmountOutOfRange."""
    PIECES.require(values["quantity"], attr="quantity")
    return create_recorded(actor=actor, action="inventory.reorder_level.created", new=ReorderLevel(**values))


@command
def update_reorder_level(*, actor: Model, pk: int, changes: Mapping[str, Any]) -> ReorderLevel:
    """Locks the row. Raises Duplicate, AmountOutOfRange."""
    PIECES.require(changes.get("quantity", 0), attr="quantity")
    target = locks.reorder_level(pk)
    update_recorded(actor=actor, action="inventory.reorder_level.updated", target=target, changes=changes)
    return target


@command
def deactivate_reorder_level(*, actor: Model, pk: int) -> ReorderLevel:
    """Nobody is told any more: the level is 0. Locks the row."""
    target = locks.reorder_level(pk)
    update_recorded(actor=actor, action="inventory.reorder_level.deactivated", target=target, changes={"quantity": 0})
    return target
