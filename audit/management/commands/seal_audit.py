"""``manage.py seal_audit``: close what was recorded since the last seal. From cron, at any time."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import anchors
from audit.seals import seal_all


class Command(BaseCommand):
    help = "Seals the audit records that are not sealed yet, beside everything else that goes on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--anchor", type=Path, metavar="FILE", help="check these anchors, and add the latest seal")

    def handle(self, *args: object, anchor: Path | None, **options: object) -> None:
        try:
            if anchor:
                anchors.check(anchor)
            sealed = seal_all()
            latest = anchors.append_latest(anchor) if anchor else None
        except anchors.AnchorBroken as error:
            raise CommandError(f"The anchor does not hold: {error}.") from error
        self.stdout.write(self.style.SUCCESS(f"{sealed} records sealed."))
        if latest:
            self.stdout.write(f"Seal {latest.number} is anchored in {anchor}: {latest.hash}")
