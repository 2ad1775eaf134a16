"""The audit record in JSON."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from audit.models import AuditLog, Confirmation


@extend_schema_field({"type": ["object", "null"], "additionalProperties": True})
class ChangesField(serializers.JSONField):
    """Field by field. Null where there was nothing to tell."""


class AuditLogSerializer(serializers.ModelSerializer[AuditLog]):
    user_name = serializers.CharField(source="user.username", allow_null=True, default=None, read_only=True)

    before = ChangesField(read_only=True, help_text="The changed fields before; null for something new.")
    after = ChangesField(read_only=True, help_text="The changed fields after.")

    class Meta:
        model = AuditLog
        fields = (
            "id", "at", "action", "entity_type", "entity_id", "user", "user_name", "depot",
            "before", "after", "reason", "ip_address", "request_id",
        )  # fmt: skip
        read_only_fields = fields


class ConfirmationOut(serializers.ModelSerializer[Confirmation]):
    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    confirmed_by_name = serializers.CharField(
        source="confirmed_by.get_full_name", allow_null=True, default=None, read_only=True
    )

    class Meta:
        model = Confirmation
        fields = (
            "id", "code", "attr", "value", "detail", "entity_type", "entity_id", "about", "user", "user_name",
            "confirmed_by", "confirmed_by_name", "depot", "at",
        )  # fmt: skip
        read_only_fields = fields
