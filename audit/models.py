"""The append-only record of every state change."""

from typing import Any, NoReturn, Self

from django.conf import settings
from django.db import models

from core.access import Capability
from core.scoping import rows_within


class LedgerWriteRefused(Exception):
    """Somebody tried to change or delete what may only be added to."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Rows can be added and read. Change and deletion are refused."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise LedgerWriteRefused(f"{self.model.__name__} is append-only")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise LedgerWriteRefused(f"{self.model.__name__} is append-only")

    def delete(self) -> NoReturn:
        raise LedgerWriteRefused(f"{self.model.__name__} is append-only")


class AppendOnlyModel(models.Model):
    """A row is written once. See `AppendOnlyQuerySet`; use both."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise LedgerWriteRefused(f"{type(self).__name__} is append-only")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise LedgerWriteRefused(f"{type(self).__name__} is append-only")


class AuditLogQuerySet(AppendOnlyQuerySet):
    def visible_to(self, user: Any) -> Self:
        """All records, those of the own depot's users, or none."""
        return self.filter(rows_within(user, Capability.VIEW_AUDIT))


class AuditLog(AppendOnlyModel):
    """One command's evidence: who did what to which entity, from where, and what changed."""

    at = models.DateTimeField(help_text="When the command ran.")
    date = models.DateField(help_text="The Singapore date of that.")
    action = models.CharField(max_length=64, help_text="app.thing.past_participle")
    entity_type = models.CharField(max_length=64, help_text="app.model of the entity.")
    entity_id = models.BigIntegerField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="audit_records",
        help_text="Empty for what the system did by itself.",
    )
    before = models.JSONField(null=True, help_text="The changed fields before; null for something new.")
    after = models.JSONField(null=True, help_text="The same fields after.")
    reason = models.CharField(max_length=500, blank=True)
    ip_address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)

    objects = AuditLogQuerySet.as_manager()

    class Meta:
        verbose_name = "audit record"
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("entity_type", "entity_id"), name="audit_entity_idx"),
            models.Index(fields=("action", "id"), name="audit_action_idx"),
            models.Index(fields=("user", "id"), name="audit_user_idx"),
            models.Index(fields=("at",), name="audit_at_idx"),
            models.Index(fields=("date",), name="audit_date_idx"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.entity_type} {self.entity_id}"
