"""Why a vehicle or an assignment is refused."""

from foundation.errors import Conflict, Inactive


class VehicleInactive(Inactive):
    """GBK1234A is inactive."""

    code = "vehicle_inactive"


class AlreadyCorrected(Conflict):
    """This assignment was corrected already: please correct the correction."""

    code = "already_corrected"
