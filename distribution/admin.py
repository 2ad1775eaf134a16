"""Distributions in the office."""

from collections.abc import Iterable, Mapping

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.requests import acting_user
from distribution import services
from distribution.models import Distribution, DistributionItem
from foundation.access.capabilities import Capability
from foundation.office.actions import ON_LISTS_AND_PAGES
from foundation.office.links import Related, badge, evidence_of, movements_of
from foundation.office.menu import Menu
from foundation.office.pages import OfficeAdmin, ReadOnlyInline, may

TONES = {Distribution.Status.DRAFT: "open", Distribution.Status.CONFIRMED: "good"}


class ItemInline(ReadOnlyInline[DistributionItem, Distribution]):
    view_capability = Capability.VIEW_DISTRIBUTIONS
    model = DistributionItem
    fields = ("equipment", "direction", "condition", "quantity")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[DistributionItem]:
        return super().get_queryset(request).select_related("equipment")


@admin.register(Distribution)
class DistributionAdmin(OfficeAdmin[Distribution]):
    view_capability = Capability.VIEW_DISTRIBUTIONS
    menu = Menu.STOCK
    inlines = (ItemInline,)
    is_found = True
    list_display = (
        "distribution_number", "state", "depot", "user", "vehicle_no", "total_collection", "total_return",
        "created_at", "confirmed_at",
    )  # fmt: skip
    list_filter = ("status", "depot")
    list_select_related = ("depot", "user")
    search_fields = ("distribution_number", "vehicle_no", "user__search_name", "remarks")
    search_help_text = "Number, vehicle, user name, or words of the remarks"
    date_hierarchy = "date"
    ordering = ("-id",)
    actions = ("confirm", "cancel")
    fields = (
        ("distribution_number", "state"), ("depot", "user", "vehicle_no"), ("total_collection", "total_return"),
        "remarks", ("occurred_at", "created_at"), ("confirmed_at", "confirmed_by", "cancelled_at"), "client_temp_id",
    )  # fmt: skip
    readonly_fields = ("state",)

    def said(self, target: Distribution) -> str:
        return f"{target.distribution_number}: {target.depot}, {target.vehicle_no or target.user}"

    def awaited(self) -> Iterable[tuple[str, str, Mapping[str, str], Q]]:
        draft = Distribution.Status.DRAFT
        yield "load to confirm", "loads to confirm", {"status__exact": draft}, Q(status=draft)

    def related(self, request: HttpRequest, target: Distribution) -> Iterable[Related]:
        return (movements_of(target), evidence_of(target))

    def impossible(self, target: Distribution) -> Iterable[str]:
        return () if target.status == Distribution.Status.DRAFT else self.actions

    def has_move_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.CHANGE_DISTRIBUTIONS)

    @admin.action(description="Confirm: move the cylinders", permissions=["move"], location=ON_LISTS_AND_PAGES)
    def confirm(self, request: HttpRequest, queryset: QuerySet[Distribution]) -> None:
        actor = acting_user(request)
        self.each(
            request,
            queryset.order_by("pk"),
            "confirmed",
            lambda load: services.confirm_distribution(actor=actor, distribution_id=load.pk),
        )

    @admin.action(description="Cancel the draft", permissions=["move"], location=ON_LISTS_AND_PAGES)
    def cancel(self, request: HttpRequest, queryset: QuerySet[Distribution]) -> None:
        actor = acting_user(request)
        self.each(
            request,
            queryset.order_by("pk"),
            "cancelled",
            lambda load: services.cancel_distribution(actor=actor, distribution_id=load.pk),
        )

    @admin.display(description="status", ordering="status")
    def state(self, load: Distribution) -> str:
        status = Distribution.Status(load.status)
        return badge(status.label, TONES.get(status, "off"))
