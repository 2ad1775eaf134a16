"""The command decorator: all or nothing, tried again, undone."""

import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction

from audit.models import AuditLog
from audit.services import record
from depots.models import Depot
from foundation.commands import ATTEMPTS, TryAgain, command, on_rollback
from foundation.errors import Busy
from foundation.infrastructure import file_locks
from tests.concurrency.races import Threads, until
from tests.factories import DepotFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foundation.commands.time.sleep", lambda seconds: None)


def failing(times: int, error: Exception) -> Callable[[], int]:
    """A command that makes a depot, fails the first few times, and answers how often it ran."""
    runs = 0

    @command
    def work() -> int:
        nonlocal runs
        runs += 1
        Depot.objects.create(code=f"D{runs}", name="x")
        if runs <= times:
            raise error
        return runs

    return work


@pytest.mark.parametrize(
    "error",
    [
        OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction"),
        OperationalError(1205, "Lock wait timeout exceeded; try restarting transaction"),
        OperationalError(1020, "Record has changed since last read in table"),
        OperationalError("database is locked"),
        TryAgain(),
    ],
    ids=["deadlock", "lock time-out", "snapshot", "SQLite", "asked for"],
)
def test_what_is_refused_for_the_moment_is_tried_again_with_one_effect(error: Exception) -> None:
    assert failing(ATTEMPTS - 1, error)() == ATTEMPTS
    assert list(Depot.objects.values_list("code", flat=True)) == [f"D{ATTEMPTS}"]


def test_after_the_last_attempt_it_is_busy_and_nothing_happened() -> None:
    with pytest.raises(Busy):
        failing(ATTEMPTS, OperationalError(1213, "Deadlock"))()
    assert not Depot.objects.exists()


@pytest.mark.parametrize("error", [OperationalError(1045, "Access denied"), ValueError("no")])
def test_what_is_refused_for_good_is_not_tried_again(error: Exception) -> None:
    work = failing(1, error)
    with pytest.raises(type(error)):
        work()
    assert not Depot.objects.exists()
    assert work() == 2


@pytest.mark.parametrize("code", [1040, 1047, 1053, 1927, 2002, 2003, 2006, 2013, 2055])
def test_a_lost_connection_is_never_tried_blindly(code: int) -> None:
    work = failing(1, OperationalError(code, "Lost connection"))
    with pytest.raises(Busy):
        work()
    assert work() == 2


def test_an_inner_failure_is_the_failure_of_the_whole() -> None:
    inner = failing(1, ValueError())

    @command
    def outer() -> None:
        DepotFactory()
        with contextlib.suppress(ValueError):
            inner()

    with pytest.raises(RuntimeError, match="swallowed"):
        outer()
    assert not Depot.objects.exists()


def test_only_the_outermost_tries_again() -> None:
    inner, outer_runs = failing(2, OperationalError(1213, "Deadlock")), 0

    @command
    def outer() -> int:
        nonlocal outer_runs
        outer_runs += 1
        return inner()

    assert outer() == 3
    assert outer_runs == 3
    assert Depot.objects.count() == 1


def test_what_a_rollback_cannot_undo_is_undone_last_first() -> None:
    undone: list[str] = []

    @command
    def work(fails: bool) -> None:
        on_rollback(lambda: undone.append("first"))
        on_rollback(lambda: undone.append("second"))
        if fails:
            raise ArithmeticError

    work(False)
    assert undone == []
    with pytest.raises(ArithmeticError):
        work(True)
    assert undone == ["second", "first"]


def test_what_an_inner_command_did_is_undone_with_the_whole() -> None:
    undone: list[str] = []

    @command
    def inner() -> None:
        on_rollback(lambda: undone.append("x"))

    @command
    def outer() -> None:
        inner()
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 -- raised above
        outer()
    assert undone == ["x"]


def test_a_connection_lost_before_the_commit_is_a_rollback() -> None:
    undone: list[str] = []

    @command
    def work() -> None:
        on_rollback(lambda: undone.append("x"))
        raise OperationalError(2013, "Lost connection during query")

    with pytest.raises(Busy):
        work()
    assert undone == ["x"]


def commit_then(error: BaseException) -> Callable[[], None]:
    """The connection's commit, of which it learns nothing but an error."""
    commit = connection._commit  # type: ignore[attr-defined]  # of Django's base class, whose stub is without it

    def committing() -> None:
        commit()
        raise error

    return committing


def test_a_commit_that_the_database_refuses_is_undone_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a cluster's node does where another one was first."""
    undone: list[str] = []
    commit = connection._commit  # type: ignore[attr-defined]  # of Django's base class, whose stub is without it
    refusals = [OperationalError(1213, "Deadlock found")]

    def refuse_once() -> None:
        if refusals:
            raise refusals.pop()
        commit()

    @command
    def work() -> None:
        on_rollback(lambda: undone.append("x"))
        DepotFactory()

    monkeypatch.setattr(connection, "_commit", refuse_once)
    work()
    assert undone == ["x"]
    assert Depot.objects.count() == 1


def test_nothing_is_undone_when_the_commit_may_have_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server commits and dies before it says so; the error of the attempt to connect anew hides that."""
    undone: list[str] = []

    def fail(code: int) -> Callable[..., None]:
        def failing(*args: object, **kwargs: object) -> None:
            raise OperationalError(code, "gone")

        return failing

    @command
    def work() -> None:
        on_rollback(lambda: undone.append("x"))
        DepotFactory()

    with monkeypatch.context() as patched:
        patched.setattr(
            connection, "_commit", commit_then(OperationalError(2013, "Lost connection to server during query"))
        )
        patched.setattr(connection, "_rollback", fail(2006))
        patched.setattr(connection, "connect", fail(2002))
        with pytest.raises(Busy):
            work()
    connection.close()
    connection.in_atomic_block = connection.needs_rollback = False
    assert undone == []
    assert Depot.objects.count() == 1


def test_nothing_is_undone_when_the_worker_is_ended_in_its_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    undone: list[str] = []

    @command
    def work() -> None:
        on_rollback(lambda: undone.append("x"))
        DepotFactory()

    with monkeypatch.context() as patched:
        patched.setattr(connection, "_commit", commit_then(SystemExit(1)))
        with pytest.raises(SystemExit):
            work()
    connection.close()
    connection.in_atomic_block = connection.needs_rollback = False
    assert undone == []
    assert Depot.objects.count() == 1


def test_a_failure_after_the_commit_undoes_nothing() -> None:
    undone: list[str] = []

    def fail() -> None:
        raise ArithmeticError

    @command
    def work() -> None:
        DepotFactory()
        on_rollback(lambda: undone.append("x"))
        transaction.on_commit(fail)

    with pytest.raises(ArithmeticError):
        work()
    assert undone == []
    assert Depot.objects.count() == 1


def test_undoing_needs_a_command() -> None:
    with pytest.raises(RuntimeError):
        on_rollback(lambda: None)


def test_evidence_needs_a_transaction() -> None:
    depot = DepotFactory()
    with pytest.raises(RuntimeError):
        record(actor=None, action="depots.depot.looked_at", target=depot)
    assert not AuditLog.objects.exists()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="There is no lock that all writers wait for.")
def test_writers_wait_in_turn() -> None:
    """However often somebody comes back: who came first goes first."""
    began: list[int] = []
    turn = file_locks.beside_database("turn")

    def write(index: int) -> None:
        command(lambda: began.append(index))()

    def are_waiting(count: int) -> bool:
        file = f":{turn.stat().st_ino} "
        return count == sum("->" in line and file in line for line in Path("/proc/locks").read_text().splitlines())

    with Threads() as beside, contextlib.ExitStack() as held:
        assert file_locks.hold(turn, until=held, wait=False)
        assert not file_locks.hold(turn, until=held, wait=False)
        for index in range(8):
            beside.start(write, index)
            until(partial(are_waiting, index + 1), "the writer to wait")
        assert began == []
    assert began == list(range(8))


def test_what_follows_a_commit_is_outside_its_turn() -> None:
    """It may be a command of its own."""

    @command
    def work() -> None:
        DepotFactory()
        transaction.on_commit(in_turn)

    def in_turn() -> None:
        if connection.vendor == "sqlite":
            with contextlib.ExitStack() as held:
                assert file_locks.hold(file_locks.beside_database("turn"), until=held, wait=False)
        another()

    @command
    def another() -> None:
        DepotFactory()

    work()
    assert Depot.objects.count() == 2
