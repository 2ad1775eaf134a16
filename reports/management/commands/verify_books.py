"""``manage.py verify_books``: prove the invariants on the live data."""

from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.snapshots import consistent_reads
from reports.verification import CHECKS

SHOWN = 20


class Command(BaseCommand):
    help = "Proves that stock, money, numbers, documents and audit agree. Reads only; exit 1 on any break."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        with consistent_reads():
            for title, check in CHECKS.items():
                breaks = list(islice(check(), SHOWN + 1))
                self.stdout.write(f"{'broken' if breaks else 'ok':<7} {title}")
                for text in breaks[:SHOWN]:
                    self.stdout.write(f"        {text}")
                if len(breaks) > SHOWN:
                    self.stdout.write("        … and more")
                broken += bool(breaks)
        if broken:
            raise CommandError(f"The books do not verify: {broken} of {len(CHECKS)} checks are broken.")
        self.stdout.write(self.style.SUCCESS(f"The books verify: {len(CHECKS)} checks."))
