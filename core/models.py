"""What several apps' models share, and what every client's operation leaves: its key."""

from typing import Any, Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models

from core.access import Capability
from core.ledger import LedgerModel, LedgerQuerySet

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


class Change(models.Model):
    """A note that a row changed, until the sync app has numbered it (see core.changes)."""

    entity = models.CharField(max_length=64, help_text="app.model of what changed.")
    entity_id = models.BigIntegerField()

    class Meta:
        verbose_name = "announced change"
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.entity} {self.entity_id}"


class ClientOperation(LedgerModel):
    """One operation that a client named: the reason why it happens once however often it is sent.

    The row is written in the transaction of what it names: it has a ``result_id`` exactly if that happened, or a
    ``refusal`` where the operation was refused for good and kept (see the sync app).
    """

    entity = "core.clientoperation"
    life_cycle = ("result_id", "refusal", "type", "content")

    key = models.CharField(
        max_length=64,
        unique=True,
        help_text="SHA-256 of user and client_temp_id: unique byte for byte, whatever the collation.",
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="client_operations")
    client_temp_id = models.CharField(max_length=64)
    type = models.CharField(max_length=32, help_text="transaction.create, distribution.create, …")
    content = models.TextField(help_text="The operation's canonical JSON: the same content is the same text.")
    result_id = models.BigIntegerField(null=True, help_text="Primary key of what it made.")
    refusal = models.JSONField(null=True, help_text="The errors that it was refused with, as the API tells them.")
    created_at = models.DateTimeField()

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.type} {self.client_temp_id}"


class UploadedTable(models.Model):
    """A spreadsheet between its trial run and the import itself (see core.office_imports)."""

    name = models.CharField(max_length=32, unique=True, help_text="What the page sends back to have it imported.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    content = models.BinaryField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name
