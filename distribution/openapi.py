"""What the API's schema says of distributions."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from depots.errors import DepotInactive
from distribution.errors import AlreadyConfirmed, DistributionCancelled, NoVehicle
from distribution.serializers import DistributionIn, DistributionOut
from equipment.errors import EquipmentInactive
from fleet.errors import VehicleInactive
from foundation.api.schema import conflicts
from foundation.operations.idempotency import RefusedBefore
from foundation.operations.occurrence import OccurredAtOutOfRange
from inventory.errors import InsufficientStock

_LOAD = OpenApiExample(
    "load a vehicle",
    value={
        "depot": 1,
        "remarks": "Morning load",
        "client_temp_id": "7a8c1d0e-2b7b-4a53-9d43-0c2f6b0f6a11",
        "items": [
            {"equipment": 3, "direction": "OUT", "condition": "FULL", "quantity": 20},
            {"equipment": 3, "direction": "IN", "condition": "EMPTY", "quantity": 12},
        ],
    },
    request_only=True,
)

_ANSWER = {
    "id": 12,
    "distribution_number": "DST-20260120-000001",
    "client_temp_id": "7a8c1d0e-2b7b-4a53-9d43-0c2f6b0f6a11",
    "status": "DRAFT",
    "depot": 1,
    "depot_code": "HSH KB",
    "user": 7,
    "user_name": "Tan Ah Beng",
    "vehicle_no": "GBK1234A",
    "remarks": "Morning load",
    "items": [
        {
            "id": 31,
            "equipment": 3,
            "sku": "CYL-14-POL",
            "equipment_name": "14 kg POL cylinder",
            "direction": "OUT",
            "condition": "FULL",
            "quantity": 20,
        }
    ],
    "total_collection": 20,
    "total_return": 0,
    "occurred_at": "2026-01-20T08:30:00+08:00",
    "created_at": "2026-01-20T08:30:01+08:00",
    "confirmed_at": None,
    "confirmed_by": None,
    "cancelled_at": None,
}

_DRAFT = OpenApiExample("a draft", value=_ANSWER, response_only=True, status_codes=["200", "201"])

LOAD_REFUSALS = (DepotInactive, EquipmentInactive, NoVehicle, OccurredAtOutOfRange, RefusedBefore)
CONFIRM_REFUSALS = (
    AlreadyConfirmed, DistributionCancelled, DepotInactive, VehicleInactive, NoVehicle, InsufficientStock,
)  # fmt: skip

_CREATE: dict[str, Any] = {
    "request": DistributionIn,
    "responses": {
        201: DistributionOut,
        **conflicts(*LOAD_REFUSALS),
    },
    "examples": [_LOAD, _DRAFT],
    "tags": ["Distributions"],
}

distributions = extend_schema_view(
    list=extend_schema(
        summary="List distributions",
        description="ADMIN and AUDITOR see all, depot staff and supervisors those of their depot, a driver their own.",
        tags=["Distributions"],
        examples=[_DRAFT],
    ),
    retrieve=extend_schema(summary="Read a distribution", tags=["Distributions"], examples=[_DRAFT]),
)

draft_distribution = extend_schema(
    summary="Draft a distribution",
    description="Items OUT of the depot onto the user's vehicle and IN from it. A draft moves nothing. "
    "With a `client_temp_id` it is safe to send again.",
    **_CREATE,
)

draft_distribution_at_old_path = extend_schema(
    summary="Draft a distribution (old path)",
    description="The same as `POST /api/distributions/`, for clients that call it here.",
    deprecated=True,
    **_CREATE,
)

confirm_distribution = extend_schema(
    summary="Confirm a distribution",
    description="Moves every item or none, once.",
    tags=["Distributions"],
    request=None,
    responses={
        200: DistributionOut,
        **conflicts(*CONFIRM_REFUSALS),
    },
    examples=[OpenApiExample("confirmed", value={**_ANSWER, "status": "CONFIRMED"}, response_only=True,
                             status_codes=["200"])],
)  # fmt: skip

cancel_distribution = extend_schema(
    summary="Cancel a draft",
    description="A confirmed one can't be cancelled: bring the cylinders back with another distribution.",
    tags=["Distributions"],
    request=None,
    responses={200: DistributionOut, **conflicts(AlreadyConfirmed, DistributionCancelled)},
    examples=[OpenApiExample("cancelled", value={**_ANSWER, "status": "CANCELLED"}, response_only=True,
                             status_codes=["200"])],
)  # fmt: skip
