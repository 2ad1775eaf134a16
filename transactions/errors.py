"""Why a sale is refused."""

from core.errors import Conflict


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


class NegativeTotal(Conflict):
    """The refunds exceed the taxable sale; record refund and sale apart."""

    code = "negative_total"
