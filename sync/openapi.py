"""What the API's schema says of offline work."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view

from distribution.openapi import CONFIRM_REFUSALS, LOAD_REFUSALS
from foundation.api.schema import conflicts
from sync.errors import (
    BelongsToAnother,
    ConflictSettled,
    DependencyRejected,
    ProtocolTooNew,
    UserDeactivated,
    UserNotAllowed,
)
from sync.serializers import (
    DeviceOut,
    DismissIn,
    PullOfDeviceOut,
    PullQuery,
    PushDocumentation,
    PushOfDeviceOut,
    RetryIn,
    SyncConflictOut,
    WithdrawIn,
)
from transactions.openapi import SALE_REFUSALS

_MORNING: dict[str, Any] = {
    "protocol": 1,
    "operations": [
        {
            "type": "distribution.create",
            "client_temp_id": "a1d0",
            "occurred_at": "2026-01-20T07:45:00+08:00",
            "data": {"depot": 1, "items": [{"equipment": 3, "direction": "OUT", "condition": "FULL", "quantity": 20}]},
        },
        {
            "type": "distribution.confirm",
            "client_temp_id": "a1d1",
            "occurred_at": "2026-01-20T07:50:00+08:00",
            "data": {"distribution": "a1d0"},
        },
        {
            "type": "transaction.create",
            "client_temp_id": "a1d2",
            "occurred_at": "2026-01-20T09:12:00+08:00",
            "data": {"customer": 1, "items": [{"equipment": 3, "type": "SWAP", "quantity": 2, "rate": "28.50"}]},
        },
    ],
}

_NOTHING: dict[str, object] = {
    "invoice": None,
    "invoice_number": None,
    "pdf_url": None,
    "payments": [],
    "errors": [],
    "conflict": None,
    "discrepancies": [],
    "tried_again_until": None,
}

_RESULTS: dict[str, Any] = {
    "results": [
        {"client_temp_id": "a1d0", "status": "duplicate", "id": 12, "number": "DST-20260120-000001", **_NOTHING},
        {"client_temp_id": "a1d1", "status": "created", "id": 12, "number": "DST-20260120-000001", **_NOTHING},
        {
            **_NOTHING,
            "client_temp_id": "a1d2",
            "status": "rejected",
            "id": None,
            "number": None,
            "errors": [
                {
                    "code": "rate_mismatch",
                    "detail": "The rate of CYL-14-POL is 29.00, not 28.50.",
                    "attr": "items.0.rate",
                }
            ],
            "conflict": 4,
        },
    ]
}

_CONFLICT = {
    "id": 4,
    "client_temp_id": "a1d2",
    "protocol": 1,
    "device": None,
    "number": None,
    "type": "transaction.create",
    "payload": _MORNING["operations"][2],
    "errors": _RESULTS["results"][2]["errors"],
    "code": "rate_mismatch",
    "user": 7,
    "user_name": "Tan Ah Beng",
    "depot": 1,
    "occurred_at": "2026-01-20T09:12:00+08:00",
    "corrected_at": None,
    "happened_at": None,
    "received_at": "2026-01-20T18:02:11+08:00",
    "request_id": "6f1c1f0a7a5b4d0c8f0e9b1f3f6f2a77",
    "first": None,
    "status": "OPEN",
    "tried_again_until": None,
    "withdrawn_at": None,
    "withdrawn_because": "",
    "settled_at": None,
    "settled_by": None,
    "reason": "",
    "result_type": "",
    "result_id": None,
}

_PULLED = {
    "cursor": "9f2c41d07a3e.118",
    "has_more": False,
    "depots": [],
    "equipment": [],
    "gst_rates": [],
    "customers": [
        {
            "id": 1,
            "customer_code": "AHHOCK",
            "name": "Ah Hock Chicken Rice",
            "phone": "+65 6123 4567",
            "address": "12 Jalan Besar",
            "postal_code": "208787",
            "payment_type": "CREDIT",
            "payment_terms_days": 30,
            "meter_number": "M-1001",
            "meter_rate": "2.1500",
            "last_meter_reading": "1250.00",
            "most_usage_per_day": "36.50",
            "metered_since": "2026-01-12T10:20:00+08:00",
            "version": 4,
            "rates": [{"equipment": 3, "rate": "28.50", "valid_from": "2026-01-01"}],
            "holdings": [
                {
                    "equipment": 3,
                    "at_site": 3,
                    "lots": [{"pieces": 2, "amount": "80.00", "invoice": 480, "open_amount": "0.00"}],
                }
            ],
        }
    ],
    "gone": {"depots": [], "equipment": [], "gst_rates": [], "customers": [17]},
    "unlikely": {"quantity": "50.00", "amount": "10000.00"},
    "cash_rounding": "0.05",
    "stock": [{"equipment": 3, "condition": "FULL", "quantity": 18}],
    "distributions": [],
}

_ONE = OpenApiExample("a refused sale", value=_CONFLICT, response_only=True, status_codes=["200"])

push = extend_schema(
    summary="Push what was done offline",
    description="An ordered batch of at most 200 operations. Each succeeds or fails by itself, and the answer says "
    "what became of each, in the same order. Safe to send again, whole or in part: an operation happens once, and "
    "its first result is answered again. What is refused is kept for a supervisor. On 503 nothing is lost: send "
    "the same push again. A newer version of the protocol than the server's is refused whole, and nothing is kept. "
    "An access token that was good when its user was deactivated pushes for 14 days more, expired or not: each "
    "operation is kept (`user_deactivated`) for a supervisor.",
    tags=["Offline"],
    auth=[{"jwtAuth": []}],  # type: ignore[list-item]  # security requirement objects, as the generator takes them
    request=PushDocumentation,
    responses={200: PushOfDeviceOut, **conflicts(ProtocolTooNew)},
    examples=[
        OpenApiExample("a morning", value=_MORNING, request_only=True),
        OpenApiExample("its results", value=_RESULTS, response_only=True, status_codes=["200"]),
    ],
)

pull = extend_schema(
    summary="Pull what offline work takes",
    description="Without a cursor everything that is active, page by page; with one what changed since. Rows that "
    "may not be used any more come by their id in `gone`. Send `If-None-Match` to hear 304 when nothing changed.",
    tags=["Offline"],
    parameters=[PullQuery],
    responses={200: PullOfDeviceOut, 304: OpenApiResponse(description="Nothing changed.")},
    examples=[OpenApiExample("one change", value=_PULLED, response_only=True, status_codes=["200"])],
)

_DEVICE = {
    "id": 3,
    "device": "6f1c0c52-44a0-4c8f-9f5e-5d0f6a3e7c21",
    "user": 7,
    "user_name": "Tan Ah Beng",
    "protocol": 2,
    "first_heard_at": "2026-01-05T07:31:00+08:00",
    "heard_at": "2026-01-20T18:02:11+08:00",
    "clock_offset_s": 12,
    "last_number": 41,
    "missing": [17],
}

_DEVICES: dict[str, Any] = {
    "tags": ["Offline"],
    "responses": {200: DeviceOut},
    "examples": [OpenApiExample("one is missing", value=_DEVICE, response_only=True, status_codes=["200"])],
}

devices = extend_schema_view(
    list=extend_schema(
        summary="List devices",
        description="Phones and browsers that speak protocol 2, each with the numbers of what it recorded and never "
        "sent: an ADMIN and an AUDITOR see all, a SUPERVISOR those of their depot's users, others their own.",
        **_DEVICES,
    ),
    retrieve=extend_schema(summary="Read a device", **_DEVICES),
)

# What an operation that is let happen may be refused for: whatever it may be refused for by itself.
_REFUSALS = tuple(dict.fromkeys((*SALE_REFUSALS, *LOAD_REFUSALS, *CONFIRM_REFUSALS, DependencyRejected)))

sync_conflicts = extend_schema_view(
    list=extend_schema(
        summary="List conflicts",
        description="Operations from the field that were refused: an ADMIN and an AUDITOR see all, a SUPERVISOR those "
        "of their "
        "depot then, others their own.",
        tags=["Offline"],
        examples=[_ONE],
    ),
    retrieve=extend_schema(summary="Read a conflict", tags=["Offline"], examples=[_ONE]),
)

retry_conflict = extend_schema(
    summary="Let it happen",
    description="Carries the operation out as the user who pushed it, when it happened. Where it is refused again, "
    "the answer is that refusal and the conflict stays open. What was refused with `unknown_field` happens with "
    "`ignore_unknown_fields`, without them; a sale whose meter reading can't be recorded happens with "
    "`without_reading`, without that. The app learns of it with its next push.",
    tags=["Offline"],
    request=RetryIn,
    responses={
        200: SyncConflictOut,
        **conflicts(ConflictSettled, BelongsToAnother, UserDeactivated, UserNotAllowed, *_REFUSALS),
    },
    examples=[
        OpenApiExample("as it is", value={"approve_rates": False}, request_only=True),
        OpenApiExample(
            "it happened",
            value={
                **_CONFLICT,
                "status": "RETRIED",
                "settled_at": "2026-01-20T18:30:00+08:00",
                "settled_by": 2,
                "result_type": "transactions.transaction",
                "result_id": 501,
            },
            response_only=True,
            status_codes=["200"],
        ),
    ],
)

withdraw_conflict = extend_schema(
    summary="Withdraw one's own",
    description="Who sent it says that it shall not happen. It isn't tried again by itself; a supervisor decides.",
    tags=["Offline"],
    request=WithdrawIn,
    responses={200: SyncConflictOut, **conflicts(ConflictSettled)},
    examples=[
        OpenApiExample("a slip", value={"reason": "A slip: 5 were sold, not 50"}, request_only=True),
        OpenApiExample(
            "withdrawn",
            value={
                **_CONFLICT,
                "tried_again_until": None,
                "withdrawn_at": "2026-01-20T18:30:00+08:00",
                "withdrawn_because": "A slip: 5 were sold, not 50",
            },
            response_only=True,
            status_codes=["200"],
        ),
    ],
)
dismiss_conflict = extend_schema(
    summary="Dismiss it",
    description="It shall not happen, and the reason says why. It stays readable.",
    tags=["Offline"],
    request=DismissIn,
    responses={200: SyncConflictOut, **conflicts(ConflictSettled)},
    examples=[
        OpenApiExample("entered twice", value={"reason": "Entered twice on two phones"}, request_only=True),
        OpenApiExample(
            "dismissed",
            value={
                **_CONFLICT,
                "status": "DISMISSED",
                "settled_at": "2026-01-20T18:30:00+08:00",
                "settled_by": 2,
                "reason": "Entered twice on two phones",
            },
            response_only=True,
            status_codes=["200"],
        ),
    ],
)
