"""Each price that an equipment had becomes one from when it counted; the first one counts ever since."""

from django.db import migrations

KINDS = {"DEFAULT_RATE": "default_rate", "DEPOSIT": "deposit"}


def fill(apps, schema_editor):
    EquipmentPrice = apps.get_model("equipment", "EquipmentPrice")
    for equipment in apps.get_model("equipment", "Equipment").objects.prefetch_related("past_prices").order_by("pk"):
        past = sorted(equipment.past_prices.all(), key=lambda price: (price.until, price.pk))
        begins = [None, *(price.until for price in past)]
        for kind, column in KINDS.items():
            before = None
            for price, begin in zip([*past, equipment], begins, strict=True):
                amount = getattr(price, column)
                if amount != before:
                    EquipmentPrice.objects.create(
                        equipment=equipment, kind=kind, amount=amount, valid_from=begin, created_at=begin
                    )
                before = amount


class Migration(migrations.Migration):
    dependencies = [("equipment", "0007_equipment_prices")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
