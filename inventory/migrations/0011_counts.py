"""Stock-takes and corrections become counts. What was recorded so far keeps the order in which it was recorded."""

import django.db.models.deletion
import django.utils.timezone
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Sum

from foundation.ledger import guards


def remove_guards(apps, schema_editor):
    """They refuse a change of ledger rows, and come back after the migrations."""
    guards.remove(using=schema_editor.connection)


def count(apps, schema_editor):
    StockMovement = apps.get_model("inventory", "StockMovement")
    StockMovement.objects.update(ordered_at=F("created_at"))
    _count_stock_takes(apps, StockMovement)
    _count_corrections(apps, StockMovement)


def _count_stock_takes(apps, StockMovement):
    Count, CountLine = apps.get_model("inventory", "Count"), apps.get_model("inventory", "CountLine")
    places = dict(apps.get_model("inventory", "Location").objects.filter(kind="DEPOT").values_list("depot_id", "pk"))
    works = apps.get_model("inventory", "DepotWork").objects.filter(kind="STOCK_TAKE").order_by("pk")
    for work in works.prefetch_related("items"):
        made = Count.objects.create(
            count_number=work.work_number, kind="STOCK_TAKE", location_id=places[work.depot_id], is_complete=False,
            depot_id=work.depot_id, user_id=work.user_id, status="SIGNED_OFF", remarks=work.reason,
            occurred_at=work.occurred_at, ordered_at=work.created_at, decided_by_id=work.user_id,
            decided_at=work.created_at, created_at=work.created_at, date=work.date,
        )
        CountLine.objects.bulk_create(
            CountLine(
                count=made, equipment_id=item.equipment_id, condition=item.condition, quantity=item.quantity,
                expected=item.expected,
            )
            for item in work.items.all()
        )
        StockMovement.objects.filter(cause_type="inventory.depotwork", cause_id=work.pk).update(count=made)
        type(work).objects.filter(pk=work.pk).update(count=made)


def _count_corrections(apps, StockMovement):
    """One that agreed moved nothing, and left an audit record alone."""
    Count, CountLine = apps.get_model("inventory", "Count"), apps.get_model("inventory", "CountLine")
    for row in StockMovement.objects.filter(kind="CORRECTION").select_related("from_location", "to_location").order_by("pk"):
        sign, place = (1, row.to_location) if row.from_location.kind == "OUTSIDE" else (-1, row.from_location)
        before = _balance(StockMovement.objects.filter(pk__lt=row.pk), place, row.equipment_id, row.to_condition)
        made = Count.objects.create(
            count_number=f"COR-{row.date:%Y%m%d}-{row.pk:06d}", kind="CORRECTION", location=place, is_complete=False,
            depot_id=place.depot_id, user_id=row.user_id, status="SIGNED_OFF", remarks=row.reason,
            occurred_at=row.occurred_at, ordered_at=row.created_at, decided_by_id=row.user_id,
            decided_at=row.created_at, created_at=row.created_at, date=row.date,
        )
        # A balance that was never below zero: damaged books are counted as they are, for verify_books to tell.
        CountLine.objects.create(
            count=made, equipment_id=row.equipment_id, condition=row.to_condition, expected=before,
            quantity=max(before + sign * row.quantity, 0),
        )
        StockMovement.objects.filter(pk=row.pk).update(count=made)


def _balance(movements, place, equipment, condition):
    came = movements.filter(to_location=place, equipment=equipment, to_condition=condition)
    left = movements.filter(from_location=place, equipment=equipment, from_condition=condition)
    return sum(sign * (rows.aggregate(sum=Sum("quantity"))["sum"] or 0) for sign, rows in ((1, came), (-1, left)))


class Migration(migrations.Migration):
    # On MySQL a DROP TRIGGER commits what is open.
    atomic = False

    dependencies = [
        ('depots', '0001_initial'),
        ('equipment', '0003_numbers_in_columns'),
        ('inventory', '0010_depots'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(remove_guards, migrations.RunPython.noop),
        migrations.CreateModel(
            name='CountLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('condition', models.CharField(choices=[('FULL', 'Full'), ('EMPTY', 'Empty'), ('DAMAGED', 'Damaged')], max_length=8)),
                ('quantity', models.PositiveIntegerField(help_text='Counted.')),
                ('expected', models.IntegerField(blank=True, help_text='What the books said of that moment when it was signed off.', null=True)),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.AddField(
            model_name='stockmovement',
            name='device',
            field=models.CharField(blank=True, help_text="The user's primary key and the device's own id; empty: none was named.", max_length=100),
        ),
        migrations.AddField(
            model_name='stockmovement',
            name='device_number',
            field=models.BigIntegerField(blank=True, help_text='Its number among what the device made.', null=True),
        ),
        migrations.AddField(
            model_name='stockmovement',
            name='ordered_at',
            field=models.DateTimeField(default=django.utils.timezone.now, help_text='Its moment in the order of what happened: the corrected time, or just after a count.'),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name='stockmovement',
            name='kind',
            field=models.CharField(choices=[('DISTRIBUTION_OUT', 'Loaded at the depot'), ('DISTRIBUTION_IN', 'Returned to the depot'), ('SALE', 'Sold'), ('SWAP_OUT', 'Swapped: full to the customer'), ('SWAP_IN', 'Swapped: empty from the customer'), ('RETURN', 'Taken back'), ('REFILL', 'Refilled'), ('GOODS_IN', 'Taken in from outside'), ('TRANSFER', 'Passed on to another depot'), ('VEHICLE_TRANSFER', 'Passed on to another vehicle'), ('DAMAGE', 'Found damaged'), ('SCRAP', 'Scrapped'), ('STOCK_TAKE', 'Counted at a stock-take'), ('REVERSAL', 'Taken back by a void'), ('VARIANCE', 'Found at the day-end count'), ('CORRECTION', 'Corrected to the count'), ('COMPENSATION', 'Counted already')], max_length=16),
        ),
        migrations.CreateModel(
            name='Count',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('client_temp_id', models.CharField(blank=True, max_length=64, null=True)),
                ('created_at', models.DateTimeField()),
                ('date', models.DateField(help_text='The Singapore date of that.')),
                ('ordered_at', models.DateTimeField(help_text='Its moment in the order of what happened: the corrected time, or just after a count.')),
                ('device', models.CharField(blank=True, help_text="The user's primary key and the device's own id; empty: none was named.", max_length=100)),
                ('device_number', models.BigIntegerField(blank=True, help_text='Its number among what the device made.', null=True)),
                ('count_number', models.CharField(max_length=32, unique=True)),
                ('kind', models.CharField(choices=[('VEHICLE', 'Vehicle count'), ('STOCK_TAKE', 'Stock-take'), ('CORRECTION', 'Correction')], max_length=10)),
                ('is_complete', models.BooleanField(help_text="What isn't named was not there; else only the lines were counted.")),
                ('status', models.CharField(choices=[('COUNTED', 'Counted'), ('SIGNED_OFF', 'Signed off'), ('REJECTED', 'Rejected: to be counted again')], default='COUNTED', max_length=10)),
                ('remarks', models.CharField(blank=True, max_length=500)),
                ('occurred_at', models.DateTimeField(help_text='When it was counted.')),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decision_remarks', models.CharField(blank=True, max_length=500)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decided_counts', to=settings.AUTH_USER_MODEL)),
                ('depot', models.ForeignKey(blank=True, help_text="The counter's then.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='counts', to='depots.depot')),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='counts', to='inventory.location')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='counts', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.AddField(
            model_name='depotwork',
            name='count',
            field=models.OneToOneField(blank=True, help_text='Of a stock-take.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='work', to='inventory.count'),
        ),
        migrations.AddField(
            model_name='stockmovement',
            name='count',
            field=models.ForeignKey(blank=True, help_text='The count that it brings the books to.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='inventory.count'),
        ),
        migrations.AddField(
            model_name='stockmovement',
            name='reverses',
            field=models.ForeignKey(blank=True, help_text='Of a void.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversals', to='inventory.stockmovement'),
        ),
        migrations.AddIndex(
            model_name='stockmovement',
            index=models.Index(fields=['ordered_at'], name='movement_ordered_idx'),
        ),
        migrations.AddIndex(
            model_name='stockmovement',
            index=models.Index(fields=['device', 'device_number'], name='movement_device_idx'),
        ),
        migrations.AddField(
            model_name='countline',
            name='count',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='inventory.count'),
        ),
        migrations.AddField(
            model_name='countline',
            name='equipment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='count_lines', to='equipment.equipment'),
        ),
        migrations.AddIndex(
            model_name='count',
            index=models.Index(fields=['location', 'status', 'ordered_at'], name='count_place_idx'),
        ),
        migrations.AddIndex(
            model_name='count',
            index=models.Index(fields=['device', 'device_number'], name='count_device_idx'),
        ),
        migrations.AddIndex(
            model_name='count',
            index=models.Index(fields=['kind', 'status', 'id'], name='count_status_idx'),
        ),
        migrations.AddIndex(
            model_name='count',
            index=models.Index(fields=['kind', 'id'], name='count_kind_idx'),
        ),
        migrations.AddIndex(
            model_name='count',
            index=models.Index(fields=['kind', 'date'], name='count_kind_date_idx'),
        ),
        migrations.AddIndex(
            model_name='count',
            index=models.Index(fields=['date'], name='count_date_idx'),
        ),
        migrations.AddConstraint(
            model_name='countline',
            constraint=models.UniqueConstraint(fields=('count', 'equipment', 'condition'), name='count_line_unique'),
        ),
        migrations.AddConstraint(
            model_name='countline',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gte', Decimal('-2147483647')), ('quantity__lte', Decimal('2147483647')), ('expected__gte', Decimal('-2147483647')), ('expected__lte', Decimal('2147483647'))), name='count_line_in_columns'),
        ),
        migrations.RunPython(count, migrations.RunPython.noop),
    ]
