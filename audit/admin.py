"""The audit log in the office."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from audit.models import AuditLog, AuditSeal, Confirmation
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.entities import entity_name
from foundation.office.links import Related, badge, evidence_of, list_of, page_of
from foundation.office.menu import Menu
from foundation.office.pages import OfficeAdmin

PATIENCE = timedelta(hours=1)
"""Records are sealed every few minutes where somebody has seen to it."""


def _unsealed() -> Q:
    """All after the last seal, once the oldest of them has waited too long."""
    waiting = Q(pk__gt=AuditSeal.objects.order_by("-number").values_list("last_id", flat=True).first() or 0)
    oldest = AuditLog.objects.filter(waiting).order_by("pk").values_list("at", flat=True).first()
    return waiting if oldest and oldest < clock.now() - PATIENCE else Q(pk__in=())


class SealFilter(admin.SimpleListFilter):
    title = "seal"
    parameter_name = "seal"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("missing", "Waits for its seal")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditLog]) -> QuerySet[AuditLog]:
        return queryset.filter(_unsealed()) if self.value() == "missing" else queryset


@admin.register(AuditLog)
class AuditLogAdmin(OfficeAdmin[AuditLog]):
    view_capability = Capability.VIEW_AUDIT
    menu = Menu.PEOPLE
    list_display = ("at", "action", "entity", "user", "ip_address", "request_id")
    list_filter = (SealFilter, "action", "entity_type")
    list_select_related = ("user",)
    search_fields = ("=entity_id", "user__username", "=request_id", "reason")
    search_help_text = "Number of the entity, user name, request id, or words of the reason"
    date_hierarchy = "date"
    ordering = ("-id",)
    fields = ("at", "action", "entity", "user", "depot", "changes", "reason", "ip_address", "request_id")
    readonly_fields = fields

    def awaited(self) -> Iterable[tuple[str, str, Mapping[str, str], Q]]:
        yield "audit record without its seal", "audit records without their seal", {"seal": "missing"}, _unsealed()

    def related(self, request: HttpRequest, target: AuditLog) -> Iterable[Related]:
        yield from page_of(request, target.entity_type, target.entity_id, "Open the entity")
        yield list_of("audit.auditlog", "All about it", entity_type=target.entity_type, entity_id=target.entity_id)
        if target.request_id:
            yield list_of("audit.auditlog", "Same request", request_id=target.request_id)

    @admin.display(description="entity")
    def entity(self, record: AuditLog) -> str:
        return f"{record.entity_type} {record.entity_id}"

    @admin.display(description="changes")
    def changes(self, record: AuditLog) -> str:
        before, after = record.before or {}, record.after or {}
        if not before and not after:
            return "–"
        names = [*before, *(name for name in after if name not in before)]
        rows = format_html_join(
            "", "<tr><th>{}</th><td>{}</td><td>{}</td></tr>",
            ((name.replace("_", " "), _shown(before.get(name)), _shown(after.get(name))) for name in names),
        )  # fmt: skip
        return format_html(
            '<table class="changes"><thead><tr><th></th><th>Before</th><th>After</th></tr></thead>'
            "<tbody>{}</tbody></table>",
            rows,
        )


class ConfirmedFilter(admin.SimpleListFilter):
    title = "confirmed"
    parameter_name = "confirmed"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", "Somebody confirmed it"), ("no", "Nobody did")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Confirmation]) -> QuerySet[Confirmation]:
        match self.value():
            case "yes":
                return queryset.filter(confirmed_by__isnull=False)
            case "no":
                return queryset.filter(confirmed_by__isnull=True)
            case _:
                return queryset


@admin.register(Confirmation)
class ConfirmationAdmin(OfficeAdmin[Confirmation]):
    view_capability = Capability.REVIEW_CONFLICTS
    menu = Menu.SALES
    list_display = ("at", "state", "about", "detail", "user", "confirmed_by")
    list_filter = (ConfirmedFilter, "code", "entity_type")
    list_select_related = ("user", "confirmed_by")
    search_fields = ("about", "user__username", "value")
    search_help_text = "What was recorded, user name, or the value"
    date_hierarchy = "date"
    ordering = ("-id",)
    fields = (
        ("state", "code"), ("attr", "value"), "detail", ("user", "confirmed_by", "depot"), ("at", "about"),
        ("entity_type", "entity_id"),
    )  # fmt: skip
    readonly_fields = ("state",)

    def related(self, request: HttpRequest, target: Confirmation) -> Iterable[Related]:
        yield from page_of(request, target.entity_type, target.entity_id, "What was recorded")
        yield evidence_of(target)

    @admin.display(description="status")
    def state(self, confirmation: Confirmation) -> str:
        return badge("Confirmed", "good") if confirmation.confirmed_by_id else badge("Unconfirmed", "open")


@admin.register(AuditSeal)
class AuditSealAdmin(OfficeAdmin[AuditSeal]):
    """What it shows is the database's word; ``verify_audit`` compares it with the records and the anchors."""

    view_capability = Capability.VIEW_MACHINERY
    menu = Menu.PEOPLE
    is_scoped = False
    list_display = ("number", "sealed_at", "size", "first_id", "last_id", "hash")
    ordering = ("-number",)
    fields = ("number", "sealed_at", "size", "first_id", "last_id", "root", "previous", "hash")
    readonly_fields = fields
    search_fields = ("=number", "hash")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditSeal]:
        rows: QuerySet[AuditSeal] = super().get_queryset(request).defer("leaves")
        return rows


def confirmations_of(target: Model) -> str:
    """What was asked, for the page of what was recorded."""
    found = Confirmation.objects.filter(entity_type=entity_name(target), entity_id=target.pk)
    lines = (
        (badge("Confirmed", "good") if each.confirmed_by_id else badge("Unconfirmed", "open"), each.detail)
        for each in found.order_by("pk")
    )
    return format_html_join(SafeString("<br>"), "{} {}", lines) or "–"


def _shown(value: object) -> str:
    match value:
        case None | "":
            return "–"
        case bool():
            return "yes" if value else "no"
        case list():
            return "; ".join(_shown(item) for item in value)
        case dict():
            return ", ".join(f"{name}: {_shown(item)}" for name, item in value.items())
        case _:
            return str(value)
