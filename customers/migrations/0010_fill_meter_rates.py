"""Each rate that a meter had becomes one from when it counted; the first one counts ever since."""

from django.db import migrations

BATCH = 1000


def fill(apps, schema_editor):
    MeterRate = apps.get_model("customers", "MeterRate")
    customers = apps.get_model("customers", "Customer").objects.prefetch_related("past_meter_rates").order_by("pk")
    rows = []
    for customer in customers.iterator(BATCH):
        past = sorted(customer.past_meter_rates.all(), key=lambda rate: (rate.until, rate.pk))
        begins, before = [None, *(rate.until for rate in past)], None
        for rate, begin in zip([*past, customer], begins, strict=True):
            if rate.meter_rate != before:
                rows.append(
                    MeterRate(customer=customer, meter_rate=rate.meter_rate, valid_from=begin, created_at=begin)
                )
            before = rate.meter_rate
    MeterRate.objects.bulk_create(rows, BATCH)


class Migration(migrations.Migration):
    dependencies = [("customers", "0009_dated_meter_rates")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
