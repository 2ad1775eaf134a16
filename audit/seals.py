"""Sealing the audit log, so that what is changed behind the database's back is found.

A seal closes a batch of records. It keeps their Merkle root and the hash of the seal before it, so that the
latest seal's hash vouches for every sealed record. Written down outside the database (an anchor), it holds
even against somebody who may write anything inside.

Sealing only reads audit records. It waits for writers that are under way; nobody waits for it.
"""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from typing import Any

from django.db import IntegrityError, connection
from django.db.models import Max, QuerySet, TextField
from django.db.models.functions import Cast

from audit import locks
from audit.merkle import inclusion_path, leaf_hash, root_of_path, tree_root
from audit.models import AuditLog, AuditSeal
from foundation import clock
from foundation.commands import TryAgain, command
from foundation.observability.metrics import gauge

BATCH = 1_000
"""Records in a seal at most: what is hashed in one transaction, and kept per seal at 40 bytes each."""
SETTLING_SECONDS = 1.0
"""A database gives out a row's id before the row is there: so long may that take."""
GENESIS = "0" * 64

_ID_BYTES = 8
_LEAF_BYTES = _ID_BYTES + 32
_PLAIN_COLUMNS = (
    "id", "at", "date", "action", "entity_type", "entity_id", "user_id", "reason", "ip_address", "request_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """What a seal's hash covers."""

    number: int
    first_id: int
    last_id: int
    size: int
    root: str
    previous: str
    sealed_at: str

    @property
    def hash(self) -> str:
        return sha256(_canonical(asdict(self))).hexdigest()


def seal_all() -> int:
    """Seal every record that is there now, batch by batch; answers how many.

    Safe beside writers and beside another sealing.
    """
    newest = AuditLog.objects.aggregate(id=Max("id"))["id"]
    if newest is None:
        return 0
    if connection.vendor != "sqlite":  # one writer: ids and commits have one order
        time.sleep(SETTLING_SECONDS)
    sealed = 0
    while seal := seal_next_batch(through=newest):
        sealed += seal.size
    return sealed


@command
def seal_next_batch(*, through: int) -> AuditSeal | None:
    """Seal the oldest unsealed records up to the id ``through``, `BATCH` at most; None where there are none.

    Waits for transactions that are adding one of them. Another sealing at the same time loses the race for the
    next number and tries again.
    """
    latest = AuditSeal.objects.defer("leaves").order_by("-number").first()
    sealed_through = latest.last_id if latest else 0
    rows = locks.settled(_rows().filter(id__gt=sealed_through, id__lte=through)[:BATCH])
    if not rows:
        return None
    leaves = [_leaf(row) for row in rows]
    header = Header(
        number=latest.number + 1 if latest else 1,
        first_id=leaves[0][0],
        last_id=leaves[-1][0],
        size=len(leaves),
        root=tree_root([leaf for _, leaf in leaves]).hex(),
        previous=latest.hash if latest else GENESIS,
        sealed_at=_moment(clock.now()),
    )
    values = {**asdict(header), "sealed_at": datetime.fromisoformat(header.sealed_at), "hash": header.hash}
    try:
        return AuditSeal.objects.create(**values, leaves=_packed(leaves))
    except IntegrityError as error:
        raise TryAgain from error


def breaks() -> Iterator[str]:
    """A sentence for each seal that was altered, and for each batch that isn't as it was sealed: it names the first
    record that was altered, removed or slipped in."""
    before: AuditSeal | None = None
    for seal in AuditSeal.objects.order_by("number").iterator(chunk_size=20):
        yield from _breaks_of(seal, before)
        before = seal


@gauge("hsh_audit_unsealed_records", "Audit records younger than the last seal.")
def unsealed() -> int:
    return _unsealed().count()


@gauge("hsh_audit_unsealed_seconds", "Age of the oldest audit record that isn't sealed.")
def unsealed_for() -> float:
    oldest = _unsealed().order_by("id").values_list("at", flat=True).first()
    return (clock.now() - oldest).total_seconds() if oldest else 0


def _unsealed() -> QuerySet[AuditLog]:
    latest = AuditSeal.objects.order_by("-number").values_list("last_id", flat=True).first()
    return AuditLog.objects.filter(id__gt=latest or 0)


def header_of(seal: AuditSeal) -> Header:
    return Header(
        number=seal.number,
        first_id=seal.first_id,
        last_id=seal.last_id,
        size=seal.size,
        root=seal.root,
        previous=seal.previous,
        sealed_at=_moment(seal.sealed_at),
    )


# --- Proofs ---------------------------------------------------------------------------------------


def proof_of(record_id: int) -> dict[str, object]:
    """What shows, without the database, that a record stood in the log: its content, its path to the root of its
    seal, and the seals from there to the latest one.

    Raises LookupError for a record that isn't there or isn't sealed.
    """
    row = _rows().filter(id=record_id).first()
    if row is None:
        raise LookupError(f"There is no audit record {record_id}.")
    seal = AuditSeal.objects.filter(first_id__lte=record_id, last_id__gte=record_id).first()
    if seal is None:
        raise LookupError(f"Audit record {record_id} is not sealed yet.")
    ids, hashes = zip(*_unpacked(bytes(seal.leaves)), strict=True)
    if record_id not in ids:
        raise LookupError(f"Audit record {record_id} was slipped in: {seal} doesn't know it.")
    index = ids.index(record_id)
    later = AuditSeal.objects.defer("leaves").filter(number__gte=seal.number).order_by("number")
    return {
        "record": _content(row),
        "index": index,
        "path": [node.hex() for node in inclusion_path(hashes, index)],
        "seals": [asdict(header_of(each)) for each in later.iterator(chunk_size=1_000)],
    }


def check_proof(proof: dict[str, Any]) -> list[Header]:
    """The seals that vouch for a proof's record, its own first. Raises ValueError where the proof doesn't hold.

    A proof is worth as much as its last seal's hash: compare that with an anchor.
    """
    try:
        seals = [Header(**seal) for seal in proof["seals"]]
        leaf, path = leaf_hash(_canonical(proof["record"])), [bytes.fromhex(node) for node in proof["path"]]
        root = root_of_path(leaf, index=proof["index"], size=seals[0].size, path=path)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError("This is no proof.") from error
    if root is None or root.hex() != seals[0].root:
        raise ValueError(f"The record and its path don't make the root of seal {seals[0].number}.")
    for earlier, later in pairwise(seals):
        if (later.number, later.previous) != (earlier.number + 1, earlier.hash):
            raise ValueError(f"Seal {later.number} doesn't follow seal {earlier.number}.")
    return seals


# --- Records as bytes -----------------------------------------------------------------------------


def _rows() -> QuerySet[Any, dict[str, Any]]:
    texts = {"before_text": Cast("before", TextField()), "after_text": Cast("after", TextField())}
    rows: QuerySet[Any, dict[str, Any]] = (
        AuditLog.objects.order_by("id").annotate(**texts).values(*_PLAIN_COLUMNS, *texts)
    )
    return rows


def _content(row: dict[str, Any]) -> dict[str, object]:
    """A record as plain JSON values, the same on every database."""
    return {
        **{name: row[name] for name in _PLAIN_COLUMNS},
        "at": _moment(row["at"]),
        "date": row["date"].isoformat(),
        "before": _parsed(row["before_text"]),
        "after": _parsed(row["after_text"]),
    }


def _parsed(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return {"not JSON": text}


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _canonical(value: dict[str, object]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _leaf(row: dict[str, Any]) -> tuple[int, bytes]:
    return row["id"], leaf_hash(_canonical(_content(row)))


def _packed(leaves: Iterable[tuple[int, bytes]]) -> bytes:
    return b"".join(number.to_bytes(_ID_BYTES, "big") + leaf for number, leaf in leaves)


def _unpacked(leaves: bytes) -> list[tuple[int, bytes]]:
    return [
        (int.from_bytes(leaves[at : at + _ID_BYTES], "big"), leaves[at + _ID_BYTES : at + _LEAF_BYTES])
        for at in range(0, len(leaves), _LEAF_BYTES)
    ]


# --- Looking for breaks ---------------------------------------------------------------------------


def _breaks_of(seal: AuditSeal, before: AuditSeal | None) -> Iterator[str]:
    leaves = _unpacked(bytes(seal.leaves))
    if problem := _chain_break(seal, before, leaves):
        yield problem
    rows = _rows().filter(id__lte=seal.last_id)
    if before is not None:
        rows = rows.filter(id__gt=before.last_id)
    if problem := _first_difference(dict(leaves), dict(map(_leaf, rows))):
        yield f"{problem} ({seal} of {_moment(seal.sealed_at)})"


def _first_difference(known: dict[int, bytes], there: dict[int, bytes]) -> str | None:
    for number in sorted(known.keys() | there.keys()):
        if number not in there:
            return f"audit record {number} was removed"
        if number not in known:
            return f"audit record {number} was slipped in"
        if known[number] != there[number]:
            return f"audit record {number} was altered"
    return None


def _chain_break(seal: AuditSeal, before: AuditSeal | None, leaves: list[tuple[int, bytes]]) -> str | None:
    number, previous, sealed_through = (before.number, before.hash, before.last_id) if before else (0, GENESIS, None)
    if seal.number != number + 1:
        return f"seal {number + 1} is missing"
    if seal.previous != previous:
        return f"{seal} doesn't follow seal {number}: one of the two was altered"
    ids = [identifier for identifier, _ in leaves]
    consistent = (
        header_of(seal).hash == seal.hash
        and tree_root([leaf for _, leaf in leaves]).hex() == seal.root
        and (ids[0], ids[-1], len(ids)) == (seal.first_id, seal.last_id, seal.size)
        and (sealed_through is None or ids[0] > sealed_through)
    )
    return None if consistent else f"{seal} was altered"
