"""A winter's history with figures that can be worked out on paper, held against the model as well, day by day."""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine

from tests.conftest import KeptWorld
from tests.model import accounts, sales, stock
from tests.model.records import day_of
from tests.reports import compared
from tests.reports.company import Company, made, moment
from tests.reports.compared import owed, told
from tests.types import Json

pytestmark = pytest.mark.django_db

END = "2026-03-02 09:00"


@pytest.fixture(scope="module")
def winter(kept_world: KeptWorld) -> Iterator[Company]:
    """From January to March 2026, at 9 % GST. 4 January and 1 February are Sundays.

    MONTH pays within 30 days and METER within 14, CASH at once. A C14 costs 28.50 (deposit 60.00), a C09 8.50 (none),
    a C50 120.05; a unit of gas 2.15.
    """
    with kept_world.being_made(), time_machine.travel(moment("2026-01-02 08:00"), tick=False) as clock:

        def when(text: str) -> None:
            clock.move_to(moment(text))

        company = Company()
        ali, ben = company.ali, company.ben
        company.works("GOODS_IN", company.north, [("C14", "FULL", 40), ("C09", "FULL", 40), ("C50", "FULL", 10)])
        company.works("GOODS_IN", company.south, [("C14", "FULL", 20)])
        company.loads(ali, [("OUT", "C14", "FULL", 20), ("OUT", "C09", "FULL", 20), ("OUT", "C50", "FULL", 5)])
        company.loads(ben, [("OUT", "C14", "FULL", 10)])

        when("2026-01-04 23:59")  # 25.50 + 2.30 = 27.80, due on 3 February. By line it would be 2.31.
        company.sells(ali, "MONTH", [("SWAP", "C09", 1), ("SALE", "C09", 1), ("SERVICE", "C09", 1)])
        when("2026-01-05 00:01")  # 7.90 at 2.15 is 16.985: 16.99 + 1.53 = 18.52, due on 19 January
        company.sells(ali, "METER", usage="7.90")
        when("2026-01-05 10:00")  # 57.00 + 5.13 and two deposits: 182.13 in cash
        company.sells(ali, "CASH", [("SALE", "C14", 2), ("DEPOSIT", "C14", 2)], paid=True)
        when("2026-01-20 10:00")  # one comes back: 60.00 paid out
        company.sells(ali, "CASH", [("RETURN", "C14", 1)], paid=True)
        # 114.00 + 10.26 = 124.26, due on 3 February
        wrong = made(company.sells(ben, "METER", [("SALE", "C14", 4)]))
        when("2026-01-20 16:00")  # settles the 18.52, and 81.48 of the 124.26
        cheque = made(company.pays("METER", "100.00", method="CHEQUE"))
        when("2026-01-31 23:59")  # 120.05 + 10.80 = 130.85, due on 2 March
        company.sells(ali, "MONTH", [("SALE", "C50", 1)])
        when("2026-02-01 00:01")  # 107.50 + 9.68 = 117.18, due on 3 March
        company.sells(ali, "MONTH", usage="50.00")
        when("2026-02-03 10:00")  # the 124.26 is void; 81.48 are credit
        company.voids(wrong)
        when("2026-02-10 10:00")  # the cheque has bounced: the 18.52 are open again
        company.reverses(cheque)
        when("2026-02-12 11:00")  # 8.52 are left
        company.pays("METER", "10.00", to=ali, method="CASH")
        when("2026-02-12 18:00")  # 182.13 - 60.00 + 10.00 = 132.13 should be in the bag; a full C14 is missing
        counted = [("C14", "FULL", 17), ("C14", "EMPTY", 1), ("C09", "FULL", 18), ("C09", "EMPTY", 1), ("C50", "FULL", 4)]  # fmt: skip
        day_end, answer = made(company.counts_day(ali, "132.10", counted))
        compared.day_end_agrees(company, ali, answer)
        when("2026-02-12 19:00")
        company.signs_off(day_end)
        when("2026-02-13 10:00")  # 28.50 + 2.57 = 31.07 in cash
        company.sells(ali, "CASH", [("SALE", "C14", 1)], paid=True)
        when("2026-02-14 10:00")  # settles 27.80, 130.85, and 41.35 of the 117.18
        company.pays("MONTH", "200.00")
        when(END)  # delivered on 28 February: 31.07, due on 1 April
        company.sells(ali, "MONTH", [("SALE", "C14", 1)], happened=moment("2026-02-28 23:30"))
        yield company


@pytest.fixture
def today(winter: Company) -> Iterator[Company]:
    with winter.at(END):
        yield winter


def days_of_interest(company: Company) -> list[date]:
    """Each on which something happened or was due, the one before and the one after."""
    books = company.books
    days = {day_of(movement.when) for movement in books.movements}
    days |= {day for document in books.documents for day in (document.day, document.due_on)}
    days |= {payment.entered_on for payment in books.payments}
    return sorted({day + timedelta(days=near) for day in days for near in (-1, 0, 1)})


# --- Sales -----------------------------------------------------------------------------------------------


WINTER = {"date_from": "2026-01-01", "date_to": "2026-03-31"}


def test_weeks_begin_on_monday(today: Company) -> None:
    weeks = told(today, "sales-summary", "key", "name", "total_amount", group_by="week", **WINTER)
    assert weeks[:2] == [
        ("2026-W01", "Week from 2025-12-29", "27.80"),
        ("2026-W02", "Week from 2026-01-05", "200.65"),  # 18.52 + 182.13
    ]
    # 130.85 on Saturday 31 January and 117.18 on the Sunday; the void of the Tuesday belongs to the week after.
    assert weeks[3:5] == [
        ("2026-W05", "Week from 2026-01-26", "248.03"),
        ("2026-W06", "Week from 2026-02-02", "-124.26"),
    ]


def test_months_end_at_midnight_in_singapore_and_a_late_sale_counts_when_it_is_known(today: Company) -> None:
    months = told(today, "sales-summary", "key", "invoices", "credit_notes", "total_amount", group_by="month", **WINTER)
    assert months == [
        ("2026-01", 5, 1, "423.56"),  # 27.80 + 18.52 + 182.13 - 60.00 + 124.26 + 130.85
        ("2026-02", 2, 1, "23.99"),  # 117.18 - 124.26 + 31.07
        ("2026-03", 1, 0, "31.07"),
    ]


def test_the_gst_return(today: Company) -> None:
    columns = ("month", "gst_rate", "invoiced_supplies", "invoiced_tax", "credited_supplies", "credited_tax", "standard_rated_supplies", "output_tax", "outside_gst")  # fmt: skip
    assert told(today, "gst", *columns, **WINTER) == [
        ("2026-01", "9.00", "333.54", "30.02", "0.00", "0.00", "333.54", "30.02", "60.00"),
        ("2026-02", "9.00", "136.00", "12.25", "-114.00", "-10.26", "22.00", "1.99", "0.00"),
        ("2026-03", "9.00", "28.50", "2.57", "0.00", "0.00", "28.50", "2.57", "0.00"),
    ]


def test_sales_by_equipment(today: Company) -> None:
    assert told(today, "sales-summary", "key", "type", "quantity", "subtotal", group_by="equipment", **WINTER) == [
        ("C09", "SALE", 1, "8.50"),
        ("C09", "SERVICE", 1, "8.50"),
        ("C09", "SWAP", 1, "8.50"),
        ("C14", "DEPOSIT", 2, "120.00"),
        ("C14", "RETURN", 1, "-60.00"),
        ("C14", "SALE", 4, "114.00"),
        ("C50", "SALE", 1, "120.05"),
        ("METER", "USAGE", None, "124.49"),  # 16.99 + 107.50
    ]


def test_sales_of_any_period_are_the_model_s(today: Company) -> None:
    for first, last in (("2026-01-01", "2026-03-31"), ("2026-01-05", "2026-01-31"), ("2026-02-01", "2026-02-03")):
        period = date.fromisoformat(first), date.fromisoformat(last)
        compared.sales_agree(today, *period)
        north = [person for person in today.people if person.depot is today.north]
        compared.sales_agree(today, *period, by=today.supervisor, sellers=north)
        compared.sales_agree(today, *period, by=today.dee, sellers=[today.dee])


# --- What is owed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "bucket"),
    [
        ("2026-03-03", "current"),  # due today
        ("2026-03-04", "days_1_30"),
        ("2026-04-02", "days_1_30"),  # 30 days
        ("2026-04-03", "days_31_60"),
        ("2026-05-02", "days_31_60"),  # 60 days
        ("2026-05-03", "days_61_90"),
        ("2026-06-01", "days_61_90"),  # 90 days
        ("2026-06-02", "days_over_90"),
    ],
)
def test_a_debt_grows_old(today: Company, day: str, bucket: str) -> None:
    """75.83 of the 117.18 were due on 3 March."""
    rows = owed(today, "MONTH", day)
    assert Decimal(rows[bucket]) - (Decimal("31.07") if rows.keys() == {bucket} else 0) == Decimal("75.83")


@pytest.mark.parametrize(
    ("day", "right"),
    [
        ("2026-01-04", {}),
        ("2026-01-05", {"current": "18.52"}),
        ("2026-01-19", {"current": "18.52"}),
        ("2026-01-20", {"current": "42.78"}),  # the older one is settled first: 124.26 - 81.48
        ("2026-02-02", {"current": "42.78"}),  # whatever became of it later
        ("2026-02-03", {"credit": "-81.48"}),  # void
        ("2026-02-09", {"credit": "-81.48"}),
        ("2026-02-10", {"days_1_30": "18.52"}),  # bounced
        ("2026-02-12", {"days_1_30": "8.52"}),
        ("2026-03-02", {"days_31_60": "8.52"}),
    ],
)
def test_what_was_owed_on_an_earlier_day_stays_what_it_was(today: Company, day: str, right: dict[str, str]) -> None:
    assert owed(today, "METER", day) == right


def test_receivables_of_any_day_are_the_model_s(today: Company) -> None:
    for day in days_of_interest(today):
        compared.receivables_agree(today, day)
    compared.receivables_agree(today, date(2026, 2, 20), today.supervisor, [today.ali, today.cho, today.supervisor])


def test_a_statement_of_account(today: Company) -> None:
    today.learns_receipts()
    cheque, bounced, cash = (f"PAY-{today.pk(today.books.payments[at]):06d}" for at in (2, 3, 4))
    customer = today.customers["METER"]
    account = today.get(f"customers/{today.pk(customer)}/statement/", date_from="2026-01-20", date_to="2026-02-28")
    assert account["opening_balance"] == "18.52"
    columns = ("date", "kind", "number", "details", "due_on", "amount", "balance")
    assert [tuple(entry[column] for column in columns) for entry in account["entries"]] == [
        ("2026-01-20", "INVOICE", "INV-20260120-000001", "", "2026-02-03", "124.26", "142.78"),
        ("2026-01-20", "PAYMENT", cheque, "Cheque", None, "-100.00", "42.78"),
        ("2026-02-03", "CREDIT_NOTE", "CN-20260203-000001", "", None, "-124.26", "-81.48"),
        ("2026-02-10", "PAYMENT", bounced, f"Cheque (reverses {cheque})", None, "100.00", "18.52"),
        ("2026-02-12", "PAYMENT", cash, "Cash", None, "-10.00", "8.52"),
    ]
    assert account["closing_balance"] == "8.52"
    assert {name: amount for name, amount in account["ageing"].items() if amount != "0.00"} == {"days_31_60": "8.52"}


def test_statements_of_any_period_are_the_model_s(today: Company) -> None:
    days = days_of_interest(today)
    for customer in today.books.customers:
        for first, last in zip(days[::3], days[2::3], strict=False):
            compared.statement_agrees(today, customer, first, last)
        compared.statement_agrees(today, customer, days[0], days[-1])


def test_every_document_and_payment_has_what_is_left_of_it(today: Company) -> None:
    compared.accounts_agree(today)
    compared.front_page_agrees(today)


# --- Deposits, stock, a driver's day ---------------------------------------------------------------------


def test_deposits_held(today: Company) -> None:
    columns = ("customer_code", "sku", "quantity", "amount")
    assert told(today, "deposits", *columns, as_of="2026-01-04") == []
    assert told(today, "deposits", *columns, as_of="2026-01-05") == [("CASH", "C14", 2, "120.00")]
    assert told(today, "deposits", *columns, as_of="2026-01-20") == [("CASH", "C14", 1, "60.00")]
    for day in days_of_interest(today):
        compared.deposits_agree(today, day)


def test_stock_of_any_moment_is_the_model_s(today: Company) -> None:
    for when in sorted({movement.when for movement in today.books.movements}):
        compared.stock_agrees(today, when - timedelta(microseconds=1))
        compared.stock_agrees(today, when)
    compared.stock_agrees(today)


def test_conservation(today: Company) -> None:
    columns = ("sku", "depots", "vehicles", "customers", "field", "outside", "total")
    # Of 60 C14, 26 were left at the depots and one is missing since 12 February; a customer gave one back.
    assert told(today, "conservation", *columns, at="2026-02-12T18:30:00+08:00") == [
        ("C09", 20, 19, 1, 0, -40, 0),
        ("C14", 30, 29, 1, 0, -60, 0),
        ("C50", 5, 4, 1, 0, -10, 0),
    ]
    assert told(today, "conservation", *columns, at="2026-02-12T19:00:00+08:00")[1] == ("C14", 30, 28, 1, 0, -59, 0)


def test_a_driver_s_day(today: Company) -> None:
    """The count of 12 February found one less; its 132.13 were handed in by the evening, and not the day before."""
    day = today.get("reports/driver-day/", driver=today.pk(today.ali), date="2026-02-12")
    methods = ("cash", "paynow", "card", "cheque", "bank_transfer")
    nothing = [
        "cash_rounding",
        "expenses",
        *(f"{method}_{way}" for method in methods for way in ("taken", "paid_back")),
    ]
    assert {figure["name"]: figure["value"] for figure in day["figures"]} == {
        "documents": "0",
        "subtotal": "0.00",
        "gst_amount": "0.00",
        "total_amount": "0.00",
        "cash": "10.00",
        "other_payments": "0.00",
        "cash_rounding": "0.00",
        "goodwill": "0.00",
        "cash_in_bag": "0.00",
        **dict.fromkeys(nothing, "0.00"),
        "cash_taken": "10.00",
        "cash_expected": "10.00",
    }
    for before_or_after, in_bag in (("2026-02-11", "122.13"), ("2026-02-13", "31.07")):
        figures = today.get("reports/driver-day/", driver=today.pk(today.ali), date=before_or_after)["figures"]
        assert {figure["name"]: figure["value"] for figure in figures}["cash_in_bag"] == in_bag
    columns = ("sku", "condition", "opening", "loaded", "delivered", "collected", "unloaded", "other", "closing")
    rows = [tuple(row[column] for column in columns) for row in day["rows"] if row["sku"] == "C14"]
    assert rows == [("C14", "EMPTY", 1, 0, 0, 0, 0, 0, 1), ("C14", "FULL", 18, 0, 0, 0, 0, -1, 17)]


def test_any_day_of_any_driver_is_the_model_s(today: Company) -> None:
    for driver in today.drivers:
        for day in days_of_interest(today)[::2]:
            compared.driver_day_agrees(today, driver, day)


# --- Files -----------------------------------------------------------------------------------------------


def test_the_files_say_what_the_model_says(today: Company) -> None:
    books, day, first = today.books, today.today, date(2026, 1, 1)
    period = {"date_from": first, "date_to": day}
    vehicle = stock.vehicle_day(books, today.ali.vehicle, day, list(today.items.values()))
    files: list[tuple[str, list[Json], Json]] = [
        ("sales-summary", sales.sales_by(books, "driver", first, day), {"group_by": "driver", **period}),
        ("gst", sales.gst(books, first, day), period),
        ("receivables", accounts.receivables(books, day), {}),
        ("deposits", accounts.deposits(books, day), {}),
        ("stock", stock.stock(books), {}),
        ("conservation", stock.conservation(books), {}),
        ("driver-day", vehicle, {"driver": today.pk(today.ali)}),
    ]
    for name, rows, asked in files:
        response = today.get(f"reports/{name}/", format="csv", **asked)
        text = response.getvalue().decode("utf-8-sig")
        table = list(csv.reader(io.StringIO(text)))
        assert table[1 : len(rows) + 1] == [[str(value) for value in compared.plain(row).values()] for row in rows]
        sums = [compared.as_told(sum(row[c] for row in rows)) for c in rows[0] if is_summed(rows[0], c)]
        assert [cell for cell in table[len(rows) + 1][1:] if cell] == [str(value) for value in sums], name


def is_summed(row: Json, column: str) -> bool:
    return not isinstance(row[column], str) and column != "gst_rate"
