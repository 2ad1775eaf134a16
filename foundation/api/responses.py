"""Answers that several views give."""

from collections.abc import Mapping

from django.http import HttpResponse
from rest_framework import serializers

from foundation.remains import UnderWay


class UnderWayOut(serializers.Serializer[UnderWay]):
    """What was recorded in the field before a count, and isn't in the books."""

    detail = serializers.CharField(source="text")
    code = serializers.CharField(help_text="Why it was refused; empty: it never came.")
    user = serializers.IntegerField(help_text="Whose operation.")
    occurred_at = serializers.DateTimeField(allow_null=True, help_text="Null: it never came.")
    entity_type = serializers.CharField(source="entity", help_text="`sync.syncconflict`, or `sync.device`.")
    entity_id = serializers.IntegerField(help_text="The id of the kept operation, or of the device.")


class RemainingOut(serializers.Serializer[Mapping[str, object]]):
    """What is left to do about an inactive row."""

    remaining = serializers.ListField(child=serializers.CharField(), help_text="What is still out, in words.")


def pdf_file(pdf: bytes, name: str) -> HttpResponse:
    """A document to look at; ``name`` is our own, never a client's text."""
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)
