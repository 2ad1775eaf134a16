"""docs/offline-protocol.md says what the code does: every name that a client has to know stands in it."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from discrepancies.models import Discrepancy
from sync.feed import KINDS
from sync.operations import TYPES
from sync.serializers import (
    MAX_OPERATIONS,
    STATUSES,
    DifferenceOut,
    HeardOut,
    PullOfDeviceOut,
    PushOfDeviceIn,
    PushOfDeviceOut,
    ResultOfDeviceOut,
)

pytestmark = pytest.mark.any_engine

TEXT = (Path(settings.BASE_DIR) / "docs" / "offline-protocol.md").read_text()


NAMES = [
    *TYPES, *STATUSES, *KINDS, *PullOfDeviceOut().fields, *PushOfDeviceOut().fields, *ResultOfDeviceOut().fields,
    *PushOfDeviceIn().fields, *HeardOut().fields, *DifferenceOut().fields, *Discrepancy.Code.values,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_explained(name: str) -> None:
    assert re.search(f'[`"]{name}[`"]', TEXT)


def test_limits_are_those_of_the_code() -> None:
    assert f"at most {MAX_OPERATIONS}" in TEXT
    assert f"at most {settings.OCCURRED_AT_MAX_AGE.days} days back" in TEXT
    assert f"{settings.OCCURRED_AT_MAX_AHEAD.seconds // 60} minutes ahead" in TEXT
