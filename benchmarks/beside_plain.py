"""A sale here, beside the same in a plain Django program (benchmarks/plain): `python -m benchmarks.beside_plain`.

Two servers with a database each of the settings' kind, in the same run: 1 and 8 drivers sell three lines and a meter
reading through ours and through the plain one, turn and turn about. Times and speed are those of sales that were made: a
refused one isn't sent again.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness import Table, a_site, engine, median, say
from benchmarks.sale import Driver, Figures, Seller, load
from testbed.servers import MariaDB, Site, on_mariadb

CLIENTS = (1, 8)
FIGURES = ("p50", "p99", "per_second", "refused")


class PlainDriver(Seller):
    """The plain program has a customer for each driver, and one kind of cylinder."""

    def __init__(self, site: Site, index: int) -> None:
        super().__init__(site, f"driver{index}", index + 1, 1)
        self.reading = 1200

    def sell(self, **more: str) -> int:
        self.reading += 1
        return super().sell(current_meter=f"{self.reading}.00", **more)


@contextmanager
def a_plain_site(drivers: int) -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="hsh-plain-"))
    database = MariaDB() if on_mariadb() else None
    site = Site(database, folder)
    try:
        site.python("-m", "benchmarks.plain.app", str(drivers))
        site.start("benchmarks.plain.app:application")
        yield site
    finally:
        site.stop()
        if database:
            database.stop()
        shutil.rmtree(folder, ignore_errors=True)


def measure(rounds: int = 3, seconds: float = 8) -> list[Table]:
    say(f"{engine()}: sales beside a plain program's …")
    most = max(CLIENTS)
    with a_site(most) as (ours, world), a_plain_site(most) as plain:
        drivers: dict[str, tuple[Site, list[Seller]]] = {
            "plain": (plain, [PlainDriver(plain, index) for index in range(most)]),
            "ours": (ours, [Driver(ours, world, index) for index in range(most)]),
        }
        taken: dict[tuple[int, str], list[Figures]] = {(count, name): [] for count in CLIENTS for name in drivers}
        for site, sellers in drivers.values():
            load(site, sellers[:1], 3)  # warm-up
        for _ in range(rounds):
            for count, name in taken:
                site, sellers = drivers[name]
                taken[count, name].append(load(site, sellers[:count], seconds))
    table = Table(
        f"{engine()}: a sale beside a plain program's",
        ("clients", "", "p50 ms", "p99 ms", "sales/s", "errors %", "p50 ÷ plain's", "sales/s ÷ plain's"),
    )
    for count in CLIENTS:
        found = {
            name: [median([getattr(one, figure) for one in taken[count, name]]) for figure in FIGURES]
            for name in drivers
        }
        p50, _, speed, _ = found["plain"]
        for name, (own_p50, p99, own_speed, refused) in found.items():
            table.rows.append((count, name, own_p50, p99, own_speed, 100 * refused, own_p50 / p50, own_speed / speed))
    return [table]


def main() -> None:
    parser = argparse.ArgumentParser(description="A sale here, beside the same in a plain Django program.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    sent = parser.parse_args()
    print(measure(sent.rounds, sent.seconds)[0].markdown())


if __name__ == "__main__":
    main()
