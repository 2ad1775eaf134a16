"""Stock over HTTP."""

from decimal import Decimal
from typing import Any

from django.db.models import Q
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.requests import acting_user
from core.access import Capability
from core.api.filters import IdFilter, MomentFilter
from core.api.pagination import LedgerPagination
from core.api.viewsets import LedgerViewSet
from inventory import services
from inventory.models import Inventory, LocationKind, StockMovement
from inventory.serializers import CorrectionIn, InventoryOut, StockMovementOut

_BALANCE = OpenApiExample(
    "a depot's balance",
    value={
        "id": 17,
        "inventory_type": "DEPOT",
        "location": 3,
        "location_name": "depot HSH KB",
        "depot": 1,
        "customer": None,
        "vehicle_no": "",
        "equipment": 3,
        "sku": "CYL-14-POL",
        "equipment_name": "14 kg POL cylinder",
        "condition": "FULL",
        "quantity": 118,
        "updated_at": "2026-01-20T09:00:00+08:00",
    },
    response_only=True,
)
_MOVEMENT = OpenApiExample(
    "a sale",
    value={
        "id": 2044,
        "kind": "SALE",
        "equipment": 3,
        "sku": "CYL-14-POL",
        "quantity": 2,
        "from_location": {
            "id": 8, "kind": "VEHICLE", "name": "vehicle GBK1234A", "depot": None, "customer": None,
            "vehicle_no": "GBK1234A",
        },
        "from_condition": "FULL",
        "to_location": {
            "id": 21, "kind": "CUSTOMER", "name": "customer CUST1 Ah Hock Chicken Rice", "depot": None, "customer": 1,
            "vehicle_no": "",
        },
        "to_condition": "FULL",
        "cause_type": "transactions.transaction",
        "cause_id": 501,
        "reason": "",
        "user": 7,
        "user_name": "driver1",
        "occurred_at": "2026-01-20T10:00:00+08:00",
        "created_at": "2026-01-20T10:00:02+08:00",
    },
    response_only=True,
)  # fmt: skip


class InventoryFilter(filters.FilterSet):
    inventory_type = filters.ChoiceFilter(field_name="location__kind", choices=LocationKind.choices)
    depot = IdFilter(field_name="location__depot_id")
    customer_id = IdFilter(field_name="location__customer_id")
    vehicle_no = filters.CharFilter(field_name="location__vehicle_no", max_length=16)
    equipment = IdFilter(field_name="equipment_id")

    class Meta:
        model = Inventory
        fields = ("condition",)


class MovementFilter(filters.FilterSet):
    equipment = IdFilter(field_name="equipment_id")
    location = IdFilter(method="touching", label="Location at either end")
    cause_id = IdFilter()
    user = IdFilter(field_name="user_id")
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = StockMovement
        fields = ("kind", "cause_type")

    def touching(self, queryset: Any, name: str, value: Decimal) -> Any:
        return queryset.filter(Q(from_location_id=value) | Q(to_location_id=value))


@extend_schema_view(
    list=extend_schema(
        summary="List balances",
        description="How many of each equipment, in each condition, at each location that the user may see.",
        tags=["Inventory"],
        examples=[_BALANCE],
    ),
    retrieve=extend_schema(summary="Read a balance", tags=["Inventory"], examples=[_BALANCE]),
)
class InventoryViewSet(LedgerViewSet):
    queryset = Inventory.objects.select_related("location__depot", "location__customer", "equipment")
    serializer_class = InventoryOut
    filterset_class = InventoryFilter
    search_fields = ("equipment__sku", "equipment__name", "location__vehicle_no", "location__customer__name")
    ordering_fields = ("id", "quantity", "updated_at")
    capability = {
        "list": Capability.VIEW_INVENTORY,
        "retrieve": Capability.VIEW_INVENTORY,
        "movements": Capability.VIEW_INVENTORY,
        "update_inventory": Capability.CORRECT_INVENTORY,
    }

    @extend_schema(
        summary="Correct a balance to a count",
        description="ADMIN anywhere; a SUPERVISOR at their own depot, its vehicles, and customers. The difference "
        "moves against OUTSIDE, with the reason, in the stock ledger and the audit log.",
        tags=["Inventory"],
        request=CorrectionIn,
        responses={200: InventoryOut},
        examples=[
            OpenApiExample(
                "a count",
                value={
                    "entity": "depot",
                    "entity_id": 1,
                    "equipment_id": 3,
                    "condition": "FULL",
                    "quantity": 118,
                    "reason": "Stock-take of 20 January",
                },
                request_only=True,
            ),
            _BALANCE,
        ],
    )
    @action(detail=False, methods=["post"], url_path="update-inventory", url_name="update-inventory")
    def update_inventory(self, request: Request) -> Response:
        serializer = CorrectionIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        balance = services.correct_inventory(actor=acting_user(request), **serializer.validated_data)
        return Response(InventoryOut(balance).data)

    @extend_schema(
        summary="List stock movements",
        description="The double-entry ledger, newest first, by cursor: every cylinder that moved, from where to where, "
        "and why.",
        tags=["Inventory"],
        responses=StockMovementOut(many=True),
        examples=[_MOVEMENT],
    )
    @action(
        detail=False,
        methods=["get"],
        queryset=StockMovement.objects.select_related(
            "equipment",
            "user",
            "from_location__depot",
            "from_location__customer",
            "to_location__depot",
            "to_location__customer",
        ),
        serializer_class=StockMovementOut,
        pagination_class=LedgerPagination,
        filterset_class=MovementFilter,
        filter_backends=[filters.DjangoFilterBackend],
    )
    def movements(self, request: Request) -> Response:
        return self.list(request)
