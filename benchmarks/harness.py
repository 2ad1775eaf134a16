"""What the benchmarks share: sites with a history, a client, medians, and tables."""

import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

import django

django.setup()

from testbed.servers import MariaDB, Site, on_mariadb

HISTORIES = ROOT / "var" / "bench"
CUSTOMERS = 50_000
CORES = os.cpu_count() or 1
_SETTINGS = {"ALLOWED_HOSTS": "127.0.0.1", "SECURE_SSL_REDIRECT": "False", "DEBUG": "False"}


def engine() -> str:
    return "MariaDB" if on_mariadb() else "SQLite"


@dataclass
class Table:
    """One result: cells are numbers or text, and what has a goal says it in its last column."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        lines = [f"### {self.title}", "", _line(self.columns), _line("---" for _ in self.columns)]
        lines += [_line(map(_text, row)) for row in self.rows]
        return "\n".join([*lines, *(f"\n{note}" for note in self.notes)]) + "\n"


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "cores": CORES,
        "load": round(os.getloadavg()[0], 2),
        # So that figures of a slow hour can be told from those of a slow program.
        "loop_ms": round(milliseconds(_loop, 5), 1),
    }


def _loop() -> None:
    total = 0
    for number in range(1_000_000):
        total += number * number


def milliseconds(call: Callable[[], object], count: int) -> float:
    """The median of ``count`` calls."""
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


class Client:
    """One user's connection, which stays open."""

    def __init__(self, site: Site, username: str) -> None:
        self.headers = {"Authorization": f"Bearer {site.log_in(username)}", "Content-Type": "application/json"}
        self.connection = HTTPConnection("127.0.0.1", site.port, timeout=120)

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        try:
            return self._ask(method, path, body)
        except (OSError, HTTPException):  # the server closes what was idle for a while; nothing happens twice
            self.connection.close()
            return self._ask(method, path, body)

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, bytes]:
        self.connection.request(method, path, body, self.headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def get(self, path: str) -> bytes:
        status, content = self.ask("GET", path)
        if status != 200:
            raise AssertionError((path, status, content[:300]))
        return content


@contextmanager
def a_site(drivers: int = 2) -> Iterator[tuple[Site, dict[str, Any]]]:
    """An empty site with drivers, vehicles, customers (see testbed/prepare.py) and a server that answers."""
    folder = Path(tempfile.mkdtemp(prefix="hsh-bench-"))
    database = MariaDB() if on_mariadb() else None
    site = Site(database, folder, **_SETTINGS)
    try:
        site.migrate()
        world = json.loads(site.python("testbed/prepare.py", str(drivers)))
        site.start()
        yield site, world
    finally:
        site.stop()
        if database:
            database.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def a_site_with_history(transactions: int, drivers: int = 32) -> Iterator[tuple[Site, dict[str, Any]]]:
    """The same after years of sales. The history is made once and kept in var/bench: a million takes its time."""
    folder = HISTORIES / f"{engine().lower()}-{transactions}"
    folder.mkdir(parents=True, exist_ok=True)
    # With a cache like a server's; the default is a laptop's.
    database = MariaDB(folder / "server", "--innodb-buffer-pool-size=1G") if on_mariadb() else None
    site = Site(database, folder, **_SETTINGS)
    try:
        site.migrate()
        known = folder / "world.json"
        if not known.exists():
            say(f"Making a history of {transactions:,} sales on {engine()} …")
            wanted = ("--transactions", str(transactions), "--customers", str(CUSTOMERS), "--without-documents")
            site.python("-m", "benchmarks.history", *wanted)
            known.write_text(site.python("testbed/prepare.py", str(drivers)))
        site.start()
        yield site, json.loads(known.read_text())
    finally:
        site.stop()
        if database:
            database.halt()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)
