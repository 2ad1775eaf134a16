"""What the API's schema says of customers and their contract rates."""

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from customers.errors import VersionConflict
from customers.serializers import CustomerRateIn, CustomerRateOut, CustomerSerializer, MeterRateIn, MeterRateOut
from equipment.errors import EquipmentInactive, PriceUnchanged
from foundation.api.schema import conflicts, master_data

_EXAMPLE = {
    "id": 1,
    "customer_code": "BEDOK-216",
    "name": "Ah Seng Chicken Rice",
    "email": "ahseng@example.sg",
    "phone": "+65 6744 0000",
    "address": "Blk 216 Bedok North Street 1 #01-21",
    "postal_code": "460216",
    "uen": "53912345E",
    "gst_registration_no": "",
    "payment_type": "CREDIT",
    "payment_terms_days": 30,
    "email_invoices": False,
    "meter_number": "M-104233",
    "meter_rate": "2.1500",
    "last_meter_reading": "1200.00",
    "is_active": True,
    "version": 4,
    "created_at": "2026-01-20T09:00:00+08:00",
    "updated_at": "2026-01-20T09:00:00+08:00",
}

_RATE = OpenApiExample(
    "a contract rate",
    value={
        "id": 9,
        "customer": 1,
        "equipment": 3,
        "sku": "CYL-14-POL",
        "equipment_name": "14 kg POL cylinder",
        "rate": "34.00",
        "valid_from": "2026-02-01",
        "reason": "",
        "is_superseded": False,
        "created_by": 1,
        "created_at": "2026-01-20T09:00:00+08:00",
    },
    response_only=True,
    status_codes=["200", "201"],
)

customers = extend_schema_view(
    **master_data(
        one="a customer",
        many="customers",
        example=_EXAMPLE,
        remaining=["3 CYL-14-POL at the site", "deposit of S$ 180.00 for 3 CYL-14-POL"],
        patch={"address": "Blk 217 Bedok North Street 1 #01-05", "version": 4},
        responses={200: CustomerSerializer, **conflicts(VersionConflict)},
    )
)

list_rates = extend_schema(
    summary="List a customer's contract rates",
    description="All of them, by equipment, newest first. The rate in force is the latest that has begun, of one date "
    "the last that was entered; what that supersedes says so. A rate of null ended the contract.",
    tags=["Master data"],
    responses=CustomerRateOut(many=True),
    examples=[_RATE],
    filters=False,
)

add_rate = extend_schema(
    summary="Agree on a contract rate from a date on",
    description="ADMIN only. Earlier rates stay: a sale is priced with the one in force when it happened. A rate that "
    "was wrong is superseded by another one of the same date, for a `reason`; `null` ends the contract from that date "
    "on. What was billed stays as it is: `GET /api/reports/mispriced/` lists it, with the difference.",
    tags=["Master data"],
    request=CustomerRateIn,
    responses={201: CustomerRateOut, **conflicts(EquipmentInactive)},
    examples=[
        OpenApiExample(
            "from a date on", value={"equipment": 3, "rate": "34.00", "valid_from": "2030-01-01"}, request_only=True
        ),
        OpenApiExample(
            "the contract ends",
            value={"equipment": 3, "rate": None, "valid_from": "2031-01-01", "reason": "Contract not renewed."},
            request_only=True,
        ),
        _RATE,
    ],
)

_METER_RATE = OpenApiExample(
    "a meter's rate",
    value={
        "id": 4,
        "customer": 1,
        "meter_rate": "2.1500",
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

list_meter_rates = extend_schema(
    summary="List what a unit of a customer's meter costs from when on",
    description="All of them, the latest first. Of one date the one counts that was entered last.",
    tags=["Master data"],
    responses=MeterRateOut(many=True),
    examples=[_METER_RATE],
    filters=False,
)

add_meter_rate = extend_schema(
    summary="Set a meter's rate from a date on",
    description=(
        "ADMIN only. It counts from that date's midnight in Singapore until the next one's date; one of the same "
        "date is superseded, and stays. What was recorded stays as it is: a reading that is recorded "
        "later is billed at the rate of its moment."
    ),
    tags=["Master data"],
    request=MeterRateIn,
    responses={201: MeterRateOut, **conflicts(PriceUnchanged)},
    examples=[
        OpenApiExample("from a date on", value={"meter_rate": "2.3000", "valid_from": "2030-01-01"}, request_only=True),
        _METER_RATE,
    ],
)
