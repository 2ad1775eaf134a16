"""Depots over HTTP."""

from depots import openapi, services
from depots.models import Depot
from depots.serializers import DepotSerializer
from foundation.api.viewsets import MasterDataViewSet


@openapi.depots
class DepotViewSet(MasterDataViewSet):
    queryset = Depot.objects.all()
    serializer_class = DepotSerializer
    filterset_fields = ("is_active",)
    search_fields = ("search_name",)
    ordering_fields = ("code", "name", "id")
    create_command = services.create_depot
    update_command = services.update_depot
    deactivate_command = services.deactivate_depot
