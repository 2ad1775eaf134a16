"""``manage.py sweep_emails``: picks up emails whose worker died. For cron, every few minutes."""

from django.core.management.base import BaseCommand

from invoices.services import sweep_emails


class Command(BaseCommand):
    help = "Shows emails that were being sent when their worker died, and queues those anew whose task got lost."

    def handle(self, *args: object, **options: object) -> None:
        count = sweep_emails()
        self.stdout.write(
            f"Picked up {count} {'email' if count == 1 else 'emails'}." if count else "Nothing was left behind."
        )
