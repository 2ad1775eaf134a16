"""A document on its way to whoever may see its invoice: the API's clients and the office alike."""

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response

from invoices import documents
from invoices.models import Invoice


def pdf_response(request: HttpRequest, invoice: Invoice) -> HttpResponse:
    """An invoice's document, or a 304 where the client has it. Raises StorageUnavailable, UnreadableRecord."""
    etag = f'"{invoice.pdf_sha256}"'
    headers = {
        "ETag": etag,
        "Content-Disposition": f'inline; filename="{invoice.invoice_number}.pdf"',
        "Cache-Control": "private, no-cache",
    }
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None and unchanged.status_code == 304:
        return unchanged
    return HttpResponse(
        documents.read(invoice.pdf_path, invoice.pdf_sha256), content_type="application/pdf", headers=headers
    )
