"""Several phones work offline and sync through a network that loses, delays, doubles and reorders.

At the end every operation is exactly once in the books or in the conflicts. CHAOS_OPERATIONS and CHAOS_SEED
choose the run; make nightly does 2,000.
"""

import os
import random
import sys
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from testbed.servers import ROOT, Site
from tests.concurrency.races import at_once
from tests.live.chaos import ChaosProxy
from tests.types import Json

sys.path.insert(0, str(ROOT / "examples" / "offline_client"))
from client import OfflineClient, Unreachable

OPERATIONS = int(os.environ.get("CHAOS_OPERATIONS", "240"))
SEED = int(os.environ.get("CHAOS_SEED", "20260120"))
SKEW_HOURS = (0, -1, -23, 24, 0, 0.05)
"""How wrong each phone's clock is. A day ahead is too much: all that this phone reports has to be decided about."""


class Phone:
    """One device: it records operations of every kind, and syncs now and then through the proxy."""

    def __init__(self, number: int, path: Path, proxy: ChaosProxy, world: Json, user: str) -> None:
        self.number, self.world = number, world
        self.chance = random.Random(SEED + number)
        self.skew = timedelta(hours=SKEW_HOURS[number])
        self.arguments = (path, proxy.url, user, "correct horse battery")
        self.reading = 1200
        self.client: OfflineClient

    def run(self, operations: int) -> None:
        self.switch_on()
        for _ in range(operations):
            self.work()
            if self.chance.random() < 0.03:
                self.sync_perhaps()
            if self.chance.random() < 0.01:  # the app is closed and opened again
                self.client.close()
                self.switch_on()
        deadline = time.monotonic() + 240
        while True:
            try:
                self.client.sync(attempts=10)
                break
            except Unreachable:
                assert time.monotonic() < deadline

    def switch_on(self) -> None:
        self.client = OfflineClient(*self.arguments, clock=lambda: datetime.now(UTC) + self.skew, timeout=20)

    def sync_perhaps(self) -> None:
        with suppress(Unreachable):
            self.client.sync(attempts=2)

    def work(self) -> None:
        item = {"equipment": self.world["equipment"], "type": "SWAP", "quantity": 1}
        customer = self.world["customers"][self.chance.randrange(4)]
        match self.chance.choices(range(6), (60, 14, 8, 6, 6, 6))[0]:
            case 0:
                self.client.sell(customer, [item])
            case 1:
                self.reading += self.chance.randrange(1, 9)
                self.client.sell(self.world["metered"][self.number], [], current_meter=f"{self.reading}.00")
            case 2:  # more than there is
                self.client.sell(customer, [{**item, "quantity": 9_000}])
            case 3:  # at a rate that isn't his to give
                self.client.sell(customer, [{**item, "rate": "1.00"}])
            case 4:  # a mistake in the app
                self.client.record("transaction.create", {"customer": "Ah Hock", "items": None})
            case _:
                line = {"equipment": self.world["equipment"], "direction": "OUT", "condition": "FULL"}
                self.client.load(self.world["depot"], [{**line, "quantity": self.chance.choice((1, 2, 99_999))}])


def pages(site: Site, path: str, token: str) -> list[Json]:
    found: list[Json] = []
    address: str | None = f"{path}?page_size=200"
    while address:
        page = site.ask("GET", address, token=token).json()
        found += page["results"]
        address = page["next"]
    return found


def test_every_operation_ends_once_in_the_books_or_in_the_conflicts(site: Site, world: Json, tmp_path: Path) -> None:
    site.start()
    proxy = ChaosProxy(site.port, SEED)
    # The last phone is the second one of the first driver.
    users = [*world["drivers"][:5], world["drivers"][0]]
    phones = [Phone(n, tmp_path / f"phone{n}.sqlite3", proxy, world, user) for n, user in enumerate(users)]
    began = time.monotonic()
    at_once(lambda index: phones[index].run(OPERATIONS // len(phones)), len(phones), patience=300 + 2 * OPERATIONS)
    took = time.monotonic() - began
    proxy.close()

    boss = site.log_in("boss")
    sales = pages(site, "transactions/", boss)
    loads = pages(site, "distributions/", boss)
    kept = {row["id"]: row for row in pages(site, "sync/conflicts/", boss)}
    booked = Counter(row["client_temp_id"] for row in (*sales, *loads))
    in_conflict = Counter(row["client_temp_id"] for row in kept.values())
    assert not booked.keys() & in_conflict.keys()
    assert set(booked.values()) | set(in_conflict.values()) == {1}
    numbers = {(row["id"], row["transaction_number"]) for row in sales}
    drafts = {row["id"]: row for row in loads}

    states, confirmed, total = Counter[str](), set(), 0
    for phone in phones:
        client = OfflineClient(*phone.arguments)
        for operation in client.operations():
            total += 1
            name, result = operation.client_temp_id, operation.result or {}
            states[operation.state] += 1
            assert operation.state in ("done", "rejected")
            if operation.state == "rejected":
                assert kept[result["conflict"]]["client_temp_id"] == name
                assert name not in booked
            elif operation.content["type"] == "transaction.create":
                assert booked[name] == 1
                assert (result["id"], result["number"]) in numbers
            elif operation.content["type"] == "distribution.create":
                assert drafts[result["id"]]["client_temp_id"] == name
            else:
                assert drafts[result["id"]]["status"] == "CONFIRMED"
                confirmed.add(result["id"])
        assert client.rows("customers").keys() == {row["id"] for row in pages(site, "customers/", boss)}
        client.close()
    assert total == sum(states.values()) >= OPERATIONS // len(phones) * len(phones)
    assert len(sales) + len(loads) + len(confirmed) + len(kept) == total
    assert confirmed == {row["id"] for row in loads if row["status"] == "CONFIRMED"}
    assert "The books verify" in site.manage("verify_books")
    print(f"\n{total} operations in {took:.0f} s: {dict(states)}; the network: {dict(proxy.fates)}")
