"""Payments over HTTP."""

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from accounts.requests import acting_user
from customers.search import DocumentSearch
from foundation.access.capabilities import Capability
from foundation.api.filters import IdFilter, LedgerFilterSet
from foundation.api.responses import created
from foundation.api.schema import conflicts, replayable
from foundation.api.viewsets import LedgerViewSet, ScopedViewSet
from foundation.operations.idempotency import IdempotencyConflict
from invoices.models import Invoice
from invoices.serializers import InvoiceOut
from invoices.views import INVOICE_EXAMPLE
from payments import services
from payments.errors import AlreadyPaid, AlreadyReversed, ExceedsCredit, ExceedsOutstanding
from payments.models import Payment
from payments.selectors import PAYMENT_NUMBERS
from payments.serializers import PayIn, PaymentIn, PaymentOut, ReasonIn, SharesIn

_PAID = {
    **INVOICE_EXAMPLE,
    "status": "paid",
    "settled_amount": "179.31",
    "outstanding_amount": "0.00",
    "paid_at": "2026-02-10T15:30:00+08:00",
}
_PAYMENT_EXAMPLE = {
    "id": 91,
    "payment_number": "PAY-000091",
    "client_temp_id": None,
    "customer": 1,
    "customer_name": "Ah Hock Chicken Rice",
    "method": "BANK_TRANSFER",
    "amount": "200.00",
    "received_on": "2026-02-10",
    "reference": "FT26041-88121",
    "remarks": "",
    "user": 1,
    "user_name": "Lim Mei Ling",
    "is_on_the_spot": False,
    "reverses": None,
    "reversal": None,
    "allocated_amount": "179.31",
    "credit_amount": "20.69",
    "allocations": [
        {"invoice": 480, "invoice_number": "INV-20260120-000001", "amount": "179.31", "date": "2026-02-10"}
    ],
    "created_at": "2026-02-10T15:30:00+08:00",
}
_PAYMENT = OpenApiExample("a payment", value=_PAYMENT_EXAMPLE, response_only=True, status_codes=["200", "201"])


class InvoicePaymentViewSet(ScopedViewSet):
    """Money for one invoice. Its route lies under the invoice's own."""

    queryset = Invoice.objects.select_related("transaction").defer("snapshot")
    serializer_class = InvoiceOut
    capability = {"pay": Capability.RECORD_PAYMENT}

    @extend_schema(
        summary="Mark an invoice as paid",
        description="Records a payment of what is open, or of a part of it; of a credit note it is paid out.",
        tags=["Payments"],
        request=PayIn,
        responses={200: InvoiceOut, **conflicts(AlreadyPaid, ExceedsOutstanding)},
        examples=[
            OpenApiExample("in cash", value={}, request_only=True),
            OpenApiExample(
                "a part, by PayNow",
                value={"method": "PAYNOW", "amount": "100.00", "received_on": "2026-02-10", "reference": "PN-2231"},
                request_only=True,
            ),
            OpenApiExample("paid", value=_PAID, response_only=True, status_codes=["200"]),
        ],
    )
    @action(detail=True, methods=["post"])
    def pay(self, request: Request, pk: str) -> Response:
        serializer = PayIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        invoice = services.pay_invoice(
            actor=acting_user(request), invoice_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self.get_serializer(invoice).data)


class PaymentFilter(LedgerFilterSet):
    customer = IdFilter(field_name="customer_id")
    user = IdFilter(field_name="user_id")
    received_from = filters.DateFilter(field_name="received_on", lookup_expr="gte")
    received_to = filters.DateFilter(field_name="received_on", lookup_expr="lte")
    has_credit = filters.BooleanFilter(field_name="used_up_on", lookup_expr="isnull")

    class Meta:
        model = Payment
        fields = ("method",)


@extend_schema_view(
    list=extend_schema(
        summary="List payments",
        description="Newest first: an ADMIN sees all, a SUPERVISOR those of their depot's users, others their own.",
        tags=["Payments"],
        examples=[_PAYMENT],
    ),
    retrieve=extend_schema(summary="Read a payment", tags=["Payments"], examples=[_PAYMENT]),
)
class PaymentViewSet(LedgerViewSet):
    # Nothing is joined: see `StockMovementQuerySet.with_ends`.
    queryset = Payment.objects.prefetch_related("customer", "user", "reversal", "allocations__invoice")
    serializer_class = PaymentOut
    filterset_class = PaymentFilter
    filter_backends = (filters.DjangoFilterBackend, DocumentSearch, OrderingFilter)
    documents = PAYMENT_NUMBERS
    ordering_fields = ("id", "amount", "received_on")
    capability = {
        "list": Capability.VIEW_SALES,
        "retrieve": Capability.VIEW_SALES,
        "create": Capability.RECORD_PAYMENT,
        "allocate": Capability.RECORD_PAYMENT,
        "reverse": Capability.REVERSE_PAYMENT,
    }

    @extend_schema(
        summary="Record a payment",
        description="Settles the named invoices, or the oldest open ones; what is left is kept as credit. "
        "With a `client_temp_id` it is safe to send again.",
        tags=["Payments"],
        request=PaymentIn,
        responses={
            **replayable(PaymentOut),
            **conflicts(ExceedsOutstanding, ExceedsCredit, IdempotencyConflict),
        },
        examples=[
            OpenApiExample(
                "cash on account",
                value={"customer": 1, "method": "CASH", "amount": "50.00"},
                request_only=True,
            ),
            OpenApiExample(
                "a transfer for one invoice",
                value={
                    "customer": 1,
                    "method": "BANK_TRANSFER",
                    "amount": "200.00",
                    "received_on": "2026-02-10",
                    "reference": "FT26041-88121",
                    "allocations": [{"invoice": 480, "amount": "179.31"}],
                },
                request_only=True,
            ),
            _PAYMENT,
        ],
    )
    def create(self, request: Request) -> Response:
        serializer = PaymentIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        recorded = services.record_payment(actor=acting_user(request), data=serializer.command())
        return created(self._read(recorded.value.pk), replayed=recorded.replayed)

    @extend_schema(
        summary="Settle invoices with a payment's credit",
        tags=["Payments"],
        request=SharesIn,
        responses={200: PaymentOut, **conflicts(ExceedsOutstanding, ExceedsCredit, AlreadyReversed)},
        examples=[OpenApiExample("the oldest first", value={}, request_only=True), _PAYMENT],
    )
    @action(detail=True, methods=["post"])
    def allocate(self, request: Request, pk: str) -> Response:
        serializer = SharesIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        payment = services.allocate_payment(
            actor=acting_user(request), payment_id=self.get_object().pk, shares=serializer.shares()
        )
        return Response(self._read(payment.pk))

    @extend_schema(
        summary="Reverse a payment",
        description="ADMIN, and a SUPERVISOR for their depot's users: it was entered wrongly, or a cheque bounced. "
        "Answers the reversal; what the payment settled is open again.",
        tags=["Payments"],
        request=ReasonIn,
        responses={201: PaymentOut, **conflicts(AlreadyReversed)},
        examples=[
            OpenApiExample("a bounced cheque", value={"reason": "Cheque returned by the bank"}, request_only=True),
            OpenApiExample(
                "the reversal",
                value={
                    **_PAYMENT_EXAMPLE,
                    "id": 92,
                    "payment_number": "PAY-000092",
                    "amount": "-200.00",
                    "reverses": 91,
                    "allocated_amount": "-179.31",
                    "credit_amount": "-20.69",
                    "allocations": [],
                },
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, pk: str) -> Response:
        serializer = ReasonIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        reversal = services.reverse_payment(
            actor=acting_user(request), payment_id=self.get_object().pk, reason=serializer.validated_data["reason"]
        )
        return Response(self._read(reversal.pk), status=HTTP_201_CREATED)

    def _read(self, pk: int) -> dict[str, Any]:
        return PaymentOut(self.queryset.get(pk=pk)).data
