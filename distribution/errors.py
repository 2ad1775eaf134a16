"""Why a distribution is refused."""

from foundation.errors import Conflict


class AlreadyConfirmed(Conflict):
    code = "already_confirmed"


class DistributionCancelled(Conflict):
    code = "distribution_cancelled"
