"""What the API's schema says of day-ends."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from foundation.api.schema import conflicts
from inventory.errors import CountContradicted, CountDecided, EarlierCountOpen
from inventory.serializers import DecisionIn, ReasonedDecisionIn
from payments.errors import CashCountDecided
from payments.openapi import MONEY_EXAMPLE
from settlements.errors import SettlementDecided
from settlements.serializers import OF_THE_BOOKS, SettlementIn, SettlementOut

_SETTLEMENT_EXAMPLE: dict[str, Any] = {
    "id": 12,
    "settlement_number": "SET-20260120-000001",
    "client_temp_id": None,
    "status": "COUNTED",
    "user": 7,
    "user_name": "Tan Ah Beng",
    "depot": 1,
    "vehicle_no": "GBK1234A",
    "lines": [
        {
            "equipment": 3,
            "sku": "CYL-14-POL",
            "condition": "FULL",
            "opening": 0,
            "loaded": 20,
            "delivered": 6,
            "collected": 0,
            "unloaded": 0,
            "other": 0,
            "expected": 14,
            "counted": 13,
            "variance": -1,
        }
    ],
    "cash_expected": "205.50",
    "cash_counted": "205.50",
    "cash_variance": "0.00",
    "money": None,
    "remarks": "",
    "created_at": "2026-01-20T18:05:00+08:00",
    "decided_by": None,
    "decided_at": None,
    "decision_remarks": "",
}
_MONEY = {**MONEY_EXAMPLE, "expenses": "18.50", "cash_expected": "205.50"}
_BLIND_EXAMPLE = {
    **_SETTLEMENT_EXAMPLE,
    "lines": [line | dict.fromkeys(OF_THE_BOOKS) for line in _SETTLEMENT_EXAMPLE["lines"]],
    **dict.fromkeys(("cash_expected", "cash_variance")),
}
_BLIND = OpenApiExample("a blind count", value=_BLIND_EXAMPLE, response_only=True, status_codes=["201"])
_SETTLEMENT = OpenApiExample("a count", value=_SETTLEMENT_EXAMPLE, response_only=True, status_codes=["200"])
_SIGN_OFF_REFUSALS = (SettlementDecided, CountDecided, EarlierCountOpen, CountContradicted, CashCountDecided)
_DECIDED = {"decided_by": 3, "decided_at": "2026-01-20T18:20:00+08:00"}

settlements = extend_schema_view(
    list=extend_schema(
        summary="List day-end settlements",
        description="Newest first: an ADMIN, ACCOUNTS and an AUDITOR see all, SUPERVISOR and DEPOT_STAFF their "
        "depot's, others their own.",
        tags=["Day-end"],
        examples=[_SETTLEMENT],
    ),
    retrieve=extend_schema(summary="Read a day-end settlement", tags=["Day-end"], examples=[_SETTLEMENT]),
)

count_day = extend_schema(
    summary="Count vehicle and cash bag at the day's end",
    description="A blind count of one's own: what isn't named was not there. It is kept as two counts of this moment, "
    "of the vehicle and of the cash bag. What should have been there is told to who may "
    "sign it off; the counter reads null until somebody has. The books change by that. With a `client_temp_id` it is "
    "safe to send again. What was counted without network is a vehicle count and a cash count, each with its "
    "`occurred_at`.",
    tags=["Day-end"],
    request=SettlementIn,
    responses={201: SettlementOut, **conflicts()},
    examples=[
        OpenApiExample(
            "a count",
            value={"counts": [{"equipment": 3, "condition": "FULL", "quantity": 13}], "cash": "205.50"},
            request_only=True,
        ),
        _BLIND,
    ],
)

sign_off_settlement = extend_schema(
    summary="Sign off a count",
    description="DEPOT_STAFF and SUPERVISOR of the depot, and ADMIN, for somebody else's count: of its vehicle count "
    "and its cash count, those that are still open.",
    tags=["Day-end"],
    request=DecisionIn,
    responses={200: SettlementOut, **conflicts(*_SIGN_OFF_REFUSALS)},
    examples=[
        OpenApiExample("one is missing", value={"remarks": "One left at the last stop"}, request_only=True),
        OpenApiExample(
            "signed off",
            value={**_SETTLEMENT_EXAMPLE, "status": "SIGNED_OFF", "money": _MONEY, **_DECIDED},
            response_only=True,
            status_codes=["200"],
        ),
    ],
)

reject_settlement = extend_schema(
    summary="Have it counted again",
    description="By the same people. Nothing moves, and the cash counts as in the bag again.",
    tags=["Day-end"],
    request=ReasonedDecisionIn,
    responses={200: SettlementOut, **conflicts(SettlementDecided, CountDecided, CashCountDecided)},
    examples=[
        OpenApiExample("a slip", value={"remarks": "The empties were forgotten"}, request_only=True),
        OpenApiExample(
            "rejected",
            value={**_SETTLEMENT_EXAMPLE, "status": "REJECTED", **_DECIDED},
            response_only=True,
            status_codes=["200"],
        ),
    ],
)
