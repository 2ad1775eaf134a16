"""``manage.py verify_audit``: has anybody changed the audit log behind the application's back?"""

from itertools import islice
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import anchors, seals
from audit.models import AuditSeal
from foundation.infrastructure.snapshots import consistent_reads
from foundation.ledger import guards

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Compares every sealed audit record with its seal, the seals with each other, and the anchors with the seals. "
        "Names the first record of each seal that doesn't hold; exit 1 on any."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--anchor", type=Path, metavar="FILE", help="check these anchors, and add the latest seal")

    def handle(self, *args: object, anchor: Path | None, **options: object) -> None:
        with consistent_reads():
            broken = list(islice(seals.breaks(), SHOWN))
            broken += [f"the database's guard {name} is missing" for name in guards.missing()]
            count, open_records = AuditSeal.objects.count(), seals.unsealed()
            try:
                anchored = anchors.check(anchor) if anchor else 0
                if anchor and not broken:
                    anchors.append_latest(anchor)
            except anchors.AnchorBroken as error:
                broken.append(str(error))
        for text in broken:
            self.stdout.write(text)
        if broken:
            raise CommandError("The audit log does not verify.")
        self.stdout.write(
            self.style.SUCCESS(
                f"The audit log verifies: {count} seals, {anchored} anchors, {open_records} records open."
            )
        )
