"""Row locks of invoices."""

from invoices.models import Invoice


def invoice(invoice_id: int) -> Invoice:
    row: Invoice = Invoice.objects.select_for_update().get(pk=invoice_id)
    return row
