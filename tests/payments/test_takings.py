"""What a day-end, and a seller's day, tell of the takings: by method, and less what was spent of the cash."""

import pytest

from tests.admin.pages import logged_in, url
from tests.conftest import Shop
from tests.inventory.days import at, opened
from tests.payments.test_expenses import count, read, sign, spend, take, undo
from tests.types import Json

__all__ = ["opened"]
pytestmark = pytest.mark.django_db


def of_methods(money: Json) -> dict[str, tuple[str, str]]:
    """Those in which anything was taken or paid back."""
    sums = {each["method"]: (each["taken"], each["paid_back"]) for each in money["methods"]}
    return {method: both for method, both in sums.items() if both != ("0.00", "0.00")}


def a_day_of_money(shop: Shop) -> None:
    """And what came before: it was handed in, and isn't told again."""
    with at(8):
        take(shop, "5.00")
        take(shop, "6.00", "PAYNOW")
        sign(shop, count(shop, "5.00"))
    with at(10):
        take(shop, "100.00")
        wrong = take(shop, "7.00")
        take(shop, "40.00", "PAYNOW")
        take(shop, "60.00", "CHEQUE")
        spend(shop)
        undo(shop, spend(shop, "3.00"))
        undone = shop.client_of(shop.admin).post(f"/api/payments/{wrong['id']}/reverse/", {"reason": "x"})
        assert undone.status_code == 201
        payout = {"customer": shop.customer.pk, "amount": "30.00", "method": "CASH"}
        assert shop.client_of(shop.driver).post("/api/payouts/", payout).status_code == 201


def test_a_count_tells_what_was_taken_by_method(opened: Shop) -> None:
    a_day_of_money(opened)
    with at(12):
        counted = count(opened, "52.00")
        assert read(opened, counted, by=opened.driver)["money"] is None, "the count is blind"
        before = read(opened, counted)["money"]
        assert sign(opened, counted)["money"] == before
        assert read(opened, counted, by=opened.driver)["money"] == before
    assert of_methods(before) == {"CASH": ("100.00", "30.00"), "PAYNOW": ("40.00", "0.00"), "CHEQUE": ("60.00", "0.00")}
    assert (before["expenses"], before["cash_expected"]) == ("18.00", "52.00")
    listed = opened.client_of(opened.admin).get("/api/cash-counts/").json()["results"]
    assert {row["money"] for row in listed} == {None}


def test_what_comes_after_a_count_is_no_part_of_its_money(opened: Shop) -> None:
    a_day_of_money(opened)
    with at(12):
        counted = count(opened, "52.00")
    with at(13):
        take(opened, "9.00", "PAYNOW")
        sign(opened, counted)
    assert of_methods(read(opened, counted)["money"])["PAYNOW"] == ("40.00", "0.00")


def test_a_day_end_tells_what_was_taken_by_method(opened: Shop) -> None:
    a_day_of_money(opened)
    boss = opened.client_of(opened.admin)
    with at(12):
        made = opened.client_of(opened.driver).post("/api/settlements/", {"cash": "52.00", "counts": []}).json()
        assert made["money"] is None
        money = boss.get(f"/api/settlements/{made['id']}/").json()["money"]
        assert (of_methods(money)["CASH"], money["cash_expected"]) == (("100.00", "30.00"), "52.00")
        assert boss.get("/api/settlements/").json()["results"][0]["money"] is None
        page = logged_in(opened.admin).get(url("transactions.settlement", "change", made["id"])).content.decode()
        assert "Cash: 100.00 taken, 30.00 paid back; PayNow: 40.00 taken, 0.00 paid back" in page


def test_a_drivers_day_tells_what_was_taken_by_method(opened: Shop) -> None:
    a_day_of_money(opened)
    with at(12):
        asked = {"driver": str(opened.driver.pk)}
        client = opened.client_of(opened.admin)
        figures = client.get("/api/reports/driver-day/", asked).json()["figures"]
        text = client.get("/api/reports/driver-day/", {**asked, "format": "csv"}).getvalue().decode("utf-8-sig")
    told = {each["name"]: each["value"] for each in figures}
    wanted = {
        "cash_taken": "105.00", "cash_paid_back": "30.00", "paynow_taken": "46.00", "paynow_paid_back": "0.00",
        "cheque_taken": "60.00", "cheque_paid_back": "0.00", "bank_transfer_taken": "0.00",
        "bank_transfer_paid_back": "0.00", "expenses": "18.00", "cash_expected": "57.00", "cash_in_bag": "52.00",
    }  # fmt: skip
    assert {name: told[name] for name in wanted} == wanted
    assert "Cash taken,105.00" in text
    assert "Expenses paid from the cash,18.00" in text
