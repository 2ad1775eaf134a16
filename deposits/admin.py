"""Deposits in the office: what is held, and where more is held than stands at the site."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from deposits.models import DepositLot, LotMovement
from deposits.selectors import beyond_holdings
from foundation.access.capabilities import Capability
from foundation.office.links import Related, list_of
from foundation.office.menu import Menu
from foundation.office.pages import OfficeAdmin, ReadOnlyInline


class HeldFilter(admin.SimpleListFilter):
    """Nothing is left of most lots."""

    title = "held"
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "Also what was given back"), ("beyond", "Beyond what stands at the site")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": "Held now"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[DepositLot]) -> QuerySet[DepositLot]:
        match self.value():
            case "all":
                return queryset
            case "beyond":
                return beyond_holdings(queryset)
        return queryset.filter(pieces__gt=0)


class LotMovementInline(ReadOnlyInline[LotMovement, DepositLot]):
    view_capability = Capability.VIEW_CUSTOMER_SITE
    model = LotMovement
    fields = ("date", "kind", "pieces", "amount", "document_number")
    readonly_fields = fields
    verbose_name_plural = "what came into it, and out"


@admin.register(DepositLot)
class DepositLotAdmin(OfficeAdmin[DepositLot]):
    """What customers hold against deposits. The lines of sales move it, nothing else."""

    view_capability = Capability.VIEW_CUSTOMER_SITE
    menu = Menu.SALES
    list_display = ("customer", "equipment", "pieces", "amount", "document_number", "occurred_at")
    list_filter = (HeldFilter, "equipment")
    list_select_related = ("customer", "equipment")
    search_fields = ("customer__search_name", "equipment__search_name", "document_number")
    search_help_text = "Customer's name or code, the equipment's, or a document's number"
    ordering = ("-id",)
    fields = ("customer", "equipment", "pieces", "amount", "document_number", "occurred_at")
    inlines = (LotMovementInline,)

    def related(self, request: HttpRequest, target: DepositLot) -> Iterable[Related]:
        return (list_of("transactions.transaction", "Sales", customer__id__exact=target.customer_id),)
