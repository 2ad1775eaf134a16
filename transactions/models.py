"""Sales: one customer, one visit, one commit."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When

from accounts.models import User
from core.access import Capability
from core.ledger import LedgerModel, LedgerQuerySet
from core.money import rounded
from core.scoping import rows_within
from customers.models import Customer, PaymentType
from equipment.models import Equipment
from inventory.models import Condition
from invoices.models import Invoice


class TransactionQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        """All, those of the own depot's users, or the own."""
        return self.filter(rows_within(user, Capability.VIEW_SALES))

    def with_status(self) -> Self:
        """Adds the derived ``status``: a sale is voided once a reversal of it exists."""
        voided = Exists(Transaction.objects.filter(reverses=OuterRef("pk")))
        return self.annotate(
            status=Case(
                When(voided, then=Value(Transaction.Status.VOIDED)), default=Value(Transaction.Status.COMPLETED)
            )
        )


class Transaction(LedgerModel):
    """One sale at one customer, or the reversal of an earlier one. Written once, never changed."""

    class Status(models.TextChoices):
        COMPLETED = "COMPLETED", "Completed"
        VOIDED = "VOIDED", "Voided"

    transaction_number = models.CharField(max_length=32, unique=True)
    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="transaction")
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversal")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="transactions")
    customer_name = models.CharField(max_length=200, help_text="The customer's name then.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="transactions")
    vehicle_no = models.CharField(max_length=16, blank=True, help_text="The user's vehicle then; empty: FIELD.")
    client_temp_id = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001 -- none was sent
    meter_number = models.CharField(max_length=32, blank=True)
    last_meter_reading = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    current_meter_reading = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    meter_rate = models.DecimalField(max_digits=10, decimal_places=4, null=True, blank=True)
    usage = models.DecimalField(max_digits=12, decimal_places=2)
    usage_amount = models.DecimalField(max_digits=12, decimal_places=2)
    items_amount = models.DecimalField(max_digits=12, decimal_places=2)
    total_amount = models.DecimalField(max_digits=12, decimal_places=2, help_text="Usage and items, before GST.")
    payment_type = models.CharField(max_length=8, choices=PaymentType)
    payment_received = models.BooleanField(default=False)
    remarks = models.CharField(max_length=1000, blank=True)
    occurred_at = models.DateTimeField(help_text="When it happened in the field.")
    created_at = models.DateTimeField(help_text="When it was recorded.")
    date = models.DateField(help_text="The Singapore date of that.")

    objects = TransactionQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("customer", "id"), name="transaction_customer_idx"),
            models.Index(fields=("user", "id"), name="transaction_user_idx"),
            models.Index(fields=("date", "id"), name="transaction_date_idx"),
            models.Index(fields=("occurred_at",), name="transaction_occurred_idx"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(total_amount=rounded(F("usage_amount") + F("items_amount"))),
                name="transaction_total_adds_up",
            ),
        )

    def __str__(self) -> str:
        return self.transaction_number


class RateSource(models.TextChoices):
    CONTRACT = "CONTRACT", "Contract rate"
    DEFAULT = "DEFAULT", "Equipment's default"
    FIELD = "FIELD", "Sent from the field"
    OVERRIDE = "OVERRIDE", "Overridden"


class TransactionItem(LedgerModel):
    """One priced line. Rates are snapshots: later prices never change it."""

    class Type(models.TextChoices):
        SALE = "SALE", "Sale"
        SWAP = "SWAP", "Swap"
        RETURN = "RETURN", "Return"
        REFILL = "REFILL", "Refill"
        SERVICE = "SERVICE", "Service"
        DEPOSIT = "DEPOSIT", "Deposit"

    transaction = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="items")
    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="transaction_items")
    equipment_name = models.CharField(max_length=120, help_text="The equipment's name then.")
    type = models.CharField(max_length=8, choices=Type)
    condition = models.CharField(
        max_length=8, choices=Condition, blank=True, help_text="Of what comes back; only for a RETURN."
    )
    quantity = models.IntegerField(help_text="Negative in a reversal.")
    rate = models.DecimalField(max_digits=10, decimal_places=2)
    rate_source = models.CharField(max_length=8, choices=RateSource)
    amount = models.DecimalField(max_digits=12, decimal_places=2, help_text="Signed: a refund is negative.")
    taxable = models.BooleanField()

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = (models.CheckConstraint(condition=~Q(quantity=0), name="transaction_item_quantity_not_zero"),)

    def __str__(self) -> str:
        return f"{self.type} {self.quantity}"
