"""Locks among the processes of one machine, where the database has none that fit.

A lock is a file that is held by flock: whoever waits is served in the order of coming, and the kernel lets go of it
however its process ends. The files stay; there are as many as there are names.
"""

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path

from django.db import connection


def beside_database(name: str) -> Path:
    """Of SQLite, whose only lock is that of its one writer: for all who use the same file."""
    database = Path(connection.settings_dict["NAME"])
    return database.parent / f"locks-of-{database.name}" / name


def hold(file: Path, *, until: ExitStack, wait: bool) -> bool:
    """Hold a lock until the stack is closed; False where somebody holds it and ``wait`` is False.

    It isn't re-entrant: the same thread that asks twice is somebody else the second time.
    """
    file.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        return False
    until.callback(os.close, descriptor)
    return True
