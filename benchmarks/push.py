"""A push of 200 sales against the same sales one by one: `python -m benchmarks.push [--rounds 5]`.

On a server of its own, with the engine of the settings' kind (SQLite; with DB_ENGINE=mysql a private MariaDB), turn
and turn about over HTTP on loopback. Goal: the push takes no more than 0.9 of the time of the single sales.
"""

import argparse
import json
import uuid
from typing import Any

from benchmarks.harness import Client, Table, a_site, engine, median, milliseconds, say

SALES = 200


def measure(rounds: int = 5) -> list[Table]:
    say(f"{engine()}: pushes …")
    with a_site() as (site, world):
        client = Client(site, "driver0")
        singles, pushes = [], []
        for turn in range(rounds + 1):
            single = milliseconds(lambda: _one_by_one(client, world), 1)
            push = milliseconds(lambda: _at_once(client, world), 1)
            if turn:  # the first one warms up
                singles.append(single)
                pushes.append(push)
    table = Table(f"{engine()}: a push of {SALES} sales", ("one by one ms", "one push ms", "÷ one by one"))
    table.rows.append((median(singles), median(pushes), median(pushes) / median(singles)))
    return [table]


def _one_by_one(client: Client, world: dict[str, object]) -> None:
    for number in range(SALES):
        status, content = client.ask("POST", "/api/transactions/", json.dumps(_sale(world, number)))
        assert status == 201, content


def _at_once(client: Client, world: dict[str, object]) -> None:
    sales = [_sale(world, number) for number in range(SALES)]
    operations = [
        {"type": "transaction.create", "client_temp_id": sale.pop("client_temp_id"), "data": sale} for sale in sales
    ]
    _, content = client.ask("POST", "/api/sync/push/", json.dumps({"operations": operations}))
    assert {result["status"] for result in json.loads(content)["results"]} == {"created"}


def _sale(world: dict[str, Any], number: int) -> dict[str, Any]:
    items = [{"equipment": world["equipment"], "type": kind, "quantity": 1} for kind in ("SALE", "SWAP", "DEPOSIT")]
    return {"client_temp_id": str(uuid.uuid4()), "customer": world["customers"][number % 4], "items": items}


def main() -> None:
    parser = argparse.ArgumentParser(description="A push of 200 sales against the same sales one by one.")
    parser.add_argument("--rounds", type=int, default=5)
    print(measure(parser.parse_args().rounds)[0].markdown())


if __name__ == "__main__":
    main()
