"""The reports are for whom they may be for, answer what can be asked, and come as files. Their figures: test_histories.py."""

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from openpyxl import load_workbook
from pypdf import PdfReader

from accounts.models import User
from customers.models import Customer
from foundation import clock
from foundation.access.capabilities import Role
from foundation.clock import SINGAPORE
from tests.conftest import ClientOf, Shop, error_of
from tests.factories import CustomerFactory, DepotFactory, DriverFactory, MeteredCustomerFactory, UserFactory
from tests.types import Json, Unchanged

pytestmark = pytest.mark.django_db


def at(day: str, hour: int = 10) -> time_machine.travel:
    return time_machine.travel(datetime.fromisoformat(f"{day}T{hour:02d}:00:00+08:00"), tick=False)


def report(shop: Shop, name: str, by: User | None = None, **asked: Any) -> Json:
    response = shop.client_of(by or shop.admin).get(f"/api/reports/{name}/", asked)
    assert response.status_code == 200, response.json()
    answer: Json = response.json()
    return answer


@dataclass
class Books(Shop):
    other: User
    metered: Customer


@pytest.fixture
def books(shop: Shop) -> Books:
    """Two months, two depots, sales of each kind, a void, payments in part, an overpayment, a paid-out refund."""
    metered = MeteredCustomerFactory(payment_terms_days=14, last_meter_reading="100.00")
    other = DriverFactory(depot=DepotFactory())
    with at("2026-01-05"):
        shop.count("vehicle", other.vehicle_no, 30)
        shop.sell({"type": "SALE", "quantity": 3}, {"type": "DEPOSIT", "quantity": 3}, payment_received=True)
        shop.sell({"type": "SWAP", "quantity": 2}, customer=metered.pk, current_meter="150.00")
    with at("2026-01-20"):
        wrong = shop.sell({"type": "SALE", "quantity": 4}, by=other).json()["transaction"]
        shop.sell({"type": "RETURN", "quantity": 1}, payment_received=True)
        money = {"customer": metered.pk, "method": "CHEQUE", "amount": "100.00"}
        shop.client_of(shop.admin).post("/api/payments/", money)
    with at("2026-02-03"):
        shop.client_of(shop.admin).post(f"/api/transactions/{wrong['id']}/void/", {"reason": "Wrong"})
        shop.sell({"type": "SALE", "quantity": 1}, by=other, customer=metered.pk, current_meter="151.33")
        shop.sell({"type": "SALE", "quantity": 1})
        over = {"customer": shop.customer.pk, "method": "PAYNOW", "amount": "50.00"}
        shop.client_of(shop.admin).post("/api/payments/", over)
    return Books(**vars(shop), other=other, metered=metered)


PERIOD: Json = {"date_from": "2026-01-01", "date_to": "2026-02-28"}


def test_a_supervisor_sees_the_own_depot_and_a_seller_the_own_sales(books: Books) -> None:
    supervisor = UserFactory(role=Role.SUPERVISOR, depot=books.depot)
    own = report(books, "sales-summary", by=supervisor, group_by="driver", **PERIOD)["rows"]
    assert [row["key"] for row in own] == [books.driver.username]
    seller = UserFactory(role=Role.SALES, depot=books.depot)
    for name in ("sales-summary", "gst", "receivables"):
        assert report(books, name, by=seller)["rows"] == []
    places = {row["place"] for row in report(books, "stock", by=supervisor)["rows"]}
    assert places == {f"depot {books.depot}", f"vehicle {books.driver.vehicle_no}"}
    staff = UserFactory(role=Role.DEPOT_STAFF, depot=books.depot)
    assert {row["place"] for row in report(books, "stock", by=staff)["rows"]} == {f"depot {books.depot}"}


def test_a_driver_reads_the_own_day_only(books: Books) -> None:
    other = books.other
    assert report(books, "driver-day", by=books.driver)["title"] == "Day of Tan Ah Beng"
    client = books.client_of(books.driver)
    for pk in (other.pk, 999_999):
        assert error_of(client.get("/api/reports/driver-day/", {"driver": pk})) == (400, "does_not_exist", "driver")
    supervisor = books.client_of(UserFactory(role=Role.SUPERVISOR, depot=books.depot))
    assert supervisor.get("/api/reports/driver-day/", {"driver": books.driver.pk}).status_code == 200
    assert supervisor.get("/api/reports/driver-day/", {"driver": other.pk}).status_code == 400


def test_csv_and_xlsx_say_what_json_says(books: Books) -> None:
    client = books.client_of(books.admin)
    rows = report(books, "sales-summary", group_by="customer", **PERIOD)
    response = client.get("/api/reports/sales-summary/", {"group_by": "customer", "format": "csv", **PERIOD})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="sales-summary-')
    lines = list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
    assert [line[0] for line in lines] == ["Key", *(row["key"] for row in rows["rows"]), "Total", "Cash rounding"]
    assert [line[-1] for line in lines[1:-1]] == [
        *(row["total_amount"] for row in rows["rows"]),
        rows["totals"]["total_amount"],
    ]
    response = client.get("/api/reports/sales-summary/", {"group_by": "customer", "format": "xlsx", **PERIOD})
    sheet = load_workbook(io.BytesIO(response.getvalue())).active
    table = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert [str(Decimal(str(line[-1])).quantize(Decimal("0.01"))) for line in table[1:-1]] == [
        line[-1] for line in lines[1:-1]
    ]
    assert (table[-1][:2], lines[-1][:2]) == (["Cash rounding", 0], ["Cash rounding", "0.00"])


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
@pytest.mark.parametrize("name", ["sales-summary", "receivables", "deposits"])
def test_no_cell_starts_a_formula(shop: Shop, start: str, name: str) -> None:
    evil = CustomerFactory(name=f'{start}HYPERLINK("http://evil.example","x")')
    shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}, customer=evil.pk)
    client = shop.client_of(shop.admin)
    asked = {"group_by": "customer"} if name == "sales-summary" else {}
    response = client.get(f"/api/reports/{name}/", {"format": "csv", **asked})
    lines = list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"), newline="")))
    assert not [
        cell
        for line in lines
        for cell in line
        if cell.startswith(start) and not cell.lstrip("-").replace(".", "").isdigit()
    ]
    response = client.get(f"/api/reports/{name}/", {"format": "xlsx", **asked})
    sheet = load_workbook(io.BytesIO(response.getvalue())).active
    cells = [cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert any("HYPERLINK" in cell.value for cell in cells)
    assert not [cell.value for cell in cells if cell.data_type == "f" or cell.value.startswith(start)]


@pytest.mark.parametrize(
    ("name", "asked", "attr"),
    [
        ("sales-summary", {"date_from": "2026-02-01", "date_to": "2026-01-01"}, "date_to"),
        ("sales-summary", {"date_from": "1990-01-01", "date_to": "2026-01-01"}, "date_from"),
        ("sales-summary", {"date_from": "yesterday"}, "date_from"),
        ("sales-summary", {"group_by": "weight"}, "group_by"),
        ("gst", {"format": "pdf"}, "format"),
        ("stock", {"at": "2026-01-01T00:00:00"}, "at"),
        ("stock", {"at": "9999-12-31T23:59:59-14:00"}, "at"),
        ("receivables", {"as_of": "2026-13-01"}, "as_of"),
        ("receivables", {"customer": "x"}, "customer"),
        ("driver-day", {"driver": "-1"}, "driver"),
    ],
)
def test_what_cannot_be_asked_is_told(shop: Shop, name: str, asked: dict[str, str], attr: str) -> None:
    response = shop.client_of(shop.admin).get(f"/api/reports/{name}/", asked)
    assert (response.status_code, response.json()["errors"][0]["attr"]) == (400, attr)


def test_an_empty_shop_has_empty_reports(shop: Shop, client_of: ClientOf) -> None:
    for name in ("sales-summary", "gst", "mispriced", "receivables", "deposits"):
        assert report(shop, name)["rows"] == []


def test_reports_change_nothing(books: Books, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        for name in (
            "sales-summary",
            "gst",
            "mispriced",
            "stock",
            "conservation",
            "driver-day",
            "receivables",
            "deposits",
        ):
            report(books, name)


def test_a_statement_is_the_office_s(books: Books) -> None:
    url = f"/api/customers/{books.customer.pk}/statement/"
    assert books.client_of(books.driver).get(url).status_code == 403
    pdf = books.client_of(books.admin).get(url, {"format": "pdf", **PERIOD})
    assert (pdf["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert books.client_of(books.admin).get("/api/customers/999999/statement/").status_code == 404


def test_a_printed_statement_says_what_is_owed_and_what_stands_in_the_customer_s_favour(shop: Shop) -> None:
    """3 x 28.50 with 9 % is 93.20, 100.00 came in, and then 31.07 was sold."""
    buyer = CustomerFactory(name="Ah Seng Seafood", payment_terms_days=14)
    office = shop.client_of(shop.admin)

    def lines(date_from: str, date_to: str) -> list[str]:
        asked = {"format": "pdf", "date_from": date_from, "date_to": date_to}
        pdf = office.get(f"/api/customers/{buyer.pk}/statement/", asked).content
        return [" ".join(line.split()) for line in PdfReader(io.BytesIO(pdf)).pages[0].extract_text().splitlines()]

    with at("2026-01-05"):
        sold = shop.sell({"type": "SALE", "quantity": 3}, customer=buyer.pk).json()["invoice"]["invoice_number"]
    with at("2026-01-20"):
        money = {"customer": buyer.pk, "method": "CHEQUE", "amount": "100.00", "reference": "4711"}
        paid = office.post("/api/payments/", money).json()["payment_number"]
    with at("2026-02-03"):
        more = shop.sell({"type": "SALE"}, customer=buyer.pk).json()["invoice"]["invoice_number"]
        january, february = lines("2026-01-01", "2026-01-31"), lines("2026-02-01", "2026-02-03")
    assert january[january.index("To pay S$ 0.00") + 2 :] == [  # the head, then
        "1 Jan 2026 Opening balance 0.00",
        f"5 Jan 2026 {sold} Invoice · due 19 Jan 2026 93.20 93.20",
        f"20 Jan 2026 {paid} Payment · Cheque 4711 100.00 −6.80",
        "In your favour 6.80",
        "Not due 1–30 days 31–60 days 61–90 days Over 90 days Credit Together",
        "0.00 0.00 0.00 0.00 0.00 −6.80 −6.80",
    ]
    assert february[february.index("To pay S$ 24.27") + 2 :] == [
        "1 Feb 2026 Opening balance −6.80",
        f"3 Feb 2026 {more} Invoice · due 17 Feb 2026 31.07 24.27",
        "You owe 24.27",
        "Not due 1–30 days 31–60 days 61–90 days Over 90 days Credit Together",
        "31.07 0.00 0.00 0.00 0.00 −6.80 24.27",
    ]


def test_the_period_left_out_is_this_month(shop: Shop) -> None:
    today = clock.business_date(clock.now())
    account = shop.client_of(shop.admin).get(f"/api/customers/{shop.customer.pk}/statement/").json()
    assert (account["date_from"], account["date_to"]) == (str(today.replace(day=1)), str(today))
    assert datetime.now(SINGAPORE).date() == today
