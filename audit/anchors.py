"""Anchors: seals written down outside the database, where nobody who owns it can change them.

A file of JSON lines, one an anchored seal, only ever added to. Keep it on another machine, or on paper.
"""

import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from audit.models import AuditSeal


class AnchorBroken(Exception):
    """The file can't be read, or names a seal that isn't there any more."""


def read(path: Path) -> dict[int, str]:
    """Number and hash of the anchored seals; none where there is no file yet. Raises AnchorBroken."""
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return {line["number"]: line["hash"] for line in lines}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AnchorBroken(f"{path} can't be read as anchors: {error}") from error


def check(path: Path) -> int:
    """Compare every anchor with the seals in the database; answers how many. Raises AnchorBroken."""
    anchors = read(path)
    hashes = dict(AuditSeal.objects.filter(number__in=anchors).values_list("number", "hash"))
    for number, hash_then in sorted(anchors.items()):
        if number not in hashes:
            raise AnchorBroken(f"seal {number} is anchored in {path}, and is not in the database")
        if hashes[number] != hash_then:
            raise AnchorBroken(f"seal {number} was made anew: {path} anchors another hash")
    return len(anchors)


def append_latest(path: Path) -> AuditSeal | None:
    """Write the latest seal down, unless it is; through to the disk. Raises AnchorBroken."""
    latest: AuditSeal | None = AuditSeal.objects.defer("leaves").order_by("-number").first()
    if latest is None or latest.number in read(path):
        return latest
    line = {
        "number": latest.number,
        "hash": latest.hash,
        "last_id": latest.last_id,
        "sealed_at": latest.sealed_at,
    }
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=datetime.isoformat) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise AnchorBroken(f"{path} can't be written: {error}") from error
    return latest


def vouched(path: Path, seals: Iterable[Any]) -> int | None:
    """The number of the latest of these seal headers that an anchor names with the same hash. Raises AnchorBroken."""
    anchors = read(path)
    known = None
    for seal in seals:
        if seal.number in anchors:
            if anchors[seal.number] != seal.hash:
                raise AnchorBroken(f"seal {seal.number} of the proof is not the one that {path} anchors")
            known = seal.number
    return known
