"""Distributions over HTTP."""

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from accounts.requests import acting_user
from distribution import openapi, services
from distribution.models import Distribution
from distribution.serializers import DistributionIn, DistributionOut
from foundation.access.capabilities import Capability
from foundation.api.filters import IdFilter, LedgerFilterSet, MomentFilter
from foundation.api.inputs import Nothing
from foundation.api.viewsets import LedgerViewSet


class DistributionFilter(LedgerFilterSet):
    depot = IdFilter(field_name="depot_id")
    user = IdFilter(field_name="user_id")
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Distribution
        fields = ("status", "vehicle_no")


@openapi.distributions
class DistributionViewSet(LedgerViewSet):
    queryset = Distribution.objects.select_related("depot", "user").prefetch_related("items__equipment")
    serializer_class = DistributionOut
    filterset_class = DistributionFilter
    search_fields = ("distribution_number", "vehicle_no", "user__search_name")
    ordering_fields = ("id", "occurred_at", "created_at")
    operations = {"create_distribution": services.OPERATION}
    target = "distribution"
    capability = {
        "list": Capability.VIEW_DISTRIBUTIONS,
        "retrieve": Capability.VIEW_DISTRIBUTIONS,
        "create": Capability.CHANGE_DISTRIBUTIONS,
        "create_distribution": Capability.CHANGE_DISTRIBUTIONS,
        "confirm": Capability.CHANGE_DISTRIBUTIONS,
        "cancel": Capability.CHANGE_DISTRIBUTIONS,
    }

    @openapi.draft_distribution
    def create(self, request: Request) -> Response:
        serializer = DistributionIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        made = services.create_distribution(actor=acting_user(request), data=serializer.command())
        return Response(self._read(made.pk), status=HTTP_201_CREATED)

    @openapi.draft_distribution_at_old_path
    @action(detail=False, methods=["post"])
    def create_distribution(self, request: Request) -> Response:
        return self.create(request)

    @openapi.confirm_distribution
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        Nothing.require(request.data)
        services.confirm_distribution(actor=acting_user(request), distribution_id=self.get_object().pk)
        return Response(self._read(int(pk)))

    @openapi.cancel_distribution
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        Nothing.require(request.data)
        services.cancel_distribution(actor=acting_user(request), distribution_id=self.get_object().pk)
        return Response(self._read(int(pk)))

    def _read(self, pk: int) -> object:
        return DistributionOut(self.queryset.get(pk=pk)).data
