"""GST rates, the documents that bill, and their way to the customer.

Documents are frozen when recorded, never edited: what undoes one is another one.
"""

from decimal import Decimal
from typing import ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.models import User
from customers.models import Customer
from depots.models import Depot
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.columns import in_columns
from foundation.ledger.models import LedgerModel, LedgerQuerySet
from foundation.master_data import FrozenMasterDataQuerySet
from foundation.money import ZERO, rounded


class GstRate(LedgerModel):
    """The rate of Singapore's goods and services tax, from a date on (Goods and Services Tax Act 1993, s 16).

    Of one date the latest counts. What it supersedes stays readable.
    """

    entity = "invoices.gstrate"
    dated_by: ClassVar[tuple[str, ...]] = ("valid_from",)

    is_announced: ClassVar[bool] = True

    rate = models.DecimalField(
        "rate (%)",
        max_digits=5,
        decimal_places=2,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="In per cent: 9.00.",
    )
    valid_from = models.DateField()
    reason = models.CharField(
        max_length=500, blank=True, default="", help_text="Why it supersedes another one of its date."
    )

    objects = FrozenMasterDataQuerySet.as_manager()

    class Meta:
        verbose_name = "GST rate"
        ordering = ("-valid_from", "-id")
        constraints = (
            models.CheckConstraint(condition=Q(rate__gte=0) & Q(rate__lte=100), name="gst_rate_is_a_percentage"),
        )

    def __str__(self) -> str:
        return f"{self.rate} % from {self.valid_from}"


class InvoiceQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        """All, those of the own depot, or the own."""
        return self.filter(rows_within(user, Capability.VIEW_SALES))

    def held(self) -> Self:
        """Those that aren't emailed before somebody has released them."""
        return self.filter(pk__in=EmailHold.objects.filter(released_at__isnull=True).values("invoice"))


class Invoice(LedgerModel):
    """A tax invoice or a credit note: what is owed, frozen with the parties, the GST rate and the PDF."""

    entity = "invoices.invoice"
    life_cycle = (
        "status", "printed_at", "emailed_at", "paid_at", "settled_amount", "settled_on", "credited_amount", "voided_on",
    )  # fmt: skip

    class Kind(models.TextChoices):
        TAX_INVOICE = "TAX_INVOICE", "Tax invoice"
        CREDIT_NOTE = "CREDIT_NOTE", "Credit note"
        COLLECTION_NOTE = "COLLECTION_NOTE", "Collection note"

    class Status(models.TextChoices):
        GENERATED = "generated", "Generated"
        PRINTED = "printed", "Printed"
        EMAILED = "emailed", "Emailed"
        PAID = "paid", "Paid"

    class CreditKind(models.TextChoices):
        GENUINE = "GENUINE", "Genuine"
        TAX_ERROR = "TAX_ERROR", "Tax error"

    class State(models.TextChoices):
        ISSUED = "ISSUED", "Issued"
        CREDITED = "CREDITED", "Credited in part"
        VOIDED = "VOIDED", "Voided"

    invoice_number = models.CharField(max_length=32, unique=True)
    kind = models.CharField(max_length=16, choices=Kind)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="invoices")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="invoices", help_text="Who issued it."
    )
    depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="invoices",
        help_text="The user's depot then; empty: none.",
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.GENERATED)
    subtotal = models.DecimalField(max_digits=12, decimal_places=2)
    taxable_amount = models.DecimalField(
        max_digits=12, decimal_places=2, help_text="The part of the subtotal that bears GST."
    )
    gst_rate = models.DecimalField("GST rate (%)", max_digits=5, decimal_places=2)
    gst_amount = models.DecimalField("GST", max_digits=12, decimal_places=2)
    total_amount = models.DecimalField(max_digits=12, decimal_places=2)
    snapshot = models.JSONField(help_text="Everything that the document says (see invoices.snapshot).")
    pdf_path = models.CharField(max_length=200, unique=True)
    pdf_sha256 = models.CharField("PDF SHA-256", max_length=64)
    generated_at = models.DateTimeField()
    date = models.DateField(help_text="The Singapore date of that: the invoice's date.")
    tax_point_on = models.DateField(
        help_text="When the supply counts (GST Act 1993, s 11): when it was paid on the spot, else when it was issued."
    )
    gst_on = models.DateField(
        help_text="In whose GST period it counts: its tax point; of what puts an error right, the day of the error."
    )
    credit_kind = models.CharField(
        max_length=9,
        choices=CreditKind,
        blank=True,
        help_text="Of a credit note: genuine (its own GST period), or a tax error (that of what it corrects).",
    )
    due_on = models.DateField()
    printed_at = models.DateTimeField(null=True, blank=True)
    emailed_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    settled_amount = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        default=ZERO,
        help_text="What payments and credit notes have settled of the total; signed like it.",
    )
    settled_on = models.DateField(
        null=True, blank=True, help_text="Since when nothing is open of it; empty: something is."
    )
    corrects = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="corrections",
        help_text="The document that it takes back, in part or whole.",
    )
    credited_amount = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        default=ZERO,
        help_text="What was taken back of the total by other documents; signed like it.",
    )
    voided_on = models.DateField(
        null=True, blank=True, help_text="Since when nothing is left of it; empty: something is."
    )

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("customer", "id"), name="invoice_customer_idx"),
            models.Index(fields=("user", "id"), name="invoice_user_idx"),
            models.Index(fields=("depot", "id"), name="invoice_depot_idx"),
            models.Index(fields=("status", "id"), name="invoice_status_idx"),
            models.Index(fields=("kind", "id"), name="invoice_kind_idx"),
            models.Index(fields=("date", "id"), name="invoice_date_idx"),
            models.Index(fields=("customer", "date"), name="invoice_customer_date_idx"),
            models.Index(fields=("generated_at",), name="invoice_generated_idx"),
            models.Index(fields=("total_amount",), name="invoice_amount_idx"),
            # What is open: few rows, however many were ever issued.
            models.Index(
                fields=("settled_on", "customer", "date", "due_on", "total_amount", "settled_amount"),
                name="invoice_open_idx",
            ),
            # All that the reports add up, so that a month's figures come from the index alone.
            models.Index(
                fields=(
                    "date", "kind", "user", "depot", "customer", "gst_rate", "taxable_amount", "subtotal",
                    "gst_amount", "total_amount",
                ),
                name="invoice_figures_idx",
            ),
            # The same for GST, which goes by another day.
            models.Index(
                fields=(
                    "gst_on", "date", "kind", "user", "depot", "gst_rate", "taxable_amount", "subtotal", "gst_amount",
                ),
                name="invoice_gst_idx",
            ),
        )  # fmt: skip
        constraints = (
            models.CheckConstraint(
                condition=Q(total_amount=rounded(F("subtotal") + F("gst_amount"))), name="invoice_total_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(settled_amount__gte=0, settled_amount__lte=F("total_amount"))
                | Q(settled_amount__lte=0, settled_amount__gte=F("total_amount")),
                name="invoice_not_settled_beyond_its_total",
            ),
            models.CheckConstraint(
                condition=Q(credited_amount__gte=0, credited_amount__lte=F("total_amount"))
                | Q(credited_amount__lte=0, credited_amount__gte=F("total_amount")),
                name="invoice_not_credited_beyond_its_total",
            ),
            models.CheckConstraint(
                condition=Q(voided_on__isnull=True) | Q(credited_amount=F("total_amount")),
                name="invoice_voided_with_nothing_left",
            ),
            models.CheckConstraint(
                condition=Q(tax_point_on__lte=F("date"), gst_on__lte=F("date")), name="invoice_counts_by_its_issue"
            ),
            models.CheckConstraint(
                condition=Q(kind="CREDIT_NOTE", credit_kind__in=("GENUINE", "TAX_ERROR"))
                | (~Q(kind="CREDIT_NOTE") & Q(credit_kind="")),
                name="invoice_credit_notes_say_their_kind",
            ),
            in_columns(
                "invoice",
                amounts=(
                    "subtotal",
                    "taxable_amount",
                    "gst_amount",
                    "total_amount",
                    "settled_amount",
                    "credited_amount",
                ),
            ),
        )

    def __str__(self) -> str:
        return self.invoice_number

    @property
    def outstanding_amount(self) -> Decimal:
        """What is still to be paid; negative for a credit note that is still to be paid out or used."""
        return self.total_amount - self.settled_amount

    @property
    def state(self) -> State:
        """What other documents have left of it."""
        if self.voided_on is not None:
            return self.State.VOIDED
        return self.State.CREDITED if self.credited_amount else self.State.ISSUED

    def furthest_status(self) -> Status:
        """An invoice can be printed *and* emailed *and* paid; its status is the furthest of these."""
        stages = (
            (self.paid_at, self.Status.PAID),
            (self.emailed_at, self.Status.EMAILED),
            (self.printed_at, self.Status.PRINTED),
        )
        return next((status for stamp, status in stages if stamp is not None), self.Status.GENERATED)


class EmailHold(LedgerModel):
    """A document about something unlikely: it isn't emailed before somebody in the office has released it."""

    entity = "invoices.emailhold"
    life_cycle = ("released_at", "released_by", "remarks")

    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="email_hold")
    because = models.CharField(max_length=500)
    held_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="email_releases"
    )
    remarks = models.CharField(max_length=500, blank=True)

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("released_at", "invoice"), name="email_hold_open_idx"),)

    def __str__(self) -> str:
        return self.because


class InvoiceEmailQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        """Those of the invoices that the user may see."""
        return self.filter(rows_within(user, Capability.VIEW_SALES, depot="invoice__depot_id", owner="invoice__user"))


class InvoiceEmail(LedgerModel):
    """A request to send an invoice to somebody, and what became of it: the outbox.

    The task that sends it carries only its id. Its state is kept here, because a task whose worker dies stays
    "running" for ever and nobody repeats it.
    """

    entity = "invoices.invoiceemail"
    life_cycle = ("status", "attempts", "next_try_at", "lease_until", "last_error", "sent_at")

    class Status(models.TextChoices):
        QUEUED = "QUEUED", "Queued"
        HELD = "HELD", "Held until released"
        SENDING = "SENDING", "Being sent"
        SENT = "SENT", "Sent"
        FAILED = "FAILED", "Failed"
        UNCERTAIN = "UNCERTAIN", "May have arrived"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="emails")
    to = models.EmailField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="requested_emails"
    )
    requested_at = models.DateTimeField()
    message_id = models.CharField(max_length=255, unique=True, help_text="The same at each attempt.")
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, help_text="A worker is at it until then, or dead.")
    last_error = models.CharField(max_length=500, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When the mail server accepted it.")

    objects = InvoiceEmailQuerySet.as_manager()

    class Meta:
        verbose_name = "invoice email"
        ordering = ("-id",)
        indexes = (models.Index(fields=("status", "next_try_at"), name="invoice_email_due_idx"),)

    def __str__(self) -> str:
        return f"{self.invoice_id} to {self.to}"
