"""How soon a server answers, and how large it is: `python -m benchmarks.start [--rounds 5]`.

From the start of gunicorn to its first answer; the first sale of a fresh worker beside the later ones; and the memory
of a worker after the start and after 1,000 sales and more.
"""

import argparse
import time

from benchmarks.harness import Table, a_site, engine, median, milliseconds, say
from benchmarks.pull import memory_mib
from benchmarks.sale import Driver
from testbed.servers import Site

SALES = 1_000


def measure(rounds: int = 5) -> list[Table]:
    say(f"{engine()}: starts …")
    with a_site() as (site, world):
        site.stop()
        starts, firsts, laters, sizes = [], [], [], []
        for _ in range(rounds):
            began = time.perf_counter()
            site.start()
            starts.append((time.perf_counter() - began) * 1000)
            sizes.append(_largest(site))
            driver = Driver(site, world, 0)
            firsts.append(milliseconds(driver.sell, 1))
            laters.append(milliseconds(driver.sell, 20))
            site.stop()
        site.start()
        after = _after_sales(site, world)
    table = Table(
        f"{engine()}: start and size",
        (
            "to the first answer ms",
            "first sale ms",
            "later ones ms",
            "÷ later",
            "worker MiB",
            *(f"after {n:,}" for n in after),
        ),
    )
    table.rows.append(
        (
            median(starts),
            median(firsts),
            median(laters),
            median(firsts) / median(laters),
            median(sizes),
            *after.values(),
        )
    )
    return [table]


def _after_sales(site: Site, world: dict[str, object]) -> dict[int, int]:
    """The larger worker's MiB, shared pages counted in."""
    driver, sizes = Driver(site, world, 0), {}
    for sold in range(1, 2 * SALES + 1):
        assert driver.sell() == 201
        if sold % SALES == 0:
            sizes[sold] = _largest(site)
    return sizes


def _largest(site: Site) -> int:
    return max(map(memory_mib, site.workers()))


def main() -> None:
    parser = argparse.ArgumentParser(description="How soon a server answers, and how large it is.")
    parser.add_argument("--rounds", type=int, default=5)
    print(measure(parser.parse_args().rounds)[0].markdown())


if __name__ == "__main__":
    main()
