"""A reference client for offline work: a queue on SQLite, a replica of what it pulled, and nothing but Python.

It follows docs/offline-protocol.md. An operation is written down before it is sent, keeps its own id for ever,
and leaves the queue only when the server has answered what became of it. So the program may be ended at any
moment, and any request or answer may be lost or doubled.
"""

import gzip
import json
import random
import sqlite3
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any

PROTOCOL = 2
AT_ONCE = 200
# No connection, cut off, or half an answer.
_BROKEN = (OSError, ValueError, HTTPException)
KINDS = ("depots", "equipment", "gst_rates", "customers")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS operation (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    client_temp_id TEXT NOT NULL UNIQUE,
    content TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'done', 'rejected')),
    result TEXT
);
CREATE INDEX IF NOT EXISTS operation_state ON operation (state, position);
CREATE TABLE IF NOT EXISTS replica (kind TEXT, id INTEGER, content TEXT NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Unreachable(Exception):
    """The server can't be reached, or asks for patience. Nothing is lost: try again later."""

    def __init__(self, reason: str, retry_after: float = 0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Refused(Exception):
    """The server refuses the request as such: log in again, or mend the program."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation and what became of it: ``queued``, ``done`` or ``rejected`` (kept by the server)."""

    client_temp_id: str
    content: dict[str, Any]
    state: str
    result: dict[str, Any] | None

    @property
    def receipt_number(self) -> str:
        """The official number; until then a provisional one, which a receipt has to call so."""
        number = (self.result or {}).get("invoice_number") or (self.result or {}).get("number")
        return number or f"PROVISIONAL-{self.client_temp_id[:8].upper()}"


class OfflineClient:
    """One device of one user. ``path`` is its SQLite file; ``server`` ends in ``/api/``."""

    def __init__(
        self,
        path: Path,
        server: str,
        username: str,
        password: str,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        timeout: float = 30,
    ) -> None:
        self._server, self._username, self._password = server, username, password
        self._clock, self._timeout = clock, timeout
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        self._database.close()

    # --- What the driver does: never needs the network ---------------------------------------------

    def sell(self, customer: int, items: list[dict[str, object]], **more: object) -> str:
        return self.record("transaction.create", {"customer": customer, "items": items, **more})

    def load(self, depot: int, items: list[dict[str, object]]) -> str:
        """Draft a load and confirm it; the id of the confirmation."""
        draft = self.record("distribution.create", {"depot": depot, "items": items})
        return self.record("distribution.confirm", {"distribution": draft})

    def record(self, type: str, data: dict[str, object]) -> str:
        """Write an operation down, to be pushed when there is a network; its client_temp_id."""
        name = str(uuid.uuid4())
        with self._transaction():
            # Its number is taken in the transaction that writes it down: what never comes is missed.
            number = self._last_number() + 1
            self._write_down("last_number", str(number))
            offset = self._note("clock_offset_s")
            operation = {
                "type": type,
                "client_temp_id": name,
                "number": number,
                "occurred_at": self._clock().isoformat(),
                "clock_offset_s": None if offset is None else int(offset),
                "data": data,
            }
            self._database.execute(
                "INSERT INTO operation (client_temp_id, content) VALUES (?, ?)", (name, json.dumps(operation))
            )
        return name

    def operations(self, state: str | None = None) -> Iterator[Operation]:
        for name, content, now, result in self._database.execute(
            "SELECT client_temp_id, content, state, result FROM operation WHERE state = coalesce(?, state)"
            " ORDER BY position",
            (state,),
        ):
            yield Operation(name, json.loads(content), now, json.loads(result) if result else None)

    def rows(self, kind: str) -> dict[int, dict[str, Any]]:
        """What was pulled of a kind, by id."""
        found = self._database.execute("SELECT id, content FROM replica WHERE kind = ?", (kind,))
        return {pk: json.loads(content) for pk, content in found}

    # --- With a network ----------------------------------------------------------------------------

    def sync(self, attempts: int = 1) -> None:
        """Push everything that is queued, then pull. Waits between attempts, longer each time.

        Raises Unreachable when the last one failed, Refused.
        """
        for attempt in range(1, attempts + 1):
            try:
                while self.push():
                    pass
                self.pull()
                return
            except Unreachable as error:
                if attempt == attempts:
                    raise
                time.sleep(max(error.retry_after, random.uniform(0, min(5, 0.05 * 2**attempt))))  # noqa: S311 -- jitter

    def push(self) -> int:
        """Push the oldest operations, and note what became of each; how many that were."""
        waiting = self._database.execute(
            "SELECT client_temp_id, content FROM operation WHERE state = 'queued' ORDER BY position LIMIT ?", (AT_ONCE,)
        ).fetchall()
        if not waiting:
            return 0
        operations = [json.loads(content) for _, content in waiting]
        # Where the server is older than the program it keeps nothing and says so (Refused): the queue stays.
        device = {"id": self._device(), "last_number": self._last_number()}
        said = {"protocol": PROTOCOL, "sent_at": self._clock().isoformat(), "device": device}
        answer = self._ask("POST", "sync/push/", {**said, "operations": operations})
        with self._transaction():
            self._set_clock(answer["server_time"])
            for (name, _), result in zip(waiting, answer["results"], strict=True):
                state = "rejected" if result["status"] == "rejected" else "done"
                self._database.execute(
                    "UPDATE operation SET state = ?, result = ? WHERE client_temp_id = ?",
                    (state, json.dumps(result), name),
                )
        return len(waiting)

    def ask_again(self) -> None:
        """Push what was rejected once more: a supervisor may have let it happen since."""
        with self._transaction():
            self._database.execute("UPDATE operation SET state = 'queued' WHERE state = 'rejected'")

    def pull(self) -> None:
        """Fetch what changed; each page is kept together with its cursor, or not at all."""
        while True:
            cursor = self._note("cursor")
            said = f"sync/pull/?device={self._device()}&last_number={self._last_number()}"
            page = self._ask("GET", f"{said}&cursor={cursor}" if cursor else said)
            with self._transaction():
                self._set_clock(page["server_time"])
                begins = page["cursor"].split(".")[0]
                if cursor is not None and not cursor.startswith(f"{begins}."):
                    self._database.execute("DELETE FROM replica")  # the server begins anew
                for kind in KINDS:
                    self._keep(kind, page[kind])
                    self._database.executemany(
                        "DELETE FROM replica WHERE kind = ? AND id = ?", [(kind, pk) for pk in page["gone"][kind]]
                    )
                if not page["has_more"]:
                    for kind, rows in (("stock", page["stock"]), ("distributions", page["distributions"])):
                        self._database.execute("DELETE FROM replica WHERE kind = ?", (kind,))
                        self._keep(kind, [{"id": number, **row} for number, row in enumerate(rows)])
                self._write_down("cursor", page["cursor"])
            if not page["has_more"]:
                return

    # --- Within -------------------------------------------------------------------------------------

    def _keep(self, kind: str, rows: list[dict[str, object]]) -> None:
        self._database.executemany(
            "INSERT OR REPLACE INTO replica VALUES (?, ?, ?)", [(kind, row["id"], json.dumps(row)) for row in rows]
        )

    def _device(self) -> str:
        """The id of this file on this device, made once."""
        if self._note("device") is None:
            self._write_down("device", str(uuid.uuid4()))
        return str(self._note("device"))

    def _last_number(self) -> int:
        return int(self._note("last_number") or 0)

    def _set_clock(self, server_time: str) -> None:
        """How far the server's clock is ahead of this device's, for what is recorded from now on."""
        ahead = datetime.fromisoformat(server_time) - self._clock()
        self._write_down("clock_offset_s", str(round(ahead.total_seconds())))

    def _note(self, name: str) -> str | None:
        row = self._database.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def _write_down(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        """An answer, with a token that is renewed once where it has run out."""
        if self._note("access") is None:
            self._log_in()
        status, answer, retry_after = self._send(method, path, body, self._note("access"))
        if status == 401:
            self._log_in()
            status, answer, retry_after = self._send(method, path, body, self._note("access"))
        if status == 429 or status >= 500:
            raise Unreachable(f"{method} {path} answered {status}", retry_after)
        if status >= 400:
            raise Refused(f"{method} {path} answered {status}: {answer}")
        return answer

    def _log_in(self) -> None:
        """By the refresh token while it is good, else by the password."""
        refresh = self._note("refresh")
        ways: list[tuple[str, dict[str, str]]] = [("token/refresh/", {"refresh": refresh})] if refresh else []
        ways.append(("token/", {"username": self._username, "password": self._password}))
        for path, body in ways:
            status, answer, retry_after = self._send("POST", path, body, None)
            if status == 200:
                with self._transaction():
                    for name in ("access", "refresh"):
                        self._write_down(name, answer[name])
                return
            if status == 429 or status >= 500:
                raise Unreachable(f"logging in answered {status}", retry_after)
        raise Refused("The user name or password is wrong.")

    def _send(self, method: str, path: str, body: object, token: str | None) -> tuple[int, Any, float]:
        headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._server + path, data=data, headers=headers, method=method)
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                return answer.status, _decoded(answer), 0
        except urllib.error.HTTPError as refused:
            try:
                return refused.code, _decoded(refused), float(refused.headers.get("Retry-After") or 0)
            except _BROKEN as error:
                raise Unreachable(str(error)) from error
        except _BROKEN as error:
            # Whether it happened, only the server knows.
            raise Unreachable(str(error)) from error


def _decoded(answer: Any) -> Any:
    content = answer.read()
    if answer.headers.get("Content-Encoding") == "gzip":
        content = gzip.decompress(content)
    return json.loads(content)
