"""Each day-end so far becomes two counts: of the vehicle, and of the cash bag."""

import django.db.models.deletion
from django.db import migrations, models

from foundation.ledger import guards


def count(apps, schema_editor):
    Settlement = apps.get_model("transactions", "Settlement")
    settlements = Settlement.objects.order_by("pk").prefetch_related("lines")
    if not settlements.exists():
        return
    # They refuse a change of ledger rows, and come back after the migrations.
    guards.remove(using=schema_editor.connection)
    CashCount = apps.get_model("payments", "CashCount")
    for settlement in settlements.iterator(500):
        decided = {
            "depot_id": settlement.depot_id, "user_id": settlement.user_id, "status": settlement.status,
            "remarks": settlement.remarks, "occurred_at": settlement.created_at, "ordered_at": settlement.created_at,
            "decided_by_id": settlement.decided_by_id, "decided_at": settlement.decided_at,
            "decision_remarks": settlement.decision_remarks, "created_at": settlement.created_at,
            "date": settlement.date, "count_number": settlement.settlement_number,
        }
        cash = CashCount.objects.create(cash=settlement.cash_counted, **decided)
        if settlement.status == "SIGNED_OFF":
            handed_in = apps.get_model("invoices", "Payment").objects.filter(handed_in_at=settlement.created_at)
            handed_in.filter(user=settlement.user_id).update(cash_count=cash)
        goods = _count_goods(apps, settlement, decided) if settlement.vehicle_no else None
        Settlement.objects.filter(pk=settlement.pk).update(cash_count=cash, vehicle_count=goods)


def _count_goods(apps, settlement, decided):
    place, _ = apps.get_model("inventory", "Location").objects.get_or_create(
        key=f"VEHICLE:{settlement.vehicle_no}", defaults={"kind": "VEHICLE", "vehicle_no": settlement.vehicle_no}
    )
    goods = apps.get_model("inventory", "Count").objects.create(
        kind="VEHICLE", location=place, is_complete=True, **decided
    )
    CountLine = apps.get_model("inventory", "CountLine")
    is_decided = settlement.status == "SIGNED_OFF"
    CountLine.objects.bulk_create(
        CountLine(
            count=goods, equipment_id=line.equipment_id, condition=line.condition, quantity=line.counted,
            expected=line.expected if is_decided else None,
        )
        for line in settlement.lines.all()
    )
    variances = apps.get_model("inventory", "StockMovement").objects.filter(cause_type="transactions.settlement")
    variances.filter(cause_id=settlement.pk).update(count=goods)
    return goods


class Migration(migrations.Migration):
    # On MySQL a DROP TRIGGER commits what is open.
    atomic = False

    dependencies = [
        ('inventory', '0011_counts'),
        ('invoices', '0010_order_payments'),
        ('payments', '0001_initial'),
        ('transactions', '0007_depots'),
    ]

    operations = [
        migrations.AddField(
            model_name='settlement',
            name='cash_count',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='settlement', to='payments.cashcount'),
        ),
        migrations.AddField(
            model_name='settlement',
            name='vehicle_count',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='settlement', to='inventory.count'),
        ),
        migrations.RunPython(count, migrations.RunPython.noop),
    ]
