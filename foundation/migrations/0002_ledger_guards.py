from django.db import migrations

from foundation.ledger import guards


def install(apps, schema_editor):
    guards.install(apps, using=schema_editor.connection)


def remove(apps, schema_editor):
    guards.remove(using=schema_editor.connection)


class Migration(migrations.Migration):
    """Triggers that refuse change and deletion of ledger rows."""

    # MySQL commits with every CREATE TRIGGER anyway.
    atomic = False

    dependencies = [
        ("core", "0001_initial"),
        ("audit", "0001_initial"),
        ("customers", "0001_initial"),
        ("distribution", "0001_initial"),
        ("inventory", "0002_virtual_locations"),
        ("invoices", "0002_gst_rates"),
        ("transactions", "0001_initial"),
    ]

    operations = [migrations.RunPython(install, remove)]
