"""What an upgrade keeps: the books of every earlier release, migrated by the present code and asked a year later.

A release's dump is made once, by `make_dump`, and never changed. A process of its own migrates it and asks everything
(`ask`); the tests look at what it was answered.
"""

import json
import os
import re
import secrets
import subprocess
import sys
import tarfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from testbed.servers import ROOT, on_mariadb
from tests.types import Json

RELEASES = sorted(file.parent for file in Path(__file__).parent.glob("*/operations.json"))

# One of the workers asks, and has all the tests.
pytestmark = pytest.mark.xdist_group("upgrade")


@pytest.fixture(scope="module", params=RELEASES, ids=lambda release: release.name)
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Json:
    """The answers of `ask` to the dump of one release, on the engine that the tests run on."""
    folder = tmp_path_factory.mktemp("upgrade")
    unpack(request.param, "mysql" if on_mariadb() else "sqlite", folder)
    if on_mariadb():
        name = f"test_upgrade_{secrets.token_hex(6)}"
        mariadb("--execute", f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            with (folder / "books").open() as books:
                mariadb(name, stdin=books)
            ask(folder, DB_NAME=name)
        finally:
            mariadb("--execute", f"DROP DATABASE {name}")
    else:
        ask(folder, DB_NAME=str(folder / "books"))
    answers: Json = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    return answers


def unpack(release: Path, engine: str, folder: Path) -> None:
    (folder / "operations.json").write_bytes((release / "operations.json").read_bytes())
    with tarfile.open(release / f"{engine}.tar.xz") as files:
        files.extractall(folder, filter="data")
    own = json.loads((folder / "own.json").read_text(encoding="utf-8"))
    with tarfile.open(release / "documents.tar.xz") as files:
        documents: Json = {entry.name: files.extractfile(entry) for entry in files}
        for path, sha256 in own["documents"].items():
            target = folder / "media" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            documents[sha256].seek(0)
            target.write_bytes(documents[sha256].read())


def ask(folder: Path, **database: str) -> None:
    environment = {
        **os.environ,
        **database,
        "DB_ENGINE": "mysql" if on_mariadb() else "sqlite",
        "DJANGO_SETTINGS_MODULE": "core.settings",
        "DEBUG": "True",
        "ALLOWED_HOSTS": "testserver",
        "SECURE_SSL_REDIRECT": "False",
        "MEDIA_ROOT": str(folder / "media"),
        "EMAIL_FILE_PATH": str(folder / "mail"),
    }
    program = [sys.executable, "-m", "tests.upgrade.ask", str(folder)]
    done = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def mariadb(*arguments: str, stdin: Any = None) -> None:
    server = settings.DATABASES["default"]
    options = ["--no-defaults", "--skip-ssl-verify-server-cert"]
    options += [f"--host={server['HOST']}", f"--port={server['PORT']}", f"--user={server['USER']}"]
    password = {**os.environ, "MYSQL_PWD": server["PASSWORD"]}
    subprocess.run(["mariadb", *options, *arguments], check=True, stdin=stdin, env=password)


def differing(pairs: list[Any]) -> list[Any]:
    return [(wanted, found) for wanted, found in pairs if wanted != found]


def test_the_books_and_the_audit_log_verify(upgraded: Json) -> None:
    for books, audit in (("books", "audit"), ("books_later", "audit_later")):
        assert re.match(r"The books verify: \d+ checks\.$", upgraded[books]), upgraded[books]
        assert "verifies: 2 seals, 2 anchors, " in upgraded[audit], upgraded[audit]


def test_migrations_leave_the_evidence_as_it_was_written(upgraded: Json) -> None:
    before, after = upgraded["evidence"]
    assert after == before


def test_it_is_ready_and_people_can_log_in(upgraded: Json) -> None:
    assert upgraded["ready"]["status"] == "ok", upgraded["ready"]
    assert upgraded["log_in"] == 200


def test_each_number_is_a_vehicle_and_each_driver_s_one_theirs_from_the_beginning(upgraded: Json) -> None:
    for then, now in (upgraded["fleet"]["vehicles"], upgraded["fleet"]["assignments"]):
        assert now == then
        assert len(now) > 2
    assert {*upgraded["fleet"]["begin"]} == {None}


def test_each_price_that_there_was_is_told(upgraded: Json) -> None:
    then, now = upgraded["prices"]
    assert now == then
    assert max(map(len, then.values()), default=2) == 2


def test_what_has_a_name_is_found_by_it(upgraded: Json) -> None:
    assert [row for row, found in upgraded["searched"] if row not in found] == []
    assert {row.split()[0] for row, _ in upgraded["searched"]} == {"customers", "depots", "equipment", "accounts/users"}


def test_every_document_comes_with_the_same_bytes(upgraded: Json) -> None:
    assert differing(upgraded["documents"]) == []
    assert len(upgraded["documents"]) > 50


def test_whatever_is_named_has_its_page_in_the_office(upgraded: Json) -> None:
    """By evidence, by stock movements, by conflicts."""
    assert [way for way in upgraded["ways"] if way[1]] == []
    assert len(upgraded["ways"]) > 300


def test_an_operation_that_comes_again_is_answered_as_before(upgraded: Json) -> None:
    assert differing(upgraded["again"]) == []
    assert len(upgraded["again"]) > 30


def test_an_operation_that_comes_again_happens_no_second_time(upgraded: Json) -> None:
    before, after = upgraded["counts"]
    assert after == before


def test_a_phone_is_told_what_it_missed(upgraded: Json) -> None:
    told, tells = upgraded["missed"]
    assert tells == told


def test_the_work_goes_on(upgraded: Json) -> None:
    """Conflicts are retried and dismissed, drafts confirmed, counts signed off, sales voided, payments reversed: it
    comes to the same stock and the same debts as it did with the release itself, but for what that let happen
    twice."""
    other = Counter(
        (now["path"].split("/")[-2], (then["status"], *then["codes"]), (now["status"], *now["codes"]))
        for then, now in differing(upgraded["later"])
    )
    assert other == {
        # After 0.1.0 the retry of what can't be read is refused with the reason's own code.
        ("retry", (400, "invalid"), (400, "unknown_type")): 1,
        ("retry", (400, "invalid"), (400, "blank")): 1,
        # An id that another sale has is no other sale's: 0.1.0 let it happen all the same.
        ("retry", (200,), (409, "belongs_to_another")): 2,
        ("dismiss", (409, "already_settled"), (200,)): 2,
    }
    told, found = upgraded["afterwards"]
    less = {
        key: Decimal(found[of].get(key, 0)) - Decimal(told[of][key])
        for of in told
        for key in told[of]
        if found[of].get(key) != told[of][key]
    }
    assert less == {
        "Pasir Panjang Seafood Village": Decimal("-288.85"),  # two swaps of 50 kg
        # And 40 that were sold before the vehicle was counted, and let happen afterwards: they were counted already.
        "VEHICLE None None GBL5678B CYL-50-POL FULL": 2 + 40,
        "VEHICLE None None GBL5678B CYL-50-POL EMPTY": -2,
        "OUTSIDE None None  CYL-50-POL FULL": -40,
        # As was a swap of long ago.
        "VEHICLE None None GBL5678B CYL-14-POL FULL": 1,
        "VEHICLE None None GBL5678B CYL-14-POL EMPTY": -1,
        "OUTSIDE None None  CYL-14-POL FULL": -1,
        "Mei Fong Dim Sum 美芳点心": Decimal("-38.15"),  # one of 12.7 kg
        "VEHICLE None None GBL5678B CYL-12.7-POL FULL": 1,
        "VEHICLE None None GBL5678B CYL-12.7-POL EMPTY": -1,
    }
    statuses = Counter(sent["path"].split("/")[-2] for sent, _ in upgraded["later"] if sent["status"] < 300)
    assert statuses["retry"] > 1
    assert statuses["dismiss"] > 1


def test_an_app_learns_that_its_refused_operation_was_let_happen(upgraded: Json) -> None:
    changed = differing(upgraded["again_later"])
    retried = [now for _, now in upgraded["later"] if now["path"].endswith("/retry/") and now["status"] == 200]
    results = [
        (wanted["status"], found["status"])
        for refused, happened in changed
        for wanted, found in zip(*(it["said"].get("results", [it]) for it in (refused, happened)), strict=True)
        if wanted != found
    ]
    # One of them was posted as well, by itself.
    assert Counter(results) == {("rejected", "duplicate"): len(retried), (409, 200): 1}


def test_every_email_goes_out_once(upgraded: Json) -> None:
    before, worked, *_, last = upgraded["emails"]
    queued = {pk for pk, status in before.items() if status == "QUEUED"}
    sending = {pk for pk, status in before.items() if status == "SENDING"}
    assert len(queued) > 3
    assert len(sending) == 1
    assert worked == {**before, **dict.fromkeys(queued, "SENT")}
    assert last == {**worked, **dict.fromkeys(sending, "UNCERTAIN")}
    assert upgraded["arrived"] == dict.fromkeys(queued, 1)


def test_what_is_lost_would_be_noticed(upgraded: Json) -> None:
    """The answers to the same questions after an audit record was slipped in, a document and an operation altered."""
    damaged = upgraded["with_damage"]
    before, after = damaged["evidence"]
    assert after != before
    assert [problem for _, problem in damaged["ways"]] == ["no link"]
    assert [found["status"] for _, found in differing(damaged["again"])] == [409]
    assert len(differing(damaged["documents"])) == 1
    assert "The books do not verify" in damaged["books"]
