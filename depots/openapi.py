"""What the API's schema says of depots."""

from drf_spectacular.utils import extend_schema_view

from foundation.api.schema import master_data

depots = extend_schema_view(
    **master_data(
        one="a depot",
        many="depots",
        remaining=["20 FULL CYL-14-POL in it", "driver1 works there"],
        example={
            "id": 3,
            "code": "HSH WL",
            "name": "HSH Woodlands",
            "address": "11 Woodlands Close, Singapore 737853",
            "is_active": True,
        },
    )
)
