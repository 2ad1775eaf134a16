"""The helper that runs threads lets none of them fail in silence, and no test wait for ever."""

import threading

import pytest

from tests.concurrency.races import Signal, Threads, at_once, until

pytestmark = pytest.mark.any_engine


def fail(index: int = 0) -> None:
    raise ValueError(f"thread {index}")


def test_answers_come_in_order_and_the_work_runs_side_by_side() -> None:
    """Each of them waits for all the others, which none could if they ran one after the other."""
    met = threading.Barrier(8, timeout=20)
    assert at_once(lambda index: (met.wait() >= 0) and index * index, 8) == [0, 1, 4, 9, 16, 25, 36, 49]


def test_what_one_of_them_failed_with_comes_through() -> None:
    with pytest.raises(ValueError, match="thread 3"):
        at_once(lambda index: fail(index) if index == 3 else index, 8)


def test_a_failed_assertion_in_a_thread_fails_the_test() -> None:
    def work(index: int) -> None:
        assert index != 1, "not this one"

    with pytest.raises(AssertionError, match="not this one"):
        at_once(work, 2)


def test_failures_of_several_come_as_a_group() -> None:
    with pytest.raises(BaseExceptionGroup) as failed:
        at_once(fail, 3)
    assert sorted(map(str, failed.value.exceptions)) == ["thread 0", "thread 1", "thread 2"]


def test_one_that_never_ends_fails_by_time_out() -> None:
    never = threading.Event()
    with pytest.raises(TimeoutError, match=r"not done after 0\.2 seconds: .*run"):
        at_once(lambda index: never.wait() if index == 1 else index, 2, patience=0.2)
    never.set()


def test_a_signal_that_nobody_gives_fails_by_time_out() -> None:
    with pytest.raises(TimeoutError, match=r"the write: waited 0\.05 seconds in vain"):
        Signal("the write", patience=0.05).wait()
    with pytest.raises(TimeoutError, match=r"the write: waited 0\.05 seconds in vain"):
        until(lambda: False, "the write", patience=0.05)


def test_a_signal_lets_those_who_wait_go_on() -> None:
    wrote, seen = Signal("the write"), list[str]()

    def wait() -> None:
        wrote.wait()
        seen.append("went on")

    with Threads() as beside:
        waiting = beside.start(wait)
        assert waiting.is_alive()
        assert seen == []
        wrote.set()
    assert seen == ["went on"]


def test_what_goes_on_until_the_end_of_the_block_is_told() -> None:
    turns: list[int] = []

    def work(over: threading.Event) -> None:
        while not over.wait(0.001):
            turns.append(1)

    with Threads() as beside:
        running = beside.start(work, beside.over)
        until(lambda: turns, "a first turn")
    assert not running.is_alive()


def test_a_block_that_fails_is_told_with_what_failed_beside_it() -> None:
    """A test that waits in vain, because the other thread died."""

    def block() -> None:
        with Threads() as beside:
            beside.start(fail)
            Signal("the write", patience=0.05).wait()

    with pytest.raises(BaseExceptionGroup) as failed:
        block()
    assert [type(error) for error in failed.value.exceptions] == [TimeoutError, ValueError]


def test_a_block_that_fails_alone_raises_its_own_failure() -> None:
    def block() -> None:
        with Threads() as beside:
            beside.start(lambda: None)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        block()


def test_nothing_is_raised_where_nothing_failed() -> None:
    with Threads() as beside:
        running = beside.start(lambda number: number + 1, 41)
    assert (running.answer, running.failure, running.is_alive()) == (42, None, False)
