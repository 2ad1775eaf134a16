"""What every client's operation leaves: its key, the head of what it made, its place in the order of what happened."""

from django.conf import settings
from django.db import models

from foundation.ledger.models import LedgerModel, LedgerQuerySet
from foundation.operations.position import Position


class ClientOperation(LedgerModel):
    """One operation that a client named: the reason why it happens once however often it is sent.

    The row is written in the transaction of what it names: it has a result exactly if that happened, or a ``refusal``
    where the operation was refused for good and kept (see the sync app).
    """

    entity = "core.clientoperation"
    life_cycle = ("result_type", "result_id", "refusal", "type", "content")

    key = models.CharField(
        max_length=64,
        unique=True,
        help_text="SHA-256 of user and client_temp_id: unique byte for byte, whatever the collation.",
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="client_operations")
    client_temp_id = models.CharField(max_length=64)
    type = models.CharField(max_length=64, help_text="transaction.create, distribution.create, …")
    content = models.TextField(help_text="What the operation says, as it was sent: JSON.")
    result_type = models.CharField(max_length=64, blank=True, default="", help_text="app.model of what it made.")
    result_id = models.BigIntegerField(null=True, help_text="Primary key of what it made.")
    refusal = models.JSONField(null=True, help_text="The errors that it was refused with, as the API tells them.")
    created_at = models.DateTimeField()

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.type} {self.client_temp_id}"


class OperationRecord(LedgerModel):
    """What one operation makes: the columns that all such ledgers have."""

    client_temp_id = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001 -- none was sent
    created_at = models.DateTimeField()
    date = models.DateField(help_text="The Singapore date of that.")

    class Meta:
        abstract = True


class Ordered(models.Model):
    """Something that has its place in the one order of what happened, whenever it arrived (see `Position`)."""

    ordered_at = models.DateTimeField(
        help_text="Its moment in the order of what happened: the corrected time, or just after a count."
    )
    device = models.CharField(
        max_length=100, blank=True, help_text="The user's primary key and the device's own id; empty: none was named."
    )
    device_number = models.BigIntegerField(null=True, blank=True, help_text="Its number among what the device made.")

    class Meta:
        abstract = True

    @property
    def position(self) -> Position:
        return Position(self.ordered_at, self.device, self.device_number)

    @property
    def earlier_ones(self) -> models.Q:
        """What of its kind comes before it: in the same instant, what was recorded first."""
        same_instant = models.Q(ordered_at=self.ordered_at, pk__lt=self.pk)
        return models.Q(ordered_at__lt=self.ordered_at) | same_instant
