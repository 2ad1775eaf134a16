"""Day-ends in the office."""

from collections.abc import Iterable, Mapping

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.requests import acting_user
from foundation.access.capabilities import Capability
from foundation.office.actions import ON_LISTS_AND_PAGES
from foundation.office.links import Related, badge, evidence_of, movements_of
from foundation.office.menu import Menu
from foundation.office.pages import OfficeAdmin, ReadOnlyInline, may
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
        return super().get_queryset(request).select_related("equipment")

    @admin.display(description="variance")
    def difference(self, line: SettlementLine) -> str:
        return badge(f"{line.variance:+d}", "open") if line.variance else "–"


class RemarksForm(forms.Form):
    remarks = forms.CharField(max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2, "cols": 60}))


class ReasonedForm(forms.Form):
    remarks = forms.CharField(
        max_length=500, label="To be counted again, because", widget=forms.Textarea(attrs={"rows": 2, "cols": 60})
    )


SETTLEMENT_TONES = {Settlement.Status.COUNTED: "open", Settlement.Status.SIGNED_OFF: "good"}


@admin.register(Settlement)
class SettlementAdmin(OfficeAdmin[Settlement]):
    view_capability = Capability.VIEW_SETTLEMENTS
    menu = Menu.STOCK
    inlines = (SettlementLineInline,)
    is_found = True
    list_display = (
        "settlement_number", "state", "user", "vehicle_no", "depot", "cash_expected", "cash_counted", "cash_difference",
        "created_at", "decided_by",
    )  # fmt: skip
    list_filter = ("status", "depot")
    list_select_related = ("user", "depot", "decided_by")
    search_fields = ("settlement_number", "vehicle_no", "user__username")
    search_help_text = "Number, vehicle, or user name"
    date_hierarchy = "date"
    ordering = ("-id",)
    actions = ("sign_off", "reject")
    fields = (
        ("settlement_number", "state"), ("user", "vehicle_no", "depot"),
        ("cash_expected", "cash_counted", "cash_difference"), "remarks", "created_at", ("decided_by", "decided_at"),
        "decision_remarks",
    )  # fmt: skip
    readonly_fields = ("state", "cash_difference")

    def awaited(self) -> Iterable[tuple[str, str, Mapping[str, str], Q]]:
        counted = Settlement.Status.COUNTED
        yield "day-end to sign off", "day-ends to sign off", {"status__exact": counted}, Q(status=counted)

    def related(self, request: HttpRequest, target: Settlement) -> Iterable[Related]:
        return (movements_of(target), evidence_of(target))

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

    @admin.display(description="cash variance")
    def cash_difference(self, settlement: Settlement) -> str:
        return badge(f"{settlement.cash_variance:+}", "open") if settlement.cash_variance else "–"
