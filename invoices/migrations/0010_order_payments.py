"""Payments get their place in the order of what happened: so far the one in which they were recorded."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models import F

from foundation.ledger import guards


def order(apps, schema_editor):
    # They refuse a change of ledger rows, and come back after the migrations.
    guards.remove(using=schema_editor.connection)
    apps.get_model("invoices", "Payment").objects.update(ordered_at=F("created_at"))


class Migration(migrations.Migration):
    # On MySQL a DROP TRIGGER commits what is open.
    atomic = False

    dependencies = [
        ('invoices', '0009_depots'),
        ('payments', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='payment',
            name='cash_count',
            field=models.ForeignKey(blank=True, help_text='What cash was handed in with: the first count that stands after it was taken. Empty: in the bag.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='payments.cashcount'),
        ),
        migrations.AddField(
            model_name='payment',
            name='device',
            field=models.CharField(blank=True, help_text="The user's primary key and the device's own id; empty: none was named.", max_length=100),
        ),
        migrations.AddField(
            model_name='payment',
            name='device_number',
            field=models.BigIntegerField(blank=True, help_text='Its number among what the device made.', null=True),
        ),
        migrations.AddField(
            model_name='payment',
            name='ordered_at',
            field=models.DateTimeField(default=django.utils.timezone.now, help_text='Its moment in the order of what happened: the corrected time, or just after a count.'),
            preserve_default=False,
        ),
        migrations.RunPython(order, migrations.RunPython.noop),
    ]
