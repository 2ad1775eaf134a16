"""Why a sale is refused."""

from foundation.confirmations import Question
from foundation.errors import Conflict


class MeterReadingDecreased(Conflict):
    """The reading is below the customer's last one."""

    code = "meter_reading_decreased"


class NoMeter(Conflict):
    """A reading was sent for a customer without a meter."""

    code = "no_meter"


class RateMismatch(Conflict):
    """The rate that was shown isn't the customer's rate."""

    code = "rate_mismatch"


class EmptySale(Conflict):
    """There are neither lines nor usage: nothing to bill."""

    code = "empty_sale"


class AlreadyVoided(Conflict):
    """This sale is voided already, or is a reversal itself."""

    code = "already_voided"


class AlreadyCredited(Conflict):
    """Some of this sale is credited already: the rest can be credited, and not voided."""

    code = "already_credited"


class NoInvoice(Conflict):
    """Only a tax invoice can be credited: a refund is voided."""

    code = "no_invoice"


class ExceedsInvoice(Conflict):
    """More is to be credited than is left of the invoice, or of its line."""

    code = "exceeds_invoice"


class TenderExceedsDue(Question):
    """More changed hands than is due for this sale."""

    code = "tender_exceeds_due"


class MeterMovedOn(Conflict):
    """The customer's meter has moved on since that reading, or was replaced."""

    code = "meter_moved_on"


class UsageUnlikely(Question):
    """Much more was used per day than this meter usually uses."""

    code = "usage_unlikely"
    is_kept = True
    holds_email = True


class ReadingBeforeLast(Question):
    """The reading was taken before the last one that is recorded."""

    code = "reading_before_last"
    is_kept = True


class QuantityUnlikely(Question):
    """So many in one line are unusual."""

    code = "quantity_unlikely"
    holds_email = True
