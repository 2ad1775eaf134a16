"""Answers that several views give."""

from django.http import HttpResponse
from rest_framework.response import Response
from rest_framework.status import HTTP_200_OK, HTTP_201_CREATED

REPLAYED = "Idempotent-Replayed"


def pdf_file(pdf: bytes, name: str) -> HttpResponse:
    """A document to look at; ``name`` is our own, never a client's text."""
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)


def created(data: object, *, replayed: bool) -> Response:
    """201 for what was made now; 200 and a header for what the same operation made before."""
    if replayed:
        return Response(data, status=HTTP_200_OK, headers={REPLAYED: "true"})
    return Response(data, status=HTTP_201_CREATED)
