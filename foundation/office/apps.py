"""The office as an app: it is loaded before any model, and its site after them."""

from django.contrib.admin.apps import AdminConfig


class OfficeConfig(AdminConfig):
    """Stands for ``django.contrib.admin`` in INSTALLED_APPS."""

    default_site = "foundation.office.site.OfficeSite"
