"""What the API's schema says of vehicles."""

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from depots.errors import DepotInactive
from fleet.serializers import OutOfUseOut, VehicleSerializer
from foundation.api.schema import conflicts, master_data

_VEHICLE: dict[str, object] = {"id": 4, "number": "GBR2208M", "depot": 1, "depot_code": "HSH KB", "is_active": True}
_SENT = OpenApiExample("a vehicle", value={"number": "GBR2208M", "depot": 1}, request_only=True)
_ANSWER = OpenApiExample("a vehicle", value=_VEHICLE, response_only=True, status_codes=["200", "201"])

vehicles = extend_schema_view(
    **master_data(
        one="a vehicle",
        many="vehicles",
        example=_VEHICLE,
        patch={"depot": 1},
        responses={200: VehicleSerializer, **conflicts(DepotInactive)},
    )
    | {
        "create": extend_schema(
            summary="Add a vehicle",
            description="ADMIN only. Its number stays: documents name the vehicle by it.",
            tags=["Master data"],
            responses={201: VehicleSerializer, **conflicts(DepotInactive)},
            examples=[_SENT, _ANSWER],
        ),
        "destroy": extend_schema(
            summary="Deactivate a vehicle",
            description="ADMIN only. Nobody can take it from now on; what happened on it before can still be recorded. "
            "The answer says what is still on it: transfer that to another vehicle, or unload it.",
            tags=["Master data"],
            responses={200: OutOfUseOut},
            examples=[
                OpenApiExample(
                    "something is left",
                    value={"number": "GBR2208M", "remaining": ["driver1 drives it", "3 FULL CYL-14-POL on it"]},
                    response_only=True,
                )
            ],
        ),
    }
)
