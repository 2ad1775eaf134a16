"""The shop with one of everything that the office shows."""

from tests.admin.conftest import kept_office, office

__all__ = ["kept_office", "office"]
