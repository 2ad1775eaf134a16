"""What customers hold against deposits, by age: today's lots less what came into them and out since."""

from collections import defaultdict
from datetime import date
from typing import Any

from deposits.models import DepositLot, LotMovement
from equipment.models import Equipment
from foundation import clock
from foundation.infrastructure.expressions import added_up
from foundation.money import ZERO, sum_of, to_cents
from reports.figures.names import customer_names
from reports.report import Column, Report, Row, count, money

AGES = {365: "up_to_1_year", 730: "up_to_2_years", 1_095: "up_to_3_years"}
"""Up to how many days after it was charged."""
OLDER = "older"
COLUMNS = (
    Column("customer_code", "Customer"),
    Column("name", "Name"),
    Column("sku", "SKU"),
    count("quantity", "Pieces"),
    money("amount", "Deposits"),
    money("up_to_1_year", "Up to 1 year old"),
    money("up_to_2_years", "1 to 2 years"),
    money("up_to_3_years", "2 to 3 years"),
    money(OLDER, "Older"),
)


def deposits(*, as_of: date, customer: int | None = None) -> Report:
    """By customer and equipment, at the end of a Singapore date."""
    lots, moved = DepositLot.objects.standing(), LotMovement.objects.filter(date__gt=as_of)
    if customer is not None:
        lots, moved = lots.filter(customer=customer), moved.filter(lot__customer=customer)
    since = {
        lot: (pieces, to_cents(amount))
        for lot, pieces, amount in moved.order_by()
        .values_list("lot")
        .annotate(count=added_up("pieces"), sum=sum_of("amount"))
        .iterator(2_000)
    }
    wanted = ("pk", "customer_id", "equipment_id", "pieces", "amount", "occurred_at")
    rows_of_lots = {row[0]: row for row in lots.order_by().values_list(*wanted).iterator(2_000)}
    if gone := since.keys() - rows_of_lots.keys():
        for row in DepositLot.objects.filter(pk__in=gone).values_list(*wanted):
            rows_of_lots[row[0]] = row
    held: dict[tuple[int, int], dict[str, Any]] = defaultdict(
        lambda: {"quantity": 0, "amount": ZERO, **dict.fromkeys((*AGES.values(), OLDER), ZERO)}
    )
    for pk, customer_id, equipment, pieces, amount, occurred_at in rows_of_lots.values():
        count_since, amount_since = since.get(pk, (0, ZERO))
        if not (pieces - count_since or amount - amount_since):
            continue
        balance = held[customer_id, equipment]
        balance["quantity"] += pieces - count_since
        balance["amount"] += amount - amount_since
        balance[_age((as_of - clock.business_date(occurred_at)).days)] += amount - amount_since
    skus = dict(Equipment.objects.values_list("pk", "sku"))
    names = customer_names({customer_id for customer_id, _ in held})
    rows: list[Row] = [
        {
            "customer_code": names[customer_id][0],
            "name": names[customer_id][1],
            "sku": skus[equipment],
            **balance,
        }
        for (customer_id, equipment), balance in held.items()
    ]
    rows.sort(key=lambda row: (str(row["customer_code"]), str(row["sku"])))
    return Report(
        name="deposits",
        title="Deposits held",
        parameters={"as_of": as_of, "customer": customer},
        columns=COLUMNS,
        rows=rows,
    )


def _age(days: int) -> str:
    return next((name for most, name in AGES.items() if days <= most), OLDER)
