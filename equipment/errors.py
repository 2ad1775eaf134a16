"""Why equipment is refused."""

from foundation.confirmations import Question
from foundation.errors import Inactive


class EquipmentInactive(Inactive):
    """CYL-14 is inactive."""

    code = "equipment_inactive"


class RateUnlikely(Question):
    """A price of nothing, or far from the one before."""

    code = "rate_unlikely"
    holds_email = True


class RateFromPast(Question):
    """A price that counts from a past date."""

    code = "rate_from_past"
