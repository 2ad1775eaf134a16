"""manage.py sweep_documents: what a crash left goes, all else stays."""

import os
import time
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command

from tests.conftest import Shop

pytestmark = pytest.mark.django_db


def sweep(*arguments: str) -> str:
    out = StringIO()
    call_command("sweep_documents", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def orphan(shop: Shop) -> Path:
    """Beside an invoice's document, as old as that one."""
    shop.sell({"type": "SALE"})
    [document] = Path(settings.MEDIA_ROOT).rglob("*.pdf")
    orphan = document.with_name("INV-20260101-000009-0123456789abcdef.pdf")
    orphan.write_bytes(b"%PDF-1.7")
    for path in (document, orphan):
        os.utime(path, (0, 0))
    return orphan


def test_an_orphan_goes_and_an_invoice_s_document_stays(orphan: Path) -> None:
    assert "1 orphans removed" in sweep()
    assert not orphan.exists()
    assert len(list(Path(settings.MEDIA_ROOT).rglob("*.pdf"))) == 1
    assert "0 orphans removed" in sweep()


def test_a_dry_run_only_names_it(orphan: Path) -> None:
    output = sweep("--dry-run")
    assert orphan.name in output
    assert "1 orphans found" in output
    assert orphan.exists()


def test_a_young_one_may_belong_to_a_sale_under_way(orphan: Path) -> None:
    os.utime(orphan)
    assert "0 orphans removed" in sweep()
    assert "1 orphans removed" in sweep("--older-than", "0")


def test_an_orphan_is_ten_minutes_old(orphan: Path) -> None:
    os.utime(orphan, (time.time() - 9 * 60,) * 2)
    assert "0 orphans removed" in sweep()
    os.utime(orphan, (time.time() - 11 * 60,) * 2)
    assert "1 orphans removed" in sweep()


def test_one_whose_sale_commits_meanwhile_stays(orphan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("invoices.management.commands.sweep_documents.is_orphan", lambda path: False)
    assert "0 orphans removed" in sweep()
    assert orphan.exists()


def test_there_may_be_no_documents_at_all() -> None:
    assert "0 orphans removed" in sweep()


def test_what_is_no_document_stays(orphan: Path) -> None:
    note = orphan.with_name("README.txt")
    note.write_text("Mine")
    os.utime(note, (0, 0))
    sweep()
    assert note.exists()


def test_one_that_a_rollback_takes_away_meanwhile_ends_nothing(orphan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(self: object, path: str) -> None:
        raise FileNotFoundError(path)

    monkeypatch.setattr(FileSystemStorage, "get_modified_time", gone)
    assert "0 orphans removed" in sweep()
