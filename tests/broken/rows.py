"""Rows that the program didn't write, or wrote in an earlier release: what a column doesn't hold, in each of them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import connection, models

from core.packages import APPS
from foundation.ledger import guards

Which = Callable[[Any], bool]


def AMOUNTS(field: Any) -> bool:
    return isinstance(field, models.DecimalField)


def COUNTS(field: Any) -> bool:
    return isinstance(field, models.IntegerField) and not isinstance(field, models.BigIntegerField | models.AutoField)


def TEXTS(field: Any) -> bool:
    return isinstance(field, models.JSONField)


def fields_of(model: Any, which: Which) -> list[Any]:
    return [field for field in model._meta.concrete_fields if which(field)]


def models_with(which: Which) -> list[Any]:
    """Those of the project whose tables have such columns and rows."""
    ours = [model for model in apps.get_models() if model.__module__.partition(".")[0] in {*APPS, "foundation"}]
    return [model for model in ours if fields_of(model, which) and model._default_manager.exists()]


def break_row(model: Any, fields: Sequence[Any], value: str, pk: int | None = None) -> int:
    """Write an SQL value into fields of a row of a model, the latest, past every guard of SQLite."""
    pk = pk or model._default_manager.order_by("pk").values_list("pk", flat=True).last()
    assigned = ", ".join(f'"{field.column}" = {value}' for field in fields)
    with unguarded() as cursor:
        cursor.execute(f'UPDATE "{model._meta.db_table}" SET {assigned} WHERE "{model._meta.pk.column}" = %s', [pk])
        assert cursor.rowcount == 1
    assert pk is not None
    return pk


@contextmanager
def unguarded() -> Iterator[Any]:
    """A cursor that no trigger and no CHECK of SQLite stops, inside of a test's transaction."""
    guards.remove()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = 1")
        yield cursor
        cursor.execute("PRAGMA ignore_check_constraints = 0")
    guards.install()
