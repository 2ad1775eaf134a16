"""Every list of what grows, by every filter and order that it offers; and every report of a month."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django_filters import rest_framework as filters

from core.urls import router
from foundation.api.filters import MomentFilter
from reports.catalogue import REPORTS
from reports.figures import GroupBy

LISTS = {
    "transactions", "invoices", "payments", "audit", "distributions", "settlements", "depot-work", "sync/conflicts",
    "inventories/movements", "vehicle-assignments", "vehicle-transfers", "vehicle-counts", "cash-counts", "expenses",
}  # fmt: skip
"""The lists that grow with the business's age. The rest are as long as the business is large."""


def lists() -> Iterator[tuple[str, Any, Any]]:
    """Address, view, and its filters."""
    views: list[tuple[str, Any]] = [(prefix, view) for prefix, view, _ in router.registry]
    for prefix, view in views:
        if prefix in LISTS and hasattr(view, "list"):
            yield f"/api/{prefix}/", view, view.filterset_class
        for extra in view.get_extra_actions():
            if f"{prefix}/{extra.url_path}" in LISTS:
                yield f"/api/{prefix}/{extra.url_path}/", view, extra.kwargs["filterset_class"]


def list_questions(values: dict[str, Any], last_day: date) -> Iterator[str]:
    """Addresses: each list as it comes, by each of its orders, searched, and by each filter.

    ``values`` are those of filters that name something; a period is asked for from its beginning, for a month, and up
    to a year ago.
    """
    for address, view, filterset in lists():
        yield address
        for order in getattr(view, "ordering_fields", ()):
            if address.count("/") == 3:
                yield f"{address}?ordering=-{order}"
        for search in _searches(view, values["search"]) if address.count("/") == 3 else ():
            yield f"{address}?{urlencode({'search': search})}"
        for name, asked in filterset.base_filters.items():
            for value in _values(name, asked, values, last_day):
                yield f"{address}?{urlencode({name: value})}"


def _searches(view: object, words: str) -> list[str]:
    if not hasattr(view, "documents"):
        return []
    return [*(f"{prefix}-2026" for prefix in view.documents if prefix), words]


def _values(name: str, asked: object, values: dict[str, object], last_day: date) -> list[Any]:
    if name in values:
        return [values[name]]
    if isinstance(asked, filters.BooleanFilter):
        return ["true", "false"]
    if isinstance(asked, filters.ChoiceFilter):
        return [key for key, _ in asked.extra["choices"]]
    if isinstance(asked, filters.DateFilter | MomentFilter):
        days = [last_day - timedelta(days=back) for back in (30, 365, 720)]
        return days if isinstance(asked, filters.DateFilter) else [f"{day}T00:00:00Z" for day in days]
    raise NotImplementedError(f"{name}: say what to ask for")


def report_questions(values: dict[str, object], last_day: date) -> Iterator[str]:
    """Addresses: every report of the last month, or at its end and its beginning."""
    month = {"date_from": last_day - timedelta(days=30), "date_to": last_day}
    asked: dict[str, list[dict[str, Any]]] = {
        "sales-summary": [{**month, "group_by": str(group)} for group in GroupBy],
        "gst": [month],
        "mispriced": [month],
        "stock": [{}, {"at": f"{month['date_from']}T00:00:00Z"}],
        "conservation": [{}, {"at": f"{month['date_from']}T00:00:00Z"}],
        "driver-day": [{"date": last_day - timedelta(days=1), "driver": values["user"]}],
        "receivables": [{"as_of": last_day}, {"as_of": month["date_from"]}],
        "deposits": [{"as_of": last_day}, {"as_of": month["date_from"]}],
    }
    for listed in REPORTS:
        for query in asked[listed.name]:
            yield f"/api/reports/{listed.name}/?{urlencode(query)}"
    yield f"/api/customers/{values['customer']}/statement/?{urlencode(month)}"
