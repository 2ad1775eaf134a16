"""A live site on the engine that the tests run on."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.servers import MariaDB, Site, on_mariadb

DRIVERS = 6


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    database = MariaDB() if on_mariadb() else None
    site = Site(database, tmp_path)
    try:
        yield site
    finally:
        site.stop()
        if database:
            database.stop()


@pytest.fixture
def world(site: Site) -> dict[str, Any]:
    """Ids of what the database holds; see prepare.py."""
    made: dict[str, Any] = json.loads(site.python("tests/live/prepare.py", str(DRIVERS)))
    return made
