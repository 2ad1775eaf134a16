"""What lists and reports cost as the books grow: `python -m benchmarks.growth [--sizes 10000 1000000] [--rounds 5]`.

Each list by each filter, order and search, and each report of a month, over HTTP from gunicorn, at every size turn and
turn about; beside them the same statements by hand through the bare driver. ``--worst`` shows the dearest alone.
"""

import argparse
import json
from contextlib import ExitStack
from functools import partial
from typing import Any

from benchmarks.harness import Client, Table, a_site_with_history, engine, median, milliseconds, say

SIZES = (10_000, 100_000, 1_000_000)


def measure(sizes: tuple[int, ...] = SIZES, rounds: int = 5) -> list[Table]:
    with ExitStack() as stack:
        sites = {size: stack.enter_context(a_site_with_history(size))[0] for size in sizes}
        asked = {
            size: json.loads(site.python("-m", "benchmarks.statements").splitlines()[0]) for size, site in sites.items()
        }
        tables = []
        for kind, readers in (("lists", ("boss", "supervisor")), ("reports", ("boss",))):
            for reader in readers:
                say(f"{engine()}: {kind} of {reader} …")
                clients = {size: Client(site, reader) for size, site in sites.items()}
                tables.append(_compare(kind, reader, clients, asked, rounds))
        return tables


def _compare(kind: str, reader: str, clients: dict[int, Client], asked: dict[int, Any], rounds: int) -> Table:
    smallest, largest = min(clients), max(clients)
    table = Table(
        f"{engine()}: {kind}, as {reader} sees them (ms)",
        ("question", *(f"{size:,}" for size in clients), "grew", "SQL by hand", "of that"),
    )
    # Its keys differ from site to site, its questions don't.
    for number, question in enumerate(asked[largest][kind]):
        own = {size: asked[size][kind][number] for size in clients}
        for size, client in clients.items():
            client.get(own[size])
        taken: dict[int, list[float]] = {size: [] for size in clients}
        for _ in range(rounds):
            for size, client in clients.items():
                taken[size].append(milliseconds(partial(client.get, own[size]), 1))
        medians = {size: median(each) for size, each in taken.items()}
        floor = asked[largest]["floors"][question]
        name = question.removeprefix("/api/").removeprefix("reports/")
        table.rows.append(
            (name, *medians.values(), medians[largest] / medians[smallest], floor, medians[largest] / max(floor, 0.01))
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description="What lists and reports cost as the books grow.")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--worst", type=int, default=0)
    sent = parser.parse_args()
    for table in measure(tuple(sent.sizes), sent.rounds):
        if sent.worst:
            table.rows = sorted(table.rows, key=lambda row: -row[-4])[: sent.worst]
        print(table.markdown())


if __name__ == "__main__":
    main()
