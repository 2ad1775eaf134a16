"""Payments over HTTP."""

from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from accounts.models import User
from accounts.requests import acting_user
from customers.models import Customer
from customers.search import DocumentSearch
from foundation.access.capabilities import Capability
from foundation.api.filters import DayFilter, FilterBackend, IdFilter, KnownOrdering, LedgerFilterSet, YesNoFilter
from foundation.api.responses import pdf_file
from foundation.api.viewsets import LedgerViewSet, ScopedViewSet
from foundation.remains import pending_for
from inventory.serializers import DecisionIn, ReasonedDecisionIn
from invoices.models import Invoice
from invoices.serializers import InvoiceOut
from payments import openapi, services
from payments.errors import MoneyBanked, MoneyNotFound
from payments.models import CashCount, CashCountQuerySet, CashExpense, CashExpenseQuerySet, Payment, PaymentQuerySet
from payments.receipts import print_receipt, slip_of
from payments.selectors import PAYMENT_NUMBERS, expectation_seen_by, money_seen_by
from payments.serializers import (
    BankedIn,
    CashCountIn,
    CashCountOut,
    ExpenseIn,
    ExpenseOut,
    GoodwillIn,
    PayIn,
    PaymentIn,
    PaymentOut,
    PayoutIn,
    ReasonIn,
    ReceiptQuery,
    SetOffIn,
    SetOffOut,
    SharesIn,
)
from payments.unlikely import OF_EXPENSES, OF_PAYMENTS, OF_PAYOUTS, OF_PAYOUTS_WITHOUT_REFERENCE


class InvoicePaymentViewSet(ScopedViewSet):
    """Money for one invoice. Its route lies under the invoice's own."""

    queryset = Invoice.objects.select_related("transaction").defer("snapshot")
    serializer_class = InvoiceOut
    asks = {"pay": (*OF_PAYMENTS, MoneyNotFound)}
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


class CustomerPaymentViewSet(ScopedViewSet):
    """Money for a customer beside the account. Its route lies under the customer's own."""

    queryset = Customer.objects.all()
    serializer_class = PaymentOut
    operations = {"refund_goodwill": "payment.goodwill"}
    asks = {"refund_goodwill": OF_PAYOUTS_WITHOUT_REFERENCE}
    target = "customer"
    capability = {"refund_goodwill": Capability.REFUND_GOODWILL}

    @openapi.refund_goodwill
    @action(detail=True, methods=["post"], url_path="goodwill-refunds", url_name="goodwill-refunds")
    def refund_goodwill(self, request: Request, pk: str) -> Response:
        serializer = GoodwillIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        paid = services.refund_goodwill(
            actor=acting_user(request), customer_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(payment_read_by(acting_user(request), paid.pk), status=HTTP_201_CREATED)


class PaymentFilter(LedgerFilterSet):
    customer = IdFilter(field_name="customer_id")
    user = IdFilter(field_name="user_id")
    depot = IdFilter(field_name="depot_id")
    received_from = DayFilter(field_name="received_on", lookup_expr="gte")
    received_to = DayFilter(field_name="received_on", lookup_expr="lte")
    unmatched = YesNoFilter(
        method="by_match",
        help_text="Moved without cash, and nobody has found it in the bank's or the terminal's report: also what was "
        "reversed since, but for cheques that bounced.",
    )
    has_credit = YesNoFilter(field_name="used_up_on", lookup_expr="isnull")

    class Meta:
        model = Payment
        fields = ("method", "is_goodwill")

    def by_match(self, queryset: PaymentQuerySet, name: str, value: bool) -> PaymentQuerySet:
        return queryset.filter(queryset.unmatched() if value else ~queryset.unmatched())


@openapi.payments
class PaymentViewSet(LedgerViewSet):
    # Nothing is joined: see `StockMovementQuerySet.with_ends`.
    queryset = Payment.objects.prefetch_related("customer", "user", "reversal")
    serializer_class = PaymentOut
    filterset_class = PaymentFilter
    filter_backends = (FilterBackend, DocumentSearch, KnownOrdering)
    documents = PAYMENT_NUMBERS
    ordering_fields = ("id", "amount", "received_on")
    operations = {"create": services.OPERATION}
    asks = {"create": OF_PAYMENTS, "reverse": (MoneyBanked,)}
    capability = {
        "list": Capability.VIEW_SALES,
        "retrieve": Capability.VIEW_SALES,
        "create": Capability.RECORD_PAYMENT,
        "allocate": Capability.RECORD_PAYMENT,
        "reverse": Capability.REVERSE_PAYMENT,
        "receipt": Capability.VIEW_SALES,
        "bank": Capability.BANK_PAYMENT,
        "unbank": Capability.BANK_PAYMENT,
        "bounce": Capability.REVERSE_PAYMENT,
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

    @openapi.receipt
    @action(detail=True, methods=["get"], query=ReceiptQuery)
    def receipt(self, request: Request, pk: str) -> HttpResponse:
        payment, paper = self.get_object(), self.asked()["paper"]
        return pdf_file(print_receipt(payment), f"{payment}.pdf") if paper == "A4" else slip_file(payment, paper)

    @openapi.bank_payment
    @action(detail=True, methods=["post"])
    def bank(self, request: Request, pk: str) -> Response:
        serializer = BankedIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        payment = services.bank_payment(
            actor=acting_user(request), payment_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self._read(payment.pk))

    @openapi.unbank_payment
    @action(detail=True, methods=["post"])
    def unbank(self, request: Request, pk: str) -> Response:
        serializer = ReasonIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        payment = services.unbank_payment(
            actor=acting_user(request), payment_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self._read(payment.pk))

    @openapi.bounce_cheque
    @action(detail=True, methods=["post"])
    def bounce(self, request: Request, pk: str) -> Response:
        serializer = ReasonIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        reversal = services.bounce_cheque(
            actor=acting_user(request), payment_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self._read(reversal.pk), status=HTTP_201_CREATED)

    def get_queryset(self) -> PaymentQuerySet:
        payments: PaymentQuerySet = super().get_queryset()
        return payments.with_allocations(acting_user(self.request))

    def _read(self, pk: int) -> object:
        return payment_read_by(acting_user(self.request), pk)


def slip_file(payment: Payment, width: str) -> HttpResponse:
    return HttpResponse(slip_of(payment, width=width), headers={"Cache-Control": "private, no-store"})


def payment_read_by(reader: User, pk: int) -> object:
    """A payment as an answer to who has just changed it, whoever it is of."""
    payments = Payment.objects.prefetch_related("customer", "user", "reversal")
    return PaymentOut(payments.with_allocations(reader).get(pk=pk)).data


class PayoutViewSet(ScopedViewSet):
    queryset = Payment.objects.all()
    serializer_class = PaymentOut
    asks = {"create": (*OF_PAYOUTS, MoneyNotFound)}
    capability = {"create": Capability.PAY_OUT}

    @openapi.pay_out
    def create(self, request: Request) -> Response:
        serializer = PayoutIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        payout = services.pay_out(actor=acting_user(request), data=serializer.command())
        return Response(payment_read_by(acting_user(request), payout.pk), status=HTTP_201_CREATED)


class SetOffViewSet(ScopedViewSet):
    queryset = Customer.objects.all()
    serializer_class = SetOffOut
    capability = {"create": Capability.RECORD_PAYMENT}

    @openapi.set_off_credit
    def create(self, request: Request) -> Response:
        serializer = SetOffIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        customer = services.set_off_credit(actor=acting_user(request), **serializer.command())
        return Response(self.get_serializer(customer).data, status=HTTP_201_CREATED)


class CashCountFilter(LedgerFilterSet):
    changed = YesNoFilter(method="by_change", help_text="Something of before it came after it was signed off.")
    user = IdFilter(field_name="user_id")
    depot = IdFilter(field_name="depot_id")
    date_from = DayFilter(field_name="date", lookup_expr="gte")
    date_to = DayFilter(field_name="date", lookup_expr="lte")

    class Meta:
        model = CashCount
        fields = ("status",)

    def by_change(self, counts: CashCountQuerySet, name: str, value: bool) -> CashCountQuerySet:
        return counts.filter(counts.changed() if value else ~counts.changed())


@openapi.cash_counts
class CashCountViewSet(LedgerViewSet):
    queryset = CashCount.objects.with_handed_in().select_related("user")
    serializer_class = CashCountOut
    filterset_class = CashCountFilter
    search_fields = ("count_number", "user__search_name", "remarks")
    ordering_fields = ("id",)
    operations = {"create": services.CASH_COUNT}
    capability = {
        "list": Capability.VIEW_SETTLEMENTS,
        "retrieve": Capability.VIEW_SETTLEMENTS,
        "create": Capability.HAND_IN_CASH,
        "sign_off": Capability.SIGN_OFF_SETTLEMENT,
        # The service asks whose it is: one's own is taken back.
        "reject": (Capability.HAND_IN_CASH, Capability.SIGN_OFF_SETTLEMENT),
    }

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self._read(self.get_object().pk))

    @openapi.record_cash_count
    def create(self, request: Request) -> Response:
        serializer = CashCountIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        count = services.record_cash_count(actor=acting_user(request), data=serializer.command())
        return Response(self._read(count.pk), status=HTTP_201_CREATED)

    @openapi.sign_off_cash_count
    @action(detail=True, methods=["post"], url_path="sign-off", url_name="sign-off")
    def sign_off(self, request: Request, pk: str) -> Response:
        serializer = DecisionIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        services.sign_off_cash_count(
            actor=acting_user(request), count_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self._read(int(pk)))

    @openapi.reject_cash_count
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        serializer = ReasonedDecisionIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        services.reject_cash_count(
            actor=acting_user(request), count_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self._read(int(pk)))

    def _read(self, pk: int) -> object:
        count = self.queryset.get(pk=pk)
        reader = acting_user(self.request)
        seen = {
            "expected": expectation_seen_by(reader, count),
            "money": money_seen_by(reader, count),
            "pending": pending_for(reader, count),
        }
        return CashCountOut(count, context=seen).data


class ExpenseFilter(LedgerFilterSet):
    user = IdFilter(field_name="user_id")
    depot = IdFilter(field_name="depot_id")
    cash_count = IdFilter(field_name="cash_count_id", help_text="What it was handed in with.")
    date_from = DayFilter(field_name="date", lookup_expr="gte")
    date_to = DayFilter(field_name="date", lookup_expr="lte")
    is_reversed = YesNoFilter(method="by_reversal", help_text="Another one takes it back.")

    class Meta:
        model = CashExpense
        fields = ()

    def by_reversal(self, expenses: CashExpenseQuerySet, name: str, value: bool) -> CashExpenseQuerySet:
        reversed_ones = CashExpense.objects.filter(reverses__isnull=False).values("reverses")
        return expenses.filter(pk__in=reversed_ones) if value else expenses.exclude(pk__in=reversed_ones)


@openapi.expenses
class ExpenseViewSet(LedgerViewSet):
    queryset = CashExpense.objects.select_related("user", "reversal")
    serializer_class = ExpenseOut
    filterset_class = ExpenseFilter
    filter_backends = (FilterBackend, KnownOrdering)
    ordering_fields = ("id",)
    operations = {"create": services.EXPENSE_CREATE}
    asks = {"create": OF_EXPENSES}
    capability = {
        "list": Capability.VIEW_SETTLEMENTS,
        "retrieve": Capability.VIEW_SETTLEMENTS,
        "create": Capability.HAND_IN_CASH,
        # The service asks whose it is: one's own is taken back.
        "reverse": (Capability.HAND_IN_CASH, Capability.REVERSE_PAYMENT),
    }

    @openapi.record_expense
    def create(self, request: Request) -> Response:
        serializer = ExpenseIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        expense = services.record_expense(actor=acting_user(request), data=serializer.command())
        return Response(self._read(expense.pk), status=HTTP_201_CREATED)

    @openapi.reverse_expense
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, pk: str) -> Response:
        serializer = ReasonIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        reversal = services.reverse_expense(
            actor=acting_user(request), expense_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self._read(reversal.pk), status=HTTP_201_CREATED)

    def _read(self, pk: int) -> object:
        return self.get_serializer(self.queryset.get(pk=pk)).data
