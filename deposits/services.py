"""All that is written of lots: charged, refunded, and given back as they were."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import models

from customers.models import Customer
from deposits import locks
from deposits.errors import DepositRefunded
from deposits.held import Refund
from deposits.models import DepositLot, LotMovement
from equipment.models import Equipment
from foundation import clock
from foundation.changes import announce
from foundation.entities import entity_name
from foundation.money import ZERO

Kind = LotMovement.Kind


class Charge(NamedTuple):
    """A deposit that is charged: so many pieces for so much."""

    equipment: Equipment
    pieces: int
    amount: Decimal


class Cause(NamedTuple):
    """What changes lots: a row, the number of its document, and when that is recorded."""

    row: models.Model
    document_number: str
    now: datetime


def charge_deposits(
    customer: Customer, charges: Sequence[Charge], *, cause: Cause, occurred_at: datetime, kind: str = Kind.CHARGED
) -> None:
    """Open a lot for each. The caller holds the customer's lock."""
    lots = DepositLot.objects.bulk_create(
        DepositLot(
            customer=customer,
            equipment=charge.equipment,
            pieces=charge.pieces,
            amount=charge.amount,
            cause_type=entity_name(cause.row),
            cause_id=cause.row.pk,
            document_number=cause.document_number,
            occurred_at=occurred_at,
        )
        for charge in charges
    )
    _note([_movement(lot, kind, lot.pieces, lot.amount, cause) for lot in lots])


def refund_deposits(refunds: Iterable[Refund], *, kind: str, cause: Cause) -> None:
    """Take what was refunded out of its lots. The caller holds the customer's lock, since before it read them."""
    taken = [refund for refund in refunds if refund.lot is not None]
    if not taken:
        return
    rows = locks.lots(refund.lot.pk for refund in taken if refund.lot)
    movements = []
    for refund in taken:
        if refund.lot:
            movements.append(_movement(rows[refund.lot.pk], kind, -refund.pieces, -refund.amount, cause))
    _move(rows, movements)


def require_not_refunded(row: models.Model, *, what: str) -> None:
    """Raise DepositRefunded where a lot that a row charged was used since; ``what`` is the row's number."""
    charged = LotMovement.objects.filter(
        cause_type=entity_name(row), cause_id=row.pk, pieces__gt=0, reverses__isnull=True
    )
    used = LotMovement.objects.filter(
        lot__in=charged.values("lot"), pieces__lt=0, reversal__isnull=True, reverses__isnull=True
    )
    if numbers := list(dict.fromkeys(used.order_by("pk").values_list("document_number", flat=True))):
        raise DepositRefunded(
            f"The deposit of {what} was refunded by {', '.join(numbers)}: please void that first.", attr=None
        )


def take_back(row: models.Model, *, cause: Cause) -> bool:
    """Give lots back as they were before a row charged or refunded them; False: none is known to be changed by it.

    The caller holds the customer's lock, and has asked `require_not_refunded`.
    """
    undone = LotMovement.objects.filter(
        cause_type=entity_name(row), cause_id=row.pk, reverses__isnull=True, reversal__isnull=True
    )
    found = list(undone.order_by("pk"))
    rows = locks.lots(movement.lot_id for movement in found)
    movements = [
        _movement(rows[each.lot_id], Kind.VOIDED, -each.pieces, -each.amount + ZERO, cause, reverses=each)
        for each in found
    ]
    _move(rows, movements)
    return bool(movements)


def take_out(
    row: models.Model,
    customer: Customer,
    equipment: Equipment,
    *,
    pieces: int,
    amount: Decimal,
    cause: Cause,
    what: str,
) -> None:
    """Take so many pieces and so much money out of a lot that a row charged; no pieces: it was charged too dearly.

    The caller holds the customer's lock. Raises DepositRefunded where that much is in none of them any more.
    """
    charged = DepositLot.objects.filter(cause_type=entity_name(row), cause_id=row.pk, equipment=equipment)
    if not charged.exists():
        take_from_balances(customer, [Charge(equipment, pieces, amount)], cause=cause, what=what)
        return
    rows = locks.lots(charged.values_list("pk", flat=True))
    for lot in rows.values():
        if _has(lot, pieces, amount):
            _move(rows, [_movement(lot, Kind.VOIDED, -pieces, -amount + ZERO, cause)])
            return
    left = sum(lot.pieces for lot in rows.values())
    raise DepositRefunded(
        f"Of the deposit of {what} only {left} are held still: the others were refunded.", attr="lines"
    )


def _has(lot: DepositLot, pieces: int, amount: Decimal) -> bool:
    """A lot without pieces has no money."""
    left = lot.pieces - pieces
    return left >= 0 and lot.amount >= amount and (left > 0 or lot.amount == amount)


def take_from_balances(customer: Customer, charges: Sequence[Charge], *, cause: Cause, what: str) -> None:
    """Take what an earlier release charged out of the lots that its balances became.

    Raises DepositRefunded where those don't have it any more: some of it was refunded before.
    """
    for charge in charges:
        found = DepositLot.objects.filter(customer=customer, equipment=charge.equipment, cause_type="").standing()
        rows = locks.lots(found.values_list("pk", flat=True))
        lot = next(iter(rows.values()), None)
        if lot is None or not _has(lot, charge.pieces, charge.amount):
            raise DepositRefunded(f"Of the deposit of {what} some was refunded since, before lots were kept.")
        _move(rows, [_movement(lot, Kind.VOIDED, -charge.pieces, -charge.amount + ZERO, cause)])


def _move(rows: dict[int, DepositLot], movements: Sequence[LotMovement]) -> None:
    for movement in movements:
        lot = rows[movement.lot_id]
        lot.pieces += movement.pieces
        lot.amount += movement.amount
    DepositLot.objects.bulk_update(rows.values(), ["pieces", "amount"])
    _note(movements)


def _note(movements: Sequence[LotMovement]) -> None:
    LotMovement.objects.bulk_create(movements)
    customers = {movement.lot.customer_id: movement.lot.customer for movement in movements}
    announce(*customers.values())


def _movement(
    lot: DepositLot, kind: str, pieces: int, amount: Decimal, cause: Cause, *, reverses: LotMovement | None = None
) -> LotMovement:
    return LotMovement(
        lot=lot,
        kind=kind,
        pieces=pieces,
        amount=amount,
        cause_type=entity_name(cause.row),
        cause_id=cause.row.pk,
        document_number=cause.document_number,
        reverses=reverses,
        created_at=cause.now,
        date=clock.business_date(cause.now),
    )
