"""Ids are given out before commits: a record with a lower id may appear after one with a higher id."""

import threading
from collections.abc import Callable

import pytest
from django.db import connections, transaction

from audit import seals
from audit.models import AuditSeal
from audit.services import record
from tests.factories import DepotFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_sealing_waits_for_a_record_that_is_not_committed_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "SETTLING_SECONDS", 0.01)
    depot, wrote, release = DepotFactory(), threading.Event(), threading.Event()

    def in_thread(work: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            finally:
                connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def slow_writer() -> None:
        with transaction.atomic():
            record(actor=None, action="depots.depot.counted", target=depot, reason="first id, last commit")
            wrote.set()
            release.wait(timeout=10)

    writer = in_thread(slow_writer)
    wrote.wait(timeout=10)
    with transaction.atomic():
        record(actor=None, action="depots.depot.counted", target=depot, reason="second id, first commit")
    sealer = in_thread(seals.seal_all)
    sealer.join(timeout=0.5)
    assert sealer.is_alive()
    assert not AuditSeal.objects.exists()
    release.set()
    writer.join()
    sealer.join()
    assert AuditSeal.objects.get().size == 2
    assert list(seals.breaks()) == []
