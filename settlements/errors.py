"""Why a day-end is refused."""

from foundation.errors import Conflict


class SettlementPending(Conflict):
    """The last count is still to be signed off."""

    code = "settlement_pending"


class SettlementDecided(Conflict):
    """This settlement was signed off or rejected already."""

    code = "settlement_decided"
