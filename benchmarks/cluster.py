"""Three nodes of a Galera cluster on loopback, one of which dies under load: `python -m benchmarks.cluster`.

Needs Debian's mariadb-server, galera-4, rsync and lsof, and DB_ENGINE=mysql. A gunicorn in front of each node, as behind a
load balancer; eight drivers sell without a pause, and an operation that got no answer is sent again to the next
server under the same client_temp_id. First all of them sell through one node, then through all three; then the first
node is killed, and they go on through the others. In the end the books are verified on a node that lives, and
each operation must be there once.
"""

import argparse
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
import uuid
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.harness import Table, median, say
from testbed.servers import BROKEN, Answer, MariaDB, Site, free_port, wait_until

PROVIDER = "/usr/lib/galera/libgalera_smm.so"
DRIVERS = 8


class Node(MariaDB):
    """A server that replicates synchronously with its peers; ``seed`` None founds the cluster."""

    def __init__(self, seed: "Node | None" = None) -> None:
        self.group, self.state, self.copy = free_port(), free_port(), free_port()
        self.seed = seed
        address = f"gcomm://127.0.0.1:{seed.group}" if seed else "gcomm://"
        options = (
            "--wsrep-on=ON", f"--wsrep-provider={PROVIDER}", f"--wsrep-cluster-address={address}", "--binlog-format=ROW",
            "--innodb-autoinc-lock-mode=2", "--wsrep-sst-method=rsync", "--wsrep-node-address=127.0.0.1",
            f"--wsrep-sst-receive-address=127.0.0.1:{self.copy}", "--innodb-flush-log-at-trx-commit=1", "--log-bin-trust-function-creators=1",
            f"--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{self.group};ist.recv_addr=127.0.0.1:{self.state}",
            *(["--wsrep-new-cluster"] if seed is None else []),
        )  # fmt: skip
        super().__init__(None, *options)

    def start(self) -> None:
        if self.seed:  # it gets everything from the others, users too
            (self.folder / "init.sql").write_text("")
        super().start()
        wait_until("the node to have joined", self.is_ready, 120)

    def is_ready(self) -> bool:
        import MySQLdb

        try:
            access = {"host": "127.0.0.1", "port": self.port, "user": "live", "passwd": "live", "db": "live"}
            with MySQLdb.connect(**access) as connection:
                cursor = connection.cursor()
                cursor.execute("SHOW STATUS LIKE 'wsrep_ready'")
                return bool(cursor.fetchone()[1] == "ON")
        except MySQLdb.Error:
            return False


class Load:
    """Drivers who sell until they are stopped, each at one of the sites, and at the next one where there is no answer."""

    def __init__(self, sites: list[Site], world: dict[str, Any]) -> None:
        self.sites, self.world = sites, world
        self.tokens = [sites[0].log_in(name) for name in world["drivers"]]
        self.answered: dict[str, int] = {}
        self.statuses: Counter[int] = Counter()
        self.taken: list[float] = []
        self.unexpected: list[bytes] = []

    def run(self, seconds: float, first: list[int]) -> None:
        end = time.monotonic() + seconds
        threads = [
            threading.Thread(target=self._sell, args=(index, first[index % len(first)], end))
            for index in range(len(self.tokens))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _sell(self, index: int, first: int, end: float) -> None:
        places = itertools.cycle([*self.sites[first:], *self.sites[:first]])
        site = next(places)
        item = {"equipment": self.world["equipment"], "type": "SWAP", "quantity": 1}
        while time.monotonic() < end:
            body = {"client_temp_id": str(uuid.uuid4()), "customer": self.world["metered"][index], "items": [item]}
            began = time.monotonic()
            while (answer := self._send(site, body, index)).status in (0, 503):
                self.statuses[answer.status] += 1
                site = next(places)
                time.sleep(0.05)
            self.taken.append(time.monotonic() - began)
            self.statuses[answer.status] += 1
            if answer.status in (200, 201):
                self.answered[body["client_temp_id"]] = answer.json()["transaction"]["id"]
            else:
                self.unexpected.append(answer.content)

    def _send(self, site: Site, body: object, index: int) -> Answer:
        try:
            return site.ask("POST", "transactions/", body, self.tokens[index])
        except BROKEN:
            return Answer(0, b"")


def measure(seconds: float = 10) -> list[Table]:
    say("A cluster of three nodes …")
    table = Table(
        "A Galera cluster of three nodes on loopback, eight drivers",
        ("phase", "sales/s", "p50 ms", "longest ms", "answers"),
    )
    folder = Path(tempfile.mkdtemp(prefix="hsh-cluster-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        nodes: list[Node] = []
        for _ in range(3):
            nodes.append(Node(nodes[0] if nodes else None))
            stack.callback(_stop, nodes[-1])
        sites: list[Site] = []
        for node in nodes:
            own = folder / str(len(sites))
            own.mkdir()
            sites.append(Site(node, own, MEDIA_ROOT=str(folder / "media"), ALLOWED_HOSTS="127.0.0.1", DEBUG="False"))
        sites[0].migrate()
        world = json.loads(sites[0].python("testbed/prepare.py", str(DRIVERS)))
        for site in sites:
            site.start()
            stack.callback(site.stop)
        load = Load(sites, world)
        load.run(3, [0, 1, 2])  # warm-up
        for phase, first, dies in (
            ("all through one node", [0], False),
            ("through all three", [0, 1, 2], False),
            ("all through the first node, which is killed", [0], True),
        ):
            load.taken, load.statuses = [], Counter()
            killer = threading.Timer(seconds / 3, nodes[0].kill) if dies else None
            if killer:
                killer.start()
            load.run(seconds, first)
            answers = ", ".join(f"{status or 'none'}: {count}" for status, count in sorted(load.statuses.items()))
            table.rows.append(
                (phase, len(load.taken) / seconds, median(load.taken) * 1000, max(load.taken) * 1000, answers)
            )
        assert not load.unexpected, load.unexpected[:3]
        there = {sale["client_temp_id"]: sale["id"] for sale in _recorded(sites[1])}
        assert there == load.answered, (len(there), len(load.answered))
        swept = sites[2].manage("sweep_documents", "--older-than", "0").strip()
        verified = sites[2].manage("verify_books").strip().splitlines()[-1]
    table.notes.append(f"{len(there):,} operations, each recorded once. {swept.splitlines()[-1]} {verified}")
    return [table]


def _stop(node: Node) -> None:
    if node.process.poll() is None:
        node.stop()
    else:
        shutil.rmtree(node.folder, ignore_errors=True)


def _recorded(site: Site) -> list[dict[str, Any]]:
    token, sales = site.log_in("boss"), []
    address: str | None = "transactions/?page_size=200"
    while address:
        page = site.ask("GET", address, token=token).json()
        sales += page["results"]
        address = page["next"]
    return sales


def main() -> None:
    parser = argparse.ArgumentParser(description="Three nodes of a Galera cluster, one of which dies under load.")
    parser.add_argument("--seconds", type=float, default=10)
    seconds = parser.parse_args().seconds
    if not os.path.exists(PROVIDER) or not shutil.which("rsync") or not shutil.which("lsof"):
        raise SystemExit("Missing: apt-get install mariadb-server galera-4 rsync lsof")
    print(subprocess.run(["mariadbd", "--version"], capture_output=True, text=True, check=True).stdout.strip(), "\n")
    print(measure(seconds)[0].markdown())


if __name__ == "__main__":
    main()
