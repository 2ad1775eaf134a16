"""Day-ends in the office."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from accounts.requests import acting_user
from foundation.access.capabilities import Capability
from foundation.office.actions import ON_LISTS_AND_PAGES, ReasonedForm, RemarksForm
from foundation.office.links import Related, badge, evidence_of, list_of, page_of
from foundation.office.menu import Menu
from foundation.office.pages import OfficeAdmin, ReadOnlyInline, may
from inventory.admin.counts import told_of_count
from payments.admin import money_of_count, told_of_cash_count
from settlements import services
from settlements.models import Settlement, SettlementLine


class SettlementLineInline(ReadOnlyInline[SettlementLine, Settlement]):
    view_capability = Capability.VIEW_SETTLEMENTS
    model = SettlementLine
    fields = (
        "equipment", "condition", "opening", "loaded", "delivered", "collected", "unloaded", "other", "expected",
        "counted", "difference",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[SettlementLine]:
        blind = Settlement.objects.blind_to(acting_user(request))
        return super().get_queryset(request).select_related("equipment").exclude(settlement__in=blind)

    @admin.display(description="variance")
    def difference(self, line: SettlementLine) -> str:
        return badge(f"{line.variance:+d}", "open") if line.variance else "–"


def _told(reader: User, day: Settlement) -> Iterable[str]:
    if day.vehicle_count is not None:
        yield from told_of_count(reader, day.vehicle_count)
    if day.cash_count is not None:
        yield from told_of_cash_count(reader, day.cash_count)


SETTLEMENT_TONES = {Settlement.Status.COUNTED: "open", Settlement.Status.SIGNED_OFF: "good"}


@admin.register(Settlement)
class SettlementAdmin(OfficeAdmin[Settlement]):
    view_capability = Capability.VIEW_SETTLEMENTS
    menu = Menu.STOCK
    inlines = (SettlementLineInline,)
    is_found = True
    list_display = (
        "settlement_number", "state", "user", "vehicle_no", "depot", "expected", "cash_counted", "cash_difference",
        "created_at", "decided_by",
    )  # fmt: skip
    list_filter = ("status", "depot")
    list_select_related = ("user", "depot", "decided_by")
    search_fields = ("settlement_number", "vehicle_no", "user__search_name")
    search_help_text = "Number, vehicle, or user name"
    date_hierarchy = "date"
    ordering = ("-id",)
    actions = ("sign_off", "reject")
    fields = (
        ("settlement_number", "state"), ("user", "vehicle_no", "depot"),
        ("expected", "cash_counted", "cash_difference"), "money", "remarks", "created_at", ("decided_by", "decided_at"),
        "decision_remarks",
    )  # fmt: skip
    readonly_fields = ("state", "expected", "cash_difference")

    def impossible(self, target: Settlement) -> Iterable[str]:
        return () if target.status == Settlement.Status.COUNTED else self.actions

    def get_fields(self, request: HttpRequest, obj: Settlement | None = None) -> Any:
        shown = money_of_count(acting_user(request))

        @admin.display(description="money since the count before it")
        def money(day: Settlement) -> str:
            return "–" if day.cash_count is None else shown(day.cash_count)

        fields: Any = super().get_fields(request, obj)
        return [money if name == "money" else name for name in fields]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Settlement]:
        blind = Settlement.objects.blind_to(acting_user(request)).filter(pk=OuterRef("pk"))
        return super().get_queryset(request).annotate(is_blind=Exists(blind))

    def awaited(self) -> Iterable[tuple[str, str, Mapping[str, str], Q]]:
        counted = Settlement.Status.COUNTED
        yield "day-end to sign off", "day-ends to sign off", {"status__exact": counted}, Q(status=counted)

    def related(self, request: HttpRequest, target: Settlement) -> Iterable[Related]:
        if target.vehicle_count_id:
            yield list_of("inventory.stockmovement", "Stock movements", count__id__exact=target.vehicle_count_id)
            yield from page_of(request, "inventory.count", target.vehicle_count_id, "Its vehicle count")
        if target.cash_count_id:
            yield from page_of(request, "payments.cashcount", target.cash_count_id, "Its cash count")
        yield evidence_of(target)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.SIGN_OFF_SETTLEMENT)

    @admin.action(
        description="Sign off: bring the vehicle's stock to the count",
        permissions=["decide"],
        location=ON_LISTS_AND_PAGES,
    )
    def sign_off(self, request: HttpRequest, queryset: QuerySet[Settlement]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            RemarksForm,
            "Sign off",
            "signed off",
            lambda day, sent: services.sign_off_settlement(actor=actor, settlement_id=day.pk, **sent),
            lambda day: _told(actor, day),
        )

    @admin.action(description="Reject: have it counted again", permissions=["decide"], location=ON_LISTS_AND_PAGES)
    def reject(self, request: HttpRequest, queryset: QuerySet[Settlement]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            ReasonedForm,
            "Reject",
            "rejected",
            lambda day, sent: services.reject_settlement(actor=actor, settlement_id=day.pk, **sent),
        )

    @admin.display(description="status", ordering="status")
    def state(self, settlement: Settlement) -> str:
        status = Settlement.Status(settlement.status)
        return badge(status.label.split(":")[0], SETTLEMENT_TONES.get(status, "off"))

    @admin.display(description="cash expected")
    def expected(self, settlement: Any) -> Decimal | None:
        return None if settlement.is_blind else settlement.cash_expected

    @admin.display(description="cash variance")
    def cash_difference(self, settlement: Any) -> str:
        if settlement.is_blind:
            return "–"
        return badge(f"{settlement.cash_variance:+}", "open") if settlement.cash_variance else "–"
