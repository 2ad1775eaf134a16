"""A copy of the checkout, in which one mutant at a time is tried, each in a process of its own."""

import importlib
import os
import shutil
import signal
import subprocess
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, NoReturn

from django.core.exceptions import ImproperlyConfigured

from testbed.servers import MariaDB
from tests.mutation.entries import ROOT, Mutant

TIME_OUT = 240
PRISTINE = "var/pristine.sqlite3"
OURS = {"tests", "testbed", "benchmarks"}
LOADED_EARLY = (
    "django.",
    "weasyprint",
    "fontTools",
    "tinycss2",
    "cssselect2",
    "PIL",
    "openpyxl",
    "cryptography",
    "hypothesis",
)
"""What takes longest to import and reads no settings: a mutant begins with it, and takes 2 s of a processor instead of 4."""
LOADED_BEFORE = "ignore::pytest.PytestAssertRewriteWarning"


class Ended(NamedTuple):
    """pytest's exit code (1: a test failed; negative: it was ended by a signal), and what it said."""

    code: int
    said: str


class Copy:
    """A copy with an empty database of each engine."""

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
        self._environments = {
            "sqlite": {"DB_ENGINE": "sqlite", "DB_NAME": "var/live.sqlite3"},
            "mysql": {**(server.environment if server else {}), "DB_NAME": f"copy{number}"},
        }

    def prepare(self) -> None:
        """An empty database for SQLite's tests, and everything compiled."""
        made = (
            "import django; django.setup()\n"
            "from django.test.runner import DiscoverRunner\n"
            "DiscoverRunner(keepdb=True).setup_databases()"
        )
        environment = {**os.environ, **self._environments["sqlite"], "DJANGO_SETTINGS_MODULE": "core.settings"}
        subprocess.run([sys.executable, "-c", made], cwd=self.folder, env=environment, check=True, capture_output=True)
        (self.folder / "var/test.sqlite3").rename(self.folder / PRISTINE)

    def attempt(self, mutant: Mutant) -> Ended:
        path = self.folder / mutant.file
        source, times = path.read_text(), path.stat()
        path.write_text(mutant.applied(source))
        try:
            return self.run(mutant.tests, engine=mutant.engine, new_database="/migrations/" in mutant.file)
        finally:
            path.write_text(source)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # what was compiled is good again

    def run(self, tests: tuple[str, ...], *, engine: str, new_database: bool = False) -> Ended:
        """The tests in a fork of this process, which has loaded nothing of the project's but this package."""
        kept = engine == "sqlite" and not new_database
        if kept:
            for left in (self.folder / "var").glob("test.sqlite3*"):
                left.unlink()
            shutil.copy(self.folder / PRISTINE, self.folder / "var/test.sqlite3")
        said = self.folder / "var/said"
        child = os.fork()
        if child == 0:
            self._become(engine, said)
            run_tests("--reuse-db" if kept else "--create-db", *tests)
        _, status = os.waitpid(child, 0)
        return Ended(os.waitstatus_to_exitcode(status), said.read_text(errors="replace"))

    def _become(self, engine: str, said: Path) -> None:
        """In a fork: as if Python had been started in the copy."""
        signal.alarm(TIME_OUT)  # which ends it
        with said.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        os.environ.update(self._environments[engine])
        # Its own: others, who tidy up the one that all share at the same time, make pytest fail at its end.
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(self.folder / "var")
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
            del sys.modules[name]
        sys.path[:] = [str(self.folder), *(each for each in sys.path if each not in ("", str(ROOT)))]
        os.chdir(self.folder)


def run_tests(*arguments: str) -> NoReturn:
    code = 70  # neither of pytest's: something broke around it
    try:
        import pytest  # in the fork: it looks around where it is imported

        code = int(pytest.main(["-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", LOADED_BEFORE, *arguments]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def load_early(copy: Copy) -> None:
    """Import what the tests will import of other people's packages, once for all forks."""
    told = "import sys; import pytest; pytest.main(['-q', '--collect-only', '-p', 'no:cacheprovider', 'tests/transactions']); print(); print(*sys.modules)"
    environment = {**os.environ, "DB_ENGINE": "sqlite", "DB_NAME": "var/live.sqlite3"}
    listed = subprocess.run([sys.executable, "-c", told], cwd=copy.folder, env=environment, check=True, capture_output=True, text=True)  # fmt: skip
    for name in listed.stdout.splitlines()[-1].split():
        if name.startswith(LOADED_EARLY) and not name.startswith("django.contrib"):
            with suppress(ImportError, ImproperlyConfigured):  # the fork imports it then, as it would have anyway
                importlib.import_module(name)
