"""Equipment over HTTP."""

from typing import Any, cast

from django.db.models import Model
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from equipment import openapi, services
from equipment.errors import RateFromPast, RateUnlikely
from equipment.models import Equipment, EquipmentPrice
from equipment.selectors import prices_of
from equipment.serializers import EquipmentSerializer, PriceIn, PriceOut
from foundation.access.capabilities import Capability
from foundation.api.queries import PageQuery
from foundation.api.viewsets import MasterDataViewSet
from foundation.confirmations import NameUnprintable


@openapi.equipment
class EquipmentViewSet(MasterDataViewSet):
    queryset = Equipment.objects.all()
    serializer_class = EquipmentSerializer
    filterset_fields = ("equipment_type", "is_active")
    search_fields = ("search_name",)
    ordering_fields = ("sku", "name", "id")
    capability = {
        **MasterDataViewSet.capability,
        "prices": Capability.VIEW_MASTER_DATA,
        "add_price": Capability.MANAGE_MASTER_DATA,
    }
    asks = {
        **dict.fromkeys(("create", "update", "partial_update"), (RateUnlikely, NameUnprintable)),
        "add_price": (RateUnlikely, RateFromPast),
    }
    create_command = services.create_equipment
    update_command = services.update_equipment
    deactivate_command = services.deactivate_equipment

    @openapi.list_prices
    @action(detail=True, methods=["get"], query=PageQuery)
    def prices(self, request: Request, pk: str) -> Response:
        equipment = self.get_object()
        page: Any = self.paginate_queryset(EquipmentPrice.objects.filter(equipment=equipment))
        became = prices_of(equipment)
        return self.get_paginated_response(PriceOut([became[row.pk] for row in page], many=True).data)

    @openapi.add_price
    @prices.mapping.post
    def add_price(self, request: Request, pk: str) -> Response:
        equipment = self.get_object()
        serializer = PriceIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        sent, actor = serializer.validated_data, cast(Model, request.user)
        price = services.set_price(
            actor=actor,
            equipment_id=equipment.pk,
            kind=EquipmentPrice.Kind(sent["kind"]),
            amount=sent["amount"],
            valid_from=sent["valid_from"],
            reason=sent["reason"],
        )
        return Response(PriceOut(prices_of(equipment)[price.pk]).data, status=HTTP_201_CREATED)
