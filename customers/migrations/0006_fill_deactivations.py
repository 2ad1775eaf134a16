"""Since when what is deactivated is so, as the audit records tell it; of what they don't tell, nobody knows."""

from django.db import migrations

DEACTIVATED = (("accounts", "User"), ("depots", "Depot"), ("equipment", "Equipment"), ("customers", "Customer"))


def fill(apps, schema_editor):
    records = apps.get_model("audit", "AuditLog").objects.order_by("-pk")
    for app, model in DEACTIVATED:
        for row in apps.get_model(app, model).objects.filter(is_active=False):
            changes = records.filter(entity_id=row.pk, entity_type=f"{app}.{model.lower()}").values_list("after", "at")
            moments = [at for after, at in changes if after and after.get("is_active") is False]
            if moments:
                row.deactivated_at = moments[0]
                row.save(update_fields=["deactivated_at"])


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0005_deactivated_at"),
        ("accounts", "0006_deactivated_at"),
        ("depots", "0002_deactivated_at"),
        ("equipment", "0004_deactivated_at"),
        ("audit", "0004_depots"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
