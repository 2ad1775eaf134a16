"""Sales over HTTP."""

from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from accounts.requests import acting_user
from customers.search import DocumentSearch
from foundation.access.capabilities import Capability
from foundation.api.filters import DayFilter, FilterBackend, IdFilter, KnownOrdering, LedgerFilterSet, MomentFilter
from foundation.api.viewsets import LedgerViewSet
from foundation.operations.idempotency import is_replayed
from transactions import openapi, services
from transactions.models import Transaction
from transactions.selectors import SALE_NUMBERS, moved_with
from transactions.serializers import BillAgainIn, BilledAgainOut, SaleIn, SaleOut, TransactionOut, VoidIn
from transactions.unlikely import IN_SALES

# One for all answers: making its fields anew for each takes a seventh of a sale's time beside its page.
_SALE_OUT = SaleOut()


def documents_of(transaction: Transaction, *, is_new: bool = False, is_paid: bool = True) -> dict[str, object]:
    """What one commit recorded, for `SaleOut`. ``is_new``: it was just now, and no refund has to be looked up.

    ``is_paid``: money may have changed hands with it.
    """
    recorded: dict[str, object] = {
        "transaction": transaction,
        "invoice": transaction.invoice,
        "refund": None,
        "payments": moved_with(transaction) if is_paid else (),
    }
    if is_new and not Transaction.refund.is_cached(transaction):
        return recorded
    refund = Transaction.objects.with_status().select_related("invoice").filter(beside=transaction).first()
    return {**recorded, "refund": refund and {"transaction": refund, "invoice": refund.invoice}}


class TransactionFilter(LedgerFilterSet):
    customer = IdFilter(field_name="customer_id")
    user = IdFilter(field_name="user_id")
    depot = IdFilter(field_name="depot_id")
    date_from = DayFilter(field_name="date", lookup_expr="gte")
    date_to = DayFilter(field_name="date", lookup_expr="lte")
    occurred_after = MomentFilter(field_name="occurred_at", lookup_expr="gte")
    occurred_before = MomentFilter(field_name="occurred_at", lookup_expr="lt")

    class Meta:
        model = Transaction
        fields = ("payment_type", "payment_received", "vehicle_no")


@openapi.transactions
class TransactionViewSet(LedgerViewSet):
    queryset = Transaction.objects.with_status().prefetch_related("user", "items")
    serializer_class = TransactionOut
    filterset_class = TransactionFilter
    filter_backends = (FilterBackend, DocumentSearch, KnownOrdering)
    documents = SALE_NUMBERS
    ordering_fields = ("id", "occurred_at", "total_amount")
    operations = {"create_transaction": services.OPERATION}
    asks = {"create": IN_SALES, "create_transaction": IN_SALES, "bill_again": IN_SALES}
    capability = {
        "list": Capability.VIEW_SALES,
        "retrieve": Capability.VIEW_SALES,
        "create": Capability.RECORD_SALE,
        "create_transaction": Capability.RECORD_SALE,
        "void": Capability.VOID_SALE,
        "bill_again": Capability.VOID_SALE,
    }

    @openapi.record_sale
    def create(self, request: Request) -> Response:
        serializer = SaleIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        sale = serializer.command()
        transaction: Any = services.create_customer_transaction_and_invoice(actor=acting_user(request), data=sale)
        if is_replayed():
            transaction = self.queryset.select_related("invoice").get(pk=transaction.pk)
        else:
            transaction.status = Transaction.Status.COMPLETED  # nobody can have voided it yet
        is_paid = sale.payment_received or bool(sale.tender)
        made = documents_of(transaction, is_new=not is_replayed(), is_paid=is_paid)
        answer = _SALE_OUT.to_representation(made)
        for recorded in filter(None, (answer, answer["refund"])):
            recorded["invoice"]["pdf_url"] = request.build_absolute_uri(recorded["invoice"]["pdf_url"])
        return Response(answer, status=HTTP_201_CREATED)

    @openapi.record_sale_at_old_path
    @action(detail=False, methods=["post"])
    def create_transaction(self, request: Request) -> Response:
        return self.create(request)

    @openapi.void_sale
    @action(detail=True, methods=["post"])
    def void(self, request: Request, pk: str) -> Response:
        serializer = VoidIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        reversal: Any = services.void_transaction(
            actor=acting_user(request), data=services.NewVoid(self.get_object().pk, **serializer.validated_data)
        )
        reversal.status = Transaction.Status.COMPLETED
        answer = SaleOut(documents_of(reversal, is_new=True, is_paid=False), context=self.get_serializer_context())
        return Response(answer.data, status=HTTP_201_CREATED)

    @openapi.bill_again
    @action(detail=True, methods=["post"], url_path="bill-again")
    def bill_again(self, request: Request, pk: str) -> Response:
        serializer = BillAgainIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        made = services.bill_again(actor=acting_user(request), data=serializer.command(self.get_object().pk))
        documents_with = self.queryset.select_related("invoice")
        recorded, credit = documents_with.get(pk=made.pk), documents_with.get(reverses=made.replaces_id)
        documents = documents_of(recorded, is_paid=False)
        documents["credit"] = {"transaction": credit, "invoice": credit.invoice}
        answer = BilledAgainOut(documents, context=self.get_serializer_context())
        return Response(answer.data, status=HTTP_201_CREATED)
