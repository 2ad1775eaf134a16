"""Log-in, tokens, who am I, and the administration of users over HTTP."""

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT
from rest_framework.views import APIView

from accounts import services, tokens
from accounts.errors import OwnAccount
from accounts.models import User
from accounts.requests import acting_user
from accounts.serializers import MeOut, NewPasswordIn, NewUserIn, UserIn, UserOut
from accounts.throttling import LogInThrottle
from accounts.tokens import LogInSerializer, RefreshSerializer, TokenPairSerializer
from depots.errors import DepotInactive
from foundation.access.capabilities import Capability
from foundation.api.filters import IdFilter
from foundation.api.schema import CLIENT_ERROR, conflicts, error_example, errors_of
from foundation.api.viewsets import LedgerViewSet

_REFRESH = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2lnbmF0dXJl"
_ACCESS = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIn0.c2lnbmF0dXJl"
_PAIR = OpenApiResponse(
    TokenPairSerializer,
    examples=[OpenApiExample("a pair", value={"refresh": _REFRESH, "access": _ACCESS})],
)
_HELD = OpenApiExample("the refresh token", value={"refresh": _REFRESH}, request_only=True)
_LOGGED_OUT = {"detail": "Logged out."}
_USER: dict[str, Any] = {
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


def _unauthorized(code: str, detail: str) -> dict[int, OpenApiResponse]:
    return {401: OpenApiResponse(errors_of(code), examples=[error_example(code, "401", CLIENT_ERROR, code, detail)])}


class AuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """What **Authorize** in Swagger UI asks for. It stands here, for `tokens` may not load what this imports."""

    target_class = "accounts.tokens.Authentication"
    name = "jwtAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class TokenView(APIView):
    """Open to everybody; what it refuses is still a 401 that names its scheme."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get_authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class LogInView(TokenView):
    throttle_classes = (LogInThrottle,)

    @extend_schema(
        operation_id="token_create",
        summary="Log in",
        description="Answers a pair of tokens. The access token carries `role`, `depot` and `employee_id` for the app "
        "to show. Attempts are throttled by address and by user name.",
        tags=["Tokens"],
        request=LogInSerializer,
        responses={
            200: _PAIR,
            **_unauthorized("no_active_account", "No active account found with the given credentials."),
        },
        examples=[
            OpenApiExample("a driver", value={"username": "driver1", "password": "hsh-demo-2026"}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        serializer = LogInSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(TokenPairSerializer(tokens.log_in(request, **serializer.validated_data)).data)


class RefreshView(TokenView):
    @extend_schema(
        operation_id="token_refresh",
        summary="Get the next pair of tokens",
        description="A refresh token works once. The same one again within a minute gets the same answer, for the "
        "first one may have been lost; later it ends the whole log-in, for one of the two senders is not its owner.",
        tags=["Tokens"],
        request=RefreshSerializer,
        responses={200: _PAIR, **_unauthorized("token_not_valid", "Token is invalid or expired.")},
        examples=[_HELD],
    )
    def post(self, request: Request) -> Response:
        serializer = RefreshSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(TokenPairSerializer(tokens.refresh(serializer.validated_data["refresh"])).data)


class BlacklistView(TokenView):
    @extend_schema(
        operation_id="token_blacklist",
        summary="Log out",
        description="Ends this log-in: none of its refresh tokens works any more. The access token runs out by itself: "
        "forget it. Safe to send again.",
        tags=["Tokens"],
        request=RefreshSerializer,
        responses={
            200: OpenApiResponse(
                inline_serializer("LoggedOut", {"detail": serializers.CharField()}),
                examples=[OpenApiExample("logged out", value=_LOGGED_OUT)],
            ),
            **_unauthorized("token_not_valid", "Token is invalid or expired."),
        },
        examples=[_HELD],
    )
    def post(self, request: Request) -> Response:
        serializer = RefreshSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        tokens.log_out(serializer.validated_data["refresh"])
        return Response(_LOGGED_OUT)


class MeView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
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
    def get(self, request: Request) -> Response:
        return Response(MeOut(acting_user(request)).data)


class UserFilter(filters.FilterSet):
    depot = IdFilter(field_name="depot_id")

    class Meta:
        model = User
        fields = ("role", "is_active")


@extend_schema_view(
    list=extend_schema(summary="List users", description="ADMIN only.", tags=["Accounts"], examples=[_ANSWER]),
    retrieve=extend_schema(summary="Read a user", description="ADMIN only.", tags=["Accounts"], examples=[_ANSWER]),
)
class UserViewSet(LedgerViewSet):
    queryset = User.objects.select_related("depot")
    serializer_class = UserOut
    capability = Capability.MANAGE_USERS
    filterset_class = UserFilter
    search_fields = ("username", "first_name", "last_name", "employee_id")
    ordering_fields = ("username", "id", "date_joined")

    @extend_schema(
        summary="Add a user",
        description="ADMIN only.",
        tags=["Accounts"],
        request=NewUserIn,
        responses={201: UserOut, **conflicts(DepotInactive)},
        examples=[
            OpenApiExample("a driver", value={**_SENT, "password": "correct horse battery"}, request_only=True),
            _ANSWER,
        ],
    )
    def create(self, request: Request) -> Response:
        serializer = NewUserIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = dict(serializer.validated_data)
        user = services.create_user(actor=acting_user(request), password=values.pop("password"), values=values)
        return Response(UserOut(user).data, status=HTTP_201_CREATED)

    @extend_schema(
        summary="Replace a user",
        description="ADMIN only. Everything but the password.",
        tags=["Accounts"],
        request=UserIn,
        responses={200: UserOut, **conflicts(OwnAccount, DepotInactive)},
        examples=[OpenApiExample("a driver", value=_SENT, request_only=True), _ANSWER],
    )
    def update(self, request: Request, pk: str, *, partial: bool = False) -> Response:
        target = self.get_object()
        serializer = UserIn(data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        user = services.update_user(actor=acting_user(request), pk=target.pk, changes=serializer.validated_data)
        return Response(UserOut(user).data)

    @extend_schema(
        summary="Change a user",
        description="ADMIN only. `is_active: true` lets a deactivated user in again.",
        tags=["Accounts"],
        request=UserIn,
        responses={200: UserOut, **conflicts(OwnAccount, DepotInactive)},
        examples=[OpenApiExample("another vehicle", value={"vehicle_no": "GBK1234A"}, request_only=True), _ANSWER],
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        return self.update(request, pk, partial=True)

    @extend_schema(
        summary="Deactivate a user",
        description="ADMIN only. Nobody is deleted: what they did stays. Their tokens stop working at once.",
        tags=["Accounts"],
        responses={204: None, **conflicts(OwnAccount)},
    )
    def destroy(self, request: Request, pk: str) -> Response:
        services.deactivate_user(actor=acting_user(request), pk=self.get_object().pk)
        return Response(status=HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Set a user's password",
        description="ADMIN only. All tokens of the user stop working.",
        tags=["Accounts"],
        request=NewPasswordIn,
        responses={204: None},
        examples=[OpenApiExample("a password", value={"password": "correct horse battery"}, request_only=True)],
    )
    @action(detail=True, methods=["post"], url_path="set-password")
    def set_password(self, request: Request, pk: str) -> Response:
        target = self.get_object()
        serializer = NewPasswordIn(data=request.data, context={"user": target})
        serializer.is_valid(raise_exception=True)
        services.set_password(actor=acting_user(request), pk=target.pk, password=serializer.validated_data["password"])
        return Response(status=HTTP_204_NO_CONTENT)
