"""What stands at customers' sites over HTTP: deposits and meters."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.requests import acting_user
from customers.errors import CustomerInactive
from customers.models import Customer
from foundation.access.capabilities import Capability
from foundation.api.responses import created
from foundation.api.schema import conflicts, replayable
from foundation.api.viewsets import ScopedViewSet
from foundation.money import ZERO
from foundation.operations.idempotency import IdempotencyConflict
from foundation.operations.occurrence import OccurredAtOutOfRange
from transactions import services
from transactions.errors import (
    MeterMovedOn,
    MeterReadingDecreased,
    NoMeter,
)
from transactions.models import DepositBalance
from transactions.selectors import meter_history
from transactions.serializers import (
    DepositsOut,
    MeterReadingOut,
    NewMeterIn,
    ReplacedMeterOut,
)
from transactions.views.sales import TransactionViewSet

MAX_READINGS = 200

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
        replaced = services.replace_meter(actor=acting_user(request), data=serializer.command(customer.pk))
        sale = None
        if replaced.value.final_sale_id:
            transaction = TransactionViewSet.queryset.select_related("invoice").get(pk=replaced.value.final_sale_id)
            sale = {"transaction": transaction, "invoice": transaction.invoice}
        answer = ReplacedMeterOut({"replacement": replaced.value, "sale": sale}, context=self.get_serializer_context())
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
