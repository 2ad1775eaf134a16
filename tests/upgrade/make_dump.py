"""Makes the dump of a release that `test_upgrade` migrates ever after: the books, the documents, what was asked of them.

    . scripts/test-environment.sh
    .venv/bin/python -m tests.upgrade.make_dump 2026-11-25

in a checkout of the release that is set up for MariaDB too (``DB_ENGINE=mysql sh scripts/setup.sh requirements-dev.txt``;
`make test-mysql` installs MariaDB's programs). A site on SQLite and one on a private MariaDB server load the demo data
on the evening before that day and work through it by the HTTP API (`work`), at a clock of their own. Then the dump is
taken, and only then the site is asked what later releases will be asked, so that its answers are kept and the dump
isn't changed by them. What is made lies in tests/upgrade/VERSION:

operations.json     what was sent and answered, a line each, and how it is answered ``again``; the ``later`` requests of
                    the next morning, and the figures ``afterwards``; what a phone ``missed`` since it pulled
documents.tar.xz    the PDFs, each under its SHA-256: the engines have the same
sqlite.tar.xz       the database file, the anchors of the audit log; ``own.json``: paths of documents, a phone's cursor
mysql.tar.xz        the same with what mariadb-dump says, the guards included and their owner left out
"""

import hashlib
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings

from testbed.servers import MariaDB, Site
from tests.types import Json
from tests.upgrade.day import Day, codes, essence, figures, pulled
from tests.upgrade.work import next_morning, work

HERE = Path(__file__).resolve().parent
OWNER = re.compile(rb"/\*!50017 DEFINER=\S+ | DEFINER=\S+")


@dataclass(frozen=True, slots=True)
class Dump:
    """``documents`` by their SHA-256; ``told`` is operations.json."""

    files: dict[str, bytes]
    documents: dict[str, bytes]
    told: str


def main(date: str) -> None:
    release = HERE / settings.VERSION
    release.mkdir(exist_ok=True)
    dumps = {"sqlite": dump_of(None, date)}
    server = MariaDB()
    try:
        dumps["mysql"] = dump_of(server, date)
    finally:
        server.stop()
    first, second = dumps.values()
    assert first.told == second.told, "The two engines answered differently."
    (release / "operations.json").write_text(first.told, encoding="utf-8")
    pack(release / "documents.tar.xz", first.documents | second.documents)
    for engine, dump in dumps.items():
        pack(release / f"{engine}.tar.xz", dump.files)
    size = sum(file.stat().st_size for file in release.iterdir())
    print(f"{release}: {size:,} bytes.")  # noqa: T201 -- a program


def dump_of(server: MariaDB | None, date: str) -> Dump:
    with TemporaryDirectory(prefix="hsh-dump-") as folder:
        # One log-in lasts the whole day.
        site = Site(server, Path(folder), DEBUG="True", JWT_ACCESS_MINUTES="1440")
        day = Day(site, date)
        evening_before = datetime.fromisoformat(day.moment("18:00")) - timedelta(days=1)
        site.python("-m", "tests.upgrade.frozen", evening_before.isoformat(), "seed_demo")
        site.start("tests.upgrade.frozen:application")
        day.mail_server.start()
        try:
            left = work(day)
            media = Path(site.environment["MEDIA_ROOT"])
            paths = {file.relative_to(media).as_posix(): file.read_bytes() for file in media.rglob("*.pdf")}
            hashes = {path: hashlib.sha256(pdf).hexdigest() for path, pdf in sorted(paths.items())}
            own = {"cursor": left["cursor"], "documents": hashes}
            files = {
                "books": books_of(site),
                "anchors": (site.folder / "anchors").read_bytes(),
                "own.json": json.dumps(own, indent=0).encode(),
            }
            return Dump(files, {hashes[path]: pdf for path, pdf in paths.items()}, asked_on(day, left))
        finally:
            day.mail_server.stop()
            site.stop()


def books_of(site: Site) -> bytes:
    if site.database is None:
        copy = site.folder / "copy"
        with closing(sqlite3.connect(site.environment["DB_NAME"])) as books:
            books.execute("VACUUM INTO ?", (str(copy),))
        return copy.read_bytes()
    done = subprocess.run(
        ["mariadb-dump", "--no-defaults", "--host=127.0.0.1", f"--port={site.database.port}", "--user=live", "--routines",
         "--single-transaction", "--hex-blob", "--no-tablespaces", "--skip-dump-date", "live"],
        check=True, capture_output=True, env={**os.environ, "MYSQL_PWD": "live"},
    )  # fmt: skip
    return OWNER.sub(b"", done.stdout)


def asked_on(day: Day, left: Json) -> str:
    """What a phone missed, everything once more, and the next morning's work: the release's own answers."""
    day.clock = "20:00"
    missed = day.ask("driver1", "GET", f"sync/pull/?cursor={left['cursor']}").json()
    for sent in day.operations:
        if sent["is_repeatable"]:
            answer = day.ask(sent["user"], sent["method"], sent["path"], sent["body"])
            sent["again"] = {"status": answer.status, "said": essence(answer.json())}
    open_ones = day.ask("admin", "GET", "sync/conflicts/?status=OPEN&ordering=id&page_size=100").json()["results"]
    left["conflicts"] = [conflict["id"] for conflict in open_ones]
    later = []
    for user, path, body in next_morning(left):
        answer = day.ask(user, "POST", path, body)
        told = {"status": answer.status, "codes": codes(answer.status, answer.json())}
        later.append({"user": user, "path": path, "body": body, **told})
    afterwards = figures(lambda path: day.ask("admin", "GET", path).json())
    first = {"day": day.date, "missed": pulled(missed), "afterwards": afterwards}
    parts = [f'"{name}": {json.dumps(value)}' for name, value in first.items()]
    for name, rows in ("operations", day.operations), ("later", later):
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        parts.append(f'"{name}": [\n{lines}\n]')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def pack(archive: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(archive, "w:xz", preset=9) as tar:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")
    main(sys.argv[1])
