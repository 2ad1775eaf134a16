"""The audit log over HTTP."""

from audit import openapi
from audit.models import AuditLog
from audit.serializers import AuditLogSerializer
from foundation.access.capabilities import Capability
from foundation.api.filters import FilterBackend, IdFilter, LedgerFilterSet, MomentFilter
from foundation.api.pagination import LedgerPagination
from foundation.api.viewsets import LedgerViewSet


class AuditLogFilter(LedgerFilterSet):
    entity_id = IdFilter()
    user = IdFilter(field_name="user_id")
    at_after = MomentFilter(field_name="at", lookup_expr="gte")
    at_before = MomentFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = AuditLog
        fields = ("action", "entity_type")


@openapi.audit_log
class AuditLogViewSet(LedgerViewSet):
    """The append-only record of every state change."""

    queryset = AuditLog.objects.select_related("user")
    serializer_class = AuditLogSerializer
    capability = Capability.VIEW_AUDIT
    pagination_class = LedgerPagination
    filterset_class = AuditLogFilter
    filter_backends = (FilterBackend,)
