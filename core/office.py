"""What the pages of the office (Django admin) have in common.

Reading is scoped like the API: a capability opens a model, ``visible_to(user)`` its rows. Writing goes through the
same commands as everywhere else. Nothing can be deleted.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from core.access import Capability
from core.errors import DomainError

admin.site.site_title = "HSH LPG"
admin.site.site_header = "HSH LPG office"
admin.site.index_title = "Cylinders and money"
admin.site.empty_value_display = "–"
# Its width belongs to the lists; the front page has the same links.
admin.site.enable_nav_sidebar = False
admin.site.site_url = None


def may(request: HttpRequest, capability: Capability) -> bool:
    """Asked for visitors who haven't logged in yet, too: they may nothing."""
    user: Any = request.user
    return bool(user.is_authenticated and user.can(capability))


def link_to(target: Model | None, text: object = None) -> SafeString | str:
    """A link to an object's own page."""
    if target is None:
        return "–"
    url = reverse(f"admin:{target._meta.app_label}_{target._meta.model_name}_change", args=[target.pk])
    return format_html('<a href="{}">{}</a>', url, text if text is not None else target)


def link_to_list(model: str, text: str, **filters: str | int) -> SafeString:
    """A link to a list: ``link_to_list("audit.auditlog", "Audit", entity_id=7)``."""
    url = reverse(f"admin:{model.replace('.', '_')}_changelist")
    return format_html('<a href="{}?{}">{}</a>', url, urlencode(filters), text)


def evidence_of(target: Model) -> SafeString:
    """A link to an object's audit records."""
    return link_to_list("audit.auditlog", "Audit records", entity_type=target._meta.label_lower, entity_id=target.pk)


def movements_of(target: Model) -> SafeString:
    """A link to the stock movements that a document caused."""
    return link_to_list(
        "inventory.stockmovement", "Stock movements", cause_type=target._meta.label_lower, cause_id=target.pk
    )


class OfficeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Read-only, scoped, without a delete anywhere."""

    view_capability: ClassVar[Capability]
    list_per_page = 50
    show_full_result_count = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, self.view_capability)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        rows: Any = super().get_queryset(request)
        return rows.visible_to(request.user) if hasattr(rows, "visible_to") else rows

    # --- Domain errors become messages; the page's transaction has rolled back by then.

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._or_message(request, super().changeform_view, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._or_message(request, super().changelist_view, *args, **kwargs)

    def _or_message(self, request: HttpRequest, view: Callable[..., Any], *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response: HttpResponse = view(request, *args, **kwargs)
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return response

    def each(self, request: HttpRequest, targets: Any, done: str, act: Callable[[Any], object]) -> None:
        """Run a command for each selected row, each in its own transaction, and say what became of it."""
        for target in targets:
            try:
                act(target)
            except DomainError as error:
                self.message_user(request, f"{target}: {error.detail}", messages.ERROR)
            else:
                self.message_user(request, f"{target}: {done}.", messages.SUCCESS)


class MasterDataAdmin(OfficeAdmin):
    """Editable by those who manage it, through the same commands as the API."""

    view_capability = Capability.VIEW_MASTER_DATA
    manage_capability: ClassVar[Capability] = Capability.MANAGE_MASTER_DATA
    create_command: ClassVar[Callable[..., Model]]
    update_command: ClassVar[Callable[..., Model]]
    deactivate_command: ClassVar[Callable[..., Model]]
    actions: Any = ("deactivate",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, self.manage_capability)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, self.manage_capability)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            changes = self.changes_of(form)
            if changes:
                type(self).update_command(actor=request.user, pk=obj.pk, changes=changes)
        else:
            made = type(self).create_command(actor=request.user, **self.new_of(form))
            obj.pk, obj._state.adding = made.pk, False

    def new_of(self, form: Any) -> Mapping[str, Any]:
        """The create command's arguments from a valid form."""
        return {"values": form.cleaned_data}

    def changes_of(self, form: Any) -> dict[str, Any]:
        """The update command's changes from a valid form."""
        return {name: form.cleaned_data[name] for name in form.changed_data}

    @admin.action(description="Deactivate", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: Any) -> None:
        command = type(self).deactivate_command
        self.each(request, queryset, "deactivated", lambda target: command(actor=request.user, pk=target.pk))
