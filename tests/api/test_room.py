"""What an account, a bag and a credit hold at most, and what makes room again: with limits that are soon reached."""

from decimal import Decimal

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from customers.models import Customer
from tests.conftest import Shop, error_of
from tests.factories import CustomerFactory
from tests.types import Answer

pytestmark = pytest.mark.django_db
SALE = {"type": "SALE"}


@pytest.fixture
def boss(shop: Shop) -> APIClient:
    return shop.client_of(shop.admin)


@pytest.fixture
def narrow(settings: Settings, shop: Shop) -> Shop:
    """Where accounts and bags hold 60 dollars. A cylinder is 31.07 with GST."""
    settings.LIMITS = {**settings.LIMITS, "BALANCE": Decimal("60.00")}
    return shop


def test_an_account_has_room_again_when_something_is_paid(narrow: Shop, boss: APIClient) -> None:
    narrow.count("customer", narrow.customer.pk, 1)
    assert narrow.sell({"type": "DEPOSIT"}, payment_received=True).status_code == 201
    refund = narrow.sell({"type": "RETURN"}).json()["invoice"]
    assert refund["outstanding_amount"] == "-60.00"  # a credit note is no room
    first = narrow.sell(SALE).json()["invoice"]["id"]
    assert error_of(narrow.sell(SALE)) == (400, "amount_out_of_range", "items")
    assert narrow.sell(SALE, customer=CustomerFactory().pk).status_code == 201
    assert boss.post(f"/api/invoices/{first}/pay/", {"amount": "10.00", "method": "PAYNOW"}).status_code == 200
    assert narrow.sell(SALE).status_code == 201


def test_what_is_paid_with_a_sale_needs_no_room(narrow: Shop) -> None:
    def sold(*amounts: str) -> Answer:
        return narrow.sell(SALE, tender=[{"method": "PAYNOW", "amount": amount} for amount in amounts])

    assert sold().status_code == 201
    assert error_of(sold("2.13")) == (400, "amount_out_of_range", "items")  # 60.01 in all
    assert sold("2.14").status_code == 201


def test_a_bag_has_room_again_when_it_was_handed_in(narrow: Shop, boss: APIClient) -> None:
    def paid(by: User) -> Answer:
        return narrow.sell({"type": "SERVICE"}, payment_received=True, by=by)

    money = {"customer": narrow.customer.pk, "method": "PAYNOW", "amount": "50.00"}
    assert narrow.client_of(narrow.driver).post("/api/payments/", money).status_code == 201  # not in the bag
    assert [paid(by).status_code for by in (narrow.driver, narrow.admin)] == [201, 201]
    assert error_of(paid(narrow.driver)) == (400, "amount_out_of_range", "payment_received")
    counted = narrow.client_of(narrow.driver).post("/api/cash-counts/", {"cash": "31.07"}).json()["id"]
    assert error_of(paid(narrow.driver)) == (400, "amount_out_of_range", "payment_received")
    assert boss.post(f"/api/cash-counts/{counted}/sign-off/").status_code == 200
    assert paid(narrow.driver).status_code == 201


def test_a_full_bag_takes_no_cash_and_a_phone_takes_money(narrow: Shop) -> None:
    for method, amount, status in (("CASH", "60.00", 201), ("CASH", "0.01", 400), ("PAYNOW", "10.00", 201)):
        body = {"customer": CustomerFactory().pk, "method": method, "amount": amount}
        assert narrow.client_of(narrow.driver).post("/api/payments/", body).status_code == status


def test_a_credit_has_room_again_when_it_is_used(narrow: Shop, boss: APIClient) -> None:
    def receive(amount: str, customer: Customer) -> Answer:
        body = {"customer": customer.pk, "method": "PAYNOW", "amount": amount, "allocations": []}
        return boss.post("/api/payments/", body)

    first = receive("50.00", narrow.customer).json()["id"]
    assert receive("50.00", CustomerFactory()).status_code == 201
    assert error_of(receive("20.00", narrow.customer)) == (400, "amount_out_of_range", "amount")
    assert narrow.sell(SALE).status_code == 201
    assert boss.post(f"/api/payments/{first}/allocate/", {}).json()["credit_amount"] == "18.93"
    assert receive("20.00", narrow.customer).status_code == 201


def test_a_void_leaves_no_more_credit_than_an_account_holds(narrow: Shop, boss: APIClient) -> None:
    sold = narrow.sell(SALE).json()
    paid = {"amount": "31.07", "method": "PAYNOW"}
    assert boss.post(f"/api/invoices/{sold['invoice']['id']}/pay/", paid).status_code == 200
    credit = {"customer": narrow.customer.pk, "method": "PAYNOW", "amount": "40.00", "allocations": []}
    first = boss.post("/api/payments/", credit).json()["id"]
    void = f"/api/transactions/{sold['transaction']['id']}/void/", {"reason": "Wrong stall"}
    assert error_of(boss.post(*void)) == (400, "amount_out_of_range", None)
    assert boss.post(f"/api/payments/{first}/reverse/", {"reason": "Theirs"}).status_code == 201
    assert boss.post(*void).status_code == 201


def test_a_reversal_leaves_no_more_open_than_an_account_holds(narrow: Shop, boss: APIClient) -> None:
    first = narrow.sell(SALE).json()["invoice"]["id"]
    assert boss.post(f"/api/invoices/{first}/pay/", {"method": "PAYNOW"}).status_code == 200
    payment = boss.get(f"/api/payments/?customer={narrow.customer.pk}").json()["results"][0]["id"]
    second = narrow.sell(SALE).json()["transaction"]["id"]
    reverse = f"/api/payments/{payment}/reverse/", {"reason": "Bounced"}
    assert error_of(boss.post(*reverse)) == (400, "amount_out_of_range", None)
    assert boss.post(f"/api/transactions/{second}/void/", {"reason": "Wrong stall"}).status_code == 201
    assert boss.post(*reverse).status_code == 201
