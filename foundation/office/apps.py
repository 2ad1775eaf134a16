"""The office as an app: it is loaded before any model, and its site after them."""

from typing import Any

from django.contrib.admin.apps import AdminConfig
from django.utils import formats

from foundation.unreadable import WORD, is_unreadable

_number_format = formats.number_format


class OfficeConfig(AdminConfig):
    """Stands for ``django.contrib.admin`` in INSTALLED_APPS."""

    default_site = "foundation.office.site.OfficeSite"

    def ready(self) -> None:
        super().ready()
        formats.number_format = _legible


def _legible(value: Any, *args: Any, **kwargs: Any) -> str:
    """All of Django's lists and pages write their numbers by this one function, which fails on a NaN."""
    return WORD if is_unreadable(value) else _number_format(value, *args, **kwargs)
