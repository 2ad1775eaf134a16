"""All that is written of documents and of the money that settles them, a module for each noun."""

from invoices.services.emails import request_email, send_invoice_email, sweep_emails
from invoices.services.issuing import NUMBER_PREFIX, Billing, add_gst_rate, issue_invoice
from invoices.services.payments import (
    NewPayment,
    Share,
    allocate_payment,
    pay_invoice,
    record_payment,
    reverse_payment,
    settle_void,
)
from invoices.services.printing import mark_printed, print_batch

__all__ = [
    "NUMBER_PREFIX",
    "Billing",
    "NewPayment",
    "Share",
    "add_gst_rate",
    "allocate_payment",
    "issue_invoice",
    "mark_printed",
    "pay_invoice",
    "print_batch",
    "record_payment",
    "request_email",
    "reverse_payment",
    "send_invoice_email",
    "settle_void",
    "sweep_emails",
]
