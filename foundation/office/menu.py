"""The menu of the office: its groups, and the pages in it that aren't a model's."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, path, reverse

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


class HasMenu(AdminSite):
    """A site whose front page is ordered by `Menu`."""

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.pages: list[OfficePage] = []

    def add_page(self, page: OfficePage) -> None:
        self.pages.append(page)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        pages = [path(f"{page.name}/", self._opened(page), name=page.name.replace("/", "_")) for page in self.pages]
        return [*pages, *super().get_urls()]

    def _opened(self, page: OfficePage) -> Callable[[HttpRequest], HttpResponseBase]:
        def view(request: HttpRequest) -> HttpResponseBase:
            user = request.user
            if not (user.is_authenticated and user.can(page.capability)):
                raise PermissionDenied
            return page.view(request)

        return self.admin_view(view)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Grouped by `Menu`; the page of one app stays Django's."""
        if app_label is not None:
            return super().get_app_list(request, app_label)
        groups: dict[Menu, list[Any]] = {menu: [] for menu in Menu}
        for app in super().get_app_list(request):
            for model in app["models"]:
                groups[getattr(self._registry[model["model"]], "menu", Menu.MACHINERY)].append(model)
        user = request.user
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
