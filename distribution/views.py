"""Distributions over HTTP."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.requests import acting_user
from depots.errors import DepotInactive
from distribution import services
from distribution.errors import AlreadyConfirmed, DistributionCancelled
from distribution.models import Distribution
from distribution.serializers import DistributionIn, DistributionOut
from equipment.errors import EquipmentInactive
from foundation.access.capabilities import Capability
from foundation.api.filters import IdFilter, LedgerFilterSet, MomentFilter
from foundation.api.responses import created
from foundation.api.schema import conflicts, replayable
from foundation.api.viewsets import LedgerViewSet
from foundation.operations.idempotency import IdempotencyConflict, RefusedBefore
from foundation.operations.occurrence import OccurredAtOutOfRange
from inventory.errors import InsufficientStock

_LOAD = OpenApiExample(
    "load a vehicle",
    value={
        "depot": 1,
        "remarks": "Morning load",
        "client_temp_id": "7a8c1d0e-2b7b-4a53-9d43-0c2f6b0f6a11",
        "items": [
            {"equipment": 3, "direction": "OUT", "condition": "FULL", "quantity": 20},
            {"equipment": 3, "direction": "IN", "condition": "EMPTY", "quantity": 12},
        ],
    },
    request_only=True,
)
_ANSWER = {
    "id": 12,
    "distribution_number": "DST-20260120-000001",
    "client_temp_id": "7a8c1d0e-2b7b-4a53-9d43-0c2f6b0f6a11",
    "status": "DRAFT",
    "depot": 1,
    "depot_code": "HSH KB",
    "user": 7,
    "user_name": "Tan Ah Beng",
    "vehicle_no": "GBK1234A",
    "remarks": "Morning load",
    "items": [
        {
            "id": 31,
            "equipment": 3,
            "sku": "CYL-14-POL",
            "equipment_name": "14 kg POL cylinder",
            "direction": "OUT",
            "condition": "FULL",
            "quantity": 20,
        }
    ],
    "total_collection": 20,
    "total_return": 0,
    "occurred_at": "2026-01-20T08:30:00+08:00",
    "created_at": "2026-01-20T08:30:01+08:00",
    "confirmed_at": None,
    "confirmed_by": None,
    "cancelled_at": None,
}
_DRAFT = OpenApiExample("a draft", value=_ANSWER, response_only=True, status_codes=["200", "201"])
LOAD_REFUSALS = (DepotInactive, EquipmentInactive, OccurredAtOutOfRange, IdempotencyConflict, RefusedBefore)
CONFIRM_REFUSALS = (AlreadyConfirmed, DistributionCancelled, DepotInactive, InsufficientStock)
_CREATE: dict[str, Any] = {
    "request": DistributionIn,
    "responses": {
        **replayable(DistributionOut),
        **conflicts(*LOAD_REFUSALS),
    },
    "examples": [_LOAD, _DRAFT],
    "tags": ["Distributions"],
}


class DistributionFilter(LedgerFilterSet):
    depot = IdFilter(field_name="depot_id")
    user = IdFilter(field_name="user_id")
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Distribution
        fields = ("status", "vehicle_no")


@extend_schema_view(
    list=extend_schema(
        summary="List distributions",
        description="ADMIN sees all, depot staff and supervisors those of their depot, a driver their own.",
        tags=["Distributions"],
        examples=[_DRAFT],
    ),
    retrieve=extend_schema(summary="Read a distribution", tags=["Distributions"], examples=[_DRAFT]),
)
class DistributionViewSet(LedgerViewSet):
    queryset = Distribution.objects.select_related("depot", "user").prefetch_related("items__equipment")
    serializer_class = DistributionOut
    filterset_class = DistributionFilter
    search_fields = ("distribution_number", "vehicle_no", "user__username")
    ordering_fields = ("id", "occurred_at", "created_at")
    capability = {
        "list": Capability.VIEW_DISTRIBUTIONS,
        "retrieve": Capability.VIEW_DISTRIBUTIONS,
        "create": Capability.CHANGE_DISTRIBUTIONS,
        "create_distribution": Capability.CHANGE_DISTRIBUTIONS,
        "confirm": Capability.CHANGE_DISTRIBUTIONS,
        "cancel": Capability.CHANGE_DISTRIBUTIONS,
    }

    @extend_schema(
        summary="Draft a distribution",
        description="Items OUT of the depot onto the user's vehicle and IN from it. A draft moves nothing. "
        "With a `client_temp_id` it is safe to send again.",
        **_CREATE,
    )
    def create(self, request: Request) -> Response:
        serializer = DistributionIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        made = services.create_distribution(actor=acting_user(request), data=serializer.command())
        return created(self._read(made.value.pk), replayed=made.replayed)

    @extend_schema(
        summary="Draft a distribution (old path)",
        description="The same as `POST /api/distributions/`, for clients that call it here.",
        deprecated=True,
        **_CREATE,
    )
    @action(detail=False, methods=["post"])
    def create_distribution(self, request: Request) -> Response:
        return self.create(request)

    @extend_schema(
        summary="Confirm a distribution",
        description="Moves every item or none, once.",
        tags=["Distributions"],
        request=None,
        responses={
            200: DistributionOut,
            **conflicts(*CONFIRM_REFUSALS),
        },
        examples=[OpenApiExample("confirmed", value={**_ANSWER, "status": "CONFIRMED"}, response_only=True,
                                 status_codes=["200"])],
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        services.confirm_distribution(actor=acting_user(request), distribution_id=self.get_object().pk)
        return Response(self._read(int(pk)))

    @extend_schema(
        summary="Cancel a draft",
        description="A confirmed one can't be cancelled: bring the cylinders back with another distribution.",
        tags=["Distributions"],
        request=None,
        responses={200: DistributionOut, **conflicts(AlreadyConfirmed, DistributionCancelled)},
        examples=[OpenApiExample("cancelled", value={**_ANSWER, "status": "CANCELLED"}, response_only=True,
                                 status_codes=["200"])],
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        services.cancel_distribution(actor=acting_user(request), distribution_id=self.get_object().pk)
        return Response(self._read(int(pk)))

    def _read(self, pk: int) -> dict[str, Any]:
        return DistributionOut(self.queryset.get(pk=pk)).data
