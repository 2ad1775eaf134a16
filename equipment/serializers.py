"""Equipment in JSON."""

from rest_framework import serializers

from equipment.models import Equipment
from foundation.api.fields import CodeField, RateField, StrictChoiceField, StrictDecimalField, TextField
from foundation.api.inputs import KnownFieldsOnly


class EquipmentSerializer(KnownFieldsOnly, serializers.ModelSerializer[Equipment]):
    serializer_choice_field = StrictChoiceField

    sku = CodeField(Equipment)
    name = TextField(max_length=120)
    weight_kg = StrictDecimalField(max_digits=6, decimal_places=2, min_value=0, required=False, allow_null=True)
    default_rate = RateField(required=False, allow_null=True, help_text="Before GST; null: the field names the rate.")
    deposit = RateField(required=False, allow_null=True, help_text="Outside GST; null: none is set.")

    class Meta:
        model = Equipment
        fields = (
            "id",
            "sku",
            "name",
            "equipment_type",
            "weight_kg",
            "default_rate",
            "deposit",
            "is_foreign",
            "is_active",
        )
