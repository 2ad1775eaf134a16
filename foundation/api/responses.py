"""Answers that several views give."""

from django.http import HttpResponse


def pdf_file(pdf: bytes, name: str) -> HttpResponse:
    """A document to look at; ``name`` is our own, never a client's text."""
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)
