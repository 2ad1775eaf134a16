"""Users and tokens in JSON."""

from typing import Any

from django.contrib.auth.validators import ASCIIUsernameValidator
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from accounts.models import User, vehicle_no_validator
from core.access import Capability
from core.api.fields import IdField, StrictChoiceField, TextField
from core.errors import UnknownReference
from depots.models import Depot

MAX_PASSWORD = 128


class LogInIn(serializers.Serializer[Any]):
    username = TextField(max_length=64)
    password = TextField(max_length=MAX_PASSWORD, trim_whitespace=False)


class RefreshIn(serializers.Serializer[Any]):
    refresh = TextField(max_length=4096)


class TokenPairOut(serializers.Serializer[Any]):
    access = serializers.CharField(read_only=True, help_text="Send it as `Authorization: Bearer …`.")
    refresh = serializers.CharField(read_only=True, help_text="Works once, for the next pair.")


class PasswordIn(serializers.Serializer[Any]):
    password = TextField(max_length=MAX_PASSWORD, trim_whitespace=False)


class VehicleNoField(TextField):
    """A plate's number: taken in capitals, without spaces."""

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data).upper().replace(" ", "")


class UserSerializer(serializers.ModelSerializer[User]):
    serializer_choice_field = StrictChoiceField

    username = TextField(
        max_length=64,
        validators=[ASCIIUsernameValidator(), UniqueValidator(User.objects.all(), lookup="iexact")],
    )
    first_name = TextField(max_length=100, required=False, allow_blank=True)
    last_name = TextField(max_length=100, required=False, allow_blank=True)
    employee_id = TextField(
        max_length=32,
        required=False,
        allow_null=True,
        allow_blank=True,
        validators=[UniqueValidator(User.objects.all(), lookup="iexact")],
    )
    depot = IdField(required=False, allow_null=True, source="depot_id")
    vehicle_no = VehicleNoField(max_length=16, required=False, allow_blank=True)

    class Meta:
        model = User
        fields = (
            "id", "username", "first_name", "last_name", "email", "role", "employee_id", "depot", "vehicle_no",
            "is_active", "date_joined",
        )  # fmt: skip
        read_only_fields = ("date_joined",)

    def validate_depot(self, value: int | None) -> int | None:
        if value is not None and not Depot.objects.filter(pk=value).exists():
            raise serializers.ValidationError(str(UnknownReference(value, attr="depot")), code="does_not_exist")
        return value

    def validate_employee_id(self, value: str | None) -> str | None:
        return value or None

    def validate_vehicle_no(self, value: str) -> str:
        if value:
            vehicle_no_validator(value)
        return value


class NewUserSerializer(UserSerializer):
    password = TextField(max_length=MAX_PASSWORD, write_only=True, trim_whitespace=False)

    class Meta(UserSerializer.Meta):
        fields = (*UserSerializer.Meta.fields, "password")


class MeOut(serializers.ModelSerializer[User]):
    name = serializers.CharField(source="get_full_name", read_only=True)
    depot_code = serializers.CharField(source="depot.code", read_only=True, allow_null=True, default=None)
    capabilities = serializers.SerializerMethodField(help_text="What this user may do; the app shows and hides by it.")

    class Meta:
        model = User
        fields = (
            "id", "username", "first_name", "last_name", "name", "email", "role", "employee_id", "depot", "depot_code",
            "vehicle_no", "capabilities",
        )  # fmt: skip
        read_only_fields = fields

    def get_capabilities(self, user: User) -> list[str]:
        return [str(capability) for capability in Capability if user.can(capability)]
