"""An app's first pull of 50,000 customers, page by page over HTTP: `python -m benchmarks.pull [--rounds 3]`.

The floor is one statement by hand that reads the same customers.
"""

import argparse
import gzip
import json

from benchmarks.harness import CUSTOMERS, Client, Table, a_site_with_history, engine, median, milliseconds, say

PAGE = 2_000


def measure(rounds: int = 3) -> list[Table]:
    say(f"{engine()}: pulls …")
    with a_site_with_history(10_000) as (site, _):
        client = Client(site, "boss")
        client.headers["Accept-Encoding"] = "gzip"
        taken, floor, before = [], [], max(map(memory_mib, site.workers()))
        pages: list[int] = []
        for turn in range(rounds + 1):
            pages.clear()
            spent = milliseconds(lambda: pages.extend(pull(client)), 1)
            if turn:
                taken.append(spent)
                floor.append(float(site.python("-c", _BY_HAND).splitlines()[0]))
        grown = max(map(memory_mib, site.workers())) - before
    table = Table(
        f"{engine()}: a first pull of {CUSTOMERS:,} customers",
        ("ms", "pages", "MiB gzipped", "a worker grew by MiB", "SQL by hand ms", "÷ that"),
    )
    mib = sum(pages) / 2**20
    table.rows.append((median(taken), len(pages), mib, grown, median(floor), median(taken) / median(floor)))
    return [table]


_BY_HAND = """
from benchmarks.harness import milliseconds
from benchmarks.statements import by_hand
print(milliseconds(by_hand([("SELECT * FROM customers_customer ORDER BY id", ())]), 3))
"""


def pull(client: Client) -> list[int]:
    """The sizes of the pages, as they were sent."""
    sizes: list[int] = []
    cursor = ""
    while True:
        content = client.get(f"/api/sync/pull/?page_size={PAGE}{cursor}")
        sizes.append(len(content))
        page = json.loads(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
        if not page["has_more"]:
            return sizes
        cursor = f"&cursor={page['cursor']}"


def memory_mib(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:
        return int(status.read().partition("VmRSS:")[2].split()[0]) // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description="An app's first pull of 50,000 customers.")
    parser.add_argument("--rounds", type=int, default=3)
    print(measure(parser.parse_args().rounds)[0].markdown())


if __name__ == "__main__":
    main()
