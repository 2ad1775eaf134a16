"""Why a customer is refused."""

from foundation.errors import Conflict


class CustomerInactive(Conflict):
    """This customer is not served any more."""

    code = "customer_inactive"


class VersionConflict(Conflict):
    """The customer was changed by somebody else; read it again."""

    code = "version_conflict"
