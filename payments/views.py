"""Payments over HTTP."""

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from accounts.requests import acting_user
from customers.search import DocumentSearch
from foundation.access.capabilities import Capability
from foundation.api.filters import DayFilter, FilterBackend, IdFilter, KnownOrdering, LedgerFilterSet, YesNoFilter
from foundation.api.viewsets import LedgerViewSet, ScopedViewSet
from invoices.models import Invoice
from invoices.serializers import InvoiceOut
from payments import openapi, services
from payments.models import Payment
from payments.selectors import PAYMENT_NUMBERS
from payments.serializers import PayIn, PaymentIn, PaymentOut, ReasonIn, SharesIn


class InvoicePaymentViewSet(ScopedViewSet):
    """Money for one invoice. Its route lies under the invoice's own."""

    queryset = Invoice.objects.select_related("transaction").defer("snapshot")
    serializer_class = InvoiceOut
    capability = {"pay": Capability.RECORD_PAYMENT}

    @openapi.pay_invoice
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
    depot = IdFilter(field_name="depot_id")
    received_from = DayFilter(field_name="received_on", lookup_expr="gte")
    received_to = DayFilter(field_name="received_on", lookup_expr="lte")
    has_credit = YesNoFilter(field_name="used_up_on", lookup_expr="isnull")

    class Meta:
        model = Payment
        fields = ("method",)


@openapi.payments
class PaymentViewSet(LedgerViewSet):
    # Nothing is joined: see `StockMovementQuerySet.with_ends`.
    queryset = Payment.objects.prefetch_related("customer", "user", "reversal", "allocations__invoice")
    serializer_class = PaymentOut
    filterset_class = PaymentFilter
    filter_backends = (FilterBackend, DocumentSearch, KnownOrdering)
    documents = PAYMENT_NUMBERS
    ordering_fields = ("id", "amount", "received_on")
    capability = {
        "list": Capability.VIEW_SALES,
        "retrieve": Capability.VIEW_SALES,
        "create": Capability.RECORD_PAYMENT,
        "allocate": Capability.RECORD_PAYMENT,
        "reverse": Capability.REVERSE_PAYMENT,
    }

    @openapi.record_payment
    def create(self, request: Request) -> Response:
        serializer = PaymentIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        recorded = services.record_payment(actor=acting_user(request), data=serializer.command())
        return Response(self._read(recorded.pk), status=HTTP_201_CREATED)

    @openapi.allocate_payment
    @action(detail=True, methods=["post"])
    def allocate(self, request: Request, pk: str) -> Response:
        serializer = SharesIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        payment = services.allocate_payment(
            actor=acting_user(request), payment_id=self.get_object().pk, shares=serializer.shares()
        )
        return Response(self._read(payment.pk))

    @openapi.reverse_payment
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, pk: str) -> Response:
        serializer = ReasonIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        reversal = services.reverse_payment(
            actor=acting_user(request), payment_id=self.get_object().pk, reason=serializer.validated_data["reason"]
        )
        return Response(self._read(reversal.pk), status=HTTP_201_CREATED)

    def _read(self, pk: int) -> object:
        return PaymentOut(self.queryset.get(pk=pk)).data
