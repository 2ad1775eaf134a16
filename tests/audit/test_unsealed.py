"""What waits for its seal."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import transaction

from audit import seals
from audit.services import record
from foundation.clock import SINGAPORE
from tests.factories import DepotFactory

pytestmark = pytest.mark.django_db


def test_what_waits_is_counted_from_the_last_seal_on() -> None:
    depot = DepotFactory()
    with time_machine.travel(datetime(2026, 1, 20, 10, tzinfo=SINGAPORE), tick=False) as clock:

        def write() -> int:
            clock.shift(timedelta(minutes=1))
            with transaction.atomic():
                return record(actor=None, action="depots.depot.counted", target=depot).pk

        assert (seals.unsealed(), seals.unsealed_for()) == (0, 0)
        for _ in range(2):
            seals.seal_next_batch(through=write())
        assert (seals.unsealed(), seals.unsealed_for()) == (0, 0)
        for _ in range(3):
            write()
        assert (seals.unsealed(), seals.unsealed_for()) == (3, 120)


def test_a_batch_goes_no_further_than_it_was_asked_to() -> None:
    """What was written since may have neighbours that aren't committed yet."""
    with transaction.atomic():
        ids = [record(actor=None, action="depots.depot.counted", target=DepotFactory()).pk for _ in range(3)]
    sealed = seals.seal_next_batch(through=ids[1])
    assert sealed is not None
    assert (sealed.size, sealed.last_id, seals.unsealed()) == (2, ids[1], 1)
