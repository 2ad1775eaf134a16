"""Users in the office."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import services
from accounts.models import User
from core.access import Capability
from core.office import MasterDataAdmin, evidence_of, link_to_list

# Rights are roles here, and tokens are nobody's to read.
admin.site.unregister([Group, OutstandingToken, BlacklistedToken])


class UserForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password"].required = self.instance.pk is None

    def clean_new_password(self) -> str:
        password: str = self.cleaned_data["new_password"]
        if password:
            validate_password(password, self.instance)
        return password


@admin.register(User)
class UserAdmin(MasterDataAdmin):
    view_capability = Capability.MANAGE_USERS
    manage_capability = Capability.MANAGE_USERS
    form = UserForm
    list_display = (
        "username", "get_full_name", "role", "employee_id", "depot", "vehicle_no", "is_active", "last_login",
    )  # fmt: skip
    list_filter = ("role", "is_active", "depot")
    list_select_related = ("depot",)
    search_fields = ("username", "first_name", "last_name", "employee_id", "vehicle_no")
    readonly_fields = ("last_login", "date_joined", "sales", "audit")
    fieldsets = (
        (None, {"fields": ("username", "new_password", "is_active")}),
        ("Person", {"fields": (("first_name", "last_name"), "email", "employee_id")}),
        ("Work", {"fields": ("role", "depot", "vehicle_no")}),
        ("Record", {"fields": ("last_login", "date_joined", "sales", "audit")}),
    )
    update_command = services.update_user
    deactivate_command = services.deactivate_user

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            if password := form.cleaned_data["new_password"]:
                services.set_password(actor=request.user, pk=obj.pk, password=password)  # type: ignore[arg-type]
        else:
            made = services.create_user(actor=request.user, **self.new_of(form))  # type: ignore[arg-type]
            obj.pk, obj._state.adding = made.pk, False

    def new_of(self, form: Any) -> Mapping[str, Any]:
        values = _plain(form.cleaned_data)
        return {"password": values.pop("new_password"), "values": values}

    def changes_of(self, form: Any) -> dict[str, Any]:
        changes = _plain(super().changes_of(form))
        changes.pop("new_password", None)
        return changes

    @admin.display(description="sales")
    def sales(self, user: User) -> str:
        return link_to_list("transactions.transaction", "Sales", user__id__exact=user.pk) if user.pk else "–"

    @admin.display(description="audit")
    def audit(self, user: User) -> str:
        return evidence_of(user) if user.pk else "–"


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """As the commands take them: the depot by its primary key."""
    return {name: value.pk if name == "depot" and value else value for name, value in values.items()}
