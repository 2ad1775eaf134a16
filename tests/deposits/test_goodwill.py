"""Money that is paid out though nobody owes it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from audit.models import AuditLog
from foundation import clock
from foundation.errors import Denied, Invalid
from foundation.limits import AmountOutOfRange
from payments.models import Payment
from payments.services import refund_goodwill
from tests.conftest import Shop, to_confirm
from tests.deposits.test_cases import goodwill, sold, verified
from tests.factories import DriverFactory

pytestmark = pytest.mark.django_db


def refund(shop: Shop, by: User, **more: Any) -> Payment:
    """As code does that no view guards."""
    asked = {"amount": Decimal("30.00"), "method": "CASH", "reason": "Kept for ten years", **more}
    paid: Payment = refund_goodwill(actor=by, customer_id=shop.customer.pk, **asked)
    return paid


def test_who_may_not_pays_none(shop: Shop) -> None:
    with pytest.raises(Denied):
        refund(shop, shop.driver)


def test_it_needs_its_reason_and_an_amount_within_the_limit(shop: Shop, settings: Any) -> None:
    with pytest.raises(Invalid):
        refund(shop, shop.admin, reason=" ")
    settings.LIMITS = {**settings.LIMITS, "AMOUNT": Decimal("29.99")}
    with pytest.raises(AmountOutOfRange):
        refund(shop, shop.admin)


def test_no_bag_pays_out_more_than_a_bag_holds(shop: Shop, settings: Any) -> None:
    settings.LIMITS = {**settings.LIMITS, "BALANCE": Decimal("40.00")}
    refund(shop, shop.admin)
    assert goodwill(shop, shop.admin).json()["errors"][0]["code"] == "amount_out_of_range"
    assert goodwill(shop, shop.admin, method="PAYNOW").status_code == 201


def test_a_large_one_is_asked_about(shop: Shop, settings: Any) -> None:
    settings.UNLIKELY = {**settings.UNLIKELY, "AMOUNT": Decimal("29.99")}
    answer = goodwill(shop, shop.admin)
    assert answer.json()["errors"][0]["code"] == "amount_unlikely"
    assert goodwill(shop, shop.admin, confirm=to_confirm(answer)).status_code == 201


def test_it_is_on_record(shop: Shop) -> None:
    paid = refund(shop, shop.admin)
    record = AuditLog.objects.get(action="payments.goodwill.refunded")
    assert (record.entity_id, record.user, record.reason) == (paid.pk, shop.admin, "Kept for ten years")
    assert record.after is not None
    assert (record.after["amount"], record.after["method"]) == ("30.00", "CASH")
    assert (paid.remarks, paid.depot_id) == ("Kept for ten years", shop.depot.pk)


def test_it_is_no_part_of_the_account(shop: Shop) -> None:
    sold(shop, {"type": "SALE"})
    refund(shop, shop.admin)
    today = clock.business_date(clock.now()).isoformat()
    admin, address = shop.client_of(shop.admin), f"/api/customers/{shop.customer.pk}/statement/"
    account = admin.get(address, {"date_from": today, "date_to": today}).json()
    assert [entry["kind"] for entry in account["entries"]] == ["INVOICE"]
    assert account["closing_balance"] == "31.07"
    later = admin.get(address, {"date_from": "2099-01-01", "date_to": "2099-01-01"}).json()
    assert later["opening_balance"] == "31.07"


def figures(shop: Shop, driver: User, **asked: str) -> dict[str, str]:
    day = shop.client_of(shop.admin).get("/api/reports/driver-day/", {"driver": str(driver.pk), **asked}).json()
    return {each["name"]: each["value"] for each in day["figures"]}


def test_it_is_in_the_day_of_who_paid_it(shop: Shop) -> None:
    refund(shop, shop.admin)
    money = {"customer": shop.customer.pk, "method": "CASH", "amount": "7.00"}
    assert shop.client_of(shop.admin).post("/api/payments/", money).status_code == 201
    today = figures(shop, shop.admin)
    assert (today["goodwill"], today["cash"], today["cash_in_bag"]) == ("-30.00", "-23.00", "-23.00")
    assert figures(shop, DriverFactory(depot=shop.depot))["goodwill"] == "0.00"
    assert figures(shop, shop.admin, date="2026-01-01")["goodwill"] == "0.00"


def sql(statement: str) -> Callable[[], None]:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return run


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (
            sql("UPDATE invoices_payment SET allocated_amount = 0, used_up_on = NULL"),
            "0.00 of -30.00 used, allocations say 0",
        ),
        (sql("UPDATE invoices_payment SET is_goodwill = 0"), "-30.00 of -30.00 used, allocations say 0"),
        (sql("DELETE FROM audit_auditlog WHERE action LIKE 'payments.good%'"), "has no payments.goodwill.refunded"),
    ],
    ids=["used", "no goodwill", "not on record"],
)
def test_tampering_is_named(shop: Shop, unguarded: None, tamper: Callable[[], None], named: str) -> None:
    refund(shop, shop.admin)
    tamper()
    assert named in "\n".join(verified())
