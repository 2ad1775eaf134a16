"""Reading many tables as they were at one instant, while others go on writing."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

_BEGIN = {
    # Not atomic(): on SQLite that would take the one writer's lock for as long as the reading lasts.
    "sqlite": ("BEGIN DEFERRED",),
    "mysql": (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ),
}


@contextmanager
def consistent_reads() -> Iterator[None]:
    """Every query inside sees the same committed state. Blocks nobody; write nothing inside.

    Inside a transaction that is open already it adds nothing: that one's own view holds.
    """
    if connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        for statement in _BEGIN[connection.vendor]:
            cursor.execute(statement)
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")
