"""Answers that several views give."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from foundation.remains import Pending, UnderWay


class UnderWayOut(serializers.Serializer[UnderWay]):
    """What was recorded in the field before a count, and isn't in the books."""

    detail = serializers.CharField(source="text")
    code = serializers.CharField(help_text="Why it was refused; empty: it never came.")
    user = serializers.IntegerField(help_text="Whose operation.")
    occurred_at = serializers.DateTimeField(allow_null=True, help_text="Null: it never came.")
    entity_type = serializers.CharField(source="entity", help_text="`sync.syncconflict`, or `sync.device`.")
    entity_id = serializers.IntegerField(help_text="The id of the kept operation, or of the device.")


class _OfPending(serializers.ReadOnlyField):
    """A part of `pending_for`, where the view put that into the context as ``pending``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(source="*", **kwargs)

    def to_representation(self, row: object) -> object:
        pending: Pending | None = self.context.get("pending")
        return None if pending is None else self.part_of(pending)

    def part_of(self, pending: Pending) -> object:
        raise NotImplementedError


@extend_schema_field(UnderWayOut(many=True, allow_null=True))
class PendingField(_OfPending):
    def part_of(self, pending: Pending) -> object:
        listed: Any = pending.under_way
        return UnderWayOut(listed, many=True).data


@extend_schema_field(serializers.IntegerField(allow_null=True))
class PendingOthersField(_OfPending):
    def __init__(self) -> None:
        super().__init__(help_text="How many others are on their way, which you may not see. Null where `pending` is.")

    def part_of(self, pending: Pending) -> object:
        return pending.others


class RemainingOut(serializers.Serializer[Mapping[str, object]]):
    """What is left to do about an inactive row."""

    remaining = serializers.ListField(child=serializers.CharField(), help_text="What is still out, in words.")


def pdf_file(pdf: bytes, name: str) -> HttpResponse:
    """A document to look at; ``name`` is our own, never a client's text."""
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)
