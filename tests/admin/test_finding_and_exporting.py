"""The search over everything, lists as files, and what the front page asks to be seen to."""

import csv
from datetime import datetime, timedelta
from io import BytesIO, StringIO
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from audit.models import AuditLog
from audit.seals import unsealed
from foundation import clock
from foundation.access.capabilities import Role
from inventory.models import ReorderLevel
from invoices.models import Invoice, InvoiceEmail
from payments.models import CashCount
from tests.admin.pages import MODELS, logged_in, messages_of, url
from tests.conftest import Shop
from tests.factories import CustomerFactory, DepotFactory, DriverFactory, UserFactory
from tests.types import Answer, Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db


def titles(response: Answer) -> set[str]:
    return {group.title for group in response.context["found"]}


# --- Search ------------------------------------------------------------------------------------------


def test_a_number_that_is_one_document_opens_it(office: Shop) -> None:
    sale = Transaction.objects.order_by("id").first()
    assert sale is not None
    response = logged_in(office.admin).get("/admin/find/", {"q": f" {sale.transaction_number} "})
    assert titles(response) == {"Transactions", "Invoices"}  # an invoice is found by its sale's number, too
    [shown] = [group for group in response.context["found"] if group.title == "Transactions"]
    assert shown.hits[0].url == url(sale, "change", sale.pk)
    lone = logged_in(office.admin).get("/admin/find/", {"q": sale.invoice.invoice_number})
    assert {hit.url for group in lone.context["found"] for hit in group.hits} == {
        url(sale, "change", sale.pk), url(sale.invoice, "change", sale.invoice.pk)
    }  # fmt: skip


def test_one_hit_alone_is_opened_at_once(office: Shop) -> None:
    lonely = CustomerFactory(name="Zebra Kway Teow")
    response = logged_in(office.admin).get("/admin/find/", {"q": "zebra"})
    assert (response.status_code, response["Location"]) == (302, url(lonely, "change", lonely.pk))


def test_a_customer_leads_to_what_they_bought(office: Shop) -> None:
    name = Transaction.objects.earliest("id").customer.name
    assert {"Customers", "Transactions", "Invoices"} <= titles(logged_in(office.admin).get("/admin/find/", {"q": name}))


def test_a_vehicle_leads_to_its_loads_and_sales(office: Shop) -> None:
    found = titles(logged_in(office.admin).get("/admin/find/", {"q": office.driver.vehicle_no}))
    assert {"Locations", "Distributions", "Transactions", "Users"} <= found


def test_nothing_is_found_that_the_reader_may_not_see(office: Shop) -> None:
    sale = Transaction.objects.order_by("id").first()
    assert sale is not None
    elsewhere = UserFactory(role=Role.SUPERVISOR, depot=DepotFactory())
    for user in (elsewhere, UserFactory(role=Role.DEPOT_STAFF, depot=office.depot)):
        response = logged_in(user).get("/admin/find/", {"q": sale.transaction_number})
        assert response.context["found"] == []
        assert "Nothing was found" in response.content.decode()


@pytest.mark.parametrize(
    "asked", ["", " ", "x" * 500, "%", "'", "\x00", "INV-", "PAY-99999999999999999999", "<script>"]
)
def test_any_text_can_be_searched_for(office: Shop, asked: str) -> None:
    response = logged_in(office.admin).get("/admin/find/", {"q": asked})
    assert response.status_code in (200, 302)
    assert "<script>alert" not in response.content.decode()


# --- Files -------------------------------------------------------------------------------------------


def rows_of(response: Answer) -> list[list[str]]:
    text = response.getvalue().decode("utf-8-sig")
    return list(csv.reader(StringIO(text)))


def test_every_list_can_be_taken_away(office: Shop) -> None:
    client = logged_in(office.admin)
    for model in MODELS:
        page = client.get(url(model))
        shown = page.context["cl"].result_count
        assert f'href="{url(model, "export", "csv")}' in page.content.decode(), model
        head, *rows = rows_of(client.get(url(model, "export", "csv")))
        assert len(rows) == shown, model
        assert all(len(row) == len(head) for row in rows)
        assert not any("<" in cell for row in rows for cell in row), model
        book = load_workbook(BytesIO(client.get(url(model, "export", "xlsx")).getvalue()))
        assert book.active.max_row == shown + 1, model


def test_a_file_holds_what_the_list_shows(office: Shop) -> None:
    client = logged_in(office.admin)
    head, *rows = rows_of(client.get(url(Invoice, "export", "csv"), {"o": "1"}))
    numbers = list(Invoice.objects.order_by("invoice_number").values_list("invoice_number", flat=True))
    assert [row[head.index("Invoice number")] for row in rows] == numbers
    assert [row[0] for row in rows_of(client.get(url(Invoice, "export", "csv"), {"q": "nobody"}))][1:] == []
    assert client.get(url(Invoice, "export", "csv"), {"nonsense__x": "1"}).status_code == 302
    assert client.get(f"{url(Invoice)}export/pdf/").status_code == 404


def test_an_amount_that_a_list_computes_is_a_number_in_its_file(office: Shop) -> None:
    driver, boss = office.client_of(office.driver), office.client_of(office.admin)
    assert office.sell({"type": "SALE"}, payment_received=True).status_code == 201
    for earlier in CashCount.objects.filter(status="COUNTED").order_by("pk"):
        assert boss.post(f"/api/cash-counts/{earlier.pk}/sign-off/", {}).status_code == 200
    counted = driver.post("/api/cash-counts/", {"cash": "30.00"}).json()["id"]
    assert boss.post(f"/api/cash-counts/{counted}/sign-off/", {}).status_code == 200
    client = logged_in(office.admin)
    head, row, *_ = rows_of(client.get(url(CashCount, "export", "csv")))
    assert (row[head.index("Handed in with it")], row[head.index("Variance")]) == ("27.25", "2.75")
    book = load_workbook(BytesIO(client.get(url(CashCount, "export", "xlsx")).getvalue()))
    assert book.active.cell(2, head.index("Variance") + 1).value == 2.75


def test_a_file_tells_singapore_s_time(office: Shop) -> None:
    """Half past midnight, when it still is the day before in UTC."""
    with time_machine.travel(datetime(2026, 1, 20, 0, 30, tzinfo=clock.SINGAPORE), tick=False):
        number = office.sell({"type": "SALE"}).json()["transaction"]["transaction_number"]
    client = logged_in(office.admin)
    head, row = rows_of(client.get(url(Transaction, "export", "csv"), {"q": number}))
    at = head.index("Occurred at")
    assert row[at] == "2026-01-20T00:30:00+08:00"
    book = load_workbook(BytesIO(client.get(url(Transaction, "export", "xlsx"), {"q": number}).getvalue()))
    assert f"{book.active.cell(2, at + 1).value}" == "2026-01-20 00:30:00"


def test_a_file_has_the_readers_rows_alone(office: Shop) -> None:
    elsewhere = UserFactory(role=Role.SUPERVISOR, depot=DepotFactory())
    assert len(rows_of(logged_in(elsewhere).get(url(Invoice, "export", "csv")))) == 1
    staff = UserFactory(role=Role.DEPOT_STAFF, depot=office.depot)
    assert logged_in(staff).get(url(Invoice, "export", "csv")).status_code == 403
    assert logged_in(DriverFactory()).get(url(Invoice, "export", "csv")).status_code == 302


def test_no_cell_starts_a_formula(office: Shop) -> None:
    office.customer.name = '=HYPERLINK("http://127.0.0.1/","x")'
    office.customer.save()
    client = logged_in(office.admin)
    cells = [cell for row in rows_of(client.get(url(office.customer, "export", "csv"))) for cell in row]
    assert f"'{office.customer.name}" in cells
    assert not any(cell.startswith(("=", "@")) for cell in cells)


def test_a_file_costs_the_same_for_many_rows(office: Shop) -> None:
    client = logged_in(office.admin)

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            rows_of(client.get(url(Transaction, "export", "csv")))
        return len(queries)

    before = cost()
    for _ in range(5):
        assert office.sell({"type": "SALE"}).status_code == 201
    assert cost() == before


# --- What waits --------------------------------------------------------------------------------------


def awaited(office: Shop, **by: Any) -> dict[str, int]:
    page = logged_in(by.get("by", office.admin)).get("/admin/")
    return {it.text: int(it.count) for it in page.context["awaited"]}


def test_stock_below_its_level_is_told_until_there_is_enough(office: Shop) -> None:
    client = logged_in(office.admin)
    level = {"depot": office.depot.pk, "equipment": office.cylinder.pk, "quantity": 100_000}
    ReorderLevel.objects.all().delete()
    client.post(url(ReorderLevel, "add"), level)
    assert awaited(office)["stock below its reorder level"] == 1
    [row] = client.get(url(ReorderLevel), {"stock": "low"}).context["cl"].result_list
    assert row.in_stock == office.stock(depot=office.depot)
    client.post(url(ReorderLevel, "change", row.pk), {**level, "quantity": row.in_stock, "as_read": "stale"})
    assert ReorderLevel.objects.get().quantity == 100_000  # somebody else's page
    fresh = client.get(url(ReorderLevel, "change", row.pk)).context["adminform"].form.current
    client.post(url(ReorderLevel, "change", row.pk), {**level, "quantity": row.in_stock, "as_read": fresh})
    assert "stock below its reorder level" not in awaited(office)
    evidence = AuditLog.objects.filter(entity_type="inventory.reorderlevel").order_by("id")[1:]
    assert [record.action.rsplit(".", 1)[1] for record in evidence] == ["created", "updated"]


def test_a_level_stands_once_and_can_be_given_up(office: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(office.admin)
    level = {"depot": office.depot.pk, "equipment": office.cylinder.pk, "quantity": 100_000}
    with nothing_changes():
        assert client.post(url(ReorderLevel, "add"), level).context["errors"]
    kept = ReorderLevel.objects.get()
    ReorderLevel.objects.update(quantity=100_000)
    response = client.post(url(ReorderLevel), {"action": "deactivate", "_selected_action": [kept.pk]}, follow=True)
    assert "deactivated" in " ".join(messages_of(response))
    assert "stock below its reorder level" not in awaited(office)


def test_levels_are_read_by_the_depots_own(office: Shop) -> None:
    ReorderLevel.objects.update(quantity=100_000)
    ReorderLevel.objects.create(depot=DepotFactory(), equipment=office.cylinder, quantity=100_000)
    supervisor = UserFactory(role=Role.SUPERVISOR, depot=office.depot)
    assert awaited(office)["stocks below their reorder level"] == 2
    assert awaited(office, by=supervisor)["stock below its reorder level"] == 1
    assert logged_in(supervisor).get(url(ReorderLevel, "add")).status_code == 403


def test_an_email_that_nobody_takes_up_is_told(office: Shop) -> None:
    assert "email not sent" not in awaited(office)
    InvoiceEmail.objects.update(next_try_at=clock.now() - timedelta(minutes=20))
    assert awaited(office)["email not sent"] == InvoiceEmail.objects.filter(status="QUEUED").count()


@pytest.mark.parametrize("status", ["FAILED", "UNCERTAIN"])
def test_an_email_that_was_given_up_or_may_have_arrived_is_told(office: Shop, status: str) -> None:
    [email] = InvoiceEmail.objects.all()
    InvoiceEmail.objects.filter(pk=email.pk).update(status=status)
    assert awaited(office)["email not sent"] == 1


def test_records_that_wait_long_for_their_seal_are_told(office: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any("seal" in text for text in awaited(office))
    office.sell({"type": "SALE"})
    monkeypatch.setattr("audit.admin.PATIENCE", timedelta(seconds=-5))
    waiting = unsealed()
    assert waiting
    assert {text: count for text, count in awaited(office).items() if "seal" in text}.popitem()[1] == waiting
    monkeypatch.setattr("foundation.office.site.MANY", 0)
    page = logged_in(office.admin).get("/admin/")
    assert "over 0" in {it.count for it in page.context["awaited"]}
