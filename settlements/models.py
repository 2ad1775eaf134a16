"""The seller's day-end: what was counted, beside what should have been there.

Its models were made in `transactions`. They keep that app's label, and with it their tables, their migrations, the
office's addresses and the permissions.
"""

from decimal import Decimal
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import User
from depots.models import Depot
from equipment.models import Equipment
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.columns import in_columns
from foundation.ledger.models import LedgerModel, LedgerQuerySet
from foundation.operations.models import OperationRecord
from inventory.models import Condition, Count
from payments.models import CashCount


class SettlementQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        return self.filter(rows_within(user, Capability.VIEW_SETTLEMENTS))

    def decidable_by(self, user: User) -> Self:
        return self.filter(rows_within(user, Capability.SIGN_OFF_SETTLEMENT))

    def blind_to(self, user: User) -> Self:
        """Those of which `Settlement.is_blind_to` says so."""
        return self.filter(user=user.pk).exclude(status=Settlement.Status.SIGNED_OFF)


class Settlement(OperationRecord):
    """The end of a seller's day: what should be on the vehicle and in the cash bag, and what was counted there."""

    entity = "transactions.settlement"
    life_cycle = ("status", "decided_by", "decided_at", "decision_remarks")

    class Status(models.TextChoices):
        COUNTED = "COUNTED", "Counted"
        SIGNED_OFF = "SIGNED_OFF", "Signed off"
        REJECTED = "REJECTED", "Rejected: to be counted again"

    settlement_number = models.CharField(max_length=32, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="settlements")
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, null=True, blank=True, related_name="settlements")
    vehicle_no = models.CharField(max_length=16, blank=True, help_text="Empty: nothing but the cash bag was counted.")
    vehicle_count = models.OneToOneField(
        Count, on_delete=models.PROTECT, null=True, blank=True, related_name="settlement"
    )
    cash_count = models.OneToOneField(
        CashCount, on_delete=models.PROTECT, null=True, blank=True, related_name="settlement"
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.COUNTED)
    cash_expected = models.DecimalField(max_digits=12, decimal_places=2)
    cash_counted = models.DecimalField(max_digits=12, decimal_places=2)
    remarks = models.CharField(max_length=500, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="decided_settlements"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_remarks = models.CharField(max_length=500, blank=True)

    objects = SettlementQuerySet.as_manager()

    class Meta:
        app_label = "transactions"
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("user", "status"), name="settlement_user_idx"),
            models.Index(fields=("status", "id"), name="settlement_status_idx"),
            models.Index(fields=("date",), name="settlement_date_idx"),
            models.Index(fields=("vehicle_no",), name="settlement_vehicle_idx"),
        )
        constraints = (in_columns("settlement", amounts=("cash_expected", "cash_counted")),)

    def __str__(self) -> str:
        return self.settlement_number

    def is_blind_to(self, reader: User) -> bool:
        """Whoever counted is shown nothing of what the books expected before somebody else signed it off."""
        return self.user_id == reader.pk and self.status != self.Status.SIGNED_OFF

    @property
    def cash_variance(self) -> Decimal:
        """Negative: some is missing."""
        return self.cash_counted - self.cash_expected


class SettlementLine(LedgerModel):
    """One equipment in one condition: how the day moved it, what should be there, and what was counted."""

    entity = "transactions.settlementline"

    settlement = models.ForeignKey(Settlement, on_delete=models.PROTECT, related_name="lines")
    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="settlement_lines")
    condition = models.CharField(max_length=8, choices=Condition)
    opening = models.IntegerField(help_text="On the vehicle when the day began.")
    loaded = models.IntegerField(help_text="Out of the depot.")
    delivered = models.IntegerField(help_text="To customers.")
    collected = models.IntegerField(help_text="From customers.")
    unloaded = models.IntegerField(help_text="Back to the depot.")
    other = models.IntegerField(help_text="Corrections and reversals; negative: fewer.")
    expected = models.IntegerField()
    counted = models.IntegerField()

    objects = LedgerQuerySet.as_manager()

    class Meta:
        app_label = "transactions"
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("settlement", "equipment", "condition"), name="settlement_line_unique"),
            models.CheckConstraint(condition=Q(counted__gte=0), name="settlement_line_count_not_negative"),
            models.CheckConstraint(
                condition=Q(
                    expected=F("opening") + F("loaded") - F("delivered") + F("collected") - F("unloaded") + F("other")
                ),
                name="settlement_line_adds_up",
            ),
            in_columns(
                "settlement_line",
                counts=(
                    "opening",
                    "loaded",
                    "delivered",
                    "collected",
                    "unloaded",
                    "other",
                    "expected",
                    "counted",
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.counted} of {self.expected}"

    @property
    def variance(self) -> int:
        """Negative: some are missing."""
        return self.counted - self.expected
