"""What stands at a customer's site: meters replaced without losing a unit, deposits counted to the cent."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from accounts.models import User
from audit.models import AuditLog
from customers.models import Customer
from deposits.models import DepositLot
from foundation import clock
from foundation.access.capabilities import Role
from tests.conftest import Shop, error_of
from tests.factories import CustomerFactory, MeteredCustomerFactory, UserFactory
from tests.types import Answer, Json, Unchanged
from transactions.models import DepositBalance, MeterReplacement, Transaction
from transactions.selectors import meter_history

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


def test_what_is_on_loan_is_no_deposit(shop: Shop) -> None:
    assert shop.sell({"type": "SALE"}).status_code == 201
    answer = shop.client_of(shop.driver).get(f"/api/customers/{shop.customer.pk}/deposits/").json()
    assert (answer["held"], answer["total_amount"]) == ([], "0.00")


def test_no_money_is_held_for_no_pieces(shop: Shop) -> None:
    """One piece was charged at 60.00, and costs 75.00 when it comes back."""
    shop.sell({"type": "DEPOSIT"}, {"type": "SALE"})
    shop.client_of(shop.admin).patch(f"/api/equipment/{shop.cylinder.pk}/", {"deposit": "75.00"})
    assert shop.sell({"type": "RETURN"}).status_code == 201
    answer = shop.client_of(shop.driver).get(f"/api/customers/{shop.customer.pk}/deposits/").json()
    assert (answer["held"], answer["total_amount"]) == ([], "0.00")


def test_the_history_is_one_customer_s_and_begins_with_the_newest(shop: Shop, metered: Customer) -> None:
    fresh, other = MeteredCustomerFactory(last_meter_reading=None), MeteredCustomerFactory()
    baseline = shop.sell({"type": "SALE"}, customer=fresh.pk, current_meter="10.00").json()["transaction"]
    shop.client_of(shop.admin).post(f"/api/transactions/{baseline['id']}/void/", {"reason": "x"})
    assert shop.sell(customer=other.pk, current_meter="1201.00").status_code == 201
    assert replace(shop, other, final_reading="1201.00").status_code == 201
    for new, number in (("7.00", "M2"), ("8.00", "M3")):
        fresh.refresh_from_db()
        last = str(fresh.last_meter_reading or "9.00")
        assert replace(shop, fresh, final_reading=last, first_reading=new, new_meter_number=number).status_code == 201
    shop.sell({"type": "SALE"}, customer=fresh.pk, current_meter="8.00")
    told = [(entry.kind, entry.last_reading, entry.reading) for entry in meter_history(fresh, newest=9)]
    assert told == [
        ("READING", Decimal("8.00"), Decimal("8.00")),
        ("REPLACED", Decimal("7.00"), Decimal("8.00")),
        ("REPLACED", Decimal("9.00"), Decimal("7.00")),
        ("VOIDED", Decimal("10.00"), None),
        ("READING", None, Decimal("10.00")),
    ]
    assert {row.follows.customer_id for row in MeterReplacement.objects.filter(customer=fresh) if row.follows} == {
        fresh.pk
    }
    assert meter_history(fresh, newest=2) == meter_history(fresh, newest=9)[:2]


def test_the_new_meter_counts_from_when_it_was_put_in(shop: Shop, metered: Customer) -> None:
    noon = datetime(2026, 1, 20, 0, 30, tzinfo=clock.SINGAPORE)  # the 19th in UTC
    with time_machine.travel(noon, tick=False):
        put_in = noon - timedelta(hours=2)
        sale = replace(shop, metered, occurred_at=put_in.isoformat()).json()["sale"]["transaction"]
        assert datetime.fromisoformat(sale["occurred_at"]) == put_in
        at_once = shop.sell(customer=metered.pk, current_meter="4.00", occurred_at=put_in.isoformat())
        assert at_once.json()["transaction"]["usage"] == "1.00"
        again = replace(shop, metered, final_reading="4.00", new_meter_number="M3", occurred_at=put_in.isoformat())
        assert again.status_code == 201
    replaced = MeterReplacement.objects.earliest("pk")
    assert (replaced.occurred_at, replaced.created_at, replaced.date) == (put_in, noon, date(2026, 1, 20))
    assert (replaced.old_meter_number, replaced.new_meter_number) == (metered.meter_number, "M-NEW")


def test_a_replacement_too_long_ago_or_at_nobody_s_is_refused(
    shop: Shop, metered: Customer, nothing_changes: Unchanged
) -> None:
    with nothing_changes():
        for reading in ("1200.00", "1210.00"):  # without a final bill, and with one
            long_ago = (clock.now() - timedelta(days=8)).isoformat()
            too_late = replace(shop, metered, final_reading=reading, occurred_at=long_ago)
            assert error_of(too_late) == (409, "occurred_at_out_of_range", "occurred_at")
        nobody = Customer(pk=999_999)
        assert replace(shop, nobody).status_code == 404


def test_the_evidence_of_a_replacement_names_both_meters(shop: Shop, metered: Customer) -> None:
    sale = replace(shop, metered, reason="Worn out").json()["sale"]["transaction"]
    evidence = AuditLog.objects.get(action="transactions.meter.replaced")
    assert (evidence.entity_id, evidence.user, evidence.reason) == (metered.pk, shop.admin, "Worn out")
    assert evidence.before == {"meter_number": metered.meter_number, "last_meter_reading": "1210.00"}
    assert evidence.after == {
        "meter_number": "M-NEW", "last_meter_reading": "3.00", "final_reading": "1210.00",
        "transaction_number": sale["transaction_number"],
    }  # fmt: skip


def test_depot_staff_see_nothing_of_customers_sites(shop: Shop, metered: Customer) -> None:
    replace(shop, metered)
    shop.sell({"type": "DEPOSIT"})
    DepositBalance.objects.create(customer=metered, equipment=shop.cylinder)
    staff = UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot)
    for rows in (DepositLot.objects, DepositBalance.objects, MeterReplacement.objects):
        assert (rows.visible_to(shop.driver).count(), rows.visible_to(staff).count()) == (1, 0)


def test_each_customer_holds_their_own_deposits(shop: Shop) -> None:
    other = CustomerFactory()
    for customer, quantity in ((shop.customer, 3), (other, 1), (shop.customer, 2)):
        shop.sell({"type": "DEPOSIT", "quantity": quantity}, customer=customer.pk)
    shop.count("customer", other.pk, 1)
    shop.sell({"type": "RETURN"}, customer=other.pk)
    held = DepositLot.objects.order_by("pk").values_list("customer_id", "pieces", "amount")
    assert list(held) == [
        (shop.customer.pk, 3, Decimal("180.00")), (other.pk, 0, Decimal("0.00")), (shop.customer.pk, 2, Decimal("120.00"))
    ]  # fmt: skip


def test_each_line_is_a_lot_of_its_own(shop: Shop) -> None:
    shop.sell({"type": "DEPOSIT", "quantity": 1}, {"type": "DEPOSIT", "quantity": 2, "rate": "60.00"})
    held = DepositLot.objects.order_by("pk").values_list("pieces", "amount")
    assert list(held) == [(1, Decimal("60.00")), (2, Decimal("120.00"))]


def test_sales_without_a_reading_are_no_part_of_the_history(shop: Shop, metered: Customer) -> None:
    shop.sell({"type": "SALE"}, customer=metered.pk)
    assert meter_history(metered, newest=9) == []


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
