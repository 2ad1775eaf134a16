"""Workers and the database server are killed under load: what was answered is there, and nothing else.

CRASH_KILLS is how many (make nightly does 100; see docs/reliability.md).
"""

import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from testbed.servers import Answer, Site, on_mariadb
from tests.concurrency.races import Threads, at_once
from tests.types import Json

KILLS = int(os.environ.get("CRASH_KILLS", "10"))


class Load:
    """Drivers who sell without a pause, each operation with an id of its own, and remember what they were told."""

    def __init__(self, site: Site, world: Json) -> None:
        self.site, self.world = site, world
        self.tokens = [site.log_in(name) for name in world["drivers"]]
        self.sent: list[tuple[int, Json]] = []
        self.answered: dict[str, Json] = {}
        self.statuses: Counter[int] = Counter()
        self.unexpected: list[bytes] = []
        self.threads = Threads()

    def _sell(self, index: int) -> None:
        reading = 1200
        for number in range(100_000):
            if self.threads.over.is_set():
                return
            reading += 1
            item = {"equipment": self.world["equipment"], "type": "SWAP", "quantity": 1}
            body: Json = {"client_temp_id": f"{index}-{number}", "items": [item]}
            if number % 3:
                body["customer"] = self.world["customers"][number % 4]
            else:
                body |= {"customer": self.world["metered"][index], "current_meter": f"{reading}.00"}
            self.sent.append((index, body))
            self._note(body, self.send(index, body))

    def send(self, index: int, body: Json) -> Answer:
        return self.site.ask("POST", "transactions/", body, self.tokens[index])

    def _note(self, body: Json, answer: Answer) -> None:
        self.statuses[answer.status] += 1
        if answer.status in (200, 201):
            self.answered[body["client_temp_id"]] = answer.json()["transaction"]
        elif answer.status in (0, 503):
            time.sleep(0.1)  # as a client would: everything it sends is sent again later
        elif answer.status == 409 and b"meter_reading_decreased" in answer.content:
            # The one before it got no answer and was recorded all the same.
            pass
        elif answer.status:
            self.unexpected.append(answer.content)

    def __enter__(self) -> "Load":
        for index in range(len(self.tokens)):
            self.threads.start(self._sell, index)
        return self

    def __exit__(self, *failure: Any) -> None:
        self.threads.__exit__(*failure)


def kill_workers(site: Site, load: Load, kills: int, deaths: Path) -> None:
    """At random moments, until as many have died, by this hand or at a point of a sale."""
    chance, killed, deadline = random.Random(), 0, time.monotonic() + 20 + 2 * kills
    while killed + len(deaths.read_text().splitlines()) < kills:
        assert time.monotonic() < deadline
        time.sleep(chance.uniform(0.1, 0.6))
        if chance.random() < 0.5 and (workers := site.workers()):
            with suppress(ProcessLookupError):
                os.kill(chance.choice(workers), signal.SIGKILL)
                killed += 1


def kill_databases(site: Site, load: Load, kills: int) -> None:
    assert site.database is not None
    for _ in range(kills):
        before = len(load.answered)
        time.sleep(random.uniform(0.3, 1.0))
        site.database.kill()
        time.sleep(random.uniform(0, 0.3))
        site.database.start()
        deadline = time.monotonic() + 30
        while len(load.answered) == before:  # it goes on by itself
            assert time.monotonic() < deadline, load.unexpected[:3]
            time.sleep(0.05)


def check(site: Site, load: Load) -> None:
    """Everything that was answered is there; everything sent happens once, whoever sends it again."""
    there = {sale["client_temp_id"]: sale for sale in recorded(site)}
    for name, first in load.answered.items():  # before anything is sent again
        assert (there[name]["id"], there[name]["transaction_number"]) == (first["id"], first["transaction_number"])
    again: dict[str, Json] = {}
    for index, body in load.sent:
        answer = load.send(index, body)
        if answer.status == 409:
            # Its reading lies behind a later one's, so that it was never recorded and can't be now.
            assert answer.json()["errors"][0]["code"] == "meter_reading_decreased"
            assert body["client_temp_id"] not in there
            continue
        assert answer.status in (200, 201), answer.content
        assert (answer.status == 200) is (body["client_temp_id"] in there)
        again[body["client_temp_id"]] = answer.json()["transaction"]
    assert all(again[name]["id"] == sale["id"] for name, sale in there.items())
    assert {sale["id"] for sale in recorded(site)} == {sale["id"] for sale in again.values()}
    sweep = "sweep_documents --older-than 0"
    said = site.manage_all(sweep, "verify_books", f"{sweep} --dry-run")
    assert "The books verify" in said
    assert "0 orphans" in said.split("The books verify", 1)[1]


def recorded(site: Site) -> list[Json]:
    """All sales, read over a new connection."""
    token, sales = site.log_in("boss"), []
    address: str | None = "transactions/?page_size=200"
    while address:
        page = site.ask("GET", address, token=token).json()
        sales += page["results"]
        address = page["next"]
    return sales


def test_killed_workers_leave_the_books_right(site: Site, world: Json, tmp_path: Path) -> None:
    deaths = tmp_path / "deaths"
    deaths.touch()
    site.start("tests.live.wsgi:application", CRASH_CHANCE="0.07", CRASH_LOG=str(deaths))
    with Load(site, world) as load:
        kill_workers(site, load, KILLS * 4 // 5, deaths)
    assert load.unexpected == []
    assert load.answered
    site.stop()
    site.start()
    check(site, load)
    points = Counter(deaths.read_text().splitlines())
    print(f"\n{len(load.sent)} sales, {dict(load.statuses)}, died at {dict(points)}")


def test_a_push_goes_on_where_its_worker_died(site: Site, world: Json, tmp_path: Path) -> None:
    """50 sales in one push, from two devices at once, sent again until it is answered."""
    deaths = tmp_path / "deaths"
    deaths.touch()
    site.start("tests.live.wsgi:application", CRASH_CHANCE="0.07", CRASH_LOG=str(deaths))
    item = {"equipment": world["equipment"], "type": "SALE", "quantity": 1}
    operations = [
        {"type": "transaction.create", "client_temp_id": f"p{n}", "data": {"customer": world["customers"][n % 4], "items": [item]}}
        for n in range(50)
    ]  # fmt: skip
    token = site.log_in("driver0")

    def push(_: int) -> list[Json]:
        answer = Answer(0, b"")
        while answer.status in (0, 503):
            answer = site.ask("POST", "sync/push/", {"operations": operations}, token)
        results: list[Json] = answer.json()["results"]
        return results

    results = at_once(push, 2, patience=300)
    first, second = ([(each["client_temp_id"], each["id"], each["number"]) for each in answer] for answer in results)
    assert first == second
    assert len({pk for _, pk, _ in first}) == 50
    assert site.ask("GET", "transactions/", token=site.log_in("boss")).json()["count"] == 50
    assert "The books verify" in site.manage_all("sweep_documents --older-than 0", "verify_books")
    print(f"\ndied at {dict(Counter(deaths.read_text().splitlines()))}")


if on_mariadb():

    def test_a_killed_database_server_leaves_the_books_right(site: Site, world: Json) -> None:
        site.start()
        with Load(site, world) as load:
            kill_databases(site, load, KILLS // 5)
        assert load.unexpected == []
        check(site, load)
        print(f"\n{len(load.sent)} sales, {dict(load.statuses)}")


def test_a_stopped_server_finishes_what_it_began(site: Site, world: Json) -> None:
    """An orderly end answers what is under way: nothing that was taken is left without an answer."""
    site.start()
    with Load(site, world) as load:
        time.sleep(1)
        site.stop()
    site.start()
    assert load.unexpected == []
    check(site, load)
