"""Which operation the id of a kept one belongs to, where that is another one."""

import hashlib

from django.db import migrations

from foundation.ledger import guards


def fill(apps, schema_editor):
    operations = apps.get_model("core", "ClientOperation").objects
    kept = apps.get_model("sync", "SyncConflict").objects.filter(operation=None).exclude(client_temp_id="")
    if not kept.exists():
        return
    # They refuse a change of ledger rows, and come back after the migrations.
    guards.remove(using=schema_editor.connection)
    for conflict in kept.iterator():
        key = hashlib.sha256(f"{conflict.user_id}:{conflict.client_temp_id}".encode()).hexdigest()
        kept.filter(pk=conflict.pk).update(first=operations.filter(key=key).first())


class Migration(migrations.Migration):
    # On MySQL a DROP TRIGGER commits what is open.
    atomic = False

    dependencies = [("sync", "0004_first_operations"), ("core", "0007_name_results")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
