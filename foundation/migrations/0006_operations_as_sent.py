"""What an operation made is named with its model, and its content stays as it was sent."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0005_no_cache_table")]

    operations = [
        migrations.AddField(
            "clientoperation",
            "result_type",
            models.CharField(blank=True, default="", help_text="app.model of what it made.", max_length=64),
        ),
        migrations.AlterField(
            "clientoperation",
            "type",
            models.CharField(help_text="transaction.create, distribution.create, …", max_length=64),
        ),
        migrations.AlterField(
            "clientoperation",
            "content",
            models.TextField(help_text="What the operation says, as it was sent: JSON."),
        ),
    ]
