"""Discrepancies in JSON."""

from rest_framework import serializers

from discrepancies.models import Discrepancy
from foundation.api.fields import TextField
from foundation.api.inputs import Input


class DiscrepancyOut(serializers.ModelSerializer[Discrepancy]):
    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    seen_by = serializers.IntegerField(source="seen.by_id", allow_null=True, default=None, read_only=True)
    seen_at = serializers.DateTimeField(source="seen.at", allow_null=True, default=None, read_only=True)
    remarks = serializers.CharField(
        source="seen.remarks", allow_null=True, default=None, read_only=True, help_text="Of whoever marked it as seen."
    )

    class Meta:
        model = Discrepancy
        fields = (
            "id", "code", "user", "user_name", "depot", "vehicle_depot", "client_temp_id", "entity_type", "entity_id",
            "shown", "billed", "detail", "created_at", "seen_by", "seen_at", "remarks",
        )  # fmt: skip
        read_only_fields = fields


class SeenIn(Input):
    remarks = TextField(max_length=500, required=False, allow_blank=True, default="")
