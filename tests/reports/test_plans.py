"""Reports read their period by indexes, however long the history is."""

import pytest

from benchmarks.plans import GROWING, watched
from invoices.models import Invoice
from reports.catalogue import REPORTS
from tests.admin.pages import logged_in
from tests.conftest import Shop
from tests.types import Json

pytestmark = pytest.mark.django_db

MONTH = {"date_from": "2026-01-01", "date_to": "2026-01-31"}
QUESTIONS: dict[str, list[Json]] = {
    "sales-summary": [
        {**MONTH, "group_by": group} for group in ("day", "week", "month", "depot", "driver", "customer", "equipment")
    ],
    "gst": [MONTH],
    "gst-f5": [MONTH],
    "gst-documents": [MONTH],
    "mispriced": [MONTH, {**MONTH, "customer": 1}, {**MONTH, "equipment": 1}],
    "stock": [{}, {"at": "2026-01-31T00:00:00Z"}],
    "conservation": [{}, {"at": "2026-01-31T00:00:00Z"}],
    "driver-day": [{"date": "2026-01-31"}],
    "receivables": [{}, {"as_of": "2026-01-31"}],
    "deposits": [{}, {"as_of": "2026-01-31"}],
}


def test_every_report_is_asked() -> None:
    assert set(QUESTIONS) == {listed.name for listed in REPORTS}


@pytest.mark.parametrize("role", ["admin", "supervisor"])
@pytest.mark.parametrize("report", QUESTIONS)
def test_no_report_reads_all_history(report: str, role: str, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shop.sell({"type": "SALE"}).status_code == 201
    client = shop.client_of(shop.admin)
    if role == "supervisor":
        monkeypatch.setattr(shop.admin, "role", "SUPERVISOR")
    whose = {"driver": shop.driver.pk} if report == "driver-day" else {}
    for question in QUESTIONS[report]:
        with watched() as scanned:
            answer = client.get(f"/api/reports/{report}/", {**whose, **question})
        assert answer.status_code in (200, 403)
        assert scanned == set(), (question, scanned)


def test_neither_does_a_statement_nor_the_front_page(shop: Shop) -> None:
    assert shop.sell({"type": "SALE"}).status_code == 201
    with watched() as scanned:
        assert shop.client_of(shop.admin).get(f"/api/customers/{shop.customer.pk}/statement/", MONTH).status_code == 200
        assert logged_in(shop.admin).get("/admin/").status_code == 200
    assert scanned == set()


def test_a_reader_of_all_history_is_caught(shop: Shop) -> None:
    with watched() as scanned:
        list(Invoice.objects.filter(gst_rate=9).order_by())
    assert scanned == {"invoices_invoice"} <= GROWING
