"""The two locations that belong to nothing: FIELD and OUTSIDE."""

from django.db import migrations


def fill(apps, schema_editor):
    locations = apps.get_model("inventory", "Location")
    for kind in ("FIELD", "OUTSIDE"):
        locations.objects.get_or_create(key=kind, defaults={"kind": kind})


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
