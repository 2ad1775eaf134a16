"""Vehicles in JSON."""

from typing import Any

from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from fleet.models import Vehicle, normalised, number_validator
from foundation.api.fields import IdField, TextField
from foundation.api.inputs import KnownFieldsOnly
from foundation.api.responses import RemainingOut


class VehicleNoField(TextField):
    """A number plate as people write it (``gbk 1234 a``), taken as ``GBK1234A``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=24, **kwargs)

    def to_internal_value(self, data: object) -> str:
        plate = normalised(super().to_internal_value(data))
        if plate:
            number_validator(plate)
        return plate


class VehicleSerializer(KnownFieldsOnly, serializers.ModelSerializer[Vehicle]):
    number = VehicleNoField(
        validators=[UniqueValidator(queryset=Vehicle.objects.all(), lookup="exact")],
        help_text="On the plate. It stays: documents name the vehicle by it.",
    )
    depot = IdField(
        source="depot_id",
        required=False,
        allow_null=True,
        help_text="Whose staff see its stock, whoever drives it; null: administrators alone.",
    )
    depot_code = serializers.CharField(source="depot.code", allow_null=True, default=None, read_only=True)

    class Meta:
        model = Vehicle
        fields = ("id", "number", "depot", "depot_code", "is_active")

    def to_internal_value(self, data: Any) -> Any:
        """As the commands take it: the depot by its primary key."""
        values = super().to_internal_value(data)
        if "depot_id" in values:
            values["depot"] = values.pop("depot_id")
        return values


class OutOfUseOut(RemainingOut):
    """What is left to do about an inactive vehicle."""

    number = serializers.CharField()
