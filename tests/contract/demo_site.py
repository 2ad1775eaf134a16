"""A live site with the demo data: what a newcomer has in front of them after `make run`."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from periods.demo import PASSWORD
from testbed.servers import Site
from tests.live.templates import site_from


@contextmanager
def demo_site() -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="hsh-demo-"))
    try:
        with site_from("demo", folder, DEBUG="True", EMAIL_FILE_PATH=str(folder / "mail")) as site:
            site.start()
            yield site
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def demo_token(site: Site, username: str) -> str:
    answer = site.ask("POST", "token/", {"username": username, "password": PASSWORD})
    token: str = answer.json()["access"]
    return token
