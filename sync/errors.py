"""What sync refuses."""

from foundation.errors import Conflict, Invalid


class DependencyRejected(Conflict):
    """It refers to an operation that was refused itself."""

    code = "dependency_rejected"
    waits_for = ""
    """The operation that it refers to, where that waits itself (`SyncConflict.waits_for`)."""


class ConflictSettled(Conflict):
    """This conflict was retried or dismissed already."""

    code = "already_settled"


class BelongsToAnother(Conflict):
    """Its client_temp_id belongs to another operation: it can't be retried, and is entered anew where it happened."""

    code = "belongs_to_another"


class UserDeactivated(Conflict):
    """Its user had been deactivated."""

    code = "user_deactivated"


class UserNotAllowed(Conflict):
    """Its user may not do this now: their role or depot is another one than when it happened."""

    code = "user_not_allowed"


class ProtocolTooNew(Conflict):
    """The app speaks a newer version of the protocol than this server. Nothing was kept."""

    code = "protocol_too_new"


class Unreadable(Invalid):
    """The kept operation can't be understood; its ``code`` is the first refusal's."""

    def __init__(self, code: str, detail: str, *, attr: str | None) -> None:
        super().__init__(detail, attr=attr)
        self.code = code  # type: ignore[misc]  # as in RefusedBefore
