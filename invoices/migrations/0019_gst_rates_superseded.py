from django.db import migrations, models


class Migration(migrations.Migration):
    """A GST rate of the same date supersedes one that was wrong. Rows stay as they are."""

    dependencies = [
        ("invoices", "0018_corrections"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="gstrate",
            options={"ordering": ("-valid_from", "-id"), "verbose_name": "GST rate"},
        ),
        migrations.AlterField(
            model_name="gstrate",
            name="valid_from",
            field=models.DateField(),
        ),
        migrations.AddField(
            model_name="gstrate",
            name="reason",
            field=models.CharField(blank=True, default="", help_text="Why it supersedes another one of its date.", max_length=500),
        ),
    ]
