"""GST rates, and the documents that bill: frozen when issued, never edited."""

from typing import ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.models import User
from core.access import Capability
from core.ledger import LedgerModel, LedgerQuerySet
from core.models import FrozenMasterDataQuerySet
from core.money import rounded
from core.scoping import rows_within
from customers.models import Customer


class GstRate(LedgerModel):
    """The rate of Singapore's goods and services tax, from a date on (Goods and Services Tax Act 1993, s 16)."""

    is_announced: ClassVar[bool] = True

    rate = models.DecimalField(
        "rate (%)",
        max_digits=5,
        decimal_places=2,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="In per cent: 9.00.",
    )
    valid_from = models.DateField(unique=True)

    objects = FrozenMasterDataQuerySet.as_manager()

    class Meta:
        verbose_name = "GST rate"
        ordering = ("-valid_from",)
        constraints = (
            models.CheckConstraint(condition=Q(rate__gte=0) & Q(rate__lte=100), name="gst_rate_is_a_percentage"),
        )

    def __str__(self) -> str:
        return f"{self.rate} % from {self.valid_from}"


class InvoiceQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        """All, those of the own depot's users, or the own."""
        return self.filter(rows_within(user, Capability.VIEW_SALES))


class Invoice(LedgerModel):
    """A tax invoice or a credit note: what is owed, frozen with the parties, the GST rate and the PDF."""

    life_cycle = ("status", "printed_at", "emailed_at", "paid_at")

    class Kind(models.TextChoices):
        TAX_INVOICE = "TAX_INVOICE", "Tax invoice"
        CREDIT_NOTE = "CREDIT_NOTE", "Credit note"

    class Status(models.TextChoices):
        GENERATED = "generated", "Generated"
        PRINTED = "printed", "Printed"
        EMAILED = "emailed", "Emailed"
        PAID = "paid", "Paid"

    invoice_number = models.CharField(max_length=32, unique=True)
    kind = models.CharField(max_length=12, choices=Kind)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="invoices")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="invoices", help_text="Who issued it."
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.GENERATED)
    subtotal = models.DecimalField(max_digits=12, decimal_places=2)
    gst_rate = models.DecimalField("GST rate (%)", max_digits=5, decimal_places=2)
    gst_amount = models.DecimalField("GST", max_digits=12, decimal_places=2)
    total_amount = models.DecimalField(max_digits=12, decimal_places=2)
    snapshot = models.JSONField(help_text="Everything that the document says (see invoices.snapshot).")
    pdf_path = models.CharField(max_length=200, unique=True)
    pdf_sha256 = models.CharField("PDF SHA-256", max_length=64)
    generated_at = models.DateTimeField()
    date = models.DateField(help_text="The Singapore date of that: the invoice's date.")
    due_on = models.DateField()
    printed_at = models.DateTimeField(null=True, blank=True)
    emailed_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("customer", "id"), name="invoice_customer_idx"),
            models.Index(fields=("user", "id"), name="invoice_user_idx"),
            models.Index(fields=("status", "id"), name="invoice_status_idx"),
            models.Index(fields=("kind", "id"), name="invoice_kind_idx"),
            models.Index(fields=("date", "id"), name="invoice_date_idx"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(total_amount=rounded(F("subtotal") + F("gst_amount"))), name="invoice_total_adds_up"
            ),
        )

    def __str__(self) -> str:
        return self.invoice_number
