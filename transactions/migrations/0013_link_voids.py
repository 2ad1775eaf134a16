"""The documents of voids name what they take back, and what was voided says so."""

from django.db import migrations
from django.db.models import F


def link_voids(apps, schema_editor):
    Transaction, Invoice = apps.get_model("transactions", "Transaction"), apps.get_model("invoices", "Invoice")
    voids = Transaction.objects.filter(reverses__isnull=False).order_by("pk")
    for note, voided, on in voids.values_list("invoice", "reverses__invoice", "date").iterator(2_000):
        Invoice.objects.filter(pk=note).update(corrects=voided)
        Invoice.objects.filter(pk=voided).update(credited_amount=F("total_amount"), voided_on=on)


class Migration(migrations.Migration):

    dependencies = [
        ('invoices', '0018_corrections'),
        ('transactions', '0012_corrections'),
    ]

    operations = [migrations.RunPython(link_voids, migrations.RunPython.noop)]
