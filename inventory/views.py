"""Stock over HTTP."""

from decimal import Decimal
from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.requests import acting_user
from depots.errors import DepotInactive
from depots.models import Depot
from equipment.errors import EquipmentInactive
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.api.filters import IdFilter, LedgerFilterSet, MomentFilter
from foundation.api.pagination import LedgerPagination
from foundation.api.responses import created
from foundation.api.schema import conflicts, replayable
from foundation.api.viewsets import LedgerViewSet
from foundation.errors import UnknownReference
from foundation.operations.idempotency import IdempotencyConflict
from foundation.operations.occurrence import OccurredAtOutOfRange
from inventory import services
from inventory.errors import InsufficientStock
from inventory.models import DepotWork, Inventory, LocationKind, StockMovement
from inventory.selectors import count_sheet
from inventory.serializers import (
    CorrectionIn,
    CountSheetLineOut,
    CountSheetQuery,
    DepotWorkIn,
    DepotWorkOut,
    InventoryOut,
    StockMovementOut,
    StockTakeIn,
)

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


class MovementFilter(LedgerFilterSet):
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
        return queryset.touching(int(value))


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
                    "entity_id": "1",
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
        queryset=StockMovement.objects.with_ends(),
        serializer_class=StockMovementOut,
        pagination_class=LedgerPagination,
        filterset_class=MovementFilter,
        filter_backends=[filters.DjangoFilterBackend],
    )
    def movements(self, request: Request) -> Response:
        return self.list(request)


_WORK_EXAMPLE = {
    "id": 31,
    "work_number": "WRK-20260120-000001",
    "client_temp_id": None,
    "kind": "REFILL",
    "depot": 1,
    "depot_code": "HSH KB",
    "to_depot": None,
    "reason": "Back from the plant",
    "reference": "PLT-7781",
    "user": 3,
    "user_name": "Nur Aisyah Binte Rahman",
    "items": [
        {
            "id": 70,
            "equipment": 3,
            "sku": "CYL-14-POL",
            "equipment_name": "14 kg POL cylinder",
            "condition": "EMPTY",
            "quantity": 40,
            "expected": None,
        }
    ],
    "occurred_at": "2026-01-20T07:30:00+08:00",
    "created_at": "2026-01-20T07:30:02+08:00",
}
_WORK = OpenApiExample("a refill", value=_WORK_EXAMPLE, response_only=True, status_codes=["200", "201"])


class DepotWorkFilter(LedgerFilterSet):
    depot = IdFilter(field_name="depot_id")
    date_from = filters.DateFilter(field_name="date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="date", lookup_expr="lte")

    class Meta:
        model = DepotWork
        fields = ("kind",)


@extend_schema_view(
    list=extend_schema(
        summary="List depot work",
        description="Newest first: an ADMIN sees all, SUPERVISOR and DEPOT_STAFF what left or reached their depot.",
        tags=["Depot work"],
        examples=[_WORK],
    ),
    retrieve=extend_schema(summary="Read a piece of depot work", tags=["Depot work"], examples=[_WORK]),
)
class DepotWorkViewSet(LedgerViewSet):
    queryset = DepotWork.objects.select_related("depot", "user").prefetch_related("items__equipment")
    serializer_class = DepotWorkOut
    filterset_class = DepotWorkFilter
    search_fields = ("work_number", "reference", "reason")
    ordering_fields = ("id",)
    capability = {
        "list": Capability.WORK_DEPOT,
        "retrieve": Capability.WORK_DEPOT,
        "create": Capability.WORK_DEPOT,
        "stock_take": Capability.CORRECT_INVENTORY,
        "count_sheet": Capability.WORK_DEPOT,
    }

    @extend_schema(
        summary="Record depot work",
        description="REFILL (empty ones come back full), GOODS_IN (from a supplier), TRANSFER (to another depot), "
        "DAMAGE (set apart) and SCRAP (ADMIN and SUPERVISOR only): all of the items or none. With a `client_temp_id` "
        "it is safe to send again.",
        tags=["Depot work"],
        request=DepotWorkIn,
        responses={
            **replayable(DepotWorkOut),
            **conflicts(InsufficientStock, DepotInactive, EquipmentInactive, OccurredAtOutOfRange, IdempotencyConflict),
        },
        examples=[
            OpenApiExample(
                "a transfer",
                value={
                    "kind": "TRANSFER",
                    "depot": 1,
                    "to_depot": 2,
                    "reason": "Tuas runs short",
                    "items": [{"equipment": 3, "condition": "FULL", "quantity": 20}],
                },
                request_only=True,
            ),
            OpenApiExample(
                "a refill",
                value={
                    "kind": "REFILL",
                    "depot": 1,
                    "reason": "Back from the plant",
                    "reference": "PLT-7781",
                    "items": [{"equipment": 3, "condition": "EMPTY", "quantity": 40}],
                },
                request_only=True,
            ),
            _WORK,
        ],
    )
    def create(self, request: Request) -> Response:
        serializer = DepotWorkIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        recorded = services.record_depot_work(actor=acting_user(request), data=serializer.command())
        return created(self._read(recorded.value.pk), replayed=recorded.replayed)

    @extend_schema(
        summary="Take stock at a depot",
        description="ADMIN, and a SUPERVISOR at their own depot. Brings each counted balance to its count, in one "
        "commit; what isn't named stays. With a `client_temp_id` it is safe to send again.",
        tags=["Depot work"],
        request=StockTakeIn,
        responses={**replayable(DepotWorkOut), **conflicts(IdempotencyConflict)},
        examples=[
            OpenApiExample(
                "a count",
                value={
                    "depot": 1,
                    "reason": "Stock-take of January",
                    "items": [{"equipment": 3, "condition": "FULL", "quantity": 117}],
                },
                request_only=True,
            ),
            _WORK,
        ],
    )
    @action(detail=False, methods=["post"], url_path="stock-take", url_name="stock-take")
    def stock_take(self, request: Request) -> Response:
        serializer = StockTakeIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        recorded = services.take_stock(actor=acting_user(request), data=serializer.command())
        return created(self._read(recorded.value.pk), replayed=recorded.replayed)

    @extend_schema(
        summary="Read a depot's count sheet",
        description="What is to be counted at a stock-take: equipment in use, and whatever else the depot holds, in "
        "each condition. What the books say isn't on it.",
        tags=["Depot work"],
        parameters=[CountSheetQuery],
        responses=CountSheetLineOut(many=True),
        examples=[
            OpenApiExample(
                "a line",
                value={
                    "equipment": 3,
                    "sku": "CYL-14-POL",
                    "equipment_name": "14 kg POL cylinder",
                    "condition": "FULL",
                },
                response_only=True,
                status_codes=["200"],
            )
        ],
        filters=False,
    )
    @action(detail=False, methods=["get"], url_path="count-sheet", url_name="count-sheet", pagination_class=None)
    def count_sheet(self, request: Request) -> Response:
        asked = CountSheetQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        pk, user = asked.validated_data["depot"], acting_user(request)
        depot = Depot.objects.filter(rows_within(user, Capability.WORK_DEPOT, depot="pk"), pk=pk).first()
        if depot is None:
            raise UnknownReference(pk, attr="depot")
        return Response(CountSheetLineOut(count_sheet(depot), many=True).data)

    def _read(self, pk: int) -> dict[str, Any]:
        return DepotWorkOut(self.queryset.get(pk=pk)).data
