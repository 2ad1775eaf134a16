"""Where the office's pages lead: links, buttons, badges."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from foundation.entities import entity_name, model_of
from foundation.remains import Told, UnderWay, pending_for


def link_to(target: Model | None, text: object = None) -> SafeString | str:
    """A link to an object's own page. Only where whoever sees this may see that."""
    if target is None:
        return "–"
    return format_html('<a href="{}">{}</a>', _page(target._meta.label_lower, target.pk), text or target)


def pending_lines(reader: Any, row: Model) -> Iterable[SafeString | str]:
    """What is told to the reader of something that is still out, each with a link to its own page if they may open it.

    What they may not see is counted.
    """
    pending = pending_for(reader, row)
    return [*(_linked(reader, told) for told in pending.told), *pending.others_in_words]


def _linked(reader: Any, told: Told) -> SafeString | str:
    """A reader may see a row of their own, and open no page of its kind."""
    if not isinstance(told, UnderWay):
        return told
    model = model_of(told.entity)
    if not reader.can(getattr(admin.site.get_model_admin(model), "view_capability", None)):
        return told.text
    return format_html('<a href="{}">{}</a>', _page(model._meta.label_lower, told.entity_id), told.text)


def on_its_way(reader: Any) -> Callable[[Model], str]:
    """A field of a count's page: what may still arrive."""

    def on_its_way(count: Model) -> str:
        return format_html_join("; ", "{}", ((line,) for line in pending_lines(reader, count))) or "–"

    return admin.display(description="still on its way")(on_its_way)


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
    return admin.display(description=name.replace("_", " "))(show)


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
        model_admin = admin.site.get_model_admin(model)
    except (LookupError, NotRegistered):
        return
    if model_admin.get_queryset(request).filter(pk=pk).exists():
        yield Related(model._meta.label_lower, text, _page(model._meta.label_lower, pk))


def _page(model: str, pk: int) -> str:
    return reverse(f"admin:{model.replace('.', '_')}_change", args=[pk])
