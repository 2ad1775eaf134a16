"""Why a depot is refused."""

from foundation.errors import Conflict


class DepotInactive(Conflict):
    """HSH KB is not in use any more."""

    code = "depot_inactive"
