"""Day-ends over HTTP."""

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from accounts.requests import acting_user
from foundation.access.capabilities import Capability
from foundation.api.filters import DayFilter, IdFilter, LedgerFilterSet
from foundation.api.viewsets import LedgerViewSet
from inventory.serializers import DecisionIn, ReasonedDecisionIn
from settlements import openapi, services
from settlements.models import Settlement
from settlements.serializers import SettlementIn, SettlementOut


class SettlementFilter(LedgerFilterSet):
    user = IdFilter(field_name="user_id")
    depot = IdFilter(field_name="depot_id")
    date_from = DayFilter(field_name="date", lookup_expr="gte")
    date_to = DayFilter(field_name="date", lookup_expr="lte")

    class Meta:
        model = Settlement
        fields = ("status", "vehicle_no")


@openapi.settlements
class SettlementViewSet(LedgerViewSet):
    queryset = Settlement.objects.select_related("user").prefetch_related("lines__equipment")
    serializer_class = SettlementOut
    filterset_class = SettlementFilter
    search_fields = ("settlement_number", "vehicle_no")
    ordering_fields = ("id",)
    capability = {
        "list": Capability.VIEW_SETTLEMENTS,
        "retrieve": Capability.VIEW_SETTLEMENTS,
        "create": Capability.SETTLE_DAY,
        "sign_off": Capability.SIGN_OFF_SETTLEMENT,
        "reject": Capability.SIGN_OFF_SETTLEMENT,
    }

    @openapi.count_day
    def create(self, request: Request) -> Response:
        serializer = SettlementIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        recorded = services.count_day(actor=acting_user(request), data=serializer.command())
        return Response(self._read(recorded.pk), status=HTTP_201_CREATED)

    @openapi.sign_off_settlement
    @action(detail=True, methods=["post"], url_path="sign-off", url_name="sign-off")
    def sign_off(self, request: Request, pk: str) -> Response:
        serializer = DecisionIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        services.sign_off_settlement(
            actor=acting_user(request), settlement_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self._read(int(pk)))

    @openapi.reject_settlement
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        serializer = ReasonedDecisionIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        services.reject_settlement(
            actor=acting_user(request), settlement_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self._read(int(pk)))

    def _read(self, pk: int) -> object:
        return self.get_serializer(self.queryset.get(pk=pk)).data
