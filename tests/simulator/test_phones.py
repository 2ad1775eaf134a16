"""What the server makes of the times that phones send."""

import pytest

from tests.simulator.phones import HOUR, MINUTE, Phone
from tests.simulator.rule import Origin

pytestmark = pytest.mark.any_engine

NOON = 12 * HOUR


@pytest.mark.parametrize("ahead", [0, HOUR, -30 * HOUR])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_clock_that_is_wrong_all_the_time_is_corrected(ahead: int, is_known: bool) -> None:
    phone = Phone("phone", "ahmad", ahead=ahead, correction=-ahead if is_known else None)
    recorded = phone.record(NOON)
    assert recorded.origin == Origin("phone", "ahmad", 1)
    assert phone.receive(recorded, NOON + HOUR, NOON + HOUR) == NOON


def test_a_clock_that_jumped_since_is_taken_to_have_been_as_it_is() -> None:
    phone = Phone("phone", "ahmad", ahead=-HOUR, correction=None)
    recorded = phone.record(NOON)
    phone.ahead = 0
    assert phone.receive(recorded, NOON + 2 * HOUR, NOON + 2 * HOUR) == NOON - HOUR


def test_nothing_is_in_the_future() -> None:
    phone = Phone("phone", "ahmad", ahead=HOUR, correction=0)
    assert phone.receive(phone.record(NOON), NOON, NOON + MINUTE) == NOON + MINUTE


def test_an_app_that_is_installed_again_begins_at_one_as_another_device() -> None:
    phone = Phone("phone", "ahmad", ahead=0, correction=0)
    phone.record(NOON)
    phone.reinstall("new")
    assert phone.record(NOON).origin == Origin("new", "ahmad", 1)
