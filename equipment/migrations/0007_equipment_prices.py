import django.core.validators
import django.db.models.deletion
import foundation.clock
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('equipment', '0006_foreign_shells'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='EquipmentPrice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('valid_from', models.DateTimeField(help_text='Since when it counts; empty: ever since.', null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField(default=foundation.clock.now, help_text='When it was entered; empty: before that was kept.', null=True)),
                ('kind', models.CharField(choices=[('DEFAULT_RATE', 'Default rate'), ('DEPOSIT', 'Deposit')], max_length=16)),
                ('amount', models.DecimalField(blank=True, decimal_places=2, help_text='Empty: from then on there is no such price.', max_digits=10, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0'))])),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('equipment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='prices', to='equipment.equipment')),
            ],
            options={
                'verbose_name': 'price',
                'ordering': ('kind', '-valid_from', '-id'),
                'indexes': [models.Index(fields=['equipment', 'valid_from'], name='equipment_price_idx')],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('amount__isnull', True), ('amount__gte', 0), _connector='OR'), name='price_not_negative'),
                    models.CheckConstraint(condition=models.Q(('amount__gte', Decimal('-99999999.99')), ('amount__lte', Decimal('99999999.99'))), name='equipment_price_in_columns'),
                ],
            },
        ),
    ]
