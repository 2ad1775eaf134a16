"""Depot work can be reversed: a document of its own takes it back, whose lines are negative."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('equipment', '0006_foreign_shells'),
        ('inventory', '0012_shells'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='depotworkitem',
            name='depot_work_item_quantity_positive',
        ),
        migrations.AddField(
            model_name='depotwork',
            name='reverses',
            field=models.OneToOneField(blank=True, help_text='The work that it takes back.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversal', to='inventory.depotwork'),
        ),
        migrations.AlterField(
            model_name='depotworkitem',
            name='quantity',
            field=models.IntegerField(help_text='Moved, negative: taken back; of a stock-take: counted.'),
        ),
        migrations.AlterField(
            model_name='stockmovement',
            name='kind',
            field=models.CharField(choices=[('DISTRIBUTION_OUT', 'Loaded at the depot'), ('DISTRIBUTION_IN', 'Returned to the depot'), ('SALE', 'Sold'), ('SWAP_OUT', 'Swapped: full to the customer'), ('SWAP_IN', 'Swapped: empty from the customer'), ('RETURN', 'Taken back'), ('REFILL', 'Refilled'), ('GOODS_IN', 'Taken in from outside'), ('TRANSFER', 'Passed on to another depot'), ('VEHICLE_TRANSFER', 'Passed on to another vehicle'), ('DAMAGE', 'Found damaged'), ('SCRAP', 'Scrapped'), ('STOCK_TAKE', 'Counted at a stock-take'), ('REVERSAL', 'Reversed'), ('VARIANCE', 'Found at the day-end count'), ('CORRECTION', 'Corrected to the count'), ('COMPENSATION', 'Counted already'), ('SHELL', 'Bought or lost by the customer'), ('FOREIGN', "Another brand's, brought by the customer"), ('EXCHANGE', 'Given to the brand that owns it')], max_length=16),
        ),
        migrations.AlterField(
            model_name='stockmovement',
            name='reverses',
            field=models.ForeignKey(blank=True, help_text='What it takes back.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversals', to='inventory.stockmovement'),
        ),
        migrations.AddConstraint(
            model_name='depotworkitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('expected__isnull', True), models.Q(('quantity', 0), _negated=True)), models.Q(('expected__isnull', False), ('quantity__gte', 0)), _connector='OR'), name='depot_work_item_moves_or_counts'),
        ),
    ]
