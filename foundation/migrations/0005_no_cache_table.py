"""The table that `createcachetable` made: what it held was forgotten within an hour, and nothing reads it any more."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0004_uploaded_tables'),
    ]

    operations = [
        migrations.RunSQL("DROP TABLE IF EXISTS cache", migrations.RunSQL.noop),
    ]
