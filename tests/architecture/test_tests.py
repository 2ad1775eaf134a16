"""Tests that can't fail are worse than none: what the tests themselves never do."""

import ast
from collections.abc import Iterator
from functools import cache

import pytest

from tests.architecture.trees import ROOT, Rule, attributes, broken, swallowing, uses, using

pytestmark = pytest.mark.any_engine


@cache
def modules() -> dict[str, ast.Module]:
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in sorted((ROOT / "tests").rglob("*.py"))}


def files(rule: Rule) -> set[str]:
    return {path for path, tree in modules().items() if [*rule(tree)]}


def test_no_failure_is_swallowed() -> None:
    """Threads keep theirs, to raise it where the test waits for it; a fork that tries a mutant ends with it."""
    assert files(swallowing) == {"tests/concurrency/races.py", "tests/mutation/copies.py"}


def expecting_anything(tree: ast.Module) -> Iterator[int]:
    """``pytest.raises`` that any mistake satisfies."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func, [kind, *_]) if ast.unparse(func) in ("pytest.raises", "raises"):
                kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
                if {"Exception", "BaseException"} & {*map(ast.unparse, kinds)}:
                    yield node.lineno


def test_an_expected_failure_is_named() -> None:
    assert files(expecting_anything) == set()
    assert broken(expecting_anything, "with pytest.raises(Exception): work()") == [1]
    assert broken(expecting_anything, "with pytest.raises((KeyError, BaseException), match='x'): work()") == [1]
    assert broken(expecting_anything, "pytest.raises(Exception, work)") == [1]
    assert broken(expecting_anything, "with pytest.raises(KeyError): work()") == []


threads = using(
    "threading.Thread", "threading.Timer", "threading.Barrier", "threading.Condition", "threading.Semaphore",
    "concurrent.futures.ThreadPoolExecutor", "concurrent.futures.thread.ThreadPoolExecutor", "multiprocessing.pool.ThreadPool",
    "_thread.start_new_thread", "asyncio.to_thread",
)  # fmt: skip


def test_threads_are_started_by_the_helper_alone() -> None:
    """By others, what fails in them would be lost, and who waits for them might wait for ever."""
    programs = {"tests/live/chaos.py"}
    meeting = {"tests/concurrency/test_locks.py"}  # of threads that the helper starts, for a moment
    assert files(threads) == {"tests/concurrency/races.py", "tests/concurrency/test_threads.py", *programs, *meeting}


@pytest.mark.parametrize(
    "source",
    [
        "import threading\nthreading.Thread(target=work).start()",
        "import threading as t\nt.Barrier(2)",
        "#\nfrom threading import Thread as Worker",
        "#\nfrom concurrent.futures import ThreadPoolExecutor",
        "from concurrent import futures\nfutures.ThreadPoolExecutor(2)",
        "import threading\nclass Worker(threading.Thread): ...",
    ],
)
def test_every_way_to_start_a_thread_is_found(source: str) -> None:
    assert broken(threads, source) == [2]


def waiting_for_ever(tree: ast.Module) -> Iterator[int]:
    """Waits of events for as long as it takes."""
    events = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and "Event()" in ast.unparse(node.value)
        for target in ast.walk(ast.Tuple([*node.targets]))
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Attribute(ast.Name(name), "wait"), [], []) if name in events:
                yield node.lineno


def test_no_event_is_waited_for_without_a_time_out() -> None:
    assert files(waiting_for_ever) == {"tests/concurrency/test_threads.py"}
    assert broken(waiting_for_ever, "done = threading.Event()\ndone.wait()") == [2]
    assert broken(waiting_for_ever, "a, b = Event(), Event()\nb.wait()") == [2]
    assert broken(waiting_for_ever, "done = threading.Event()\ndone.wait(3)\ndone.wait(timeout=3)") == []


left_out = attributes("xfail", "skip", "skipif", "importorskip")
BY_ENGINE = {
    "tests/broken/test_readers.py", "tests/concurrency/test_locks.py", "tests/foundation/test_commands.py",
    "tests/transactions/test_laid_out_ahead.py",
}  # fmt: skip
"""What one of the databases doesn't have."""


def test_no_test_is_left_out() -> None:
    assert files(lambda tree: left_out(tree) if "pytest" in {name.split(".")[0] for _, name in uses(tree)} else []) == {
        "tests/architecture/test_tests.py", *BY_ENGINE,
    }  # fmt: skip
    assert broken(left_out, "@pytest.mark.xfail\ndef test_it(): ...") == [1]
    assert broken(left_out, "pytest.skip('later')") == [1]


def asserting_little(tree: ast.Module) -> Iterator[int]:
    """Assertions that something else may satisfy instead, or that are true of nothing."""
    for node in ast.walk(tree):
        match node:
            case ast.Assert(ast.BoolOp(ast.Or())) | ast.Assert(ast.Constant()) | ast.Assert(ast.Tuple()):
                yield node.lineno


def test_an_assertion_says_one_thing() -> None:
    assert files(asserting_little) == set()
    assert broken(asserting_little, "assert status == 200 or is_new") == [1]
    assert broken(asserting_little, "assert (status == 200, 'why')") == [1]
    assert broken(asserting_little, "assert True") == [1]
    assert broken(asserting_little, "assert status in (200, 201)") == []
