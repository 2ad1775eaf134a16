"""What customers hold against deposits: today's balances less what was charged and returned since."""

from collections import defaultdict
from datetime import date
from typing import Any

from django.db.models import Case, F, When

from equipment.models import Equipment
from foundation.infrastructure.expressions import added_up, by_value
from foundation.money import ZERO, sum_of, to_cents
from reports.figures.names import customer_names
from reports.report import Column, Report, Row, count, money
from transactions.models import DepositBalance, TransactionItem

COLUMNS = (
    Column("customer_code", "Customer"),
    Column("name", "Name"),
    Column("sku", "SKU"),
    count("quantity", "Pieces"),
    money("amount", "Deposits"),
)
Type = TransactionItem.Type


def deposits(*, as_of: date, customer: int | None = None) -> Report:
    """By customer and equipment, at the end of a Singapore date."""
    held: dict[tuple[int, int], list[Any]] = defaultdict(lambda: [0, ZERO])  # a count, a sum
    balances, lines = DepositBalance.objects.all(), TransactionItem.objects.filter(transaction__date__gt=as_of)
    if customer is not None:
        balances, lines = balances.filter(customer=customer), lines.filter(transaction__customer=customer)
    for row in balances.order_by().values_list("customer_id", "equipment_id", "quantity", "amount").iterator(2_000):
        held[row[0], row[1]] = [row[2], row[3]]
    pieces = Case(When(type=Type.DEPOSIT, then=F("quantity")), default=-F("quantity"))
    since = (
        lines.filter(type__in=(Type.DEPOSIT, Type.RETURN))
        .order_by()
        .annotate(holder=by_value("transaction__customer_id"), item=by_value("equipment_id"))
        .values_list("holder", "item")
        .annotate(pieces=added_up(pieces), sum=sum_of("amount"))
    )
    for customer_id, equipment, count_since, amount_since in since:
        balance = held[customer_id, equipment]
        balance[0] -= count_since
        balance[1] -= to_cents(amount_since)
    standing = {key: balance for key, balance in held.items() if any(balance)}
    skus = dict(Equipment.objects.values_list("pk", "sku"))
    names = customer_names({customer_id for customer_id, _ in standing})
    rows: list[Row] = [
        {
            "customer_code": names[customer_id][0],
            "name": names[customer_id][1],
            "sku": skus[equipment],
            "quantity": quantity,
            "amount": amount,
        }
        for (customer_id, equipment), (quantity, amount) in standing.items()
    ]
    rows.sort(key=lambda row: (str(row["customer_code"]), str(row["sku"])))
    return Report(
        name="deposits",
        title="Deposits held",
        parameters={"as_of": as_of, "customer": customer},
        columns=COLUMNS,
        rows=rows,
    )
