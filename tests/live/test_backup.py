"""A backup taken under load, restored elsewhere: by the commands of docs/operations.md."""

import os
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.live.servers import ROOT, Site
from tests.live.test_crashes import Load


def back_up(site: Site, folder: Path) -> None:
    """The database first, the documents after it."""
    if site.database:
        with (folder / "books.sql").open("wb") as file:
            client("mariadb-dump", site, "--single-transaction", "--quick", "--hex-blob", "live", stdout=file)
    else:
        with closing(sqlite3.connect(site.environment["DB_NAME"])) as books:
            books.execute("VACUUM INTO ?", (str(folder / "books.sqlite3"),))
    shutil.copytree(site.environment["MEDIA_ROOT"], folder / "media")


def restore(site: Site, folder: Path) -> None:
    if site.database:
        client("mariadb", site, "--execute", "DROP DATABASE live; CREATE DATABASE live CHARACTER SET utf8mb4")
        with (folder / "books.sql").open("rb") as file:
            client("mariadb", site, "live", stdin=file)
    else:
        for left in Path(site.environment["DB_NAME"]).parent.glob("books.sqlite3*"):
            left.unlink()
        shutil.copy(folder / "books.sqlite3", site.environment["DB_NAME"])
    shutil.rmtree(site.environment["MEDIA_ROOT"])
    shutil.copytree(folder / "media", site.environment["MEDIA_ROOT"])


def client(program: str, site: Site, *arguments: str, **streams: Any) -> None:
    assert site.database is not None
    of = ["--no-defaults", "--host=127.0.0.1", f"--port={site.database.port}", "--user=live"]
    subprocess.run([program, *of, *arguments], check=True, cwd=ROOT, env={**os.environ, "MYSQL_PWD": "live"}, **streams)


def test_a_backup_taken_under_load_is_whole(site: Site, world: dict[str, Any], tmp_path: Path) -> None:
    folder, anchors = tmp_path / "backup", str(tmp_path / "anchors")
    folder.mkdir()
    site.start()
    with Load(site, world) as load:
        time.sleep(1)
        site.manage("seal_audit", "--anchor", anchors)
        back_up(site, folder)
        time.sleep(0.5)
    sold = len(load.answered)
    site.stop()
    restore(site, folder)
    site.manage("migrate", "--verbosity", "0")
    site.manage("sweep_documents", "--older-than", "0")  # of sales that the backup's database doesn't know
    assert "The books verify" in site.manage("verify_books")
    assert "The audit log verifies: 1 seals, 1 anchors" in site.manage("verify_audit", "--anchor", anchors)
    site.start()
    kept = site.ask("GET", "transactions/?page_size=1", token=site.log_in("boss")).json()["count"]
    assert 0 < kept < sold
    # What was lost with the crash is still in the phones' queues: sent again, it is there.
    for index, body in load.sent:
        assert load.send(index, body).status in (200, 201, 409)
    assert "The books verify" in site.manage("verify_books")
