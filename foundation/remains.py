"""What is still out when a row goes out of use.

The app that has the row doesn't know what stands on it: those above it tell, each its part.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Something that was recorded in the field and isn't in the books, in words and as a program can read it.

    ``entity`` and ``entity_id`` name the row that tells more: what was kept, or the device. ``code`` says why it was
    refused, ``occurred_at`` when it happened; empty where nobody knows.
    """

    text: str
    user: int
    entity: str
    entity_id: int
    code: str = ""
    occurred_at: datetime | None = None

    def __str__(self) -> str:
        return self.text


Told = str | UnderWay
_TELLING: dict[type[Model], list[Callable[[Any], Iterable[Told]]]] = {}


def tells_of[F: Callable[[Any], Iterable[Told]]](model: type[Model]) -> Callable[[F], F]:
    """A function that says, in a few words each, what of its app is still out with a row of ``model``."""

    def register(function: F) -> F:
        _TELLING.setdefault(model, []).append(function)
        return function

    return register


def told_of(row: Model) -> list[Told]:
    """What all of them say."""
    return [told for tell in _TELLING.get(type(row), ()) for told in tell(row)]


def remaining(row: Model) -> list[str]:
    """Likewise, in words."""
    return [str(told) for told in told_of(row)]


def under_way(row: Model) -> list[UnderWay]:
    """Of it what may still arrive."""
    return [told for told in told_of(row) if isinstance(told, UnderWay)]
