"""The search over everything that the office keeps."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import urlencode

from foundation.office.pages import OfficeAdmin


@dataclass(frozen=True, slots=True)
class Hit:
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found in one list."""

    title: str
    hits: list[Hit]
    more: str
    """Where the others are; empty where these are all."""


MAX_HITS, MAX_ASKED = 8, 100


class FindsRows(AdminSite):
    """A site that looks into each list whose page ``is_found``."""

    def get_urls(self) -> list[URLResolver | URLPattern]:
        return [path("find/", self.admin_view(self.find), name="find"), *super().get_urls()]

    def find(self, request: HttpRequest) -> HttpResponseBase:
        """All that somebody may see by a number, a customer, a vehicle. One hit alone is opened at once."""
        asked = request.GET.get("q", "").strip()[:MAX_ASKED]
        found = list(self._found(request, asked)) if asked else []
        hits = [hit for group in found for hit in group.hits]
        if len(hits) == 1:
            return HttpResponseRedirect(hits[0].url)
        title = f"Found for {asked}" if asked else "Search"
        context = {**self.each_context(request), "title": title, "asked": asked, "found": found}
        return TemplateResponse(request, "admin/find.html", context)

    def _found(self, request: HttpRequest, asked: str) -> Iterator[Found]:
        for model, model_admin in self._registry.items():
            if (
                not isinstance(model_admin, OfficeAdmin)
                or not model_admin.is_found
                or not model_admin.has_view_permission(request)
            ):
                continue
            rows, may_repeat = model_admin.get_search_results(request, model_admin.get_queryset(request), asked)
            rows = rows if rows.query.order_by else rows.order_by(*model_admin.get_ordering(request))
            shown = list((rows.distinct() if may_repeat else rows)[: MAX_HITS + 1])
            if not shown:
                continue
            name = f"admin:{model._meta.label_lower.replace('.', '_')}"
            yield Found(
                str(model._meta.verbose_name_plural).capitalize(),
                [Hit(model_admin.said(row), reverse(f"{name}_change", args=[row.pk])) for row in shown[:MAX_HITS]],
                f"{reverse(f'{name}_changelist')}?{urlencode({'q': asked})}" if len(shown) > MAX_HITS else "",
            )
