"""Stock items: what is delivered, lent and counted."""

from decimal import Decimal
from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from foundation.columns import in_columns
from foundation.dated import DatedValue
from foundation.master_data import MasterDataQuerySet, code_validator
from foundation.searching import SearchText


class Equipment(models.Model):
    """A stock item. A sold cylinder is gas; the cylinder itself is lent against ``deposit``."""

    entity = "equipment.equipment"

    is_announced: ClassVar[bool] = True

    class Type(models.TextChoices):
        CYLINDER = "CYLINDER", "Cylinder"
        METER = "METER", "Meter"
        REGULATOR = "REGULATOR", "Regulator"

    sku = models.CharField("SKU", max_length=32, unique=True, validators=[code_validator])
    name = models.CharField(max_length=120)
    equipment_type = models.CharField(max_length=16, choices=Type)
    weight_kg = models.DecimalField(
        "weight (kg)",
        max_digits=6,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="Of the gas, for a cylinder.",
    )
    default_rate = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="Price of one where the customer has no contract rate, before GST.",
    )
    deposit = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="Charged by a DEPOSIT line and refunded by a RETURN; outside GST.",
    )
    is_foreign = models.BooleanField(
        "another brand's", default=False, help_text="A shell of another company: taken back, never sold or lent."
    )
    is_active = models.BooleanField(default=True)
    deactivated_at = models.DateTimeField(null=True, editable=False, help_text="Since when it is out of use.")
    search_name = SearchText("sku", "name")

    objects = MasterDataQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "equipment"
        ordering = ("sku",)
        constraints = (
            models.CheckConstraint(
                condition=Q(default_rate__isnull=True) | Q(default_rate__gte=0), name="equipment_rate_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(deposit__isnull=True) | Q(deposit__gte=0), name="equipment_deposit_not_negative"
            ),
            in_columns("equipment", weights=("weight_kg",), rates=("default_rate", "deposit")),
        )

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"


class EquipmentPrice(DatedValue):
    """What one of an equipment costs from a moment on, where no contract says otherwise, or its deposit.

    The equipment's own columns say what counts now, for lists and apps; a sale is priced by these rows.
    """

    entity = "equipment.equipmentprice"

    class Kind(models.TextChoices):
        """Named like the equipment's columns."""

        DEFAULT_RATE = "DEFAULT_RATE", "Default rate"
        DEPOSIT = "DEPOSIT", "Deposit"

        @property
        def column(self) -> str:
            return self.value.lower()

    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="prices")
    kind = models.CharField(max_length=16, choices=Kind)
    amount = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="Empty: from then on there is no such price.",
    )

    class Meta:
        verbose_name = "price"
        ordering = ("kind", "-valid_from", "-id")
        indexes = (models.Index(fields=("equipment", "valid_from"), name="equipment_price_idx"),)
        constraints = (
            models.CheckConstraint(condition=Q(amount__isnull=True) | Q(amount__gte=0), name="price_not_negative"),
            in_columns("equipment_price", rates=("amount",)),
        )

    def __str__(self) -> str:
        since = "ever since" if self.valid_from is None else f"from {self.day}"
        return f"{'none' if self.amount is None else self.amount} {since}"
