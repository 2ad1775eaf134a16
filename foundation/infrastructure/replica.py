"""Reports from a read replica.

What only adds up the past may read a copy of the database that lags behind by moments; what decides anything reads the
database itself. So nothing goes to the replica by its model or by chance: a report says that it may.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

ALIAS = "replica"
_may_lag: ContextVar[bool] = ContextVar("may_lag", default=False)


@contextmanager
def may_lag() -> Iterator[None]:
    """What is read in the block may be some moments old. Nothing may be written in it."""
    token = _may_lag.set(True)
    try:
        yield
    finally:
        _may_lag.reset(token)


class ReplicaRouter:
    """Reads of a block that may lag go to the replica; all else to the database itself."""

    def db_for_read(self, model: object, **hints: object) -> str | None:
        return ALIAS if _may_lag.get() else None

    def allow_relation(self, first: object, second: object, **hints: object) -> bool:
        return True  # the same rows, wherever they were read

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool:
        return db != ALIAS  # the server replicates the tables
