"""What is unlikely of a document's amount and of the GST rate."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from django.conf import settings

from equipment.unlikely import counts_from_past
from foundation.confirmations import Question
from foundation.money import shown
from invoices.errors import AddressMissing, AmountUnlikely, GstRateUnlikely

PUBLISHED = (
    (date(2007, 7, 1), Decimal(7)),
    (date(2023, 1, 1), Decimal(8)),
    (date(2024, 1, 1), Decimal(9)),
)
"""Singapore's GST rates in per cent, each from its date: IRAS, "Current GST Rates"; GST Act 1993, s 16."""


def unlikely_amount(amount: Decimal, *, attr: str) -> Iterator[AmountUnlikely]:
    """Ask about so much money, with GST."""
    most = settings.UNLIKELY["AMOUNT"]
    if abs(amount) > most:
        yield AmountUnlikely(f"S$ {shown(amount)} is more than S$ {shown(most)}.", attr=attr, value=amount)


def unaddressed(*, name: str, address: str, taxable: Decimal, total: Decimal) -> Iterator[AddressMissing]:
    """Ask about a tax invoice that is too large to be a simplified one, to a customer whom it can't name in full.

    ``taxable`` is what GST is charged on, ``total`` is with it.
    """
    most = settings.UNLIKELY["WITHOUT_ADDRESS"]
    if settings.COMPANY_GST_REGISTERED and taxable > 0 and total > most and not (name.strip() and address.strip()):
        detail = f"{name} has no address: a tax invoice of more than S$ {shown(most)} has to name it. Please enter it."
        yield AddressMissing(detail, attr="customer", value=total)


def unlikely_gst_rate(rate: Decimal, valid_from: date, *, today: date) -> Iterator[Question]:
    """Ask about a rate that isn't the published one of its day, or counts from a past date."""
    published = next((each for begin, each in reversed(PUBLISHED) if begin <= valid_from), None)
    if rate != published:
        known = "none" if published is None else f"{published} %"
        detail = f"{rate:f} % from {valid_from.isoformat()}: the published rate of that day is {known}."
        yield GstRateUnlikely(detail, attr="rate", value=rate)
    yield from counts_from_past(valid_from, today=today)
