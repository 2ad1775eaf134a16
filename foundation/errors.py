"""Failures that a client can act on. Services raise them; one handler maps their kind to HTTP."""

from http import HTTPStatus
from typing import Any, ClassVar


class DomainError(Exception):
    """A rule refuses a command. Nothing of the command happens.

    ``code`` is stable and part of the API, ``detail`` a sentence for a person, ``attr`` the path of
    the input field that it concerns (``items.0.quantity``) or None.
    """

    code: ClassVar[str]
    status: ClassVar[HTTPStatus]

    def __init__(self, detail: str, *, attr: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.attr = attr

    @property
    def told(self) -> list[dict[str, Any]]:
        """Its errors, as the API tells them: most have one."""
        return [{"code": self.code, "detail": self.detail, "attr": self.attr}]


class Invalid(DomainError):
    """The input can't be meant so (400)."""

    code = "invalid"
    status = HTTPStatus.BAD_REQUEST


class UnknownReference(Invalid):
    """The input names an object that isn't there, or that the user may not see."""

    code = "does_not_exist"

    def __init__(self, pk: object, *, attr: str, what: str = "") -> None:
        """``what`` it isn't; empty: the last word of ``attr`` says so."""
        super().__init__(f"There is no {what or _named(attr)} {pk} that you may see.", attr=attr)


def _named(attr: str) -> str:
    """``counts.0.equipment`` → equipment, ``to_vehicle`` → vehicle, ``equipment_id`` → equipment."""
    [*_, name] = (part for part in attr.split(".") if not part.isdigit())
    return name.removeprefix("to_").removeprefix("from_").removesuffix("_id").replace("_", " ")


class Duplicate(Invalid):
    """A value that has to be unique is taken already."""

    code = "unique"


class Denied(DomainError):
    """The object may be seen by this user, but not acted on (403)."""

    code = "permission_denied"
    status = HTTPStatus.FORBIDDEN

    def __init__(
        self, detail: str = "You do not have permission to perform this action.", *, attr: str | None = None
    ) -> None:
        super().__init__(detail, attr=attr)


class Conflict(DomainError):
    """The request is well-formed, but the state of the world refuses it (409)."""

    status = HTTPStatus.CONFLICT


class AlreadyReversed(Conflict):
    """This was reversed already, or is a reversal itself."""

    code = "already_reversed"


class Inactive(Conflict):
    """What it names is inactive: nothing new happens with it."""

    def __init__(self, name: object, *, attr: str | None = None) -> None:
        super().__init__(f"{name} is inactive.", attr=attr)


class Busy(DomainError):
    """Nothing happened and the same request may go through later (503 with Retry-After)."""

    code = "try_again"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    retry_after_seconds: ClassVar[int] = 2
