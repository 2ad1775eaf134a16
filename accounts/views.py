"""Log-in and users over HTTP."""

from typing import Any

from django.contrib.auth import authenticate
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT

from accounts import services, tokens
from accounts.errors import OwnAccount
from accounts.models import User
from accounts.requests import acting_user
from accounts.serializers import (
    LogInIn,
    MeOut,
    NewUserSerializer,
    PasswordIn,
    RefreshIn,
    TokenPairOut,
    UserSerializer,
)
from accounts.throttling import LogInThrottle
from core.access import Capability
from core.api.schema import ErrorsSerializer, conflicts
from core.api.viewsets import LedgerViewSet

_PAIR = OpenApiExample(
    "a pair", value={"access": "eyJhbGciOi…", "refresh": "eyJhbGciOi…"}, response_only=True, status_codes=["200"]
)
_REFRESH = OpenApiExample("a refresh token", value={"refresh": "eyJhbGciOi…"}, request_only=True)
_REFUSED = OpenApiResponse(
    ErrorsSerializer,
    description="Unknown, used, ended, or of a user who may not log in any more.",
    examples=[
        OpenApiExample(
            "refused",
            value={
                "type": "client_error",
                "errors": [{"code": "token_not_valid", "detail": "Token is invalid or expired.", "attr": None}],
            },
            response_only=True,
            status_codes=["401"],
        )
    ],
)


class TokenView(GenericAPIView[Any]):
    """For people who aren't logged in yet."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get_authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'

    def sent(self, request: Request) -> dict[str, Any]:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values


class LogInView(TokenView):
    serializer_class = LogInIn
    throttle_classes = (LogInThrottle,)

    @extend_schema(
        operation_id="token_obtain",
        summary="Log in",
        description="Answers a JWT pair; the access token carries `role`, `depot` and `employee_id`. Throttled.",
        tags=["Tokens"],
        auth=[],
        responses={
            200: TokenPairOut,
            401: OpenApiResponse(
                ErrorsSerializer,
                description="Unknown user, wrong password or deactivated: which of them isn't told.",
                examples=[
                    OpenApiExample(
                        "refused",
                        value={
                            "type": "client_error",
                            "errors": [
                                {
                                    "code": "no_active_account",
                                    "detail": "No active account found with the given credentials.",
                                    "attr": None,
                                }
                            ],
                        },
                        response_only=True,
                        status_codes=["401"],
                    )
                ],
            ),
        },
        examples=[
            OpenApiExample("a driver", value={"username": "driver1", "password": "hsh-demo-2026"}, request_only=True),
            _PAIR,
        ],
    )
    def post(self, request: Request) -> Response:
        user = authenticate(request._request, **self.sent(request))
        if not isinstance(user, User):
            raise AuthenticationFailed("No active account found with the given credentials.", code="no_active_account")
        return Response(TokenPairOut(services.log_in(actor=user)).data)


class RefreshView(TokenView):
    serializer_class = RefreshIn

    @extend_schema(
        operation_id="token_refresh",
        summary="Exchange a refresh token for the next pair",
        description="A refresh token works once. The same one again within a minute gets the same pair (the answer may "
        "have been lost); later it ends the whole log-in.",
        tags=["Tokens"],
        auth=[],
        responses={200: TokenPairOut, 401: _REFUSED},
        examples=[_REFRESH, _PAIR],
    )
    def post(self, request: Request) -> Response:
        pair = tokens.rotate(token=self.sent(request)["refresh"])
        if pair is None:
            raise AuthenticationFailed("Token is invalid or expired.", code="token_not_valid")
        return Response(TokenPairOut(pair).data)


class BlacklistView(TokenView):
    serializer_class = RefreshIn

    @extend_schema(
        operation_id="token_blacklist",
        summary="Log out",
        description="Ends the log-in that this refresh token descends from.",
        tags=["Tokens"],
        auth=[],
        responses={
            200: OpenApiResponse({"type": "object", "properties": {}}, description="Logged out."),
            401: _REFUSED,
        },
        examples=[_REFRESH],
    )
    def post(self, request: Request) -> Response:
        if not tokens.end_log_in(token=self.sent(request)["refresh"]):
            raise AuthenticationFailed("Token is invalid or expired.", code="token_not_valid")
        return Response({})


_ME = {
    "id": 7,
    "username": "driver1",
    "first_name": "Tan",
    "last_name": "Ah Beng",
    "name": "Tan Ah Beng",
    "email": "driver1@hsh.example",
    "role": "DRIVER",
    "employee_id": "E1007",
    "depot": 1,
    "depot_code": "HSH KB",
    "vehicle_no": "GBK1234A",
    "capabilities": ["view_master_data", "record_sale"],
}
_USER_FIELDS = ("id", "username", "first_name", "last_name", "email", "role", "employee_id", "depot", "vehicle_no")
_USER_VALUE = {name: _ME[name] for name in _USER_FIELDS} | {
    "is_active": True,
    "date_joined": "2026-01-05T09:00:00+08:00",
}
_USER = OpenApiExample("a driver", value=_USER_VALUE, response_only=True, status_codes=["200", "201"])
_NEW_USER = {name: value for name, value in _USER_VALUE.items() if name not in ("id", "date_joined", "is_active")}


class MeView(GenericAPIView[User]):
    serializer_class = MeOut
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="me",
        summary="Who am I",
        description="The logged-in user, with what they may do.",
        tags=["Accounts"],
        responses={200: MeOut},
        examples=[OpenApiExample("a driver", value=_ME, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        return Response(MeOut(acting_user(request)).data)


@extend_schema_view(
    list=extend_schema(summary="List users", description="ADMIN only.", tags=["Accounts"], examples=[_USER]),
    retrieve=extend_schema(summary="Read a user", description="ADMIN only.", tags=["Accounts"], examples=[_USER]),
)
class UserViewSet(LedgerViewSet):
    queryset = User.objects.get_queryset()
    serializer_class = UserSerializer
    filterset_fields = ("role", "depot", "is_active")
    search_fields = ("username", "first_name", "last_name", "employee_id", "vehicle_no")
    ordering_fields = ("id", "username", "role")
    capability = Capability.MANAGE_USERS

    @extend_schema(
        summary="Add a user",
        description="ADMIN only. A SUPERVISOR and DEPOT_STAFF need a depot.",
        tags=["Accounts"],
        request=NewUserSerializer,
        responses={201: UserSerializer},
        examples=[
            OpenApiExample("a driver", value={**_NEW_USER, "password": "a long pass phrase"}, request_only=True),
            _USER,
        ],
    )
    def create(self, request: Request) -> Response:
        serializer = NewUserSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = dict(serializer.validated_data)
        user = services.create_user(actor=acting_user(request), password=values.pop("password"), values=values)
        return Response(UserSerializer(user).data, status=HTTP_201_CREATED)

    @extend_schema(
        summary="Replace a user",
        description="ADMIN only. The password has its own operation.",
        tags=["Accounts"],
        responses={200: UserSerializer, **conflicts(OwnAccount)},
        examples=[OpenApiExample("a driver", value=_NEW_USER, request_only=True), _USER],
    )
    def update(self, request: Request, pk: str, *, partial: bool = False) -> Response:
        user = self.get_object()
        serializer = UserSerializer(user, data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        user = services.update_user(actor=acting_user(request), pk=user.pk, changes=serializer.validated_data)
        return Response(UserSerializer(user).data)

    @extend_schema(
        summary="Change a user",
        description="ADMIN only. `is_active: true` lets a deactivated user in again.",
        tags=["Accounts"],
        responses={200: UserSerializer, **conflicts(OwnAccount)},
        examples=[OpenApiExample("another vehicle", value={"vehicle_no": "GBL5678B"}, request_only=True), _USER],
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        return self.update(request, pk, partial=True)

    @extend_schema(
        summary="Deactivate a user",
        description="ADMIN only. Nobody is deleted: the user is out at once, and stays readable in old documents.",
        tags=["Accounts"],
        responses={204: None, **conflicts(OwnAccount)},
    )
    def destroy(self, request: Request, pk: str) -> Response:
        services.deactivate_user(actor=acting_user(request), pk=self.get_object().pk)
        return Response(status=HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Set a user's password",
        description="ADMIN only. Every token that the user has stops working.",
        tags=["Accounts"],
        request=PasswordIn,
        responses={204: None},
        examples=[OpenApiExample("a pass phrase", value={"password": "a long pass phrase"}, request_only=True)],
    )
    @action(detail=True, methods=["post"], url_path="set-password", url_name="set-password")
    def set_password(self, request: Request, pk: str) -> Response:
        serializer = PasswordIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        services.set_password(
            actor=acting_user(request), pk=self.get_object().pk, password=serializer.validated_data["password"]
        )
        return Response(status=HTTP_204_NO_CONTENT)
