"""The name under which a row stands in audit records, movements' causes, change notes and conflicts.

A model declares it (``entity = "invoices.payment"``). What is kept refers to rows by this name for good, so it doesn't
follow the class: a model that moves to another app keeps it.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model


def entity_name(of: Model | type[Model]) -> str:
    """The name that a model, or a row's model, declares."""
    model = of if isinstance(of, type) else type(of)
    name = getattr(model, "entity", None)
    if not isinstance(name, str):
        raise TypeError(f"{model.__name__} declares no entity")
    return name


def model_of(name: str) -> type[Any]:
    """The model that declares a name. Raises LookupError where none does."""
    return _models()[name]


def by_name(models: Iterable[type[Model]]) -> dict[str, type[Model]]:
    """Models by the name that they declare. Raises ImproperlyConfigured where two declare the same one."""
    found: dict[str, type[Model]] = {}
    for model in models:
        name = getattr(model, "entity", None)
        if isinstance(name, str) and found.setdefault(name, model) is not model:
            raise ImproperlyConfigured(f"{found[name].__name__} and {model.__name__} both declare {name}")
    return found


@cache
def _models() -> dict[str, type[Model]]:
    return by_name(apps.get_models())
