"""What the API's schema says of equipment."""

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from equipment.errors import PriceUnchanged
from equipment.serializers import PriceIn, PriceOut
from foundation.api.schema import conflicts, master_data

equipment = extend_schema_view(
    **master_data(
        one="a stock item",
        many="stock items",
        remaining=["20 FULL in depots", "3 FULL at customers' sites"],
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

_PRICE = OpenApiExample(
    "a price",
    value={
        "id": 4,
        "equipment": 3,
        "kind": "DEFAULT_RATE",
        "amount": "118.00",
        "valid_from": "2026-02-01T00:00:00+08:00",
        "reason": "",
        "created_by": 1,
        "created_at": "2026-01-20T09:00:00+08:00",
        "is_superseded": False,
        "is_in_force": True,
    },
    response_only=True,
    status_codes=["200", "201"],
)

list_prices = extend_schema(
    summary="List what a stock item costs from when on",
    description=(
        "Its default rates and its deposits, of each the latest first. Of one date the one counts that was entered "
        "last."
    ),
    tags=["Master data"],
    responses=PriceOut(many=True),
    examples=[_PRICE],
    filters=False,
)

add_price = extend_schema(
    summary="Set a default rate or a deposit from a date on",
    description=(
        "ADMIN only. It counts from that date's midnight in Singapore until the next one's date; one of the same "
        "date is superseded, and stays. What was recorded stays as it is: a sale that is recorded later is "
        "priced with the one of its moment, or the one that the field knew."
    ),
    tags=["Master data"],
    request=PriceIn,
    responses={201: PriceOut, **conflicts(PriceUnchanged)},
    examples=[
        OpenApiExample(
            "from a date on",
            value={"kind": "DEFAULT_RATE", "amount": "120.00", "valid_from": "2030-01-01"},
            request_only=True,
        ),
        _PRICE,
    ],
)
