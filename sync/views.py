"""Offline work over HTTP."""

from django.utils.decorators import method_decorator
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.requests import acting_user
from foundation.access.capabilities import Capability
from foundation.api.filters import ApiFilterSet, IdFilter
from foundation.api.queries import KnownParametersOnly
from foundation.api.viewsets import LedgerViewSet
from sync import feed, openapi, services
from sync.models import SyncConflict
from sync.selectors import own_drafts, own_stock
from sync.serializers import (
    DismissIn,
    PullOut,
    PullQuery,
    PushIn,
    PushOut,
    RetryIn,
    SyncConflictOut,
)


class PushView(KnownParametersOnly, APIView):
    capability = Capability.SYNC

    @openapi.push
    def post(self, request: Request) -> Response:
        serializer = PushIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        results = services.push(actor=acting_user(request), operations=serializer.validated_data["operations"])
        return Response(PushOut({"results": results}, context={"request": request}).data)


@method_decorator((gzip_page, conditional_page), name="dispatch")
class PullView(KnownParametersOnly, APIView):
    capability = Capability.SYNC
    query = PullQuery

    @openapi.pull
    def get(self, request: Request) -> Response:
        user, sent = acting_user(request), self.asked()
        cursor = feed.Cursor.parse(sent["cursor"]) if "cursor" in sent else None
        page = feed.next_page(cursor, sent["page_size"])
        answer: dict[str, object] = {
            "cursor": str(page.cursor),
            "has_more": page.has_more,
            **page.rows,
            "gone": page.gone,
            "stock": None if page.has_more else own_stock(user),
            "distributions": None if page.has_more else own_drafts(user),
        }
        return Response(PullOut(answer).data)


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
    search_fields = ("client_temp_id", "user__username", "=request_id")
    ordering_fields = ("id", "occurred_at")
    capability = {
        "list": Capability.VIEW_CONFLICTS,
        "retrieve": Capability.VIEW_CONFLICTS,
        "retry": Capability.SETTLE_CONFLICTS,
        "dismiss": Capability.SETTLE_CONFLICTS,
    }

    @openapi.retry_conflict
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        serializer = RetryIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        settled = services.retry_conflict(
            actor=acting_user(request), conflict_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self.get_serializer(settled).data)

    @openapi.dismiss_conflict
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, pk: str) -> Response:
        serializer = DismissIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        settled = services.dismiss_conflict(
            actor=acting_user(request), conflict_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self.get_serializer(settled).data)
