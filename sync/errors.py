"""What sync refuses."""

from foundation.errors import Conflict


class DependencyRejected(Conflict):
    """It refers to an operation that was refused itself."""

    code = "dependency_rejected"


class ConflictSettled(Conflict):
    """This conflict was retried or dismissed already."""

    code = "already_settled"
