"""The audit log in the office."""

from collections.abc import Iterable

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from audit.models import AuditLog, AuditSeal
from core.access import Capability
from core.admin_site import Menu
from core.office import OfficeAdmin, Related, list_of, page_of


@admin.register(AuditLog)
class AuditLogAdmin(OfficeAdmin):
    view_capability = Capability.VIEW_AUDIT
    menu = Menu.PEOPLE
    list_display = ("at", "action", "entity", "user", "ip_address", "request_id")
    list_filter = ("action", "entity_type")
    list_select_related = ("user",)
    search_fields = ("=entity_id", "user__username", "=request_id", "reason")
    search_help_text = "Number of the entity, user name, request id, or words of the reason"
    date_hierarchy = "date"
    ordering = ("-id",)
    fields = ("at", "action", "entity", "user", "changes", "reason", "ip_address", "request_id")
    readonly_fields = fields

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


@admin.register(AuditSeal)
class AuditSealAdmin(OfficeAdmin):
    """What it shows is the database's word; ``verify_audit`` compares it with the records and the anchors."""

    view_capability = Capability.MANAGE_USERS
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
