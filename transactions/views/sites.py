"""What stands at customers' sites over HTTP: deposits and meters."""

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from accounts.requests import acting_user
from customers.models import Customer
from deposits.selectors import holdings_of
from foundation.access.capabilities import Capability
from foundation.api.viewsets import ScopedViewSet
from foundation.money import ZERO
from invoices.models import Invoice
from transactions import openapi, services
from transactions.selectors import MAX_READINGS, meter_history
from transactions.serializers import (
    DepositsOut,
    HoldingOut,
    MeterReadingOut,
    NewMeterIn,
    ReplacedMeterOut,
)
from transactions.unlikely import IN_REPLACEMENTS
from transactions.views.sales import TransactionViewSet, documents_of


class CustomerSiteViewSet(ScopedViewSet):
    """What stands at a customer's site. Its routes lie under the customer's own."""

    queryset = Customer.objects.all()
    operations = {"replace_meter": "meter.replace"}
    asks = {"replace_meter": IN_REPLACEMENTS}
    target = "customer"
    capability = {
        "replace_meter": Capability.REPLACE_METER,
        "meter_history": Capability.VIEW_CUSTOMER_SITE,
        "deposits": Capability.VIEW_CUSTOMER_SITE,
        "holdings": Capability.VIEW_CUSTOMER_SITE,
    }

    @openapi.replace_meter
    @action(detail=True, methods=["post"], url_path="replace-meter", url_name="replace-meter")
    def replace_meter(self, request: Request, pk: str) -> Response:
        customer = self.get_object()
        serializer = NewMeterIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        replaced = services.replace_meter(actor=acting_user(request), data=serializer.command(customer.pk))
        sale = None
        if replaced.final_sale_id:
            transaction = TransactionViewSet.queryset.select_related("invoice").get(pk=replaced.final_sale_id)
            sale = documents_of(transaction)
        answer = ReplacedMeterOut({"replacement": replaced, "sale": sale}, context=self.get_serializer_context())
        return Response(answer.data, status=HTTP_201_CREATED)

    @openapi.read_meter_history
    @action(detail=True, methods=["get"], url_path="meter-history", url_name="meter-history", pagination_class=None)
    def meter_history(self, request: Request, pk: str) -> Response:
        history = meter_history(self.get_object(), newest=MAX_READINGS)
        return Response(MeterReadingOut(history, many=True).data)

    @openapi.read_deposits
    @action(detail=True, methods=["get"], pagination_class=None)
    def deposits(self, request: Request, pk: str) -> Response:
        customer = self.get_object()
        rows = [holding for holding in holdings_of(customer) if holding.lots]
        total = sum((row.amount for row in rows), ZERO)
        return Response(DepositsOut({"customer": customer.pk, "held": rows, "total_amount": total}).data)

    @openapi.read_holdings
    @action(detail=True, methods=["get"], pagination_class=None)
    def holdings(self, request: Request, pk: str) -> Response:
        holdings = holdings_of(self.get_object())
        numbers = {lot.document_number for holding in holdings for lot in holding.lots}
        seen = Invoice.objects.visible_to(acting_user(request)).filter(invoice_number__in=numbers)
        context = {"visible": set(seen.values_list("invoice_number", flat=True))}
        return Response(HoldingOut(holdings, many=True, context=context).data)
