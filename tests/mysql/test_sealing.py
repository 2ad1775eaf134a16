"""Ids are given out before commits: a record with a lower id may appear after one with a higher id."""

import pytest
from django.db import transaction

from audit import seals
from audit.models import AuditSeal
from audit.services import record
from tests.concurrency.races import Signal, Threads
from tests.factories import DepotFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_sealing_waits_for_a_record_that_is_not_committed_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "SETTLING_SECONDS", 0.01)
    depot, wrote, release = DepotFactory(), Signal("the first record"), Signal("its commit")

    def slow_writer() -> None:
        with transaction.atomic():
            record(actor=None, action="depots.depot.counted", target=depot, reason="first id, last commit")
            wrote.set()
            release.wait()

    with Threads() as beside:
        beside.start(slow_writer)
        wrote.wait()
        with transaction.atomic():
            record(actor=None, action="depots.depot.counted", target=depot, reason="second id, first commit")
        sealer = beside.start(seals.seal_all)
        sealer.join(timeout=0.5)
        assert sealer.is_alive()
        assert not AuditSeal.objects.exists()
        release.set()
    assert AuditSeal.objects.get().size == 2
    assert list(seals.breaks()) == []
