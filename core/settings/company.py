"""The company as its documents name it, and its rules with a number in them."""

from datetime import timedelta
from decimal import Decimal

from decouple import Choices
from django.core.exceptions import ImproperlyConfigured

from core.settings.base import amount, config

# Registered unless it says that it isn't: so a number that was forgotten is an error of `check --deploy`, and not a
# company that charges no GST. Not registered, it charges none, and its documents are invoices.
COMPANY_GST_REGISTERED: bool = config("COMPANY_GST_REGISTERED", default=True, cast=bool)

COMPANY = {
    "name": config("COMPANY_NAME", default="HSH LPG Pte. Ltd."),
    "address": config("COMPANY_ADDRESS", default="").replace("|", "\n"),
    "postal_code": config("COMPANY_POSTAL_CODE", default=""),
    "uen": config("COMPANY_UEN", default=""),
    "gst_registration_no": config("COMPANY_GST_REGISTRATION_NO", default="") if COMPANY_GST_REGISTERED else "",
    "email": config("COMPANY_EMAIL", default=""),
    "phone": config("COMPANY_PHONE", default=""),
}

OCCURRED_AT_MAX_AGE = timedelta(days=config("OCCURRED_AT_MAX_AGE_DAYS", default=7, cast=int))
OCCURRED_AT_MAX_AHEAD = timedelta(minutes=config("OCCURRED_AT_MAX_AHEAD_MINUTES", default=5, cast=int))
DEVICE_CLOCK_TOLERANCE = timedelta(minutes=config("DEVICE_CLOCK_TOLERANCE_MINUTES", default=5, cast=int))
"""A phone whose clock is off by more is listed."""


def _limit(name: str, bound: str) -> Decimal:
    """A limit of `foundation.limits`: the bound, or what the environment lowers it to."""
    value: Decimal = config(name, default=bound, cast=amount)
    if not 0 < value <= Decimal(bound):
        raise ImproperlyConfigured(f"{name} has to be above 0 and at most {bound}; it is {value}.")
    return value


# How large what is written may be: well inside the columns, sums included.
LIMITS = {
    name: _limit(f"LIMIT_{name}", bound)
    for name, bound in {
        "QUANTITY": "9999",
        "RATE": "99999.9999",
        "READING": "99999999.99",
        "USAGE": "999999.99",
        "AMOUNT": "9999999.99",
        "BALANCE": "99999999.99",
        "PIECES": "999999",
        "TERM_DAYS": "365",
    }.items()
}

# What takes back, or pays out, what its actor recorded: off (nobody minds), review (another person looks at it
# afterwards), require (another person has to do it).
FOUR_EYES: str = config("FOUR_EYES", default="review", cast=Choices(["off", "review", "require"]))

# A customer pays for a shell that is lost: consideration for a supply, with GST, or compensation without it. The
# contract and the tax agent say which.
LOST_SHELLS_ARE_TAXABLE: bool = config("LOST_SHELLS_ARE_TAXABLE", default=True, cast=bool)

# A supply that is delivered before the GST rate changes, and neither paid nor billed by then, bears the rate of its
# delivery instead of the new one (GST Act 1993, s 39B): by choice.
GST_TRANSITION_BY_DELIVERY: bool = config("GST_TRANSITION_BY_DELIVERY", default=False, cast=bool)

# The smallest coin in which cash changes hands, in Singapore dollars: what is owed is rounded to it. 0: to the cent.
CASH_ROUNDING: Decimal = config("CASH_ROUNDING", default="0", cast=amount)
if not 0 <= CASH_ROUNDING <= 1:
    raise ImproperlyConfigured(f"CASH_ROUNDING is a coin of up to a dollar, 0.05 or 0; it is {CASH_ROUNDING}.")

# What is possible and yet unlikely, and so is asked before it is recorded (docs/domain.md).
UNLIKELY: dict[str, Decimal] = {
    name: config(f"UNLIKELY_{name}", default=usual, cast=amount)
    for name, usual in {
        # A meter's usage per day, above so many times the median of its last six intervals; m3 where it has none.
        "USAGE_FACTOR": "5",
        "USAGE_PER_DAY": "50",
        # Pieces in a line of a sale.
        "QUANTITY": "50",
        # Pieces in a line of goods in; above so many times the median of the last six of its kind.
        "GOODS_IN": "500",
        "GOODS_IN_FACTOR": "5",
        # Singapore dollars of a document or a payment, with GST.
        "AMOUNT": "10000",
        # Singapore dollars, with GST, of a tax invoice to a customer without an address: up to S$ 1,000 a simplified
        # one will do, which needn't name the customer (GST (General) Regulations, reg. 11(1) and 13).
        "WITHOUT_ADDRESS": "1000",
        # Days between the date of a payment and that on which it is taken or entered.
        "DAYS_LATE": "31",
        # Minutes between two payments, payouts or expenses for the same, which have no reference.
        "REPEATED_MINUTES": "10",
        # How far a price or a rate moves, in per cent of the one before.
        "RATE_CHANGE_PERCENT": "30",
    }.items()
}
