"""Values from a date on, in JSON."""

from typing import Any

from rest_framework import serializers

from foundation.api.fields import TextField
from foundation.api.inputs import Input


class DatedIn(Input):
    valid_from = serializers.DateField(
        help_text="The first Singapore date on which it counts; a past or a future one, too."
    )
    reason = TextField(
        max_length=500,
        required=False,
        allow_blank=True,
        default="",
        help_text="Needed for a past date, and where it supersedes one of the same date.",
    )


class DatedOut(serializers.Serializer[Any]):
    """Of a `Standing`: what a row says, and what became of it."""

    id = serializers.IntegerField(source="row.id", read_only=True)
    valid_from = serializers.DateTimeField(
        source="row.valid_from", read_only=True, allow_null=True, help_text="null: ever since."
    )
    reason = serializers.CharField(source="row.reason", read_only=True)
    created_by = serializers.IntegerField(source="row.created_by_id", read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(
        source="row.created_at", read_only=True, allow_null=True, help_text="When it was entered."
    )
    is_superseded = serializers.BooleanField(
        read_only=True, help_text="Another of the same date was entered later, and counts instead."
    )
    is_in_force = serializers.BooleanField(read_only=True, help_text="It counts now.")
