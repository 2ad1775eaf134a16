"""A document on its way to whoever may see its invoice: the API's clients and the office alike."""

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response

from invoices import documents
from invoices.models import Invoice
from invoices.stamping import stamp_of


def pdf_response(request: HttpRequest, invoice: Invoice, *, as_issued: bool = False) -> HttpResponse:
    """An invoice's document, or a 304 where the client has it. Raises StorageUnavailable, UnreadableRecord.

    Where something was taken back of it since, it is stamped so, unless it is asked for ``as_issued``.
    """
    stamp = None if as_issued else stamp_of(invoice)
    etag = f'"{invoice.pdf_sha256}"' if stamp is None else f'"{invoice.pdf_sha256}-{invoice.credited_amount}"'
    headers = {
        "ETag": etag,
        "Content-Disposition": f'inline; filename="{invoice.invoice_number}.pdf"',
        "Cache-Control": "private, no-cache",
    }
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None and unchanged.status_code == 304:
        return unchanged
    return HttpResponse(documents.printed(invoice, stamp), content_type="application/pdf", headers=headers)
