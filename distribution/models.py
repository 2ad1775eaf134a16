"""Loads: cylinders out of a depot onto a vehicle, and back."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import User
from depots.models import Depot
from distribution.errors import AlreadyConfirmed, DistributionCancelled
from equipment.models import Equipment
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.columns import in_columns
from foundation.ledger.models import LedgerModel, LedgerQuerySet
from foundation.operations.models import OperationRecord
from inventory.models import Condition


class DistributionQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        return self.filter(rows_within(user, Capability.VIEW_DISTRIBUTIONS))

    def changeable_by(self, user: User) -> Self:
        """Those that the user may confirm or cancel."""
        return self.filter(rows_within(user, Capability.CHANGE_DISTRIBUTIONS))


class Distribution(OperationRecord):
    """A load. Creating it moves nothing; confirming it moves every item, once."""

    entity = "distribution.distribution"
    life_cycle = ("status", "confirmed_at", "confirmed_by", "cancelled_at")

    class Status(models.TextChoices):
        DRAFT = "DRAFT", "Draft"
        CONFIRMED = "CONFIRMED", "Confirmed"
        CANCELLED = "CANCELLED", "Cancelled"

    distribution_number = models.CharField(max_length=32, unique=True)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="distributions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="distributions")
    vehicle_no = models.CharField(max_length=16, blank=True, help_text="The user's vehicle then; empty: FIELD.")
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    remarks = models.CharField(max_length=500, blank=True)
    total_collection = models.PositiveIntegerField(help_text="Pieces OUT of the depot.")
    total_return = models.PositiveIntegerField(help_text="Pieces IN to the depot.")
    occurred_at = models.DateTimeField(help_text="When it was made in the field.")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="confirmed_distributions",
    )
    cancelled_at = models.DateTimeField(null=True, blank=True)

    objects = DistributionQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("status", "id"), name="distribution_status_idx"),
            models.Index(fields=("date",), name="distribution_date_idx"),
            models.Index(fields=("vehicle_no",), name="distribution_vehicle_idx"),
            models.Index(fields=("created_at",), name="distribution_created_idx"),
            models.Index(fields=("occurred_at",), name="distribution_occurred_idx"),
        )
        constraints = (in_columns("distribution", counts=("total_collection", "total_return")),)

    def __str__(self) -> str:
        return self.distribution_number

    def require_draft(self) -> None:
        """Raise AlreadyConfirmed or DistributionCancelled unless it is still a draft."""
        match self.status:
            case self.Status.CONFIRMED:
                raise AlreadyConfirmed(f"{self.distribution_number} is confirmed already.")
            case self.Status.CANCELLED:
                raise DistributionCancelled(f"{self.distribution_number} was cancelled.")


class DistributionItem(LedgerModel):
    """One line of a load."""

    entity = "distribution.distributionitem"

    class Direction(models.TextChoices):
        OUT = "OUT", "Out of the depot"
        IN = "IN", "In to the depot"

    distribution = models.ForeignKey(Distribution, on_delete=models.PROTECT, related_name="items")
    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="distribution_items")
    direction = models.CharField(max_length=3, choices=Direction)
    condition = models.CharField(max_length=8, choices=Condition)
    quantity = models.PositiveIntegerField()

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(condition=Q(quantity__gt=0), name="distribution_item_quantity_positive"),
            in_columns("distribution_item", counts=("quantity",)),
        )

    def __str__(self) -> str:
        return f"{self.direction} {self.quantity}"
