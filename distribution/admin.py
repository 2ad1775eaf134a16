"""Distributions in the office."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from core.access import Capability
from core.office import OfficeAdmin, evidence_of, may, movements_of
from distribution import services
from distribution.models import Distribution, DistributionItem


class ItemInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    model = DistributionItem
    fields = ("equipment", "direction", "condition", "quantity")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, Capability.VIEW_DISTRIBUTIONS)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("equipment")


@admin.register(Distribution)
class DistributionAdmin(OfficeAdmin):
    view_capability = Capability.VIEW_DISTRIBUTIONS
    inlines = (ItemInline,)
    list_display = (
        "distribution_number", "status", "depot", "user", "vehicle_no", "total_collection", "total_return",
        "created_at", "confirmed_at",
    )  # fmt: skip
    list_filter = ("status", "depot")
    list_select_related = ("depot", "user")
    search_fields = ("distribution_number", "vehicle_no", "user__username", "remarks")
    date_hierarchy = "date"
    ordering = ("-id",)
    actions = ("confirm", "cancel")
    fields = (
        ("distribution_number", "status"), ("depot", "user", "vehicle_no"), ("total_collection", "total_return"),
        "remarks", ("occurred_at", "created_at"), ("confirmed_at", "confirmed_by", "cancelled_at"), "client_temp_id",
        "movements", "audit",
    )  # fmt: skip
    readonly_fields = ("movements", "audit")

    def has_move_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.CHANGE_DISTRIBUTIONS)

    @admin.action(description="Confirm: move the cylinders", permissions=["move"])
    def confirm(self, request: HttpRequest, queryset: Any) -> None:
        actor: Any = request.user
        self.each(
            request,
            queryset.order_by("pk"),
            "confirmed",
            lambda load: services.confirm_distribution(actor=actor, distribution_id=load.pk),
        )

    @admin.action(description="Cancel the draft", permissions=["move"])
    def cancel(self, request: HttpRequest, queryset: Any) -> None:
        actor: Any = request.user
        self.each(
            request,
            queryset.order_by("pk"),
            "cancelled",
            lambda load: services.cancel_distribution(actor=actor, distribution_id=load.pk),
        )

    @admin.display(description="stock")
    def movements(self, load: Distribution) -> str:
        return movements_of(load)

    @admin.display(description="audit")
    def audit(self, load: Distribution) -> str:
        return evidence_of(load)
