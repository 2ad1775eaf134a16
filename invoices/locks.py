"""Row locks of invoices and of the outbox.

Whoever changes what is settled holds the customer's lock first: a customer's account is changed by one at a time.
"""

from collections.abc import Iterable

from invoices.models import Invoice, InvoiceEmail


def invoice(invoice_id: int) -> Invoice:
    row: Invoice = Invoice.objects.select_for_update().get(pk=invoice_id)
    return row


def invoices(invoice_ids: Iterable[int]) -> list[Invoice]:
    """In primary-key order."""
    return list(Invoice.objects.select_for_update().filter(pk__in=set(invoice_ids)).order_by("pk"))


def email(email_id: int) -> InvoiceEmail:
    row: InvoiceEmail = InvoiceEmail.objects.select_for_update().get(pk=email_id)
    return row
