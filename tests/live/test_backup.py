"""A backup taken under load, restored elsewhere: by the scripts that docs/operations.md names."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from testbed.servers import ROOT, Site
from tests.live.test_crashes import Load
from tests.types import Json


def script(site: Site, name: str, folder: Path, *, succeeds: bool = True) -> str:
    done = subprocess.run(
        ["sh", f"scripts/{name}.sh", str(folder)],
        cwd=ROOT,
        env=site.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is succeeds, done.stdout + done.stderr
    return done.stdout + done.stderr


def lose_everything(site: Site) -> None:
    """The disk is gone."""
    if site.database:
        server = ["mariadb", "--no-defaults", "--host=127.0.0.1", f"--port={site.database.port}", "--user=live"]
        anew = "DROP DATABASE live; CREATE DATABASE live CHARACTER SET utf8mb4"
        subprocess.run([*server, "--execute", anew], check=True, env={**os.environ, "MYSQL_PWD": "live"})
    else:
        for left in Path(site.environment["DB_NAME"]).parent.glob("books.sqlite3*"):
            left.unlink()
    shutil.rmtree(site.environment["MEDIA_ROOT"], ignore_errors=True)


def test_a_backup_taken_under_load_is_whole(site: Site, world: Json, tmp_path: Path) -> None:
    folder, anchors = tmp_path / "backup", str(tmp_path / "anchors")
    site.start()
    with Load(site, world) as load:
        time.sleep(1)
        site.manage("seal_audit", "--anchor", anchors)
        script(site, "backup", folder)
        time.sleep(0.5)
    sold = len(load.answered)
    site.stop()
    assert "is not empty" in script(site, "backup", folder, succeeds=False)
    assert "nothing was changed" in script(site, "restore", folder, succeeds=False)
    lose_everything(site)
    assert "The books verify" in script(site, "restore", folder)
    assert "The audit log verifies: 1 seals, 1 anchors" in site.manage("verify_audit", "--anchor", anchors)
    site.start()
    kept = site.ask("GET", "transactions/?page_size=1", token=site.log_in("boss")).json()["count"]
    assert 0 < kept < sold
    # What was lost with the crash is still in the phones' queues: sent again, it is there.
    for index, body in load.sent:
        assert load.send(index, body).status in (200, 201, 409)
    assert "The books verify" in site.manage("verify_books")


def test_a_backup_that_was_altered_is_not_restored(site: Site, world: Json, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    script(site, "backup", folder)
    lose_everything(site)
    [books] = folder.glob("books.*")
    books.write_bytes(books.read_bytes()[:-100])
    assert "nothing was changed" in script(site, "restore", folder, succeeds=False)
