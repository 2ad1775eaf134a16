"""Rows that are written once: the model's own refusal. The database's is in `foundation.ledger.guards`.

A ledger row is inserted and read. Only the columns that its model names as its life cycle (a status, time
stamps) may change afterwards, and nothing is ever deleted.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn

from django.db import models


class LedgerWriteRefused(Exception):
    """Somebody tried to change or delete what may only be added to."""


class LedgerQuerySet(models.QuerySet[Any]):
    """Rows can be added and read. Deletion is refused, and change of anything but the life cycle."""

    def update(self, **kwargs: object) -> int:
        self.model.require_life_cycle(kwargs)
        return super().update(**kwargs)

    def bulk_update(self, objs: Iterable[object], fields: Iterable[str], batch_size: int | None = None) -> int:
        self.model.require_life_cycle(fields := list(fields))
        return super().bulk_update(objs, fields, batch_size)

    def delete(self) -> NoReturn:
        raise LedgerWriteRefused(f"{self.model.__name__} is append-only")


class LedgerModel(models.Model):
    """A row is written once, but for its ``life_cycle`` fields. Use it with `LedgerQuerySet`."""

    life_cycle: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            kwargs["force_insert"] = True
        else:
            self.require_life_cycle(kwargs.get("update_fields"))
        super().save(*args, **kwargs)

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        raise LedgerWriteRefused(f"{type(self).__name__} is append-only")

    @classmethod
    def require_life_cycle(cls, fields: Iterable[str] | None) -> None:
        """Raise LedgerWriteRefused unless these are life-cycle fields (None: all of the row's fields)."""
        if fields is None or not {*fields} <= {*cls.life_cycle}:
            raise LedgerWriteRefused(f"{cls.__name__} is append-only")
