"""Why a depot is refused."""

from foundation.errors import Inactive


class DepotInactive(Inactive):
    """HSH KB is inactive."""

    code = "depot_inactive"
