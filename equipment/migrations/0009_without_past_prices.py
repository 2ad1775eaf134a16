from django.db import migrations


class Migration(migrations.Migration):
    """What they said is in the dated prices."""

    dependencies = [("equipment", "0008_fill_equipment_prices")]

    operations = [
        migrations.DeleteModel(name="PastPrice"),
        migrations.RemoveField(model_name="equipment", name="priced_at"),
    ]
