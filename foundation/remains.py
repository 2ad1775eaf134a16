"""What is still out when a row goes out of use, or was put right.

The app that has the row doesn't know what stands on it: those above it tell, each its part.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model

from foundation.entities import model_of


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


@dataclass(frozen=True, slots=True)
class Pending:
    """What is told to one reader: what they may see, and how many ``others`` there are."""

    told: list[Told]
    others: int

    @property
    def under_way(self) -> list[UnderWay]:
        """Of what is told, what may still arrive."""
        return [told for told in self.told if isinstance(told, UnderWay)]

    @property
    def in_words(self) -> list[str]:
        return [*map(str, self.told), *self.others_in_words]

    @property
    def others_in_words(self) -> list[str]:
        """That there are others is told too: who decides has to know that something may still change."""
        return [f"{self.others} other{'' if self.others == 1 else 's'}, which you may not see"] if self.others else []


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


def pending_for(reader: Any, row: Model) -> Pending:
    """What all of them say, as far as a reader may see the rows that it names."""
    told = told_of(row)
    named: dict[str, set[int]] = defaultdict(set)
    for each in told:
        if isinstance(each, UnderWay):
            named[each.entity].add(each.entity_id)
    visible = {
        (entity, pk)
        for entity, pks in named.items()
        for pk in model_of(entity).objects.visible_to(reader).filter(pk__in=pks).values_list("pk", flat=True)
    }
    seen = [each for each in told if not isinstance(each, UnderWay) or (each.entity, each.entity_id) in visible]
    return Pending(seen, len(told) - len(seen))
