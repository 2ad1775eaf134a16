"""``manage.py audit_proof``: show one record to somebody who has no database, and check what was shown."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import anchors, seals


class Command(BaseCommand):
    help = "Writes the proof that an audit record stands in the sealed log, or checks such a proof (--check FILE)."

    def add_arguments(self, parser: CommandParser) -> None:
        subject = parser.add_mutually_exclusive_group(required=True)
        subject.add_argument("id", nargs="?", type=int, help="the record's id; its proof is written to standard output")
        subject.add_argument("--check", type=Path, metavar="FILE", help="check this proof; needs no database")
        parser.add_argument("--anchor", type=Path, metavar="FILE", help="anchors to hold the checked proof against")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"] is None:
            try:
                proof = seals.proof_of(options["id"])
            except LookupError as error:
                raise CommandError(error.args[0]) from error
            self.stdout.write(json.dumps(proof, indent=2))
            return
        self._check(options["check"], options["anchor"])

    def _check(self, path: Path, anchor: Path | None) -> None:
        try:
            vouching = seals.check_proof(json.loads(path.read_text(encoding="utf-8")))
            anchored = anchors.vouched(anchor, vouching) if anchor else None
        except (OSError, ValueError, anchors.AnchorBroken) as error:
            raise CommandError(f"The proof does not hold: {error}") from error
        if anchor and anchored is None:
            raise CommandError(
                f"{anchor} anchors none of the proof's seals {vouching[0].number}–{vouching[-1].number}."
            )
        last = vouching[-1]
        trust = f"anchored with seal {anchored}" if anchored else f"if seal {last.number} has the hash {last.hash}"
        self.stdout.write(self.style.SUCCESS(f"The record stands in seal {vouching[0].number}, {trust}."))
