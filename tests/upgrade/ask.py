"""Migrates a dump with the present code, and asks it what `test_upgrade` wants to know.

    python -m tests.upgrade.ask FOLDER

in the environment of a site (see `test_upgrade`). FOLDER has what was unpacked, and gets answers.json. The clock stands
a year after the dump's day, whenever this runs: every token has expired, and every ``occurred_at`` is long past.

It knows addresses, management commands, and names of tables and columns: those stay when modules move.
"""

import hashlib
import html
import io
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import django
import time_machine
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from tests.types import Answer, Json
from tests.upgrade.day import PASSWORD, WORKER, codes, essence, figures, pulled

LATER = timedelta(days=365)
EVIDENCE = ("audit_auditlog", "audit_auditseal")
NAMING = (
    ("audit_auditlog", "/admin/audit/auditlog", "entity_type", "entity_id"),
    ("inventory_stockmovement", "/admin/inventory/stockmovement", "cause_type", "cause_id"),
    ("sync_syncconflict", "/admin/sync/syncconflict", "result_type", "result_id"),
)
"""Tables whose rows name other rows: the address of their pages, and the columns of name and id."""
PASSING = {"cache", "django_session", "token_blacklist_outstandingtoken", "token_blacklist_blacklistedtoken"}
"""Tables that no book is kept in."""
Pair = tuple[Any, Any]
"""What has to be answered, and what is."""


def answers(folder: Path) -> Json:
    told = read(folder / "operations.json")
    own = read(folder / "own.json")
    anchors = str(folder / "anchors")
    columns = {table: columns_of(table) for table in EVIDENCE}
    before = evidence(columns)
    priced = prices_kept()
    call_command("migrate", verbosity=0)
    found: Json = {
        "evidence": (before, evidence(columns)),
        "ready": Client().get("/api/health/ready/").json(),
        "books": command("verify_books"),
        "audit": command("verify_audit", "--anchor", anchors),
        "log_in": log_in("driver1"),
        "fleet": fleet(),
        "prices": (priced, {key: prices_of(*key.split()) for key in priced}),
        "searched": list(searched()),
        "missed": (told["missed"], _as_far_as(told["missed"], missed(own["cursor"]))),
        "documents": list(documents(own["documents"])),
        "ways": list(ways()),
    }
    rows_before = counts()
    found["again"] = list(again(told["operations"]))
    found["counts"] = (rows_before, counts())
    found["later"] = list(later(told["later"]))
    found["afterwards"] = (told["afterwards"], figures(lambda path: said(ask("admin", "GET", path))))
    found["again_later"] = list(again(told["operations"]))
    found["emails"] = [emails()]
    for step in (*WORKER, "--batch"), ("sweep_emails",), (*WORKER, "--batch"):
        command(*step)
        found["emails"].append(emails())
    found["arrived"] = arrived(folder)
    found["books_later"], found["audit_later"] = command("verify_books"), command("verify_audit", "--anchor", anchors)
    found["with_damage"] = with_damage(told, own, columns)
    return found


# --- By HTTP


@cache
def _client(user: str) -> APIClient:
    """Past the log-in: every token of the dump has expired."""
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(_user(user))
    return client


def _user(username: str) -> Any:
    return get_user_model().objects.get(username=username)


def log_in(username: str) -> int:
    account = {"username": username, "password": PASSWORD}
    client = Client(raise_request_exception=False)
    return client.post("/api/token/", account, "application/json").status_code


def fleet() -> Json:
    """What drivers and documents named by numbers, and what became of it."""
    naming = ("accounts_user", "inventory_location", "distribution_distribution", "transactions_transaction",
              "transactions_settlement")  # fmt: skip
    named = {number for table in naming for (number,) in rows(f"SELECT DISTINCT vehicle_no FROM {table}")} - {""}
    users = "SELECT u.id, u.vehicle_no, d.code FROM accounts_user u JOIN depots_depot d ON d.id = u.depot_id"
    driven = sorted((pk, number, depot) for pk, number, depot in rows(users) if number)
    vehicles = said(ask("admin", "GET", "vehicles/?page_size=200"))["results"]
    depots = {row["number"]: row["depot_code"] for row in vehicles}
    assignments = said(ask("admin", "GET", "vehicle-assignments/?page_size=200"))["results"]
    return {
        "vehicles": (sorted(named), sorted(depots)),
        "assignments": (
            driven,
            sorted((row["user"], row["vehicle_no"], depots[row["vehicle_no"]]) for row in assignments),
        ),
        "begin": [row["from_at"] for row in assignments],
    }


def prices_kept() -> dict[str, list[str]]:
    """What each equipment has cost, the first price first, in the tables of a release that kept what was before."""
    if "equipment_pastprice" not in connection.introspection.table_names():
        return {}
    found: dict[str, list[str]] = {}
    past = rows("SELECT equipment_id, default_rate, deposit FROM equipment_pastprice ORDER BY until, id")
    for pk, *amounts in (*past, *rows("SELECT id, default_rate, deposit FROM equipment_equipment ORDER BY id")):
        for kind, amount in zip(("DEFAULT_RATE", "DEPOSIT"), amounts, strict=True):
            costs, now = found.setdefault(f"{pk} {kind}", []), "" if amount is None else f"{amount:.2f}"
            if now != (costs[-1] if costs else ""):
                costs.append(now)
    return found


def prices_of(equipment: str, kind: str) -> list[str]:
    """The same, as it is told now."""
    told = said(ask("admin", "GET", f"equipment/{equipment}/prices/?page_size=200"))["results"]
    return [row["amount"] or "" for row in reversed(told) if row["kind"] == kind]


def ask(user: str, method: str, path: str, body: object = None) -> Any:
    return _client(user).generic(method, f"/api/{path}", json.dumps(body), "application/json")


def said(answer: Answer) -> Any:
    return answer.json() if "json" in answer.headers.get("Content-Type", "") else {}


def searched() -> Iterator[Pair]:
    """Each row of a list, and whether a search for its name finds it."""
    for path, name in ("customers", "name"), ("depots", "name"), ("equipment", "name"), ("accounts/users", "username"):
        for row in said(ask("admin", "GET", f"{path}/?page_size=200"))["results"]:
            query = urlencode({"search": row[name].upper(), "page_size": 200})
            yield (
                f"{path} {row['id']}",
                [f"{path} {it['id']}" for it in said(ask("admin", "GET", f"{path}/?{query}"))["results"]],
            )


def missed(cursor: str) -> dict[str, list[int]]:
    """What a phone is told that pulled in the middle of the day."""
    return pulled(said(ask("driver1", "GET", f"sync/pull/?cursor={cursor}")))


def again(operations: Iterable[Json]) -> Iterator[Pair]:
    """Each operation that can be repeated, once more."""
    for sent in operations:
        if not sent["is_repeatable"]:
            continue
        answer = ask(sent["user"], sent["method"], sent["path"], sent["body"])
        wanted = sent["again"]
        marked = "true" if wanted["status"] == 200 and sent["path"] != "sync/push/" else None
        yield (
            {**wanted, "replayed": marked},
            {
                "status": answer.status_code,
                "said": _as_far_as(wanted["said"], essence(said(answer))),
                "replayed": answer.headers.get("Idempotent-Replayed"),
            },
        )


def _as_far_as(wanted: Any, told: Any) -> Any:
    """Of an answer what was told then, too: a later release may tell more."""
    if isinstance(wanted, Mapping) and isinstance(told, Mapping):
        return {name: _as_far_as(wanted[name], told[name]) for name in wanted if name in told}
    if isinstance(wanted, list) and isinstance(told, list) and len(wanted) == len(told):
        return [_as_far_as(*pair) for pair in zip(wanted, told, strict=True)]
    return told


def later(requests: Iterable[Json]) -> Iterator[Pair]:
    for sent in requests:
        answer = ask(sent["user"], "POST", sent["path"], sent["body"])
        yield sent, {**sent, "status": answer.status_code, "codes": codes(answer.status_code, said(answer))}


def documents(hashes: Mapping[str, str]) -> Iterator[Pair]:
    """Of each stored document its path and SHA-256, and those of what the API answers for its invoice."""
    invoices = dict(rows("SELECT pdf_path, id FROM invoices_invoice"))
    for path, sha256 in hashes.items():
        pdf = ask("admin", "GET", f"invoices/{invoices[path]}/pdf/?copy=as_issued").getvalue()
        yield (path, sha256), (path, hashlib.sha256(pdf).hexdigest())


def ways(only: str = "") -> Iterator[tuple[str, str]]:
    """From a row that names another one, by its page in the office, to the other's page: what it names, and what is
    wrong with that. One row for each that is named; those that name ``only``."""
    office = Client(raise_request_exception=False)
    office.force_login(_user("admin"))
    status: dict[str, int] = {}
    for table, address, name, pk in NAMING:
        condition = f"= '{only}'" if only else "<> ''"
        query = f"SELECT MIN(id), {name}, {pk} FROM {table} WHERE {name} {condition} GROUP BY {name}, {pk}"
        for first, entity, entity_id in rows(query):
            page = office.get(f"{address}/{first}/change/").content.decode()
            links = {html.unescape(link).partition("?")[0] for link in re.findall(r'href="(/admin/[^"]*)"', page)}
            wanted = f"/{entity.rpartition('.')[2]}/{entity_id}/change/"
            target = next((link for link in links if link.endswith(wanted)), None)
            if target and target not in status:
                status[target] = office.get(target).status_code
            problem = f"answers {status[target]}" if target else "no link"
            yield f"{table} {first}: {entity} {entity_id}", "" if target and status[target] == 200 else problem


# --- In the database and its files


def rows(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def columns_of(table: str) -> list[str]:
    """Quoted: some are words of SQL."""
    with connection.cursor() as cursor:
        return [
            connection.ops.quote_name(column.name)
            for column in connection.introspection.get_table_description(cursor, table)
        ]


def evidence(columns: Mapping[str, list[str]]) -> dict[str, str]:
    """A hash over all rows, in the columns that were there before."""
    queries = {table: f"SELECT {', '.join(names)} FROM {table} ORDER BY id" for table, names in columns.items()}
    return {table: hashlib.sha256(repr(rows(query)).encode()).hexdigest() for table, query in queries.items()}


def counts() -> dict[str, int]:
    tables = sorted({*connection.introspection.table_names()} - PASSING)
    return {table: rows(f"SELECT COUNT(*) FROM {table}")[0][0] for table in tables}


def emails() -> dict[int, str]:
    return dict(rows("SELECT id, status FROM invoices_invoiceemail"))


def arrived(folder: Path) -> dict[int, int]:
    """How many messages of each email there are."""
    ids = {message_id: pk for pk, message_id in rows("SELECT id, message_id FROM invoices_invoiceemail")}
    sent = "".join(file.read_text() for file in folder.glob("mail/*"))
    return Counter(ids[message_id] for message_id in re.findall(r"^Message-ID: (\S+)", sent, re.MULTILINE))


def command(*arguments: str) -> str:
    """The last line of what it says."""
    out = io.StringIO()
    try:
        call_command(*arguments, stdout=out)
    except CommandError as error:
        return f"{error}\n{out.getvalue()}"
    return out.getvalue().strip().rpartition("\n")[2]


def with_damage(told: Any, own: Any, columns: Mapping[str, list[str]]) -> Json:
    """The same questions when something is lost: what they say then."""
    before = evidence(columns)
    set_here = {connection.ops.quote_name(name) for name in ("id", "entity_type")}
    names = ", ".join(name for name in columns_of("audit_auditlog") if name not in set_here)
    with connection.cursor() as cursor:
        copied = f"SELECT 'moved.payment', {names} FROM audit_auditlog WHERE id = 1"
        cursor.execute(f"INSERT INTO audit_auditlog (entity_type, {names}) {copied}")
    sent = next(sent for sent in told["operations"] if sent["is_repeatable"])
    path, sha256 = next(iter(own["documents"].items()))
    with (Path(settings.MEDIA_ROOT) / path).open("ab") as file:
        file.write(b"\n")
    return {
        "evidence": (before, evidence(columns)),
        "ways": list(ways("moved.payment")),
        "again": list(again([{**sent, "body": {**sent["body"], "remarks": "Something else"}}])),
        "documents": list(documents({path: sha256})),
        "books": command("verify_books"),
    }


def read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    day = datetime.fromisoformat(read(folder / "operations.json")["day"] + "T09:00:00+08:00")
    with time_machine.travel(day + LATER):
        django.setup()
        (folder / "answers.json").write_text(json.dumps(answers(folder), ensure_ascii=False))
