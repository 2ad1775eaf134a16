"""The types that tests share. Nothing of Django's: programs import them that don't set it up."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

Json = dict[str, Any]
"""An object as JSON says it. What is in it each test says itself, by what it reads there."""

Unchanged = Callable[[], AbstractContextManager[None]]


class Answer(Protocol):
    """What a test's client gives back: Django's or the API's."""

    @property
    def status_code(self) -> int: ...

    @property
    def content(self) -> bytes: ...

    @property
    def context(self) -> Any: ...  # of templates: anything by its name

    @property
    def headers(self) -> Mapping[str, str]: ...

    def __getitem__(self, header: str, /) -> str: ...

    def __contains__(self, header: str, /) -> bool: ...

    def getvalue(self) -> bytes: ...

    def json(self) -> Any: ...  # as JSON says it, see Json
