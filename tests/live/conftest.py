"""A live site on the engine that the tests run on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.servers import Site
from tests.live.templates import site_from, world_of
from tests.types import Json


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_from("world", tmp_path / "site") as site:
        yield site


@pytest.fixture
def world(site: Site) -> Json:
    """Ids of what the database holds; see testbed/prepare.py."""
    return world_of(site)
