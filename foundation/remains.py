"""What is still out when a row goes out of use.

The app that has the row doesn't know what stands on it: those above it tell, each its part.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Model

_TELLING: dict[type[Model], list[Callable[[Any], Iterable[str]]]] = {}


def tells_of[F: Callable[[Any], Iterable[str]]](model: type[Model]) -> Callable[[F], F]:
    """A function that says, in a few words each, what of its app is still out with a row of ``model``."""

    def register(function: F) -> F:
        _TELLING.setdefault(model, []).append(function)
        return function

    return register


def remaining(row: Model) -> list[str]:
    """What all of them say."""
    return [text for tell in _TELLING.get(type(row), ()) for text in tell(row)]
