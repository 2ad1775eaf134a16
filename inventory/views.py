"""Stock over HTTP."""

from django_filters import rest_framework as filters
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from accounts.requests import acting_user
from depots.models import Depot
from fleet.models import Vehicle
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.api.filters import (
    ApiFilterSet,
    DayFilter,
    FilterBackend,
    IdFilter,
    LedgerFilterSet,
    MomentFilter,
    YesNoFilter,
)
from foundation.api.pagination import LedgerPagination
from foundation.api.viewsets import LedgerViewSet, ScopedViewSet
from foundation.errors import UnknownReference
from foundation.remains import Pending, pending_for
from inventory import openapi, services
from inventory.models import (
    Count,
    CountQuerySet,
    DepotWork,
    Inventory,
    LocationKind,
    StockMovement,
    StockMovementQuerySet,
    VehicleTransfer,
)
from inventory.selectors import count_sheet
from inventory.serializers import (
    CorrectionIn,
    CountSheetLineOut,
    CountSheetQuery,
    DecisionIn,
    DepotWorkIn,
    DepotWorkOut,
    InventoryOut,
    ReasonedDecisionIn,
    StockMovementOut,
    StockTakeIn,
    VehicleCountIn,
    VehicleCountOut,
    VehicleTransferIn,
    VehicleTransferOut,
    WorkReversalIn,
)
from inventory.unlikely import OF_GOODS_IN


class InventoryFilter(ApiFilterSet):
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
    count = IdFilter(field_name="count_id")
    user = IdFilter(field_name="user_id")
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = StockMovement
        fields = ("kind", "cause_type")

    def touching(self, queryset: StockMovementQuerySet, name: str, value: int) -> StockMovementQuerySet:
        return queryset.touching(value)


@openapi.balances
class InventoryViewSet(LedgerViewSet):
    queryset = Inventory.objects.select_related("location__depot", "location__customer", "equipment")
    serializer_class = InventoryOut
    filterset_class = InventoryFilter
    search_fields = ("equipment__search_name", "location__vehicle_no", "location__customer__search_name")
    ordering_fields = ("id", "quantity", "updated_at")
    capability = {
        "list": Capability.VIEW_INVENTORY,
        "retrieve": Capability.VIEW_INVENTORY,
        "movements": Capability.VIEW_INVENTORY,
        "update_inventory": Capability.CORRECT_INVENTORY,
    }

    @openapi.correct_balance
    @action(detail=False, methods=["post"], url_path="update-inventory", url_name="update-inventory")
    def update_inventory(self, request: Request) -> Response:
        serializer = CorrectionIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        balance = services.correct_inventory(actor=acting_user(request), **serializer.validated_data)
        # A repetition may come from somebody who has another depot by now.
        return Response(InventoryOut(get_object_or_404(self.get_queryset(), pk=balance.pk)).data)

    @openapi.list_movements
    @action(
        detail=False,
        methods=["get"],
        queryset=StockMovement.objects.with_ends(),
        serializer_class=StockMovementOut,
        pagination_class=LedgerPagination,
        filterset_class=MovementFilter,
        filter_backends=[FilterBackend],
    )
    def movements(self, request: Request) -> Response:
        return self.list(request)


class DepotWorkFilter(LedgerFilterSet):
    depot = IdFilter(field_name="depot_id")
    date_from = DayFilter(field_name="date", lookup_expr="gte")
    date_to = DayFilter(field_name="date", lookup_expr="lte")

    class Meta:
        model = DepotWork
        fields = ("kind",)


@openapi.depot_work
class DepotWorkViewSet(LedgerViewSet):
    queryset = DepotWork.objects.select_related("depot", "user", "reversal").prefetch_related("items__equipment")
    serializer_class = DepotWorkOut
    filterset_class = DepotWorkFilter
    search_fields = ("work_number", "reference", "reason")
    ordering_fields = ("id",)
    operations = {"create": "depot_work.create", "stock_take": "stock_take.create"}
    asks = {"create": OF_GOODS_IN}
    capability = {
        "list": Capability.VIEW_DEPOT_WORK,
        "retrieve": Capability.VIEW_DEPOT_WORK,
        "create": Capability.WORK_DEPOT,
        "stock_take": Capability.CORRECT_INVENTORY,
        "reverse": Capability.WORK_DEPOT,  # the service asks for more where the work took more
        "count_sheet": Capability.VIEW_DEPOT_WORK,
    }

    @openapi.record_depot_work
    def create(self, request: Request) -> Response:
        serializer = DepotWorkIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        recorded = services.record_depot_work(actor=acting_user(request), data=serializer.command())
        return Response(self._read(recorded.pk), status=HTTP_201_CREATED)

    @openapi.take_stock
    @action(detail=False, methods=["post"], url_path="stock-take", url_name="stock-take")
    def stock_take(self, request: Request) -> Response:
        serializer = StockTakeIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        recorded = services.take_stock(actor=acting_user(request), data=serializer.command())
        taken = self.queryset.get(pk=recorded.pk)
        pending = pending_for(acting_user(request), taken.count) if taken.count else Pending([], 0)
        return Response(DepotWorkOut(taken, context={"pending": pending}).data, status=HTTP_201_CREATED)

    @openapi.reverse_depot_work
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, pk: str) -> Response:
        serializer = WorkReversalIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        reversal = services.reverse_depot_work(
            actor=acting_user(request), data=serializer.command(self.get_object().pk)
        )
        return Response(self._read(reversal.pk), status=HTTP_201_CREATED)

    @openapi.read_count_sheet
    @action(
        detail=False,
        methods=["get"],
        url_path="count-sheet",
        url_name="count-sheet",
        query=CountSheetQuery,
        filter_backends=(),
        pagination_class=None,
    )
    def count_sheet(self, request: Request) -> Response:
        pk, user = self.asked()["depot"], acting_user(request)
        depot = Depot.objects.filter(rows_within(user, Capability.VIEW_DEPOT_WORK, depot="pk"), pk=pk).first()
        if depot is None:
            raise UnknownReference(pk, attr="depot")
        return Response(CountSheetLineOut(count_sheet(depot), many=True).data)

    def _read(self, pk: int) -> object:
        return DepotWorkOut(self.queryset.get(pk=pk)).data


class VehicleTransferFilter(LedgerFilterSet):
    from_vehicle = IdFilter(field_name="from_vehicle_id")
    to_vehicle = IdFilter(field_name="to_vehicle_id")
    user = IdFilter(field_name="user_id")
    date_from = DayFilter(field_name="date", lookup_expr="gte")
    date_to = DayFilter(field_name="date", lookup_expr="lte")

    class Meta:
        model = VehicleTransfer
        fields = ()


@openapi.vehicle_transfers
class VehicleTransferViewSet(LedgerViewSet):
    queryset = VehicleTransfer.objects.select_related("from_vehicle", "to_vehicle", "user").prefetch_related(
        "items__equipment"
    )
    serializer_class = VehicleTransferOut
    filterset_class = VehicleTransferFilter
    search_fields = ("transfer_number", "reason")
    ordering_fields = ("id",)
    capability = Capability.VIEW_TRANSFERS


class VehicleGoodsViewSet(ScopedViewSet):
    """What is on a vehicle. Its routes lie under the vehicle's own."""

    queryset = Vehicle.objects.all()
    operations = {"transfer": "vehicle.transfer"}
    capability = {"transfer": Capability.TRANSFER_GOODS}

    @openapi.transfer_between_vehicles
    @action(detail=True, methods=["post"])
    def transfer(self, request: Request, pk: str) -> Response:
        vehicle = self.get_object()
        serializer = VehicleTransferIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        made = services.transfer_between_vehicles(actor=acting_user(request), data=serializer.command(vehicle.number))
        answer = VehicleTransferOut(VehicleTransferViewSet.queryset.get(pk=made.pk))
        return Response(answer.data, status=HTTP_201_CREATED)


class VehicleCountFilter(LedgerFilterSet):
    changed = YesNoFilter(method="by_change", help_text="Something of before it came after it was signed off.")
    vehicle = filters.CharFilter(field_name="location__vehicle_no", max_length=16)
    user = IdFilter(field_name="user_id")
    depot = IdFilter(field_name="depot_id")
    date_from = DayFilter(field_name="date", lookup_expr="gte")
    date_to = DayFilter(field_name="date", lookup_expr="lte")

    class Meta:
        model = Count
        fields = ("status",)

    def by_change(self, counts: CountQuerySet, name: str, value: bool) -> CountQuerySet:
        return counts.filter(counts.changed() if value else ~counts.changed())


@openapi.vehicle_counts
class VehicleCountViewSet(LedgerViewSet):
    queryset = (
        Count.objects.filter(kind=Count.Kind.VEHICLE)
        .select_related("location", "user")
        .prefetch_related("lines__equipment")
    )
    serializer_class = VehicleCountOut
    filterset_class = VehicleCountFilter
    search_fields = ("count_number", "location__vehicle_no", "remarks")
    ordering_fields = ("id",)
    operations = {"create": services.VEHICLE_COUNT}
    capability = {
        "list": Capability.VIEW_SETTLEMENTS,
        "retrieve": Capability.VIEW_SETTLEMENTS,
        "create": Capability.SETTLE_DAY,
        "sign_off": Capability.SIGN_OFF_SETTLEMENT,
        # The service asks whose it is: one's own is taken back.
        "reject": (Capability.SETTLE_DAY, Capability.SIGN_OFF_SETTLEMENT),
    }

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self._read(self.get_object().pk))

    @openapi.record_vehicle_count
    def create(self, request: Request) -> Response:
        serializer = VehicleCountIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        count = services.record_vehicle_count(actor=acting_user(request), data=serializer.command())
        return Response(self._read(count.pk), status=HTTP_201_CREATED)

    @openapi.sign_off_vehicle_count
    @action(detail=True, methods=["post"], url_path="sign-off", url_name="sign-off")
    def sign_off(self, request: Request, pk: str) -> Response:
        serializer = DecisionIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        services.sign_off_count(actor=acting_user(request), count_id=self.get_object().pk, **serializer.validated_data)
        return Response(self._read(int(pk)))

    @openapi.reject_vehicle_count
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        serializer = ReasonedDecisionIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        services.reject_count(actor=acting_user(request), count_id=self.get_object().pk, **serializer.validated_data)
        return Response(self._read(int(pk)))

    def _read(self, pk: int) -> object:
        count = self.queryset.get(pk=pk)
        reader = acting_user(self.request)
        seen = {"lines": services.lines_seen_by(reader, count), "pending": pending_for(reader, count)}
        return VehicleCountOut(count, context=seen).data
