"""Closings and GST returns in the office."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.requests import acting_user
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.money import shown
from foundation.office.actions import ON_PAGES, ReasonForm
from foundation.office.generic import FieldGroups, ModelForm
from foundation.office.links import Related, badge, evidence_of
from foundation.office.menu import Menu
from foundation.office.pages import OfficeAdmin, may
from periods import services
from periods.models import GstReturn, Period
from periods.selectors import DAY, errors_until, last_recorded_day

_DATE = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class PeriodForm(ModelForm[Period]):
    """Up to which day the books are closed."""

    ends_on = forms.DateField(
        widget=_DATE,
        label="Close the books up to",
        help_text="A day that is over, with it. Whatever is recorded later has a later ledger day.",
    )

    class Meta:
        model = Period
        fields = ("ends_on",)


@admin.register(Period)
class PeriodAdmin(OfficeAdmin[Period]):
    view_capability = Capability.REPORT_GST
    menu = Menu.REPORTS
    list_display = ("ends_on", "state", "starts_on", "documents", "billed", "received", "user", "created_at")
    list_select_related = ("user", "reopening")
    ordering = ("-step",)
    actions = ("reopen",)
    readonly_fields = ("state",)
    add_form = PeriodForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.CLOSE_BOOKS)

    def has_reopen_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.CLOSE_BOOKS)

    def get_fields(self, request: HttpRequest, obj: Period | None = None) -> FieldGroups:
        if obj is None:
            return ("ends_on",)
        return (
            ("starts_on", "ends_on", "state"), ("documents", "billed", "received"), ("closed_until", "reopens"),
            "reason", ("user", "created_at", "client_temp_id"),
        )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Period | None = None) -> tuple[str, ...]:
        return () if obj is None else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Period, form: ModelForm[Period], change: bool) -> None:
        new = services.NewPeriod(**form.cleaned_data)
        obj.pk = services.close_period(actor=acting_user(request), data=new).pk
        obj.refresh_from_db()

    def related(self, request: HttpRequest, target: Period) -> Iterable[Related]:
        yield evidence_of(target)

    def impossible(self, target: Period) -> Iterable[str]:
        last = Period.objects.first()
        is_last = last is not None and target.reopens_id is None and target.ends_on == last.closed_until
        return () if is_last and not hasattr(target, "reopening") else self.actions

    @admin.action(description="Reopen", permissions=["reopen"], location=ON_PAGES)
    def reopen(self, request: HttpRequest, queryset: QuerySet[Period]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            ReasonForm,
            "Reopen the last closing",
            "reopened",
            lambda period, sent: services.reopen_period(actor=actor, period_id=period.pk, reason=sent["reason"]),
        )

    @admin.display(description="status")
    def state(self, period: Period) -> str:
        if period.reopens_id:
            return badge("Reopening", "off")
        return badge("Reopened", "open") if hasattr(period, "reopening") else badge("Closed", "good")


class GstReturnForm(ModelForm[GstReturn]):
    """What was filed with IRAS."""

    form = forms.ChoiceField(choices=GstReturn.Form.choices, initial=GstReturn.Form.F5)
    starts_on = forms.DateField(widget=_DATE, label="First day of the period")
    ends_on = forms.DateField(widget=_DATE, label="Last day of the period")

    class Meta:
        model = GstReturn
        fields = ("form", "starts_on", "ends_on", "reference")


@admin.register(GstReturn)
class GstReturnAdmin(OfficeAdmin[GstReturn]):
    view_capability = Capability.REPORT_GST
    menu = Menu.REPORTS
    list_display = ("starts_on", "ends_on", "form", "box_1", "box_6", "recorded_until", "reference", "user")
    list_filter = ("form",)
    list_select_related = ("user",)
    ordering = ("-step",)
    readonly_fields = ("made_of", "turned_up")
    add_form = GstReturnForm

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The quarter after the last one."""
        last = GstReturn.objects.filter(form=GstReturn.Form.F5).order_by("-ends_on").first()
        if last is None:
            return {}
        starts_on = last.ends_on + DAY
        months = starts_on.month + 2
        first_of_next = starts_on.replace(year=starts_on.year + months // 12, month=months % 12 + 1, day=1)
        return {"starts_on": starts_on, "ends_on": first_of_next - DAY}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.CLOSE_BOOKS)

    def get_fields(self, request: HttpRequest, obj: GstReturn | None = None) -> FieldGroups:
        if obj is None:
            return ("form", ("starts_on", "ends_on"), "reference")
        return (
            "form", ("starts_on", "ends_on", "recorded_until"), ("box_1", "box_6"), "made_of", "turned_up", "reference",
            ("user", "created_at", "client_temp_id"),
        )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: GstReturn | None = None) -> tuple[str, ...]:
        return () if obj is None else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: GstReturn, form: ModelForm[GstReturn], change: bool) -> None:
        new = services.NewReturn(**form.cleaned_data)
        obj.pk = services.file_return(actor=acting_user(request), data=new).pk
        obj.refresh_from_db()

    def related(self, request: HttpRequest, target: GstReturn) -> Iterable[Related]:
        asked = urlencode({"gst_return": target.pk})
        yield Related(target.entity, "The form, box by box", f"{reverse('admin:reports_gst-f5')}?{asked}")
        yield Related(target.entity, "The documents in it", f"{reverse('admin:reports_gst-documents')}?{asked}")
        yield evidence_of(target)

    @admin.display(description="turned up since")
    def turned_up(self, filed: GstReturn) -> str:
        """Of its period, and in no return yet."""
        errors = errors_until(last_recorded_day(clock.now()))
        for part in errors.parts:
            if (part.starts_on, part.ends_on) == (filed.starts_on, filed.ends_on):
                found = f"{part.documents} documents: {shown(part.box_1)} and GST {shown(part.box_6)}."
                return (
                    f"{found} {errors.too_much} It needs an F7." if errors.too_much else f"{found} The next F5 has it."
                )
        return "–"

    @admin.display(description="made of")
    def made_of(self, filed: GstReturn) -> str:
        return "; ".join(
            f"{part.documents} documents of {part}"
            + (f" that came after {part.recorded_after}" if part.recorded_after else "")
            + f": {shown(part.box_1)} and GST {shown(part.box_6)}"
            for part in filed.parts.all()
        )
