"""Why a document can't be issued or sent."""

from foundation.confirmations import Question
from foundation.errors import Busy, Conflict


class StorageUnavailable(Busy):
    """The document can't be stored (disk full, read-only): the whole sale is refused."""

    code = "storage_unavailable"
    retry_after_seconds = 30


class NoEmailAddress(Conflict):
    """The customer has no email address, and none was sent."""

    code = "no_email_address"


class NotHeld(Conflict):
    """Nothing holds this document back, or it was released already."""

    code = "not_held"


class AmountUnlikely(Question):
    """An unusually large amount of money."""

    code = "amount_unlikely"
    holds_email = True


class AddressMissing(Question):
    """A tax invoice above S$ 1,000 has to name the customer's name and address, and none is known."""

    code = "address_missing"


class GstRateUnlikely(Question):
    """Not the GST rate that is published for that date."""

    code = "gst_rate_unlikely"
