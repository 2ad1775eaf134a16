"""Customers over HTTP."""

from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from accounts.requests import acting_user
from customers import openapi, services
from customers.models import Customer, CustomerRate, MeterRate
from customers.selectors import meter_rates_of
from customers.serializers import CustomerRateIn, CustomerRateOut, CustomerSerializer, MeterRateIn, MeterRateOut
from customers.unlikely import OF_CUSTOMERS
from equipment.errors import RateFromPast, RateUnlikely
from foundation.access.capabilities import Capability
from foundation.api.filters import ApiFilterSet, YesNoFilter
from foundation.api.queries import PageQuery
from foundation.api.viewsets import MasterDataViewSet


class CustomerFilter(ApiFilterSet):
    has_meter = YesNoFilter(field_name="meter_rate", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Customer
        fields = ("payment_type", "is_active")


@openapi.customers
class CustomerViewSet(MasterDataViewSet):
    queryset = Customer.objects.all()
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilter
    search_fields = ("search_name", "search_contact")
    ordering_fields = ("customer_code", "name", "id")
    capability = {
        **MasterDataViewSet.capability,
        "rates": Capability.VIEW_MASTER_DATA,
        "add_rate": Capability.MANAGE_MASTER_DATA,
        "meter_rates": Capability.VIEW_MASTER_DATA,
        "add_meter_rate": Capability.MANAGE_MASTER_DATA,
    }
    asks = {
        **dict.fromkeys(("create", "update", "partial_update"), OF_CUSTOMERS),
        **dict.fromkeys(("add_rate", "add_meter_rate"), (RateUnlikely, RateFromPast)),
    }
    create_command = services.create_customer
    update_command = services.update_customer
    deactivate_command = services.deactivate_customer

    @openapi.list_rates
    @action(detail=True, methods=["get"], query=PageQuery)
    def rates(self, request: Request, pk: str) -> Response:
        rates = CustomerRate.objects.filter(customer=self.get_object()).with_standing().select_related("equipment")
        page = self.paginate_queryset(rates)
        return self.get_paginated_response(CustomerRateOut(page, many=True).data)

    @openapi.add_rate
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
            reason=sent["reason"],
        )
        made = CustomerRate.objects.with_standing().select_related("equipment").get(pk=rate.pk)
        return Response(CustomerRateOut(made).data, status=HTTP_201_CREATED)

    @openapi.list_meter_rates
    @action(detail=True, methods=["get"], url_path="meter-rates", query=PageQuery)
    def meter_rates(self, request: Request, pk: str) -> Response:
        customer = self.get_object()
        page: Any = self.paginate_queryset(MeterRate.objects.filter(customer=customer))
        became = meter_rates_of(customer)
        return self.get_paginated_response(MeterRateOut([became[row.pk] for row in page], many=True).data)

    @openapi.add_meter_rate
    @meter_rates.mapping.post
    def add_meter_rate(self, request: Request, pk: str) -> Response:
        customer = self.get_object()
        serializer = MeterRateIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        sent = serializer.validated_data
        rate = services.set_meter_rate(
            actor=acting_user(request),
            customer_id=customer.pk,
            meter_rate=sent["meter_rate"],
            valid_from=sent["valid_from"],
            reason=sent["reason"],
        )
        return Response(MeterRateOut(meter_rates_of(customer)[rate.pk]).data, status=HTTP_201_CREATED)
