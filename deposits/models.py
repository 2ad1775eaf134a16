"""What was paid for cylinders that are lent: lots, and the ledger of all that came into them and out."""

from typing import Self

from django.db import models
from django.db.models import Q

from accounts.models import User
from customers.models import Customer
from equipment.models import Equipment
from foundation.access.capabilities import Capability
from foundation.columns import in_columns
from foundation.ledger.models import LedgerModel, LedgerQuerySet


class DepositLotQuerySet(models.QuerySet["DepositLot"]):
    def visible_to(self, user: User) -> Self:
        return self if user.can(Capability.VIEW_CUSTOMER_SITE) else self.none()

    def standing(self) -> Self:
        """Those that something is left of."""
        return self.filter(pieces__gt=0)

    def oldest_first(self) -> Self:
        return self.order_by("occurred_at", "pk")


class DepositLot(models.Model):
    """What is left of a deposit that was charged: so many pieces, and the money paid for them.

    Kept like a stock balance: the sum of its movements.
    """

    entity = "deposits.depositlot"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="deposit_lots")
    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="deposit_lots")
    pieces = models.IntegerField()
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    cause_type = models.CharField(max_length=64, blank=True, help_text="app.model of what charged it; empty: unknown.")
    cause_id = models.BigIntegerField(null=True, blank=True)
    document_number = models.CharField(max_length=32, blank=True, help_text="Of the invoice that charged it.")
    occurred_at = models.DateTimeField(help_text="When it was charged: the oldest lot is refunded first.")

    objects = DepositLotQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("customer", "equipment", "pieces"), name="deposit_lot_holder_idx"),
            models.Index(fields=("cause_type", "cause_id"), name="deposit_lot_cause_idx"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(pieces__gte=0, amount__gte=0), name="deposit_lot_not_negative"),
            models.CheckConstraint(condition=Q(pieces__gt=0) | Q(amount=0), name="deposit_lot_empty_without_pieces"),
            in_columns("deposit_lot", counts=("pieces",), amounts=("amount",)),
        )

    def __str__(self) -> str:
        return f"{self.pieces} for {self.amount}"


class LotMovement(LedgerModel):
    """Pieces and money that came into a lot, or out of it. Undone by one that names it."""

    entity = "deposits.lotmovement"

    class Kind(models.TextChoices):
        CHARGED = "CHARGED", "Charged"
        OPENING = "OPENING", "Balance of an earlier release"
        RETURNED = "RETURNED", "Refunded for what came back"
        SET_OFF = "SET_OFF", "Set off against a shell"
        VOIDED = "VOIDED", "Taken back by a void or a credit"

    lot = models.ForeignKey(DepositLot, on_delete=models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=8, choices=Kind)
    pieces = models.IntegerField(help_text="Into the lot; negative: out of it.")
    amount = models.DecimalField(max_digits=12, decimal_places=2, help_text="Signed like the pieces.")
    cause_type = models.CharField(max_length=64, blank=True, help_text="app.model of what did it; empty: an upgrade.")
    cause_id = models.BigIntegerField(null=True, blank=True)
    document_number = models.CharField(max_length=32, blank=True, help_text="Of the document that says so.")
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversal")
    created_at = models.DateTimeField()
    date = models.DateField(help_text="The Singapore date of that.")

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(fields=("cause_type", "cause_id"), name="lot_movement_cause_idx"),
            models.Index(fields=("document_number",), name="lot_movement_document_idx"),
            models.Index(fields=("date",), name="lot_movement_date_idx"),
        )
        constraints = (
            models.CheckConstraint(condition=~Q(pieces=0) | ~Q(amount=0), name="lot_movement_moves_something"),
            models.CheckConstraint(
                condition=Q(pieces__gt=0, amount__gte=0) | Q(pieces__lte=0, amount__lte=0),
                name="lot_movement_has_one_direction",
            ),
            in_columns("lot_movement", counts=("pieces",), amounts=("amount",)),
        )

    def __str__(self) -> str:
        return f"{self.pieces} for {self.amount}"
