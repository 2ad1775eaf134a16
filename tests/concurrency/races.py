"""Clients at the same instant, and threads beside a test: what fails in one fails the test, and nobody waits for ever."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from django.db import connections
from rest_framework.test import APIClient

from accounts.models import User
from tests.types import Answer, Json

CLIENTS = 16
PATIENCE = 90.0
"""Seconds to wait for what takes a moment, on a crowded machine too."""


class Signal:
    """What one thread says to others. Whoever waits in vain fails."""

    def __init__(self, what: str, patience: float = PATIENCE) -> None:
        self._what, self._patience = what, patience
        self._event = threading.Event()
        self.set, self.is_set = self._event.set, self._event.is_set

    def wait(self) -> None:
        if not self._event.wait(self._patience):
            raise TimeoutError(f"{self._what}: waited {self._patience:g} seconds in vain")


def until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Wait until something that nobody signals has become true."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: waited {patience:g} seconds in vain")
        time.sleep(0.01)


class Running(threading.Thread):
    """Work in a thread: its answer, or what it failed with."""

    def __init__(self, work: Callable[..., Any], *arguments: Any) -> None:
        super().__init__(name=f"{getattr(work, '__name__', work)}{arguments}", daemon=True)
        self._work, self._arguments = work, arguments
        self.answer: Any = None
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            self.answer = self._work(*self._arguments)
        except BaseException as error:  # raised where the test waits for it
            self.failure = error
        finally:
            connections.close_all()


class Threads:
    """Threads beside a test: ``with Threads() as beside: beside.start(work)``.

    At the end of the block ``over`` is set, for what goes on until then, and all of them are waited for. What they
    failed with is raised, with what the block itself failed with if it did: the one is often the other's cause.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self.over = threading.Event()
        self._patience = patience
        self._running: list[Running] = []

    def start(self, work: Callable[..., Any], *arguments: Any) -> Running:
        running = Running(work, *arguments)
        self._running.append(running)
        running.start()
        return running

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.over.set()
        deadline = time.monotonic() + self._patience
        for running in self._running:
            running.join(max(0.0, deadline - time.monotonic()))
        failures: list[BaseException] = [error] if error else []
        failures += [running.failure for running in self._running if running.failure]
        if late := [running.name for running in self._running if running.is_alive()]:
            failures.append(TimeoutError(f"not done after {self._patience:g} seconds: {', '.join(late)}"))
        if failures == [error]:
            return
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise BaseExceptionGroup(f"{len(failures)} of a test and its threads failed", failures)


def at_once(work: Callable[[int], Any], clients: int = CLIENTS, patience: float = PATIENCE) -> list[Any]:
    """Run ``work(0)`` … ``work(15)`` in threads that start together; their answers, in order.

    Raises what one of them failed with, and a group where several did.
    """
    barrier = threading.Barrier(clients, timeout=patience)

    def run(index: int) -> Any:
        barrier.wait()
        return work(index)

    with Threads(patience) as side_by_side:
        running = [side_by_side.start(run, index) for index in range(clients)]
    return [one.answer for one in running]


def post(user: User, url: str, body: Json | None = None) -> Answer:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client.post(url, body or {})
