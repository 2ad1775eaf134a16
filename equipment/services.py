"""Changes of equipment. Nothing is deleted: what isn't used any more is deactivated."""

from collections.abc import Mapping

from django.db.models import Model

from audit.services import create_recorded, update_recorded
from equipment import locks
from equipment.models import Equipment, PastPrice
from equipment.unlikely import unlikely_equipment
from foundation import clock, confirmations
from foundation.commands import command
from foundation.errors import Invalid
from foundation.limits import RATE, require_each
from foundation.master_data import with_moment
from foundation.operations.idempotency import idempotent
from foundation.remains import remaining

_LIMITS = {"default_rate": RATE, "deposit": RATE}


@command
@idempotent
def create_equipment(*, actor: Model, values: Mapping[str, object]) -> Equipment:
    """Raises Duplicate, AmountOutOfRange, Unconfirmed."""
    require_each(values, _LIMITS)
    answers = confirmations.require(unlikely_equipment(values))
    return create_recorded(actor=actor, action="equipment.equipment.created", new=Equipment(**values), answers=answers)


@command
@idempotent
def update_equipment(*, actor: Model, pk: int, changes: Mapping[str, object]) -> Equipment:
    """Keeps the prices that it had, for sales of that time.

    Locks the row. Raises Duplicate, AmountOutOfRange, Unconfirmed, Invalid where it would become another brand's, or
    ours, with some of it out.
    """
    require_each(changes, _LIMITS)
    target = locks.equipment(pk)
    if changes.get("is_foreign", target.is_foreign) != target.is_foreign and (out := remaining(target)):
        raise Invalid(f"Whose {target.sku} is can't change while some is out: {'; '.join(out)}.", attr="is_foreign")
    answers = confirmations.require(unlikely_equipment(changes, target))
    past = PastPrice(equipment=target, default_rate=target.default_rate, deposit=target.deposit, until=clock.now())
    update_recorded(
        actor=actor,
        action="equipment.equipment.updated",
        target=target,
        changes=with_moment(target, changes),
        answers=answers,
    )
    if (past.default_rate, past.deposit) != (target.default_rate, target.deposit):
        past.save()
        target.priced_at = past.until
        target.save(update_fields=["priced_at"])
    return target


@command
@idempotent
def deactivate_equipment(*, actor: Model, pk: int) -> Equipment:
    """It can't enter new business any more and stays readable in old; what happened before is still recorded.

    Locks the row. `foundation.remains.remaining` tells what is still out.
    """
    target = locks.equipment(pk)
    changes = with_moment(target, {"is_active": False})
    update_recorded(actor=actor, action="equipment.equipment.deactivated", target=target, changes=changes)
    return target
