"""What one user's push does to another user's sale: `python -m benchmarks.beside [--rounds 5]`.

On a server of its own, with the engine of the settings' kind. One driver pushes sales of 200 lines, in one request and
in four at once; another one sells three lines and a meter reading, over a new connection each time, as through a proxy.
Turn and turn about with the same sale alone. Goal: no more than twice its time alone.
"""

import argparse
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.harness import Client, Table, a_site, engine, median, milliseconds, say
from benchmarks.sale import Driver
from testbed.servers import Site

LINES = 200
OPERATIONS = 4
PUSHES = (0, 1, 4)
SALES = 20


def measure(rounds: int = 5) -> list[Table]:
    say(f"{engine()}: a sale beside a push …")
    with a_site() as (site, world):
        seller = Driver(site, world, 1)
        for _ in range(20):  # warm
            _sell(seller)
        taken: dict[int, list[float]] = {count: [] for count in PUSHES}
        for _ in range(rounds):
            for count in PUSHES:
                with _pushing(site, world, count):
                    taken[count] += [milliseconds(lambda: _sell(seller), 1) for _ in range(SALES)]
    table = Table(f"{engine()}: a sale beside another user's pushes", ("pushes", "p50 ms", "p95 ms", "p50 ÷ alone"))
    for count, each in taken.items():
        table.rows.append((count, median(each), sorted(each)[len(each) * 95 // 100], median(each) / median(taken[0])))
    return [table]


def _sell(seller: Driver) -> None:
    seller.connection.close()
    assert seller.sell() == 201


@contextmanager
def _pushing(site: Site, world: dict[str, Any], count: int) -> Iterator[None]:
    """So many clients of the first driver, who push without a pause."""
    is_over = threading.Event()

    def push(client: Client) -> None:
        while not is_over.is_set():
            status, content = client.ask("POST", "/api/sync/push/", json.dumps({"operations": _operations(world)}))
            assert status == 200, content

    threads = [threading.Thread(target=push, args=(Client(site, "driver0"),)) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def _operations(world: dict[str, Any]) -> list[dict[str, Any]]:
    items = [{"equipment": world["equipment"], "type": "SWAP", "quantity": 1}] * LINES
    data = {"customer": world["customers"][0], "items": items}
    return [
        {"type": "transaction.create", "client_temp_id": str(uuid.uuid4()), "data": data} for _ in range(OPERATIONS)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="What one user's push does to another user's sale.")
    parser.add_argument("--rounds", type=int, default=5)
    print(measure(parser.parse_args().rounds)[0].markdown())


if __name__ == "__main__":
    main()
