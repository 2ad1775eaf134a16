"""A working day whose clock is told, so that what comes late can say when it happened."""

from datetime import datetime
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from foundation import clock
from tests.conftest import Shop, open_shop


def moment(hour: int, minute: int = 0) -> datetime:
    """Of the 20th of January 2026, in Singapore."""
    return datetime(2026, 1, 20, hour, minute, tzinfo=clock.SINGAPORE)


def at(hour: int, minute: int = 0) -> Any:
    """The clock stands still then."""
    return time_machine.travel(moment(hour, minute), tick=False)


@pytest.fixture
def opened(stub_pdf: None) -> Shop:
    """At six in the morning, with 100 in the depot and 20 on the vehicle, all full."""
    with at(6):
        return open_shop()


def require_right_books() -> None:
    with at(23):
        call_command("verify_books", stdout=StringIO())
