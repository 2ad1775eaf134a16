"""Offline work over HTTP."""

import hashlib

from django.conf import settings
from django.utils.decorators import method_decorator
from django.utils.http import quote_etag
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.requests import acting_user
from accounts.tokens import PushAuthentication
from discrepancies.selectors import discrepancies_by_operation
from foundation import clock
from foundation.access.capabilities import Capability, scope_of
from foundation.api.filters import ApiFilterSet, IdFilter, YesNoFilter
from foundation.api.permissions import HasCapability
from foundation.api.queries import KnownParametersOnly
from foundation.api.viewsets import LedgerViewSet
from sync import feed, openapi, services, waiting  # noqa: F401 -- what waits registers itself
from sync.devices import DeviceSays, hear_of
from sync.models import Device, DeviceQuerySet, SyncConflict
from sync.selectors import SILENCE, another_time_of, own_drafts, own_stock
from sync.serializers import (
    DeviceOut,
    DismissIn,
    PullOfDeviceOut,
    PullOut,
    PullQuery,
    PushOfDeviceOut,
    PushOut,
    RetryIn,
    SyncConflictOut,
    WithdrawIn,
    push_in,
)
from transactions.unlikely import KEPT_IN_PUSHES


class MayPush(HasCapability):
    """Also who was deactivated since: `PushAuthentication` lets nobody else of them in.

    Deactivated, nobody may anything, so that the role is asked: who never pushed has nothing to say afterwards.
    """

    def has_permission(self, request: Request, view: object) -> bool:
        user = request.user
        if isinstance(user, User) and not user.is_active and scope_of(user.role, Capability.SYNC) is not None:
            return True
        return super().has_permission(request, view)


class PushView(KnownParametersOnly, APIView):
    capability = Capability.SYNC
    authentication_classes = (PushAuthentication,)
    permission_classes = (MayPush,)

    @openapi.push
    def post(self, request: Request) -> Response:
        serializer = push_in(request.data)
        serializer.is_valid(raise_exception=True)
        actor, said = acting_user(request), serializer.envelope()
        results = services.push(actor=actor, operations=serializer.validated_data["operations"], said=said)
        context: dict[str, object] = {"request": request}
        if said.device is None:
            return Response(PushOut({"results": results}, context=context).data)
        answer = {"results": results, **_heard(actor, said.device)}
        context["discrepancies"] = discrepancies_by_operation(actor, [each.client_temp_id for each in results])
        return Response(PushOfDeviceOut(answer, context=context).data)


@method_decorator((gzip_page, conditional_page), name="dispatch")
class PullView(KnownParametersOnly, APIView):
    capability = Capability.SYNC
    query = PullQuery

    @openapi.pull
    def get(self, request: Request) -> Response:
        user, sent, now = acting_user(request), self.asked(), clock.now()
        cursor = feed.Cursor.parse(sent["cursor"]) if "cursor" in sent else None
        page = feed.next_page(cursor, sent["page_size"])
        answer: dict[str, object] = {
            "cursor": str(page.cursor),
            "has_more": page.has_more,
            **page.rows,
            "gone": page.gone,
            "unlikely": settings.UNLIKELY,
            "cash_rounding": settings.CASH_ROUNDING,
            "stock": None if page.has_more else own_stock(user),
            "distributions": None if page.has_more else own_drafts(user),
        }
        if "device" not in sent:
            return Response(PullOut(answer).data)
        said = DeviceSays(sent["device"], sent.get("last_number"))
        hear_of(actor=user, said=said, now=now, pulled=not page.has_more)
        data = dict(PullOfDeviceOut({**answer, **_heard(user, said)}).data)
        # The time is another one each time: what a 304 says hasn't changed is all but that.
        etag = hashlib.sha256(JSONRenderer().render({**data, "server_time": None})).hexdigest()
        return Response(data, headers={"ETag": quote_etag(etag)})


def _heard(user: User, said: DeviceSays) -> dict[str, object]:
    return {"device": Device.objects.get(user=user, key=said.id), "server_time": clock.now()}


class DeviceFilter(ApiFilterSet):
    user = IdFilter(field_name="user_id")
    with_missing_numbers = YesNoFilter(method="with_gaps", help_text="Recorded something that never came.")
    wrong_clock = YesNoFilter(method="with_wrong_clock", help_text="Its clock was off by more than 5 minutes.")
    silent = YesNoFilter(method="silent_for_long", help_text="Not heard of for more than 24 hours.")

    class Meta:
        model = Device
        fields = ()

    def with_gaps(self, devices: DeviceQuerySet, name: str, value: bool) -> DeviceQuerySet:
        return devices.with_gaps() if value else devices.complete()

    def with_wrong_clock(self, devices: DeviceQuerySet, name: str, value: bool) -> DeviceQuerySet:
        wrong = devices.with_wrong_clock()
        return wrong if value else devices.exclude(pk__in=wrong.values("pk"))

    def silent_for_long(self, devices: DeviceQuerySet, name: str, value: bool) -> DeviceQuerySet:
        since = clock.now() - SILENCE
        return devices.filter(heard_at__lt=since) if value else devices.filter(heard_at__gte=since)


@openapi.devices
class DeviceViewSet(LedgerViewSet):
    queryset = Device.objects.select_related("user")
    serializer_class = DeviceOut
    filterset_class = DeviceFilter
    search_fields = ("key", "user__search_name")
    ordering_fields = ("id", "heard_at")
    capability = Capability.VIEW_CONFLICTS


class SyncConflictFilter(ApiFilterSet):
    user = IdFilter(field_name="user_id")

    class Meta:
        model = SyncConflict
        fields = ("status", "code", "type")


@openapi.sync_conflicts
class SyncConflictViewSet(LedgerViewSet):
    queryset = SyncConflict.objects.select_related("user", "first")
    serializer_class = SyncConflictOut
    filterset_class = SyncConflictFilter
    search_fields = ("client_temp_id", "user__search_name", "=request_id")
    ordering_fields = ("id", "occurred_at")
    asks = {"retry": KEPT_IN_PUSHES}
    capability = {
        "list": Capability.VIEW_CONFLICTS,
        "retrieve": Capability.VIEW_CONFLICTS,
        "retry": Capability.SETTLE_CONFLICTS,
        "dismiss": Capability.SETTLE_CONFLICTS,
        "withdraw": Capability.SYNC,  # the service asks whose it is
    }

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self._read(self.get_object()))

    @openapi.retry_conflict
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        serializer = RetryIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        settled = services.retry_conflict(
            actor=acting_user(request), conflict_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self._read(settled))

    @openapi.dismiss_conflict
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, pk: str) -> Response:
        serializer = DismissIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        settled = services.dismiss_conflict(
            actor=acting_user(request), conflict_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self._read(settled))

    @openapi.withdraw_conflict
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        serializer = WithdrawIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        withdrawn = services.withdraw_conflict(
            actor=acting_user(request), conflict_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self._read(withdrawn))

    def _read(self, conflict: SyncConflict) -> object:
        context = {**self.get_serializer_context(), "happened_at": another_time_of(conflict)}
        return SyncConflictOut(conflict, context=context).data
