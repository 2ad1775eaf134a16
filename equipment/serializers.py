"""Equipment in JSON."""

from rest_framework import serializers

from equipment.models import Equipment, EquipmentPrice
from foundation.api.dated import DatedIn, DatedOut
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


class PriceIn(DatedIn):
    kind = StrictChoiceField(choices=EquipmentPrice.Kind.choices)
    amount = RateField(allow_null=True, help_text="Of one; null: from then on there is no such price.")


class PriceOut(DatedOut):
    equipment = serializers.IntegerField(source="row.equipment_id", read_only=True)
    kind = serializers.ChoiceField(source="row.kind", choices=EquipmentPrice.Kind.choices, read_only=True)
    amount = serializers.DecimalField(
        source="row.amount", max_digits=10, decimal_places=2, read_only=True, allow_null=True
    )
