"""Lots of the balances of deposits that earlier releases kept, made from the lines that charged and refunded them.

Refunds went by the price of their day, and for pieces that nobody had paid for. So the lines are replayed, the oldest
lot first: where that leaves what the balance says, each lot is known with its document; else the balance becomes one
lot. What is no lot (no pieces or less than nothing left of it) stays in the list of balances.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from django.db import migrations

ENTITY = "transactions.transaction"
ZERO = Decimal("0.00")


@dataclass
class Lot:
    line: object
    pieces: int
    amount: Decimal
    moves: list = field(default_factory=list)  # (kind, pieces, amount, line)


def replayed(lines):
    """The lots that these lines of one customer and equipment leave, or None where they leave others than they say."""
    lots = []
    for line in lines:
        if line.type == "DEPOSIT":
            lot = Lot(line, line.quantity, line.amount)
            lot.moves.append(("CHARGED", line.quantity, line.amount, line))
            lots.append(lot)
            continue
        left, refunded = line.quantity, -line.amount
        for lot in lots:
            pieces = min(left, lot.pieces)
            if not pieces:
                continue
            amount = (lot.amount * pieces / lot.pieces).quantize(ZERO, ROUND_HALF_UP)
            lot.pieces -= pieces
            lot.amount -= amount
            lot.moves.append(("RETURNED", -pieces, -amount, line))
            left -= pieces
            refunded -= amount
        if left or refunded:
            return None
    return lots


def fill(apps, schema_editor):
    Balance = apps.get_model("transactions", "DepositBalance")
    Line = apps.get_model("transactions", "TransactionItem")
    Lots = apps.get_model("deposits", "DepositLot")
    Movements = apps.get_model("deposits", "LotMovement")

    lines = defaultdict(list)
    last = {}
    of_deposits = Line.objects.filter(type__in=("DEPOSIT", "RETURN")).select_related("transaction__invoice")
    voided = set(of_deposits.filter(transaction__reverses__isnull=False).values_list("transaction__reverses", flat=True))
    for line in of_deposits.defer("transaction__invoice__snapshot").order_by("pk").iterator(2_000):
        key = (line.transaction.customer_id, line.equipment_id)
        last[key] = line.transaction
        # A sale and its void leave nothing behind.
        if line.transaction.reverses_id is None and line.transaction_id not in voided:
            lines[key].append(line)

    done = []
    for balance in Balance.objects.order_by("pk").iterator(2_000):
        if balance.quantity <= 0 or balance.amount < 0:
            if not balance.quantity and not balance.amount:
                done.append(balance.pk)
            continue
        key = (balance.customer_id, balance.equipment_id)
        done.append(balance.pk)
        lots = replayed(lines[key])
        told_apart = lots is not None and (balance.quantity, balance.amount) == (
            sum(lot.pieces for lot in lots), sum((lot.amount for lot in lots), ZERO)
        )  # fmt: skip
        if told_apart:
            for lot in lots:
                sale = lot.line.transaction
                row = Lots.objects.create(
                    customer_id=key[0], equipment_id=key[1], pieces=lot.pieces, amount=lot.amount, cause_type=ENTITY,
                    cause_id=sale.pk, document_number=sale.invoice.invoice_number, occurred_at=sale.occurred_at,
                )  # fmt: skip
                Movements.objects.bulk_create(
                    Movements(
                        lot=row, kind=kind, pieces=pieces, amount=amount, cause_type=ENTITY,
                        cause_id=line.transaction_id, document_number=line.transaction.invoice.invoice_number,
                        created_at=line.transaction.created_at, date=line.transaction.date,
                    )
                    for kind, pieces, amount, line in lot.moves
                )  # fmt: skip
            continue
        latest = last[key]
        row = Lots.objects.create(
            customer_id=key[0], equipment_id=key[1], pieces=balance.quantity, amount=balance.amount,
            occurred_at=latest.occurred_at,
        )  # fmt: skip
        Movements.objects.create(
            lot=row, kind="OPENING", pieces=row.pieces, amount=row.amount, created_at=latest.created_at,
            date=latest.date,
        )  # fmt: skip
    for start in range(0, len(done), 1_000):
        Balance.objects.filter(pk__in=done[start : start + 1_000]).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("transactions", "0010_lots"),
        ("deposits", "0001_initial"),
        ("invoices", "0013_collection_notes"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
