"""Why a distribution is refused."""

from foundation.errors import Conflict


class AlreadyConfirmed(Conflict):
    code = "already_confirmed"


class DistributionCancelled(Conflict):
    code = "distribution_cancelled"


class NoVehicle(Conflict):
    """You had no vehicle to unload: please name it, or let the depot take in what you bring."""

    code = "no_vehicle"
