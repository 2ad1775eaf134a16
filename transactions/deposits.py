"""Keeping what customers hold against deposits."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from customers.models import Customer
from foundation.limits import BALANCE, PIECES
from foundation.money import ZERO
from transactions.models import DepositBalance, TransactionItem

Type = TransactionItem.Type
_SIGNS = {Type.DEPOSIT: 1, Type.RETURN: -1}


def move_deposits(customer: Customer, items: Iterable[TransactionItem]) -> None:
    """Add a transaction's DEPOSIT and RETURN lines to the balances. The caller holds the customer's lock.

    Raises AmountOutOfRange.
    """
    counts: dict[int, int] = defaultdict(int)
    amounts: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for item in items:
        if sign := _SIGNS.get(Type(item.type)):
            counts[item.equipment_id] += sign * item.quantity
            amounts[item.equipment_id] += item.amount
    if not counts:
        return
    known = {row.equipment_id: row for row in DepositBalance.objects.filter(customer=customer, equipment__in=counts)}
    rows = {pk: known.get(pk) or DepositBalance(customer=customer, equipment_id=pk) for pk in counts}
    for pk, row in rows.items():
        row.quantity += counts[pk]
        row.amount += amounts[pk]
        PIECES.require(row.quantity, attr="items")
        BALANCE.require(row.amount, attr="items")
    DepositBalance.objects.bulk_update(known.values(), ["quantity", "amount"])
    DepositBalance.objects.bulk_create(row for pk, row in rows.items() if pk not in known)
