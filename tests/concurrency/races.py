"""Clients at the same instant: threads that start together."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections
from rest_framework.test import APIClient

from accounts.models import User
from tests.types import Answer, Json

CLIENTS = 16


def at_once(work: Callable[[int], Any], clients: int = CLIENTS) -> list[Any]:
    """Run ``work(0)`` … ``work(15)`` in threads that start together; their answers, in order."""
    barrier = threading.Barrier(clients)
    answers: list[Any] = [None] * clients

    def run(index: int) -> None:
        try:
            barrier.wait()
            answers[index] = work(index)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def post(user: User, url: str, body: Json | None = None) -> Answer:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client.post(url, body or {})
