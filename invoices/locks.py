"""Row locks of invoices, of the payments that settle them, and of the outbox.

Whoever changes what is settled holds the customer's lock first: a customer's account is changed by one at a time.
"""

from collections.abc import Iterable

from invoices.models import Allocation, Invoice, InvoiceEmail, Payment


def invoice(invoice_id: int) -> Invoice:
    row: Invoice = Invoice.objects.select_for_update().get(pk=invoice_id)
    return row


def invoices(invoice_ids: Iterable[int]) -> list[Invoice]:
    """In primary-key order."""
    return list(Invoice.objects.select_for_update().filter(pk__in=set(invoice_ids)).order_by("pk"))


def payments(payment_ids: Iterable[int]) -> list[Payment]:
    """In primary-key order."""
    return list(Payment.objects.select_for_update().filter(pk__in=set(payment_ids)).order_by("pk"))


def payments_of(invoice_id: int) -> list[Payment]:
    """What has settled an invoice, in primary-key order."""
    settling = Allocation.objects.filter(invoice=invoice_id, payment__isnull=False)
    return payments(settling.values_list("payment_id", flat=True))


def cash_in_bag(user_id: int) -> list[Payment]:
    """The cash that a user took and hasn't handed in, in primary-key order."""
    return list(
        Payment.objects.select_for_update()
        .filter(user_id=user_id, handed_in_at__isnull=True, method=Payment.Method.CASH)
        .order_by("pk")
    )


def email(email_id: int) -> InvoiceEmail:
    row: InvoiceEmail = InvoiceEmail.objects.select_for_update().get(pk=email_id)
    return row
