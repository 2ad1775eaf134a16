"""The audit log in the office."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join

from audit.models import AuditLog
from core.access import Capability
from core.office import OfficeAdmin, link_to


@admin.register(AuditLog)
class AuditLogAdmin(OfficeAdmin):
    view_capability = Capability.VIEW_AUDIT
    list_display = ("at", "action", "entity", "user", "ip_address", "request_id")
    list_filter = ("action", "entity_type")
    list_select_related = ("user",)
    search_fields = ("entity_id", "user__username", "request_id", "reason")
    date_hierarchy = "date"
    ordering = ("-id",)
    fields = ("at", "action", "entity", "user_link", "changes", "reason", "ip_address", "request_id")
    readonly_fields = fields

    @admin.display(description="entity")
    def entity(self, record: AuditLog) -> str:
        text = f"{record.entity_type} {record.entity_id}"
        try:
            url = reverse(f"admin:{record.entity_type.replace('.', '_')}_change", args=[record.entity_id])
        except NoReverseMatch:
            return text
        return format_html('<a href="{}">{}</a>', url, text)

    @admin.display(description="user")
    def user_link(self, record: AuditLog) -> str:
        return link_to(record.user) if record.user else "the system"

    @admin.display(description="changes")
    def changes(self, record: AuditLog) -> str:
        before, after = record.before or {}, record.after or {}
        names = [*before, *(name for name in after if name not in before)]
        rows = format_html_join(
            "", "<tr><th>{}</th><td>{}</td><td>{}</td></tr>",
            ((name.replace("_", " "), _shown(before.get(name)), _shown(after.get(name))) for name in names),
        )  # fmt: skip
        return format_html(
            "<table><thead><tr><th></th><th>Before</th><th>After</th></tr></thead><tbody>{}</tbody></table>", rows
        )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("user")


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return "; ".join(_shown(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_shown(item)}" for name, item in value.items())
    return str(value)
