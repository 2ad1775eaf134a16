"""The devices in the field, what came from them and was refused, and the order in which apps are told of changes."""

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from accounts.models import PastDepot, User
from depots.models import Depot
from foundation import clock
from foundation.access.capabilities import Capability, Scope
from foundation.access.scoping import rows_within
from foundation.ledger.models import LedgerModel, LedgerQuerySet
from foundation.operations.models import ClientOperation

MAX_NUMBER = 9_999_999
"""Of the operations that one device records for its user."""


class DeviceQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """All, those of who works at the own depot, those of who worked there while they had it, or the user's own."""
        now = rows_within(user, Capability.VIEW_CONFLICTS, depot="user__depot_id")
        if user.scope(Capability.VIEW_CONFLICTS) is not Scope.DEPOT or not user.depot_id:
            return self.filter(now)
        here = PastDepot.objects.filter(
            depot=user.depot_id, user=OuterRef("user"), until__gt=OuterRef("first_heard_at")
        )
        return self.filter(now | Q(Exists(here)))

    def with_gaps(self) -> Self:
        """Those that recorded what never came."""
        return self.filter(received__lt=F("last_number"))

    def complete(self) -> Self:
        return self.filter(received=F("last_number"))

    def with_wrong_clock(self) -> Self:
        """Those whose clock was off by more than `DEVICE_CLOCK_TOLERANCE` at the last push."""
        most = int(settings.DEVICE_CLOCK_TOLERANCE.total_seconds())
        return self.filter(Q(clock_offset_s__gt=most) | Q(clock_offset_s__lt=-most))


class Device(models.Model):
    """A phone, or a browser, as one user's: what it said of itself, and how much of it has come."""

    entity = "sync.device"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="devices", help_text="Who works with it."
    )
    key = models.CharField("device", max_length=64, help_text="The id that the app gave it.")
    first_heard_at = models.DateTimeField()
    heard_at = models.DateTimeField("last heard of")
    protocol = models.PositiveSmallIntegerField(help_text="The version that its app spoke last; 0: it has not pushed.")
    clock_offset_s = models.BigIntegerField(
        "clock offset",
        null=True,
        help_text="Seconds by which its clock was behind the server's at its last push; negative: ahead.",
    )
    last_number = models.IntegerField(default=0, help_text="Of the last operation that it recorded, as far as we know.")
    received = models.IntegerField(default=0, help_text="How many of these numbers have come.")

    objects = DeviceQuerySet.as_manager()

    class Meta:
        ordering = ("-heard_at", "-id")
        indexes = (models.Index(fields=("heard_at",), name="device_heard_idx"),)
        constraints = (
            models.UniqueConstraint(fields=("user", "key"), name="device_unique"),
            models.CheckConstraint(
                condition=Q(received__gte=0, received__lte=F("last_number"), last_number__lte=MAX_NUMBER),
                name="device_numbers_add_up",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user}'s {self.key[:8]}"

    @property
    def is_complete(self) -> bool:
        return self.received == self.last_number


class ReceivedNumber(LedgerModel):
    """One number of a device, and the operation that came under it. More than one came where a phone was restored."""

    entity = "sync.receivednumber"

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="numbers")
    number = models.IntegerField()
    key = models.CharField(max_length=64, help_text="SHA-256 of its client_temp_id; without one, of all that it says.")
    client_temp_id = models.CharField(max_length=64, blank=True)
    received_at = models.DateTimeField()

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ("device", "number", "id")
        constraints = (models.UniqueConstraint(fields=("device", "number", "key"), name="received_number_unique"),)

    def __str__(self) -> str:
        return f"{self.number} {self.client_temp_id}"


class Pull(models.Model):
    """A device has all that there was to know at a moment: by its prices it sells from then on."""

    entity = "sync.pull"

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="pulls")
    at = models.DateTimeField()

    class Meta:
        ordering = ("-at",)
        indexes = (models.Index(fields=("device", "at"), name="pull_device_idx"),)

    def __str__(self) -> str:
        return f"{self.device_id} {self.at}"


class SyncConflictQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        """All, those of the own depot, or the user's own."""
        return self.filter(rows_within(user, Capability.VIEW_CONFLICTS))


class SyncConflict(LedgerModel):
    """An operation that was refused, kept until somebody lets it happen or dismisses it.

    It is kept once, however often it is pushed.
    """

    entity = "sync.syncconflict"
    life_cycle = (
        "status", "settled_at", "settled_by", "reason", "result_type", "result_id", "waits_for", "withdrawn_at",
        "withdrawn_because",
    )  # fmt: skip

    class Status(models.TextChoices):
        OPEN = "OPEN", "Open"
        RETRIED = "RETRIED", "Retried: it happened"
        DISMISSED = "DISMISSED", "Dismissed"

    key = models.CharField(max_length=64, unique=True, help_text="SHA-256 of user, client_temp_id and what it says.")
    operation = models.OneToOneField(
        ClientOperation,
        on_delete=models.PROTECT,
        null=True,
        related_name="conflict",
        help_text="Empty where its client_temp_id is missing or belongs to another operation.",
    )
    first = models.ForeignKey(
        ClientOperation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The operation that its client_temp_id belongs to, where that is another one.",
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sync_conflicts", help_text="Who pushed it."
    )
    depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="sync_conflicts",
        help_text="The user's depot when it happened; empty: none.",
    )
    client_temp_id = models.CharField(max_length=64, blank=True)
    protocol = models.PositiveSmallIntegerField(default=1, help_text="The version by which it is read.")
    device = models.ForeignKey(
        Device, on_delete=models.PROTECT, null=True, blank=True, related_name="conflicts", help_text="Of protocol 2."
    )
    number = models.IntegerField(null=True, blank=True, help_text="Its place among what the device recorded.")
    type = models.CharField(max_length=32, blank=True)
    payload = models.TextField(help_text="The operation as it was sent: JSON.")
    errors = models.JSONField(help_text="Why it was refused: code, detail, attr of each error.")
    code = models.CharField(max_length=64, help_text="The first error's code.")
    waits_for = models.CharField(
        max_length=128,
        blank=True,
        default="",
        help_text="The balance that it lacked, or the key of the operation it refers to: then it is tried again.",
    )
    occurred_at = models.DateTimeField(null=True, help_text="By the device's clock.")
    corrected_at = models.DateTimeField(
        null=True, blank=True, help_text="By the server's, as of its first receipt: when it happens if it is retried."
    )
    received_at = models.DateTimeField()
    date = models.DateField(help_text="The Singapore date of that.")
    request_id = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="settled_conflicts"
    )
    reason = models.CharField(max_length=500, blank=True, help_text="Why it was dismissed.")
    withdrawn_at = models.DateTimeField(
        null=True, blank=True, help_text="When its user said that it shall not happen; somebody else decides."
    )
    withdrawn_because = models.CharField(max_length=500, blank=True, default="")
    result_type = models.CharField(max_length=64, blank=True, help_text="app.model of what it made when retried.")
    result_id = models.BigIntegerField(null=True, blank=True)

    objects = SyncConflictQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("status", "id"), name="conflict_status_idx"),
            models.Index(fields=("user", "id"), name="conflict_user_idx"),
            models.Index(fields=("user", "client_temp_id"), name="conflict_sent_idx"),
            models.Index(fields=("depot", "id"), name="conflict_depot_idx"),
            models.Index(fields=("waits_for", "status"), name="conflict_waits_for_idx"),
            models.Index(fields=("code",), name="conflict_code_idx"),
            models.Index(fields=("type",), name="conflict_type_idx"),
            models.Index(fields=("occurred_at",), name="conflict_occurred_idx"),
            models.Index(fields=("date",), name="conflict_date_idx"),
        )

    def __str__(self) -> str:
        return f"{self.type or 'operation'} {self.client_temp_id or self.pk}"

    @property
    def tried_again_until(self) -> datetime | None:
        """It is tried again by itself, once there is what it lacked, until the end of the day on which it came."""
        until = clock.end_of(self.date)
        waits = self.status == self.Status.OPEN and self.waits_for
        return until if waits and until > clock.now() else None


class Feed(models.Model):
    """The counter of announced changes: one row. A new ``epoch`` makes every app pull everything again."""

    entity = "sync.feed"

    epoch = models.CharField(max_length=16)
    position = models.BigIntegerField(default=0, help_text="How many changes were numbered.")

    def __str__(self) -> str:
        return f"{self.epoch} {self.position}"


class FeedEntry(models.Model):
    """The number of the latest change of one row."""

    entity = models.CharField(max_length=64, help_text="app.model of what changed.")
    entity_id = models.BigIntegerField()
    position = models.BigIntegerField(db_index=True)

    class Meta:
        verbose_name_plural = "feed entries"
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("entity", "entity_id"), name="feed_entity_unique"),)

    def __str__(self) -> str:
        return f"{self.position} {self.entity} {self.entity_id}"
