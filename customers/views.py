"""Customers over HTTP."""

from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from accounts.requests import acting_user
from customers import services
from customers.errors import VersionConflict
from customers.models import Customer, CustomerRate
from customers.serializers import CustomerRateIn, CustomerRateOut, CustomerSerializer
from equipment.errors import EquipmentInactive
from foundation.access.capabilities import Capability
from foundation.api.schema import conflicts, master_data
from foundation.api.viewsets import MasterDataViewSet

_EXAMPLE = {
    "id": 1,
    "customer_code": "BEDOK-216",
    "name": "Ah Hock Chicken Rice",
    "email": "ahhock@example.sg",
    "phone": "+65 6744 0000",
    "address": "Blk 216 Bedok North Street 1 #01-21",
    "postal_code": "460216",
    "uen": "53312345A",
    "gst_registration_no": "",
    "payment_type": "CREDIT",
    "payment_terms_days": 30,
    "email_invoices": False,
    "meter_number": "M-104233",
    "meter_rate": "2.1500",
    "last_meter_reading": "1200.00",
    "is_active": True,
    "version": 4,
    "created_at": "2026-01-20T09:00:00+08:00",
    "updated_at": "2026-01-20T09:00:00+08:00",
}
_RATE = OpenApiExample(
    "a contract rate",
    value={
        "id": 9,
        "customer": 1,
        "equipment": 3,
        "sku": "CYL-14-POL",
        "equipment_name": "14 kg POL cylinder",
        "rate": "34.00",
        "valid_from": "2026-02-01",
        "created_by": 1,
        "created_at": "2026-01-20T09:00:00+08:00",
    },
    response_only=True,
    status_codes=["200", "201"],
)


class CustomerFilter(filters.FilterSet):
    has_meter = filters.BooleanFilter(field_name="meter_rate", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Customer
        fields = ("payment_type", "is_active")


@extend_schema_view(
    **master_data(
        one="a customer",
        many="customers",
        example=_EXAMPLE,
        patch={"address": "Blk 217 Bedok North Street 1 #01-05", "version": 4},
        responses={200: CustomerSerializer, **conflicts(VersionConflict)},
    )
)
class CustomerViewSet(MasterDataViewSet):
    queryset = Customer.objects.all()
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilter
    search_fields = ("customer_code", "name", "address", "postal_code", "phone", "meter_number")
    ordering_fields = ("customer_code", "name", "id")
    capability = {
        **MasterDataViewSet.capability,
        "rates": Capability.VIEW_MASTER_DATA,
        "add_rate": Capability.MANAGE_MASTER_DATA,
    }
    create_command = services.create_customer
    update_command = services.update_customer
    deactivate_command = services.deactivate_customer

    @extend_schema(
        summary="List a customer's contract rates",
        description="All of them, by equipment, newest first. The rate in force is the latest that has begun.",
        tags=["Master data"],
        responses=CustomerRateOut(many=True),
        examples=[_RATE],
        filters=False,
    )
    @action(detail=True, methods=["get"])
    def rates(self, request: Request, pk: str) -> Response:
        rates = CustomerRate.objects.filter(customer=self.get_object()).select_related("equipment")
        page = self.paginate_queryset(rates)
        return self.get_paginated_response(CustomerRateOut(page, many=True).data)

    @extend_schema(
        summary="Agree on a contract rate from a date on",
        description="ADMIN only. Earlier rates stay: a sale is priced with the one in force when it happened.",
        tags=["Master data"],
        request=CustomerRateIn,
        responses={201: CustomerRateOut, **conflicts(EquipmentInactive)},
        examples=[
            OpenApiExample(
                "from February", value={"equipment": 3, "rate": "34.00", "valid_from": "2026-02-01"}, request_only=True
            ),
            _RATE,
        ],
    )
    @rates.mapping.post
    def add_rate(self, request: Request, pk: str) -> Response:
        customer = self.get_object()
        serializer = CustomerRateIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        sent = serializer.validated_data
        rate = services.set_contract_rate(
            actor=acting_user(request),
            customer_id=customer.pk,
            equipment_id=sent["equipment"],
            rate=sent["rate"],
            valid_from=sent["valid_from"],
        )
        return Response(CustomerRateOut(rate).data, status=HTTP_201_CREATED)
