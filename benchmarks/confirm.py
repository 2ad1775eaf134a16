"""What confirming a distribution costs over HTTP: `python -m benchmarks.confirm [--rounds 200]`.

Twenty cylinders out of the depot and one back; drafts are made beforehand and their making isn't timed. The floor is
the same SQL by hand, turn and turn about.
"""

import argparse
import json
from functools import partial

from benchmarks.by_hand import ByHand, last, moved_by
from benchmarks.harness import Client, Table, a_site, engine, median, milliseconds, say
from testbed.servers import Site


def measure(rounds: int = 200) -> list[Table]:
    say(f"{engine()}: confirming distributions …")
    with a_site() as (site, world):
        client, again = Client(site, world["drivers"][0]), None
        taken: list[float] = []
        floor: list[float] = []
        items = [{"equipment": world["equipment"], "condition": "FULL"} | way
                 for way in ({"direction": "OUT", "quantity": 20}, {"direction": "IN", "quantity": 1})]  # fmt: skip
        draft = json.dumps({"depot": world["depot"], "items": items})
        for turn in range(rounds + 20):
            status, made = client.ask("POST", "/api/distributions/", draft)
            assert status == 201, made
            address = f"/api/distributions/{json.loads(made)['id']}/confirm/"
            spent = milliseconds(partial(_confirm, client, address), 1)
            again = again or by_hand(site)
            spent_by_hand = milliseconds(again.run, 1)
            if turn >= 20:
                taken.append(spent)
                floor.append(spent_by_hand)
    table = Table(f"{engine()}: confirming a distribution", ("p50 ms", "SQL by hand ms", "÷ that"))
    table.rows.append((median(taken), median(floor), median(taken) / median(floor)))
    return [table]


def _confirm(client: Client, address: str) -> None:
    status, content = client.ask("POST", address)
    assert status == 200, content


def by_hand(site: Site) -> ByHand:
    document = "distribution_distribution"
    return ByHand(
        site,
        (("inventory_stockmovement", moved_by(document)), ("audit_auditlog", last("audit_auditlog"))),
        f"SELECT * FROM {document} WHERE id = 1",
        ("SELECT * FROM distribution_distributionitem WHERE distribution_id = 1",),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="What confirming a distribution costs over HTTP.")
    parser.add_argument("--rounds", type=int, default=200)
    print(measure(parser.parse_args().rounds)[0].markdown())


if __name__ == "__main__":
    main()
