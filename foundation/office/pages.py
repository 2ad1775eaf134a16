"""What the pages of the office (Django admin) have in common.

Reading is scoped like the API: a capability opens a model, ``visible_to(user)`` its rows. Writing goes through the
same commands as everywhere else. Nothing can be deleted.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.db import OperationalError
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from foundation.access.capabilities import Capability
from foundation.commands import is_transient
from foundation.errors import Busy, DomainError
from foundation.office.exports import ExportsRows
from foundation.office.links import Related, evidence_of, plain
from foundation.office.site import Menu

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
