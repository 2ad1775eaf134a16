"""``manage.py check``: Django's own, and whether the database is as this version wants it."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import check

from foundation.observability.health import pending_migrations


class Command(check.Command):
    def handle(self, *app_labels: Any, **options: Any) -> None:
        super().handle(*app_labels, **options)
        if app_labels or options["tags"] or options["list_tags"] or options["deploy"]:
            return
        if pending := pending_migrations():
            raise CommandError(f"The database lacks {pending} migrations: manage.py migrate")
