"""Equipment over HTTP."""

from drf_spectacular.utils import extend_schema_view

from equipment import services
from equipment.models import Equipment
from equipment.serializers import EquipmentSerializer
from foundation.api.schema import master_data
from foundation.api.viewsets import MasterDataViewSet


@extend_schema_view(
    **master_data(
        one="a stock item",
        many="stock items",
        example={
            "id": 3,
            "sku": "CYL-45-POL",
            "name": "45 kg POL cylinder",
            "equipment_type": "CYLINDER",
            "weight_kg": "45.00",
            "default_rate": "118.00",
            "deposit": "150.00",
            "is_active": True,
        },
    )
)
class EquipmentViewSet(MasterDataViewSet):
    queryset = Equipment.objects.all()
    serializer_class = EquipmentSerializer
    filterset_fields = ("equipment_type", "is_active")
    search_fields = ("sku", "name")
    ordering_fields = ("sku", "name", "id")
    create_command = services.create_equipment
    update_command = services.update_equipment
    deactivate_command = services.deactivate_equipment
