"""Vehicles over HTTP. Who drives them is the accounts app's, what is on them the inventory's."""

from rest_framework.request import Request
from rest_framework.response import Response

from fleet import openapi, services
from fleet.models import Vehicle
from fleet.serializers import OutOfUseOut, VehicleSerializer
from foundation.api.filters import ApiFilterSet, IdFilter
from foundation.api.viewsets import MasterDataViewSet
from foundation.remains import remaining


class VehicleFilter(ApiFilterSet):
    depot = IdFilter(field_name="depot_id")

    class Meta:
        model = Vehicle
        fields = ("is_active",)


@openapi.vehicles
class VehicleViewSet(MasterDataViewSet):
    queryset = Vehicle.objects.select_related("depot")
    serializer_class = VehicleSerializer
    filterset_class = VehicleFilter
    search_fields = ("number",)
    ordering_fields = ("number", "id")
    create_command = services.create_vehicle
    update_command = services.update_vehicle
    deactivate_command = services.deactivate_vehicle

    def destroy(self, request: Request, pk: str) -> Response:
        super().destroy(request, pk)
        vehicle = self.get_object()
        return Response(OutOfUseOut({"number": vehicle.number, "remaining": remaining(vehicle)}).data)
