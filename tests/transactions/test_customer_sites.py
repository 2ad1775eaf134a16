"""What stands at a customer's site: meters replaced without losing a unit, deposits counted to the cent."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import User
from customers.models import Customer
from foundation import clock
from foundation.access.capabilities import Role
from tests.conftest import Shop, error_of
from tests.factories import MeteredCustomerFactory, UserFactory
from tests.types import Answer, Json, Unchanged
from transactions.models import MeterReplacement, Transaction

pytestmark = pytest.mark.django_db


@pytest.fixture
def metered(shop: Shop) -> Customer:
    """Stands at 1200.00, at 2.15 a unit."""
    customer: Customer = MeteredCustomerFactory()
    return customer


def replace(shop: Shop, customer: Customer, by: User | None = None, **body: Any) -> Answer:
    body = {"final_reading": "1210.00", "new_meter_number": "M-NEW", "first_reading": "3.00", **body}
    return shop.client_of(by or shop.admin).post(f"/api/customers/{customer.pk}/replace-meter/", body)


def test_the_old_meter_is_billed_to_its_end_and_the_new_one_from_its_start(shop: Shop, metered: Customer) -> None:
    answer = replace(shop, metered, reason="Worn out")
    assert answer.status_code == 201, answer.json()
    sale = answer.json()["sale"]["transaction"]
    assert (sale["last_meter_reading"], sale["current_meter_reading"], sale["usage_amount"]) == (
        "1200.00",
        "1210.00",
        "21.50",
    )
    metered.refresh_from_db()
    assert (metered.meter_number, metered.last_meter_reading) == ("M-NEW", Decimal("3.00"))
    following = shop.sell(customer=metered.pk, current_meter="5.00").json()["transaction"]
    assert (following["last_meter_reading"], following["usage"]) == ("3.00", "2.00")
    assert Transaction.objects.latest("pk").meter_number == "M-NEW"


def test_a_meter_that_hasn_t_moved_is_replaced_without_a_bill(shop: Shop, metered: Customer) -> None:
    answer = replace(shop, metered, final_reading="1200.00").json()
    assert answer["sale"] is None
    assert Transaction.objects.count() == 0
    assert MeterReplacement.objects.get().final_sale is None


def test_a_replaced_meter_is_told_to_the_apps(shop: Shop, metered: Customer) -> None:
    """As a change of the customer: a stale page is refused afterwards."""
    driver, admin = shop.client_of(shop.driver), shop.client_of(shop.admin)
    cursor = driver.get("/api/sync/pull/").json()["cursor"]
    assert replace(shop, metered, final_reading="1200.00").status_code == 201
    [told] = driver.get("/api/sync/pull/", {"cursor": cursor}).json()["customers"]
    assert (told["id"], told["meter_number"], told["last_meter_reading"]) == (metered.pk, "M-NEW", "3.00")
    assert Customer.objects.get(pk=metered.pk).updated_at > metered.updated_at
    stale = admin.patch(f"/api/customers/{metered.pk}/", {"meter_number": "M-OLD", "version": metered.version})
    assert error_of(stale) == (409, "version_conflict", "version")


def test_a_meter_without_a_reading_bills_nothing(shop: Shop) -> None:
    metered = MeteredCustomerFactory(last_meter_reading=None)
    assert replace(shop, metered).json()["sale"] is None
    metered.refresh_from_db()
    assert metered.last_meter_reading == Decimal("3.00")


def test_what_cannot_be_is_refused(shop: Shop, metered: Customer, nothing_changes: Unchanged) -> None:
    inactive = MeteredCustomerFactory(is_active=False)
    with nothing_changes():
        assert error_of(replace(shop, metered, final_reading="1199.99")) == (
            409,
            "meter_reading_decreased",
            "final_reading",
        )
        assert error_of(replace(shop, shop.customer)) == (409, "no_meter", None)
        assert error_of(replace(shop, inactive)) == (409, "customer_inactive", None)
        wrong: list[Json] = [
            {"final_reading": "x"},
            {"first_reading": "-1.00"},
            {"new_meter_number": ""},
            {"first_reading": None},
        ]
        for reading in wrong:
            assert replace(shop, metered, **reading).status_code == 400


def test_a_reading_of_the_old_meter_that_arrives_late_is_not_taken_for_the_new_one(
    shop: Shop, metered: Customer, nothing_changes: Unchanged
) -> None:
    before = (clock.now() - timedelta(hours=2)).isoformat()
    replace(shop, metered)
    with nothing_changes():
        late = shop.sell(customer=metered.pk, current_meter="1208.00", occurred_at=before)
        assert error_of(late) == (409, "meter_moved_on", "current_meter")
        again = replace(shop, metered, final_reading="4.00", occurred_at=before)
        assert error_of(again) == (409, "meter_moved_on", "occurred_at")


def test_the_sale_before_a_replacement_can_t_be_voided(shop: Shop, metered: Customer) -> None:
    sale = replace(shop, metered).json()["sale"]["transaction"]
    response = shop.client_of(shop.admin).post(f"/api/transactions/{sale['id']}/void/", {"reason": "x"})
    assert error_of(response) == (409, "meter_moved_on", None)


def test_the_same_replacement_sent_again_happens_once(shop: Shop, metered: Customer) -> None:
    first, second = (replace(shop, metered, client_temp_id="m-1") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert MeterReplacement.objects.count() == 1


def test_drivers_read_the_history_and_don_t_replace(shop: Shop, metered: Customer) -> None:
    assert replace(shop, metered, by=shop.driver).status_code == 403
    shop.sell(customer=metered.pk, current_meter="1205.00")
    sale = shop.sell(customer=metered.pk, current_meter="1208.00").json()["transaction"]
    shop.client_of(shop.admin).post(f"/api/transactions/{sale['id']}/void/", {"reason": "Misread"})
    replace(shop, metered)
    history = shop.client_of(shop.driver).get(f"/api/customers/{metered.pk}/meter-history/").json()
    assert [(entry["kind"], entry["last_reading"], entry["reading"]) for entry in history] == [
        ("REPLACED", "1210.00", "3.00"),
        ("READING", "1205.00", "1210.00"),
        ("VOIDED", "1208.00", "1205.00"),
        ("READING", "1205.00", "1208.00"),
        ("READING", "1200.00", "1205.00"),
    ]


def test_deposits_held_follow_the_lines(shop: Shop) -> None:
    shop.sell({"type": "DEPOSIT", "quantity": 3}, {"type": "SALE", "quantity": 3})
    shop.sell({"type": "RETURN", "quantity": 1})
    url = f"/api/customers/{shop.customer.pk}/deposits/"
    answer = shop.client_of(shop.driver).get(url).json()
    assert [(row["sku"], row["quantity"], row["amount"]) for row in answer["held"]] == [
        (shop.cylinder.sku, 2, "120.00")
    ]
    assert answer["total_amount"] == "120.00"
    assert shop.client_of(UserFactory(role=Role.DEPOT_STAFF)).get(url).status_code == 403


def test_the_books_verify_after_all_of_it(shop: Shop, metered: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chains with a baseline, a void, and replacements in a row."""
    fresh = MeteredCustomerFactory(last_meter_reading=None)
    baseline = shop.sell({"type": "SALE"}, customer=fresh.pk, current_meter="10.00").json()["transaction"]
    answers = [
        shop.client_of(shop.admin).post(f"/api/transactions/{baseline['id']}/void/", {"reason": "x"}),
        shop.sell({"type": "SALE"}, customer=fresh.pk, current_meter="12.00"),
        replace(shop, fresh, final_reading="14.00", first_reading="0.00"),
        replace(shop, fresh, final_reading="0.00", first_reading="7.00", new_meter_number="M3"),
        shop.sell(customer=fresh.pk, current_meter="9.00"),
        shop.sell({"type": "DEPOSIT"}, {"type": "SALE"}, payment_received=True),
    ]
    assert [answer.status_code for answer in answers] == [201] * 6
    fresh.refresh_from_db()
    assert (fresh.meter_number, str(fresh.last_meter_reading)) == ("M3", "9.00")
    call_command("verify_books")
