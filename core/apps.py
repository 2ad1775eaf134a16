"""The one place where this project listens to a signal: Django says "migrated" by no other way."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core import checks  # noqa: F401 -- importing registers
        from core.guards import restore_after_migrate

        post_migrate.connect(restore_after_migrate, sender=self)
