"""Discrepancies over HTTP."""

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.requests import acting_user
from discrepancies import openapi, services
from discrepancies.models import Discrepancy, DiscrepancyQuerySet
from discrepancies.serializers import DiscrepancyOut, SeenIn
from foundation.access.capabilities import Capability
from foundation.api.filters import DayFilter, IdFilter, LedgerFilterSet, YesNoFilter
from foundation.api.viewsets import LedgerViewSet


class DiscrepancyFilter(LedgerFilterSet):
    user = IdFilter(field_name="user_id")
    depot = IdFilter(field_name="depot_id")
    entity_id = IdFilter(help_text="With entity_type: what it is about.")
    seen = YesNoFilter(method="seen_to", help_text="Has somebody marked it as seen?")
    date_from = DayFilter(field_name="date", lookup_expr="gte")
    date_to = DayFilter(field_name="date", lookup_expr="lte")

    class Meta:
        model = Discrepancy
        fields = ("code", "entity_type")

    def seen_to(self, rows: DiscrepancyQuerySet, name: str, value: bool) -> DiscrepancyQuerySet:
        return rows.filter(seen__isnull=False) if value else rows.open()


@openapi.discrepancies
class DiscrepancyViewSet(LedgerViewSet):
    queryset = Discrepancy.objects.select_related("user", "seen")
    serializer_class = DiscrepancyOut
    filterset_class = DiscrepancyFilter
    search_fields = ("client_temp_id", "user__search_name")
    ordering_fields = ("id",)
    capability = {
        "list": Capability.VIEW_CONFLICTS,
        "retrieve": Capability.VIEW_CONFLICTS,
        "seen": Capability.SETTLE_CONFLICTS,
    }

    @openapi.seen
    @action(detail=True, methods=["post"])
    def seen(self, request: Request, pk: str) -> Response:
        serializer = SeenIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        services.see_to_discrepancy(
            actor=acting_user(request), discrepancy_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self.get_serializer(self.get_object()).data)
