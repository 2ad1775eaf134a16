"""``manage.py sweep_documents``: remove the PDFs that a crash left behind."""

from datetime import timedelta

from django.core.management.base import BaseCommand, CommandParser

from invoices import documents
from invoices.selectors import ORPHAN_AFTER, is_orphan, orphaned_documents


class Command(BaseCommand):
    help = (
        "Removes documents that belong to no invoice: a sale whose process was killed between writing its PDF and "
        "its commit leaves one. Younger ones may belong to a sale that is under way, and stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        minutes = int(ORPHAN_AFTER.total_seconds() // 60)
        parser.add_argument("--older-than", type=int, default=minutes, metavar="MINUTES", help="default: %(default)s")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")

    def handle(self, *args: object, older_than: int, dry_run: bool, **options: object) -> None:
        found = 0
        for path in orphaned_documents(older_than=timedelta(minutes=older_than)):
            if not dry_run:
                # Once more, right before: its sale may have committed since.
                if not is_orphan(path):
                    continue
                documents.discard(path)
            found += 1
            self.stdout.write(path)
        self.stdout.write(self.style.SUCCESS(f"{found} orphans {'found' if dry_run else 'removed'}."))
