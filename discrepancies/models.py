"""Where what the field saw and what was recorded differ: said once, and seen to once."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import User
from depots.models import Depot
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.ledger.models import LedgerModel, LedgerQuerySet


def _within(user: User, capability: Capability) -> Q:
    """Also of the depot whose vehicle it was: it has to know who drives that one."""
    return rows_within(user, capability, depot="depot_id") | rows_within(user, capability, depot="vehicle_depot_id")


class DiscrepancyQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        """All, those of the depot that the user worked for then or of their vehicle's, or the user's own."""
        return self.filter(_within(user, Capability.VIEW_CONFLICTS))

    def decidable_by(self, user: User) -> Self:
        return self.filter(_within(user, Capability.SETTLE_CONFLICTS))

    def open(self) -> Self:
        """Those that nobody has seen to."""
        return self.filter(seen__isnull=True)


class Discrepancy(LedgerModel):
    """What was recorded stands; what the field showed, or said, was something else."""

    entity = "discrepancies.discrepancy"

    class Code(models.TextChoices):
        TOTAL_DIFFERS = "total_differs", "Another total was shown"
        CASH_DIFFERS = "cash_differs", "Other cash changed hands than was due"
        RATE_DIFFERS = "rate_differs", "Another rate was shown"
        VEHICLE_NOT_ASSIGNED = "vehicle_not_assigned", "Not the assigned vehicle"
        VEHICLE_OF_ANOTHER_DEPOT = "vehicle_of_another_depot", "A vehicle of another depot was taken"
        READING_DIFFERS = "reading_differs", "Another last reading was known"
        AFTER_COUNT = "after_count", "Recorded after a count that it claims to precede"
        NUMBER_REUSED = "number_reused", "The device's number came twice"
        OWN_CORRECTION = "own_correction", "Done by one person alone"

    code = models.CharField(max_length=32, choices=Code)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="discrepancies", help_text="Whose operation."
    )
    depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="discrepancies",
        help_text="That of what was recorded; else the user's then.",
    )
    vehicle_depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="That of the vehicle, where another vehicle than the assigned one was used.",
    )
    client_temp_id = models.CharField(max_length=64, blank=True, help_text="Of the operation; empty: it had none.")
    entity_type = models.CharField("about", max_length=64, help_text="app.model of what was recorded.")
    entity_id = models.BigIntegerField()
    shown = models.CharField(max_length=100, blank=True, help_text="What the field showed or said.")
    billed = models.CharField(max_length=100, blank=True, help_text="What was recorded.")
    detail = models.CharField(max_length=300)
    created_at = models.DateTimeField()
    date = models.DateField(help_text="The Singapore date of that.")

    objects = DiscrepancyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "discrepancies"
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("user", "client_temp_id"), name="discrepancy_operation_idx"),
            models.Index(fields=("entity_type", "entity_id"), name="discrepancy_entity_idx"),
            models.Index(fields=("depot", "id"), name="discrepancy_depot_idx"),
            models.Index(fields=("code", "id"), name="discrepancy_code_idx"),
            models.Index(fields=("date",), name="discrepancy_date_idx"),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.client_temp_id or self.entity_id}"


class DiscrepancySeen(LedgerModel):
    """Somebody has seen to a discrepancy."""

    entity = "discrepancies.discrepancyseen"

    discrepancy = models.OneToOneField(Discrepancy, on_delete=models.PROTECT, related_name="seen")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="discrepancies_seen")
    at = models.DateTimeField()
    remarks = models.CharField(max_length=500, blank=True)

    objects = LedgerQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "discrepancies seen"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.by} at {self.at}"
