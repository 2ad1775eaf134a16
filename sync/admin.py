"""What came from the field and was refused, in the office."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.requests import acting_user
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.office.actions import ON_LISTS_AND_PAGES, ReasonForm
from foundation.office.generic import FieldGroups, ModelForm
from foundation.office.links import Related, badge, evidence_of, list_of, page_of
from foundation.office.menu import Menu
from foundation.office.pages import OfficeAdmin, may
from foundation.office.texts import TextFormField
from foundation.office.widgets import MomentField
from foundation.unreadable import WORD
from sync import services
from sync.models import Device, DeviceQuerySet, Feed, FeedEntry, SyncConflict
from sync.selectors import LISTED, SILENCE, another_time_of, as_sent, described, missing_numbers

TONES = {SyncConflict.Status.OPEN: "open", SyncConflict.Status.RETRIED: "good"}


class MomentForm(forms.Form):
    occurred_at = MomentField(label="When it happened")


class DismissalForm(ModelForm[SyncConflict]):
    reason = TextFormField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        label="Dismiss, because",
        help_text="It shall not happen: say why, and save. To let it happen choose an action above.",
    )

    class Meta:
        model = SyncConflict
        fields: tuple[str, ...] = ()


@admin.register(SyncConflict)
class SyncConflictAdmin(OfficeAdmin[SyncConflict]):
    view_capability = Capability.REVIEW_CONFLICTS
    menu = Menu.SALES
    list_display = ("id", "state", "type", "why", "user", "occurred_at", "received_at")
    list_filter = ("status", "type")
    list_select_related = ("user",)
    search_fields = ("client_temp_id", "user__search_name", "code", "=request_id")
    search_help_text = "The app's own id, user name, error code, or request id"
    date_hierarchy = "date"
    ordering = ("-id",)
    actions = (
        "retry",
        "retry_at_its_rates",
        "retry_without_unknown_fields",
        "retry_at_another_time",
        "retry_and_correct_site",
        "retry_without_reading",
    )
    readonly_fields = (
        "state", "type", "pushed_by", "device", "number", "occurred_at", "corrected_at", "received_at", "refusal",
        "tried_again", "withdrawn", "in_words", "sent", "client_temp_id", "request_id", "settled_at",
        "settled_by", "another_time", "dismissed_because",
    )  # fmt: skip

    def awaited(self) -> Iterable[tuple[str, str, Mapping[str, str], Q]]:
        still = SyncConflict.Status.OPEN
        yield (
            "operation refused from the field",
            "operations refused from the field",
            {"status__exact": still},
            Q(status=still),
        )

    def related(self, request: HttpRequest, target: SyncConflict) -> Iterable[Related]:
        if target.result_id is not None:
            yield from page_of(request, target.result_type, target.result_id, "What it made")
        if target.first is not None and target.first.result_id is not None:
            yield from page_of(request, target.first.result_type, target.first.result_id, "What its id was used for")
        yield evidence_of(target)

    def has_change_permission(self, request: HttpRequest, obj: SyncConflict | None = None) -> bool:
        is_open = obj is None or obj.status == SyncConflict.Status.OPEN
        return is_open and may(request, Capability.SETTLE_CONFLICTS)

    def get_form(
        self, request: HttpRequest, obj: SyncConflict | None = None, change: bool = False, **kwargs: object
    ) -> type[ModelForm[SyncConflict]]:
        return super().get_form(request, obj, change, form=DismissalForm, **kwargs)

    def get_fields(self, request: HttpRequest, obj: SyncConflict | None = None) -> FieldGroups:
        shown = (
            ("state", "type", "pushed_by", "device", "number"), ("occurred_at", "corrected_at", "received_at"),
            "refusal", ("tried_again", "withdrawn"), "in_words", "sent", ("client_temp_id", "request_id"),
        )  # fmt: skip
        if self.has_change_permission(request, obj):
            return (*shown, "reason")
        return (*shown, ("settled_at", "settled_by", "another_time"), "dismissed_because")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, object], *args: object, **kwargs: object
    ) -> HttpResponse:
        context |= {"title": "Refused in the field", "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: SyncConflict, form: ModelForm[SyncConflict], change: bool) -> None:
        actor = acting_user(request)
        services.dismiss_conflict(actor=actor, conflict_id=obj.pk, reason=form.cleaned_data["reason"])
        obj.refresh_from_db()

    @admin.action(description="Let it happen", permissions=["change"], location=ON_LISTS_AND_PAGES)
    def retry(self, request: HttpRequest, queryset: QuerySet[SyncConflict]) -> HttpResponse | None:
        return self._retry(request, queryset)

    @admin.action(
        description="Let it happen at the rates it names", permissions=["change"], location=ON_LISTS_AND_PAGES
    )
    def retry_at_its_rates(self, request: HttpRequest, queryset: QuerySet[SyncConflict]) -> HttpResponse | None:
        return self._retry(request, queryset, approve_rates=True)

    @admin.action(
        description="Let it happen without the fields that nobody knows",
        permissions=["change"],
        location=ON_LISTS_AND_PAGES,
    )
    def retry_without_unknown_fields(
        self, request: HttpRequest, queryset: QuerySet[SyncConflict]
    ) -> HttpResponse | None:
        return self._retry(request, queryset, ignore_unknown_fields=True)

    @admin.action(description="Let it happen at another time", permissions=["change"], location=ON_LISTS_AND_PAGES)
    def retry_at_another_time(self, request: HttpRequest, queryset: QuerySet[SyncConflict]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            MomentForm,
            "Let it happen at another time",
            "happened",
            lambda kept, sent: services.retry_conflict(actor=actor, conflict_id=kept.pk, **sent),
            _told_of_times,
        )

    @admin.action(
        description="Let it happen, with more at the site than the books know",
        permissions=["change"],
        location=ON_LISTS_AND_PAGES,
    )
    def retry_and_correct_site(self, request: HttpRequest, queryset: QuerySet[SyncConflict]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            ReasonForm,
            "Let it happen, with more at the site than the books know",
            "happened",
            lambda kept, sent: services.retry_conflict(actor=actor, conflict_id=kept.pk, correct_site=True, **sent),
            _told_of,
        )

    @admin.action(
        description="Let it happen without its meter reading", permissions=["change"], location=ON_LISTS_AND_PAGES
    )
    def retry_without_reading(self, request: HttpRequest, queryset: QuerySet[SyncConflict]) -> HttpResponse | None:
        return self._retry(request, queryset, without_reading=True)

    def _retry(self, request: HttpRequest, queryset: QuerySet[SyncConflict], **approved: Any) -> HttpResponse | None:
        """At once, but for what its user said did not happen: that is shown first."""
        actor, kept = acting_user(request), queryset.order_by("pk")

        def retry(conflict: SyncConflict) -> SyncConflict:
            return services.retry_conflict(actor=actor, conflict_id=conflict.pk, **approved)

        if kept.filter(withdrawn_at=None).count() == kept.count():
            return self.run(request, kept, "Let it happen", "happened", retry, _told_of)
        return self.ask(
            request, kept, forms.Form, "Let it happen", "happened", lambda conflict, sent: retry(conflict), _told_of
        )

    @admin.display(description="status", ordering="status")
    def state(self, conflict: SyncConflict) -> str:
        status = SyncConflict.Status(conflict.status)
        if conflict.withdrawn_at and status == SyncConflict.Status.OPEN:
            return badge("Withdrawn, to be decided", TONES.get(status, "off"))
        return badge(status.label.split(":")[0], TONES.get(status, "off"))

    @admin.display(description="pushed by")
    def pushed_by(self, conflict: SyncConflict) -> str:
        return str(conflict.user)

    @admin.display(description="refused, because", ordering="code")
    def why(self, conflict: SyncConflict) -> str:
        return str(conflict.errors[0]["detail"]) if conflict.errors else WORD

    @admin.display(description="refused, because")
    def refusal(self, conflict: SyncConflict) -> str:
        lines = (
            (each["detail"], each["code"], f" at {each['attr']}" if each["attr"] else "")
            for each in conflict.errors or ()
        )
        return format_html_join(SafeString("<br>"), "{} ({}{})", lines) or WORD

    @admin.display(description="tried again by itself")
    def tried_again(self, conflict: SyncConflict) -> str:
        until = conflict.tried_again_until
        return f"until {clock.in_words(until)}, once there is what it lacked" if until else "–"

    @admin.display(description="withdrawn by who sent it")
    def withdrawn(self, conflict: SyncConflict) -> str:
        if conflict.withdrawn_at is None:
            return "–"
        return f"{clock.in_words(conflict.withdrawn_at)}: {conflict.withdrawn_because}"

    @admin.display(description="let happen at another time")
    def another_time(self, conflict: SyncConflict) -> str:
        at = another_time_of(conflict)
        return clock.in_words(at) if at else "–"

    @admin.display(description="in words")
    def in_words(self, conflict: SyncConflict) -> str:
        lines = described(as_sent(conflict))
        return format_html_join(SafeString("<br>"), "{}", ((line,) for line in lines)) if lines else "–"

    @admin.display(description="as it was sent")
    def sent(self, conflict: SyncConflict) -> str:
        return format_html('<pre class="sent">{}</pre>', json.dumps(as_sent(conflict), indent=2, ensure_ascii=False))

    @admin.display(description="dismissed, because")
    def dismissed_because(self, conflict: SyncConflict) -> str:
        return conflict.reason or "–"


def _told_of_times(conflict: SyncConflict) -> Iterable[str]:
    """Likewise, with the times that another one overrules."""
    yield from _told_of(conflict)
    if conflict.occurred_at is not None:
        corrected = conflict.corrected_at and clock.in_words(conflict.corrected_at)
        more = f"; by the server's clock that was {corrected}" if corrected else ""
        yield f"Its device said {clock.in_words(conflict.occurred_at)}{more}"


def _told_of(conflict: SyncConflict) -> Iterable[str]:
    yield from described(as_sent(conflict))
    if conflict.withdrawn_at is not None:
        yield f"{conflict.user} said at {clock.in_words(conflict.withdrawn_at)}: {conflict.withdrawn_because}"


class GapFilter(admin.SimpleListFilter):
    title = "missing numbers"
    parameter_name = "gaps"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", "With missing numbers"), ("no", "Complete")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Device]) -> QuerySet[Device]:
        assert isinstance(queryset, DeviceQuerySet)
        match self.value():
            case "yes":
                return queryset.with_gaps()
            case "no":
                return queryset.complete()
            case _:
                return queryset


class ClockFilter(admin.SimpleListFilter):
    title = "clock"
    parameter_name = "clock"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("wrong", "Wrong at the last push")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Device]) -> QuerySet[Device]:
        assert isinstance(queryset, DeviceQuerySet)
        return queryset.with_wrong_clock() if self.value() == "wrong" else queryset


class SilenceFilter(admin.SimpleListFilter):
    title = "last heard of"
    parameter_name = "silent"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", "Silent for more than 24 hours")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Device]) -> QuerySet[Device]:
        return queryset.filter(heard_at__lt=clock.now() - SILENCE) if self.value() == "yes" else queryset


@admin.register(Device)
class DeviceAdmin(OfficeAdmin[Device]):
    """What the field recorded and hasn't sent, as far as a device said so."""

    view_capability = Capability.REVIEW_CONFLICTS
    menu = Menu.SALES
    list_display = ("key", "user", "heard_at", "clock", "protocol", "last_number", "gaps")
    list_filter = (GapFilter, SilenceFilter, ClockFilter, "protocol")
    list_select_related = ("user",)
    search_fields = ("key", "user__search_name")
    search_help_text = "The device's id, or user name"
    ordering = ("-heard_at", "-id")
    fields = (
        ("key", "user"), ("first_heard_at", "heard_at", "clock"), ("protocol", "last_number", "received"), "gaps",
    )  # fmt: skip
    readonly_fields = ("gaps", "clock")

    def awaited(self) -> Iterable[tuple[str, str, Mapping[str, str], Q]]:
        gaps = Q(received__lt=F("last_number"))
        yield "device with operations that never came", "devices with operations that never came", {"gaps": "yes"}, gaps
        wrong = Q(pk__in=Device.objects.with_wrong_clock().values("pk"))
        yield "device with a wrong clock", "devices with wrong clocks", {"clock": "wrong"}, wrong

    def related(self, request: HttpRequest, target: Device) -> Iterable[Related]:
        return (list_of("sync.syncconflict", "Refused from it", device__id__exact=target.pk),)

    @admin.display(description="clock", ordering="clock_offset_s")
    def clock(self, device: Device) -> str:
        """Said where it is wrong."""
        offset = timedelta(seconds=device.clock_offset_s or 0)
        if abs(offset) <= settings.DEVICE_CLOCK_TOLERANCE:
            return "–"
        return badge(f"{abs(offset)} {'behind' if offset > timedelta(0) else 'ahead'}", "open")

    @admin.display(description="missing numbers")
    def gaps(self, device: Device) -> str:
        numbers = missing_numbers(device)
        more = " …" if len(numbers) == LISTED else ""
        return f"{', '.join(map(str, numbers))}{more}" or "–"


@admin.register(Feed)
class FeedAdmin(OfficeAdmin[Feed]):
    view_capability = Capability.VIEW_MACHINERY
    menu = Menu.MACHINERY
    is_scoped = False
    list_display = ("epoch", "position")
    search_fields = ("epoch",)


@admin.register(FeedEntry)
class FeedEntryAdmin(OfficeAdmin[FeedEntry]):
    view_capability = Capability.VIEW_MACHINERY
    menu = Menu.MACHINERY
    is_scoped = False
    list_display = ("position", "entity", "entity_id")
    search_fields = ("=entity_id",)

    def related(self, request: HttpRequest, target: FeedEntry) -> Iterable[Related]:
        return page_of(request, target.entity, target.entity_id, "What changed")
