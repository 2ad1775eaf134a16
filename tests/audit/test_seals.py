"""Sealed records: whatever is done to them behind the database's back is found and named."""

import json
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from audit import seals
from audit.models import AuditLog, AuditSeal
from audit.services import record
from foundation.errors import Busy
from foundation.ledger import guards
from tests.concurrency.races import Threads, at_once
from tests.factories import DepotFactory
from tests.types import Json

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _small_and_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "BATCH", 4)
    monkeypatch.setattr(seals, "SETTLING_SECONDS", 0.05)


def write(count: int) -> list[int]:
    depot = DepotFactory()
    with transaction.atomic():
        return [
            record(
                actor=None, action="depots.depot.counted", target=depot,
                before={"quantity": n}, after={"quantity": n + 1, "of": "Zürich"}, reason=f"Count {n}",
            ).pk
            for n in range(count)
        ]  # fmt: skip


@pytest.fixture
def records() -> list[int]:
    """Ten sealed records in three seals."""
    ids = write(10)
    assert seals.seal_all() == 10
    assert [seal.size for seal in AuditSeal.objects.order_by("number")] == [4, 4, 2]
    return ids


def call(command: str, *args: Any) -> str:
    out = StringIO()
    try:
        call_command(command, *args, stdout=out)
    except CommandError as error:
        out.write(f"CommandError: {error}")
    return out.getvalue()


def sql(statement: str, *parameters: int | str | bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def test_untouched_records_verify(records: list[int]) -> None:
    write(3)
    assert call("verify_audit") == "The audit log verifies: 3 seals, 0 anchors, 3 records open.\n"
    assert call("seal_audit") == "3 records sealed.\n"
    assert call("seal_audit") == "0 records sealed.\n"
    assert call("verify_audit") == "The audit log verifies: 4 seals, 0 anchors, 0 records open.\n"


def test_an_empty_log_has_nothing_to_seal() -> None:
    assert call("seal_audit") == "0 records sealed.\n"
    assert call("verify_audit").startswith("The audit log verifies: 0 seals")


def test_ids_that_were_never_committed_break_nothing() -> None:
    write(2)
    with transaction.atomic():
        record(actor=None, action="x.y.z", target=DepotFactory())
        transaction.set_rollback(True)
    write(2)
    assert seals.seal_all() == 4
    assert list(seals.breaks()) == []


COLUMNS: dict[str, int | str] = {
    "at": "2020-01-01 00:00:00",
    "date": "2020-01-01",
    "action": "depots.depot.Counted",
    "entity_type": "depots.Depot",
    "entity_id": 999,
    "before": '{"quantity": 77}',
    "after": '{"Quantity": 1}',
    "reason": "count 0",
    "ip_address": "203.0.113.9",
    "request_id": "another",
}


@pytest.mark.parametrize("position", [0, 3, 4, 9], ids=["first", "last of a seal", "first of a seal", "last"])
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.usefixtures("unguarded")
def test_an_altered_record_is_named(records: list[int], column: str, position: int) -> None:
    sql(
        f"UPDATE audit_auditlog SET {connection.ops.quote_name(column)} = %s WHERE id = %s",
        COLUMNS[column],
        records[position],
    )
    output = call("verify_audit")
    assert f"audit record {records[position]} was altered" in output
    assert output.count("audit record") == 1
    assert "CommandError" in output


@pytest.mark.parametrize("position", [0, 3, 4, 9])
@pytest.mark.usefixtures("unguarded")
def test_a_removed_record_is_named(records: list[int], position: int) -> None:
    sql("DELETE FROM audit_auditlog WHERE id = %s", records[position])
    assert f"audit record {records[position]} was removed" in call("verify_audit")


def test_a_record_slipped_in_is_named(records: list[int]) -> None:
    """Before the first one, and into a gap that a rollback left: no guard stops an INSERT."""
    copy = AuditLog.objects.get(pk=records[0])
    for number in (records[0] - 1, -5):
        copy.pk, copy._state.adding = number, True
        copy.save()
        assert f"audit record {number} was slipped in" in call("verify_audit")


@pytest.mark.usefixtures("unguarded")
def test_two_records_that_changed_places_are_found(records: list[int]) -> None:
    first, second = records[5], records[6]
    for from_id, to_id in ((first, -1), (second, first), (-1, second)):
        sql("UPDATE audit_auditlog SET id = %s WHERE id = %s", to_id, from_id)
    assert f"audit record {first} was altered" in call("verify_audit")


@pytest.mark.usefixtures("unguarded")
def test_any_tampering_is_found_and_the_first_of_each_seal_named(records: list[int]) -> None:
    """200 random ones: one to three records altered or removed, each taken back afterwards."""
    chance = random.Random(7)
    rows = {row["id"]: row for row in AuditLog.objects.values()}
    for _ in range(200):
        hit = chance.sample(records, chance.randint(1, 3))
        for number in hit:
            if chance.random() < 0.5:
                sql("DELETE FROM audit_auditlog WHERE id = %s", number)
            else:
                sql("UPDATE audit_auditlog SET entity_id = entity_id + 1 WHERE id = %s", number)
        firsts = {
            min(n for n in hit if records.index(n) // 4 == batch) for batch in {records.index(n) // 4 for n in hit}
        }
        found = list(seals.breaks())
        assert {int(text.split()[2]) for text in found} == firsts
        sql(f"DELETE FROM audit_auditlog WHERE id IN ({', '.join(map(str, hit))})")
        AuditLog.objects.bulk_create([AuditLog(**rows[number]) for number in hit])
    assert list(seals.breaks()) == []


@pytest.mark.usefixtures("unguarded")
class TestTamperedSeals:
    @pytest.mark.parametrize(
        ("column", "value"),
        [("root", "0" * 64), ("hash", "1" * 64), ("size", 3), ("first_id", 1), ("sealed_at", "2020-01-01 00:00:00")],
    )
    def test_an_altered_seal_is_named(self, records: list[int], column: str, value: int | str) -> None:
        if column == "first_id":
            value = records[0]
        sql(f"UPDATE audit_auditseal SET {column} = %s WHERE number = 2", value)
        assert "seal 2" in call("verify_audit")

    def test_altered_leaves_are_found(self, records: list[int]) -> None:
        seal = AuditSeal.objects.get(number=2)
        sql("UPDATE audit_auditseal SET leaves = %s WHERE number = 2", bytes(seal.leaves)[:-1] + b"\x00")
        assert "seal 2 was altered" in call("verify_audit")

    def test_leaves_that_are_those_of_an_altered_record_are_found(self, records: list[int]) -> None:
        sql("UPDATE audit_auditlog SET reason = 'forged' WHERE id = %s", records[4])
        first, *later = reseal(2)
        first.leaves = AuditSeal.objects.get(number=2).leaves
        sql("DELETE FROM audit_auditseal WHERE number >= 2")
        AuditSeal.objects.bulk_create([first, *later])
        assert "seal 2 was altered" in call("verify_audit")

    def test_a_removed_seal_is_missed(self, records: list[int]) -> None:
        sql("DELETE FROM audit_auditseal WHERE number = 2")
        assert "seal 2 is missing" in call("verify_audit")

    def test_a_record_altered_with_its_own_seal_breaks_the_chain(self, records: list[int]) -> None:
        sql("UPDATE audit_auditlog SET reason = 'forged' WHERE id = %s", records[4])
        last = reseal(2)[-1]
        sql("DELETE FROM audit_auditseal WHERE number = 3")
        AuditSeal.objects.bulk_create([last])
        assert "seal 3 doesn't follow seal 2" in call("verify_audit")


def reseal(number: int) -> list[AuditSeal]:
    """Make this seal and all later ones anew, over what stands there now; answers those that it replaced."""
    replaced = list(AuditSeal.objects.filter(number__gte=number).order_by("number"))
    sql("DELETE FROM audit_auditseal WHERE number >= %s", number)
    for seal in replaced:
        seals.seal_next_batch(through=seal.last_id)
    return replaced


class TestAnchors:
    @pytest.fixture
    def anchor(self, tmp_path: Path) -> Path:
        return tmp_path / "anchors"

    def test_an_anchor_is_written_once_and_checked_again(self, records: list[int], anchor: Path) -> None:
        assert "1 anchors" not in call("verify_audit", "--anchor", anchor)
        assert "3 seals, 1 anchors" in call("verify_audit", "--anchor", anchor)
        write(1)
        assert "Seal 4 is anchored" in call("seal_audit", "--anchor", anchor)
        assert [json.loads(line)["number"] for line in anchor.read_text().splitlines()] == [3, 4]
        assert "4 seals, 2 anchors" in call("verify_audit", "--anchor", anchor)

    def test_a_chain_made_anew_as_a_whole_is_found(self, records: list[int], anchor: Path) -> None:
        call("verify_audit", "--anchor", anchor)
        guards.remove()
        sql("UPDATE audit_auditlog SET reason = 'forged' WHERE id = %s", records[1])
        reseal(1)
        guards.install()
        assert "verifies" in call("verify_audit")  # nothing inside the database shows it
        output = call("verify_audit", "--anchor", anchor)
        assert "seal 3 was made anew" in output
        assert "CommandError" in output
        assert "CommandError" in call("seal_audit", "--anchor", anchor)

    def test_an_end_that_was_cut_off_is_found(self, records: list[int], anchor: Path) -> None:
        call("verify_audit", "--anchor", anchor)
        guards.remove()
        sql("DELETE FROM audit_auditlog WHERE id >= %s", records[8])
        sql("DELETE FROM audit_auditseal WHERE number = 3")
        assert "seal 3 is anchored" in call("verify_audit", "--anchor", anchor)

    def test_a_file_that_is_no_anchor_is_refused(self, records: list[int], anchor: Path) -> None:
        anchor.write_text("hello\n")
        assert "can't be read as anchors" in call("verify_audit", "--anchor", anchor)


class TestProofs:
    @pytest.fixture
    def anchor(self, tmp_path: Path) -> Path:
        return tmp_path / "anchors"

    def test_every_sealed_record_can_be_proven_without_the_database(
        self, records: list[int], tmp_path: Path, anchor: Path, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        call("seal_audit", "--anchor", anchor)
        for number in records:
            proof = tmp_path / "proof.json"
            proof.write_text(call("audit_proof", number))
            with django_assert_num_queries(0):
                assert "The record stands in seal" in call("audit_proof", "--check", proof)
                assert "anchored with seal 3" in call("audit_proof", "--check", proof, "--anchor", anchor)

    @pytest.mark.parametrize(
        "change",
        [
            lambda proof: proof["record"].update(reason="forged"),
            lambda proof: proof.update(index=proof["index"] + 1),
            lambda proof: proof["path"].reverse(),
            lambda proof: proof["path"].pop(),
            lambda proof: proof["seals"][0].update(root="0" * 64),
            lambda proof: proof["seals"][0].update(sealed_at="2020-01-01T00:00:00.000000+00:00"),
            lambda proof: proof["seals"].pop(1),
            lambda proof: proof.pop("path"),
            lambda proof: proof["seals"][0].pop("size"),
            lambda proof: proof.update(seals=[]),
        ],
    )
    def test_a_forged_proof_does_not_hold(
        self, records: list[int], tmp_path: Path, change: Callable[[Json], object]
    ) -> None:
        proof = json.loads(call("audit_proof", records[1]))
        change(proof)
        path = tmp_path / "proof.json"
        path.write_text(json.dumps(proof))
        assert "The proof does not hold" in call("audit_proof", "--check", path)

    def test_a_proof_under_another_chain_is_not_anchored(
        self, records: list[int], tmp_path: Path, anchor: Path
    ) -> None:
        path = tmp_path / "proof.json"
        path.write_text(call("audit_proof", records[9]))
        anchor.write_text(json.dumps({"number": 3, "hash": "0" * 64}) + "\n")
        assert "is not the one" in call("audit_proof", "--check", path, "--anchor", anchor)
        anchor.write_text(json.dumps({"number": 1, "hash": "0" * 64}) + "\n")
        assert "anchors none" in call("audit_proof", "--check", path, "--anchor", anchor)

    def test_what_is_not_sealed_can_not_be_proven(self, records: list[int]) -> None:
        [new] = write(1)
        assert "not sealed yet" in call("audit_proof", new)
        assert "There is no audit record" in call("audit_proof", 10**9)


def test_hashes_are_the_same_on_every_database() -> None:
    """Those of a record and a seal written down here, so that no change of the construction goes unnoticed."""
    moment = datetime(2026, 1, 20, 2, 0, 0, 120_000, tzinfo=UTC)
    AuditLog.objects.create(
        id=7, at=moment, date=moment.date(), action="depots.depot.counted", entity_type="depots.depot", entity_id=3,
        before=None, after={"b": "Zürich", "a": [1, True, None]}, reason="é", ip_address="203.0.113.9", request_id="r-1",
    )  # fmt: skip
    [leaf] = map(seals._leaf, seals._rows())
    text = (
        b'{"action":"depots.depot.counted","after":{"a":[1,true,null],"b":"Z\\u00fcrich"},'
        b'"at":"2026-01-20T02:00:00.120000+00:00","before":null,"date":"2026-01-20","entity_id":3,'
        b'"entity_type":"depots.depot","id":7,"ip_address":"203.0.113.9","reason":"\\u00e9","request_id":"r-1",'
        b'"user_id":null}'
    )
    assert leaf == (7, sha256(b"\x00" + text).digest())
    header = seals.Header(
        number=1, first_id=7, last_id=7, size=1, root="ab" * 32, previous=seals.GENESIS, sealed_at=seals._moment(moment)
    )
    assert (
        header.hash
        == sha256(
            b'{"first_id":7,"last_id":7,"number":1,"previous":"' + b"0" * 64 + b'","root":"' + b"ab" * 32 + b'",'
            b'"sealed_at":"2026-01-20T02:00:00.120000+00:00","size":1}'
        ).hexdigest()
    )


def test_sealing_beside_writers_skips_nothing() -> None:
    """Eight writers, a third of them rolling back, some slow to commit, and two sealers at once."""
    depot = DepotFactory()

    def writer(index: int) -> None:
        chance = random.Random(index)
        for _ in range(12):
            with suppress(ValueError), transaction.atomic():
                record(actor=None, action="depots.depot.counted", target=depot, reason="race")
                time.sleep(chance.random() * 0.03)
                if chance.random() < 0.33:
                    raise ValueError

    def sealer(over: threading.Event) -> None:
        while not over.is_set():
            with suppress(Busy):  # on a crowded machine; the next one seals what this one left
                seals.seal_all()

    with Threads() as beside:
        for _ in range(2):
            beside.start(sealer, beside.over)
        at_once(writer, 8)
    seals.seal_all()
    assert list(seals.breaks()) == []
    assert seals.unsealed() == 0
    assert sum(AuditSeal.objects.values_list("size", flat=True)) == AuditLog.objects.count()
