"""At the edges of days and years, and where one thing undoes another: figures on paper, beside the model's."""

from datetime import date, datetime
from decimal import Decimal

import pytest
import time_machine

from tests.model.records import Document
from tests.reports import compared
from tests.reports.company import Company, made, moment
from tests.reports.compared import owed, told
from tests.types import Json

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(stub_pdf: None) -> Company:
    with time_machine.travel(moment("2023-12-29 09:00"), tick=False):
        company = Company()
        company.works("GOODS_IN", company.north, [("C14", "FULL", 40)])
        company.loads(company.ali, [("OUT", "C14", "FULL", 20)])
    return company


def test_the_gst_rate_is_that_of_the_payment_or_else_of_the_document(company: Company) -> None:
    """8 % until 2023, 9 % from 2024."""
    gone: list[Document] = []
    with company.at("2023-12-31 23:59"):
        gone.append(made(company.sells(company.ali, "MONTH", [("SALE", "C14", 1)])))
    with company.at("2024-01-01 00:01"):
        delivered = moment("2023-12-31 23:58")
        company.sells(company.ali, "CASH", [("SALE", "C14", 1)], paid=True, happened=delivered)
        company.sells(company.ali, "MONTH", [("SALE", "C14", 1)], happened=delivered)
        company.voids(gone[0])
        columns = ("month", "gst_rate", "invoiced_tax", "credited_tax")
        assert told(company, "gst", *columns, date_from="2023-12-01", date_to="2024-01-31") == [
            ("2023-12", "8.00", "4.56", "0.00"),
            ("2024-01", "8.00", "0.00", "-2.28"),
            ("2024-01", "9.00", "2.57", "0.00"),
        ]
        # The year's last Sunday and its first Monday are two weeks of two years.
        weeks = told(company, "sales-summary", "key", group_by="week", date_from="2023-12-01", date_to="2024-01-31")
        assert weeks == [("2023-W52",), ("2024-W01",)]
        compared.everything_agrees(company)


def test_credit_that_a_void_set_free_settles_from_the_day_on_which_it_does(company: Company) -> None:
    """INV 1 paid by transfer, void on the 20th; its money settles INV 2 on the 21st. Till then INV 2 was open."""
    with company.at("2024-01-02 10:00"):
        first = made(company.sells(company.ali, "METER", [("SALE", "C14", 1)]))
        transfer = made(company.pays("METER", "31.07", method="BANK_TRANSFER"))
    with company.at("2024-01-10 10:00"):
        company.sells(company.ali, "METER", [("SALE", "C14", 1)])
    with company.at("2024-01-20 10:00"):
        company.voids(first)
    with company.at("2024-01-21 10:00"):
        company.allocates(transfer)
        for day, right in (
            ("2024-01-02", {}),
            ("2024-01-10", {"current": "31.07"}),
            ("2024-01-19", {"current": "31.07"}),
            ("2024-01-20", {"current": "31.07", "credit": "-31.07"}),
            ("2024-01-21", {}),
        ):
            assert owed(company, "METER", day) == right, day
            compared.receivables_agree(company, date.fromisoformat(day))


def test_what_is_entered_later_changes_no_day_that_has_passed(company: Company) -> None:
    """A transfer of the 3rd, entered on the 6th, after the cheque that paid the same invoice on the 4th had bounced."""
    with company.at("2024-01-02 10:00"):
        company.sells(company.ali, "METER", [("SALE", "C14", 1)])
    with company.at("2024-01-04 10:00"):
        cheque = made(company.pays("METER", "31.07", method="CHEQUE"))
    with company.at("2024-01-06 10:00"):
        company.reverses(cheque)
        company.pays("METER", "31.07", received_on=date(2024, 1, 3))
        assert owed(company, "METER", "2024-01-03") == {"current": "31.07", "entered_later": "31.07"}
        assert owed(company, "METER", "2024-01-05") == {"entered_later": "31.07"}
        assert owed(company, "METER", "2024-01-06") == {}
        payer = company.customers["METER"]
        compared.statement_agrees(company, payer, date(2024, 1, 1), date(2024, 1, 5))
        # A statement of that day that was sent then says the same today.
        account = company.get(f"customers/{company.pk(payer)}/statement/", date_from="2024-01-05", date_to="2024-01-05")
        assert (account["opening_balance"], account["closing_balance"]) == ("0.00", "0.00")
        today = company.get(f"customers/{company.pk(payer)}/statement/", date_from="2024-01-06", date_to="2024-01-06")
        assert [(entry["date"], entry["details"]) for entry in today["entries"]] == [
            ("2024-01-06", f"Cheque (reverses PAY-{company.pk(cheque):06d})"),
            ("2024-01-06", "PayNow (of 3 Jan 2024)"),
        ]


def test_what_paid_for_a_sale_that_was_entered_later_too_is_not_beside_what_was_owed(company: Company) -> None:
    """A cash sale of the 3rd that came on the 6th; then one for which more was taken than it comes to."""
    with company.at("2024-01-06 10:00"):
        company.sells(company.ali, "METER", [("SALE", "C14", 1)], paid=True, happened=moment("2024-01-03 10:00"))
        for day in ("2024-01-03", "2024-01-05", "2024-01-06"):
            assert owed(company, "METER", day) == {}
            compared.receivables_agree(company, date.fromisoformat(day))
        company.sells(company.ali, "METER", [("SALE", "C14", 1)], taken="more", happened=moment("2024-01-04 10:00"))
        more = owed(company, "METER", "2024-01-06")["credit"]
        assert owed(company, "METER", "2024-01-05") == {"entered_later": more.removeprefix("-")}
        compared.receivables_agree(company, date(2024, 1, 5))


def test_a_driver_s_day_is_that_of_the_vehicle_of_that_day(company: Company) -> None:
    with company.at("2024-01-02 10:00"):
        sale = made(company.sells(company.ali, "CASH", [("SALE", "C14", 1)]))
        company.changes_vehicle(company.ali, "GBC3C")
    with company.at("2024-01-03 10:00"):
        company.loads(company.ali, [("OUT", "C14", "FULL", 2)])
        company.voids(sale)  # of what was sold from the other vehicle
        for day in (date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 3)):
            compared.driver_day_agrees(company, company.ali, day)


def test_cash_is_of_the_day_on_which_it_was_entered_and_in_the_bag_since(company: Company) -> None:
    with company.at("2024-01-04 08:00"):
        company.pays("CASH", "5.00", to=company.ali, method="CASH", received_on=date(2024, 1, 3))
        for day, cash in ((3, "0.00"), (4, "5.00")):
            asked: Json = {"driver": company.pk(company.ali), "date": f"2024-01-0{day}"}
            figures = company.get("reports/driver-day/", **asked)["figures"]
            assert {figure["name"]: figure["value"] for figure in figures}["cash"] == cash
            compared.driver_day_agrees(company, company.ali, date(2024, 1, day))


def test_the_bag_of_a_day_is_that_of_its_end(company: Company) -> None:
    """Taken on the 2nd, counted that evening, signed off on the 3rd, on which more was taken: whenever it is asked."""
    with company.at("2024-01-02 10:00"):
        company.pays("CASH", "5.00", to=company.ali, method="CASH")
        company.spends(company.ali, "2.00")
    with company.at("2024-01-02 18:00"):
        day_end, _ = made(company.counts_day(company.ali, "3.00", [("C14", "FULL", 20)]))
    with company.at("2024-01-03 09:00"):
        company.signs_off(day_end)
        company.pays("CASH", "7.00", to=company.ali, method="CASH")
        company.pays("CASH", "9.00", to=company.ben, method="CASH")
        company.spends(company.ali, "1.00")
        company.spends(company.ben, "4.00")
    with company.at("2024-01-04 09:00"):
        company.pays("CASH", "11.00", to=company.ali, method="CASH")
        for day, in_bag in ((1, "0.00"), (2, "3.00"), (3, "6.00"), (4, "17.00")):
            asked: Json = {"driver": company.pk(company.ali), "date": f"2024-01-0{day}"}
            figures = company.get("reports/driver-day/", **asked)["figures"]
            assert {figure["name"]: figure["value"] for figure in figures}["cash_in_bag"] == in_bag, day
            compared.driver_day_agrees(company, company.ali, date(2024, 1, day))


def test_a_void_of_a_refund_bills_again_and_what_it_paid_out_is_owed(company: Company) -> None:
    with company.at("2024-01-02 10:00"):
        company.sells(company.ali, "CASH", [("SALE", "C14", 1), ("DEPOSIT", "C14", 1)], paid=True)
        refund = made(company.sells(company.ali, "CASH", [("RETURN", "C14", 1)]))
        company.pays_document(refund, "20.00", to=company.ali)
    with company.at("2024-01-03 10:00"):
        again = made(company.voids(refund))
        assert (again.number, again.total) == ("INV-20240103-000001", Decimal("60.00"))
        assert owed(company, "CASH", "2024-01-02") == {"credit": "-40.00"}
        assert owed(company, "CASH", "2024-01-03") == {"current": "20.00"}
        compared.everything_agrees(company)


def test_what_comes_back_without_money_is_noted_and_not_billed(company: Company) -> None:
    """Neither an invoice nor a credit note, also where the meter was read and hasn't moved; nor is its void."""
    with company.at("2024-01-02 10:00"):
        company.sells(company.ali, "METER", [("SALE", "C14", 2)])
    with company.at("2024-02-01 10:00"):
        notes = [made(company.sells(company.ali, "METER", [("RETURN", "C14", 1)], usage=used)) for used in (None, "0")]
        notes += [made(company.voids(note)) for note in notes]
        assert [note.number for note in notes] == [f"COL-20240201-00000{number}" for number in (1, 2, 3, 4)]
        february = {"date_from": "2024-02-01", "date_to": "2024-02-29"}
        assert told(company, "gst", "month", **february) == []
        assert told(company, "sales-summary", "key", group_by="driver", **february) == []
        columns = ("key", "type", "quantity", "subtotal")
        assert told(company, "sales-summary", *columns, group_by="equipment", **february) == [
            ("C14", "RETURN", 0, "0.00")
        ]
        compared.everything_agrees(company)


def test_deposits_are_told_by_how_long_ago_they_were_charged(company: Company) -> None:
    columns = ("quantity", "amount", "up_to_1_year", "up_to_2_years", "up_to_3_years", "older")
    with company.at("2023-12-29 10:00"):
        company.sells(company.ali, "CASH", [("SALE", "C14", 3), ("DEPOSIT", "C14", 2)], paid=True)
        company.deposit_is("C14", "75.50")
    with company.at("2024-12-28 10:00"):
        assert told(company, "deposits", *columns) == [(2, "120.00", "120.00", "0.00", "0.00", "0.00")]
        company.sells(company.ali, "CASH", [("SALE", "C14", 1), ("DEPOSIT", "C14", 1)], paid=True)
    with company.at("2024-12-29 10:00"):
        assert told(company, "deposits", *columns) == [(3, "195.50", "75.50", "120.00", "0.00", "0.00")]
        # One was lent without a deposit: it goes first, then the older ones.
        company.sells(company.ali, "CASH", [("RETURN", "C14", 2)], paid=True)
        assert told(company, "deposits", *columns) == [(2, "135.50", "75.50", "60.00", "0.00", "0.00")]
        assert told(company, "deposits", *columns, as_of="2024-12-28")[0][0] == 3
        compared.everything_agrees(company)
    for day, right in (
        ("2025-12-28", ("75.50", "60.00", "0.00", "0.00")),  # after 365 and 730 days
        ("2025-12-29", ("0.00", "75.50", "60.00", "0.00")),
        ("2026-12-29", ("0.00", "0.00", "75.50", "60.00")),
    ):
        with company.at(f"{day} 10:00"):
            assert told(company, "deposits", *columns) == [(2, "135.50", *right)]
            compared.deposits_agree(company, date.fromisoformat(day))


def test_moments_are_taken_with_their_offset(company: Company) -> None:
    """Midnight in Singapore is 16:00 UTC of the day before."""
    with company.at("2024-01-02 00:00"):
        company.sells(company.ali, "CASH", [("SALE", "C14", 3)])
    before, after = datetime(2024, 1, 1, 15, 59, 59), datetime(2024, 1, 1, 16, 0, 0)  # noqa: DTZ001 -- told as UTC
    with company.at("2024-01-02 08:00"):
        for utc, vehicles in ((before, 20), (after, 17)):
            rows = told(company, "conservation", "vehicles", at=f"{utc.isoformat()}Z")
            assert rows == [(vehicles,)]
