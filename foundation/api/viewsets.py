"""What the API's views have in common."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import Model
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from foundation.access.capabilities import Capability
from foundation.api.confirm import MayAsk
from foundation.api.inputs import Nothing
from foundation.api.once import HappensOnce, earlier_or
from foundation.api.queries import KnownParametersOnly
from foundation.api.responses import RemainingOut
from foundation.remains import remaining


class ScopedViewSet(KnownParametersOnly, MayAsk, HappensOnce, viewsets.GenericViewSet[Any]):
    """Every read starts from what the user may see; unseen rows are 404."""

    capability: ClassVar[dict[str, Capability | tuple[Capability, ...]] | Capability]
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> Any:
        queryset: Any = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return queryset.none()
        return queryset.visible_to(self.request.user)

    def known_parameters(self) -> set[str]:
        """Those of a list too; what belongs to one row is neither filtered nor ordered."""
        known = super().known_parameters()
        if self.request.method != "GET" or self.detail:
            return known
        described: list[Any] = [backend() for backend in self.filter_backends]
        if self.paginator is not None:
            described.append(self.paginator)
        return known | {each["name"] for it in described for each in it.get_schema_operation_parameters(self)}


class LedgerViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """List and retrieve. Nothing of a ledger can be put, patched or deleted (405)."""


class MasterDataViewSet(LedgerViewSet):
    """Master data: read by all, written by those who manage it, deactivated instead of deleted.

    The serializer describes both what is sent and what is answered; the three commands write.
    """

    capability: ClassVar[dict[str, Capability | tuple[Capability, ...]]] = {
        "list": Capability.VIEW_MASTER_DATA,
        "retrieve": Capability.VIEW_MASTER_DATA,
        "create": Capability.MANAGE_MASTER_DATA,
        "update": Capability.MANAGE_MASTER_DATA,
        "partial_update": Capability.MANAGE_MASTER_DATA,
        "destroy": Capability.MANAGE_MASTER_DATA,
    }
    create_command: ClassVar[Callable[..., Model]]
    """``(actor, values) -> Model``"""
    update_command: ClassVar[Callable[..., Model]]
    """``(actor, pk, changes) -> Model``"""
    deactivate_command: ClassVar[Callable[..., Model]]
    """``(actor, pk) -> Model``"""

    def create(self, request: Request) -> Response:
        def make() -> Model:
            serializer = self.get_serializer(data=request.data)
            serializer.is_valid(raise_exception=True)
            return type(self).create_command(actor=request.user, values=serializer.validated_data)

        return Response(self.get_serializer(earlier_or(make)).data, status=HTTP_201_CREATED)

    def update(self, request: Request, pk: str, *, partial: bool = False) -> Response:
        current = self.get_object()
        serializer = self.get_serializer(current, data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        changed = type(self).update_command(actor=request.user, pk=current.pk, changes=serializer.validated_data)
        return Response(self.get_serializer(changed).data)

    def partial_update(self, request: Request, pk: str) -> Response:
        return self.update(request, pk, partial=True)

    def destroy(self, request: Request, pk: str) -> Response:
        Nothing.require(request.data)
        row = type(self).deactivate_command(actor=request.user, pk=self.get_object().pk)
        return Response(RemainingOut({"remaining": remaining(row)}).data)
