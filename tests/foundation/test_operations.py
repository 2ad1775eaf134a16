"""What makes two operations of a client the same one."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from depots.models import Depot
from foundation import clock
from foundation.commands import command
from foundation.operations.idempotency import IdempotencyConflict, Operation, Recorded, canonical_json
from foundation.operations.models import ClientOperation
from tests.factories import DepotFactory, UserFactory


@dataclass(frozen=True)
class Content:
    value: Any


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("28.50"), '"28.5"'),
        (Decimal(100), '"100"'),
        (datetime(2026, 1, 19, 16, 30, tzinfo=UTC), '"2026-01-20T00:30:00+08:00"'),
        (date(2026, 1, 20), '"2026-01-20"'),
        ((Content(Decimal("1.0")), None), '[{"value":"1"},null]'),
        ({"b": 1, "a": "é"}, '{"a":"é","b":1}'),
    ],
)
def test_one_meaning_is_one_text(value: object, text: str) -> None:
    """The texts of earlier versions are kept, and are compared with."""
    assert canonical_json(Content(value)) == f'{{"value":{text}}}'


@pytest.mark.django_db
def test_the_same_words_of_another_kind_are_another_operation() -> None:
    user = UserFactory()

    @command
    def perform(kind: str) -> Recorded[Depot]:
        operation = Operation(user=user, client_temp_id="a", type=kind, content=Content("x"))
        return operation.once(Depot, lambda: Recorded(DepotFactory()))

    made = perform("count")
    assert perform("count") == Recorded(made.value, replayed=True)
    with pytest.raises(IdempotencyConflict):
        perform("correct")
    assert clock.now() - ClientOperation.objects.get().created_at < timedelta(minutes=1)
