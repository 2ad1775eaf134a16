"""Figures of what was asked for alone: of one customer, of the day's last vehicle, to the cent."""

from decimal import Decimal

import pytest

from reports.report import Column, Figure, Kind, Report, money
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
