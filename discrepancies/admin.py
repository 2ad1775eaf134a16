"""Discrepancies in the office."""

from collections.abc import Iterable, Mapping

from django import forms
from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from accounts.requests import acting_user
from discrepancies import services
from discrepancies.models import Discrepancy
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.entities import entity_name
from foundation.office.actions import ON_LISTS_AND_PAGES
from foundation.office.links import Related, badge, evidence_of, list_of, page_of
from foundation.office.menu import Menu
from foundation.office.pages import OfficeAdmin, may
from foundation.office.texts import TextFormField


class SeenForm(forms.Form):
    remarks = TextFormField(required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2, "cols": 60}))


class OpenFilter(admin.SimpleListFilter):
    title = "seen"
    parameter_name = "seen"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("no", "Not seen yet"), ("yes", "Seen")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Discrepancy]) -> QuerySet[Discrepancy]:
        match self.value():
            case "no":
                return queryset.filter(seen__isnull=True)
            case "yes":
                return queryset.filter(seen__isnull=False)
            case _:
                return queryset


@admin.register(Discrepancy)
class DiscrepancyAdmin(OfficeAdmin[Discrepancy]):
    view_capability = Capability.REVIEW_CONFLICTS
    menu = Menu.SALES
    list_display = ("id", "state", "code", "user", "shown", "billed", "created_at")
    list_filter = (OpenFilter, "code")
    list_select_related = ("user", "seen")
    search_fields = ("client_temp_id", "user__search_name")
    search_help_text = "The app's own id, or user name"
    date_hierarchy = "date"
    ordering = ("-id",)
    actions = ("mark_as_seen",)
    fields = (
        ("state", "code"), ("user", "depot", "vehicle_depot", "client_temp_id"), ("shown", "billed"), "detail",
        "created_at", ("seen_by", "remarks"),
    )  # fmt: skip
    readonly_fields = ("state", "seen_by", "remarks")

    def awaited(self) -> Iterable[tuple[str, str, Mapping[str, str], Q]]:
        yield "discrepancy to look at", "discrepancies to look at", {"seen": "no"}, Q(seen__isnull=True)

    def related(self, request: HttpRequest, target: Discrepancy) -> Iterable[Related]:
        yield from page_of(request, target.entity_type, target.entity_id, "What was recorded")
        yield evidence_of(target)

    def impossible(self, target: Discrepancy) -> Iterable[str]:
        return self.actions if hasattr(target, "seen") else ()

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.SETTLE_CONFLICTS)

    @admin.action(description="Mark as seen", permissions=["settle"], location=ON_LISTS_AND_PAGES)
    def mark_as_seen(self, request: HttpRequest, queryset: QuerySet[Discrepancy]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            SeenForm,
            "Mark as seen",
            "seen to",
            lambda each, sent: services.see_to_discrepancy(actor=actor, discrepancy_id=each.pk, **sent),
        )

    @admin.display(description="status", ordering="seen")
    def state(self, discrepancy: Discrepancy) -> str:
        return badge("Seen", "good") if hasattr(discrepancy, "seen") else badge("Open", "open")

    @admin.display(description="seen by")
    def seen_by(self, discrepancy: Discrepancy) -> str:
        if not hasattr(discrepancy, "seen"):
            return "–"
        return f"{discrepancy.seen.by}, {clock.in_words(discrepancy.seen.at)}"

    @admin.display(description="remarks")
    def remarks(self, discrepancy: Discrepancy) -> str:
        return (discrepancy.seen.remarks if hasattr(discrepancy, "seen") else "") or "–"


def discrepancies_of(target: Model) -> str:
    """What differs, for the page of what was recorded."""
    found = Discrepancy.objects.filter(entity_type=entity_name(target), entity_id=target.pk).select_related("seen")
    lines = (
        (badge("Seen", "good") if hasattr(each, "seen") else badge("Open", "open"), each.detail)
        for each in found.order_by("pk")
    )
    return format_html_join(SafeString("<br>"), "{} {}", lines) or "–"


def to_discrepancies(target: Model) -> Related:
    """A button to them."""
    return list_of(
        "discrepancies.discrepancy",
        "Discrepancies",
        entity_type__exact=entity_name(target),
        entity_id__exact=target.pk,
    )
