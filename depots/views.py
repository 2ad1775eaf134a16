"""Depots over HTTP."""

from drf_spectacular.utils import extend_schema_view

from depots import services
from depots.models import Depot
from depots.serializers import DepotSerializer
from foundation.api.schema import master_data
from foundation.api.viewsets import MasterDataViewSet


@extend_schema_view(
    **master_data(
        one="a depot",
        many="depots",
        example={
            "id": 3,
            "code": "HSH WL",
            "name": "HSH Woodlands",
            "address": "11 Woodlands Close, Singapore 737853",
            "is_active": True,
        },
    )
)
class DepotViewSet(MasterDataViewSet):
    queryset = Depot.objects.all()
    serializer_class = DepotSerializer
    filterset_fields = ("is_active",)
    search_fields = ("code", "name", "address")
    ordering_fields = ("code", "name", "id")
    create_command = services.create_depot
    update_command = services.update_depot
    deactivate_command = services.deactivate_depot
