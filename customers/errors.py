"""Why a customer is refused."""

from foundation.errors import Conflict, Inactive


class CustomerInactive(Inactive):
    """This customer is inactive."""

    code = "customer_inactive"


class VersionConflict(Conflict):
    """The customer was changed by somebody else; read it again."""

    code = "version_conflict"
