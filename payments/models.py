"""Money: what came in, and which documents it settles. Never edited: what undoes a payment is another one.

Its models were made in `invoices`. They keep that app's label, and with it their tables, their migrations, the
office's addresses and the permissions.
"""

from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Prefetch, Q, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.models import User
from customers.models import Customer
from depots.models import Depot
from discrepancies.models import Discrepancy
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.columns import in_columns
from foundation.ledger.models import LedgerModel, LedgerQuerySet
from foundation.money import ZERO, rounded, sum_of
from foundation.operations.models import OperationRecord, Ordered
from invoices.models import Invoice

MOST_ROUNDED = Decimal("0.50")
"""Cash is rounded by at most half of the smallest coin, which is of at most a dollar."""


class PaymentQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        """All, those of the own depot, or the own."""
        return self.filter(rows_within(user, Capability.VIEW_SALES))

    def unmatched(self) -> Q:
        """What moved without cash, and nobody has found in the bank's or the terminal's report.

        Also what was reversed: who keeps cash, calls it PayNow and has that reversed still shows. What the bank sent
        back it has had.
        """
        methods = [method for method in Payment.Method if method != Payment.Method.CASH]
        return Q(banked_on=None, method__in=methods, reverses=None, bounced_on=None)

    def with_allocations(self, reader: User) -> Self:
        """Each with its ``allocations``; which documents they settle is told of those that the reader may see."""
        allocations = Allocation.objects.read_by(reader).select_related("invoice")
        return self.prefetch_related(Prefetch("allocations", allocations.defer("invoice__snapshot")), "roundings")


class CashCountQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        """All, those of the own depot, or the own."""
        return self.filter(rows_within(user, Capability.VIEW_SETTLEMENTS, depot="depot_id"))

    def decidable_by(self, user: User) -> Self:
        return self.filter(rows_within(user, Capability.SIGN_OFF_SETTLEMENT, depot="depot_id"))

    def standing(self) -> Self:
        """Those that handed cash in."""
        return self.filter(status=CashCount.Status.SIGNED_OFF)

    def changed(self) -> Q:
        """Those whose cash is other than was signed: it, or another count, came afterwards and was of before.

        By what was noted in the commit that changed them. Few are: they are not looked for among all cash.
        """
        noted = Discrepancy.objects.filter(code=Discrepancy.Code.AFTER_COUNT)
        late = noted.filter(entity_type__in=(Payment.entity, CashExpense.entity)).values("billed")
        taken = noted.filter(entity_type=CashCount.entity).values("entity_id")
        return Q(status=CashCount.Status.SIGNED_OFF) & (Q(count_number__in=late) | Q(pk__in=taken))

    def with_handed_in(self) -> Self:
        """Each with ``handed_in``: all cash that is handed in with it, less what was spent of it."""
        taken, spent = (_handed_in_of(rows) for rows in (Payment.objects, CashExpense.objects))
        # SQLite's difference of two infinities is null.
        return self.annotate(handed_in=Coalesce(rounded(taken - spent), taken))


def _handed_in_of(rows: Any) -> Coalesce:
    """What a count's rows of a kind add up to."""
    cash = rows.filter(cash_count=OuterRef("pk")).order_by().values("cash_count")
    return Coalesce(Subquery(cash.annotate(total=sum_of("amount")).values("total")), Value(ZERO))


class CashCount(Ordered, OperationRecord):
    """What was found in somebody's cash bag at a moment. Signed off, it hands in all cash that was taken before.

    Handing in is final: cash that was taken before and is recorded later explains this count, and enters no later one.
    """

    entity = "payments.cashcount"
    life_cycle = ("status", "decided_by", "decided_at", "decision_remarks", "ordered_at")

    class Status(models.TextChoices):
        COUNTED = "COUNTED", "Counted"
        SIGNED_OFF = "SIGNED_OFF", "Signed off"
        REJECTED = "REJECTED", "Rejected: to be counted again"

    count_number = models.CharField(max_length=32, unique=True)
    depot = models.ForeignKey(
        Depot, on_delete=models.PROTECT, null=True, blank=True, related_name="cash_counts", help_text="The user's then."
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="cash_counts")
    cash = models.DecimalField(max_digits=12, decimal_places=2, help_text="Counted.")
    status = models.CharField(max_length=10, choices=Status, default=Status.COUNTED)
    remarks = models.CharField(max_length=500, blank=True)
    occurred_at = models.DateTimeField(help_text="When it was counted.")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="decided_cash_counts"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_remarks = models.CharField(max_length=500, blank=True)

    objects = CashCountQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("user", "status", "ordered_at"), name="cash_count_user_idx"),
            models.Index(fields=("device", "device_number"), name="cash_count_device_idx"),
            models.Index(fields=("status", "id"), name="cash_count_status_idx"),
            models.Index(fields=("date",), name="cash_count_date_idx"),
        )
        constraints = (in_columns("cash_count", amounts=("cash",)),)

    def __str__(self) -> str:
        return self.count_number

    @property
    def order(self) -> tuple[Any, ...]:
        """Counts of a user compare by it."""
        return (self.ordered_at, self.device, self.device_number or 0, self.client_temp_id or "", self.pk)


class CashExpenseQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        """As the counts that they are handed in with: all, those of the own depot, or the own."""
        return self.filter(rows_within(user, Capability.VIEW_SETTLEMENTS))


class CashExpense(Ordered, OperationRecord):
    """What somebody paid from the own cash bag (petrol, parking); the negative one takes another one back.

    It lowers what is expected in the bag, and is handed in like the cash: see `payments.bag`.
    """

    entity = "payments.cashexpense"
    life_cycle = ("cash_count", "ordered_at")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="cash_expenses", help_text="Who paid it."
    )
    depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="cash_expenses",
        help_text="The user's then; empty: none.",
    )
    amount = models.DecimalField(max_digits=12, decimal_places=2, help_text="Negative: reversed.")
    reason = models.CharField(max_length=500, help_text="What it was for; of a reversal, why it was taken back.")
    reference = models.CharField(max_length=64, blank=True, help_text="The receipt's number.")
    occurred_at = models.DateTimeField(help_text="When it was paid, or reversed.")
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversal")
    cash_count = models.ForeignKey(
        CashCount,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="expenses",
        help_text="What it was handed in with: the first count that stands after it was paid. Empty: in the bag.",
    )

    objects = CashExpenseQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("user", "cash_count", "amount"), name="cash_expense_bag_idx"),
            models.Index(fields=("date",), name="cash_expense_date_idx"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(amount__gt=0, reverses__isnull=True) | Q(amount__lt=0, reverses__isnull=False),
                name="cash_expense_is_negative_where_it_reverses",
            ),
            in_columns("cash_expense", amounts=("amount",)),
        )

    def __str__(self) -> str:
        return f"EXP-{self.pk:06d}"


class Payment(Ordered, OperationRecord):
    """Money that changed hands with a customer; the negative one pays out, or reverses another one.

    What it settles, its allocations say. The rest of it is the customer's credit.
    """

    entity = "invoices.payment"
    life_cycle = ("allocated_amount", "used_up_on", "cash_count", "ordered_at", "banked_on", "bounced_on")

    class Method(models.TextChoices):
        CASH = "CASH", "Cash"
        PAYNOW = "PAYNOW", "PayNow"
        CARD = "CARD", "Card (NETS)"
        CHEQUE = "CHEQUE", "Cheque"
        BANK_TRANSFER = "BANK_TRANSFER", "Bank transfer"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="payments")
    method = models.CharField(max_length=16, choices=Method)
    amount = models.DecimalField(max_digits=12, decimal_places=2, help_text="Negative: paid out, or reversed.")
    given = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="What was handed over, where change went back.",
    )
    received_on = models.DateField(
        help_text="The Singapore date on which the money came. What was owed on a day goes by the day of its record."
    )
    reference = models.CharField(max_length=64, blank=True, help_text="Cheque number, bank reference, …")
    remarks = models.CharField(max_length=500, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payments", help_text="Who took it."
    )
    depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="payments",
        help_text="The user's depot then; empty: none.",
    )
    is_goodwill = models.BooleanField(
        default=False, help_text="Paid out for nothing that was charged: it touches neither deposits nor the account."
    )
    is_on_the_spot = models.BooleanField(default=False, help_text="Taken with the sale, in its commit.")
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversal")
    allocated_amount = models.DecimalField(
        max_digits=12, decimal_places=2, default=ZERO, help_text="What its allocations settle; signed like the amount."
    )
    used_up_on = models.DateField(null=True, blank=True, help_text="Since when no credit is left of it.")
    banked_on = models.DateField(
        null=True,
        blank=True,
        help_text="When the bank's or the terminal's report had it. Empty: nobody has found it there.",
    )
    bounced_on = models.DateField(null=True, blank=True, help_text="When the bank sent the cheque back.")
    cash_count = models.ForeignKey(
        CashCount,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="payments",
        help_text="What cash was handed in with: the first count that stands after it was taken. Empty: in the bag.",
    )

    objects = PaymentQuerySet.as_manager()

    class Meta:
        app_label = "invoices"
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("customer", "received_on"), name="payment_customer_idx"),
            models.Index(fields=("used_up_on", "customer"), name="payment_credit_idx"),
            models.Index(fields=("user", "method", "cash_count", "amount"), name="payment_bag_idx"),
            models.Index(fields=("date", "method", "user", "amount"), name="payment_figures_idx"),
            models.Index(fields=("depot", "id"), name="payment_depot_idx"),
            models.Index(fields=("is_goodwill", "id"), name="payment_goodwill_idx"),
            models.Index(fields=("received_on",), name="payment_received_idx"),
            models.Index(fields=("method",), name="payment_method_idx"),
            models.Index(fields=("reference",), name="payment_reference_idx"),
            models.Index(fields=("amount",), name="payment_amount_idx"),
            models.Index(fields=("banked_on", "method"), name="payment_banked_idx"),
        )
        constraints = (
            models.CheckConstraint(condition=~Q(amount=0), name="payment_amount_not_zero"),
            models.CheckConstraint(
                condition=Q(allocated_amount__gte=0, allocated_amount__lte=F("amount"))
                | Q(allocated_amount__lte=0, allocated_amount__gte=F("amount")),
                name="payment_not_allocated_beyond_its_amount",
            ),
            models.CheckConstraint(condition=Q(given=None) | Q(given__gte=F("amount")), name="payment_given_covers_it"),
            models.CheckConstraint(
                condition=~Q(method="CASH") | Q(banked_on=None, bounced_on=None), name="payment_cash_is_not_banked"
            ),
            in_columns("payment", amounts=("amount", "allocated_amount", "given")),
        )

    def __str__(self) -> str:
        return f"PAY-{self.pk:06d}"

    @property
    def rounding(self) -> Decimal:
        """How much more came than it settled, since it was rounded to coins; negative: less."""
        return -sum((each.amount for each in self.roundings.all()), ZERO) + ZERO

    @property
    def credit_amount(self) -> Decimal:
        """What it settles nothing of, yet: nothing of what was taken back."""
        return self.amount - self.allocated_amount if self.used_up_on is None else ZERO


class AllocationQuerySet(LedgerQuerySet):
    def read_by(self, reader: User) -> Self:
        """Each with whether its reader may see what it settles, or what it was paid out by."""
        visible = Invoice.objects.visible_to(reader).filter(pk=OuterRef("invoice"))
        payouts = Payment.objects.visible_to(reader).filter(pk=OuterRef("payout"))
        return self.annotate(is_visible=Exists(visible), is_payout_visible=Exists(payouts))


class Allocation(LedgerModel):
    """So much of a payment, or of a credit note, settles so much of an invoice. Undone by a negative one.

    Or so much of a payment is paid out again by another one (``payout``), whose amount is negative. What cash is
    rounded by settles too, with nothing: it is positive where the company loses.
    """

    entity = "invoices.allocation"

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="allocations")
    credit_note = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="uses")
    rounding_of = models.ForeignKey(
        Payment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="roundings",
        help_text="The cash that was rounded by it.",
    )
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="allocations")
    payout = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="paid_out_of")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    date = models.DateField(help_text="The Singapore date of its record: what was owed on an earlier day stays so.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="allocations")
    created_at = models.DateTimeField()

    objects = AllocationQuerySet.as_manager()

    class Meta:
        app_label = "invoices"
        ordering = ("id",)
        indexes = (models.Index(fields=("date",), name="allocation_date_idx"),)
        constraints = (
            models.CheckConstraint(condition=~Q(amount=0), name="allocation_amount_not_zero"),
            models.CheckConstraint(
                condition=Q(payment__isnull=True, credit_note__isnull=False, rounding_of__isnull=True)
                | Q(payment__isnull=False, credit_note__isnull=True, rounding_of__isnull=True)
                | Q(payment__isnull=True, credit_note__isnull=True, rounding_of__isnull=False),
                name="allocation_has_one_source",
            ),
            models.CheckConstraint(
                condition=Q(invoice__isnull=False, payout__isnull=True)
                | Q(invoice__isnull=True, payout__isnull=False, credit_note__isnull=True),
                name="allocation_has_one_target",
            ),
            models.CheckConstraint(
                condition=Q(rounding_of=None) | Q(amount__gte=-MOST_ROUNDED, amount__lte=MOST_ROUNDED),
                name="allocation_rounds_by_less_than_a_coin",
            ),
            in_columns("allocation", amounts=("amount",)),
        )

    def __str__(self) -> str:
        return f"{self.amount} of {self.invoice_id or self.payout}"
