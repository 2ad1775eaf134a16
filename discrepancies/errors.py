"""What is refused of discrepancies."""

from foundation.errors import Conflict


class AlreadySeen(Conflict):
    """Somebody has seen to this discrepancy already."""

    code = "already_seen"
