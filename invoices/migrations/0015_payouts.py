"""Credit is paid out, and what counts from when goes by the day on which it was recorded."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('invoices', '0014_goodwill'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='allocation',
            name='payout',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='paid_out_of', to='invoices.payment'),
        ),
        migrations.AlterField(
            model_name='allocation',
            name='date',
            field=models.DateField(help_text='The Singapore date of its record: what was owed on an earlier day stays so.'),
        ),
        migrations.AlterField(
            model_name='allocation',
            name='invoice',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='allocations', to='invoices.invoice'),
        ),
        migrations.AlterField(
            model_name='payment',
            name='received_on',
            field=models.DateField(help_text='The Singapore date on which the money came. What was owed on a day goes by the day of its record.'),
        ),
        migrations.AddConstraint(
            model_name='allocation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('invoice__isnull', False), ('payout__isnull', True)), models.Q(('invoice__isnull', True), ('payment__isnull', False), ('payout__isnull', False)), _connector='OR'), name='allocation_has_one_target'),
        ),
    ]
