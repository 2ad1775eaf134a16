import django.core.validators
import django.db.models.deletion
import foundation.clock
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0008_contract_rates_superseded'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='MeterRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('valid_from', models.DateTimeField(help_text='Since when it counts; empty: ever since.', null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField(default=foundation.clock.now, help_text='When it was entered; empty: before that was kept.', null=True)),
                ('meter_rate', models.DecimalField(blank=True, decimal_places=4, help_text='Price of one unit of the meter before GST; empty: from then on no meter.', max_digits=10, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0'))])),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='meter_rates', to='customers.customer')),
            ],
            options={
                'ordering': ('-valid_from', '-id'),
                'indexes': [models.Index(fields=['customer', 'valid_from'], name='meter_rate_idx')],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('meter_rate__isnull', True), ('meter_rate__gte', 0), _connector='OR'), name='meter_rate_not_negative'),
                    models.CheckConstraint(condition=models.Q(('meter_rate__gte', Decimal('-999999.9999')), ('meter_rate__lte', Decimal('999999.9999'))), name='meter_rate_in_columns'),
                ],
            },
        ),
    ]
