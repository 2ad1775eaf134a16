"""The append-only record of every state change."""

from typing import Self

from django.conf import settings
from django.db import models

from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.ledger.models import LedgerModel, LedgerQuerySet


class AuditLogQuerySet(LedgerQuerySet):
    def visible_to(self, user: models.Model) -> Self:
        """All records, those of the own depot, or none."""
        return self.filter(rows_within(user, Capability.VIEW_AUDIT))


class AuditLog(LedgerModel):
    """One command's evidence: who did what to which entity, from where, and what changed."""

    entity = "audit.auditlog"

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
    depot = models.ForeignKey(
        "depots.Depot",
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="audit_records",
        help_text="The user's depot then: whose supervisor reads it. No seal covers it.",
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
            models.Index(fields=("entity_id", "entity_type"), name="audit_entity_idx"),
            models.Index(fields=("entity_type",), name="audit_entity_type_idx"),
            models.Index(fields=("action", "id"), name="audit_action_idx"),
            models.Index(fields=("user", "id"), name="audit_user_idx"),
            models.Index(fields=("depot", "id"), name="audit_depot_idx"),
            models.Index(fields=("at",), name="audit_at_idx"),
            models.Index(fields=("date",), name="audit_date_idx"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.entity_type} {self.entity_id}"


class ConfirmationQuerySet(LedgerQuerySet):
    def visible_to(self, user: models.Model) -> Self:
        """All, those of the depot that it happened at, or what the user recorded."""
        return self.filter(rows_within(user, Capability.VIEW_CONFLICTS))


class Confirmation(LedgerModel):
    """Something unlikely that was recorded all the same: who confirmed it, for which value; or that nobody did."""

    entity = "audit.confirmation"

    code = models.CharField(max_length=64, help_text="Of the question: usage_unlikely, quantity_unlikely, …")
    attr = models.CharField("field", max_length=64)
    value = models.CharField(max_length=200, help_text="What was seen.")
    detail = models.CharField(max_length=500)
    entity_type = models.CharField("kind", max_length=64, help_text="app.model of what was recorded.")
    entity_id = models.BigIntegerField()
    about = models.CharField(max_length=150, blank=True, help_text="What was recorded, as it was called then.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="confirmations", help_text="Who recorded it."
    )
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="confirmed",
        help_text="Empty: nobody; it had happened in the field already, or stood in a file.",
    )
    depot = models.ForeignKey(
        "depots.Depot",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="confirmations",
        help_text="Where it happened.",
    )
    at = models.DateTimeField()
    date = models.DateField(help_text="The Singapore date of that.")

    objects = ConfirmationQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("entity_id", "entity_type"), name="confirmation_entity_idx"),
            models.Index(fields=("depot", "id"), name="confirmation_depot_idx"),
            models.Index(fields=("code", "id"), name="confirmation_code_idx"),
            models.Index(fields=("date",), name="confirmation_date_idx"),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.value}"


class AuditSeal(LedgerModel):
    """A closed batch of audit records: all those after the seal before, up to ``last_id``.

    ``hash`` covers the other columns, the Merkle root among them, and the hash of the seal before: whoever
    changes a sealed record has to make this seal and all later ones anew, which an anchor outside the database
    shows (see `audit.seals`).
    """

    entity = "audit.auditseal"

    number = models.PositiveIntegerField(unique=True, help_text="1, 2, 3 …: one chain without a fork.")
    first_id = models.BigIntegerField(help_text="The first record of the batch.")
    last_id = models.BigIntegerField(help_text="The last record of the batch.")
    size = models.PositiveIntegerField(help_text="How many records it has.")
    root = models.CharField(max_length=64, help_text="Merkle root over the records (RFC 6962, SHA-256).")
    previous = models.CharField(max_length=64, help_text="Hash of the seal before; zeros for the first.")
    hash = models.CharField(max_length=64, unique=True)
    sealed_at = models.DateTimeField()
    leaves = models.BinaryField(help_text="For each record its id (8 bytes, big-endian) and its leaf hash (32 bytes).")

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)

    def __str__(self) -> str:
        return f"seal {self.number}"
