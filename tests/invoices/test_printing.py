"""Documents on paper: a pile is one PDF in the order asked for, and the first time counts."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
import time_machine
from pypdf import PdfReader, PdfWriter

from accounts.models import User
from audit.models import AuditLog
from foundation import clock
from invoices.models import Invoice
from tests.conftest import Shop, error_of
from tests.factories import DriverFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 20, 12, tzinfo=clock.SINGAPORE)


@pytest.fixture
def invoices(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Three, the n-th of them with a page that is 100 n wide."""
    pages = iter((100, 200, 300))

    def page(snapshot: object) -> bytes:
        document, content = PdfWriter(), BytesIO()
        document.add_blank_page(next(pages), 500)
        document.write(content)
        return content.getvalue()

    monkeypatch.setattr("invoices.services.issuing.render_invoice", page)
    return [shop.sell({"type": "SALE"}).json()["invoice"]["id"] for _ in range(3)]


def print_pile(shop: Shop, *invoices: int, by: User | None = None) -> Any:
    return shop.client_of(by or shop.driver).post("/api/invoices/print-batch/", {"invoices": invoices})


def test_a_pile_is_in_the_order_asked_for_and_each_is_in_it_once(shop: Shop, invoices: list[int]) -> None:
    first, second, third = invoices
    with time_machine.travel(NOON, tick=False):
        answer = print_pile(shop, third, first, third)
    pages = PdfReader(BytesIO(answer.content)).pages
    assert [int(page.mediabox.width) for page in pages] == [300, 100]
    printed = dict(Invoice.objects.values_list("pk", "printed_at"))
    assert printed == {first: NOON, second: None, third: NOON}
    assert set(Invoice.objects.filter(pk__in=(first, third)).values_list("status", flat=True)) == {"printed"}


def test_the_first_time_counts_and_each_is_in_the_evidence(shop: Shop, invoices: list[int]) -> None:
    first = invoices[0]
    with time_machine.travel(NOON, tick=False):
        shop.client_of(shop.driver).post(f"/api/invoices/{first}/print/")
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        print_pile(shop, first, by=shop.admin)
    assert Invoice.objects.get(pk=first).printed_at == NOON
    evidence = AuditLog.objects.filter(action="invoices.invoice.printed", entity_id=first).order_by("id")
    assert [(row.user, row.before["status"], row.after["status"]) for row in evidence] == [
        (shop.driver, "generated", "printed"),
        (shop.admin, "printed", "printed"),
    ]


def test_a_pile_with_somebody_else_s_is_refused_whole(
    shop: Shop, invoices: list[int], nothing_changes: Callable[[], AbstractContextManager[None]]
) -> None:
    colleague = DriverFactory(depot=shop.depot)
    with nothing_changes():
        refused = print_pile(shop, *invoices, by=colleague)
        assert {error["attr"] for error in refused.json()["errors"]} == {"invoices.0"}
        assert error_of(print_pile(shop, invoices[0], 999_999)) == (400, "does_not_exist", "invoices.1")


def test_nobody_guesses_a_document_s_path(shop: Shop, stub_pdf: None) -> None:
    with time_machine.travel(datetime(2026, 1, 20, 0, 30, tzinfo=clock.SINGAPORE), tick=False):
        paths = [shop.sell({"type": "SALE"}).json()["invoice"]["pdf_path"] for _ in range(2)]
    for number, path in enumerate(paths, start=1):
        assert re.fullmatch(rf"invoices/2026/01/20/INV-20260120-00000{number}-[0-9a-f]{{16}}\.pdf", path)
