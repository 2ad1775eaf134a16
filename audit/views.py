"""The audit log over HTTP."""

from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from audit.models import AuditLog
from audit.serializers import AuditLogSerializer
from foundation.access.capabilities import Capability
from foundation.api.filters import IdFilter, LedgerFilterSet, MomentFilter
from foundation.api.pagination import LedgerPagination
from foundation.api.viewsets import LedgerViewSet

_EXAMPLE = OpenApiExample(
    "a confirmed load",
    value={
        "id": 4711,
        "at": "2026-01-20T09:12:44.120000+08:00",
        "action": "distribution.confirmed",
        "entity_type": "distribution.distribution",
        "entity_id": 12,
        "user": 7,
        "user_name": "driver1",
        "before": {"status": "DRAFT"},
        "after": {"status": "CONFIRMED"},
        "reason": "",
        "ip_address": "203.0.113.9",
        "request_id": "6f1c1f0a7a5b4d0c8f0e9b1f3f6f2a77",
    },
    response_only=True,
)


class AuditLogFilter(LedgerFilterSet):
    entity_id = IdFilter()
    user = IdFilter(field_name="user_id")
    at_after = MomentFilter(field_name="at", lookup_expr="gte")
    at_before = MomentFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = AuditLog
        fields = ("action", "entity_type")


@extend_schema_view(
    list=extend_schema(
        summary="List audit records",
        description="Newest first, by cursor. ADMIN reads all, a SUPERVISOR those of their own depot's users.",
        tags=["Audit"],
        examples=[_EXAMPLE],
    ),
    retrieve=extend_schema(summary="Read an audit record", tags=["Audit"], examples=[_EXAMPLE]),
)
class AuditLogViewSet(LedgerViewSet):
    """The append-only record of every state change."""

    queryset = AuditLog.objects.select_related("user")
    serializer_class = AuditLogSerializer
    capability = Capability.VIEW_AUDIT
    pagination_class = LedgerPagination
    filterset_class = AuditLogFilter
    filter_backends = (filters.DjangoFilterBackend,)
