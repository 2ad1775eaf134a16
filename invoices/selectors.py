"""Which GST rate applies."""

from datetime import date
from decimal import Decimal

from invoices.models import GstRate


def gst_rate_on(day: date) -> Decimal:
    """The rate in per cent in force on a Singapore date; 0.00 before the first one that is known."""
    rate = GstRate.objects.filter(valid_from__lte=day).order_by("-valid_from").first()
    return rate.rate if rate else Decimal("0.00")
