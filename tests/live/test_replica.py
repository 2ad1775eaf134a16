"""Reports from a copy of the database that lags behind; everything else from the database itself."""

import shutil
from pathlib import Path

import pytest

from tests.live.templates import site_from, world_of

pytestmark = pytest.mark.any_engine


def test_reports_read_the_replica_and_nothing_else_does(tmp_path: Path) -> None:
    with site_from("world", tmp_path, mariadb=False) as site:
        world = world_of(site)
        # As it was before the sale: a replica that is late.
        shutil.copy(tmp_path / "books.sqlite3", tmp_path / "copy.sqlite3")
        site.environment["DB_REPLICA_NAME"] = str(tmp_path / "copy.sqlite3")
        site.start()
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
