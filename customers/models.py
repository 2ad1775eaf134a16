"""Who is billed, at which contract rates, and by which meter."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from equipment.models import Equipment
from foundation.columns import in_columns
from foundation.dated import DatedValue
from foundation.ledger.models import LedgerModel
from foundation.master_data import FrozenMasterDataQuerySet, MasterDataQuerySet, code_validator
from foundation.searching import SearchText


class PaymentType(models.TextChoices):
    CASH = "CASH", "Cash"
    CREDIT = "CREDIT", "Credit"


class Customer(models.Model):
    """Who is billed. A customer with a ``meter_rate`` has a gas meter."""

    entity = "customers.customer"

    is_announced: ClassVar[bool] = True

    customer_code = models.CharField(max_length=32, unique=True, validators=[code_validator])
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=32, blank=True)
    address = models.CharField(max_length=250, blank=True)
    postal_code = models.CharField(
        max_length=6, blank=True, validators=[RegexValidator(r"\A[0-9]{6}\Z", "Six digits, as in Singapore.")]
    )
    uen = models.CharField("UEN", max_length=16, blank=True)
    gst_registration_no = models.CharField("GST registration no.", max_length=16, blank=True)
    payment_type = models.CharField(max_length=8, choices=PaymentType, default=PaymentType.CASH)
    payment_terms_days = models.PositiveSmallIntegerField(default=0, help_text="Days to pay, for CREDIT.")
    meter_number = models.CharField(max_length=32, blank=True)
    meter_rate = models.DecimalField(
        max_digits=10,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="Price of one unit of the meter before GST; empty: no meter.",
    )
    last_meter_reading = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="Moves by sales alone once the customer exists.",
    )
    meter_replaced_at = models.DateTimeField(
        null=True, editable=False, help_text="When the present meter was put in; empty: it is the first one."
    )
    email_invoices = models.BooleanField(
        default=False, help_text="Send every invoice to the customer's email address as it is issued."
    )
    is_active = models.BooleanField(default=True)
    deactivated_at = models.DateTimeField(null=True, editable=False, help_text="Since when it is out of use.")
    version = models.PositiveIntegerField(default=1, help_text="Rises with every change of this customer.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    search_name = SearchText("customer_code", "name")
    search_contact = SearchText("address", "postal_code", "phone", "meter_number", "uen")

    objects = MasterDataQuerySet.as_manager()

    class Meta:
        ordering = ("customer_code",)
        indexes = (models.Index(fields=("name",), name="customer_name_idx"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(meter_rate__isnull=True) | Q(meter_rate__gte=0), name="customer_meter_rate_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(last_meter_reading__isnull=True) | Q(last_meter_reading__gte=0),
                name="customer_meter_reading_not_negative",
            ),
            in_columns("customer", fine_rates=("meter_rate",), amounts=("last_meter_reading",)),
        )

    def __str__(self) -> str:
        return f"{self.customer_code} {self.name}"

    @property
    def has_meter(self) -> bool:
        return self.meter_rate is not None


class MeterRate(DatedValue):
    """What a unit of a customer's meter costs from a moment on.

    The customer's own column says what counts now, for lists and apps; a reading is billed by these rows.
    """

    entity = "customers.meterrate"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="meter_rates")
    meter_rate = models.DecimalField(
        max_digits=10,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="Price of one unit of the meter before GST; empty: from then on no meter.",
    )

    class Meta:
        ordering = ("-valid_from", "-id")
        indexes = (models.Index(fields=("customer", "valid_from"), name="meter_rate_idx"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(meter_rate__isnull=True) | Q(meter_rate__gte=0), name="meter_rate_not_negative"
            ),
            in_columns("meter_rate", fine_rates=("meter_rate",)),
        )

    def __str__(self) -> str:
        since = "ever since" if self.valid_from is None else f"from {self.day}"
        return f"{'none' if self.meter_rate is None else self.meter_rate} {since}"


class CustomerRate(LedgerModel):
    """A contract price of one equipment for one customer, from a Singapore date on, before GST; empty: none any more.

    Of one date the latest counts. What it supersedes stays readable.
    """

    entity = "customers.customerrate"
    dated_by: ClassVar[tuple[str, ...]] = ("customer", "equipment", "valid_from")

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="rates")
    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="customer_rates")
    rate = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="Empty: the contract ends, and the default price counts again.",
    )
    valid_from = models.DateField()
    reason = models.CharField(
        max_length=500,
        blank=True,
        default="",
        help_text="Why it supersedes another one of its date, or the contract ends.",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="customer_rates"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = FrozenMasterDataQuerySet.as_manager()

    class Meta:
        ordering = ("equipment", "-valid_from", "-id")
        indexes = (models.Index(fields=("customer", "equipment", "valid_from"), name="customer_rate_idx"),)
        constraints = (
            models.CheckConstraint(condition=Q(rate__isnull=True) | Q(rate__gte=0), name="customer_rate_not_negative"),
            in_columns("customer_rate", rates=("rate",)),
        )

    def __str__(self) -> str:
        return f"{'no rate' if self.rate is None else self.rate} from {self.valid_from}"
