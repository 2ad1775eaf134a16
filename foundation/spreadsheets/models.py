"""Which tables were imported."""

from django.conf import settings
from django.db import models

from foundation.ledger.models import LedgerModel, LedgerQuerySet


class ImportedTable(LedgerModel):
    """A table that added rows. The same one again would add them twice, where they have no key of their own."""

    entity = "core.importedtable"

    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of its cells.")
    kind = models.CharField(max_length=64, help_text="customers, equipment, …")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    imported_at = models.DateTimeField()

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.kind} of {self.imported_at:%Y-%m-%d %H:%M}"
