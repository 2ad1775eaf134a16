"""The app, and the checks of the settings that its documents need."""

from django.apps import AppConfig


class InvoicesConfig(AppConfig):
    name = "invoices"

    def ready(self) -> None:
        from invoices import checks  # noqa: F401 -- importing registers
