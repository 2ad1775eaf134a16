"""What an incomplete or mistaken set-up says: a sentence, never a traceback."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from foundation.checks import documents_can_be_stored

ROOT = Path(django_settings.BASE_DIR)


def said(*command: str, folder: Path = ROOT, environment: Mapping[str, str] | None = None) -> str:
    """What a command that fails says."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    return (done.stdout + done.stderr).strip()


def test_without_settings_it_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "core/settings", tmp_path / "core/settings")
    for name in ("manage.py", "core/__init__.py", "core/packages.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.delenv("SECRET_KEY")
    assert said("manage.py", "check", folder=tmp_path) == (
        "SECRET_KEY isn't set in the environment, and there is no .env: `make setup` writes one with fresh secrets."
    )
    (tmp_path / ".env").write_bytes(b"SECRET_KEY=\xff")
    assert said("manage.py", "check", folder=tmp_path).startswith(f"{tmp_path}/.env can't be read: ")


def test_without_the_requirements_it_says_how_to_get_them() -> None:
    assert said("-I", "-S", "manage.py", "check") == (
        f"django isn't installed for {sys.executable}: `make setup`, then .venv/bin/python manage.py …"
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DB_ENGINE", "oracle", "DB_ENGINE has to be one of sqlite, mysql; it is 'oracle'."),
        ("JWT_ACCESS_MINUTES", "abc", "JWT_ACCESS_MINUTES has to be a whole number; it is 'abc'."),
        ("DEBUG", "perhaps", "DEBUG has to be True or False; it is 'perhaps'."),
        ("THROTTLE_LOGIN", "often", "THROTTLE_LOGIN has to be a rate such as 5/min; it is 'often'."),
        ("STATIC_ROOT", "manage.py", f"STATIC_ROOT: {ROOT}/manage.py can't be made: File exists."),
        (
            "JWT_SIGNING_KEY",
            "short",
            "JWT_SIGNING_KEY must be at least 32 bytes long; `make setup` writes fresh secrets where there is no .env.",
        ),
    ],
)
def test_a_setting_that_is_wrong_is_named(name: str, value: str, sentence: str) -> None:
    assert said("manage.py", "check", environment={name: value}) == sentence


def test_a_server_with_a_wrong_setting_says_so_and_ends() -> None:
    assert (
        said("-m", "gunicorn", environment={"DEBUG": "perhaps"})
        == "The application can't start: DEBUG has to be True or False; it is 'perhaps'."
    )


def test_a_database_that_was_not_migrated_is_named(tmp_path: Path) -> None:
    empty = {"DB_ENGINE": "sqlite", "DB_NAME": str(tmp_path / "empty.sqlite3")}
    told = said("manage.py", "check", environment=empty)
    assert "The database lacks" in told
    assert told.endswith("migrations: manage.py migrate")


def test_a_database_that_is_away_is_named() -> None:
    assert said("manage.py", "migrate", environment={"DB_ENGINE": "sqlite", "DB_NAME": "core"}) == (
        "The database (DB_*): unable to open database file"
    )


def test_documents_without_a_place_are_named(settings: Settings, tmp_path: Path) -> None:
    assert documents_can_be_stored() == []
    (tmp_path / "file").touch()
    settings.MEDIA_ROOT = tmp_path / "file" / "media"
    assert [message.id for message in documents_can_be_stored()] == ["core.W001"]
    settings.DOCUMENTS_BUCKET = "elsewhere"
    assert documents_can_be_stored() == []


@pytest.mark.any_engine
def test_books_of_a_database_that_is_not_migrated_are_not_verified(tmp_path: Path) -> None:
    environment = {"DB_ENGINE": "sqlite", "DB_NAME": str(tmp_path / "empty.sqlite3")}
    assert said("manage.py", "verify_books", environment=environment) == (
        "CommandError: The database is not migrated: run migrate first."
    )
