"""The site of the office: who it greets, how its front page is ordered, and what of Django's own it leaves out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.http import urlencode

from core.access import Capability


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

    count: int
    text: str
    url: str


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
                if count := model_admin.get_queryset(request).filter(condition).order_by().count():
                    yield Awaited(count, one if count == 1 else many, f"{url}?{urlencode(filters)}")

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

    default_site = "core.admin_site.OfficeSite"
