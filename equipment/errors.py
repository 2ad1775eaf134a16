"""Why equipment is refused."""

from foundation.confirmations import Question
from foundation.errors import Conflict, Inactive


class EquipmentInactive(Inactive):
    """CYL-14 is inactive."""

    code = "equipment_inactive"


class PriceUnchanged(Conflict):
    """On that date it counts already."""

    code = "price_unchanged"


class RateUnlikely(Question):
    """A price of nothing, or far from the one before."""

    code = "rate_unlikely"
    holds_email = True


class RateFromPast(Question):
    """A price that counts from a past date."""

    code = "rate_from_past"
