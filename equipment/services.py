"""Changes of equipment. Nothing is deleted: what isn't used any more is deactivated."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Model

from audit.services import create_recorded, record, update_recorded
from equipment import locks
from equipment.errors import PriceUnchanged
from equipment.models import Equipment, EquipmentPrice
from equipment.selectors import prices_at
from equipment.unlikely import unlikely_equipment, unlikely_from_date
from foundation import clock, confirmations
from foundation.changes import announce
from foundation.commands import command
from foundation.dated import in_force, in_force_before, in_force_on, require_day, require_reason
from foundation.errors import Invalid
from foundation.limits import RATE, require_each
from foundation.master_data import with_moment
from foundation.operations.idempotency import idempotent
from foundation.remains import remaining

_LIMITS = {"default_rate": RATE, "deposit": RATE}


@command
@idempotent
def create_equipment(*, actor: Model, values: Mapping[str, object]) -> Equipment:
    """Its prices count ever since. Raises Duplicate, AmountOutOfRange, Unconfirmed."""
    require_each(values, _LIMITS)
    answers = confirmations.require(unlikely_equipment(values))
    new = create_recorded(actor=actor, action="equipment.equipment.created", new=Equipment(**values), answers=answers)
    for kind in EquipmentPrice.Kind:
        if (amount := getattr(new, kind.column)) is not None:
            EquipmentPrice.objects.create(equipment=new, kind=kind, amount=amount, created_by_id=actor.pk)
    return new


@command
@idempotent
def update_equipment(*, actor: Model, pk: int, changes: Mapping[str, object]) -> Equipment:
    """A price that is changed counts from now on; those that it had stay, for sales of that time.

    Locks the row. Raises Duplicate, AmountOutOfRange, Unconfirmed, Invalid where it would become another brand's, or
    ours, with some of it out.
    """
    require_each(changes, _LIMITS)
    target = locks.equipment(pk)
    if changes.get("is_foreign", target.is_foreign) != target.is_foreign and (out := remaining(target)):
        raise Invalid(f"Whose {target.sku} is can't change while some is out: {'; '.join(out)}.", attr="is_foreign")
    answers = confirmations.require(unlikely_equipment(changes, target))
    _begin_now(actor, target, changes)
    update_recorded(
        actor=actor,
        action="equipment.equipment.updated",
        target=target,
        changes=with_moment(target, changes),
        answers=answers,
    )
    return target


@command
@idempotent
def set_price(
    *,
    actor: Model,
    equipment_id: int,
    kind: EquipmentPrice.Kind,
    amount: Decimal | None,
    valid_from: date,
    reason: str = "",
) -> EquipmentPrice:
    """Let a price count from a Singapore date on, a past or a future one, too, until the next one's date.

    One of the same date is superseded, and stays. What was recorded stays as it is. Locks the equipment. Raises
    AmountOutOfRange, Invalid without a reason where one is needed or for a date long ago, PriceUnchanged, Unconfirmed.
    """
    if amount is not None:
        RATE.require(amount, attr="amount")
    require_day(valid_from)
    target, now = locks.equipment(equipment_id), clock.now()
    rows = list(EquipmentPrice.objects.filter(equipment=target, kind=kind))
    if {row and row.amount for row in in_force_on(rows, valid_from)} == {amount}:
        raise PriceUnchanged(f"{_said(amount)} counts on {valid_from.isoformat()} already.", attr="amount")
    require_reason(rows, valid_from, reason, today=clock.business_date(now))
    before = in_force_before(rows, valid_from)
    questions = unlikely_from_date(
        amount,
        before and before.amount,
        valid_from,
        today=clock.business_date(now),
        attr="amount",
        of=f"{target.sku}, {kind.label.lower()}",
    )
    answers = confirmations.require(questions)
    new = EquipmentPrice.objects.create(
        equipment=target,
        kind=kind,
        amount=amount,
        valid_from=clock.start_of(valid_from),
        reason=reason,
        created_by_id=actor.pk,
        created_at=now,
    )
    if in_force([*rows, new], now) == new and getattr(target, kind.column) != amount:
        setattr(target, kind.column, amount)
        target.save(update_fields=[kind.column])
        announce(target)
    record(
        actor=actor,
        action="equipment.price.set",
        target=new,
        after={"equipment": target.sku, "kind": kind, "amount": amount, "valid_from": valid_from},
        reason=reason,
        answers=answers,
    )
    return new


@command
def take_over_prices(*, equipment_id: int) -> bool:
    """Let the equipment say what counts now, once a price's date has come, and apps hear of it.

    Locks the equipment. Answers whether anything changed.
    """
    target = locks.equipment(equipment_id)
    prices = prices_at({target.pk: target}, clock.now())[target.pk]
    changes = {kind.column: getattr(prices, kind.column) for kind in EquipmentPrice.Kind}
    return update_recorded(actor=None, action="equipment.price.begun", target=target, changes=changes)


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


def _begin_now(actor: Model, target: Equipment, changes: Mapping[str, Any]) -> None:
    """What is sent as it was read is no change, even where another price has begun since."""
    changed = [kind for kind in EquipmentPrice.Kind if kind.column in changes]
    changed = [kind for kind in changed if changes[kind.column] != getattr(target, kind.column)]
    if not changed:
        return
    now = clock.now()
    prices = prices_at({target.pk: target}, now)[target.pk]
    for kind in changed:
        if changes[kind.column] != getattr(prices, kind.column):
            EquipmentPrice.objects.create(
                equipment=target,
                kind=kind,
                amount=changes[kind.column],
                valid_from=now,
                created_by_id=actor.pk,
                created_at=now,
            )


def _said(amount: Decimal | None) -> str:
    return "No price" if amount is None else f"{amount:f}"
