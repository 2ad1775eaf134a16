"""The audit log, and what was unlikely and recorded all the same, over HTTP."""

from django_filters import rest_framework as filters

from audit import openapi
from audit.models import AuditLog, Confirmation
from audit.serializers import AuditLogSerializer, ConfirmationOut
from foundation.access.capabilities import Capability
from foundation.api.confirm import QuestionCodes
from foundation.api.filters import DayFilter, FilterBackend, IdFilter, LedgerFilterSet, MomentFilter, YesNoFilter
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


class ConfirmationFilter(LedgerFilterSet):
    code = filters.ChoiceFilter(choices=QuestionCodes())
    entity_id = IdFilter()
    user = IdFilter(field_name="user_id")
    is_confirmed = YesNoFilter(
        field_name="confirmed_by", lookup_expr="isnull", exclude=True, help_text="Somebody confirmed it."
    )
    date_from = DayFilter(field_name="date", lookup_expr="gte")
    date_to = DayFilter(field_name="date", lookup_expr="lte")

    class Meta:
        model = Confirmation
        fields = ("entity_type",)


@openapi.confirmations
class ConfirmationViewSet(LedgerViewSet):
    queryset = Confirmation.objects.select_related("user", "confirmed_by")
    serializer_class = ConfirmationOut
    capability = Capability.VIEW_CONFLICTS
    filterset_class = ConfirmationFilter
    filter_backends = (FilterBackend,)
