"""What one sale costs over HTTP, alone and among many: `python -m benchmarks.sale [--rounds 3] [--seconds 8]`.

On a server of its own, with the engine of the settings' kind (SQLite; with DB_ENGINE=mysql a private MariaDB with its
default durability): gunicorn, and 1, 8 and 32 drivers who sell three lines and a meter reading to a customer of their
own without a pause, turn and turn about. Beside it, from the same run, the floors: the sale's SQL by hand through the
bare driver, committed as durably; and WeasyPrint's bare render of the same invoice. Then 8 of them who share a row: one
customer, or the stock of those who have no vehicle. ``--history 1000000`` also asks what a sale costs after so many,
beside an empty site.
"""

import argparse
import json
import os
import statistics
import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.by_hand import ByHand, last, moved_by
from benchmarks.harness import (
    CORES,
    Client,
    Table,
    a_site,
    a_site_with_history,
    engine,
    median,
    milliseconds,
    say,
)
from benchmarks.render import bare_render
from invoices.snapshot import InvoiceSnapshot
from testbed.servers import Site

CLIENTS = (1, 8, 32)
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Figures:
    """Of one round, and of the sales that were made: milliseconds, how many a second, per cent of the processors, CPU
    milliseconds of one."""

    p50: float
    p95: float
    p99: float
    per_second: float
    busy: float
    cpu_ms: float
    errors: int
    refused: float
    """The share of all answers that are errors."""


class Seller(Client):
    """One client, who sells three lines to one customer over one connection that stays open."""

    def __init__(self, site: Site, username: str, customer: int, equipment: int) -> None:
        super().__init__(site, username)
        lines = [{"equipment": equipment, "type": kind, "quantity": 1} for kind in ("SALE", "SWAP", "DEPOSIT")]
        self.body: dict[str, Any] = {"customer": customer, "items": lines}

    def sell(self, **more: str) -> int:
        sale = {**self.body, "client_temp_id": str(uuid.uuid4()), **more}
        return self.ask("POST", "/api/transactions/", json.dumps(sale))[0]


class Driver(Seller):
    """With a vehicle and a metered customer of its own."""

    def __init__(self, site: Site, world: dict[str, Any], index: int) -> None:
        customer = world["metered"][index]
        super().__init__(site, world["drivers"][index], customer, world["equipment"])
        self.reading = int(float(json.loads(self.get(f"/api/customers/{customer}/"))["last_meter_reading"]))

    def sell(self, **more: str) -> int:
        self.reading += 1
        return super().sell(current_meter=f"{self.reading}.00", **more)


def load(site: Site, drivers: Sequence[Seller], seconds: float) -> Figures:
    """All drivers sell until the time is up."""
    taken: list[float] = []
    wrong: list[int] = []
    end = time.perf_counter() + seconds

    def work(driver: Seller) -> None:
        while (began := time.perf_counter()) < end:
            if (status := driver.sell()) == 201:
                taken.append(time.perf_counter() - began)
            else:
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
        p50=marks[49] * 1000, p95=marks[94] * 1000, p99=marks[98] * 1000, per_second=len(taken) / took, busy=busy * 100,
        cpu_ms=cpu * 1000, errors=len(wrong), refused=len(wrong) / (len(wrong) + len(taken)),
    )  # fmt: skip


def _busy_ticks() -> int:
    """Of all processors, since the machine's start: all that isn't idle or waiting."""
    user, nice, system, _, _, irq, soft, *_ = map(int, Path("/proc/stat").read_text().split()[1:9])
    return user + nice + system + irq + soft


def _server_ticks(site: Site) -> int:
    """Of gunicorn's workers, and of the database server."""
    assert site.process
    pids = [site.process.pid, *site.workers()] + ([site.database.process.pid] if site.database else [])
    return sum(sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13])) for pid in pids)


def measure(rounds: int = 3, seconds: float = 8, history: int = 0) -> list[Table]:
    return [_clients(rounds, seconds), _hot_rows(rounds, seconds), *([_after(history)] if history else [])]


def _clients(rounds: int, seconds: float) -> Table:
    say(f"{engine()}: sales …")
    with a_site(max(CLIENTS)) as (site, world):
        drivers = [Driver(site, world, index) for index in range(max(CLIENTS))]
        load(site, drivers[:8], 3)  # warm-up
        again = by_hand(site, world["metered"][0])
        said = json.loads(again.rows["invoices_invoice"][0]["snapshot"])
        bare = bare_render(InvoiceSnapshot.from_json(said))
        results: dict[int, list[Figures]] = {count: [] for count in CLIENTS}
        sql, render = [], []
        for _ in range(rounds):
            for count in CLIENTS:
                results[count].append(load(site, drivers[:count], seconds))
            sql.append(milliseconds(again.run, 100))
            render.append(milliseconds(bare, 40))
    table = Table(
        f"{engine()}: a sale of three lines and a meter reading",
        ("clients", "p50 ms", "p95 ms", "p99 ms", "p99 ÷ p50", "sales/s", "CPU ms of one", "÷ (cores ÷ CPU)", "busy %",
         "errors"),
    )  # fmt: skip
    for count, all_rounds in results.items():
        one = {name: median([asdict(figures)[name] for figures in all_rounds]) for name in asdict(all_rounds[0])}
        table.rows.append((
            count, one["p50"], one["p95"], one["p99"], one["p99"] / one["p50"], one["per_second"], one["cpu_ms"],
            one["per_second"] * one["cpu_ms"] / 1000 / CORES, one["busy"], int(one["errors"]),
        ))  # fmt: skip
    alone = table.rows[0][1]
    floor = median(sql) + median(render)
    table.notes.append(
        f"Floors of the same run: the SQL by hand {median(sql):.1f} ms, the bare render {median(render):.1f} ms. Alone, a "
        f"sale takes {alone / floor:.2f} times both, and {alone - median(render):.1f} ms more than the render."
    )
    return table


def _hot_rows(rounds: int, seconds: float) -> Table:
    """Turn and turn about: the same eight clients' work, with nothing in common, and with one row."""
    say(f"{engine()}: sellers who share a row …")
    count = 8
    with a_site(count) as (site, world):
        drivers, on_foot, metered = world["drivers"], world["on_foot"], world["metered"]
        equipment, shared = world["equipment"], world["customers"][0]
        groups = {
            "nothing": [Seller(site, *each, equipment) for each in zip(drivers, metered, strict=True)],
            "one customer": [Seller(site, driver, shared, equipment) for driver in drivers],
            "the stock of those on foot": [
                Seller(site, *each, equipment) for each in zip(on_foot, metered, strict=True)
            ],
        }
        load(site, groups["nothing"], 3)  # warm-up
        results: dict[str, list[Figures]] = {name: [] for name in groups}
        for _ in range(rounds):
            for name, sellers in groups.items():
                results[name].append(load(site, sellers, seconds))
    table = Table(
        f"{engine()}: {count} clients who share a row",
        ("they share", "p50 ms", "p99 ms", "sales/s", "÷ nothing shared", "errors"),
    )
    free = median([each.per_second for each in results["nothing"]])
    for name, each in results.items():
        p50, p99, speed = (median([getattr(one, what) for one in each]) for what in ("p50", "p99", "per_second"))
        table.rows.append((name, p50, p99, speed, speed / free, sum(one.errors for one in each)))
    return table


def _after(history: int) -> Table:
    """Turn and turn about, so that a machine's slow minute meets both."""
    say(f"{engine()}: a sale after {history:,} …")
    with ExitStack() as stack:
        sites = {0: stack.enter_context(a_site()), history: stack.enter_context(a_site_with_history(history))}
        drivers = {size: Driver(site, world, 0) for size, (site, world) in sites.items()}
        taken: dict[int, list[float]] = {size: [] for size in sites}
        for turn in range(330):
            for size, driver in drivers.items():
                spent = milliseconds(driver.sell, 1)
                if turn >= 30:  # warm
                    taken[size].append(spent)
    table = Table(f"{engine()}: a sale, alone, after others", ("sales before", "p50 ms", "÷ first"))
    table.rows += [(size, median(each), median(each) / median(taken[0])) for size, each in taken.items()]
    return table


def by_hand(site: Site, customer: int) -> ByHand:
    """The last sale of all, again and again."""
    sale, invoice = "transactions_transaction", "invoices_invoice"
    copied = (
        (invoice, last(invoice)),
        (sale, last(sale)),
        ("transactions_transactionitem", f"transaction_id = (SELECT MAX(id) FROM {sale})"),
        ("inventory_stockmovement", moved_by(sale)),
        ("audit_auditlog", last("audit_auditlog")),
        ("core_clientoperation", last("core_clientoperation")),
    )
    reads = (
        "SELECT * FROM equipment_equipment LIMIT 3",
        f"SELECT * FROM customers_customerrate WHERE customer_id = {customer}",
    )
    return ByHand(site, copied, f"SELECT * FROM customers_customer WHERE id = {customer}", reads)


def main() -> None:
    parser = argparse.ArgumentParser(description="What one sale costs over HTTP, alone and among many.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--history", type=int, default=0)
    sent = parser.parse_args()
    for table in measure(sent.rounds, sent.seconds, sent.history):
        print(table.markdown())


if __name__ == "__main__":
    main()
