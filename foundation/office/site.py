"""The site of the office: who it greets, what its front page tells, and what of Django's own it leaves out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse
from django.utils.http import urlencode

from foundation.office.menu import HasMenu
from foundation.office.search import FindsRows


@dataclass(frozen=True, slots=True)
class Awaited:
    """What somebody should see to: how many there are, in words, and where."""

    count: str
    text: str
    url: str


MANY = 1_000
"""More than these aren't counted."""


class OfficeSite(FindsRows, HasMenu):
    site_title = "HSH LPG"
    site_header = "HSH LPG office"
    index_title = "Cylinders and money"
    empty_value_display = "–"
    site_url = None
    # Its width belongs to the lists; the front page has the same links.
    enable_nav_sidebar = False

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.figures: Callable[[HttpRequest], Mapping[str, object]] = lambda request: {}
        """What the front page tells its reader beside the lists: the context of ``admin/index.html``."""

    def index(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> TemplateResponse:
        context = {**self.figures(request), "awaited": list(self._awaited(request))}
        return super().index(request, {**context, **(extra_context or {})})

    def _awaited(self, request: HttpRequest) -> Iterator[Awaited]:
        for model, model_admin in self._registry.items():
            awaited = getattr(model_admin, "awaited", None)
            if awaited is None or not model_admin.has_view_permission(request):
                continue
            url = reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist")
            for one, many, filters, condition in awaited():
                rows = model_admin.get_queryset(request).filter(condition).order_by().values("pk")
                if count := rows[: MANY + 1].count():
                    shown = str(count) if count <= MANY else f"over {MANY}"
                    yield Awaited(shown, one if count == 1 else many, f"{url}?{urlencode(filters)}")

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Without Django's page for one's own password: it writes past the commands, so it ends no token and
        leaves no evidence."""
        own = ("password_change", "password_change_done")
        return [url for url in super().get_urls() if getattr(url, "name", None) not in own]
