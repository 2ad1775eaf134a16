"""Singapore's GST rates to date."""

from datetime import date
from decimal import Decimal

from django.db import migrations

RATES = (
    # From 1 July 2007; the Budgets of 2007 and 2022 name the rates and their dates.
    (date(2007, 7, 1), Decimal("7.00")),
    (date(2023, 1, 1), Decimal("8.00")),
    (date(2024, 1, 1), Decimal("9.00")),
)


def fill(apps, schema_editor):
    rates = apps.get_model("invoices", "GstRate")
    for valid_from, rate in RATES:
        rates.objects.get_or_create(valid_from=valid_from, defaults={"rate": rate})


class Migration(migrations.Migration):
    dependencies = [("invoices", "0001_initial")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
