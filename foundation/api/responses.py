"""Answers that several views give."""

from collections.abc import Mapping

from django.http import HttpResponse
from rest_framework import serializers


class RemainingOut(serializers.Serializer[Mapping[str, object]]):
    """What is left to do about an inactive row."""

    remaining = serializers.ListField(child=serializers.CharField(), help_text="What is still out, in words.")


def pdf_file(pdf: bytes, name: str) -> HttpResponse:
    """A document to look at; ``name`` is our own, never a client's text."""
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)
