"""What tests of locks share."""

from typing import Any

import pytest
from django.db import models


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> list[type[models.Model]]:
    """The models whose rows were locked, in order."""
    seen: list[type[models.Model]] = []
    original = models.QuerySet.select_for_update

    def select_for_update(self: Any, **options: Any) -> Any:
        seen.append(self.model)
        return original(self, **options)

    monkeypatch.setattr(models.QuerySet, "select_for_update", select_for_update)
    monkeypatch.setattr("accounts.locks.share", lambda rows: seen.append(rows.model))
    return seen
