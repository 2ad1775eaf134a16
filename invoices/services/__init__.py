"""All that is written of documents, a module for each noun."""

from invoices.services.emails import release_email, request_email, send_invoice_email, sweep_emails
from invoices.services.issuing import NUMBER_PREFIX, Billing, Page, add_gst_rate, issue_invoice
from invoices.services.printing import mark_printed, print_batch
from invoices.services.settling import change_settled, mark_unpaid

__all__ = [
    "NUMBER_PREFIX",
    "Billing",
    "Page",
    "add_gst_rate",
    "change_settled",
    "issue_invoice",
    "mark_printed",
    "mark_unpaid",
    "print_batch",
    "release_email",
    "request_email",
    "send_invoice_email",
    "sweep_emails",
]
