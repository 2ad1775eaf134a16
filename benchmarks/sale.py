"""What one sale costs over HTTP, alone and among many: `python benchmarks/sale.py [--rounds 3] [--seconds 8]`.

On a server of its own, with the engine of the settings' kind (SQLite; with DB_ENGINE=mysql a private MariaDB with its
default durability): gunicorn, and 1, 8 and 32 drivers who sell three lines and a meter reading to a customer of their
own without a pause, turn and turn about. Beside it, from the same run, the floors: the sale's SQL by hand through the
bare driver, committed as durably; and WeasyPrint's bare render of an invoice. ``--history FILE`` begins with a copy of an
SQLite database that history.py filled.
"""

import argparse
import hashlib
import json
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

import django

django.setup()

from benchmarks.render import ways
from tests.live.servers import MariaDB, Site, on_mariadb

CLIENTS = (1, 8, 32)
CORES = os.cpu_count() or 1
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Figures:
    """Of one round: milliseconds, sales a second, per cent of the processors, CPU milliseconds of a sale."""

    p50: float
    p95: float
    p99: float
    per_second: float
    busy: float
    cpu_ms: float
    errors: int


class Driver:
    """One client: its own vehicle, its own metered customer, one connection that stays open."""

    def __init__(self, site: Site, world: dict[str, Any], index: int) -> None:
        self.headers = {
            "Authorization": f"Bearer {site.log_in(world['drivers'][index])}",
            "Content-Type": "application/json",
        }
        self.connection = HTTPConnection("127.0.0.1", site.port, timeout=60)
        lines = [{"equipment": world["equipment"], "type": kind, "quantity": 1} for kind in ("SALE", "SWAP", "DEPOSIT")]
        self.body: dict[str, Any] = {"customer": world["metered"][index], "items": lines}
        self.reading = 1300

    def sell(self) -> int:
        self.reading += 1
        body = json.dumps({**self.body, "current_meter": f"{self.reading}.00", "client_temp_id": f"{self.reading}"})
        try:
            return self._post(body)
        except (OSError, HTTPException):  # the server closes what was idle for a while; nothing happens twice
            self.connection.close()
            return self._post(body)

    def _post(self, body: str) -> int:
        self.connection.request("POST", "/api/transactions/", body, self.headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status


def load(site: Site, drivers: list[Driver], seconds: float) -> Figures:
    """All drivers sell until the time is up."""
    taken: list[float] = []
    wrong: list[int] = []
    end = time.perf_counter() + seconds

    def work(driver: Driver) -> None:
        while (began := time.perf_counter()) < end:
            status = driver.sell()
            taken.append(time.perf_counter() - began)
            if status != 201:
                wrong.append(status)

    threads = [threading.Thread(target=work, args=(driver,)) for driver in drivers]
    began, machine, server = time.perf_counter(), _busy_ticks(), _server_ticks(site)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    busy = (_busy_ticks() - machine) / TICKS / took / CORES
    cpu = (_server_ticks(site) - server) / TICKS / len(taken)
    marks = statistics.quantiles(taken, n=100) if len(taken) > 1 else taken * 99
    return Figures(
        marks[49] * 1000, marks[94] * 1000, marks[98] * 1000, len(taken) / took, busy * 100, cpu * 1000, len(wrong)
    )


def _busy_ticks() -> int:
    """Of all processors, since the machine's start: all that isn't idle or waiting."""
    user, nice, system, _, _, irq, soft, *_ = map(int, Path("/proc/stat").read_text().split()[1:9])
    return user + nice + system + irq + soft


def _server_ticks(site: Site) -> int:
    """Of gunicorn's workers, and of the database server."""
    assert site.process
    pids = [site.process.pid, *site.workers()] + ([site.database.process.pid] if site.database else [])
    return sum(sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13])) for pid in pids)


# --- The floors ------------------------------------------------------------------------------------------


class ByHand:
    """The last sale's rows, written again by SQL alone: what any program would have to send for a sale."""

    COPIED = (
        ("invoices_invoice", "id = (SELECT MAX(id) FROM invoices_invoice)"),
        ("transactions_transaction", "id = (SELECT MAX(id) FROM transactions_transaction)"),
        ("transactions_transactionitem", "transaction_id = (SELECT MAX(id) FROM transactions_transaction)"),
        ("inventory_stockmovement", "cause_type = 'transactions.transaction' AND cause_id = (SELECT MAX(id) FROM transactions_transaction)"),
        ("audit_auditlog", "id = (SELECT MAX(id) FROM audit_auditlog)"),
        ("core_clientoperation", "id = (SELECT MAX(id) FROM core_clientoperation)"),
    )  # fmt: skip

    def __init__(self, site: Site) -> None:
        self.is_mysql = site.database is not None
        self.connection = self._connect(site)
        self.mark = "%s" if self.is_mysql else "?"
        self.for_update = " FOR UPDATE" if self.is_mysql else ""
        cursor = self.connection.cursor()
        self.rows: dict[str, list[dict[str, Any]]] = {}
        for table, condition in self.COPIED:
            cursor.execute(f"SELECT * FROM {table} WHERE {condition}")
            names = [column[0] for column in cursor.description]
            self.rows[table] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        self.customer = self.rows["transactions_transaction"][0]["customer_id"]
        ends = {row[f"{end}_location_id"] for row in self.rows["inventory_stockmovement"] for end in ("from", "to")}
        cursor.execute(f"SELECT id FROM inventory_inventory WHERE location_id IN ({','.join(map(str, ends))})")
        self.balances = [row[0] for row in cursor.fetchall()]
        self.number = 0
        self.connection.commit()

    def _connect(self, site: Site) -> Any:
        if self.is_mysql:
            import MySQLdb

            access = site.environment
            return MySQLdb.connect(
                host="127.0.0.1", port=int(access["DB_PORT"]), user="live", passwd="live", db="live", charset="utf8mb4"
            )
        import sqlite3

        connection = sqlite3.connect(site.folder / "books.sqlite3", isolation_level=None, timeout=20)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def sell(self) -> None:
        self.number += 1
        cursor, mark = self.connection.cursor(), self.mark
        cursor.execute("START TRANSACTION" if self.is_mysql else "BEGIN IMMEDIATE")
        cursor.execute(f"SELECT * FROM customers_customer WHERE id = {mark}{self.for_update}", (self.customer,))
        cursor.execute("SELECT * FROM equipment_equipment LIMIT 3")
        cursor.fetchall()
        cursor.execute(f"SELECT * FROM customers_customerrate WHERE customer_id = {mark}", (self.customer,))
        cursor.fetchall()
        inside = ",".join(map(str, self.balances))
        cursor.execute(f"SELECT * FROM inventory_inventory WHERE id IN ({inside}) ORDER BY id{self.for_update}")
        cursor.fetchall()
        ids: dict[str, int] = {}
        for table, _ in self.COPIED:
            copies = [self._copy(table, row, ids) for row in self.rows[table]]
            names = list(copies[0])
            places = f"({', '.join([mark] * len(names))})"
            sql = f"INSERT INTO {table} ({', '.join(f'`{name}`' for name in names)}) VALUES {', '.join([places] * len(copies))}"
            cursor.execute(sql, [copy[name] for copy in copies for name in names])
            ids[table] = cursor.lastrowid
        for pk in self.balances:
            cursor.execute(f"UPDATE inventory_inventory SET quantity = quantity + 0 WHERE id = {mark}", (pk,))
        cursor.execute(f"UPDATE customers_customer SET version = version + 1 WHERE id = {mark}", (self.customer,))
        cursor.execute("COMMIT")

    def _copy(self, table: str, row: dict[str, Any], ids: dict[str, int]) -> dict[str, Any]:
        copy = {name: value for name, value in row.items() if name != "id"}
        own = f"HAND-{os.getpid()}-{self.number}"
        changed = {
            "invoice_number": own, "transaction_number": own, "pdf_path": own, "key": hashlib.sha256(own.encode()).hexdigest(),
            "client_temp_id": own, "invoice_id": ids.get("invoices_invoice"),
            "transaction_id": ids.get("transactions_transaction"),
        }  # fmt: skip
        return copy | {name: value for name, value in changed.items() if name in copy}


@contextmanager
def a_site(history: Path | None) -> Iterator[tuple[Site, dict[str, Any]]]:
    database = MariaDB() if on_mariadb() else None
    folder = Path(tempfile.mkdtemp(prefix="hsh-sale-"))
    if history:
        shutil.copy(history, folder / "books.sqlite3")
    site = Site(database, folder, ALLOWED_HOSTS="127.0.0.1", SECURE_SSL_REDIRECT="False", DEBUG="False")
    try:
        world = json.loads(site.python("tests/live/prepare.py", str(max(CLIENTS))))
        site.start()
        yield site, world
    finally:
        site.stop()
        if database:
            database.stop()
        with suppress(OSError):
            shutil.rmtree(folder)


def times(call: Callable[[], object], count: int = 100) -> float:
    """The median milliseconds of a call."""
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


def measure(rounds: int, seconds: float, history: Path | None) -> dict[str, Any]:
    with a_site(history) as (site, world):
        drivers = [Driver(site, world, index) for index in range(max(CLIENTS))]
        began = time.perf_counter()
        assert drivers[0].sell() == 201
        first = (time.perf_counter() - began) * 1000
        load(site, drivers[:8], 3)  # warm-up
        by_hand, bare = ByHand(site), ways()["bare"]
        results: dict[int, list[Figures]] = {count: [] for count in CLIENTS}
        sql, render = [], []
        for _ in range(rounds):
            for count in CLIENTS:
                results[count].append(load(site, drivers[:count], seconds))
            sql.append(times(by_hand.sell))
            render.append(times(bare, 40))
        medians = {
            count: {name: statistics.median(asdict(figures)[name] for figures in all_rounds) for name in asdict(all_rounds[0])}
            for count, all_rounds in results.items()
        }  # fmt: skip
        return {
            "engine": "MariaDB" if site.database else "SQLite",
            "cores": CORES,
            "load": os.getloadavg()[0],
            "first_ms": first,
            "sql_ms": statistics.median(sql),
            "render_ms": statistics.median(render),
            "memory_mib": [_memory(pid) for pid in site.workers()],
            "clients": medians,
        }


def _memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description="What one sale costs over HTTP, alone and among many.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--history", type=Path)
    parser.add_argument("--json", action="store_true")
    sent = parser.parse_args()
    result = measure(sent.rounds, sent.seconds, sent.history)
    if sent.json:
        print(json.dumps(result))
        return
    floor = result["sql_ms"] + result["render_ms"]
    print(
        f"{result['engine']}, {CORES} cores, load {result['load']:.1f}; floors: the SQL by hand {result['sql_ms']:.1f} ms, ",
        end="",
    )
    print(f"the bare render {result['render_ms']:.1f} ms; the first sale {result['first_ms']:.0f} ms")
    print("| clients | p50 | p95 | p99 | sales/s | of cores ÷ CPU | busy | CPU of one | errors | p50 ÷ floors |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for count, row in result["clients"].items():
        possible = CORES / (row["cpu_ms"] / 1000)
        print(
            f"| {count} | {row['p50']:.1f} ms | {row['p95']:.1f} ms | {row['p99']:.1f} ms | {row['per_second']:.1f} | "
            f"{row['per_second'] / possible:.2f} | {row['busy']:.0f} % | {row['cpu_ms']:.1f} ms | {row['errors']:.0f} | "
            f"{row['p50'] / floor:.2f} |"
        )
    print(f"Memory of the workers: {', '.join(f'{mib} MiB' for mib in result['memory_mib'])}")


if __name__ == "__main__":
    main()
