"""Databases for live sites: made once a run, then copied, because migrating and filling one takes longer than most tests.

"empty" is what `migrate` leaves, "world" what prepare.py adds to it, "demo" what seed_demo does. A template is a folder
as a site leaves it: the SQLite file or MariaDB's data, the documents, and for "world" the ids of what it holds.
"""

import atexit
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.servers import MariaDB, Site, on_mariadb, room
from tests.types import Json

DRIVERS = 6


def _world(site: Site) -> None:
    (site.folder / "world.json").write_text(site.python("testbed/prepare.py", str(DRIVERS)))


def _demo(site: Site) -> None:
    site.environment["DEBUG"] = "True"  # its passwords are known to everybody
    site.manage("seed_demo")


FILLED_BY: dict[str, Callable[[Site], None]] = {"world": _world, "demo": _demo}


@contextmanager
def site_from(
    template: str, folder: Path, *options: str, mariadb: bool | None = None, **settings: str
) -> Iterator[Site]:
    """A site of its own in an empty folder, not yet started, on the engine that the tests run on (or as told).

    ``options`` are MariaDB's, ``settings`` the application's.
    """
    mariadb = on_mariadb() if mariadb is None else mariadb
    settings = {"DJANGO_SETTINGS_MODULE": "tests.live.settings", **settings}
    source = _made(template, mariadb)
    folder.mkdir(parents=True, exist_ok=True)
    for part in source.iterdir():
        if part.name != "server":
            subprocess.run(["cp", "-a", str(part), str(folder)], check=True)
    if not mariadb:
        with _serving(Site(None, folder, **settings)) as site:
            yield site
        return
    # Beside the run's other data, not in the test's folder: in memory, where there is room.
    server = Path(tempfile.mkdtemp(prefix="hsh-mariadb-", dir=room()))
    subprocess.run(["cp", "-a", f"{source}/server/.", str(server)], check=True)
    database = MariaDB(server, *options)
    try:
        with _serving(Site(database, folder, **settings)) as site:
            yield site
    finally:
        database.stop()


def world_of(site: Site) -> Json:
    """Ids of what a site from the template "world" holds."""
    made: Json = json.loads((site.folder / "world.json").read_text())
    return made


@contextmanager
def _serving(site: Site) -> Iterator[Site]:
    try:
        yield site
    finally:
        site.stop()


def _made(template: str, mariadb: bool) -> Path:
    """The template's folder. Processes that want it at the same time wait for the one that makes it."""
    folder = templates_folder() / f"{'mariadb' if mariadb else 'sqlite'}-{template}"
    if template != "empty":
        _made("empty", mariadb)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _make(template, folder, mariadb)
    return folder


def _make(template: str, folder: Path, mariadb: bool) -> None:
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    if template == "empty":
        unfinished.mkdir()
        database = MariaDB(unfinished / "server") if mariadb else None
        Site(database, unfinished).migrate()
        if database:
            database.halt()
    else:
        with site_from("empty", unfinished, mariadb=mariadb) as site:
            FILLED_BY[template](site)
            if site.database:
                site.database.halt()
                subprocess.run(["cp", "-a", str(site.database.folder), str(unfinished / "server")], check=True)
    unfinished.rename(folder)


def templates_folder() -> Path:
    """Of this run. Whoever starts several runs of the same code names one for all (TEST_TEMPLATES) and removes it."""
    if "TEST_TEMPLATES" not in os.environ:
        folder = tempfile.mkdtemp(prefix="hsh-templates-", dir=room())
        os.chmod(folder, 0o755)  # MariaDB runs as a user of its own
        os.environ["TEST_TEMPLATES"] = folder
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(os.environ["TEST_TEMPLATES"])
