"""The reports say the same of the same books, each for what its reader may see."""

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from openpyxl import load_workbook

from accounts.models import User
from customers.models import Customer
from foundation import clock
from foundation.access.capabilities import Role
from foundation.clock import SINGAPORE
from inventory.models import Inventory
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


def test_figures_by_whatever_group_add_up_to_the_same(books: Books) -> None:
    totals = [
        report(books, "sales-summary", group_by=by, **PERIOD)["totals"]
        for by in ("day", "week", "month", "depot", "driver", "customer")
    ]
    assert all(total == totals[0] for total in totals)
    by_equipment = report(books, "sales-summary", group_by="equipment", **PERIOD)["totals"]
    assert by_equipment["subtotal"] == totals[0]["subtotal"]


def test_the_gst_return_adds_up_with_the_sales(books: Books) -> None:
    gst, sales = (report(books, name, **PERIOD)["totals"] for name in ("gst", "sales-summary"))
    assert gst["output_tax"] == sales["gst_amount"]
    assert Decimal(gst["standard_rated_supplies"]) + Decimal(gst["outside_gst"]) == Decimal(sales["subtotal"])
    assert (gst["invoices"], gst["credit_notes"]) == (sales["invoices"], sales["credit_notes"])


def test_a_void_counts_on_its_own_day(books: Books) -> None:
    months = report(books, "gst", **PERIOD)["rows"]
    assert [(row["month"], row["credit_notes"], row["credited_supplies"], row["credited_tax"]) for row in months] == [
        ("2026-01", 1, "0.00", "0.00"),
        ("2026-02", 1, "-114.00", "-10.26"),
    ]
    # Swaps 57.00, sales 85.50 and 114.00, usage 50 at 2.15.
    assert months[0]["standard_rated_supplies"] == "364.00"


def test_what_is_owed_is_what_was_billed_less_what_was_paid(books: Books) -> None:
    for day in ("2026-01-10", "2026-01-20", "2026-01-31", "2026-02-03", "2026-02-28"):
        owed = report(books, "receivables", as_of=day)["totals"]
        billed = Decimal(report(books, "sales-summary", date_from="2025-01-01", date_to=day)["totals"]["total_amount"])
        paid = sum(
            Decimal(payment["amount"])
            for payment in books.client_of(books.admin).get("/api/payments/", {"received_to": day}).json()["results"]
        )
        assert Decimal(owed["total"]) == billed - paid, day
        assert sum((Decimal(value) for name, value in owed.items() if name != "total"), Decimal(0)) == Decimal(
            owed["total"]
        )


def test_a_statement_closes_at_what_the_customer_owes(books: Books) -> None:
    for customer in (books.customer, books.metered):
        for day in ("2026-01-10", "2026-01-20", "2026-02-03", "2026-02-28"):
            url = f"/api/customers/{customer.pk}/statement/"
            account = books.client_of(books.admin).get(url, {"date_from": "2026-01-01", "date_to": day}).json()
            owed = report(books, "receivables", as_of=day, customer=customer.pk)["totals"]["total"]
            assert account["closing_balance"] == owed
            assert sum(map(Decimal, account["ageing"].values())) == Decimal(owed)
            sums = Decimal(account["opening_balance"]) + sum(Decimal(entry["amount"]) for entry in account["entries"])
            assert sums == Decimal(account["closing_balance"])
            second = books.client_of(books.admin).get(url, {"date_from": day, "date_to": "2026-03-31"}).json()
            before = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
            first = books.client_of(books.admin).get(url, {"date_from": "2026-01-01", "date_to": before}).json()
            assert second["opening_balance"] == first["closing_balance"]


def test_debts_grow_old(books: Books) -> None:
    metered = books.metered.pk
    # 57.00 + 107.50 with 9 % is 179.31; 100.00 of it was paid. Due on 19 January. On 17 February 34.18 more is due.
    for day, bucket, amount in (
        ("2026-01-19", "current", "179.31"),
        ("2026-01-20", "days_1_30", "79.31"),
        ("2026-02-18", "days_1_30", "113.49"),
        ("2026-02-19", "days_31_60", "79.31"),
        ("2026-04-19", "days_61_90", "113.49"),
        ("2026-04-20", "days_over_90", "79.31"),
    ):
        [row] = report(books, "receivables", as_of=day, customer=metered)["rows"]
        assert row[bucket] == amount, day


def test_stock_of_an_earlier_moment_is_what_it_was(books: Books) -> None:
    def position(**asked: Any) -> dict[tuple[str, str], int]:
        return {(row["place"], row["condition"]): row["quantity"] for row in report(books, "stock", **asked)["rows"]}

    driver = f"vehicle {books.driver.vehicle_no}"
    now = position()
    balances = Inventory.objects.exclude(location__kind="CUSTOMER").exclude(quantity=0)
    assert {key: count for key, count in now.items() if key[0] != "customers"} == {
        (str(row.location), row.condition): row.quantity for row in balances
    }
    # The vehicle was counted today, in the fixture; what was sold "before" counts against that.
    assert position(at="2026-01-31T00:00:00+08:00")[driver, "EMPTY"] == 3
    assert position(at="2026-01-06T00:00:00+08:00")[driver, "EMPTY"] == 2
    assert (driver, "EMPTY") not in position(at="2026-01-05T09:00:00+08:00")
    assert all(row["total"] == 0 for row in report(books, "conservation", at="2026-01-20T23:00:00+08:00")["rows"])
    assert report(books, "stock")["totals"]["quantity"] == report(books, "conservation")["totals"]["total"] == 0


def test_a_driver_s_day_adds_up(books: Books) -> None:
    day = report(books, "driver-day", driver=books.driver.pk, date="2026-01-05")
    figures = {figure["name"]: figure["value"] for figure in day["figures"]}
    sales = report(books, "sales-summary", date_from="2026-01-05", date_to="2026-01-05", group_by="driver")
    [mine] = [row for row in sales["rows"] if row["key"] == books.driver.username]
    assert (figures["total_amount"], figures["gst_amount"]) == (mine["total_amount"], mine["gst_amount"])
    # 3 x 28.50 with 9 % and three deposits
    assert figures["cash"] == "273.20"
    full, empty = (next(row for row in day["rows"] if row["condition"] == condition) for condition in ("FULL", "EMPTY"))
    assert (full["delivered"], empty["collected"]) == (5, 2)
    for row in day["rows"]:
        moved = row["loaded"] - row["delivered"] + row["collected"] - row["unloaded"] + row["other"]
        assert row["opening"] + moved == row["closing"]


def test_deposits_held_as_of_any_date(books: Books) -> None:
    assert report(books, "deposits", as_of="2026-01-04")["totals"] == {"quantity": 0, "amount": "0.00"}
    assert report(books, "deposits", as_of="2026-01-05")["totals"] == {"quantity": 3, "amount": "180.00"}
    assert report(books, "deposits", as_of="2026-01-20")["totals"] == {"quantity": 2, "amount": "120.00"}
    held = books.client_of(books.admin).get(f"/api/customers/{books.customer.pk}/deposits/").json()
    assert held["total_amount"] == report(books, "deposits")["totals"]["amount"]


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
    assert [line[0] for line in lines] == ["Key", *(row["key"] for row in rows["rows"]), "Total"]
    assert [line[-1] for line in lines[1:]] == [
        *(row["total_amount"] for row in rows["rows"]),
        rows["totals"]["total_amount"],
    ]
    response = client.get("/api/reports/sales-summary/", {"group_by": "customer", "format": "xlsx", **PERIOD})
    sheet = load_workbook(io.BytesIO(response.getvalue())).active
    table = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert [str(Decimal(str(line[-1])).quantize(Decimal("0.01"))) for line in table[1:]] == [
        line[-1] for line in lines[1:]
    ]


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
    for name in ("sales-summary", "gst", "receivables", "deposits"):
        assert report(shop, name)["rows"] == []


def test_reports_change_nothing(books: Books, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        for name in ("sales-summary", "gst", "stock", "conservation", "driver-day", "receivables", "deposits"):
            report(books, name)


def test_a_statement_is_the_office_s(books: Books) -> None:
    url = f"/api/customers/{books.customer.pk}/statement/"
    assert books.client_of(books.driver).get(url).status_code == 403
    pdf = books.client_of(books.admin).get(url, {"format": "pdf", **PERIOD})
    assert (pdf["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert books.client_of(books.admin).get("/api/customers/999999/statement/").status_code == 404


def test_the_period_left_out_is_this_month(shop: Shop) -> None:
    today = clock.business_date(clock.now())
    account = shop.client_of(shop.admin).get(f"/api/customers/{shop.customer.pk}/statement/").json()
    assert (account["date_from"], account["date_to"]) == (str(today.replace(day=1)), str(today))
    assert datetime.now(SINGAPORE).date() == today
