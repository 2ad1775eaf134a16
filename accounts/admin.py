"""Users in the office, and how one gets in."""

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import services
from accounts.models import User
from accounts.requests import acting_user
from accounts.services import NewAssignment, NewCorrection
from accounts.throttling import LogInThrottle
from fleet.models import Assignment, Vehicle
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.office.actions import ON_LISTS_AND_PAGES, ReasonForm
from foundation.office.generic import FieldGroups, ModelForm
from foundation.office.links import Related, evidence_of, list_of
from foundation.office.master_data import MasterDataAdmin, MasterDataForm
from foundation.office.menu import Menu
from foundation.office.pages import OfficeAdmin, may
from foundation.office.texts import TextFormField
from foundation.office.widgets import MomentField

# Rights are roles here, and tokens are nobody's to read.
admin.site.unregister([Group, OutstandingToken, BlacklistedToken])


class OfficeLogInThrottle(LogInThrottle):
    """Counts an address's attempts apart from the API's; guesses at one account add up over both doors."""

    door = "office"


class LogInForm(AdminAuthenticationForm):
    """Asks the throttle before it hashes anything."""

    def clean(self) -> dict[str, Any]:
        assert self.request is not None  # the site's log-in view always sends it
        throttle = OfficeLogInThrottle()
        request = Request(self.request, parsers=[FormParser(), MultiPartParser()])
        if not throttle.allow_request(request, APIView()):
            raise ValidationError(f"Too many attempts. Please try again in {ceil(throttle.wait() or 1)} seconds.")
        return super().clean()


admin.site.login_form = LogInForm


class UserForm(MasterDataForm[User]):
    new_password = TextFormField(
        required=False,
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Setting one ends all of this user's log-ins. Empty: no change.",
    )

    class Meta:
        model = User
        fields = (
            "username", "first_name", "last_name", "email", "role", "employee_id", "depot", "vehicle_no", "is_active",
        )  # fmt: skip
        widgets = {"username": forms.TextInput(attrs={"autocomplete": "off"})}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            self.fields["new_password"].required = True
            self.fields["new_password"].help_text = ""

    def clean_new_password(self) -> str:
        password: str = self.cleaned_data["new_password"]
        if password:
            validate_password(password, self.instance)
        return password


@admin.register(User)
class UserAdmin(MasterDataAdmin[User]):
    view_capability = Capability.VIEW_USERS
    manage_capability = Capability.MANAGE_USERS
    menu = Menu.PEOPLE
    form = UserForm
    form_fields = {"password": "new_password"}
    is_found = True
    list_display = (
        "username", "get_full_name", "role", "employee_id", "depot", "vehicle_no", "is_active", "last_login",
    )  # fmt: skip
    list_filter = ("role", "is_active", "depot")
    list_select_related = ("depot",)
    search_fields = ("search_name", "vehicle_no")
    search_help_text = "User name, name, employee id, or vehicle"
    fieldsets = (
        (None, {"fields": ("username", "new_password", "is_active", "as_read")}),
        ("Person", {"fields": (("first_name", "last_name"), "email", "employee_id")}),
        ("Work", {"fields": ("role", "depot", "vehicle_no")}),
    )
    create_command = services.create_user
    update_command = services.update_user
    deactivate_command = services.deactivate_user

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        record = () if obj is None else (("Record", {"fields": (("last_login", "date_joined"),)}),)
        first, *others = super().get_fieldsets(request, obj)
        if not self.has_change_permission(request, obj):
            # Who reads has no use for what only a form has.
            first = (None, {"fields": ("username", "is_active")})
        return (first, *others, *record)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return () if obj is None else ("last_login", "date_joined")

    def related(self, request: HttpRequest, target: User) -> Iterable[Related]:
        return (
            list_of("transactions.transaction", "Sales", user__id__exact=target.pk),
            list_of("fleet.assignment", "What they drove", user__id__exact=target.pk),
            list_of("audit.auditlog", "What they did", user__id__exact=target.pk),
            evidence_of(target),
        )

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and (password := form.cleaned_data["new_password"]):
            services.set_password(actor=acting_user(request), pk=obj.pk, password=password)

    def new_of(self, form: ModelForm[User]) -> dict[str, Any]:
        values = _plain(form.cleaned_data)
        return {"password": values.pop("new_password"), "values": values}

    def changes_of(self, form: ModelForm[User]) -> dict[str, Any]:
        changes = _plain(super().changes_of(form))
        changes.pop("new_password", None)
        return changes


class AssignmentForm(ModelForm[Assignment]):
    from_at = MomentField(required=False, label="From", help_text="Empty: from now on.")

    class Meta:
        model = Assignment
        fields = ("user", "vehicle", "from_at", "reason")

    def validate_constraints(self) -> None:
        """The command says it in words."""


class CorrectionForm(ReasonForm):
    """What an assignment should have said."""

    field_order = ("vehicle", "occurred_at", "reason")
    vehicle = forms.ModelChoiceField(Vehicle.objects.all(), required=False, help_text="Empty: none.")
    occurred_at = MomentField(required=False, label="From", help_text="Empty: it began when it says.")


@admin.register(Assignment)
class AssignmentAdmin(OfficeAdmin[Assignment]):
    view_capability = Capability.VIEW_ASSIGNMENTS
    menu = Menu.MASTER_DATA
    form_fields = {"occurred_at": "from_at"}
    list_display = ("user", "vehicle", "from_at", "is_corrected", "reason", "recorded_by", "created_at")
    list_filter = ("vehicle", "depot")
    list_select_related = ("user", "vehicle", "recorded_by", "correction")
    search_fields = ("user__search_name", "vehicle__number")
    search_help_text = "User name or vehicle"
    date_hierarchy = "date"
    ordering = ("-id",)
    add_form = AssignmentForm
    actions = ("correct",)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "user__id__exact" or super().lookup_allowed(lookup, value, request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.ASSIGN_VEHICLE)

    has_correct_permission = has_add_permission

    def get_fields(self, request: HttpRequest, obj: Assignment | None = None) -> FieldGroups:
        if obj is None:
            return ("user", "vehicle", "from_at", "reason")
        return (
            ("user", "vehicle"), "from_at", "reason", ("corrects", "is_corrected"), ("recorded_by", "created_at"),
            "client_temp_id",
        )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Assignment | None = None) -> tuple[str, ...]:
        return () if obj is None else ("is_corrected",)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            within = rows_within(request.user, Capability.ASSIGN_VEHICLE, owner="pk")
            kwargs["queryset"] = User.objects.get_queryset().filter(within, is_active=True)
        if db_field.name == "vehicle":
            kwargs["queryset"] = Vehicle.objects.filter(is_active=True)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Assignment, form: ModelForm[Assignment], change: bool) -> None:
        sent = form.cleaned_data
        vehicle = sent["vehicle"] and sent["vehicle"].number
        new = NewAssignment(sent["user"].pk, vehicle, sent["from_at"], sent["reason"])
        obj.pk = services.assign_vehicle(actor=acting_user(request), data=new).pk
        obj.refresh_from_db()

    @admin.action(description="Correct", permissions=["correct"], location=ON_LISTS_AND_PAGES)
    def correct(self, request: HttpRequest, queryset: QuerySet[Assignment]) -> HttpResponse | None:
        actor = acting_user(request)

        def act(wrong: Assignment, sent: dict[str, Any]) -> object:
            vehicle = sent["vehicle"] and sent["vehicle"].number
            new = NewCorrection(wrong.pk, vehicle, sent["reason"], sent["occurred_at"])
            return services.correct_assignment(actor=actor, data=new)

        return self.ask(request, queryset, CorrectionForm, "Correct", "corrected", act)

    @admin.display(description="corrected", boolean=True)
    def is_corrected(self, assignment: Assignment) -> bool:
        return hasattr(assignment, "correction")


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """As the commands take them: the depot by its primary key."""
    return {name: value.pk if name == "depot" and value else value for name, value in values.items()}
