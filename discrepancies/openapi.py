"""What the API's schema says of discrepancies."""

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from discrepancies.errors import AlreadySeen
from discrepancies.serializers import DiscrepancyOut, SeenIn
from foundation.api.schema import conflicts

_OPEN: dict[str, object] = {
    "id": 12,
    "code": "total_differs",
    "user": 7,
    "user_name": "Tan Ah Beng",
    "depot": 1,
    "vehicle_depot": None,
    "client_temp_id": "a1d2",
    "entity_type": "transactions.transaction",
    "entity_id": 501,
    "shown": "250.70",
    "billed": "25.07",
    "detail": "250.70 was shown, 25.07 is billed.",
    "created_at": "2026-01-20T18:02:11+08:00",
    "seen_by": None,
    "seen_at": None,
    "remarks": "",
}
_SEEN = {**_OPEN, "seen_by": 2, "seen_at": "2026-01-21T09:00:00+08:00", "remarks": "Paid back by the driver"}
_ONE = OpenApiExample("another total was shown", value=_OPEN, response_only=True, status_codes=["200"])

discrepancies = extend_schema_view(
    list=extend_schema(
        summary="List discrepancies",
        description="Where what the field showed differs from what was recorded, which stands; and what one person did "
        "alone (`own_correction`): an ADMIN and an AUDITOR see all, a SUPERVISOR those of their depot, others their "
        "own.",
        tags=["Offline"],
        examples=[_ONE],
    ),
    retrieve=extend_schema(summary="Read a discrepancy", tags=["Offline"], examples=[_ONE]),
)

seen = extend_schema(
    summary="Say that it was seen to",
    description="Once, and by somebody else than whose operation it was. What was recorded stays as it is; what has to "
    "be done about it is another operation.",
    tags=["Offline"],
    request=SeenIn,
    responses={200: DiscrepancyOut, **conflicts(AlreadySeen)},
    examples=[
        OpenApiExample("paid back", value={"remarks": "Paid back by the driver"}, request_only=True),
        OpenApiExample("seen to", value=_SEEN, response_only=True, status_codes=["200"]),
    ],
)
