"""Sales over HTTP."""

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.requests import acting_user
from customers.errors import CustomerInactive
from customers.search import DocumentSearch
from equipment.errors import EquipmentInactive
from foundation.access.capabilities import Capability
from foundation.api.filters import IdFilter, LedgerFilterSet, MomentFilter
from foundation.api.responses import created
from foundation.api.schema import conflicts, replayable
from foundation.api.viewsets import LedgerViewSet
from foundation.operations.idempotency import IdempotencyConflict, RefusedBefore
from foundation.operations.occurrence import OccurredAtOutOfRange
from inventory.errors import InsufficientStock
from invoices.openapi import INVOICE_EXAMPLE
from transactions import services
from transactions.errors import (
    AlreadyVoided,
    EmptySale,
    MeterMovedOn,
    MeterReadingDecreased,
    NegativeTotal,
    NoMeter,
    RateMismatch,
)
from transactions.models import Transaction
from transactions.selectors import SALE_NUMBERS
from transactions.serializers import (
    SaleIn,
    SaleOut,
    TransactionOut,
    VoidIn,
)

_SMALL_SALE = OpenApiExample(
    "two cylinders",
    value={"customer": 1, "items": [{"equipment": 3, "type": "SWAP", "quantity": 2}]},
    request_only=True,
)
_SALE = OpenApiExample(
    "a delivery with a meter reading, made offline",
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
SALE_REFUSALS = (
    InsufficientStock, RateMismatch, MeterReadingDecreased, NoMeter, MeterMovedOn, EmptySale, NegativeTotal,
    CustomerInactive, EquipmentInactive, OccurredAtOutOfRange, IdempotencyConflict, RefusedBefore,
)  # fmt: skip
_CREATE: dict[str, Any] = {
    "tags": ["Sales"],
    "request": SaleIn,
    "responses": {
        **replayable(SaleOut),
        **conflicts(*SALE_REFUSALS),
    },
    "examples": [
        _SMALL_SALE,
        _SALE,
        OpenApiExample(
            "recorded",
            value={"transaction": _TRANSACTION_EXAMPLE, "invoice": INVOICE_EXAMPLE},
            response_only=True,
            status_codes=["200", "201"],
        ),
    ],
}  # fmt: skip


# One for all answers: making its fields anew for each takes a seventh of a sale's time beside its page.
_SALE_OUT = SaleOut()


class TransactionFilter(LedgerFilterSet):
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
    queryset = Transaction.objects.with_status().prefetch_related("user", "items")
    serializer_class = TransactionOut
    filterset_class = TransactionFilter
    filter_backends = (filters.DjangoFilterBackend, DocumentSearch, OrderingFilter)
    documents = SALE_NUMBERS
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
            actor=acting_user(request), data=serializer.command()
        )
        transaction: Any = recorded.value
        if recorded.replayed:
            transaction = self.queryset.select_related("invoice").get(pk=transaction.pk)
        else:
            transaction.status = Transaction.Status.COMPLETED  # nobody can have voided it yet
        answer = _SALE_OUT.to_representation({"transaction": transaction, "invoice": transaction.invoice})
        answer["invoice"]["pdf_url"] = request.build_absolute_uri(answer["invoice"]["pdf_url"])
        return created(answer, replayed=recorded.replayed)

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
