"""Users in JSON."""

from typing import Any

from django.contrib.auth.validators import ASCIIUsernameValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from accounts.passwords import require_strong
from accounts.services import NewAssignment, NewCorrection, NewTaking
from fleet.models import Assignment
from fleet.serializers import VehicleNoField
from foundation.access.capabilities import Capability, Role
from foundation.api.fields import EmailField, IdField, MomentField, StrictChoiceField, TextField
from foundation.api.inputs import Input


class PasswordField(TextField):
    """A new password; its spaces are part of it, and it is never answered."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=128, trim_whitespace=False, write_only=True, style={"input_type": "password"}, **kwargs
        )


class UserIn(Input):
    """What an administrator says about a user. Where ``PUT`` leaves an optional field out, it stays."""

    username = TextField(max_length=64, validators=[ASCIIUsernameValidator()])
    first_name = TextField(max_length=100, required=False, allow_blank=True)
    last_name = TextField(max_length=100, required=False, allow_blank=True)
    email = EmailField(max_length=254, required=False, allow_blank=True)
    role = StrictChoiceField(choices=Role.choices)
    depot = IdField(required=False, allow_null=True, help_text="SUPERVISOR and DEPOT_STAFF need one.")
    employee_id = TextField(max_length=32, required=False, allow_blank=True, allow_null=True)
    vehicle_no = VehicleNoField(
        required=False,
        allow_blank=True,
        help_text="The vehicle that the user sells from; empty: from FIELD. Another one is an assignment from now on, "
        "and one that isn't known yet is added at the user's depot.",
    )
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


class TakeIn(Input):
    occurred_at = MomentField(required=False, allow_null=True, default=None, help_text="Left out: now.")

    def command(self, vehicle: str) -> NewTaking:
        return NewTaking(vehicle=vehicle, **self.validated_data)


class AssignmentIn(Input):
    user = IdField()
    vehicle = VehicleNoField(allow_null=True, help_text="Its number; null: none from then on.")
    occurred_at = MomentField(required=False, allow_null=True, default=None, help_text="From when on. Left out: now.")
    reason = TextField(max_length=500, required=False, allow_blank=True, default="")

    def command(self) -> NewAssignment:
        """The validated assignment, as the service takes it."""
        return NewAssignment(**self.validated_data)


class AssignmentCorrectionIn(Input):
    """What the assignment should have said."""

    vehicle = VehicleNoField(allow_null=True, help_text="Its number; null: none.")
    occurred_at = MomentField(
        required=False, allow_null=True, default=None, help_text="From when on. Left out: it began when it says."
    )
    reason = TextField(max_length=500)

    def command(self, assignment: int) -> NewCorrection:
        return NewCorrection(assignment=assignment, **self.validated_data)


class AssignmentOut(serializers.ModelSerializer[Assignment]):
    user_name = serializers.CharField(source="user.get_full_name", read_only=True)
    vehicle_no = serializers.CharField(
        source="vehicle.number", default="", read_only=True, help_text="Empty: none from then on."
    )
    from_at = serializers.DateTimeField(
        allow_null=True, read_only=True, help_text="Until the user's next one; null: from the beginning."
    )
    corrected_by = serializers.IntegerField(
        source="correction.pk",
        allow_null=True,
        default=None,
        read_only=True,
        help_text="The assignment that counts in its place.",
    )

    class Meta:
        model = Assignment
        fields = (
            "id", "client_temp_id", "user", "user_name", "depot", "vehicle", "vehicle_no", "from_at", "corrects",
            "corrected_by", "reason", "recorded_by", "created_at",
        )  # fmt: skip
        read_only_fields = fields
