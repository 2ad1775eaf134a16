"""``manage.py begin_sync_anew``: every app pulls everything again with its next pull."""

from django.core.management.base import BaseCommand

from sync.feed import begin_anew


class Command(BaseCommand):
    help = (
        "Makes every app pull everything again with its next pull. Run it after a backup was restored, or after "
        "master data was changed behind the application's back."
    )

    def handle(self, *args: object, **options: object) -> None:
        self.stdout.write(self.style.SUCCESS(f"Apps begin anew: epoch {begin_anew()}."))
