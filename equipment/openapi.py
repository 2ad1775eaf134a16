"""What the API's schema says of equipment."""

from drf_spectacular.utils import extend_schema_view

from foundation.api.schema import master_data

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
