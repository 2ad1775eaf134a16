"""Room on Python's own stack for a busy loop."""

import struct
from collections.abc import Callable
from functools import wraps


def with_room_on_the_stack[**P, T](function: Callable[P, T]) -> Callable[P, T]:
    """Call ``function`` with Python's own stack empty for half a megabyte.

    CPython keeps its frames in chunks of 16 KB, which it asks of the system and gives back one by one. Where a
    busy loop happens to stand on the border of two chunks, each of its calls does both: depending on how deep the
    caller is (and a web server is deep), a page takes up to a third longer. A frame of 320 KB makes CPython take one
    chunk of 512 KB, and all of the layout's frames fit in the rest.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        return function(*args, **kwargs)

    call.__code__ = call.__code__.replace(  # type: ignore[attr-defined]  # a wrapper has one all the same
        co_stacksize=320_000 // struct.calcsize("P")
    )
    return call
