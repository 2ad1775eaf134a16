"""Why a deposit can't be taken back."""

from foundation.errors import Conflict


class DepositRefunded(Conflict):
    """The deposit that this charged was refunded since: that has to be taken back first."""

    code = "deposit_refunded"
