"""A push of 200 sales against the same sales one by one: `python benchmarks/push.py [--rounds 5]`.

On a server of its own, with the engine of the settings' kind (SQLite; with DB_ENGINE=mysql a private MariaDB), turn
and turn about over HTTP on loopback. Target: the push takes no more than 0.9 of the time of the single sales.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

import django

django.setup()

from tests.live.servers import MariaDB, Site, on_mariadb

SALES = 200


def main() -> None:
    parser = argparse.ArgumentParser(description="A push of 200 sales against the same sales one by one.")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    database = MariaDB() if on_mariadb() else None
    site = Site(
        database, Path(tempfile.mkdtemp(prefix="hsh-push-")), ALLOWED_HOSTS="127.0.0.1", SECURE_SSL_REDIRECT="False"
    )
    try:
        world = json.loads(site.python("tests/live/prepare.py", "2"))
        site.start()
        token = site.log_in("driver0")
        measure(site, world, token)  # warm-up
        singles, pushes = zip(*(measure(site, world, token) for _ in range(rounds)), strict=True)
    finally:
        site.stop()
        if database:
            database.stop()
    single, push = statistics.median(singles), statistics.median(pushes)
    print(
        f"{'MariaDB' if database else 'SQLite'}, {SALES} sales, median of {rounds}: one by one {single:.2f} s, ", end=""
    )
    print(f"one push {push:.2f} s, ratio {push / single:.2f}")


def measure(site: Site, world: dict[str, Any], token: str) -> tuple[float, float]:
    """Seconds for the sales one by one, and for as many in one push."""
    began = time.perf_counter()
    for number in range(SALES):
        assert site.ask("POST", "transactions/", sale(world, number), token).status == 201
    between = time.perf_counter()
    operations = []
    for number in range(SALES):
        data = sale(world, number)
        operations.append({"type": "transaction.create", "client_temp_id": data.pop("client_temp_id"), "data": data})
    answer = site.ask("POST", "sync/push/", {"operations": operations}, token)
    assert {result["status"] for result in answer.json()["results"]} == {"created"}
    return between - began, time.perf_counter() - between


def sale(world: dict[str, Any], number: int) -> dict[str, Any]:
    items = [{"equipment": world["equipment"], "type": kind, "quantity": 1} for kind in ("SALE", "SWAP", "DEPOSIT")]
    return {"client_temp_id": str(uuid.uuid4()), "customer": world["customers"][number % 4], "items": items}


if __name__ == "__main__":
    main()
