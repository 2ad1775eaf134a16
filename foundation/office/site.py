"""The site of the office: who it greets, how its front page is ordered, and what of Django's own it leaves out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode

from foundation.access.capabilities import Capability


class Menu(StrEnum):
    """The groups of the front page, in its order. An app per group would be ten groups of one line."""

    SALES = "Sales and invoices"
    STOCK = "Cylinders"
    REPORTS = "Reports"
    MASTER_DATA = "Master data"
    PEOPLE = "People and evidence"
    MACHINERY = "Behind the scenes"


@dataclass(frozen=True, slots=True)
class OfficePage:
    """A page of the office that isn't a model's."""

    name: str
    """Its address below the office's, and the end of its URL's name."""
    title: str
    menu: Menu
    capability: Capability
    view: Callable[[HttpRequest], HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Awaited:
    """What somebody should see to: how many there are, in words, and where."""

    count: str
    text: str
    url: str


MANY = 1_000
"""More than these aren't counted."""


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


class OfficeSite(AdminSite):
    site_title = "HSH LPG"
    site_header = "HSH LPG office"
    index_title = "Cylinders and money"
    empty_value_display = "–"
    site_url = None
    # Its width belongs to the lists; the front page has the same links.
    enable_nav_sidebar = False

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.pages: list[OfficePage] = []
        self.figures: Callable[[HttpRequest], dict[str, Any]] = lambda request: {}
        """What the front page tells its reader beside the lists: the context of ``admin/index.html``."""

    def add_page(self, page: OfficePage) -> None:
        self.pages.append(page)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
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
        registry: dict[Any, Any] = self._registry
        for model, model_admin in registry.items():
            if not getattr(model_admin, "is_found", False) or not model_admin.has_view_permission(request):
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

    def _opened(self, page: OfficePage) -> Any:
        def view(request: HttpRequest) -> HttpResponseBase:
            user: Any = request.user
            if not user.can(page.capability):
                raise PermissionDenied
            return page.view(request)

        return self.admin_view(view)

    def get_urls(self) -> list[Any]:
        """Without Django's page for one's own password: it writes past the commands, so it ends no token and
        leaves no evidence."""
        own = ("password_change", "password_change_done")
        pages = [path(f"{page.name}/", self._opened(page), name=page.name.replace("/", "_")) for page in self.pages]
        pages.append(path("find/", self.admin_view(self.find), name="find"))
        return [*pages, *(url for url in super().get_urls() if getattr(url, "name", None) not in own)]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Grouped by `Menu`; the page of one app stays Django's."""
        if app_label is not None:
            return super().get_app_list(request, app_label)
        groups: dict[Menu, list[Any]] = {menu: [] for menu in Menu}
        for app in super().get_app_list(request):
            for model in app["models"]:
                groups[getattr(self._registry[model["model"]], "menu", Menu.MACHINERY)].append(model)
        user: Any = request.user
        for page in self.pages:
            if user.is_authenticated and user.can(page.capability):
                address = reverse(f"admin:{page.name.replace('/', '_')}", current_app=self.name)
                groups[page.menu].append(
                    {"name": page.title, "object_name": page.name, "admin_url": address, "view_only": True}
                )
        return [
            {
                "name": menu.value,
                "app_label": menu.name.lower(),
                "app_url": f"{reverse('admin:index', current_app=self.name)}#{menu.name.lower()}",
                "has_module_perms": True,
                "models": sorted(models, key=lambda model: str(model["name"])),
            }
            for menu, models in groups.items()
            if models
        ]


class OfficeConfig(AdminConfig):
    """Stands for ``django.contrib.admin`` in INSTALLED_APPS."""

    default_site = "foundation.office.site.OfficeSite"
