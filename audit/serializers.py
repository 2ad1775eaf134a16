"""The audit record in JSON."""

from rest_framework import serializers

from audit.models import AuditLog


class AuditLogSerializer(serializers.ModelSerializer[AuditLog]):
    user_name = serializers.CharField(source="user.username", allow_null=True, default=None, read_only=True)

    class Meta:
        model = AuditLog
        fields = (
            "id", "at", "action", "entity_type", "entity_id", "user", "user_name",
            "before", "after", "reason", "ip_address", "request_id",
        )  # fmt: skip
        read_only_fields = fields
