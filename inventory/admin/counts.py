"""Counts in the office: what was found where, and the signature under a vehicle's."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.models import User
from accounts.requests import acting_user
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.office.actions import ON_LISTS_AND_PAGES, ReasonedForm, RemarksForm
from foundation.office.links import Related, badge, evidence_of, list_of, on_its_way, page_of, pending_lines, plain
from foundation.office.menu import Menu
from foundation.office.pages import OfficeAdmin, ReadOnlyInline, may
from inventory import services
from inventory.models import Count, CountLine, CountQuerySet


class CountLineInline(ReadOnlyInline[CountLine, Count]):
    view_capability = Capability.VIEW_SETTLEMENTS
    model = CountLine
    fields = ("equipment", "condition", "quantity", "expected", "difference")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[CountLine]:
        return super().get_queryset(request).select_related("equipment")

    @admin.display(description="variance")
    def difference(self, line: CountLine) -> str:
        return badge(f"{line.variance:+d}", "open") if line.variance else "–"


class ChangedFilter(admin.SimpleListFilter):
    title = "changed since"
    parameter_name = "changed"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", "Something of before it came after it was signed off")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Count]) -> QuerySet[Count]:
        assert isinstance(queryset, CountQuerySet)
        return queryset.filter(queryset.changed()) if self.value() == "yes" else queryset


COUNT_TONES = {Count.Status.COUNTED: "open", Count.Status.SIGNED_OFF: "good"}


@admin.register(Count)
class CountAdmin(OfficeAdmin[Count]):
    view_capability = Capability.VIEW_SETTLEMENTS
    menu = Menu.STOCK
    inlines = (CountLineInline,)
    is_found = True
    list_display = ("count_number", "kind", "state", "location", "user", "depot", "occurred_at", "decided_by")
    list_filter = ("kind", "status", ChangedFilter, "depot")
    list_select_related = ("location__depot", "location__customer", "user", "depot", "decided_by")
    search_fields = ("count_number", "location__vehicle_no", "user__search_name")
    search_help_text = "Number, vehicle, or user name"
    date_hierarchy = "date"
    ordering = ("-id",)
    actions = ("sign_off", "reject")
    fields: ClassVar[Any] = (
        ("count_number", "kind", "state"), (plain("location"), "depot", "user"), "remarks",
        ("occurred_at", "ordered_at", "created_at"), ("decided_by", "decided_at"), "decision_remarks", "compared",
        "changed", "on_its_way",
        "client_temp_id",
    )  # fmt: skip
    readonly_fields = ("state", "changed")

    def impossible(self, target: Count) -> Iterable[str]:
        return () if target.status == Count.Status.COUNTED else self.actions

    def get_fields(self, request: HttpRequest, obj: Count | None = None) -> Any:
        reader = acting_user(request)
        shown: dict[object, Any] = {"on_its_way": on_its_way(reader), "compared": _compared(reader)}
        return [shown.get(name, name) for name in super().get_fields(request, obj)]

    def awaited(self) -> Iterable[tuple[str, str, Mapping[str, str], Q]]:
        """A day-end's count is decided with it."""
        counted = Count.Status.COUNTED
        filters = {"status__exact": str(counted), "settlement__isnull": "True"}
        yield "vehicle count to sign off", "vehicle counts to sign off", filters, Q(status=counted, settlement=None)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "settlement__isnull" or super().lookup_allowed(lookup, value, request)

    def related(self, request: HttpRequest, target: Count) -> Iterable[Related]:
        yield list_of("inventory.stockmovement", "Its movements", count__id__exact=target.pk)
        for name, entity, text in (
            ("settlement", "transactions.settlement", "Its day-end"),
            ("work", "inventory.depotwork", "Its stock-take"),
        ):
            document = getattr(target, name, None)
            if document is not None:
                yield from page_of(request, entity, document.pk, text)
        yield evidence_of(target)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return may(request, Capability.SIGN_OFF_SETTLEMENT)

    @admin.action(
        description="Sign off: the books say what was counted", permissions=["decide"], location=ON_LISTS_AND_PAGES
    )
    def sign_off(self, request: HttpRequest, queryset: QuerySet[Count]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            RemarksForm,
            "Sign off",
            "signed off",
            lambda count, sent: services.sign_off_count(actor=actor, count_id=count.pk, **sent),
            lambda count: told_of_count(actor, count),
        )

    @admin.action(description="Reject: have it counted again", permissions=["decide"], location=ON_LISTS_AND_PAGES)
    def reject(self, request: HttpRequest, queryset: QuerySet[Count]) -> HttpResponse | None:
        actor = acting_user(request)
        return self.ask(
            request,
            queryset,
            ReasonedForm,
            "Reject",
            "rejected",
            lambda count, sent: services.reject_count(actor=actor, count_id=count.pk, **sent),
        )

    @admin.display(description="changed since")
    def changed(self, count: Count) -> str:
        """By what came after the signature."""
        if count.status != Count.Status.SIGNED_OFF:
            return "–"
        lines = [line for line in services.lines_by_now(count) if line.variance_now != line.variance]
        told = (
            (f"{line.equipment.sku} {line.condition}: {line.variance:+d} signed, {line.variance_now:+d} now",)
            for line in lines
        )
        return format_html_join(SafeString("<br>"), "{}", told) or "–"

    @admin.display(description="status", ordering="status")
    def state(self, count: Count) -> str:
        status = Count.Status(count.status)
        return badge(status.label.split(":")[0], COUNT_TONES.get(status, "off"))


def told_of_stock_take(reader: User, count: Count) -> Iterable[str]:
    """What whoever took stock should know: by how much it differed, and what may change that."""
    yield from _variances(count.lines.select_related("equipment"))
    yield from _still_coming(reader, count)


def told_of_count(reader: User, count: Count) -> Iterable[str]:
    """What somebody who signs an open count off should know: its variance, and what may change that."""
    yield f"{count.location}, counted by {count.user} at {clock.in_words(count.occurred_at)}"
    yield from _beside_the_books(reader, count)
    yield from _still_coming(reader, count)


def _compared(reader: User) -> Callable[[Count], str]:
    """A field of a count's page: what differs, also of what the counter left out, for who may decide about it."""

    def compared(count: Count) -> str:
        lines = _beside_the_books(reader, count)
        return format_html_join(SafeString("<br>"), "{}", ((line,) for line in lines)) or "–"

    return admin.display(description="beside the books")(compared)


def _beside_the_books(reader: User, count: Count) -> list[str]:
    if not services.may_compare(reader, count):
        return []
    return [*_variances(services.compared_lines(count))] or ["The goods agree with the books."]


def _variances(lines: Iterable[CountLine]) -> Iterable[str]:
    for line in lines:
        if line.variance:
            yield (
                f"{line.variance:+d} {line.equipment.sku} {line.condition}: "
                f"{f'{line.quantity} counted' if line.is_named else 'not named'}, {line.expected} in the books"
            )


def _still_coming(reader: User, count: Count) -> Iterable[str]:
    for line in pending_lines(reader, count):
        yield format_html("Still on its way: {}", line)
