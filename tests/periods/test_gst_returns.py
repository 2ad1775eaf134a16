"""In which GST period a document counts, and what becomes of what turns up after its return was filed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from equipment.models import Equipment
from foundation import clock
from foundation.access.capabilities import Role
from invoices.models import GstRate
from tests.conftest import Shop, error_of, post_confirmed
from tests.factories import EquipmentFactory, UserFactory
from tests.types import Json, Unchanged

pytestmark = pytest.mark.django_db

Q1, Q2 = ("2025-01-01", "2025-03-31"), ("2025-04-01", "2025-06-30")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


@dataclass
class Quarter:
    """Sales of a service, which no stock limits, and the returns that declare them."""

    shop: Shop
    travel: Any
    service: Equipment

    def go(self, moment: str) -> None:
        self.travel.move_to(at(moment), tick=False)

    def sell(self, amount: str = "100.00", **more: Any) -> Json:
        body = {
            "customer": self.shop.customer.pk,
            "items": [{"equipment": self.service.pk, "type": "SERVICE", "quantity": 1, "rate": amount}],
            **more,
        }
        answer = post_confirmed(self.shop.client_of(self.shop.admin), "/api/transactions/", body)
        assert answer.status_code == 201, answer.json()
        invoice: Json = answer.json()["invoice"]
        return invoice

    def late(self, amount: str = "100.00", when: str = "2025-03-31T16:00:00") -> Json:
        """Paid in cash in the quarter before."""
        return self.sell(amount, payment_received=True, occurred_at=f"{when}+08:00")

    def file(self, period: tuple[str, str], form: str = "F5", **more: Any) -> Json:
        answer = self.try_to_file(period, form, **more)
        assert answer.status_code == 201, answer.json()
        filed: Json = answer.json()
        return filed

    def try_to_file(self, period: tuple[str, str], form: str = "F5", **more: Any) -> Any:
        body = {"form": form, "starts_on": period[0], "ends_on": period[1], **more}
        return self.shop.client_of(self.shop.admin).post("/api/gst-returns/", body, format="json")

    def boxes(self, period: tuple[str, str] | None = None, **asked: Any) -> tuple[str, str]:
        days = {"date_from": period[0], "date_to": period[1]} if period else {}
        rows = self.report("gst-f5", **days, **asked)["rows"]
        by_box = {row["box"]: row["amount"] for row in rows}
        assert by_box["4"] == by_box["1"] == by_box["13"]
        return by_box["1"], by_box["6"]

    def documents(self, **asked: Any) -> tuple[str, str, int]:
        report = self.report("gst-documents", **asked)
        return report["totals"]["box_1"], report["totals"]["box_6"], len(report["rows"])

    def report(self, name: str, **asked: Any) -> Json:
        answer = self.shop.client_of(self.shop.admin).get(f"/api/reports/{name}/", asked)
        assert answer.status_code == 200, answer.json()
        report: Json = answer.json()
        return report

    def errors(self) -> Json:
        found: Json = self.shop.client_of(self.shop.admin).get("/api/gst-returns/errors/").json()
        return found


@pytest.fixture
def quarter(shop: Shop) -> Iterator[Quarter]:
    with time_machine.travel(at("2025-03-20T09:00:00"), tick=False) as travel:
        yield Quarter(shop, travel, EquipmentFactory(default_rate=None))


def test_a_cash_sale_that_arrives_in_the_next_quarter_counts_in_its_own(quarter: Quarter) -> None:
    """P1."""
    quarter.go("2025-04-02T09:00:00")
    owed = quarter.report("receivables", as_of="2025-03-31")["rows"]
    invoice = quarter.late()
    assert (invoice["date"], invoice["tax_point_on"], invoice["gst_on"]) == ("2025-04-02", "2025-03-31", "2025-03-31")
    assert quarter.boxes(Q1) == ("100.00", "9.00")
    assert quarter.boxes(Q2) == ("0.00", "0.00")
    assert quarter.report("receivables", as_of="2025-03-31")["rows"] == owed
    [payment] = quarter.shop.client_of(quarter.shop.admin).get("/api/payments/").json()["results"]
    assert payment["received_on"] == "2025-03-31"


@pytest.mark.parametrize(
    ("how", "tax_point"),
    [
        ({"tender": [{"method": "CHEQUE", "amount": "109.00"}]}, "2025-04-02"),
        ({"tender": [{"method": "CARD", "amount": "109.00"}]}, "2025-04-02"),
        ({"tender": [{"method": "PAYNOW", "amount": "109.00"}]}, "2025-03-31"),
        ({"tender": [{"method": "CASH", "amount": "50.00"}]}, "2025-03-31"),
        ({"payment_received": True}, "2025-03-31"),
        ({}, "2025-04-02"),
    ],
    ids=["cheque (P5)", "card", "PayNow", "cash in part (P6)", "cash", "owed"],
)
def test_cash_and_paynow_on_the_spot_set_the_tax_point(quarter: Quarter, how: Json, tax_point: str) -> None:
    quarter.go("2025-04-02T09:00:00")
    invoice = quarter.sell(occurred_at="2025-03-31T16:00:00+08:00", **how)
    assert (invoice["tax_point_on"], invoice["gst_on"]) == (tax_point, tax_point)
    assert quarter.boxes(Q1) == (("100.00", "9.00") if tax_point < "2025-04" else ("0.00", "0.00"))


def test_what_turns_up_for_a_filed_quarter_is_its_error_and_is_in_the_next_f5(quarter: Quarter) -> None:
    """P2."""
    quarter.sell("1000.00")
    quarter.go("2025-04-03T09:00:00")
    first = quarter.file(Q1, reference="GST-1")
    assert (first["box_1"], first["box_6"], first["recorded_until"]) == ("1000.00", "90.00", "2025-04-02")
    quarter.late("40.00")
    quarter.sell("500.00")
    assert quarter.errors() == {"periods": [], "net_gst": "0.00", "may_be_in_next_f5": True, "too_much": ""}
    quarter.go("2025-07-20T09:00:00")
    [error] = quarter.errors()["periods"]
    assert (error["starts_on"], error["documents"], error["box_1"], error["box_6"]) == (Q1[0], 1, "40.00", "3.60")
    assert quarter.errors()["may_be_in_next_f5"] is True
    assert quarter.boxes(Q2) == ("540.00", "48.60")
    second = quarter.file(Q2)
    assert (second["box_1"], second["box_6"]) == ("540.00", "48.60")
    assert [(part["starts_on"], part["box_1"]) for part in second["parts"]] == [(Q1[0], "40.00"), (Q2[0], "500.00")]
    quarter.go("2025-07-21T09:00:00")
    assert quarter.errors()["periods"] == []
    assert quarter.boxes(gst_return=first["id"]) == ("1000.00", "90.00")
    assert quarter.documents(gst_return=first["id"]) == ("1000.00", "90.00", 1)
    assert quarter.documents(gst_return=second["id"]) == ("540.00", "48.60", 2)


@pytest.mark.parametrize(
    ("before", "late", "why"),
    [
        ("900000.00", "34000.00", "The net GST in error is S$ 3060.00, more than S$ 3000."),
        ("500000.00", "26000.00", "S$ 26000.00 of supplies in error are more than 5 % of box 4"),
    ],
    ids=["more than S$3,000 (P3)", "more than 5 % of box 4 (P4)"],
)
def test_more_than_the_next_f5_may_correct_needs_an_f7(quarter: Quarter, before: str, late: str, why: str) -> None:
    for _ in range(10):
        quarter.sell(str(Decimal(before) / 10))
    quarter.go("2025-04-03T09:00:00")
    first = quarter.file(Q1)
    quarter.late(late)
    quarter.sell("500.00")
    quarter.go("2025-07-20T09:00:00")
    assert quarter.errors()["may_be_in_next_f5"] is False
    assert quarter.errors()["too_much"].startswith(why)
    assert quarter.boxes(Q2) == ("500.00", "45.00")
    asked = quarter.try_to_file(Q2)
    assert error_of(asked)[:2] == (409, "errors_left_out")
    body = {"form": "F5", "starts_on": Q2[0], "ends_on": Q2[1]}
    second = post_confirmed(quarter.shop.client_of(quarter.shop.admin), "/api/gst-returns/", body).json()
    assert (second["box_1"], second["box_6"]) == ("500.00", "45.00")
    third = quarter.file(Q1, "F7")
    whole = Decimal(before) + Decimal(late)
    assert (Decimal(third["box_1"]), Decimal(third["box_6"])) == (whole, whole * 9 / 100)
    assert quarter.errors()["periods"] == []
    assert quarter.documents(gst_return=third["id"])[2] == 11
    assert quarter.documents(gst_return=first["id"])[2] == 10
    quarter.go("2025-10-20T09:00:00")
    assert quarter.boxes(("2025-07-01", "2025-09-30")) == ("0.00", "0.00")


@pytest.mark.parametrize(("late", "is_allowed"), [("33333.33", True), ("33333.45", False)])
def test_the_limit_of_gst_in_error_is_met_by_its_amount(quarter: Quarter, late: str, is_allowed: bool) -> None:
    for _ in range(10):
        quarter.sell("90000.00")
    quarter.go("2025-04-03T09:00:00")
    quarter.file(Q1)
    quarter.late(late)
    quarter.go("2025-04-04T09:00:00")
    assert quarter.errors()["may_be_in_next_f5"] is is_allowed


def test_a_genuine_credit_counts_in_its_own_quarter(quarter: Quarter) -> None:
    """C7."""
    invoice = quarter.sell("100.00")
    quarter.go("2025-04-03T09:00:00")
    first = quarter.file(Q1)
    quarter.go("2025-05-10T09:00:00")
    client = quarter.shop.client_of(quarter.shop.admin)
    body = {"reason": "Two came back", "lines": [{"line": 1, "amount": "40.00"}]}
    note = client.post(f"/api/invoices/{invoice['id']}/credit/", body, format="json").json()["invoice"]
    assert (note["credit_kind"], note["gst_on"]) == ("GENUINE", "2025-05-10")
    quarter.go("2025-07-20T09:00:00")
    assert quarter.boxes(Q2) == ("-40.00", "-3.60")
    assert quarter.boxes(gst_return=first["id"]) == ("100.00", "9.00")
    assert quarter.errors()["periods"] == []


def test_a_tax_error_and_what_replaces_it_are_errors_of_the_old_quarter(quarter: Quarter) -> None:
    """C8."""
    rate = GstRate.objects.create(rate="8.00", valid_from=date(2025, 1, 1), reason="Slip.")
    invoice = quarter.sell("12000.00")
    assert invoice["gst_amount"] == "960.00"
    quarter.go("2025-04-03T09:00:00")
    first = quarter.file(Q1)
    GstRate.objects.create(rate="9.00", valid_from=rate.valid_from, reason="It is 9 %.")
    client = quarter.shop.client_of(quarter.shop.admin)
    sale = {
        "customer": quarter.shop.customer.pk,
        "items": [{"equipment": quarter.service.pk, "type": "SERVICE", "quantity": 1, "rate": "12000.00"}],
    }
    body = {"reason": "Billed at 8 %", "sale": sale}
    made = post_confirmed(client, f"/api/transactions/{invoice['transaction']}/bill-again/", body).json()
    note, right = made["credit"]["invoice"], made["invoice"]
    assert (note["gst_amount"], note["credit_kind"], note["gst_on"]) == ("-960.00", "TAX_ERROR", invoice["gst_on"])
    assert (right["gst_amount"], right["tax_point_on"], right["gst_on"]) == ("1080.00", *[invoice["gst_on"]] * 2)
    quarter.go("2025-07-20T09:00:00")
    [error] = quarter.errors()["periods"]
    assert (error["documents"], error["box_1"], error["box_6"]) == (2, "0.00", "120.00")
    assert quarter.errors()["may_be_in_next_f5"] is True
    assert quarter.boxes(Q2) == ("0.00", "120.00")
    assert quarter.boxes(gst_return=first["id"]) == ("12000.00", "960.00")


@pytest.mark.parametrize(("kind", "counts_on"), [("GENUINE", "2025-04-03"), ("TAX_ERROR", "2025-03-20")])
def test_a_void_says_what_it_is(quarter: Quarter, kind: str, counts_on: str) -> None:
    invoice = quarter.sell()
    quarter.go("2025-04-03T09:00:00")
    body = {"reason": "Never sold", "credit_kind": kind}
    address = f"/api/transactions/{invoice['transaction']}/void/"
    note = quarter.shop.client_of(quarter.shop.admin).post(address, body, format="json").json()["invoice"]
    assert (note["credit_kind"], note["gst_on"], note["tax_point_on"]) == (kind, counts_on, "2025-04-03")


def test_a_credit_in_part_that_corrects_an_error_counts_where_the_error_was(quarter: Quarter) -> None:
    invoice = quarter.sell()
    quarter.go("2025-04-03T09:00:00")
    body = {"reason": "Wrong price", "credit_kind": "TAX_ERROR", "lines": [{"line": 1, "amount": "10.00"}]}
    client = quarter.shop.client_of(quarter.shop.admin)
    note = client.post(f"/api/invoices/{invoice['id']}/credit/", body, format="json").json()["invoice"]
    assert (note["credit_kind"], note["gst_on"]) == ("TAX_ERROR", "2025-03-20")


@pytest.mark.parametrize(("by_delivery", "rate"), [(False, "9.00"), (True, "8.00")])
def test_a_delivery_before_the_rate_changed_is_billed_at_the_new_one_unless_the_setting_says_so(
    shop: Shop, settings: Any, by_delivery: bool, rate: str
) -> None:
    """P10."""
    settings.GST_TRANSITION_BY_DELIVERY = by_delivery
    item = {"type": "SERVICE", "equipment": EquipmentFactory(default_rate="100.00").pk}
    with time_machine.travel(at("2024-01-02T09:00:00"), tick=False):
        answer = shop.sell(item, occurred_at="2023-12-31T22:00:00+08:00").json()["invoice"]
        assert (answer["gst_rate"], answer["tax_point_on"]) == (rate, "2024-01-02")
        [month] = shop.client_of(shop.admin).get("/api/reports/gst/?date_from=2024-01-01").json()["rows"]
        assert month["gst_rate"] == rate
        listed = shop.client_of(shop.admin).get("/api/reports/mispriced/?date_from=2024-01-01").json()["rows"]
        assert listed == []


def test_returns_follow_one_another_and_are_filed_once(quarter: Quarter, nothing_changes: Unchanged) -> None:
    quarter.go("2025-07-20T09:00:00")
    quarter.file(Q1)
    with nothing_changes():
        assert error_of(quarter.try_to_file(Q1)) == (409, "already_filed", "starts_on")
        assert error_of(quarter.try_to_file(("2025-05-01", "2025-06-30"))) == (400, "invalid", "starts_on")
        assert error_of(quarter.try_to_file(("2025-07-01", "2025-09-30"))) == (400, "invalid", "ends_on")
        assert error_of(quarter.try_to_file((Q2[1], Q2[0]))) == (400, "invalid", "ends_on")
        assert error_of(quarter.try_to_file(Q1, "F7")) == (409, "nothing_to_correct", "starts_on")
        assert error_of(quarter.try_to_file(Q2, "F7")) == (409, "nothing_to_correct", "starts_on")
        assert error_of(quarter.try_to_file(Q2, "F9")) == (400, "invalid_choice", "form")
    quarter.file(Q2)


def test_what_counts_before_the_first_return_is_asked_about(quarter: Quarter) -> None:
    quarter.sell()
    quarter.go("2025-07-20T09:00:00")
    assert error_of(quarter.try_to_file(Q2))[:2] == (409, "earlier_documents")
    body = {"form": "F5", "starts_on": Q2[0], "ends_on": Q2[1]}
    filed = post_confirmed(quarter.shop.client_of(quarter.shop.admin), "/api/gst-returns/", body).json()
    assert (filed["box_1"], len(filed["parts"])) == ("0.00", 1)


def test_the_day_before_yesterday_is_over_for_sure_an_hour_after_midnight(quarter: Quarter) -> None:
    """Who began before midnight may still be at it."""
    quarter.go("2025-04-01T00:59:00")
    assert error_of(quarter.try_to_file(Q1)) == (400, "invalid", "ends_on")
    quarter.go("2025-04-01T01:00:00")
    assert quarter.file(Q1)["recorded_until"] == "2025-03-31"


def test_a_filed_return_comes_twice_and_counts_once(quarter: Quarter) -> None:
    quarter.sell()
    quarter.go("2025-04-03T09:00:00")
    first = quarter.file(Q1, client_temp_id="q1")
    again = quarter.try_to_file(Q1, client_temp_id="q1")
    assert (again.status_code, again.json()) == (200, first)
    assert quarter.shop.client_of(quarter.shop.admin).get("/api/gst-returns/").json()["count"] == 1


def test_who_sees_a_part_of_the_company_neither_reads_nor_files_its_returns(quarter: Quarter, shop: Shop) -> None:
    for role in (Role.SUPERVISOR, Role.SALES, Role.DRIVER, Role.DEPOT_STAFF):
        client = shop.client_of(UserFactory(role=role, depot=shop.depot))
        for address in ("gst-returns/", "gst-returns/errors/", "periods/", "reports/gst-f5/", "reports/gst-documents/"):
            assert client.get(f"/api/{address}").status_code == 403, (role, address)
    supervisor = UserFactory(role=Role.SUPERVISOR, depot=shop.depot)
    assert shop.client_of(supervisor).get("/api/reports/gst/").json()["title"].endswith(f"{shop.depot} alone")
    assert shop.client_of(shop.admin).get("/api/reports/gst/").json()["title"] == "GST by month"


def test_the_gst_report_goes_by_the_tax_point(quarter: Quarter) -> None:
    quarter.go("2025-04-02T09:00:00")
    quarter.late()
    [month] = quarter.report("gst", date_from=Q1[0], date_to=Q1[1])["rows"]
    assert (month["month"], month["standard_rated_supplies"], month["output_tax"]) == ("2025-03", "100.00", "9.00")


def test_an_f7_after_another_one_leaves_the_first_as_it_was(quarter: Quarter) -> None:
    quarter.go("2025-04-02T00:30:00")
    quarter.late("10.00")
    quarter.go("2025-04-03T09:00:00")
    quarter.file(Q1)
    quarter.late("20.00")
    quarter.go("2025-04-04T09:00:00")
    first = quarter.file(Q1, "F7")
    quarter.late("30.00")
    quarter.go("2025-04-05T09:00:00")
    second = quarter.file(Q1, "F7")
    assert (first["box_1"], second["box_1"]) == ("30.00", "60.00")
    assert quarter.boxes(gst_return=first["id"]) == ("30.00", "2.70")
    assert quarter.documents(gst_return=first["id"]) == ("30.00", "2.70", 2)
    assert quarter.documents(gst_return=second["id"]) == ("60.00", "5.40", 3)


def test_values_are_declared_in_whole_dollars(quarter: Quarter) -> None:
    quarter.sell("100.50")
    rows = {row["box"]: row for row in quarter.report("gst-f5", date_from=Q1[0], date_to=Q1[1])["rows"]}
    assert (rows["1"]["amount"], rows["1"]["declared"]) == ("100.50", "101.00")
    assert (rows["6"]["amount"], rows["6"]["declared"]) == ("9.05", "9.05")
    assert clock.business_date(clock.now()) == date(2025, 3, 20)


def test_the_gst_in_error_is_that_of_all_periods_together(quarter: Quarter) -> None:
    for _ in range(10):
        quarter.sell("90000.00")
    quarter.go("2025-04-03T09:00:00")
    quarter.file(Q1)
    quarter.late("20000.00")
    for _ in range(10):
        quarter.sell("90000.00")
    quarter.go("2025-07-02T09:00:00")
    errors = quarter.errors()
    assert (errors["net_gst"], errors["may_be_in_next_f5"]) == ("1800.00", True)
    quarter.file(("2025-04-01", "2025-06-30"))
    quarter.late("20000.00", "2025-06-30T16:00:00")
    client = quarter.shop.client_of(quarter.shop.admin)
    rate = {"reason": "Wrong price", "credit_kind": "TAX_ERROR", "lines": [{"line": 1, "amount": "15000.00"}]}
    first = client.get("/api/invoices/?ordering=id").json()["results"][0]
    assert client.post(f"/api/invoices/{first['id']}/credit/", rate).status_code == 201
    quarter.go("2025-07-03T09:00:00")
    assert (quarter.errors()["net_gst"], quarter.errors()["may_be_in_next_f5"]) == ("450.00", True)
