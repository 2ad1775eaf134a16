"""Users in JSON."""

from typing import Any

from django.contrib.auth.validators import ASCIIUsernameValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User, vehicle_no_validator
from accounts.passwords import require_strong
from foundation.access.capabilities import Capability, Role
from foundation.api.fields import IdField, StrictChoiceField, TextField
from foundation.api.inputs import Input


class PasswordField(TextField):
    """A new password; its spaces are part of it, and it is never answered."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=128, trim_whitespace=False, write_only=True, style={"input_type": "password"}, **kwargs
        )


class VehicleNoField(TextField):
    """A number plate as people write it (``gbk 1234 a``), taken as ``GBK1234A``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=24, allow_blank=True, **kwargs)

    def to_internal_value(self, data: object) -> str:
        plate = "".join(super().to_internal_value(data).split()).upper()
        if plate:
            vehicle_no_validator(plate)
        return plate


class UserIn(Input):
    """What an administrator says about a user. Where ``PUT`` leaves an optional field out, it stays."""

    username = TextField(max_length=64, validators=[ASCIIUsernameValidator()])
    first_name = TextField(max_length=100, required=False, allow_blank=True)
    last_name = TextField(max_length=100, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    role = StrictChoiceField(choices=Role.choices)
    depot = IdField(required=False, allow_null=True, help_text="SUPERVISOR and DEPOT_STAFF need one.")
    employee_id = TextField(max_length=32, required=False, allow_blank=True, allow_null=True)
    vehicle_no = VehicleNoField(required=False, help_text="The vehicle that the user sells from; empty: from FIELD.")
    is_active = serializers.BooleanField(required=False, help_text="False deactivates, true lets the user in again.")


class NewUserIn(UserIn):
    password = PasswordField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        person = {name: attrs.get(name, "") for name in ("username", "first_name", "last_name", "email")}
        require_strong(attrs["password"], User(**person))
        return attrs


class NewPasswordIn(Input):
    """``context["user"]`` is the one whose password it becomes."""

    password = PasswordField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        require_strong(attrs["password"], self.context["user"])
        return attrs


class UserOut(serializers.ModelSerializer[User]):
    name = serializers.CharField(source="get_full_name", read_only=True, help_text="The user name if empty.")
    email = serializers.CharField(read_only=True, help_text="Empty where there is none.")
    depot_code = serializers.CharField(source="depot.code", allow_null=True, default=None, read_only=True)

    class Meta:
        model = User
        fields: tuple[str, ...] = (
            "id", "username", "first_name", "last_name", "name", "email", "role", "depot", "depot_code",
            "employee_id", "vehicle_no", "is_active", "date_joined",
        )  # fmt: skip
        read_only_fields = fields


class MeOut(UserOut):
    capabilities = serializers.SerializerMethodField(help_text="What the role may do; on which rows, each list shows.")

    class Meta(UserOut.Meta):
        fields = (
            "id", "username", "first_name", "last_name", "name", "email", "role", "depot", "depot_code",
            "employee_id", "vehicle_no", "capabilities",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(choices=[*map(str, Capability)])))
    def get_capabilities(self, user: User) -> list[str]:
        return [capability.value for capability in Capability if user.can(capability)]
