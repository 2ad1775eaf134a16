"""Row locks of invoices."""

from invoices.models import Invoice


def invoice(invoice_id: int) -> Invoice:
    return Invoice.objects.select_for_update().get(pk=invoice_id)
