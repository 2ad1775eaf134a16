"""A site on one day: what is sent to it, what runs beside it, and what was written down of it."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from aiosmtpd.controller import Controller

from testbed.servers import ROOT, Answer, Site, free_port
from tests.types import Json

PASSWORD = "hsh-demo-2026"
WORKER = ("db_worker", "--no-reload", "--no-startup-delay", "--verbosity", "0")
FORM = """
from django.contrib.auth import get_user_model
from django.test import Client
office = Client(SERVER_NAME="localhost")
office.force_login(get_user_model().objects.get(username="admin"))
answer = office.post({path!r}, {form!r})
assert answer.status_code == 302, answer.content.decode()
"""
_KEPT = {"id", "number", "client_temp_id", "pdf_sha256", "amount", "total_amount", "invoice", "conflict"}


def essence(said: Any) -> Any:
    """Of an answer what may never change: ids, numbers, amounts, the document's hash, and why something was refused."""
    if not isinstance(said, Mapping):
        return None
    if "inventory_type" in said:
        return {}  # a balance: its id is the database's own affair
    kept: Json = {}
    for name, value in said.items():
        if name == "results":
            kept[name] = [{**essence(result), "status": result["status"]} for result in value]
        elif name == "errors":
            kept[name] = [{part: error[part] for part in ("code", "detail", "attr")} for error in value]
        elif name in ("transaction", "invoice", "replacement", "sale") and isinstance(value, Mapping):
            kept[name] = essence(value)
        elif name in _KEPT or name.endswith("_number"):
            kept[name] = value
    return kept


def pulled(said: Mapping[str, Any]) -> dict[str, list[int]]:
    """Which rows a phone was told of, and which are gone."""
    told = {name: [row["id"] for row in said[name]] for name in ("depots", "equipment", "gst_rates", "customers")}
    return told | {f"gone {name}": ids for name, ids in said["gone"].items()}


def figures(get: Callable[[str], Any]) -> Json:
    """What there is of everything, and what each customer owes; ``get`` reads a path as an administrator."""
    balances, page = [], 1
    while page:
        told = get(f"inventories/?ordering=id&page_size=100&page={page}")
        balances += told["results"]
        page = page + 1 if told["next"] else 0
    return {
        "stock": {
            " ".join(str(it[name]) for name in ("inventory_type", "depot", "customer", "vehicle_no", "sku", "condition")): it["quantity"]
            for it in balances
            if it["quantity"]
        },
        "owed": {row["name"]: row["total"] for row in get("reports/receivables/")["rows"]},
    }  # fmt: skip


def codes(status: int, said: Any) -> list[str]:
    """Why something was refused."""
    return [error["code"] for error in said.get("errors", [])] if status >= 400 else []


class Day:
    """Its clock stands still until it is set. ``operations`` is what was sent, with what was answered."""

    def __init__(self, site: Site, date: str) -> None:
        self.site, self.date, self.clock = site, date, "08:00"
        self.operations: list[Json] = []
        self._tokens: dict[str, str] = {}
        self._has_a_message = threading.Event()
        port = free_port()
        self.mail_server = Controller(self, hostname="127.0.0.1", port=port)
        site.environment |= {"EMAIL_FILE_PATH": "", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port)}

    def moment(self, clock: str) -> str:
        return f"{self.date}T{clock}:00+08:00"

    # --- By HTTP

    def ask(self, user: str, method: str, path: str, body: object = None) -> Answer:
        """Ask without writing it down."""
        headers = {"X-Clock": self.moment(self.clock)}
        return self.site.ask(method, path, body, self._tokens.get(user, ""), headers)

    def log_in(self, user: str) -> str:
        """Answers the refresh token."""
        pair = self.ask("", "POST", "token/", {"username": user, "password": PASSWORD}).json()
        self._tokens[user] = pair["access"]
        refresh: str = pair["refresh"]
        return refresh

    def rows(self, path: str, by: str) -> dict[str, int]:
        found = self.ask("admin", "GET", f"{path}/?page_size=100").json()["results"]
        return {row[by]: row["id"] for row in found}

    def send(
        self, user: str, method: str, path: str, body: Any = None, *, status: int = 201, is_kept: bool = False
    ) -> Any:
        """Send an operation and write it down. ``is_kept``: it is refused, and that refusal is its answer for ever."""
        answer = self.ask(user, method, path, body)
        assert answer.status == status, f"{method} {path} {body}: {answer.status} {answer.content[:1000]!r}"
        said = json.loads(answer.content or b"null")
        has_id = path == "sync/push/" or bool(body and body.get("client_temp_id"))
        self.operations.append(
            {
                "at": self.moment(self.clock),
                "user": user,
                "method": method,
                "path": path,
                "body": body,
                "has_client_temp_id": has_id,
                "is_repeatable": has_id and (status < 300 or is_kept),
                "status": status,
                "said": essence(said),
            }
        )
        return said

    def post(
        self, user: str, path: str, body: Any = None, *, status: int = 201, is_kept: bool = False, **more: Any
    ) -> Any:
        return self.send(user, "POST", path, {**(body or {}), **more}, status=status, is_kept=is_kept)

    # --- Beside it, each at the day's clock

    def manage(self, *arguments: str) -> None:
        self.site.python(*self._command(*arguments))

    def _command(self, *arguments: str) -> tuple[str, ...]:
        return ("-m", "tests.upgrade.frozen", self.moment(self.clock), *arguments)

    def seal(self) -> None:
        self.manage("seal_audit", "--anchor", str(self.site.folder / "anchors"))

    def import_rows(self, table: str, rows: str) -> None:
        file = self.site.folder / f"{table}.csv"
        file.write_text(rows)
        self.manage("import_data", table, str(file), "--user", "admin", "--commit")

    def fill_in(self, path: str, form: Json) -> None:
        """A page of the office, by the administrator."""
        self.manage("shell", "--verbosity", "0", "-c", FORM.format(path=path, form=form))

    def work_off_the_mail(self) -> None:
        self.manage(*WORKER, "--batch")

    def kill_a_worker(self) -> None:
        """While the mail server has its message and hasn't answered."""
        worker = subprocess.Popen([sys.executable, *self._command(*WORKER)], cwd=ROOT, env=self.site.environment)
        has_it = self._has_a_message.wait(60)
        worker.kill()
        worker.wait()
        assert has_it

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.endswith("@refuses.example"):
            return "550 Nobody of that name"
        if address.endswith("@waits.example"):
            return "450 Come again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if envelope.rcpt_tos[0].endswith("@hangs.example"):
            self._has_a_message.set()
            await asyncio.sleep(60)
        return "250 Accepted"
