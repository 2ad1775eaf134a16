"""What the pages of the office (Django admin) have in common.

Reading is scoped like the API: a capability opens a model, ``visible_to(user)`` its rows. Writing goes through the
same commands as everywhere else. Nothing can be deleted.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar

from django.apps import apps
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from foundation.access.capabilities import Capability
from foundation.office.actions import RunsCommands
from foundation.office.exports import ExportsRows
from foundation.office.generic import TabularInline
from foundation.office.links import Related, evidence_of, plain
from foundation.office.menu import Menu
from foundation.searching import with_phones_joined

_PARTS_OF_DATES = ("year", "month", "day")


def may(request: HttpRequest, capability: Capability) -> bool:
    """Asked for visitors who haven't logged in yet, too: they may nothing."""
    user = request.user
    return user.is_authenticated and user.can(capability)


class OfficeAdmin[M: Model](ExportsRows[M], RunsCommands[M]):
    """Read-only, scoped, without a delete anywhere."""

    view_capability: ClassVar[Capability]
    menu: ClassVar[Menu]
    is_scoped: ClassVar[bool] = True
    """The rows are those of ``visible_to(user)``. False only where no capability holds on some of the rows."""
    is_found: ClassVar[bool] = False
    """The search over everything looks here, too: what people ask for by a number or a name."""
    list_per_page = 50
    show_full_result_count = False

    def awaited(self) -> Iterable[tuple[str, str, Mapping[str, str], Q]]:
        """What somebody should see to, for the front page: one, many, the list's filters, and the rows'."""
        return ()

    def said(self, target: M) -> str:
        """What the search over everything says of a row."""
        return str(target)

    def related(self, request: HttpRequest, target: M) -> Iterable[Related]:
        """Where an object's page leads."""
        return (evidence_of(target),)

    def impossible(self, target: M) -> Iterable[str]:
        """The actions that a rule refuses for a row as it is, whatever is answered: its page doesn't offer them."""
        return ()

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return may(request, self.view_capability)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        rows: Any = super().get_queryset(request)  # each model's own, whose visible_to() Django doesn't know
        seen: QuerySet[M] = rows.visible_to(request.user) if self.is_scoped else rows
        return seen

    def get_fieldsets(self, request: HttpRequest, obj: M | None = None) -> Any:
        """Django links every reference; one whose page the reader may not open becomes plain text."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": self._legible(request, options["fields"])}) for title, options in fieldsets
        ]

    def _legible(self, request: HttpRequest, names: Iterable[object]) -> list[Any]:
        relations = {field.name: field.related_model for field in self.opts.fields if field.related_model}
        return [
            self._legible(request, name)
            if isinstance(name, (list, tuple))
            else plain(name)
            if name in relations and not self._opens(request, relations[name])
            else name
            for name in names
        ]

    def _opens(self, request: HttpRequest, model: type[Model]) -> bool:
        return bool(self.admin_site.get_model_admin(model).has_view_permission(request))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, object], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        target = kwargs.get("obj")
        if target is not None and (offered := context.get("action_form")):
            context["action_form"] = _without(offered, {*self.impossible(target)})
        buttons = self.related(request, target) if target is not None else ()
        context["related"] = [it for it in buttons if self._opens(request, apps.get_model(it.model))]
        return super().render_change_form(request, context, *args, **kwargs)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        return super().get_search_results(request, queryset, with_phones_joined(search_term))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Parts of dates are for the list's own hierarchy: elsewhere Django fails on a year that doesn't exist."""
        name, _, part = lookup.partition("__")
        if part in _PARTS_OF_DATES and name != self.date_hierarchy:
            return False
        return super().lookup_allowed(lookup, value, request)


def _without(form: Any, names: Collection[str]) -> Any:
    """A page's choice of actions without these; None where nothing is left to choose."""
    field = form.fields["action"]
    field.choices = [choice for choice in field.choices if choice[0] not in names]
    return form if any(name for name, _ in field.choices) else None


class ReadOnlyInline[C: Model, P: Model](TabularInline[C, P]):
    """The lines of a document, for those who may see the document."""

    view_capability: ClassVar[Capability]
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: P | None = None) -> bool:
        return may(request, self.view_capability)

    def has_add_permission(self, request: HttpRequest, obj: P | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: P | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: P | None = None) -> bool:
        return False
