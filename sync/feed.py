"""What an app needs to work without network: first everything, then what changed.

Changes are numbered when they can be seen, by whoever pulls next, under the feed's own lock. So the order of
numbers is the order in which changes became visible: a transaction that was open during a pull, however long,
gets a number behind it. The note of a change is deleted when it is numbered, and of each row the latest number
is kept, so that the feed doesn't grow with time.

A cursor says how far an app has come: ``epoch.position``, and while it is still fetching everything also
``.kind.id``: which kind of row and up to which primary key.
"""

import secrets
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from customers.models import Customer
from depots.models import Depot
from equipment.models import Equipment
from foundation.changes import Change, forget
from foundation.commands import command
from foundation.entities import entity_name
from foundation.errors import Invalid
from invoices.models import GstRate
from sync import locks
from sync.models import Feed, FeedEntry
from sync.selectors import customers_to_pull

KINDS: dict[str, Any] = {"depots": Depot, "equipment": Equipment, "gst_rates": GstRate, "customers": Customer}
_KIND_OF = {entity_name(model): kind for kind, model in KINDS.items()}
NUMBERED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far an app has come. ``kind`` None: it has everything up to ``position``."""

    epoch: str
    position: int
    kind: str | None = None
    after: int = 0

    def __str__(self) -> str:
        done = f"{self.epoch}.{self.position}"
        return done if self.kind is None else f"{done}.{self.kind}.{self.after}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Raises Invalid."""
        match text.split("."):
            case [epoch, position] if _is_number(position):
                return cls(epoch, int(position))
            case [epoch, position, kind, after] if _is_number(position) and _is_number(after) and kind in KINDS:
                return cls(epoch, int(position), kind, int(after))
        raise Invalid("This is no cursor: pull without one to begin anew.", attr="cursor")


@dataclass(slots=True)
class Page:
    """``rows`` are new or changed, by kind; ``gone`` the ids of those that may not be used any more."""

    cursor: Cursor
    has_more: bool
    rows: dict[str, list[Any]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    gone: dict[str, list[int]] = field(default_factory=lambda: {kind: [] for kind in KINDS})


def next_page(cursor: Cursor | None, size: int) -> Page:
    """The next ``size`` rows for an app that has come as far as ``cursor`` (None, or of another epoch: nothing)."""
    feed = number_changes()
    if cursor is None or cursor.epoch != feed.epoch or cursor.position > feed.position:
        cursor = Cursor(feed.epoch, feed.position, next(iter(KINDS)))
    if cursor.kind is not None:
        return _page_of_everything(cursor, cursor.kind, size)
    return _page_of_changes(cursor, size)


def number_changes() -> Feed:
    """Number the changes that can be seen and have no number yet; the feed as it is afterwards."""
    while Change.objects.exists():
        _number_some(through=NUMBERED_AT_ONCE)
    return Feed.objects.get()


@command
def _number_some(*, through: int) -> None:
    """Locks the feed. What others announce meanwhile isn't seen, and keeps its note."""
    feed = locks.feed()
    notes = list(Change.objects.order_by("id")[:through])
    changed = dict.fromkeys((note.entity, note.entity_id) for note in notes)
    FeedEntry.objects.bulk_create(
        (
            FeedEntry(entity=entity, entity_id=entity_id, position=feed.position + number)
            for number, (entity, entity_id) in enumerate(changed, start=1)
        ),
        update_conflicts=True,
        unique_fields=["entity", "entity_id"] if connection.features.supports_update_conflicts_with_target else None,
        update_fields=["position"],
    )
    forget(notes)
    feed.position += len(changed)
    feed.save(update_fields=["position"])


def begin_anew() -> str:
    """Make every app pull everything again: after a backup was restored, or rows were changed by hand."""
    epoch = secrets.token_hex(6)
    Feed.objects.update(epoch=epoch)
    return epoch


def _page_of_everything(cursor: Cursor, kind: str, size: int) -> Page:
    """Active rows by primary key, one kind after the other. What changes meanwhile has a number behind the cursor's."""
    page = Page(cursor, has_more=True)
    kinds = list(KINDS)
    after, left = cursor.after, size
    for current in kinds[kinds.index(kind) :]:
        rows = _read(_active(KINDS[current]).filter(pk__gt=after).order_by("pk")[:left])
        page.rows[current] = rows
        left -= len(rows)
        if not left:
            page.cursor = Cursor(cursor.epoch, cursor.position, current, _id(rows[-1]))
            return page
        after = 0
    page.cursor, page.has_more = Cursor(cursor.epoch, cursor.position), False
    return page


def _page_of_changes(cursor: Cursor, size: int) -> Page:
    entries = list(FeedEntry.objects.filter(position__gt=cursor.position).order_by("position")[: size + 1])
    page = Page(cursor, has_more=len(entries) > size)
    del entries[size:]
    if entries:
        page.cursor = Cursor(cursor.epoch, entries[-1].position)
    for kind, model in KINDS.items():
        ids = [entry.entity_id for entry in entries if _KIND_OF.get(entry.entity) == kind]
        page.rows[kind] = _read(_active(model).filter(pk__in=ids).order_by("pk"))
        page.gone[kind] = sorted({*ids} - set(map(_id, page.rows[kind])))
    return page


def _active(model: Any) -> Any:
    return model.objects.standing() if model is GstRate else model.objects.filter(is_active=True)


def _read(chosen: QuerySet[Any]) -> list[Any]:
    return customers_to_pull(chosen) if chosen.model is Customer else list(chosen)


def _id(row: Any) -> int:
    pk: int = row["id"] if isinstance(row, dict) else row.pk
    return pk


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
