"""Why a distribution is refused."""

from core.errors import Conflict


class AlreadyConfirmed(Conflict):
    code = "already_confirmed"


class DistributionCancelled(Conflict):
    code = "distribution_cancelled"
