from django.db import migrations


class Migration(migrations.Migration):
    """What they said is in the dated rates."""

    dependencies = [("customers", "0010_fill_meter_rates")]

    operations = [
        migrations.DeleteModel(name="PastMeterRate"),
        migrations.RemoveField(model_name="customer", name="meter_rate_at"),
    ]
