"""What is refused of discrepancies."""

from foundation.errors import Conflict


class NeedsAnotherPerson(Conflict):
    """What somebody recorded is taken back, or paid out, by somebody else (the setting FOUR_EYES)."""

    code = "needs_another_person"


class AlreadySeen(Conflict):
    """Somebody has seen to this discrepancy already."""

    code = "already_seen"
