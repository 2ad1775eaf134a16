"""What is printed over a document of which something was taken back: nobody pays it, or files it, for what it was.

The stored document stays as it was issued.
"""

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from django.template import Context
from pypdf import PdfReader, PdfWriter

from foundation.money import shown
from invoices.models import Invoice
from invoices.pdf.page import template
from invoices.pdf.qr import crossed_out
from invoices.pdf.renderer import render_document


@dataclass(frozen=True, slots=True)
class Stamp:
    """A word, and what there is to say of it."""

    word: str
    detail: str


def stamp_of(invoice: Invoice) -> Stamp | None:
    """What a document is to be stamped with as it is now; None as long as it stands as it was issued."""
    if invoice.state == Invoice.State.ISSUED:
        return None
    by = ", ".join(invoice.corrections.order_by("pk").values_list("invoice_number", flat=True))
    if invoice.state == Invoice.State.VOIDED:
        return Stamp("VOIDED", f"by {by}")
    left = abs(invoice.total_amount - invoice.credited_amount)
    return Stamp("CREDITED IN PART", f"by {by} · S$ {shown(left)} is left of it")


def stamped(pdf: bytes, stamp: Stamp, *, at: datetime) -> bytes:
    """The document of that time with the stamp over each of its pages; a phone pays by none of its codes any more."""
    markup = _TEMPLATE.render(Context({"word": stamp.word, "detail": stamp.detail}))
    over = render_document(markup, "stamp.css", title=stamp.word, author="", at=at)
    page_over = PdfReader(BytesIO(over)).pages[0]
    writer = PdfWriter(clone_from=BytesIO(pdf))
    for page in writer.pages:
        if (drawn := page.get_contents()) is not None:
            drawn.set_data(crossed_out(drawn.get_data()))
            page.replace_contents(drawn)
        page.merge_page(page_over)
    content = BytesIO()
    writer.write(content)
    return content.getvalue()


_TEMPLATE = template("stamp.html")
