"""The one place where this project listens to a signal: Django says "migrated" by no other way."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class FoundationConfig(AppConfig):
    name = "foundation"
    label = "core"  # the tables, the migrations and what refers to them are named by it

    def ready(self) -> None:
        from foundation import checks  # noqa: F401 -- importing registers
        from foundation.ledger.guards import restore_after_migrate
        from foundation.unreadable import show_what_can_not_be_read

        show_what_can_not_be_read()
        post_migrate.connect(restore_after_migrate, sender=self)
