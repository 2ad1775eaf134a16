"""Vehicles, and who drove which one when."""

from typing import Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from depots.models import Depot
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.ledger.models import LedgerModel, LedgerQuerySet
from foundation.master_data import MasterDataQuerySet
from foundation.operations.models import OperationRecord

number_validator = RegexValidator(
    r"\A[A-Z0-9-]{2,16}\Z", "Capital letters, digits and hyphens, as on the plate without spaces: GBK1234A."
)


def normalised(plate: str) -> str:
    """A number plate as people write it (``gbk 1234 a``), as it is kept: ``GBK1234A``."""
    return "".join(plate.split()).upper()


class Vehicle(models.Model):
    """What cylinders are delivered with. Documents and locations name it by its number, which therefore stays."""

    entity = "fleet.vehicle"

    number = models.CharField(max_length=16, unique=True, validators=[number_validator])
    depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="vehicles",
        help_text="Whose staff see its stock, whoever drives it; empty: administrators alone.",
    )
    is_active = models.BooleanField(default=True)
    deactivated_at = models.DateTimeField(null=True, editable=False, help_text="Since when it is out of use.")

    objects = MasterDataQuerySet.as_manager()

    class Meta:
        ordering = ("number",)

    def __str__(self) -> str:
        return self.number


class PastVehicleDepot(LedgerModel):
    """The depot that a vehicle belonged to until ``until``: what was on it then stays that depot's."""

    entity = "fleet.pastvehicledepot"

    vehicle = models.ForeignKey(Vehicle, on_delete=models.PROTECT, related_name="past_depots")
    depot = models.ForeignKey(
        Depot, on_delete=models.PROTECT, null=True, related_name="past_vehicles", help_text="Empty: none."
    )
    until = models.DateTimeField()

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ("-until",)
        indexes = (models.Index(fields=("vehicle", "until"), name="past_vehicle_depot_idx"),)

    def __str__(self) -> str:
        return f"{self.vehicle} at {self.depot or 'no depot'} until {self.until}"


class AssignmentQuerySet(LedgerQuerySet):
    def visible_to(self, user: object) -> Self:
        """All, those of the own depot's users then, or the own."""
        return self.filter(rows_within(user, Capability.VIEW_ASSIGNMENTS))

    def standing(self) -> Self:
        """Those that no other one corrects."""
        return self.filter(correction__isnull=True)


class Assignment(OperationRecord):
    """From a moment on, until the next one's, a user drives a vehicle. Two users may share one.

    Written once. A mistake is put right by another row that ``corrects`` it; neither changes what was recorded.
    """

    entity = "fleet.assignment"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments")
    depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="assignments",
        help_text="The user's depot then.",
    )
    vehicle = models.ForeignKey(
        Vehicle,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="assignments",
        help_text="Empty: none from then on.",
    )
    from_at = models.DateTimeField(null=True, blank=True, help_text="Empty: from the beginning.")
    corrects = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="correction")
    reason = models.CharField(max_length=500, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="recorded_assignments",
        help_text="The user: they took it themselves. Empty: taken over from an earlier release.",
    )

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("user", "from_at", "id"), name="assignment_user_idx"),
            models.Index(fields=("date",), name="assignment_date_idx"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(from_at__isnull=True) | Q(from_at__lte=F("created_at")), name="assignment_not_ahead"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} on {self.vehicle or 'no vehicle'}"
