"""What the models of master data share: codes, and who reads them."""

from typing import Any, Self

from django.core.validators import RegexValidator
from django.db import models

from foundation.access.capabilities import Capability
from foundation.ledger.models import LedgerQuerySet

code_validator = RegexValidator(
    r"\A[A-Z0-9](?:[A-Z0-9 ._/-]{0,30}[A-Z0-9])?\Z",
    "Capital letters and digits, with spaces or . _ / - between them; at most 32 characters.",
)
"""Codes are plain ASCII capitals, so that no database's collation takes two of them for one."""


class MasterDataQuerySet(models.QuerySet[Any]):
    """Rows that every role may read. Inactive ones stay readable; nothing is deleted."""

    def visible_to(self, user: Any) -> Self:
        return self if user.can(Capability.VIEW_MASTER_DATA) else self.none()


class FrozenMasterDataQuerySet(LedgerQuerySet, MasterDataQuerySet):  # type: ignore[override]  # each has its own as_manager()
    """Rates: read by every role, added to, never changed."""
