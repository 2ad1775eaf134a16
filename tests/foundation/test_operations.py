"""What makes two operations of a client the same one."""

import json
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from depots.models import Depot
from foundation import clock
from foundation.commands import TryAgain, command, is_first_attempt
from foundation.operations.contents import as_text, mean_the_same
from foundation.operations.idempotency import IdempotencyConflict, Operation, idempotent, named, result_of
from foundation.operations.models import ClientOperation
from tests.factories import DepotFactory, UserFactory


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"rate": "28.50"}, {"rate": "28.5"}),
        ({"rate": "28.50"}, {"rate": 28.5}),
        ({"amount": "100"}, {"amount": "100.00"}),
        ({"amount": "-0.00"}, {"amount": 0}),
        ({"quantity": 2}, {"quantity": "2"}),
        ({"at": "2026-01-19T16:30:00Z"}, {"at": "2026-01-20T00:30:00+08:00"}),
        ({"remarks": " Lane 3 "}, {"remarks": "Lane 3"}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        # What a release adds of its own says nothing.
        ({"a": 1}, {"a": 1, "remarks": "", "rate": None, "payment_received": False, "items": [], "more": {}}),
        ({"items": [{"a": 1}]}, {"items": [{"a": 1, "rate": None, "condition": ""}]}),
        # The id and what was confirmed are no part of it.
        ({"a": 1}, {"a": 1, "client_temp_id": "x", "confirm": [{"code": "usage_unlikely"}]}),
        ({"shares": [{"invoice": 1}]}, {"allocations": [{"invoice": 1}]}),
        ({"shares": None}, {}),
    ],
)
def test_the_same_however_it_is_spelt(one: Any, other: Any) -> None:
    assert mean_the_same(json.dumps(one), json.dumps(other))


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"rate": "28.50"}, {"rate": "28.51"}),
        ({"quantity": 0}, {}),
        ({"reference": "007"}, {"reference": "7"}),
        ({"reference": "1e3"}, {"reference": "1000"}),
        ({"paid": True}, {"paid": False}),
        ({"paid": True}, {"paid": 1}),
        ({"at": "2026-01-20T00:30:00+08:00"}, {"at": "2026-01-20T00:31:00+08:00"}),
        ({"at": "2026-99-20T00:30:00+08:00"}, {"at": "2026-98-20T00:30:00+08:00"}),
        ({"items": [{"a": 1}, {"a": 2}]}, {"items": [{"a": 2}, {"a": 1}]}),
        ({"items": [{"a": 1}]}, {"items": [{"a": 1}, {"a": 1}]}),
        ({"a": "x"}, {"b": "x"}),
        # None of them, and the oldest first.
        ({"allocations": []}, {}),
        ({"shares": []}, {"shares": None}),
    ],
)
def test_other_content_is_another_operation(one: Any, other: Any) -> None:
    assert not mean_the_same(json.dumps(one), json.dumps(other))


@pytest.mark.any_engine
def test_a_password_is_stored_nowhere() -> None:
    for name in ("password", "new_password"):
        first, again, other = (as_text({"username": "tan", name: text}) for text in ("Correct", "Correct", "Horse"))
        assert "Correct" not in first
        assert first == again != other
        assert mean_the_same(as_text({"username": "tan", name: ""}), as_text({"username": "tan"}))


def _operation(user: User, **other: Any) -> Operation:
    return Operation(**{"user": user, "client_temp_id": "a", "type": "depot.add", "sent": {"code": "X"}, **other})


@command
@idempotent
def _add_depot() -> Depot:
    return DepotFactory(code=f"ONCE-{Depot.objects.count()}")


def perform(operation: Operation) -> Depot:
    with named(operation):
        return _add_depot()


@pytest.mark.django_db
def test_the_first_result_is_answered_again() -> None:
    user = UserFactory()
    made = perform(_operation(user))
    again = _operation(user)
    assert perform(again) == made
    assert again.is_replayed
    [kept] = ClientOperation.objects.all()
    assert (kept.result_type, kept.result_id) == ("depots.depot", made.pk)
    assert clock.now() - kept.created_at < timedelta(minutes=1)


@pytest.mark.django_db
@pytest.mark.parametrize("other", [{"type": "depot.close"}, {"sent": {"code": "Y"}}])
def test_the_same_id_of_another_operation_is_refused_and_names_the_first(other: dict[str, object]) -> None:
    user = UserFactory()
    perform(_operation(user))
    with pytest.raises(IdempotencyConflict) as refused:
        perform(_operation(user, **other))
    assert refused.value.first == ClientOperation.objects.get()
    assert Depot.objects.filter(code__startswith="ONCE").count() == 1


@pytest.mark.django_db
def test_what_a_command_calls_is_part_of_it() -> None:
    @command
    @idempotent
    def two_depots() -> Depot:
        _add_depot()
        return _add_depot()

    user = UserFactory()
    with named(_operation(user)):
        made = two_depots()
    assert Depot.objects.filter(code__startswith="ONCE").count() == 2
    assert result_of(ClientOperation.objects.get()) == made


@pytest.mark.django_db
def test_what_a_command_calls_is_part_of_it_when_it_is_tried_again_too() -> None:
    @command
    @idempotent
    def two_depots() -> Depot:
        if is_first_attempt():
            raise TryAgain
        _add_depot()
        return _add_depot()

    with named(_operation(UserFactory())):
        two_depots()
    assert Depot.objects.filter(code__startswith="ONCE").count() == 2


@pytest.mark.django_db
def test_without_a_name_it_is_always_new() -> None:
    assert _add_depot() != _add_depot()
    assert not ClientOperation.objects.exists()


@pytest.mark.django_db
def test_what_was_rolled_back_may_be_tried_again_under_its_name() -> None:
    @command
    @idempotent
    def fail() -> Depot:
        DepotFactory(code="ONCE-X")
        raise ValueError("no")

    operation = _operation(UserFactory())
    with named(operation):
        with pytest.raises(ValueError, match="no"):
            fail()
        made = _add_depot()
    assert Depot.objects.get(code__startswith="ONCE") == made
    assert result_of(ClientOperation.objects.get()) == made
