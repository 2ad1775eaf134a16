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
from django.http import HttpRequest
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import services
from accounts.models import User
from accounts.requests import acting_user
from accounts.throttling import LogInThrottle
from foundation.access.capabilities import Capability
from foundation.office.generic import ModelForm
from foundation.office.links import Related, evidence_of, list_of
from foundation.office.master_data import MasterDataAdmin, MasterDataForm
from foundation.office.menu import Menu

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
    new_password = forms.CharField(
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
    view_capability = Capability.MANAGE_USERS
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
    search_fields = ("username", "first_name", "last_name", "employee_id", "vehicle_no")
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
        return (*super().get_fieldsets(request, obj), *record)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return () if obj is None else ("last_login", "date_joined")

    def related(self, request: HttpRequest, target: User) -> Iterable[Related]:
        return (
            list_of("transactions.transaction", "Sales", user__id__exact=target.pk),
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


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """As the commands take them: the depot by its primary key."""
    return {name: value.pk if name == "depot" and value else value for name, value in values.items()}
