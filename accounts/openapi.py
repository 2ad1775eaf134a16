"""What the API's schema says of log-in, tokens and users."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers

from accounts.errors import OwnAccount
from accounts.serializers import (
    AssignmentCorrectionIn,
    AssignmentIn,
    AssignmentOut,
    MeOut,
    NewPasswordIn,
    NewUserIn,
    TakeIn,
    UserIn,
    UserOut,
)
from accounts.tokens import LogInSerializer, RefreshSerializer, TokenPairSerializer
from depots.errors import DepotInactive
from fleet.errors import AlreadyCorrected, VehicleInactive
from foundation.api.responses import RemainingOut
from foundation.api.schema import conflicts, unauthorized
from foundation.operations.occurrence import OccurredAtOutOfRange

_REFRESH = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2lnbmF0dXJl"
_ACCESS = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIn0.c2lnbmF0dXJl"

_PAIR = OpenApiResponse(
    TokenPairSerializer,
    examples=[OpenApiExample("a pair", value={"refresh": _REFRESH, "access": _ACCESS})],
)

_HELD = OpenApiExample("the refresh token", value={"refresh": _REFRESH}, request_only=True)

_USER: dict[str, object] = {
    "id": 7,
    "username": "driver9",
    "first_name": "Siew Hua",
    "last_name": "Ng",
    "name": "Siew Hua Ng",
    "email": "siewhua@hsh.example",
    "role": "DRIVER",
    "depot": 1,
    "depot_code": "HSH KB",
    "employee_id": "E1023",
    "vehicle_no": "GBP3456D",
    "is_active": True,
    "date_joined": "2026-01-05T09:00:00+08:00",
}

_SENT = {
    name: _USER[name]
    for name in ("username", "first_name", "last_name", "email", "role", "depot", "employee_id", "vehicle_no")
}

_ANSWER = OpenApiExample("a driver", value=_USER, response_only=True, status_codes=["200", "201"])

log_in = extend_schema(
    operation_id="token_create",
    summary="Log in",
    description="Answers a pair of tokens. The access token carries `role`, `depot` and `employee_id` for the app "
    "to show. Attempts are throttled by address and by user name.",
    tags=["Tokens"],
    request=LogInSerializer,
    responses={
        200: _PAIR,
        **unauthorized("no_active_account", "No active account found with the given credentials."),
    },
    examples=[
        OpenApiExample("a driver", value={"username": "driver1", "password": "hsh-demo-2026"}, request_only=True)
    ],
)

refresh_tokens = extend_schema(
    operation_id="token_refresh",
    summary="Get the next pair of tokens",
    description="A refresh token works once. The same one again within a minute gets the same answer, for the "
    "first one may have been lost; later it ends the whole log-in, for one of the two senders is not its owner.",
    tags=["Tokens"],
    request=RefreshSerializer,
    responses={200: _PAIR, **unauthorized("token_not_valid", "Token is invalid or expired.")},
    examples=[_HELD],
)

log_out = extend_schema(
    operation_id="token_blacklist",
    summary="Log out",
    description="Ends this log-in: none of its refresh tokens works any more. The access token runs out by itself: "
    "forget it. Safe to send again.",
    tags=["Tokens"],
    request=RefreshSerializer,
    responses={
        200: OpenApiResponse(
            inline_serializer("LoggedOut", {"detail": serializers.CharField()}),
            examples=[OpenApiExample("logged out", value={"detail": "Logged out."})],
        ),
        **unauthorized("token_not_valid", "Token is invalid or expired."),
    },
    examples=[_HELD],
)

who_am_i = extend_schema(
    operation_id="accounts_me",
    summary="Who am I?",
    description="The logged-in user, and what their role may do.",
    tags=["Accounts"],
    responses=MeOut,
    examples=[
        OpenApiExample(
            "a driver",
            value={
                **{name: value for name, value in _USER.items() if name not in ("is_active", "date_joined")},
                "capabilities": ["view_master_data", "view_distributions", "change_distributions", "record_sale"],
            },
            response_only=True,
        )
    ],
)

users = extend_schema_view(
    list=extend_schema(summary="List users", description="ADMIN only.", tags=["Accounts"], examples=[_ANSWER]),
    retrieve=extend_schema(summary="Read a user", description="ADMIN only.", tags=["Accounts"], examples=[_ANSWER]),
)

add_user = extend_schema(
    summary="Add a user",
    description="ADMIN only.",
    tags=["Accounts"],
    request=NewUserIn,
    responses={201: UserOut, **conflicts(DepotInactive, VehicleInactive)},
    examples=[
        OpenApiExample("a driver", value={**_SENT, "password": "correct horse battery"}, request_only=True),
        _ANSWER,
    ],
)

replace_user = extend_schema(
    summary="Replace a user",
    description="ADMIN only. Everything but the password. Another vehicle counts from now on.",
    tags=["Accounts"],
    request=UserIn,
    responses={200: UserOut, **conflicts(OwnAccount, DepotInactive, VehicleInactive)},
    examples=[OpenApiExample("a driver", value=_SENT, request_only=True), _ANSWER],
)

change_user = extend_schema(
    summary="Change a user",
    description="ADMIN only. `is_active: true` lets a deactivated user in again. Another `vehicle_no` is an assignment "
    "from now on: what was recorded stays on the vehicle that it names.",
    tags=["Accounts"],
    request=UserIn,
    responses={200: UserOut, **conflicts(OwnAccount, DepotInactive, VehicleInactive)},
    examples=[OpenApiExample("another vehicle", value={"vehicle_no": "GBK1234A"}, request_only=True), _ANSWER],
)

deactivate_user = extend_schema(
    summary="Deactivate a user",
    description="ADMIN only. Nobody is deleted: what they did stays. Their tokens stop working at once. The "
    "answer says what is still out.",
    tags=["Accounts"],
    responses={200: RemainingOut, **conflicts(OwnAccount)},
    examples=[
        OpenApiExample(
            "something is left",
            value={"remaining": ["drives GBK1234A", "S$ 117.72 of cash in the bag"]},
            response_only=True,
            status_codes=["200"],
        )
    ],
)

set_password = extend_schema(
    summary="Set a user's password",
    description="ADMIN only. All tokens of the user stop working.",
    tags=["Accounts"],
    request=NewPasswordIn,
    responses={204: None},
    examples=[OpenApiExample("a password", value={"password": "correct horse battery"}, request_only=True)],
)

_ASSIGNMENT_EXAMPLE: dict[str, object] = {
    "id": 31,
    "client_temp_id": "0f2b4a6e-6c1f-4c43-9a0a-6a5f3a1f9a01",
    "user": 7,
    "user_name": "Tan Ah Beng",
    "depot": 1,
    "vehicle": 2,
    "vehicle_no": "GBK1234A",
    "from_at": "2026-01-20T07:30:00+08:00",
    "corrects": None,
    "corrected_by": None,
    "reason": "",
    "recorded_by": 7,
    "created_at": "2026-01-20T07:30:01+08:00",
}

_ASSIGNMENT = OpenApiExample(
    "an assignment", value=_ASSIGNMENT_EXAMPLE, response_only=True, status_codes=["200", "201"]
)

assignments = extend_schema_view(
    list=extend_schema(
        summary="List assignments of vehicles",
        description="Newest first: an ADMIN and an AUDITOR see all, SUPERVISOR and DEPOT_STAFF those of their depot's "
        "users, the others their own. One counts from its `from_at` until the user's next one; a corrected one "
        "doesn't count.",
        tags=["Vehicles"],
        examples=[_ASSIGNMENT],
    ),
    retrieve=extend_schema(summary="Read an assignment", tags=["Vehicles"], examples=[_ASSIGNMENT]),
)

assign_vehicle = extend_schema(
    summary="Assign a vehicle",
    description="ADMIN, and a SUPERVISOR to users of their own depot. Sales and loads that name no vehicle go by the "
    "assignment when they happened, however late they arrive; what is recorded already stays where it is. With a "
    "`client_temp_id` it is safe to send again.",
    tags=["Vehicles"],
    request=AssignmentIn,
    responses={
        201: AssignmentOut,
        **conflicts(VehicleInactive, OccurredAtOutOfRange),
    },
    examples=[
        OpenApiExample(
            "a driver's vehicle",
            value={"user": 5, "vehicle": "GBL5678B", "reason": "GBK1234A is in the workshop"},
            request_only=True,
        ),
        OpenApiExample("none", value={"user": 5, "vehicle": None}, request_only=True),
        _ASSIGNMENT,
    ],
)

correct_assignment = extend_schema(
    summary="Correct an assignment",
    description="ADMIN, and a SUPERVISOR those of their own depot. Another row counts in its place, for what is "
    "recorded from now on; nothing that is recorded moves. Once for each: a mistaken correction is corrected itself.",
    tags=["Vehicles"],
    request=AssignmentCorrectionIn,
    responses={
        201: AssignmentOut,
        **conflicts(AlreadyCorrected, VehicleInactive),
    },
    examples=[
        OpenApiExample(
            "the other vehicle",
            value={"vehicle": "GBL5678B", "reason": "Tapped the wrong one"},
            request_only=True,
        ),
        OpenApiExample(
            "an earlier moment",
            value={"vehicle": "GBK1234A", "occurred_at": "2026-01-20T06:45:00+08:00", "reason": "Left before seven"},
            request_only=True,
        ),
        _ASSIGNMENT,
    ],
)

take_vehicle = extend_schema(
    summary="Take a vehicle",
    description="Whoever sells says what they drive, from `occurred_at` on. Two may share a vehicle. With a "
    "`client_temp_id` it is safe to send again.",
    tags=["Vehicles"],
    request=TakeIn,
    responses={
        201: AssignmentOut,
        **conflicts(VehicleInactive, OccurredAtOutOfRange),
    },
    examples=[
        OpenApiExample(
            "in the morning", value={"client_temp_id": "0f2b4a6e-6c1f-4c43-9a0a-6a5f3a1f9a01"}, request_only=True
        ),
        _ASSIGNMENT,
    ],
)


class AuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # it registers itself
    """What **Authorize** in Swagger UI asks for. It stands here, for `tokens` may not load what this imports."""

    target_class = "accounts.tokens.Authentication"
    name = "jwtAuth"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
