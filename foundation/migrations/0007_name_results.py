"""What earlier versions knew of an operation's result by the operation's type."""

from django.db import migrations

from foundation.ledger import guards

MADE = {
    "transaction.create": "transactions.transaction",
    "distribution.create": "distribution.distribution",
    "distribution.confirm": "distribution.distribution",
    "payment.create": "invoices.payment",
    "settlement.create": "transactions.settlement",
    "meter.replace": "transactions.meterreplacement",
    "depot_work.create": "inventory.depotwork",
    "stock_take.create": "inventory.depotwork",
}


def name_results(apps, schema_editor):
    operations = apps.get_model("core", "ClientOperation").objects.filter(result_id__isnull=False)
    if not operations.exists():
        return
    # They refuse a change of ledger rows, and come back after the migrations.
    guards.remove(using=schema_editor.connection)
    for type, made in MADE.items():
        operations.filter(type=type).update(result_type=made)


class Migration(migrations.Migration):
    # On MySQL a DROP TRIGGER commits what is open.
    atomic = False

    dependencies = [("core", "0006_operations_as_sent")]

    operations = [migrations.RunPython(name_results, migrations.RunPython.noop)]
