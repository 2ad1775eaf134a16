"""Nothing happens twice: a client's own id of an operation, kept with what it made.

The claim is a row with a unique key, inserted first of all in the operation's own transaction. A second
one with the same key waits for it in the database, finds it committed, and answers its result; if the
first one rolled back, the second goes ahead.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, models

from foundation import clock
from foundation.commands import TryAgain, is_first_attempt
from foundation.errors import Conflict
from foundation.operations.models import ClientOperation

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class IdempotencyConflict(Conflict):
    """This client_temp_id was used for another operation already."""

    code = "idempotency_conflict"


def canonical_json(content: "DataclassInstance") -> str:
    """One text for one meaning: sorted keys, no spaces, ``28.5`` for 28.50, times in Singapore's offset."""
    return json.dumps(_canonical(asdict(content)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class RefusedBefore(Conflict):
    """The same operation was refused, and kept; it is answered with the first refusal."""

    code = "refused_before"
    codes = ("refused_before", "does_not_exist", "invalid", "permission_denied", "dependency_rejected", "server_error")
    """What the first refusal may have been beside the operation's own conflicts."""

    def __init__(self, operation: ClientOperation) -> None:
        first = (operation.refusal or [{}])[0]
        super().__init__(str(first.get("detail", self.__doc__)), attr=first.get("attr"))
        self.code = first.get("code", self.code)  # type: ignore[misc]  # the first refusal's, whatever it was
        self.operation = operation


@dataclass(frozen=True, slots=True)
class Recorded[M: models.Model]:
    """What an operation made. ``replayed``: the same operation made it earlier, and nothing happened now."""

    value: M
    replayed: bool = False


def idempotent[**P, M: models.Model](
    operation: str, model: type[M]
) -> Callable[[Callable[P, Recorded[M]]], Callable[P, Recorded[M]]]:
    """Below ``@command``: do what ``actor`` asks for by ``data`` once for each ``data.client_temp_id``.

    An earlier result is answered again. Without an id it is always new. The rest of ``data`` is what makes two
    operations the same. Raises IdempotencyConflict, RefusedBefore.
    """

    def decorate(function: Callable[P, Recorded[M]]) -> Callable[P, Recorded[M]]:
        @wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> Recorded[M]:
            actor: Any = kwargs["actor"]
            data: Any = kwargs["data"]
            named = Operation(
                user=actor,
                client_temp_id=data.client_temp_id,
                type=operation,
                content=replace(data, client_temp_id=None),
            )
            return named.once(model, lambda: function(*args, **kwargs))

        return wrapper

    return decorate


class Operation:
    """One operation of a client, from its id to its result. Without an id it is always new.

    ``content`` is what makes two operations the same: the command's own input.
    """

    def __init__(
        self, *, user: models.Model, client_temp_id: str | None, type: str, content: "DataclassInstance"
    ) -> None:
        self._user = user
        self._client_temp_id = client_temp_id
        self._type = type
        self._content = canonical_json(content)
        self._claimed: ClientOperation | None = None

    def once[M: models.Model](self, model: type[M], make: Callable[[], Recorded[M]]) -> Recorded[M]:
        """What the same operation made before; else what ``make`` makes now. In the caller's transaction."""
        # Nearly every operation is new: at first the claim itself finds out, and only after it has failed do we look.
        if not is_first_attempt() and (earlier := self.earlier_result()) is not None:
            return Recorded(model._default_manager.get(pk=earlier), replayed=True)
        self.claim()
        recorded = make()
        self.settle(recorded.value)
        return recorded

    def earlier_result(self) -> int | None:
        """The primary key of what the same operation made before; None when it is new, or released.

        Raises IdempotencyConflict where the id was used for something else, RefusedBefore for a kept refusal.
        """
        if self._client_temp_id is None:
            return None
        earlier = find(self._user, self._client_temp_id)
        if earlier is None:
            return None
        if earlier.result_id is None and earlier.refusal is None:
            self._claimed = earlier
            return None
        if (earlier.type, earlier.content) != (self._type, self._content):
            raise IdempotencyConflict(
                "This client_temp_id was used for another operation already.", attr="client_temp_id"
            )
        if earlier.refusal is not None:
            raise RefusedBefore(earlier)
        return earlier.result_id

    def claim(self) -> None:
        """Take the id, to the end of the transaction; waits for another transaction that takes the same.

        Raises TryAgain where that one went through: the next attempt finds its result.
        """
        if self._client_temp_id is None or self._claimed is not None:
            return
        try:
            self._claimed = _insert(self._user, self._client_temp_id, self._type, self._content)
        except IntegrityError as error:
            raise TryAgain from error

    def settle(self, result: models.Model) -> None:
        """Keep what the claimed operation made."""
        if self._claimed is not None:
            self._claimed.result_id = result.pk
            self._claimed.type, self._claimed.content = self._type, self._content
            self._claimed.save(update_fields=["result_id", "type", "content"])


def find(user: models.Model, client_temp_id: str) -> ClientOperation | None:
    """What is known of a user's operation; None when nothing is."""
    return ClientOperation.objects.filter(key=_key(user, client_temp_id)).first()


def is_known(user: Any, client_temp_id: str | None) -> bool:
    """Was this operation recorded or refused already?"""
    return client_temp_id is not None and find(user, client_temp_id) is not None


def keep_refusal(
    *, user: models.Model, client_temp_id: str, type: str, content: str, refusal: list[dict[str, object]]
) -> ClientOperation:
    """Take the id of an operation that was refused for good, so that it can't happen any more by itself.

    Raises IntegrityError where the id is taken, after waiting for a transaction that is taking it.
    """
    return _insert(user, client_temp_id, type, content, refusal)


def release(operation: ClientOperation) -> None:
    """Let a refused operation happen, in the running transaction: nobody else sees it in between."""
    operation.refusal = None
    operation.save(update_fields=["refusal"])


def _key(user: Any, client_temp_id: str) -> str:
    return hashlib.sha256(f"{user.pk}:{client_temp_id}".encode()).hexdigest()


def _insert(
    user: Any, client_temp_id: str, type: str, content: str, refusal: list[dict[str, object]] | None = None
) -> ClientOperation:
    operation = ClientOperation(
        key=_key(user, client_temp_id),
        user=user,
        client_temp_id=client_temp_id,
        type=type,
        content=content,
        refusal=refusal,
        created_at=clock.now(),
    )
    operation.save(force_insert=True)
    return operation


def _canonical(value: object) -> Any:
    match value:
        case dict():
            return {key: _canonical(item) for key, item in value.items()}
        case list() | tuple():
            return [_canonical(item) for item in value]
        case Decimal():
            return format(value.normalize(), "f")
        case datetime():
            return value.astimezone(clock.SINGAPORE).isoformat()
        case date():
            return value.isoformat()
        case _:
            return value
