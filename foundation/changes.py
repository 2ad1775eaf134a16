"""What apps that work offline have to be told: which rows changed.

A writer notes the change in its own transaction, under no lock that others wait for. Its id says nothing about
the order of commits, so the sync app numbers the notes once they can be seen: a change that commits late gets a
late number, and nobody who asked before has missed it.
"""

from collections.abc import Iterable
from typing import Any

from django.db import models

from foundation.entities import entity_name


class Change(models.Model):
    """A note that a row changed, until the sync app has numbered it."""

    entity = models.CharField(max_length=64, help_text="app.model of what changed.")
    entity_id = models.BigIntegerField()

    class Meta:
        verbose_name = "announced change"
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.entity} {self.entity_id}"


def announce(*rows: models.Model) -> None:
    """Note, in the caller's transaction, that these rows are new or changed."""
    Change.objects.bulk_create(Change(entity=entity_name(row), entity_id=row.pk) for row in rows)


def announce_if_told(row: Any) -> None:
    if getattr(row, "is_announced", False):
        announce(row)


def forget(notes: Iterable[Change]) -> None:
    """Delete notes that have their numbers, in the transaction that numbered them."""
    Change.objects.filter(pk__in=[note.pk for note in notes]).delete()
