"""Nothing happens twice: a client's own id of an operation, kept with what it made.

Whoever takes an operation in (an API view, a push, a page of the office) names it, and the first idempotent command
that is run meanwhile is what happens once. The claim is a row with a unique key, inserted first of all in the
command's own transaction. A second one with the same key waits for it in the database, finds it committed, and answers
its result; if the first one rolled back, the second goes ahead.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from django.db import IntegrityError, models

from foundation import clock
from foundation.commands import TryAgain, is_first_attempt, on_rollback
from foundation.entities import entity_name, model_of
from foundation.errors import Conflict
from foundation.infrastructure.shared_locks import share
from foundation.operations.contents import as_text, mean_the_same
from foundation.operations.models import ClientOperation


class IdempotencyConflict(Conflict):
    """This client_temp_id was used for another operation already."""

    code = "idempotency_conflict"

    def __init__(self, first: ClientOperation) -> None:
        super().__init__("This client_temp_id was used for another operation already.", attr="client_temp_id")
        self.first = first


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


class Operation:
    """One operation of a client, from its id to its result.

    Type and content are what makes two operations the same; ``sent`` is the content as it was sent, JSON. The id is
    the client's own, or one that a page of the office was given (``is_clients`` False). ``device`` and ``number`` are
    its place among what one device recorded for its user; they are no part of what makes it the same.
    """

    def __init__(
        self,
        *,
        user: Any,
        client_temp_id: str,
        type: str,
        sent: Mapping[str, Any],
        is_clients: bool = True,
        device: str = "",
        number: int | None = None,
    ) -> None:
        self.user = user
        self.client_temp_id = client_temp_id
        self.type = type
        self.content = as_text(sent)
        self.is_clients = is_clients
        self.device = device
        self.number = number
        self.is_replayed = False
        """Was it answered by what the same operation made before?"""
        self.is_taken = False
        """Has a command begun that is this operation?"""
        self._claimed: ClientOperation | None = None

    def is_same_as(self, stored: ClientOperation) -> bool:
        return stored.type == self.type and mean_the_same(stored.content, self.content)

    def earlier_result(self) -> models.Model | None:
        """What the same operation made before; None when it is new, or released.

        Raises IdempotencyConflict where the id was used for something else, RefusedBefore for a kept refusal.
        """
        earlier = find(self.user, self.client_temp_id)
        if earlier is None:
            return None
        if earlier.result_id is None and earlier.refusal is None:
            self._claimed = earlier
            return None
        if not self.is_same_as(earlier):
            raise IdempotencyConflict(earlier)
        if earlier.refusal is not None:
            raise RefusedBefore(earlier)
        self.is_replayed = True
        return result_of(earlier)

    def once[R](self, make: Callable[[], R]) -> R:
        """What the same operation made before; else what ``make`` makes now. In the caller's transaction."""
        # Nearly every operation is new: at first the claim itself finds out, and only after it has failed do we look.
        if not is_first_attempt() and (earlier := self.earlier_result()) is not None:
            return earlier  # type: ignore[return-value]  # the same operation makes the same kind of thing
        self.claim()
        made = make()
        self.settle(made)
        return made

    def give_back(self) -> None:
        """Its transaction was rolled back: it may be tried again."""
        self.is_taken, self.is_replayed, self._claimed = False, False, None

    def claim(self) -> None:
        """Take the id, to the end of the transaction; waits for another transaction that takes the same.

        Raises TryAgain where that one went through: the next attempt finds its result.
        """
        if self._claimed is not None:
            return
        try:
            self._claimed = _insert(self)
        except IntegrityError as error:
            raise TryAgain from error

    def settle(self, made: Any) -> None:
        """Keep what the claimed operation made."""
        if self._claimed is None:
            raise RuntimeError("what happens once is claimed first")
        self._claimed.result_type, self._claimed.result_id = entity_name(made), made.pk
        # The same as it was sent, unless it was kept when nobody understood it.
        self._claimed.type, self._claimed.content = self.type, self.content
        self._claimed.save(update_fields=["result_type", "result_id", "type", "content"])


_operation: ContextVar[Operation | None] = ContextVar("operation", default=None)


@contextmanager
def named(operation: Operation | None) -> Iterator[None]:
    """Inside the block the first idempotent command is this operation; without one what happens is always new."""
    token = _operation.set(operation)
    try:
        yield
    finally:
        _operation.reset(token)


def name_from_here(operation: Operation | None) -> None:
    """Name what happens in the rest of the `named` block that this is called in."""
    _operation.set(operation)


def current_operation() -> Operation | None:
    """What the running request, pushed operation or form was named as."""
    return _operation.get()


def client_temp_id() -> str | None:
    """A client's own id of the operation that is being carried out, for what it makes."""
    operation = _operation.get()
    return operation.client_temp_id if operation is not None and operation.is_clients else None


def earlier_result() -> Any:
    """What the current operation made before, for who must know before the command; None when it is new.

    Raises IdempotencyConflict, RefusedBefore.
    """
    operation = _operation.get()
    return operation.earlier_result() if operation is not None else None


def is_replayed() -> bool:
    """Was the current operation answered by what it made before?"""
    operation = _operation.get()
    return operation is not None and operation.is_replayed


def is_known() -> bool:
    """Was the current operation recorded or refused already?"""
    operation = _operation.get()
    return operation is not None and find(operation.user, operation.client_temp_id) is not None


def idempotent[**P, M: models.Model](function: Callable[P, M]) -> Callable[P, M]:
    """Below ``@command``: happens once for each named operation, whose earlier result is answered again.

    What the command itself calls is part of it. Raises IdempotencyConflict, RefusedBefore.
    """

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> M:
        operation = _operation.get()
        if operation is None:
            # As the claim of a named one does: what is written refers to the actor in any case.
            if isinstance(actor := kwargs.get("actor"), models.Model):
                share(actor.__class__._default_manager.filter(pk=actor.pk))
            return function(*args, **kwargs)
        if operation.is_taken:
            return function(*args, **kwargs)
        operation.is_taken = True
        on_rollback(operation.give_back)
        return operation.once(lambda: function(*args, **kwargs))

    return wrapper


def find(user: models.Model, client_temp_id: str) -> ClientOperation | None:
    """What is known of a user's operation; None when nothing is."""
    return ClientOperation.objects.filter(key=_key(user, client_temp_id)).first()


def result_of(stored: ClientOperation) -> models.Model | None:
    """What an operation made, as it is now."""
    if stored.result_id is None:
        return None
    made: models.Model = model_of(stored.result_type)._default_manager.get(pk=stored.result_id)
    return made


def keep_refusal(operation: Operation, refusal: list[dict[str, object]]) -> ClientOperation:
    """Take the id of an operation that was refused for good, so that it can't happen any more by itself.

    Raises IntegrityError where the id is taken, after waiting for a transaction that is taking it.
    """
    return _insert(operation, refusal)


def release(operation: ClientOperation) -> None:
    """Let a refused operation happen, in the running transaction: nobody else sees it in between."""
    operation.refusal = None
    operation.save(update_fields=["refusal"])


def _key(user: Any, client_temp_id: str) -> str:
    return hashlib.sha256(f"{user.pk}:{client_temp_id}".encode()).hexdigest()


def _insert(operation: Operation, refusal: list[dict[str, object]] | None = None) -> ClientOperation:
    row = ClientOperation(
        key=_key(operation.user, operation.client_temp_id),
        user=operation.user,
        client_temp_id=operation.client_temp_id,
        type=operation.type,
        content=operation.content,
        refusal=refusal,
        created_at=clock.now(),
    )
    row.save(force_insert=True)
    return row
