"""Try the mutants: each in a copy of the checkout, where its tests have to fail.

    python -m tests.mutation [--seconds N] [--jobs N] [WORD …]

Words choose by file, rule or test. With --seconds, the files that changed last come first, and what the time allows is
tried. Ends with 1 if a mutant survived, or if one couldn't be tried.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from testbed.servers import MariaDB, room
from tests.mutation.copies import Copy, Ended, load_early
from tests.mutation.entries import ROOT, Mutant, mutants

TESTS_FAILED = 1
"""pytest's exit code; others than this and 0 say that it could not run them."""
ENGINES = ("sqlite", "mysql")

_own: list[Copy] = []
"""A worker's copy."""


def chosen(words: list[str]) -> list[Mutant]:
    return [
        mutant
        for mutant in mutants()
        if not words or any(word in text for word in words for text in (mutant.file, *mutant.rules, *mutant.tests))
    ]


def changed_last_first(listed: list[Mutant]) -> list[Mutant]:
    """By when their files were committed last; what isn't committed comes first."""

    def told(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    at_work = told("diff", "--name-only", "HEAD").splitlines()
    at = {file: int(told("log", "-1", "--format=%ct", "--", file) or 0) for file in {mutant.file for mutant in listed}}
    return sorted(listed, key=lambda mutant: (mutant.file not in at_work, -at[mutant.file]))


def tests_by_file(listed: list[Mutant], engine: str) -> Iterator[tuple[str, ...]]:
    tests = sorted({test for mutant in listed if mutant.engine == engine for test in mutant.tests})
    for file in sorted({test.partition("::")[0] for test in tests}):
        yield tuple(test for test in tests if test.partition("::")[0] == file)


def unchanged(tests: tuple[str, ...], engine: str) -> Ended:
    return _own[0].run(tests, engine=engine)


def attempt(mutant: Mutant, until: float) -> Ended | None:
    """None where the time is up."""
    return _own[0].attempt(mutant) if time.monotonic() < until else None


class Pool:
    """Workers, each with a copy of its own."""

    def __init__(self, copies: list[Copy]) -> None:
        context = get_context("fork")
        waiting = context.SimpleQueue()
        for copy in copies:
            waiting.put(copy)
        self._workers = ProcessPoolExecutor(
            len(copies), mp_context=context, initializer=lambda: _own.append(waiting.get())
        )

    def each[T](self, work: Callable[..., Ended | None], given: list[tuple[T, object]]) -> Iterator[tuple[T, Ended]]:
        """What became of each, as they end; not of those that were too late."""
        running = {self._workers.submit(work, *one): one[0] for one in given}
        for done in as_completed(running):
            if (ended := done.result()) is not None:
                yield running[done], ended

    def end(self) -> None:
        self._workers.shutdown(cancel_futures=True)


def passes_unchanged(pool: Pool, listed: list[Mutant]) -> bool:
    """A test that fails anyway kills nothing."""
    given: list[tuple[tuple[str, ...], object]] = [
        (tests, engine) for engine in ENGINES for tests in tests_by_file(listed, engine)
    ]
    failed = [(tests, ended) for tests, ended in pool.each(unchanged, given) if ended.code]
    for tests, ended in failed:
        print(f"Without a mutant {tests[0].partition('::')[0]} doesn't pass:\n{ended.said[-3000:]}", flush=True)
    return not failed


def try_all(pool: Pool, listed: list[Mutant], until: float) -> bool:
    """Were all killed that there was time for?"""
    began, killed, bad = time.monotonic(), 0, 0
    for mutant, (code, said) in pool.each(attempt, [(mutant, until) for mutant in listed]):
        if code == TESTS_FAILED:
            killed += 1
            continue
        bad += 1
        print(
            f"survived: {mutant}" if code == 0 else f"could not be tried ({code}): {mutant}\n{said[-1500:]}", flush=True
        )
    print(
        f"{killed} of {killed + bad} mutants were killed, in {time.monotonic() - began:.0f} s; {len(listed)} are listed."
    )
    return not bad


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # the database server has to be ended too
    listed = chosen(given.words)
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        Path(folder).chmod(0o755)  # the database server may be another user
        server = MariaDB(Path(folder) / "mariadb") if any(mutant.engine == "mysql" for mutant in listed) else None
        try:
            copies = [
                Copy(Path(folder) / str(number), number, server) for number in range(min(given.jobs, len(listed)))
            ]
            for copy in copies:
                copy.prepare()
            load_early(copies[0])
            pool = Pool(copies)
            try:
                if given.seconds:
                    return not try_all(pool, changed_last_first(listed), time.monotonic() + given.seconds)
                return not (passes_unchanged(pool, listed) and try_all(pool, listed, float("inf")))
            finally:
                pool.end()
        finally:
            if server:
                server.halt()


if __name__ == "__main__":
    sys.exit(main())
