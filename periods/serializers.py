"""Closings and GST returns in JSON."""

from typing import Any

from rest_framework import serializers

from foundation.api.fields import StrictChoiceField, TextField
from foundation.api.inputs import Input
from periods.models import GstReturn, GstReturnPart, Period
from periods.services import NewPeriod, NewReturn


class PeriodIn(Input):
    ends_on = serializers.DateField(help_text="The books are closed from the end of the last closing up to this day.")

    def command(self) -> NewPeriod:
        return NewPeriod(**self.validated_data)


class ReopenIn(Input):
    reason = TextField(max_length=500)


class PeriodOut(serializers.ModelSerializer[Period]):
    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    reopening: Any = serializers.PrimaryKeyRelatedField(
        read_only=True, allow_null=True, default=None, help_text="What took this closing back."
    )

    class Meta:
        model = Period
        fields = (
            "id", "client_temp_id", "starts_on", "ends_on", "closed_until", "documents", "billed", "received",
            "reopens", "reopening", "reason", "user", "user_name", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class GstReturnIn(Input):
    form = StrictChoiceField(choices=GstReturn.Form.choices, required=False, default=GstReturn.Form.F5)
    starts_on = serializers.DateField(help_text="The first day of the period.")
    ends_on = serializers.DateField(help_text="Its last day.")
    reference = TextField(
        max_length=64, required=False, allow_blank=True, default="", help_text="IRAS's acknowledgement number."
    )

    def command(self) -> NewReturn:
        return NewReturn(**self.validated_data)


class GstReturnPartOut(serializers.ModelSerializer[GstReturnPart]):
    class Meta:
        model = GstReturnPart
        fields = ("starts_on", "ends_on", "recorded_after", "recorded_until", "documents", "box_1", "box_6")
        read_only_fields = fields


class GstReturnOut(serializers.ModelSerializer[GstReturn]):
    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    parts = GstReturnPartOut(
        many=True,
        read_only=True,
        help_text="Its own period's; of an F5 also the errors of earlier ones.",
    )

    class Meta:
        model = GstReturn
        fields = (
            "id", "client_temp_id", "form", "starts_on", "ends_on", "recorded_until", "box_1", "box_6", "reference",
            "parts", "user", "user_name", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class ErrorOut(serializers.Serializer[Any]):
    """What turned up for one period since its return was filed."""

    starts_on = serializers.DateField(read_only=True)
    ends_on = serializers.DateField(read_only=True)
    documents = serializers.IntegerField(read_only=True)
    box_1 = serializers.DecimalField(max_digits=14, decimal_places=2, read_only=True)
    box_6 = serializers.DecimalField(max_digits=14, decimal_places=2, read_only=True)


class ErrorsOut(serializers.Serializer[Any]):
    """Errors of filed periods that no return declares yet."""

    periods = ErrorOut(source="parts", many=True, read_only=True)
    net_gst = serializers.DecimalField(source="gst", max_digits=14, decimal_places=2, read_only=True)
    may_be_in_next_f5 = serializers.BooleanField(read_only=True)
    too_much = serializers.CharField(read_only=True, help_text="Why they need an F7; empty: they don't.")
