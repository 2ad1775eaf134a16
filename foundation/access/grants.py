"""What somebody who has left reported while they worked here may still happen, at the word of who decides about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_granted: ContextVar[int | None] = ContextVar("granted", default=None)


@contextmanager
def acting_for(user: Any) -> Iterator[None]:
    """Inside the block this user may do what the role may, though deactivated. Another one's right has been checked."""
    token = _granted.set(user.pk)
    try:
        yield
    finally:
        _granted.reset(token)


def is_granted(user: Any) -> bool:
    """Does the running block act for this user?"""
    return user.pk is not None and user.pk == _granted.get()
