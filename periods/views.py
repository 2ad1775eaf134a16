"""Closings and GST returns over HTTP."""

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from accounts.requests import acting_user
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.api.filters import FilterBackend, KnownOrdering
from foundation.api.viewsets import LedgerViewSet
from periods import openapi, services
from periods.errors import EarlierDocuments, ErrorsLeftOut
from periods.models import GstReturn, Period
from periods.selectors import errors_until, last_recorded_day
from periods.serializers import ErrorsOut, GstReturnIn, GstReturnOut, PeriodIn, PeriodOut, ReopenIn


@openapi.periods
class PeriodViewSet(LedgerViewSet):
    queryset = Period.objects.select_related("user", "reopening")
    serializer_class = PeriodOut
    filter_backends = (FilterBackend, KnownOrdering)
    ordering_fields = ("step",)
    capability = {
        "list": Capability.REPORT_GST,
        "retrieve": Capability.REPORT_GST,
        "create": Capability.CLOSE_BOOKS,
        "reopen": Capability.CLOSE_BOOKS,
    }

    @openapi.close_period
    def create(self, request: Request) -> Response:
        serializer = PeriodIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        period = services.close_period(actor=acting_user(request), data=serializer.command())
        return Response(self._read(period.pk), status=HTTP_201_CREATED)

    @openapi.reopen_period
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        serializer = ReopenIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        reopening = services.reopen_period(
            actor=acting_user(request), period_id=self.get_object().pk, **serializer.validated_data
        )
        return Response(self._read(reopening.pk), status=HTTP_201_CREATED)

    def _read(self, pk: int) -> object:
        return PeriodOut(self.queryset.get(pk=pk)).data


@openapi.gst_returns
class GstReturnViewSet(LedgerViewSet):
    queryset = GstReturn.objects.select_related("user").prefetch_related("parts")
    serializer_class = GstReturnOut
    filter_backends = (FilterBackend, KnownOrdering)
    ordering_fields = ("step",)
    asks = {"create": (EarlierDocuments, ErrorsLeftOut)}
    capability = {
        "list": Capability.REPORT_GST,
        "retrieve": Capability.REPORT_GST,
        "errors": Capability.REPORT_GST,
        "create": Capability.CLOSE_BOOKS,
    }

    @openapi.file_return
    def create(self, request: Request) -> Response:
        serializer = GstReturnIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        filed = services.file_return(actor=acting_user(request), data=serializer.command())
        return Response(GstReturnOut(self.queryset.get(pk=filed.pk)).data, status=HTTP_201_CREATED)

    @openapi.gst_errors
    @action(detail=False, methods=["get"])
    def errors(self, request: Request) -> Response:
        return Response(ErrorsOut(errors_until(last_recorded_day(clock.now()))).data)
