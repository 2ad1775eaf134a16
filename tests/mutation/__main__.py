"""Try the mutants: each in a copy of the checkout, where its tests have to fail.

    python -m tests.mutation [--seconds N] [--jobs N] [WORD …]

Words choose by file, rule or test. With --seconds, the files that changed last come first, and what the time allows is
tried. Ends with 1 if a mutant survived, or if one couldn't be tried.
"""

import argparse
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from testbed.servers import MariaDB, room
from tests.mutation.entries import ROOT, Mutant, mutants

TIME_OUT = 180
TESTS_FAILED = 1
"""pytest's exit code; other codes than this and 0 say that it could not run them."""
PRISTINE = "var/pristine.sqlite3"


@dataclass
class Outcome:
    survived: list[str] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)
    killed: int = 0


class Copy:
    """A copy of the checkout with an empty database, in which one mutant at a time is tried."""

    def __init__(self, folder: Path, number: int, server: MariaDB | None) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
        ).stdout  # fmt: skip
        for name in listed.decode().rstrip("\0").split("\0"):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        (folder / "var").mkdir()
        # Kept compiled, whatever the machine's habit: else each mutant compiles the whole project anew.
        common = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
        sqlite = {"DB_ENGINE": "sqlite", "DB_NAME": "var/live.sqlite3"}
        self.environments = {
            "sqlite": {**common, **sqlite},
            "mysql": {**common, **(server.environment if server else {}), "DB_NAME": f"copy{number}"},
        }

    def prepare(self) -> None:
        """An empty database for SQLite's tests, and everything compiled."""
        made = "import django; django.setup(); from django.test.runner import DiscoverRunner as Runner; Runner(keepdb=True).setup_databases()"
        subprocess.run([sys.executable, "-c", made], cwd=self.folder, env={**self.environments["sqlite"], "DJANGO_SETTINGS_MODULE": "core.settings"},
                       check=True, capture_output=True)  # fmt: skip
        (self.folder / "var/test.sqlite3").rename(self.folder / PRISTINE)

    def run(self, tests: tuple[str, ...], *, engine: str, new_database: bool) -> tuple[int, str]:
        """pytest's exit code, and what it said."""
        options = ["--create-db"]
        if engine == "sqlite" and not new_database:
            for left in (self.folder / "var").glob("test.sqlite3*"):
                left.unlink()
            shutil.copy(self.folder / PRISTINE, self.folder / "var/test.sqlite3")
            options = ["--reuse-db"]
        command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *options, *tests]
        try:
            done = subprocess.run(command, cwd=self.folder, env=self.environments[engine], capture_output=True, text=True,
                                  timeout=TIME_OUT, check=False)  # fmt: skip
        except subprocess.TimeoutExpired:
            return -1, f"not done after {TIME_OUT} s"
        return done.returncode, done.stdout + done.stderr

    def attempt(self, mutant: Mutant) -> tuple[int, str]:
        path = self.folder / mutant.file
        source, times = path.read_text(), path.stat()
        path.write_text(mutant.applied(source))
        try:
            return self.run(mutant.tests, engine=mutant.engine, new_database="/migrations/" in mutant.file)
        finally:
            path.write_text(source)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


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


def tests_of(listed: list[Mutant], engine: str) -> tuple[str, ...]:
    return tuple(sorted({test for mutant in listed if mutant.engine == engine for test in mutant.tests}))


def work(
    copy: Copy, waiting: "queue.SimpleQueue[Mutant]", until: float, outcome: Outcome, turn: threading.Lock
) -> None:
    copy.prepare()
    while time.monotonic() < until:
        try:
            mutant = waiting.get_nowait()
        except queue.Empty:
            return
        code, said = copy.attempt(mutant)
        with turn:
            if code == TESTS_FAILED:
                outcome.killed += 1
            elif code == 0:
                outcome.survived.append(str(mutant))
                print(f"survived: {mutant}", flush=True)
            else:
                outcome.untried.append(str(mutant))
                print(f"could not be tried: {mutant}\n{said[-1500:]}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    began = time.monotonic()
    listed = chosen(given.words)
    if given.seconds:
        listed = changed_last_first(listed)
    until = began + given.seconds if given.seconds else float("inf")
    outcome, turn = Outcome(), threading.Lock()
    waiting: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    for mutant in listed:
        waiting.put(mutant)
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        Path(folder).chmod(0o755)  # the database server may be another user
        server = MariaDB(Path(folder) / "mariadb") if any(mutant.engine == "mysql" for mutant in listed) else None
        try:
            copies = [
                Copy(Path(folder) / str(number), number, server) for number in range(min(given.jobs, len(listed)))
            ]
            if not given.seconds and not pass_unchanged(copies[0], listed):
                return 1
            with ThreadPoolExecutor() as pool:
                for done in [pool.submit(work, copy, waiting, until, outcome, turn) for copy in copies]:
                    done.result()
        finally:
            if server:
                server.halt()
    print(f"{outcome.killed} of {len(listed)} mutants were killed, {len(outcome.survived)} survived, "
          f"{len(outcome.untried)} could not be tried, in {time.monotonic() - began:.0f} s.")  # fmt: skip
    return 1 if outcome.survived or outcome.untried else 0


def pass_unchanged(copy: Copy, listed: list[Mutant]) -> bool:
    """A test that fails anyway kills nothing."""
    for engine in ("sqlite", "mysql"):
        if tests := tests_of(listed, engine):
            code, said = copy.run(tests, engine=engine, new_database=True)
            if code:
                print(f"Without a mutant these tests don't pass ({engine}):\n{said[-3000:]}")
                return False
    return True


if __name__ == "__main__":
    sys.exit(main())
