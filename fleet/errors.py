"""Why a vehicle or an assignment is refused."""

from foundation.errors import Conflict


class VehicleInactive(Conflict):
    """GBK1234A is not in use any more."""

    code = "vehicle_inactive"


class AlreadyCorrected(Conflict):
    """This assignment was corrected already: please correct the correction."""

    code = "already_corrected"
