"""Why a day-end is refused."""

from foundation.errors import Conflict


class SettlementDecided(Conflict):
    """This settlement was signed off or rejected already."""

    code = "settlement_decided"
