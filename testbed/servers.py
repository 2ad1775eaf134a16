"""Real servers, also to be killed: gunicorn, and a private MariaDB.

Everything listens on loopback, keeps its files in a folder of its own, and is ended by pid.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
BROKEN = (OSError, HTTPException)
"""No answer: refused, reset, or cut off in the middle."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(what: str, is_so: Any, seconds: float = START_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.05)


def room() -> str | None:
    """Where files of a run lie that no test wants on a disk: in memory, where there is enough of it."""
    shared = Path("/dev/shm")
    is_roomy = shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 2 * 2**30
    return str(shared) if is_roomy else None


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class MariaDB:
    """A server with a data directory of its own and default durability. `kill` is SIGKILL; `start` again recovers.

    In a ``folder`` that has one, it goes on with that; ``options`` are the server's.
    """

    def __init__(self, folder: Path | None = None, *options: str) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="hsh-mariadb-"))
        self.folder.mkdir(exist_ok=True)
        self.port, self.options = free_port(), options
        self.process: subprocess.Popen[bytes]
        self._as_user: list[str] = []
        if os.getuid() == 0:  # the server refuses to run as root
            shutil.chown(self.folder, "mysql" if _has_user("mysql") else "nobody")
            self._as_user = ["--user=mysql" if _has_user("mysql") else "--user=nobody"]
        if not (self.folder / "data").exists():
            subprocess.run(
                ["mariadb-install-db", "--no-defaults", *self._as_user, f"--datadir={self.folder / 'data'}",
                 "--auth-root-authentication-method=normal", "--skip-test-db"],
                check=True, capture_output=True,
            )  # fmt: skip
        init = self.folder / "init.sql"
        init.write_text(
            "CREATE DATABASE IF NOT EXISTS live CHARACTER SET utf8mb4;\n"
            "CREATE USER IF NOT EXISTS 'live'@'127.0.0.1' IDENTIFIED BY 'live';\n"
            "CREATE USER IF NOT EXISTS 'live'@'localhost' IDENTIFIED BY 'live';\n"
            "GRANT ALL ON live.* TO 'live'@'127.0.0.1', 'live'@'localhost';\n"
            "GRANT ALL ON `test\\_%`.* TO 'live'@'127.0.0.1', 'live'@'localhost';\n"
        )
        self.start()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DB_ENGINE": "mysql", "DB_HOST": "127.0.0.1", "DB_PORT": str(self.port),
            "DB_NAME": "live", "DB_USER": "live", "DB_PASSWORD": "live",
        }  # fmt: skip

    def start(self) -> None:
        log = (self.folder / "server.log").open("ab")
        self.process = subprocess.Popen(
            ["mariadbd", "--no-defaults", *self._as_user, f"--datadir={self.folder / 'data'}",
             f"--tmpdir={self.folder}",
             "--bind-address=127.0.0.1", f"--port={self.port}", f"--socket={self.folder / 'socket'}",
             f"--pid-file={self.folder / 'pid'}", f"--init-file={self.folder / 'init.sql'}",
             "--character-set-server=utf8mb4", "--max-connections=300", "--innodb-log-file-size=16M", *self.options],
            stdout=log, stderr=log,
        )  # fmt: skip
        wait_until("MariaDB to answer", lambda: listens(self.port))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def halt(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()

    def stop(self) -> None:
        self.halt()
        shutil.rmtree(self.folder)


def _has_user(name: str) -> bool:
    return subprocess.run(["id", name], capture_output=True, check=False).returncode == 0


@dataclass
class Answer:
    """``status`` 0: there was none."""

    status: int
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


class Site:
    """A database, a folder for documents, and gunicorn in front of both. It has no tables yet."""

    def __init__(self, database: MariaDB | None, folder: Path, **settings: str) -> None:
        self.database, self.folder = database, folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        own = database.environment if database else {"DB_ENGINE": "sqlite", "DB_NAME": str(folder / "books.sqlite3")}
        self.environment = {
            **os.environ, **own, "DJANGO_SETTINGS_MODULE": "core.settings", "MEDIA_ROOT": str(folder / "media"),
            "STATIC_ROOT": str(folder / "static"), "THROTTLE_LOGIN": "1000/min", "PYTHONPATH": str(ROOT), **settings,
        }  # fmt: skip

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    def migrate(self) -> None:
        self.manage("migrate", "--verbosity", "0")

    def manage(self, *arguments: str, check: bool = True) -> str:
        return self.python("manage.py", *arguments, check=check)

    def manage_all(self, *commands: str) -> str:
        """Several commands in one process: starting one takes longer than most of them. The first to fail ends it."""
        program = (
            "import sys, django; django.setup()\n"
            "from django.core.management import call_command\n"
            "for line in sys.argv[1:]: call_command(*line.split())"
        )
        return self.python("-c", program, *commands)

    def python(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def start(self, application: str = "core.wsgi:application", **environment: str) -> None:
        log = (self.folder / "gunicorn.log").open("ab")
        self.process = subprocess.Popen(
            # The rest says gunicorn.conf.py.
            [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{self.port}", "--workers", "2"],
            cwd=ROOT, env={**self.environment, **environment}, stdout=log, stderr=log,
        )  # fmt: skip
        wait_until("the application to answer", self.answers)

    def answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise RuntimeError(f"gunicorn ended: {(self.folder / 'gunicorn.log').read_text()[-2000:]}")
        return self.ask("GET", "health/live/").status == 200

    def workers(self) -> list[int]:
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()
            self.process = None

    def log_in(self, username: str) -> str:
        answer = self.ask("POST", "token/", {"username": username, "password": "correct horse battery"})
        token: str = answer.json()["access"]
        return token

    def ask(
        self, method: str, path: str, body: object = None, token: str = "", headers: Mapping[str, str] = {}
    ) -> Answer:
        request = urllib.request.Request(
            path if path.startswith("http") else self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Content-Type": "application/json",
                **({"Authorization": f"Bearer {token}"} if token else {}),
                **headers,
            },
            method=method,
        )
        try:
            with _OPENER.open(request, timeout=60) as answer:
                return Answer(answer.status, answer.read())
        except urllib.error.HTTPError as refused:
            try:
                return Answer(refused.code, refused.read())
            except BROKEN:
                return Answer(0, b"")
        except BROKEN:
            return Answer(0, b"")


# No proxy from the environment: it could not reach this machine's own loopback.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def on_mariadb() -> bool:
    return connection.vendor == "mysql"
