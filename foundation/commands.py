"""The shape of every write: one function, one database transaction, all of it or nothing.

``@command`` opens the transaction. Commands nest: an inner one joins the outer one's transaction and
takes no savepoint, so that its failure is the failure of the whole. The outermost one retries what the
database refused for the moment (deadlock, lock time-out), and undoes what a rollback can't (files).
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial, wraps

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from foundation.errors import Busy
from foundation.infrastructure import file_locks
from foundation.observability.metrics import COMMAND_RETRIES
from foundation.unreadable import RAISED, UnreadableRecord, refused_in_commands

ATTEMPTS = 6

# MySQL / MariaDB: lock time-out, deadlock, "record has changed since last read" (snapshot isolation).
_TRANSIENT_MYSQL = {1205, 1213, 1020}
# The server is down, starting, shutting down or full, or went away under way.
# 1047: a node of a cluster that has lost the others.
_AWAY_MYSQL = {1040, 1047, 1053, 1927, 2002, 2003, 2006, 2013, 2055}

_compensations: ContextVar[list[Callable[[], None]] | None] = ContextVar("compensations", default=None)
_attempts: ContextVar[int] = ContextVar("attempts", default=0)


class TryAgain(Exception):
    """Roll back, prepare, and run the outermost command again."""

    def prepare(self) -> None:
        """What has to be done, in a transaction of its own, before the next attempt can succeed."""


def command[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Run a service function in one transaction; the outermost one is tried up to `ATTEMPTS` times.

    Raises Busy (503) where it couldn't be done for the moment, UnreadableRecord. Everything else that the function
    raises rolls back and goes through.
    """

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if _compensations.get() is not None:
            with transaction.atomic(savepoint=False):
                return function(*args, **kwargs)
        for attempt in range(1, ATTEMPTS + 1):
            token = _attempts.set(attempt)
            try:
                return _attempt(function, *args, **kwargs)
            except TryAgain as request:
                request.prepare()
            except RAISED as error:
                raise UnreadableRecord(
                    "A number that this needs can't be read in the books. Nothing was recorded; verify_books names it."
                ) from error
            except (OperationalError, InterfaceError) as error:
                # Inside somebody else's transaction there is nothing left to retry in: it is theirs to begin again.
                if connection.in_atomic_block or not is_transient(error):
                    if is_away(error):
                        raise Busy("The database is away. Please try again.") from error
                    raise
                COMMAND_RETRIES.inc()
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 -- jitter, no secret
            finally:
                _attempts.reset(token)
        raise Busy("The server is busy. Nothing was recorded; please try again.")

    return wrapper


def is_running() -> bool:
    """Is this inside a command? Then its locks are held, and its transaction is another function's too."""
    return _compensations.get() is not None


def is_first_attempt() -> bool:
    """Has the running command not been tried before? What is rare may be found out by failing then."""
    return _attempts.get() <= 1


def on_rollback(undo: Callable[[], None]) -> None:
    """Call ``undo`` if the running command's transaction doesn't commit. Only inside a command."""
    undos = _compensations.get()
    if undos is None:
        raise RuntimeError("on_rollback needs a running command")
    undos.append(undo)


def is_transient(error: BaseException) -> bool:
    """Did the database refuse for the moment only, so that the same work may succeed at once?"""
    return _mysql_code(error) in _TRANSIENT_MYSQL or (
        isinstance(error, OperationalError) and "database is locked" in str(error)
    )


def is_away(error: BaseException) -> bool:
    """Is the database not to be reached, before the work or in the middle of it?"""
    return isinstance(error, InterfaceError) or _mysql_code(error) in _AWAY_MYSQL


def _committed(undos: list[Callable[[], None]], end_turn: Callable[[], None]) -> None:
    undos.clear()
    _compensations.set(None)
    end_turn()


@contextmanager
def _turn() -> Iterator[Callable[[], None]]:
    """Where all writers wait for one lock: one after the other, as they came. Gives what ends the turn early.

    SQLite's own way to wait is to look again now and then, so that who comes often goes first.
    """
    with ExitStack() as held:
        # Inside somebody else's transaction the lock is held already, and must not wait for those who want it.
        if not connection.features.has_select_for_update and not connection.in_atomic_block:
            file_locks.hold(file_locks.beside_database("turn"), until=held, wait=True)
        yield held.close


def _mysql_code(error: BaseException) -> object:
    return error.args[0] if isinstance(error, DatabaseError) and error.args else None


def _attempt[**P, R](function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    undos: list[Callable[[], None]] = []
    committing = False
    token = _compensations.set(undos)
    try:
        with _turn() as end_turn, transaction.atomic(), refused_in_commands():
            # First of the callbacks: what runs after the commit can neither undo it nor nest in it.
            transaction.on_commit(partial(_committed, undos, end_turn))
            result = function(*args, **kwargs)
            if transaction.get_rollback():
                # Django would roll back without a word, and the caller would take the result for real.
                raise RuntimeError("A command swallowed the failure of another one inside it.")
            committing = True
            return result
    except BaseException as error:
        # Once COMMIT has begun the work may stand, and what it refers to must stay. The error can't tell: where
        # COMMIT lost its connection Django connects anew, and raises the failure of that instead. Only a refusal of
        # COMMIT itself is certain: a cluster's node answers 1213 where another one was first.
        if not committing or is_transient(error):
            for undo in reversed(undos):
                undo()
        raise
    finally:
        _compensations.reset(token)
