from decimal import Decimal

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    """A contract rate of the same date supersedes one that was wrong, and a contract can end. Rows stay as they are."""

    dependencies = [
        ("customers", "0007_search_columns"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="customerrate",
            options={"ordering": ("equipment", "-valid_from", "-id")},
        ),
        # Before the constraint goes: MySQL may use its index for the foreign key.
        migrations.AddIndex(
            model_name="customerrate",
            index=models.Index(fields=["customer", "equipment", "valid_from"], name="customer_rate_idx"),
        ),
        migrations.RemoveConstraint(
            model_name="customerrate",
            name="customer_rate_unique",
        ),
        migrations.RemoveConstraint(
            model_name="customerrate",
            name="customer_rate_not_negative",
        ),
        migrations.AlterField(
            model_name="customerrate",
            name="rate",
            field=models.DecimalField(blank=True, decimal_places=2, help_text="Empty: the contract ends, and the default price counts again.", max_digits=10, null=True, validators=[django.core.validators.MinValueValidator(Decimal("0"))]),
        ),
        migrations.AddField(
            model_name="customerrate",
            name="reason",
            field=models.CharField(blank=True, default="", help_text="Why it supersedes another one of its date, or the contract ends.", max_length=500),
        ),
        migrations.AddConstraint(
            model_name="customerrate",
            constraint=models.CheckConstraint(condition=models.Q(("rate__isnull", True), ("rate__gte", 0), _connector="OR"), name="customer_rate_not_negative"),
        ),
    ]
