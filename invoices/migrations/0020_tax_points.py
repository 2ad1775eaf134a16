"""Each document says when its supply counts for GST: paid on the spot, when it was paid, else on its issue.

What bills an invoice again moves no tax point, and what corrects an error counts in the period of the error.
"""

from datetime import datetime

from django.db import migrations, models
from django.db.models import F, Q

from foundation import clock
from foundation.ledger import guards

AT_ONCE = ("CASH", "PAYNOW")


def fill(apps, schema_editor):
    Invoice, Payment = apps.get_model("invoices", "Invoice"), apps.get_model("invoices", "Payment")
    if not Invoice.objects.exists():
        return
    # They refuse a change of ledger rows, and come back after the migrations.
    guards.remove(using=schema_editor.connection)
    Invoice.objects.update(tax_point_on=F("date"), gst_on=F("date"))
    Invoice.objects.filter(kind="CREDIT_NOTE").update(credit_kind="GENUINE")
    invoices = Invoice.objects.filter(kind="TAX_INVOICE", corrects=None).order_by("pk")
    # Money that came with a sale bears its day, which an arrival after midnight doesn't.
    late = set(invoices.filter(paid_at__lt=F("generated_at")).values_list("pk", flat=True))
    spot = Payment.objects.filter(is_on_the_spot=True, received_on__lt=F("date"), amount__gt=0)
    late |= set(invoices.filter(allocations__payment__in=spot.values("pk")).values_list("pk", flat=True))
    for invoice in invoices.filter(pk__in=late).only("date", "snapshot").iterator(500):
        said = invoice.snapshot
        occurred_on = clock.business_date(datetime.fromisoformat(said["occurred_at"]))
        is_paid = said["payment_received"] or any(each["method"] in AT_ONCE for each in said.get("paid_by", ()))
        if is_paid and occurred_on < invoice.date:
            Invoice.objects.filter(pk=invoice.pk).update(tax_point_on=occurred_on, gst_on=occurred_on)
    again = invoices.filter(snapshot__replaces__invoice_number__isnull=False)
    for pk, replaces in again.values_list("pk", "snapshot__replaces"):
        first = Invoice.objects.only("tax_point_on", "gst_on").get(invoice_number=replaces["invoice_number"])
        Invoice.objects.filter(pk=pk).update(tax_point_on=first.tax_point_on, gst_on=first.gst_on)
        note = Invoice.objects.filter(invoice_number=replaces["credit_note"])
        note.update(gst_on=first.gst_on, credit_kind="TAX_ERROR")


class Migration(migrations.Migration):
    # On MySQL a DROP TRIGGER commits what is open.
    atomic = False

    dependencies = [("invoices", "0019_gst_rates_superseded")]

    operations = [
        migrations.AddField("invoice", "tax_point_on", models.DateField(null=True)),
        migrations.AddField("invoice", "gst_on", models.DateField(null=True)),
        migrations.AddField(
            "invoice",
            "credit_kind",
            models.CharField(
                max_length=9,
                choices=[("GENUINE", "Genuine"), ("TAX_ERROR", "Tax error")],
                blank=True,
                default="",
                help_text="Of a credit note: genuine (its own GST period), or a tax error (that of what it corrects).",
            ),
            preserve_default=False,
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField(
            "invoice",
            "tax_point_on",
            models.DateField(
                help_text="When the supply counts (GST Act 1993, s 11): when it was paid on the spot, else when it was "
                "issued."
            ),
        ),
        migrations.AlterField(
            "invoice",
            "gst_on",
            models.DateField(
                help_text="In whose GST period it counts: its tax point; of what puts an error right, the day of the "
                "error."
            ),
        ),
        migrations.AddIndex(
            "invoice",
            models.Index(
                fields=(
                    "gst_on", "date", "kind", "user", "depot", "gst_rate", "taxable_amount", "subtotal", "gst_amount",
                ),
                name="invoice_gst_idx",
            ),
        ),
        migrations.AddConstraint(
            "invoice",
            models.CheckConstraint(
                condition=Q(gst_on__lte=F("date"), tax_point_on__lte=F("date")), name="invoice_counts_by_its_issue"
            ),
        ),
        migrations.AddConstraint(
            "invoice",
            models.CheckConstraint(
                condition=Q(kind="CREDIT_NOTE", credit_kind__in=("GENUINE", "TAX_ERROR"))
                | (~Q(kind="CREDIT_NOTE") & Q(credit_kind="")),
                name="invoice_credit_notes_say_their_kind",
            ),
        ),
    ]  # fmt: skip
