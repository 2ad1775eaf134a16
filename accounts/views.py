"""Log-in, tokens, who am I, and the administration of users over HTTP."""

from typing import Any

from rest_framework.decorators import action
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT
from rest_framework.views import APIView

from accounts import openapi, services, tokens
from accounts.models import User
from accounts.requests import acting_user
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
from accounts.throttling import LogInThrottle
from accounts.tokens import LogInSerializer, RefreshSerializer, TokenPairSerializer
from fleet.models import Assignment, Vehicle
from foundation.access.capabilities import Capability
from foundation.api.filters import ApiFilterSet, DayFilter, FilterBackend, IdFilter, KnownOrdering, LedgerFilterSet
from foundation.api.inputs import Nothing
from foundation.api.once import earlier_or
from foundation.api.queries import KnownParametersOnly
from foundation.api.responses import RemainingOut
from foundation.api.viewsets import LedgerViewSet, ScopedViewSet
from foundation.remains import remaining


class TokenView(KnownParametersOnly, APIView):
    """Open to everybody; what it refuses is still a 401 that names its scheme."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get_authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class LogInView(TokenView):
    throttle_classes = (LogInThrottle,)

    @openapi.log_in
    def post(self, request: Request) -> Response:
        serializer = LogInSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(TokenPairSerializer(tokens.log_in(request, **serializer.validated_data)).data)


class RefreshView(TokenView):
    @openapi.refresh_tokens
    def post(self, request: Request) -> Response:
        serializer = RefreshSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(TokenPairSerializer(tokens.refresh(serializer.validated_data["refresh"])).data)


class BlacklistView(TokenView):
    @openapi.log_out
    def post(self, request: Request) -> Response:
        serializer = RefreshSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        tokens.log_out(serializer.validated_data["refresh"])
        return Response({"detail": "Logged out."})


class MeView(KnownParametersOnly, APIView):
    permission_classes = (IsAuthenticated,)

    @openapi.who_am_i
    def get(self, request: Request) -> Response:
        return Response(MeOut(acting_user(request)).data)


class UserFilter(ApiFilterSet):
    depot = IdFilter(field_name="depot_id")

    class Meta:
        model = User
        fields = ("role", "is_active")


@openapi.users
class UserViewSet(LedgerViewSet):
    queryset = User.objects.select_related("depot")
    serializer_class = UserOut
    capability = {
        "list": Capability.VIEW_USERS,
        "retrieve": Capability.VIEW_USERS,
        "create": Capability.MANAGE_USERS,
        "update": Capability.MANAGE_USERS,
        "partial_update": Capability.MANAGE_USERS,
        "destroy": Capability.MANAGE_USERS,
        "set_password": Capability.MANAGE_USERS,
    }
    filterset_class = UserFilter
    search_fields = ("search_name",)
    ordering_fields = ("username", "id", "date_joined")

    @openapi.add_user
    def create(self, request: Request) -> Response:
        def make() -> User:
            serializer = NewUserIn(data=request.data)
            serializer.is_valid(raise_exception=True)
            values = dict(serializer.validated_data)
            return services.create_user(actor=acting_user(request), password=values.pop("password"), values=values)

        return Response(UserOut(earlier_or(make)).data, status=HTTP_201_CREATED)

    @openapi.replace_user
    def update(self, request: Request, pk: str, *, partial: bool = False) -> Response:
        target = self.get_object()
        serializer = UserIn(data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        user = services.update_user(actor=acting_user(request), pk=target.pk, changes=serializer.validated_data)
        return Response(UserOut(user).data)

    @openapi.change_user
    def partial_update(self, request: Request, pk: str) -> Response:
        return self.update(request, pk, partial=True)

    @openapi.deactivate_user
    def destroy(self, request: Request, pk: str) -> Response:
        Nothing.require(request.data)
        user = services.deactivate_user(actor=acting_user(request), pk=self.get_object().pk)
        return Response(RemainingOut({"remaining": remaining(user)}).data)

    @openapi.set_password
    @action(detail=True, methods=["post"], url_path="set-password")
    def set_password(self, request: Request, pk: str) -> Response:
        target = self.get_object()
        serializer = NewPasswordIn(data=request.data, context={"user": target})
        serializer.is_valid(raise_exception=True)
        services.set_password(actor=acting_user(request), pk=target.pk, password=serializer.validated_data["password"])
        return Response(status=HTTP_204_NO_CONTENT)


class AssignmentFilter(LedgerFilterSet):
    user = IdFilter(field_name="user_id")
    vehicle = IdFilter(field_name="vehicle_id")
    date_from = DayFilter(field_name="date", lookup_expr="gte")
    date_to = DayFilter(field_name="date", lookup_expr="lte")

    class Meta:
        model = Assignment
        fields = ()


@openapi.assignments
class AssignmentViewSet(LedgerViewSet):
    queryset = Assignment.objects.select_related("user", "vehicle", "correction")
    serializer_class = AssignmentOut
    filterset_class = AssignmentFilter
    filter_backends = (FilterBackend, KnownOrdering)
    ordering_fields = ("id",)
    capability = {
        "list": Capability.VIEW_ASSIGNMENTS,
        "retrieve": Capability.VIEW_ASSIGNMENTS,
        "create": Capability.ASSIGN_VEHICLE,
        "correct": Capability.ASSIGN_VEHICLE,
    }

    @openapi.assign_vehicle
    def create(self, request: Request) -> Response:
        serializer = AssignmentIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        made = services.assign_vehicle(actor=acting_user(request), data=serializer.command())
        return Response(_assignment(made.pk), status=HTTP_201_CREATED)

    @openapi.correct_assignment
    @action(detail=True, methods=["post"])
    def correct(self, request: Request, pk: str) -> Response:
        serializer = AssignmentCorrectionIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        made = services.correct_assignment(actor=acting_user(request), data=serializer.command(self.get_object().pk))
        return Response(_assignment(made.pk), status=HTTP_201_CREATED)


class VehicleDriverViewSet(ScopedViewSet):
    """Who drives a vehicle. Its routes lie under the vehicle's own."""

    queryset = Vehicle.objects.all()
    operations = {"take": services.TAKEN}
    capability = {"take": Capability.TAKE_VEHICLE}

    def said_by_path(self) -> dict[str, Any]:
        """By its number, as a push names it: to take it by either is the same operation."""
        named = Vehicle.objects.filter(pk=self.kwargs["pk"]).values_list("number", flat=True).first()
        return super().said_by_path() if named is None else {"vehicle": named}

    @openapi.take_vehicle
    @action(detail=True, methods=["post"])
    def take(self, request: Request, pk: str) -> Response:
        vehicle = self.get_object()
        serializer = TakeIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        made = services.take_vehicle(actor=acting_user(request), data=serializer.command(vehicle.number))
        return Response(_assignment(made.pk), status=HTTP_201_CREATED)


def _assignment(pk: int) -> object:
    return AssignmentOut(AssignmentViewSet.queryset.get(pk=pk)).data
