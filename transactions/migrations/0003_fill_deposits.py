"""The deposits that customers hold, added up from the lines that earlier versions recorded."""

from collections import defaultdict
from decimal import Decimal

from django.db import migrations


def fill(apps, schema_editor):
    TransactionItem = apps.get_model("transactions", "TransactionItem")
    DepositBalance = apps.get_model("transactions", "DepositBalance")
    held = defaultdict(lambda: [0, Decimal("0.00")])
    lines = TransactionItem.objects.filter(type__in=("DEPOSIT", "RETURN"))
    for customer, equipment, kind, quantity, amount in lines.values_list(
        "transaction__customer_id", "equipment_id", "type", "quantity", "amount"
    ).iterator():
        balance = held[customer, equipment]
        balance[0] += quantity if kind == "DEPOSIT" else -quantity
        balance[1] += amount
    DepositBalance.objects.bulk_create(
        (
            DepositBalance(customer_id=customer, equipment_id=equipment, quantity=quantity, amount=amount)
            for (customer, equipment), (quantity, amount) in held.items()
        ),
        batch_size=1_000,
    )


class Migration(migrations.Migration):
    dependencies = [("transactions", "0002_voids_deposits_meters_settlements")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
