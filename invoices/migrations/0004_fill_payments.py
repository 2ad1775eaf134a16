"""What earlier versions knew of an invoice only by its snapshot and its time of payment."""

from decimal import Decimal

from django.db import migrations

from foundation.ledger import guards

BATCH = 1_000
ZERO = Decimal("0.00")


def fill(apps, schema_editor):
    Invoice = apps.get_model("invoices", "Invoice")
    Payment = apps.get_model("invoices", "Payment")
    Allocation = apps.get_model("invoices", "Allocation")
    if not Invoice.objects.exists():
        return
    # They refuse a change of issued invoices, and come back after the migrations.
    guards.remove(using=schema_editor.connection)
    last = 0
    while batch := list(Invoice.objects.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = batch[-1].pk
        payments = []
        for invoice in batch:
            invoice.taxable_amount = Decimal(invoice.snapshot["taxable_amount"])
            if invoice.paid_at is not None or not invoice.total_amount:
                invoice.settled_amount, invoice.settled_on = invoice.total_amount, invoice.date
            if invoice.paid_at is not None and invoice.total_amount:
                # Every payment of that time came with its sale, in cash.
                payments.append(
                    Payment(
                        customer_id=invoice.customer_id, method="CASH", amount=invoice.total_amount,
                        received_on=invoice.date, user_id=invoice.user_id, is_on_the_spot=True,
                        created_at=invoice.generated_at, date=invoice.date, allocated_amount=invoice.total_amount,
                        used_up_on=invoice.date, remarks=invoice.invoice_number, handed_in_at=invoice.generated_at,
                    )
                )
        Invoice.objects.bulk_update(batch, ["taxable_amount", "settled_amount", "settled_on"])
        Payment.objects.bulk_create(payments)
        by_number = {invoice.invoice_number: invoice for invoice in batch}
        made = Payment.objects.filter(remarks__in=by_number)
        Allocation.objects.bulk_create(
            Allocation(
                payment=payment, invoice=by_number[payment.remarks], amount=payment.amount, date=payment.date,
                user_id=payment.user_id, created_at=payment.created_at,
            )
            for payment in made
        )
        made.update(remarks="")


class Migration(migrations.Migration):
    # On MySQL a DROP TRIGGER commits what is open.
    atomic = False

    dependencies = [("invoices", "0003_payments_and_emails")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
