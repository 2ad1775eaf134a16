"""Sales, customers' sites and the day-end over HTTP."""

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.requests import acting_user
from core.access import Capability
from core.api.filters import IdFilter, MomentFilter
from core.api.responses import created
from core.api.schema import conflicts, replayable
from core.api.viewsets import LedgerViewSet, ScopedViewSet
from core.idempotency import IdempotencyConflict
from core.money import ZERO
from core.occurrence import OccurredAtOutOfRange
from customers.errors import CustomerInactive
from customers.models import Customer
from equipment.errors import EquipmentInactive
from inventory.errors import InsufficientStock
from invoices.views import INVOICE_EXAMPLE
from transactions import services
from transactions.errors import (
    AlreadyVoided,
    EmptySale,
    MeterMovedOn,
    MeterReadingDecreased,
    NegativeTotal,
    NoMeter,
    RateMismatch,
    SettlementDecided,
    SettlementPending,
)
from transactions.models import DepositBalance, Settlement, Transaction
from transactions.selectors import meter_history
from transactions.serializers import (
    DecisionIn,
    DepositsOut,
    MeterReadingOut,
    NewMeterIn,
    ReasonedDecisionIn,
    ReplacedMeterOut,
    SaleIn,
    SaleOut,
    SettlementIn,
    SettlementOut,
    TransactionOut,
    VoidIn,
)

MAX_READINGS = 200

_SALE = OpenApiExample(
    "a delivery with a meter reading",
    value={
        "customer": 1,
        "client_temp_id": "0b1f6a52-44a0-4c8f-9f5e-5d0f6a3e7c21",
        "occurred_at": "2026-01-20T10:00:00+08:00",
        "current_meter": "1250.00",
        "payment_received": False,
        "remarks": "",
        "items": [
            {"equipment": 3, "type": "SALE", "quantity": 2, "rate": "28.50"},
            {"equipment": 3, "type": "RETURN", "quantity": 1, "condition": "DAMAGED"},
        ],
    },
    request_only=True,
)
_ITEM = {
    "id": 1201,
    "equipment": 3,
    "equipment_name": "14 kg POL cylinder",
    "type": "SALE",
    "condition": "",
    "quantity": 2,
    "rate": "28.50",
    "rate_source": "CONTRACT",
    "amount": "57.00",
    "taxable": True,
}
_TRANSACTION_EXAMPLE = {
    "id": 501,
    "transaction_number": "TRX-20260120-000001",
    "client_temp_id": "0b1f6a52-44a0-4c8f-9f5e-5d0f6a3e7c21",
    "status": "COMPLETED",
    "reverses": None,
    "customer": 1,
    "customer_name": "Ah Hock Chicken Rice",
    "user": 7,
    "user_name": "Tan Ah Beng",
    "vehicle_no": "GBK1234A",
    "items": [_ITEM],
    "last_meter_reading": "1200.00",
    "current_meter_reading": "1250.00",
    "meter_rate": "2.1500",
    "usage": "50.00",
    "usage_amount": "107.50",
    "items_amount": "57.00",
    "total_amount": "164.50",
    "remarks": "",
    "payment_type": "CREDIT",
    "payment_received": False,
    "occurred_at": "2026-01-20T10:00:00+08:00",
    "created_at": "2026-01-20T10:00:02+08:00",
}
_TRANSACTION = OpenApiExample("a sale", value=_TRANSACTION_EXAMPLE, response_only=True, status_codes=["200"])
_CREATE: dict[str, Any] = {
    "tags": ["Sales"],
    "request": SaleIn,
    "responses": {
        **replayable(SaleOut),
        **conflicts(
            InsufficientStock, RateMismatch, MeterReadingDecreased, NoMeter, MeterMovedOn, EmptySale, NegativeTotal,
            CustomerInactive, EquipmentInactive, OccurredAtOutOfRange, IdempotencyConflict,
        ),
    },
    "examples": [
        _SALE,
        OpenApiExample(
            "recorded",
            value={"transaction": _TRANSACTION_EXAMPLE, "invoice": INVOICE_EXAMPLE},
            response_only=True,
            status_codes=["200", "201"],
        ),
    ],
}  # fmt: skip


class TransactionFilter(filters.FilterSet):
    customer = IdFilter(field_name="customer_id")
    user = IdFilter(field_name="user_id")
    date_from = filters.DateFilter(field_name="date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="date", lookup_expr="lte")
    occurred_after = MomentFilter(field_name="occurred_at", lookup_expr="gte")
    occurred_before = MomentFilter(field_name="occurred_at", lookup_expr="lt")

    class Meta:
        model = Transaction
        fields = ("payment_type", "payment_received", "vehicle_no")


@extend_schema_view(
    list=extend_schema(
        summary="List transactions",
        description="Newest first: an ADMIN sees all, a SUPERVISOR those of their depot's users, others their own.",
        tags=["Sales"],
        examples=[_TRANSACTION],
    ),
    retrieve=extend_schema(summary="Read a transaction", tags=["Sales"], examples=[_TRANSACTION]),
)
class TransactionViewSet(LedgerViewSet):
    queryset = Transaction.objects.with_status().select_related("user").prefetch_related("items")
    serializer_class = TransactionOut
    filterset_class = TransactionFilter
    search_fields = ("transaction_number", "customer_name", "customer__customer_code")
    ordering_fields = ("id", "occurred_at", "total_amount")
    capability = {
        "list": Capability.VIEW_SALES,
        "retrieve": Capability.VIEW_SALES,
        "create": Capability.RECORD_SALE,
        "create_transaction": Capability.RECORD_SALE,
        "void": Capability.VOID_SALE,
    }

    @extend_schema(
        summary="Record a sale",
        description="Stock, meter, price, number, invoice, PDF and audit in one commit, or nothing. "
        "The server prices every line. With a `client_temp_id` it is safe to send again.",
        **_CREATE,
    )
    def create(self, request: Request) -> Response:
        serializer = SaleIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        recorded = services.create_customer_transaction_and_invoice(
            actor=acting_user(request), sale=serializer.command()
        )
        transaction: Any = recorded.transaction
        if recorded.replayed:
            transaction = self.queryset.select_related("invoice").get(pk=transaction.pk)
        else:
            transaction.status = Transaction.Status.COMPLETED  # nobody can have voided it yet
        answer = SaleOut(
            {"transaction": transaction, "invoice": transaction.invoice}, context=self.get_serializer_context()
        )
        return created(answer.data, replayed=recorded.replayed)

    @extend_schema(
        summary="Record a sale (old path)",
        description="The same as `POST /api/transactions/`, for clients that call it here.",
        deprecated=True,
        **_CREATE,
    )
    @action(detail=False, methods=["post"])
    def create_transaction(self, request: Request) -> Response:
        return self.create(request)

    @extend_schema(
        summary="Void a sale",
        description="ADMIN, and a SUPERVISOR for their depot's users. Records the reversal: the lines negated, the "
        "stock and the meter brought back, and a credit note that names the invoice and the reason. A sale is voided "
        "once.",
        tags=["Sales"],
        request=VoidIn,
        responses={201: SaleOut, **conflicts(AlreadyVoided, MeterMovedOn, InsufficientStock)},
        examples=[
            OpenApiExample("a mistake", value={"reason": "Entered for the wrong customer"}, request_only=True),
            OpenApiExample(
                "the goods are gone",
                value={"reason": "Delivered to the wrong stall, not found again", "return_stock": False},
                request_only=True,
            ),
            OpenApiExample(
                "the reversal",
                value={
                    "transaction": {
                        **_TRANSACTION_EXAMPLE,
                        "id": 502,
                        "transaction_number": "TRX-20260120-000002",
                        "client_temp_id": None,
                        "reverses": 501,
                        "items": [{**_ITEM, "id": 1202, "quantity": -2, "amount": "-57.00"}],
                        "last_meter_reading": "1250.00",
                        "current_meter_reading": "1200.00",
                        "usage": "-50.00",
                        "usage_amount": "-107.50",
                        "items_amount": "-57.00",
                        "total_amount": "-164.50",
                        "remarks": "Entered for the wrong customer",
                    },
                    "invoice": {
                        **INVOICE_EXAMPLE,
                        "id": 481,
                        "invoice_number": "CN-20260120-000001",
                        "kind": "CREDIT_NOTE",
                        "transaction": 502,
                        "subtotal": "-164.50",
                        "gst_amount": "-14.81",
                        "total_amount": "-179.31",
                        "settled_amount": "-179.31",
                        "outstanding_amount": "0.00",
                    },
                },
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    @action(detail=True, methods=["post"])
    def void(self, request: Request, pk: str) -> Response:
        serializer = VoidIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        reversal: Any = services.void_transaction(
            actor=acting_user(request), transaction_id=self.get_object().pk, **serializer.validated_data
        )
        reversal.status = Transaction.Status.COMPLETED
        answer = SaleOut({"transaction": reversal, "invoice": reversal.invoice}, context=self.get_serializer_context())
        return created(answer.data, replayed=False)


_REPLACEMENT = {
    "id": 4,
    "client_temp_id": None,
    "customer": 1,
    "old_meter_number": "M-104233",
    "final_reading": "1263.40",
    "new_meter_number": "M-220871",
    "first_reading": "0.00",
    "reason": "Worn out",
    "user": 2,
    "occurred_at": "2026-03-02T09:30:00+08:00",
    "created_at": "2026-03-02T09:30:02+08:00",
}


class CustomerSiteViewSet(ScopedViewSet):
    """What stands at a customer's site. Its routes lie under the customer's own."""

    queryset = Customer.objects.all()
    capability = {
        "replace_meter": Capability.REPLACE_METER,
        "meter_history": Capability.VIEW_CUSTOMER_SITE,
        "deposits": Capability.VIEW_CUSTOMER_SITE,
    }

    @extend_schema(
        summary="Replace a customer's meter",
        description="ADMIN and SUPERVISOR. The old meter's last usage is billed by a sale of its own, and the new one "
        "goes on from its first reading, in one commit. With a `client_temp_id` it is safe to send again.",
        tags=["Customers' sites"],
        request=NewMeterIn,
        responses={
            **replayable(ReplacedMeterOut),
            **conflicts(
                NoMeter,
                MeterReadingDecreased,
                MeterMovedOn,
                CustomerInactive,
                OccurredAtOutOfRange,
                IdempotencyConflict,
            ),
        },
        examples=[
            OpenApiExample(
                "worn out",
                value={
                    "final_reading": "1263.40",
                    "new_meter_number": "M-220871",
                    "first_reading": "0.00",
                    "reason": "Worn out",
                },
                request_only=True,
            ),
            OpenApiExample(
                "replaced",
                value={"replacement": _REPLACEMENT, "sale": None},
                response_only=True,
                status_codes=["200", "201"],
            ),
        ],
    )
    @action(detail=True, methods=["post"], url_path="replace-meter", url_name="replace-meter")
    def replace_meter(self, request: Request, pk: str) -> Response:
        customer = self.get_object()
        serializer = NewMeterIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        replaced = services.replace_meter(actor=acting_user(request), new=serializer.command(customer.pk))
        sale = None
        if replaced.replacement.final_sale_id:
            transaction = TransactionViewSet.queryset.select_related("invoice").get(
                pk=replaced.replacement.final_sale_id
            )
            sale = {"transaction": transaction, "invoice": transaction.invoice}
        answer = ReplacedMeterOut(
            {"replacement": replaced.replacement, "sale": sale}, context=self.get_serializer_context()
        )
        return created(answer.data, replayed=replaced.replayed)

    @extend_schema(
        summary="Read a meter's history",
        description=f"The latest {MAX_READINGS} readings, voids and replacements, newest first.",
        tags=["Customers' sites"],
        responses=MeterReadingOut(many=True),
        examples=[
            OpenApiExample(
                "a reading",
                value={
                    "kind": "READING",
                    "occurred_at": "2026-01-20T10:00:00+08:00",
                    "meter_number": "M-104233",
                    "last_reading": "1200.00",
                    "reading": "1250.00",
                    "usage": "50.00",
                    "transaction_number": "TRX-20260120-000001",
                },
                response_only=True,
                status_codes=["200"],
            )
        ],
        filters=False,
    )
    @action(detail=True, methods=["get"], url_path="meter-history", url_name="meter-history", pagination_class=None)
    def meter_history(self, request: Request, pk: str) -> Response:
        history = meter_history(self.get_object(), newest=MAX_READINGS)
        return Response(MeterReadingOut(history, many=True).data)

    @extend_schema(
        summary="Read what a customer holds against deposits",
        tags=["Customers' sites"],
        responses=DepositsOut,
        examples=[
            OpenApiExample(
                "two cylinders",
                value={
                    "customer": 1,
                    "held": [
                        {
                            "equipment": 3,
                            "sku": "CYL-14-POL",
                            "equipment_name": "14 kg POL cylinder",
                            "quantity": 2,
                            "amount": "120.00",
                        }
                    ],
                    "total_amount": "120.00",
                },
                response_only=True,
                status_codes=["200"],
            )
        ],
        filters=False,
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def deposits(self, request: Request, pk: str) -> Response:
        customer = self.get_object()
        held = DepositBalance.objects.filter(customer=customer).exclude(quantity=0, amount=0)
        rows = list(held.select_related("equipment").order_by("equipment__sku"))
        total = sum((row.amount for row in rows), ZERO)
        return Response(DepositsOut({"customer": customer.pk, "held": rows, "total_amount": total}).data)


_SETTLEMENT_EXAMPLE = {
    "id": 12,
    "settlement_number": "SET-20260120-000001",
    "client_temp_id": None,
    "status": "COUNTED",
    "user": 7,
    "user_name": "Tan Ah Beng",
    "depot": 1,
    "vehicle_no": "GBK1234A",
    "lines": [
        {
            "equipment": 3,
            "sku": "CYL-14-POL",
            "condition": "FULL",
            "opening": 0,
            "loaded": 20,
            "delivered": 6,
            "collected": 0,
            "unloaded": 0,
            "other": 0,
            "expected": 14,
            "counted": 13,
            "variance": -1,
        }
    ],
    "cash_expected": "205.50",
    "cash_counted": "205.50",
    "cash_variance": "0.00",
    "remarks": "",
    "created_at": "2026-01-20T18:05:00+08:00",
    "decided_by": None,
    "decided_at": None,
    "decision_remarks": "",
}
_SETTLEMENT = OpenApiExample("a count", value=_SETTLEMENT_EXAMPLE, response_only=True, status_codes=["200", "201"])
_DECIDED = {"decided_by": 3, "decided_at": "2026-01-20T18:20:00+08:00"}


class SettlementFilter(filters.FilterSet):
    user = IdFilter(field_name="user_id")
    depot = IdFilter(field_name="depot_id")
    date_from = filters.DateFilter(field_name="date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="date", lookup_expr="lte")

    class Meta:
        model = Settlement
        fields = ("status", "vehicle_no")


@extend_schema_view(
    list=extend_schema(
        summary="List day-end settlements",
        description="Newest first: an ADMIN sees all, SUPERVISOR and DEPOT_STAFF their depot's, others their own.",
        tags=["Day-end"],
        examples=[_SETTLEMENT],
    ),
    retrieve=extend_schema(summary="Read a day-end settlement", tags=["Day-end"], examples=[_SETTLEMENT]),
)
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

    @extend_schema(
        summary="Count vehicle and cash bag at the day's end",
        description="A blind count of one's own: what isn't named was not there. Send everything that was done offline "
        "before. The answer shows what should have been there; the books change when somebody signs it off. With a "
        "`client_temp_id` it is safe to send again.",
        tags=["Day-end"],
        request=SettlementIn,
        responses={**replayable(SettlementOut), **conflicts(SettlementPending, IdempotencyConflict)},
        examples=[
            OpenApiExample(
                "a count",
                value={"counts": [{"equipment": 3, "condition": "FULL", "quantity": 13}], "cash": "205.50"},
                request_only=True,
            ),
            _SETTLEMENT,
        ],
    )
    def create(self, request: Request) -> Response:
        serializer = SettlementIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        recorded = services.count_day(actor=acting_user(request), new=serializer.command())
        return created(self._read(recorded.settlement.pk), replayed=recorded.replayed)

    @extend_schema(
        summary="Sign off a count",
        description="DEPOT_STAFF and SUPERVISOR of the depot, and ADMIN, for somebody else's count. The vehicle's "
        "balance is brought to it through the stock ledger; what differs in cash stays on record.",
        tags=["Day-end"],
        request=DecisionIn,
        responses={200: SettlementOut, **conflicts(SettlementDecided, InsufficientStock)},
        examples=[
            OpenApiExample("one is missing", value={"remarks": "One left at the last stop"}, request_only=True),
            OpenApiExample(
                "signed off",
                value={**_SETTLEMENT_EXAMPLE, "status": "SIGNED_OFF", **_DECIDED},
                response_only=True,
                status_codes=["200"],
            ),
        ],
    )
    @action(detail=True, methods=["post"], url_path="sign-off", url_name="sign-off")
    def sign_off(self, request: Request, pk: str) -> Response:
        serializer = DecisionIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        services.sign_off_settlement(
            actor=acting_user(request), settlement_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self._read(int(pk)))

    @extend_schema(
        summary="Have it counted again",
        description="By the same people. Nothing moves, and the cash counts as in the bag again.",
        tags=["Day-end"],
        request=ReasonedDecisionIn,
        responses={200: SettlementOut, **conflicts(SettlementDecided)},
        examples=[
            OpenApiExample("a slip", value={"remarks": "The empties were forgotten"}, request_only=True),
            OpenApiExample(
                "rejected",
                value={**_SETTLEMENT_EXAMPLE, "status": "REJECTED", **_DECIDED},
                response_only=True,
                status_codes=["200"],
            ),
        ],
    )
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        serializer = ReasonedDecisionIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        services.reject_settlement(
            actor=acting_user(request), settlement_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self._read(int(pk)))

    def _read(self, pk: int) -> dict[str, Any]:
        return SettlementOut(self.queryset.get(pk=pk)).data
