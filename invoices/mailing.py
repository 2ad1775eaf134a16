"""The message that brings an invoice to its customer."""

from email.utils import make_msgid

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from invoices import documents
from invoices.models import InvoiceEmail
from invoices.snapshot import InvoiceSnapshot
from invoices.words import charges_gst, title_of


def new_message_id() -> str:
    """One for each request, whatever the number of attempts: a mail server may know a repeated one by it."""
    return make_msgid("invoice", domain=settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost")


def compose(email: InvoiceEmail) -> EmailMultiAlternatives:
    """The message, in text and HTML, with the stored document. Raises StorageUnavailable,
    UnreadableRecord.
    """
    invoice = email.invoice
    pdf = documents.read(invoice.pdf_path, invoice.pdf_sha256)
    snapshot = InvoiceSnapshot.from_json(invoice.snapshot)
    title = title_of(snapshot)
    context = {
        "invoice": invoice,
        "snapshot": snapshot,
        "title": title.lower(),
        "amount": "Amount with GST" if charges_gst(snapshot) else "Amount",
        "company": settings.COMPANY,
        "credited": -invoice.total_amount,
    }
    message = EmailMultiAlternatives(
        subject=f"{title} {invoice.invoice_number} from {settings.COMPANY['name']}",
        body=render_to_string("emails/invoice.txt", context),
        to=[email.to],
        reply_to=[settings.COMPANY["email"]] if settings.COMPANY["email"] else None,
        headers={"Message-ID": email.message_id},
    )
    message.attach_alternative(render_to_string("emails/invoice.html", context), "text/html")
    message.attach(f"{invoice.invoice_number}.pdf", pdf, "application/pdf")
    return message
