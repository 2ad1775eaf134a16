"""Closed books and filed GST returns: two things. Both are told once, and what changes them is another row."""

from decimal import Decimal
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import User
from foundation.access.capabilities import Capability
from foundation.columns import in_columns
from foundation.ledger.models import LedgerModel, LedgerQuerySet
from foundation.operations.models import OperationRecord


class BooksQuerySet(LedgerQuerySet):
    def visible_to(self, user: User) -> Self:
        """All, for those who read the company's GST returns."""
        return self if user.can(Capability.REPORT_GST) else self.none()


class Period(OperationRecord):
    """The books of a period were closed, or a closing was taken back (``reopens``). The last row says what counts.

    Closed, no ledger day lies in it any more: whatever is recorded later has a later one. What it held then is kept
    with it, so that anybody can see that it still does.
    """

    entity = "periods.period"

    step = models.PositiveIntegerField(unique=True, help_text="Its place among all closings, from 1.")
    starts_on = models.DateField(null=True, help_text="The day after the one before; empty: the first one.")
    ends_on = models.DateField()
    closed_until = models.DateField(null=True, help_text="Up to when the books are closed since; empty: all are open.")
    reopens = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reopening")
    reason = models.CharField(max_length=500, blank=True, help_text="Why it was reopened.")
    documents = models.PositiveIntegerField(help_text="So many were billed or credited.")
    billed = models.DecimalField(max_digits=12, decimal_places=2, help_text="What those come to, with GST.")
    received = models.DecimalField(max_digits=12, decimal_places=2, help_text="The payments, less what was paid out.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="periods")

    objects = BooksQuerySet.as_manager()

    class Meta:
        verbose_name = "closed period"
        ordering = ("-step",)
        constraints = (
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(starts_on__lte=F("ends_on")), name="period_ends_after_its_start"
            ),
            models.CheckConstraint(
                condition=Q(reopens__isnull=True, closed_until__isnull=False, closed_until=F("ends_on"))
                | Q(reopens__isnull=False) & (Q(closed_until__isnull=True) | Q(closed_until__lt=F("ends_on"))),
                name="period_is_closed_or_reopened",
            ),
            models.CheckConstraint(condition=Q(date__gt=F("ends_on")), name="period_is_closed_when_it_is_over"),
            in_columns("period", amounts=("billed", "received")),
        )

    def __str__(self) -> str:
        return f"until {self.ends_on}"


class GstReturn(OperationRecord):
    """A return as it was filed with IRAS: form GST F5 of a period, or GST F7, which corrects one.

    It declares what counts in its period and was recorded up to ``recorded_until``; what turns up later is an error of
    that period. Its parts say which documents those are.
    """

    entity = "periods.gstreturn"

    class Form(models.TextChoices):
        F5 = "F5", "GST F5"
        F7 = "F7", "GST F7 (corrects an F5)"

    step = models.PositiveIntegerField(unique=True, help_text="Its place among all returns, from 1.")
    form = models.CharField(max_length=2, choices=Form)
    starts_on = models.DateField()
    ends_on = models.DateField()
    recorded_until = models.DateField(help_text="What was recorded later isn't in it.")
    box_1 = models.DecimalField(
        "box 1: standard-rated supplies", max_digits=12, decimal_places=2, help_text="Before GST, net of credit notes."
    )
    box_6 = models.DecimalField("box 6: output tax due", max_digits=12, decimal_places=2)
    reference = models.CharField(max_length=64, blank=True, help_text="IRAS's acknowledgement number.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="gst_returns")

    objects = BooksQuerySet.as_manager()

    class Meta:
        verbose_name = "GST return"
        ordering = ("-step",)
        constraints = (
            models.CheckConstraint(condition=Q(starts_on__lte=F("ends_on")), name="gst_return_ends_after_its_start"),
            models.CheckConstraint(
                condition=Q(recorded_until__gte=F("ends_on"), recorded_until__lt=F("date")),
                name="gst_return_is_filed_when_its_period_is_over",
            ),
            in_columns("gst_return", amounts=("box_1", "box_6")),
        )

    def __str__(self) -> str:
        return f"{self.form} of {self.starts_on} to {self.ends_on}"

    @property
    def box_4(self) -> Decimal:
        """All supplies: zero-rated and exempt ones (boxes 2 and 3) don't occur."""
        return self.box_1


class GstReturnPart(LedgerModel):
    """What a return declares of one period: the documents that count in it and were recorded between two days.

    An F5 has a part of its own period, and one of each earlier period whose errors it corrects; an F7 has one.
    """

    entity = "periods.gstreturnpart"

    gst_return = models.ForeignKey(GstReturn, on_delete=models.PROTECT, related_name="parts")
    starts_on = models.DateField()
    ends_on = models.DateField()
    recorded_after = models.DateField(null=True, help_text="What was recorded up to then is in an earlier return.")
    recorded_until = models.DateField()
    documents = models.PositiveIntegerField()
    box_1 = models.DecimalField(max_digits=12, decimal_places=2)
    box_6 = models.DecimalField(max_digits=12, decimal_places=2)

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ("starts_on", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(recorded_after__isnull=True) | Q(recorded_after__lt=F("recorded_until")),
                name="gst_return_part_is_recorded_between",
            ),
            in_columns("gst_return_part", amounts=("box_1", "box_6")),
        )

    def __str__(self) -> str:
        return f"{self.starts_on} to {self.ends_on}"
