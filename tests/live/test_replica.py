"""Reports from a copy of the database that lags behind; everything else from the database itself."""

import json
import shutil
from pathlib import Path

from tests.live.servers import Site


def test_reports_read_the_replica_and_nothing_else_does(tmp_path: Path) -> None:
    own = {"DB_ENGINE": "sqlite", "DB_NAME": str(tmp_path / "books.sqlite3")}
    site = Site(None, tmp_path, **own)
    world = json.loads(site.python("tests/live/prepare.py", "1"))
    # As it was before the sale: a replica that is late.
    shutil.copy(tmp_path / "books.sqlite3", tmp_path / "copy.sqlite3")
    site.environment["DB_REPLICA_NAME"] = str(tmp_path / "copy.sqlite3")
    site.start()
    try:
        boss, driver = site.log_in("boss"), site.log_in("driver0")
        customer = world["customers"][0]
        body = {"customer": customer, "items": [{"equipment": world["equipment"], "type": "SALE", "quantity": 1}]}
        assert site.ask("POST", "transactions/", body, driver).status == 201
        assert site.ask("GET", "transactions/", token=boss).json()["count"] == 1
        assert site.ask("GET", "reports/sales-summary/", token=boss).json()["rows"] == []
        assert site.ask("GET", f"customers/{customer}/statement/", token=boss).json()["entries"] == []
        site.stop()
        del site.environment["DB_REPLICA_NAME"]
        site.start()
        assert len(site.ask("GET", "reports/sales-summary/", token=boss).json()["rows"]) == 1
        assert len(site.ask("GET", f"customers/{customer}/statement/", token=boss).json()["entries"]) == 1
    finally:
        site.stop()
