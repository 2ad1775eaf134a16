"""What was settled counts from the day of its record, and no longer from when the money came.

What was owed on a day that has passed stays as it was told then.
"""

from django.db import migrations
from django.db.models import F

from foundation.ledger import guards


def fill(apps, schema_editor):
    Payment, Allocation = apps.get_model("invoices", "Payment"), apps.get_model("invoices", "Allocation")
    # What a payment settled when it was recorded; all else was dated by its record already.
    with_it = Allocation.objects.filter(created_at=F("payment__created_at")).exclude(date=F("payment__date"))
    changed = list(with_it.order_by().values_list("payment_id", "invoice_id"))
    if not changed:
        return
    # They refuse a change of ledger rows, and come back after the migrations.
    guards.remove(using=schema_editor.connection)
    # Whatever an interrupted attempt has left comes first: the dates go last, by which it is found.
    recorded = dict(Payment.objects.filter(pk__in=with_it.values("payment")).values_list("pk", "date"))
    for payment, day in recorded.items():
        _raise(Payment.objects.filter(pk=payment, used_up_on__isnull=False), "used_up_on", day)
    for payment, invoice in changed:
        settled = apps.get_model("invoices", "Invoice").objects.filter(pk=invoice, settled_on__isnull=False)
        _raise(settled, "settled_on", recorded[payment])
    for payment, day in recorded.items():
        Allocation.objects.filter(payment=payment, created_at=F("payment__created_at")).update(date=day)


def _raise(rows, field, day):
    """A date is the last one of what it is made of: none of these has become an earlier one."""
    rows.filter(**{f"{field}__lt": day}).update(**{field: day})


class Migration(migrations.Migration):
    # On MySQL a DROP TRIGGER commits what is open.
    atomic = False

    dependencies = [("invoices", "0015_payouts")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
