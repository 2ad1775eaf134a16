"""Where the current command comes from: set once per request, read by logs and the audit."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """``ip_address`` is None and ``request_id`` empty for commands that no request caused."""

    request_id: str = ""
    ip_address: str | None = None


_NOWHERE = Origin()
_origin: ContextVar[Origin] = ContextVar("origin", default=_NOWHERE)


def current_origin() -> Origin:
    return _origin.get()


@contextmanager
def origin(value: Origin) -> Iterator[None]:
    """Everything inside the block comes from ``value``."""
    token = _origin.set(value)
    try:
        yield
    finally:
        _origin.reset(token)
