import secrets

from django.db import migrations


def fill(apps, schema_editor):
    apps.get_model("sync", "Feed").objects.create(epoch=secrets.token_hex(6))


class Migration(migrations.Migration):
    dependencies = [("sync", "0001_initial")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
