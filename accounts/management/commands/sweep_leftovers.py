"""``manage.py sweep_leftovers``: forgets what is kept for a while only. For cron, every few minutes."""

from django.core.management.base import BaseCommand

from accounts.throttling import forget_attempts
from foundation.office.imports import forget_uploads


class Command(BaseCommand):
    help = "Deletes attempts to log in that count no more, and uploaded tables that nobody imported within an hour."

    def handle(self, *args: object, **options: object) -> None:
        self.stdout.write(f"Forgot {forget_attempts()} attempts to log in and {forget_uploads()} uploads.")
