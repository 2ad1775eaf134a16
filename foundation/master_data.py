"""What the models of master data share: codes, and who reads them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef

from foundation import clock
from foundation.access.capabilities import Capability
from foundation.ledger.models import LedgerQuerySet

code_validator = RegexValidator(
    r"\A[A-Z0-9](?:[A-Z0-9 ._/-]{0,30}[A-Z0-9])?\Z",
    "Capital letters and digits, with spaces or . _ / - between them; at most 32 characters.",
)
"""Codes are plain ASCII capitals, so that no database's collation takes two of them for one."""


def was_active(row: Any, at: datetime) -> bool:
    """Was a row in use at a moment? The moment of its deactivation is the first without it.

    So what happened before can still be recorded when it arrives. Where nobody knows since when, it was not.
    """
    return row.is_active or (row.deactivated_at is not None and at < row.deactivated_at)


def with_moment(target: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes of a row, and where they deactivate it or take it into use again, since when."""
    if changes.get("is_active", target.is_active) == target.is_active:
        return dict(changes)
    return {**changes, "deactivated_at": None if changes["is_active"] else clock.now()}


class MasterDataQuerySet(models.QuerySet[Any]):
    """Rows that every role may read. Inactive ones stay readable; nothing is deleted."""

    def visible_to(self, user: Any) -> Self:
        return self if user.can(Capability.VIEW_MASTER_DATA) else self.none()


class FrozenMasterDataQuerySet(LedgerQuerySet, MasterDataQuerySet):  # type: ignore[override]  # each has its own as_manager()
    """Rates: read by every role, added to, never changed.

    One that was wrong is superseded by another one of the same date, by what the model names as ``dated_by``: the
    latest counts, and both stay readable.
    """

    def with_standing(self) -> Self:
        """Adds the derived ``is_superseded``: does a later row of the same date count instead?"""
        same = {name: OuterRef(name) for name in self.model.dated_by}
        return self.annotate(is_superseded=Exists(self.model._default_manager.filter(pk__gt=OuterRef("pk"), **same)))

    def standing(self) -> Self:
        """Those that nothing supersedes."""
        return self.with_standing().filter(is_superseded=False)
