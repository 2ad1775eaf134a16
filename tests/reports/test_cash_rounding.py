"""What cash is rounded by is a figure of its own: no document and no tax changes with it."""

from decimal import Decimal
from typing import Any

import pytest

from tests.conftest import Shop
from tests.payments.test_payments import at, void
from tests.payments.test_tender import costs
from tests.types import Json

pytestmark = pytest.mark.django_db


def figure(shop: Shop, name: str, **asked: Any) -> str:
    report = shop.client_of(shop.admin).get(f"/api/reports/{name}/", asked).json()
    [found] = [each["value"] for each in report["figures"] if each["name"] == "cash_rounding"]
    assert isinstance(found, str)
    return found


def account(shop: Shop) -> list[Json]:
    asked = {"date_from": "2026-01-01", "date_to": "2026-01-31"}
    entries: list[Json] = (
        shop.client_of(shop.admin).get(f"/api/customers/{shop.customer.pk}/statement/", asked).json()["entries"]
    )
    return entries


def test_it_is_told_by_day_period_and_account_and_undone_with_a_void(shop: Shop, settings: Any) -> None:
    settings.CASH_ROUNDING = Decimal("0.05")
    with at(5):
        costs(shop, "28.00")
        invoice = shop.sell({"type": "SALE"}, payment_received=True).json()["invoice"]
    day = {"driver": shop.driver.pk, "date": "2026-01-05"}
    assert figure(shop, "driver-day", **day) == "-0.02"
    assert figure(shop, "sales-summary", date_from="2026-01-01", date_to="2026-01-31") == "-0.02"
    assert [(row["kind"], row["amount"], row["balance"]) for row in account(shop)] == [
        ("INVOICE", "30.52", "30.52"), ("PAYMENT", "-30.50", "0.02"), ("ROUNDING", "-0.02", "0.00"),
    ]  # fmt: skip
    with at(7):
        void(shop, invoice)
    assert figure(shop, "driver-day", **day) == "-0.02"
    assert figure(shop, "sales-summary", date_from="2026-01-01", date_to="2026-01-31") == "0.00"
    assert figure(shop, "sales-summary", date_from="2026-01-01", date_to="2026-01-06") == "-0.02"
    assert figure(shop, "sales-summary", date_from="2026-01-07", date_to="2026-01-31") == "0.02"
    assert [(row["kind"], row["balance"]) for row in account(shop)][-2:] == [
        ("CREDIT_NOTE", "-30.52"), ("ROUNDING", "-30.50"),
    ]  # fmt: skip
