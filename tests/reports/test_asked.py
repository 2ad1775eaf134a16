"""Figures of what was asked for alone: of one customer, of the day's last vehicle, to the cent."""

from datetime import date, datetime
from decimal import Decimal
from functools import partial
from io import BytesIO

import pytest
import time_machine
from pypdf import PdfReader

from foundation.clock import SINGAPORE
from reports.figures import statement
from reports.report import Column, Figure, Kind, Report, money
from reports.statements import _context, print_statement
from tests.conftest import Shop
from tests.factories import CustomerFactory, DriverFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["receivables", "deposits"])
def test_a_report_on_one_customer_tells_of_no_other(shop: Shop, name: str) -> None:
    other = CustomerFactory()
    for customer in (shop.customer, other):
        shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}, customer=customer.pk)
    office, url = shop.client_of(shop.admin), f"/api/reports/{name}/"
    assert len(office.get(url).json()["rows"]) == 2
    [row] = office.get(url, {"customer": other.pk}).json()["rows"]
    assert row["customer_code"] == other.customer_code
    assert office.get(url, {"customer": other.pk, "as_of": "2026-01-01"}).json()["rows"] == []


def test_a_day_is_that_of_its_last_vehicle(shop: Shop) -> None:
    other, newest = DriverFactory().vehicle_no, DriverFactory().vehicle_no
    shop.count("vehicle", other, 5)
    for plate in (other, newest):
        assert shop.sell({"type": "SALE"}).status_code == 201
        shop.driver.vehicle_no = plate
        shop.driver.save()
    day = shop.client_of(shop.driver).get("/api/reports/driver-day/").json()
    assert [(row["condition"], row["closing"]) for row in day["rows"]] == [("FULL", 4)]


def test_amounts_are_told_in_cents_whatever_the_database_adds_them_up_to() -> None:
    table = Report(
        name="x",
        title="X",
        parameters={},
        columns=(Column("code", "Code"), money("amount", "Amount")),
        rows=[{"code": "a", "amount": Decimal("0.1")}, {"code": "b", "amount": Decimal("0.2000000000000001")}],
        figures=[Figure("sum", "Sum", Kind.MONEY, Decimal("0.30000000000000004"))],
    )
    assert [str(row["amount"]) for row in table.rows] == ["0.10", "0.20"]
    assert [str(value) for value in table.totals.values()] == ["0.30"]
    assert [str(figure.value) for figure in table.figures] == ["0.30"]


def test_a_file_bears_singapore_s_date(shop: Shop) -> None:
    # In UTC it is still the 19th.
    with time_machine.travel(datetime(2026, 1, 20, 7, 30, tzinfo=SINGAPORE), tick=False):
        answer = shop.client_of(shop.admin).get("/api/reports/stock/", {"format": "csv"})
    assert answer["Content-Disposition"] == 'attachment; filename="stock-2026-01-20.csv"'


def test_a_statement_says_what_is_to_be_paid_and_in_whose_favour(shop: Shop) -> None:
    client = shop.client_of(shop.admin)
    account = partial(statement, shop.customer, date_from=date(2026, 1, 1), date_to=date(2099, 1, 1))
    shop.sell({"type": "SALE"})
    owed = _context(account())
    assert (owed["closing_label"], owed["closing"], owed["opening"]) == ("You owe", "31.07", "0.00")
    assert str(owed["fact_values"]).splitlines()[1:] == ["Cash", "S$ 31.07"]
    paid = {"customer": shop.customer.pk, "method": "CHEQUE", "amount": "40.00"}
    assert client.post("/api/payments/", paid).status_code == 201
    credit = _context(account())
    assert (credit["closing_label"], credit["closing"]) == ("In your favour", "8.93")
    assert str(credit["fact_values"]).splitlines()[2] == "S$ 0.00"


def test_a_statement_is_printed_on_its_singapore_date(shop: Shop) -> None:
    with time_machine.travel(datetime(2026, 1, 20, 7, 30, tzinfo=SINGAPORE), tick=False):
        account = statement(shop.customer, date_from=date(2026, 1, 1), date_to=date(2026, 1, 20))
        assert str(_context(account)["fact_values"]).splitlines()[0] == "20 Jan 2026"
        pdf = PdfReader(BytesIO(print_statement(account)))
    assert pdf.metadata is not None
    assert pdf.metadata.creation_date == datetime(2026, 1, 20, 7, 30, tzinfo=SINGAPORE)
