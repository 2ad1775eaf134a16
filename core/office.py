"""What the pages of the office (Django admin) have in common.

Reading is scoped like the API: a capability opens a model, ``visible_to(user)`` its rows. Writing goes through the
same commands as everywhere else. Nothing can be deleted.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.exceptions import NotRegistered
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from core.access import Capability
from core.admin_site import Menu
from core.commands import is_transient
from core.entities import entity_name, model_of
from core.errors import Busy, DomainError
from core.office_exports import ExportsRows

ON_LISTS_AND_PAGES = (admin.ActionLocation.CHANGE_LIST, admin.ActionLocation.CHANGE_FORM)
"""Where an action that suits one row as well as many is offered."""

_SAVES = ("_save", "_continue", "_addanother")
_PARTS_OF_DATES = ("year", "month", "day")
_ACTION_FIELDS = ("action", f"{admin.ActionLocation.CHANGE_FORM.value}-action", "_selected_action", "index")
"""What says which action was chosen for which rows."""


def may(request: HttpRequest, capability: Capability) -> bool:
    """Asked for visitors who haven't logged in yet, too: they may nothing."""
    user: Any = request.user
    return bool(user.is_authenticated and user.can(capability))


# --- What is shown ---------------------------------------------------------------------------------


def link_to(target: Model | None, text: object = None) -> SafeString | str:
    """A link to an object's own page. Only where whoever sees this may see that."""
    if target is None:
        return "–"
    return format_html('<a href="{}">{}</a>', _page(target._meta.label_lower, target.pk), text or target)


def badge(text: object, tone: str) -> SafeString:
    """A status that can be told at a glance; tones: good, open, off."""
    return format_html('<span class="badge badge-{}">{}</span>', tone, text)


@cache
def plain(name: str) -> Callable[[Model], str]:
    """A field's text, without the link to a page that its reader may not open."""

    def show(target: Model) -> str:
        value = getattr(target, name)
        return "–" if value is None else str(value)

    show.__name__ = name
    show.short_description = name.replace("_", " ")  # type: ignore[attr-defined]  # how Django admin names a column
    return show


@dataclass(frozen=True, slots=True)
class Related:
    """A button on an object's page. It is shown to those who may open the pages of ``model``."""

    model: str
    text: str
    url: str


def list_of(model: str, text: str, **filters: str | int) -> Related:
    """A button to a filtered list: ``list_of("audit.auditlog", "Audit records", entity_id=7)``."""
    url = reverse(f"admin:{model.replace('.', '_')}_changelist")
    return Related(model, text, f"{url}?{urlencode(filters)}")


def evidence_of(target: Model) -> Related:
    """A button to an object's audit records."""
    return list_of("audit.auditlog", "Audit records", entity_type=entity_name(target), entity_id=target.pk)


def movements_of(target: Model) -> Related:
    """A button to the stock movements that a document caused."""
    return list_of("inventory.stockmovement", "Stock movements", cause_type=entity_name(target), cause_id=target.pk)


def page_of(request: HttpRequest, entity: str, pk: int, text: str) -> Iterator[Related]:
    """A button to the page of what is known by its entity's name, if it has one and the reader may see that row."""
    try:
        model = model_of(entity)
        model_admin: Any = admin.site.get_model_admin(model)
    except (LookupError, NotRegistered):
        return
    if model_admin.get_queryset(request).filter(pk=pk).exists():
        yield Related(model._meta.label_lower, text, _page(model._meta.label_lower, pk))


def _page(model: str, pk: int) -> str:
    return reverse(f"admin:{model.replace('.', '_')}_change", args=[pk])


# --- Pages to read ---------------------------------------------------------------------------------


class OfficeAdmin(ExportsRows, admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Read-only, scoped, without a delete anywhere."""

    view_capability: ClassVar[Capability]
    menu: ClassVar[Menu]
    is_scoped: ClassVar[bool] = True
    """The rows are those of ``visible_to(user)``. False only where the capability is an administrator's alone."""
    is_found: ClassVar[bool] = False
    """The search over everything looks here, too: what people ask for by a number or a name."""
    form_fields: ClassVar[Mapping[str, str]] = {}
    """Where a command's field has another name in the form: the refusal's ``attr`` → the form's field."""
    list_per_page = 50
    show_full_result_count = False

    def awaited(self) -> Iterable[tuple[str, str, Mapping[str, str], Q]]:
        """What somebody should see to, for the front page: one, many, the list's filters, and the rows'."""
        return ()

    def said(self, target: Any) -> str:
        """What the search over everything says of a row."""
        return str(target)

    def related(self, request: HttpRequest, target: Any) -> Iterable[Related]:
        """Where an object's page leads."""
        return (evidence_of(target),)

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
        return rows.visible_to(request.user) if self.is_scoped else rows

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Django links every reference; one whose page the reader may not open becomes plain text."""
        fieldsets = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": self._legible(request, options["fields"])}) for title, options in fieldsets
        ]

    def _legible(self, request: HttpRequest, names: Iterable[Any]) -> list[Any]:
        relations = {field.name: field.related_model for field in self.opts.fields if field.related_model}
        return [
            self._legible(request, name)
            if isinstance(name, (list, tuple))
            else plain(name)
            if name in relations and not self._opens(request, relations[name])
            else name
            for name in names
        ]

    def _opens(self, request: HttpRequest, model: Any) -> bool:
        return bool(self.admin_site.get_model_admin(model).has_view_permission(request))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        target = kwargs.get("obj")
        buttons = self.related(request, target) if target is not None else ()
        context["related"] = [it for it in buttons if self._opens(request, apps.get_model(it.model))]
        return super().render_change_form(request, context, *args, **kwargs)

    # --- What a rule refuses is said where it was asked for; the page's transaction has rolled back by then.

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """A refused form comes back as it was filled in, with the reason at its field."""
        view = super().changeform_view
        try:
            return view(request, *args, **kwargs)
        except DomainError as error:
            refusal = error
        except OperationalError as error:
            # Inside the page's own transaction a command can't begin again by itself.
            if request.method != "POST" or not is_transient(error):
                raise
            refusal = Busy("The server is busy. Nothing was recorded; please try again.")
        if not any(name in request.POST for name in _SAVES):
            self.message_user(request, refusal.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        request.office_refusal = refusal  # type: ignore[attr-defined]  # for the form of this request alone
        return view(request, *args, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        refusal: DomainError | None = getattr(request, "office_refusal", None)
        return form if refusal is None else _refused(form, refusal, self.form_fields)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Parts of dates are for the list's own hierarchy: elsewhere Django fails on a year that doesn't exist."""
        name, _, part = lookup.partition("__")
        if part in _PARTS_OF_DATES and name != self.date_hierarchy:
            return False
        return super().lookup_allowed(lookup, value, request)

    def each(self, request: HttpRequest, targets: Any, done: str, act: Callable[[Any], object]) -> None:
        """Run a command for each selected row, each in its own transaction, and say what became of it."""
        for target in targets:
            try:
                act(target)
            except DomainError as error:
                self.message_user(request, f"{target}: {error.detail}", messages.ERROR)
            else:
                self.message_user(request, f"{target}: {done}.", messages.SUCCESS)

    def ask(
        self,
        request: HttpRequest,
        targets: Any,
        form_class: type[forms.Form],
        title: str,
        done: str,
        act: Callable[[Any, dict[str, Any]], object],
    ) -> HttpResponse | None:
        """Ask what a command needs to know on a page of its own, then run it for each selected row."""
        form = form_class(request.POST if "_answered" in request.POST else None)
        if form.is_bound and form.is_valid():
            self.each(request, targets.order_by("pk"), done, lambda target: act(target, form.cleaned_data))
            return None
        carried = [(name, value) for name in _ACTION_FIELDS for value in request.POST.getlist(name)]
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "form": form,
            "targets": targets,
            "carried": carried,
            "opts": self.opts,
            "changelist_url": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
        }
        return TemplateResponse(request, "admin/ask.html", context)


class ReasonForm(forms.Form):
    """Why: it goes into the evidence, and onto the document where there is one."""

    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 2, "cols": 60}))


def _refused(form: Any, refusal: DomainError, names: Mapping[str, str]) -> Any:
    class Refused(form):  # type: ignore[misc]  # Django makes the form's class for each request
        def full_clean(self) -> None:
            super().full_clean()
            name = names.get(refusal.attr or "", refusal.attr)
            is_visible = name in self.fields and not self.fields[name].widget.is_hidden
            self.add_error(name if is_visible else None, refusal.detail)

    return Refused


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    """The lines of a document, for those who may see the document."""

    view_capability: ClassVar[Capability]
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, self.view_capability)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# --- Pages to change -------------------------------------------------------------------------------


class MasterDataForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Carries what it was read as: the page of somebody who read earlier can't undo what others changed since."""

    as_read = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.current = _digest(forms.model_to_dict(self.instance, fields=self._meta.fields))
        if "as_read" in self.fields:
            self.fields["as_read"].initial = self.current

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if sent.pop("as_read", "") != self.current and self.instance.pk:
            name = self.instance._meta.verbose_name
            raise ValidationError(f"This {name} was changed meanwhile by somebody else. Please read the page again.")
        return sent


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()


class MasterDataAdmin(OfficeAdmin):
    """Editable by those who manage it, through the same commands as the API."""

    view_capability = Capability.VIEW_MASTER_DATA
    menu = Menu.MASTER_DATA
    manage_capability: ClassVar[Capability] = Capability.MANAGE_MASTER_DATA
    form: type[forms.ModelForm] = MasterDataForm  # type: ignore[type-arg]  # not generic at run time
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
            obj.pk = type(self).create_command(actor=request.user, **self.new_of(form)).pk
        # As the command left it: with the code it gave out, without what it refused to take over.
        obj.refresh_from_db()

    def new_of(self, form: Any) -> dict[str, Any]:
        """The create command's arguments from a valid form."""
        return {"values": form.cleaned_data}

    def changes_of(self, form: Any) -> dict[str, Any]:
        """The update command's changes from a valid form."""
        return {name: form.cleaned_data[name] for name in form.changed_data if name in form.cleaned_data}

    @admin.action(description="Deactivate", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: Any) -> None:
        command = type(self).deactivate_command
        self.each(request, queryset, "deactivated", lambda target: command(actor=request.user, pk=target.pk))
