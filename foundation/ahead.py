"""Long work ahead of the locks: what takes long is made ready before a command holds what others wait for.

What was made ready is a guess. The command locks, decides over what it has locked, and takes the guess only where it
is the very thing that it would make itself.
"""

from collections.abc import Callable
from contextlib import ExitStack

from django.db import connection

from foundation.commands import ATTEMPTS, TryAgain, is_running
from foundation.errors import DomainError
from foundation.unreadable import RAISED, refused_in_commands

type Ahead[T] = Callable[[], T | None]
"""Gives what was made ready; None where nothing was. Called once by a command, before its first lock."""


def ahead_of_locks[T, R](
    prepare: Callable[[ExitStack], T],
    record: Callable[[Ahead[T]], R],
    *,
    unless: Callable[[], bool] = lambda: False,
) -> R:
    """Run ``record``, a command, with what ``prepare`` makes ready.

    With row locks that is at the beginning of the command's own transaction, which can reserve rows that nobody waits
    for. Without them (SQLite) a transaction that writes locks everybody out: there it is before the transaction,
    ``unless`` says that the command will have nothing to do, and what ``prepare`` reserves is held by the stack that
    it is given. A refusal of ``prepare`` is none: the command decides. Inside another command nothing is made ready,
    for locks are held already.
    """
    if is_running():
        return record(lambda: None)
    with ExitStack() as held:
        if connection.features.has_select_for_update:
            return record(lambda: _unless_refused(prepare, held))
        ready = None if unless() else _tried_again(prepare, held)
        return record(lambda: ready)


def _tried_again[T](prepare: Callable[[ExitStack], T], held: ExitStack) -> T | None:
    """As a command is, where there is none yet."""
    for _ in range(ATTEMPTS):
        try:
            return _unless_refused(prepare, held)
        except TryAgain as request:
            request.prepare()
    return None


def _unless_refused[T](prepare: Callable[[ExitStack], T], held: ExitStack) -> T | None:
    try:
        with refused_in_commands():
            return prepare(held)
    except (DomainError, *RAISED):
        return None
