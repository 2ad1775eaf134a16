"""What the API's schema says of balances, movements and depot work."""

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from depots.errors import DepotInactive
from discrepancies.errors import NeedsAnotherPerson
from equipment.errors import EquipmentInactive
from fleet.errors import VehicleInactive
from foundation.api.schema import conflicts
from foundation.errors import AlreadyReversed
from foundation.operations.idempotency import RefusedBefore
from foundation.operations.occurrence import OccurredAtOutOfRange
from inventory.errors import CountContradicted, CountDecided, EarlierCountOpen, InsufficientStock
from inventory.serializers import (
    CorrectionIn,
    CountSheetLineOut,
    CountSheetQuery,
    DecisionIn,
    DepotWorkIn,
    DepotWorkOut,
    InventoryOut,
    ReasonedDecisionIn,
    StockMovementOut,
    StockTakeIn,
    VehicleCountIn,
    VehicleCountOut,
    VehicleTransferIn,
    VehicleTransferOut,
    WorkReversalIn,
)

_BALANCE = OpenApiExample(
    "a depot's balance",
    value={
        "id": 17,
        "inventory_type": "DEPOT",
        "location": 3,
        "location_name": "depot HSH KB",
        "depot": 1,
        "customer": None,
        "vehicle_no": "",
        "equipment": 3,
        "sku": "CYL-14-POL",
        "equipment_name": "14 kg POL cylinder",
        "condition": "FULL",
        "quantity": 118,
        "updated_at": "2026-01-20T09:00:00+08:00",
    },
    response_only=True,
)

_MOVEMENT = OpenApiExample(
    "a sale",
    value={
        "id": 2044,
        "kind": "SALE",
        "equipment": 3,
        "sku": "CYL-14-POL",
        "quantity": 2,
        "from_location": {
            "id": 8, "kind": "VEHICLE", "name": "vehicle GBK1234A", "depot": None, "customer": None,
            "vehicle_no": "GBK1234A",
        },
        "from_condition": "FULL",
        "to_location": {
            "id": 21, "kind": "CUSTOMER", "name": "customer CUST1 Ah Hock Chicken Rice", "depot": None, "customer": 1,
            "vehicle_no": "",
        },
        "to_condition": "FULL",
        "cause_type": "transactions.transaction",
        "cause_id": 501,
        "count": None,
        "reverses": None,
        "reason": "",
        "user": 7,
        "user_name": "driver1",
        "occurred_at": "2026-01-20T10:00:00+08:00",
        "created_at": "2026-01-20T10:00:02+08:00",
    },
    response_only=True,
)  # fmt: skip

balances = extend_schema_view(
    list=extend_schema(
        summary="List balances",
        description="How many of each equipment, in each condition, at each location that the user may see.",
        tags=["Inventory"],
        examples=[_BALANCE],
    ),
    retrieve=extend_schema(summary="Read a balance", tags=["Inventory"], examples=[_BALANCE]),
)

correct_balance = extend_schema(
    summary="Correct a balance to a count",
    description="ADMIN anywhere; a SUPERVISOR at their own depot, its vehicles, and customers. The difference "
    "moves against OUTSIDE, with the reason, in the stock ledger and the audit log. What happened before and arrives "
    "afterwards was counted already: it doesn't change the balance. On a vehicle that is inactive nothing more can be "
    "found; what is gone from it can be written off.",
    tags=["Inventory"],
    request=CorrectionIn,
    responses={200: InventoryOut, **conflicts(CountContradicted, VehicleInactive)},
    examples=[
        OpenApiExample(
            "a count",
            value={
                "entity": "depot",
                "entity_id": "1",
                "equipment_id": 3,
                "condition": "FULL",
                "quantity": 118,
                "reason": "Stock-take of 20 January",
            },
            request_only=True,
        ),
        _BALANCE,
    ],
)

list_movements = extend_schema(
    summary="List stock movements",
    description="The double-entry ledger, newest first, by cursor: every cylinder that moved, from where to where, "
    "and why. With a `count` nothing moved: the books are brought to what was counted. `reverses` is the movement "
    "that a void or a reversal takes back.",
    tags=["Inventory"],
    responses=StockMovementOut(many=True),
    examples=[_MOVEMENT],
)

_WORK_LINE = {
    "id": 70,
    "equipment": 3,
    "sku": "CYL-14-POL",
    "equipment_name": "14 kg POL cylinder",
    "condition": "EMPTY",
    "quantity": 40,
    "expected": None,
}
_WORK_EXAMPLE = {
    "id": 31,
    "work_number": "WRK-20260120-000001",
    "client_temp_id": None,
    "kind": "REFILL",
    "depot": 1,
    "depot_code": "HSH KB",
    "to_depot": None,
    "reason": "Back from the plant",
    "reference": "PLT-7781",
    "user": 3,
    "user_name": "Nur Aisyah Binte Rahman",
    "items": [_WORK_LINE],
    "reverses": None,
    "reversal": None,
    "occurred_at": "2026-01-20T07:30:00+08:00",
    "created_at": "2026-01-20T07:30:02+08:00",
    "pending": None,
    "pending_others": None,
}

_WORK = OpenApiExample("a refill", value=_WORK_EXAMPLE, response_only=True, status_codes=["200", "201"])

depot_work = extend_schema_view(
    list=extend_schema(
        summary="List depot work",
        description="Newest first: an ADMIN and an AUDITOR see all, SUPERVISOR and DEPOT_STAFF what left or reached "
        "their depot.",
        tags=["Depot work"],
        examples=[_WORK],
    ),
    retrieve=extend_schema(summary="Read a piece of depot work", tags=["Depot work"], examples=[_WORK]),
)

record_depot_work = extend_schema(
    summary="Record depot work",
    description="REFILL (empty ones come back full), GOODS_IN (from a supplier), TRANSFER (to another depot), "
    "DAMAGE (set apart) and SCRAP (ADMIN and SUPERVISOR only): all of the items or none. With a `client_temp_id` "
    "it is safe to send again.",
    tags=["Depot work"],
    request=DepotWorkIn,
    responses={
        201: DepotWorkOut,
        **conflicts(InsufficientStock, DepotInactive, EquipmentInactive, OccurredAtOutOfRange),
    },
    examples=[
        OpenApiExample(
            "a transfer",
            value={
                "kind": "TRANSFER",
                "depot": 1,
                "to_depot": 2,
                "reason": "Tuas runs short",
                "items": [{"equipment": 3, "condition": "FULL", "quantity": 20}],
            },
            request_only=True,
        ),
        OpenApiExample(
            "a refill",
            value={
                "kind": "REFILL",
                "depot": 1,
                "reason": "Back from the plant",
                "reference": "PLT-7781",
                "items": [{"equipment": 3, "condition": "EMPTY", "quantity": 40}],
            },
            request_only=True,
        ),
        _WORK,
    ],
)

take_stock = extend_schema(
    summary="Take stock at a depot",
    description="ADMIN, and a SUPERVISOR at their own depot. Brings each balance to what was counted at `counted_at`, "
    "in one commit; what isn't named stays. What happened before that and arrives afterwards was counted already. "
    "`count_contradicted`: more left since than was counted. With a `client_temp_id` it is safe to send again.",
    tags=["Depot work"],
    request=StockTakeIn,
    responses={201: DepotWorkOut, **conflicts(CountContradicted, OccurredAtOutOfRange)},
    examples=[
        OpenApiExample(
            "a count",
            value={
                "depot": 1,
                "reason": "Stock-take of January",
                "items": [{"equipment": 3, "condition": "FULL", "quantity": 117}],
            },
            request_only=True,
        ),
        OpenApiExample(
            "counted the evening before",
            value={
                "depot": 1,
                "reason": "Stock-take of January",
                "counted_at": "2026-01-31T17:30:00+08:00",
                "items": [{"equipment": 3, "condition": "FULL", "quantity": 117}],
            },
            request_only=True,
        ),
        _WORK,
    ],
)

reverse_depot_work = extend_schema(
    summary="Reverse depot work",
    description="Whoever may do such work at its depot, once: its lines negated and its movements the other way round, "
    "at both depots of a transfer. A stock-take is superseded by another one instead. With a `client_temp_id` it is "
    "safe to send again.",
    tags=["Depot work"],
    request=WorkReversalIn,
    responses={201: DepotWorkOut, **conflicts(AlreadyReversed, InsufficientStock, DepotInactive, NeedsAnotherPerson)},
    examples=[
        OpenApiExample("fetched again", value={"reason": "The plant took them back"}, request_only=True),
        OpenApiExample(
            "it never happened",
            value={"reason": "Entered twice", "goods": "never_left"},
            request_only=True,
        ),
        OpenApiExample(
            "the reversal",
            value={
                **_WORK_EXAMPLE,
                "id": 32,
                "work_number": "WRK-20260120-000002",
                "reason": "Entered twice",
                "items": [{**_WORK_LINE, "id": 71, "quantity": -40}],
                "reverses": 31,
                "occurred_at": "2026-01-20T08:05:00+08:00",
                "created_at": "2026-01-20T08:05:00+08:00",
            },
            response_only=True,
            status_codes=["201"],
        ),
    ],
)

read_count_sheet = extend_schema(
    summary="Read a depot's count sheet",
    description="What is to be counted at a stock-take: equipment in use, and whatever else the depot holds, in "
    "each condition. What the books say isn't on it.",
    tags=["Depot work"],
    parameters=[CountSheetQuery],
    responses=CountSheetLineOut(many=True),
    examples=[
        OpenApiExample(
            "a line",
            value={
                "equipment": 3,
                "sku": "CYL-14-POL",
                "equipment_name": "14 kg POL cylinder",
                "condition": "FULL",
            },
            response_only=True,
            status_codes=["200"],
        )
    ],
    filters=False,
)

_TRANSFER = OpenApiExample(
    "a transfer",
    value={
        "id": 9,
        "transfer_number": "VTR-20260120-000001",
        "client_temp_id": "b3f1c1de-6a0c-4b61-8b0b-0d2d3f4a5b66",
        "from_vehicle": 2,
        "from_vehicle_no": "GBK1234A",
        "to_vehicle": 3,
        "to_vehicle_no": "GBL5678B",
        "reason": "Ran short in Bedok",
        "user": 5,
        "user_name": "Tan Ah Beng",
        "items": [
            {
                "id": 12,
                "equipment": 3,
                "sku": "CYL-14-POL",
                "equipment_name": "14 kg POL cylinder",
                "condition": "FULL",
                "quantity": 1,
            }
        ],
        "occurred_at": "2026-01-20T11:05:00+08:00",
        "created_at": "2026-01-20T11:05:02+08:00",
    },
    response_only=True,
    status_codes=["200", "201"],
)

vehicle_transfers = extend_schema_view(
    list=extend_schema(
        summary="List transfers between vehicles",
        description="Newest first: an ADMIN and an AUDITOR see all, SUPERVISOR and DEPOT_STAFF what left or reached a "
        "vehicle of "
        "their depot, the others what they recorded.",
        tags=["Vehicles"],
        examples=[_TRANSFER],
    ),
    retrieve=extend_schema(summary="Read a transfer between vehicles", tags=["Vehicles"], examples=[_TRANSFER]),
)

transfer_between_vehicles = extend_schema(
    summary="Transfer goods to another vehicle",
    description="All of the items or none. Who gives records it: drivers from their own vehicle, SUPERVISOR and "
    "DEPOT_STAFF from one of their depot, an ADMIN from any. Back again is another transfer. With a `client_temp_id` "
    "it is safe to send again.",
    tags=["Vehicles"],
    request=VehicleTransferIn,
    responses={
        201: VehicleTransferOut,
        **conflicts(InsufficientStock, VehicleInactive, OccurredAtOutOfRange),
    },
    examples=[
        OpenApiExample(
            "one cylinder",
            value={
                "to_vehicle": "GBL5678B",
                "reason": "Ran short in Bedok",
                "client_temp_id": "b3f1c1de-6a0c-4b61-8b0b-0d2d3f4a5b66",
                "items": [{"equipment": 3, "condition": "FULL", "quantity": 1}],
            },
            request_only=True,
        ),
        _TRANSFER,
    ],
)

_LINE = {
    "equipment": 3,
    "sku": "CYL-14-POL",
    "condition": "FULL",
    "quantity": 13,
    "expected": None,
    "variance": None,
    "variance_now": None,
}
_COUNT_EXAMPLE = {
    "id": 40,
    "count_number": "CNT-20260120-000001",
    "client_temp_id": "5d0d1c3e-9d52-4b0e-8f10-5a8c5f0f7a11",
    "status": "COUNTED",
    "user": 7,
    "user_name": "Tan Ah Beng",
    "depot": 1,
    "vehicle": "GBK1234A",
    "lines": [_LINE],
    "occurred_at": "2026-01-20T18:05:00+08:00",
    "created_at": "2026-01-20T18:05:02+08:00",
    "remarks": "",
    "decided_by": None,
    "decided_at": None,
    "decision_remarks": "",
    "pending": [],
    "pending_others": 0,
}
_COUNT = OpenApiExample("a count", value=_COUNT_EXAMPLE, response_only=True, status_codes=["200", "201"])
_DECIDED = {"decided_by": 3, "decided_at": "2026-01-20T18:20:00+08:00"}

vehicle_counts = extend_schema_view(
    list=extend_schema(
        summary="List vehicle counts",
        description="Newest first: an ADMIN, ACCOUNTS and an AUDITOR see all, SUPERVISOR and DEPOT_STAFF their "
        "depot's, others their own. What "
        "the books say beside an open count, and what is still on its way, only the count itself shows.",
        tags=["Day-end"],
        examples=[_COUNT],
    ),
    retrieve=extend_schema(
        summary="Read a vehicle count",
        description="While it is open, who may sign it off sees `expected` and `variance` by what is known so far, "
        "also of what nobody named; for whoever counted they are null: the count is blind. Signed off, they are what "
        "the books said then.",
        tags=["Day-end"],
        examples=[_COUNT],
    ),
)

record_vehicle_count = extend_schema(
    summary="Count a vehicle",
    description="A blind count of all that is on a vehicle at a moment: what isn't named was not there. The books stay "
    "as they are until somebody else signs it off. An open count refuses no other one. With a `client_temp_id` it is "
    "safe to send again.",
    tags=["Day-end"],
    request=VehicleCountIn,
    responses={201: VehicleCountOut, **conflicts(OccurredAtOutOfRange, RefusedBefore)},
    examples=[
        OpenApiExample(
            "a count",
            value={
                "vehicle": "GBK1234A",
                "counts": [{"equipment": 3, "condition": "FULL", "quantity": 13}],
                "client_temp_id": "5d0d1c3e-9d52-4b0e-8f10-5a8c5f0f7a11",
            },
            request_only=True,
        ),
        _COUNT,
    ],
)

sign_off_vehicle_count = extend_schema(
    summary="Sign off a vehicle count",
    description="DEPOT_STAFF and SUPERVISOR of the depot, and ADMIN, for somebody else's count, a vehicle's counts in "
    "the order of their moments. From then on the books say of its moment what was counted; what happened before and "
    "arrives later was counted already. `count_contradicted`: more left after it than was counted; count again.",
    tags=["Day-end"],
    request=DecisionIn,
    responses={200: VehicleCountOut, **conflicts(CountDecided, EarlierCountOpen, CountContradicted)},
    examples=[
        OpenApiExample("one is missing", value={"remarks": "One left at the last stop"}, request_only=True),
        OpenApiExample(
            "signed off",
            value={
                **_COUNT_EXAMPLE,
                **_DECIDED,
                "status": "SIGNED_OFF",
                "decision_remarks": "One left at the last stop",
                "lines": [{**_LINE, "expected": 14, "variance": -1, "variance_now": -1}],
            },
            response_only=True,
            status_codes=["200"],
        ),
    ],
)

reject_vehicle_count = extend_schema(
    summary="Have a vehicle counted again",
    description="By the same people, and by who made it: a mistake is taken back before anybody decided. A rejected "
    "count leaves nothing.",
    tags=["Day-end"],
    request=ReasonedDecisionIn,
    responses={200: VehicleCountOut, **conflicts(CountDecided)},
    examples=[
        OpenApiExample("a slip", value={"remarks": "The empties were forgotten"}, request_only=True),
        OpenApiExample(
            "rejected",
            value={
                **_COUNT_EXAMPLE,
                **_DECIDED,
                "status": "REJECTED",
                "decision_remarks": "The empties were forgotten",
            },
            response_only=True,
            status_codes=["200"],
        ),
    ],
)
