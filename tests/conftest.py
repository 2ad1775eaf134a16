"""Fixtures that every test may ask for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from accounts.models import User


@pytest.fixture(autouse=True)
def _cheap_and_isolated(settings: Any, tmp_path: Path) -> None:
    """Documents go to a folder of the test's own; hashing passwords is no test's subject."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


@pytest.fixture
def client_of() -> Callable[[User | None], APIClient]:
    """An API client that is logged in as a user (None: not logged in), past the token check."""

    def make(user: User | None) -> APIClient:
        client = APIClient(raise_request_exception=False)
        if user is not None:
            client.force_authenticate(user)
        return client

    return make


@pytest.fixture
def stub_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document in no time, where the PDF isn't the test's subject."""
    monkeypatch.setattr("invoices.services.render_invoice", lambda snapshot: f"%PDF {snapshot.number}".encode())
