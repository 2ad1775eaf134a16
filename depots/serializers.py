"""Depots in JSON."""

from rest_framework import serializers

from depots.models import Depot
from foundation.api.fields import CodeField, TextField
from foundation.api.inputs import KnownFieldsOnly


class DepotSerializer(KnownFieldsOnly, serializers.ModelSerializer[Depot]):
    code = CodeField(Depot)
    name = TextField(max_length=120)
    address = TextField(max_length=250, required=False, allow_blank=True)

    class Meta:
        model = Depot
        fields = ("id", "code", "name", "address", "is_active")
