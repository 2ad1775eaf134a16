"""Why a customer is refused."""

from foundation.confirmations import Question
from foundation.errors import Conflict, Inactive


class CustomerInactive(Inactive):
    """This customer is inactive."""

    code = "customer_inactive"


class VersionConflict(Conflict):
    """The customer was changed by somebody else; read it again."""

    code = "version_conflict"


class CustomerLikeAnother(Question):
    """Another customer has the same phone, UEN, or name and postal code."""

    code = "customer_like_another"


class MeterNumberInUse(Question):
    """Another customer's meter has this number."""

    code = "meter_number_in_use"
