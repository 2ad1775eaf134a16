"""Equipment over HTTP."""

from equipment import openapi, services
from equipment.errors import RateUnlikely
from equipment.models import Equipment
from equipment.serializers import EquipmentSerializer
from foundation.api.viewsets import MasterDataViewSet
from foundation.confirmations import NameUnprintable


@openapi.equipment
class EquipmentViewSet(MasterDataViewSet):
    queryset = Equipment.objects.all()
    serializer_class = EquipmentSerializer
    filterset_fields = ("equipment_type", "is_active")
    search_fields = ("search_name",)
    ordering_fields = ("sku", "name", "id")
    asks = dict.fromkeys(("create", "update", "partial_update"), (RateUnlikely, NameUnprintable))
    create_command = services.create_equipment
    update_command = services.update_equipment
    deactivate_command = services.deactivate_equipment
