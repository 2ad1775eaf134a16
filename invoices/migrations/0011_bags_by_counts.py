"""The moment when cash was handed in gives way to the count that it was handed in with."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('invoices', '0010_order_payments'),
        ('transactions', '0008_count_settlements'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='payment',
            name='payment_bag_idx',
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['user', 'method', 'cash_count', 'amount'], name='payment_bag_idx'),
        ),
        migrations.RemoveField(
            model_name='payment',
            name='handed_in_at',
        ),
    ]
