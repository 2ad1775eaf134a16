"""The site of the office: who it greets, how its front page is ordered, and what of Django's own it leaves out."""

from enum import StrEnum
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest
from django.urls import reverse


class Menu(StrEnum):
    """The groups of the front page, in its order. An app per group would be ten groups of one line."""

    SALES = "Sales and invoices"
    STOCK = "Cylinders"
    MASTER_DATA = "Master data"
    PEOPLE = "People and evidence"
    MACHINERY = "Behind the scenes"


class OfficeSite(AdminSite):
    site_title = "HSH LPG"
    site_header = "HSH LPG office"
    index_title = "Cylinders and money"
    empty_value_display = "–"
    site_url = None
    # Its width belongs to the lists; the front page has the same links.
    enable_nav_sidebar = False

    def get_urls(self) -> list[Any]:
        """Without Django's page for one's own password: it writes past the commands, so it ends no token and
        leaves no evidence."""
        own = ("password_change", "password_change_done")
        return [url for url in super().get_urls() if getattr(url, "name", None) not in own]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Grouped by `Menu`; the page of one app stays Django's."""
        if app_label is not None:
            return super().get_app_list(request, app_label)
        groups: dict[Menu, list[Any]] = {menu: [] for menu in Menu}
        for app in super().get_app_list(request):
            for model in app["models"]:
                groups[getattr(self._registry[model["model"]], "menu", Menu.MACHINERY)].append(model)
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
