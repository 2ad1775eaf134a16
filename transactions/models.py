"""Sales and what belongs to them: their reversals, deposits held, meters replaced."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When

from accounts.models import User
from customers.models import Customer, PaymentType
from depots.models import Depot
from equipment.models import Equipment
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.columns import in_columns
from foundation.ledger.models import LedgerModel, LedgerQuerySet
from foundation.money import ZERO, rounded
from foundation.operations.models import OperationRecord
from inventory.models import Condition
from invoices.models import Invoice


class TransactionQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        """All, those of the own depot, or the own."""
        return self.filter(rows_within(user, Capability.VIEW_SALES))

    def sales(self) -> Self:
        """All but what takes sales back, whole or in part."""
        return self.filter(reverses__isnull=True, corrects__isnull=True)

    def with_readings(self) -> Self:
        """Those that moved or read the customer's meter; the void of a first reading has only a last one."""
        return self.filter(Q(current_meter_reading__isnull=False) | Q(last_meter_reading__isnull=False))

    def with_status(self) -> Self:
        """Adds the derived ``status``: what the documents that take a sale's back have left of it."""
        status = Case(
            When(voided_on__isnull=False, then=Value(Transaction.Status.VOIDED)),
            When(~Q(credited_amount=0), then=Value(Transaction.Status.CREDITED)),
            default=Value(Transaction.Status.COMPLETED),
        )
        return self.annotate(status=Subquery(Invoice.objects.filter(pk=OuterRef("invoice_id")).values_list(status)))


class Transaction(OperationRecord):
    """One sale at one customer, or the reversal of an earlier one. Written once, never changed."""

    entity = "transactions.transaction"

    class Status(models.TextChoices):
        COMPLETED = "COMPLETED", "Completed"
        CREDITED = "CREDITED", "Credited in part"
        VOIDED = "VOIDED", "Voided"

    transaction_number = models.CharField(max_length=32, unique=True)
    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="transaction")
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversal")
    corrects = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="corrections",
        help_text="The sale that it takes back in part.",
    )
    replaces = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="replaced_by",
        help_text="The sale that it bills again: that one was voided in the same commit.",
    )
    beside = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="refund",
        help_text="The sale of the same visit, which this refund exceeds: each has its own document.",
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="transactions")
    customer_name = models.CharField(max_length=200, help_text="The customer's name then.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="transactions")
    depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="transactions",
        help_text="The user's depot then; empty: none.",
    )
    vehicle_no = models.CharField(max_length=16, blank=True, help_text="The user's vehicle then; empty: FIELD.")
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

    objects = TransactionQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("customer", "id"), name="transaction_customer_idx"),
            models.Index(fields=("user", "id"), name="transaction_user_idx"),
            models.Index(fields=("depot", "id"), name="transaction_depot_idx"),
            models.Index(fields=("date", "id"), name="transaction_date_idx"),
            models.Index(fields=("occurred_at",), name="transaction_occurred_idx"),
            models.Index(fields=("vehicle_no",), name="transaction_vehicle_idx"),
            models.Index(fields=("payment_type",), name="transaction_payment_idx"),
            models.Index(fields=("payment_received",), name="transaction_received_idx"),
            models.Index(fields=("total_amount",), name="transaction_amount_idx"),
            models.Index(fields=("user", "date"), name="transaction_user_date_idx"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(total_amount=rounded(F("usage_amount") + F("items_amount"))),
                name="transaction_total_adds_up",
            ),
            in_columns(
                "transaction",
                fine_rates=("meter_rate",),
                amounts=(
                    "last_meter_reading",
                    "current_meter_reading",
                    "usage",
                    "usage_amount",
                    "items_amount",
                    "total_amount",
                ),
            ),
        )

    def __str__(self) -> str:
        return self.transaction_number


class RateSource(models.TextChoices):
    CONTRACT = "CONTRACT", "Contract rate"
    DEFAULT = "DEFAULT", "Equipment's default"
    FIELD = "FIELD", "Sent from the field"
    KNOWN = "KNOWN", "In force when the device last pulled"
    OVERRIDE = "OVERRIDE", "Overridden"
    LOT = "LOT", "What was charged for it"


class TransactionItem(LedgerModel):
    """One priced line. Rates are snapshots: later prices never change it."""

    entity = "transactions.transactionitem"

    class Type(models.TextChoices):
        SALE = "SALE", "Sale"
        SWAP = "SWAP", "Swap"
        RETURN = "RETURN", "Return"
        REFILL = "REFILL", "Refill"
        SERVICE = "SERVICE", "Service"
        DEPOSIT = "DEPOSIT", "Deposit"
        SHELL = "SHELL", "Shell"
        SETOFF = "SETOFF", "Deposit set off"

    class Reason(models.TextChoices):
        BOUGHT = "BOUGHT", "Bought by the customer"
        LOST = "LOST", "Lost by the customer"

    transaction = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="items")
    corrects = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="corrections",
        help_text="The line that it takes back in part.",
    )
    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="transaction_items")
    equipment_name = models.CharField(max_length=120, help_text="The equipment's name then.")
    type = models.CharField(max_length=8, choices=Type)
    condition = models.CharField(
        max_length=8, choices=Condition, blank=True, help_text="Of what comes back; only for a RETURN."
    )
    reason = models.CharField(
        max_length=8, choices=Reason, blank=True, default="", help_text="Why a SHELL is charged; else empty."
    )
    quantity = models.IntegerField(help_text="Negative in a reversal; 0 where only the amount is corrected.")
    rate = models.DecimalField(max_digits=10, decimal_places=2)
    rate_source = models.CharField(max_length=8, choices=RateSource)
    amount = models.DecimalField(max_digits=12, decimal_places=2, help_text="Signed: a refund is negative.")
    taxable = models.BooleanField()

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        indexes = (
            # All that a report by equipment adds up.
            models.Index(
                fields=("transaction", "equipment", "type", "taxable", "quantity", "amount"),
                name="transaction_item_figures_idx",
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=~Q(quantity=0) | Q(corrects__isnull=False), name="transaction_item_quantity_not_zero"
            ),
            in_columns("transaction_item", counts=("quantity",), rates=("rate",), amounts=("amount",)),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.quantity}"


class MeterReplacementQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        return self if user.can(Capability.VIEW_CUSTOMER_SITE) else self.none()


class DepositBalanceQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        return self if user.can(Capability.VIEW_CUSTOMER_SITE) else self.none()


class DepositBalance(models.Model):
    """A balance of deposits that earlier releases kept, and that is no lot: nothing, or less, is left of its pieces or
    its money. A list to look at; nothing changes it.
    """

    entity = "transactions.depositbalance"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="deposit_balances")
    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="deposit_balances")
    quantity = models.IntegerField(default=0, help_text="Charged less returned. Negative: more came back.")
    amount = models.DecimalField(max_digits=12, decimal_places=2, default=ZERO)

    objects = DepositBalanceQuerySet.as_manager()

    class Meta:
        ordering = ("customer", "equipment")
        constraints = (
            models.UniqueConstraint(fields=("customer", "equipment"), name="deposit_balance_unique"),
            in_columns("deposit_balance", counts=("quantity",), amounts=("amount",)),
        )

    def __str__(self) -> str:
        return f"{self.quantity} for {self.amount}"


class MeterReplacement(OperationRecord):
    """A customer's meter was taken out at its final reading, and another one put in at its first."""

    entity = "transactions.meterreplacement"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="meter_replacements")
    old_meter_number = models.CharField(max_length=32, blank=True)
    final_reading = models.DecimalField(max_digits=12, decimal_places=2)
    new_meter_number = models.CharField(max_length=32)
    first_reading = models.DecimalField(max_digits=12, decimal_places=2)
    final_sale = models.OneToOneField(
        Transaction,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="meter_replacement",
        help_text="What billed the old meter's last usage; empty: there was none.",
    )
    follows = models.ForeignKey(
        Transaction,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="meter_replacements_after",
        help_text="The customer's last transaction with a reading before it.",
    )
    reason = models.CharField(max_length=500, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="meter_replacements")
    depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        null=True,
        related_name="meter_replacements",
        help_text="The user's depot then; empty: none.",
    )
    occurred_at = models.DateTimeField()

    objects = MeterReplacementQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (in_columns("meter_replacement", amounts=("final_reading", "first_reading")),)

    def __str__(self) -> str:
        return f"{self.old_meter_number} to {self.new_meter_number}"
