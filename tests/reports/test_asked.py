"""Figures of what was asked for alone: of one customer, of the day's last vehicle, to the cent."""

from datetime import date, datetime
from decimal import Decimal
from functools import partial
from io import BytesIO

import pytest
import time_machine
from pypdf import PdfReader

from accounts.models import User
from foundation.access.capabilities import Role
from foundation.clock import SINGAPORE
from reports.figures import statement
from reports.report import Column, Figure, Kind, Report, money
from reports.statements import _context, print_statement
from tests.conftest import Shop
from tests.factories import CustomerFactory, DriverFactory, MeteredCustomerFactory, UserFactory
from tests.types import Json

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["receivables", "deposits"])
def test_a_report_on_one_customer_tells_of_no_other(shop: Shop, name: str) -> None:
    other = CustomerFactory()
    for customer in (shop.customer, other):
        shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}, customer=customer.pk)
    office, url = shop.client_of(shop.admin), f"/api/reports/{name}/"
    assert len(office.get(url).json()["rows"]) == 2
    asked = f"{url}?customer={other.pk}"
    [row] = office.get(asked).json()["rows"]
    assert row["customer_code"] == other.customer_code
    assert office.get(f"{asked}&as_of=2026-01-01").json()["rows"] == []


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
    assert values_of(owed)[1:] == ["Cash", "S$ 31.07"]
    paid = {"customer": shop.customer.pk, "method": "CHEQUE", "amount": "40.00"}
    assert client.post("/api/payments/", paid).status_code == 201
    credit = _context(account())
    assert (credit["closing_label"], credit["closing"]) == ("In your favour", "8.93")
    assert values_of(credit)[2] == "S$ 0.00"


def values_of(context: dict[str, object]) -> list[str]:
    """The facts beside the customer."""
    facts = context["facts"]
    assert isinstance(facts, tuple)
    return [value for _, value in facts]


def test_a_statement_is_printed_on_its_singapore_date(shop: Shop) -> None:
    with time_machine.travel(datetime(2026, 1, 20, 7, 30, tzinfo=SINGAPORE), tick=False):
        account = statement(shop.customer, date_from=date(2026, 1, 1), date_to=date(2026, 1, 20))
        assert values_of(_context(account))[0] == "20 Jan 2026"
        pdf = PdfReader(BytesIO(print_statement(account)))
    assert pdf.metadata is not None
    assert pdf.metadata.creation_date == datetime(2026, 1, 20, 7, 30, tzinfo=SINGAPORE)


def at(day: str) -> time_machine.travel:
    return time_machine.travel(datetime.fromisoformat(f"{day}T10:00:00+08:00"), tick=False)


def rows_of(shop: Shop, name: str, by: User | None = None, **asked: str) -> list[Json]:
    rows: list[Json] = shop.client_of(by or shop.admin).get(f"/api/reports/{name}/", asked).json()["rows"]
    return rows


def test_a_week_is_of_the_year_that_most_of_its_days_are_of(shop: Shop) -> None:
    """ISO 8601: the first days of January 2027 are of the last week of 2026."""
    with at("2027-01-01"):
        shop.sell({"type": "SALE"})
        [week] = rows_of(shop, "sales-summary", group_by="week", date_from="2026-12-01", date_to="2027-01-31")
    assert (week["key"], week["name"]) == ("2026-W53", "Week from 2026-12-28")


def test_what_a_meter_billed_is_told_without_what_was_sold_beside_it(shop: Shop) -> None:
    metered = MeteredCustomerFactory(last_meter_reading="100.00")
    shop.sell({"type": "SALE"}, customer=metered.pk, current_meter="110.00")
    lines = [(row["key"], row["subtotal"]) for row in rows_of(shop, "sales-summary", group_by="equipment")]
    assert lines == [(shop.cylinder.sku, "28.50"), ("METER", "21.50")]


def test_a_refund_is_credit_until_it_is_void(shop: Shop) -> None:
    with at("2026-01-05"):
        shop.sell({"type": "DEPOSIT"}, {"type": "SALE"}, payment_received=True)
    with at("2026-01-06"):
        refund = shop.sell({"type": "RETURN"}).json()["transaction"]["id"]
    with at("2026-01-08"):
        void = shop.client_of(shop.admin).post(f"/api/transactions/{refund}/void/", {"reason": "x"})
        assert void.status_code == 201
        asked = {"date_from": "2026-01-01", "date_to": "2026-01-07"}
        account = shop.client_of(shop.admin).get(f"/api/customers/{shop.customer.pk}/statement/", asked).json()
        assert {name: amount for name, amount in account["ageing"].items() if amount != "0.00"} == {"credit": "-60.00"}
        for day, credit in (("2026-01-05", []), ("2026-01-07", ["-60.00"]), ("2026-01-08", [])):
            owed = rows_of(shop, "receivables", as_of=day)
            assert [(row["credit"], row["current"], row["total"]) for row in owed] == [
                (amount, "0.00", amount) for amount in credit
            ], day


def test_what_is_owed_to_other_depots_is_not_told(shop: Shop) -> None:
    shop.sell({"type": "SALE"})
    assert rows_of(shop, "receivables", UserFactory(role=Role.SUPERVISOR)) == []
    assert len(rows_of(shop, "receivables", UserFactory(role=Role.SUPERVISOR, depot=shop.depot))) == 1
