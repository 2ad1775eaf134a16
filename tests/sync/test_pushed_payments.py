"""Money that was taken without a network."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from audit.models import AuditLog, Confirmation
from discrepancies.models import Discrepancy
from foundation import clock
from foundation.access.capabilities import Role
from payments.models import Payment
from payments.selectors import cash_in_bag
from sync.models import SyncConflict
from tests.conftest import Shop
from tests.factories import CustomerFactory, DepotFactory, UserFactory
from tests.payments.test_payments import at, invoice_of, pay, read
from tests.sync.test_pushed_counts import Phone
from tests.types import Json

pytestmark = pytest.mark.django_db


def collected(phone: Phone, amount: str, minutes_ago: float = 60, **data: Any) -> Json:
    body = {"customer": phone.shop.customer.pk, "method": "CASH", "amount": amount, **data}
    return phone.recorded("payment.create", minutes_ago, **body)


def test_money_that_was_collected_settles_what_is_owed(shop: Shop) -> None:
    invoice = invoice_of(shop)
    phone = Phone(shop)
    [result] = phone.push(collected(phone, "40.00", reference="Slip 7"))
    payment = Payment.objects.get()
    assert (result["status"], result["id"], result["number"]) == ("created", payment.pk, str(payment))
    assert (payment.method, payment.reference, payment.user, payment.depot) == (
        "CASH", "Slip 7", shop.driver, shop.depot,
    )  # fmt: skip
    assert read(shop, invoice)["outstanding_amount"] == "0.00"
    assert str(payment.credit_amount) == "8.93"


def test_it_came_on_the_day_on_which_it_was_taken_and_is_known_since_today(shop: Shop) -> None:
    with at(20, hour=0):
        phone = Phone(shop)
        phone.push(collected(phone, "5.00", minutes_ago=120))
    payment = Payment.objects.get()
    assert (f"{payment.received_on}", f"{payment.date}") == ("2026-01-19", "2026-01-20")
    evidence = AuditLog.objects.get(action="invoices.payment.recorded")
    assert evidence.after is not None
    assert evidence.after["occurred_at"].startswith("2026-01-19T")


def test_it_is_in_the_bag_of_its_moment(shop: Shop) -> None:
    phone, boss = Phone(shop), shop.client_of(shop.admin)
    [counted] = phone.push(phone.recorded("cash_count", 30, cash="12.00"))
    assert boss.post(f"/api/cash-counts/{counted['id']}/sign-off/", {}).status_code == 200
    phone.push(collected(phone, "12.00", minutes_ago=60), collected(phone, "7.00", minutes_ago=10))
    handed_in, later = Payment.objects.order_by("pk")
    assert (handed_in.cash_count_id, later.cash_count_id) == (None, None)  # numbered above the count
    assert cash_in_bag(shop.driver) == 19
    # By its time the first one was in the bag that was counted.
    assert list(Discrepancy.objects.values_list("code", "entity_id")) == [("after_count", handed_in.pk)]


def test_money_that_is_to_settle_more_than_it_comes_to_goes_as_far_as_it_goes(shop: Shop) -> None:
    invoices = [invoice_of(shop), invoice_of(shop)]
    named = [
        {"invoice": each["id"], "amount": amount} for each, amount in zip(invoices, ("4.00", "100.00"), strict=True)
    ]
    phone = Phone(shop)
    [result] = phone.push(collected(phone, "10.00", allocations=named))
    assert result["status"] == "created", result["errors"]
    assert [read(shop, each)["outstanding_amount"] for each in invoices] == ["27.07", "25.07"]


def test_money_has_changed_hands_whatever_became_of_its_invoice(shop: Shop) -> None:
    invoice, other = invoice_of(shop), invoice_of(shop)
    pay(shop, invoice, amount="30.00")
    phone = Phone(shop)
    named = [{"invoice": invoice["id"], "amount": "31.07"}, {"invoice": other["id"], "amount": "1.00"}]
    [result] = phone.push(collected(phone, "40.00", allocations=named))
    assert result["status"] == "created"
    told = shop.client_of(shop.driver).get(f"/api/payments/{result['id']}/").json()
    assert [(part["invoice"], part["amount"]) for part in told["allocations"]] == [
        (invoice["id"], "1.07"),
        (other["id"], "1.00"),
    ]
    assert told["credit_amount"] == "37.93"
    pay(shop, other)
    [again] = phone.push(collected(phone, "2.00", allocations=[{"invoice": other["id"], "amount": "2.00"}]))
    told = shop.client_of(shop.driver).get(f"/api/payments/{again['id']}/").json()
    assert (told["allocations"], told["credit_amount"]) == ([], "2.00")


def test_the_same_collection_is_taken_once(shop: Shop) -> None:
    phone = Phone(shop)
    operation = collected(phone, "5.00")
    statuses = [phone.push(operation)[0]["status"] for _ in range(2)]
    assert (statuses, Payment.objects.count()) == (["created", "duplicate"], 1)
    more = {name: operation[name] for name in ("client_temp_id", "occurred_at")}
    body = {**operation["data"], **more}
    posted = shop.client_of(shop.driver).post("/api/payments/", body)
    assert (posted.status_code, Payment.objects.count()) == (200, 1)


def test_what_cannot_be_taken_is_kept_and_let_happen(shop: Shop) -> None:
    phone, boss = Phone(shop), shop.client_of(shop.admin)
    with time_machine.travel(clock.now() - timedelta(days=9), tick=False):
        early = collected(phone, "5.00", minutes_ago=0)
    unknown = collected(phone, "5.00", customer=CustomerFactory(is_active=True).pk + 1)
    assert [result["errors"][0]["code"] for result in phone.push(early, unknown)] == [
        "occurred_at_out_of_range",
        "does_not_exist",
    ]
    kept = SyncConflict.objects.get(client_temp_id=early["client_temp_id"])
    assert boss.post(f"/api/sync/conflicts/{kept.pk}/retry/", {}).status_code == 200
    [payment] = Payment.objects.all()
    assert (payment.user, f"{payment.received_on}") == (shop.driver, early["occurred_at"][:10])
    evidence = AuditLog.objects.get(action="invoices.payment.recorded").after
    assert evidence is not None
    assert evidence["approved_by"] == shop.admin.username


def test_kept_cash_is_still_on_its_way_to_a_bag(shop: Shop) -> None:
    phone, boss = Phone(shop), shop.client_of(shop.admin)
    [counted] = phone.push(phone.recorded("cash_count", 5, cash="0.00"))
    other = Phone(shop, "phone-2")
    for method in ("CASH", "PAYNOW"):
        other.push(collected(other, "5.00", customer=999_999, method=method))
    pending = boss.get(f"/api/cash-counts/{counted['id']}/").json()["pending"]
    assert [each["entity_id"] for each in pending] == [SyncConflict.objects.order_by("pk")[0].pk]


def test_who_may_take_no_payment_pushes_none(shop: Shop) -> None:
    staff = UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot)
    phone = Phone(shop)
    body = {
        "protocol": 2,
        "sent_at": clock.now().isoformat(),
        "device": {"id": "d", "last_number": 1},
        "operations": [collected(phone, "5.00")],
    }
    [result] = shop.client_of(staff).post("/api/sync/push/", body).json()["results"]
    assert [error["code"] for error in result["errors"]] == ["permission_denied"]
    assert not Payment.objects.exists()


def test_cash_taken_before_a_signed_count_is_handed_in_with_it(shop: Shop) -> None:
    phone, other, boss = Phone(shop), Phone(shop, "phone-2"), shop.client_of(shop.admin)
    [counted] = phone.push(phone.recorded("cash_count", 30, cash="12.00"))
    assert boss.post(f"/api/cash-counts/{counted['id']}/sign-off/", {}).status_code == 200
    other.push(collected(other, "12.00", minutes_ago=60))
    assert Payment.objects.get().cash_count_id == counted["id"]
    assert [row["code"] for row in boss.get("/api/discrepancies/").json()["results"]] == ["after_count"]


def test_it_is_of_the_depot_of_its_moment(shop: Shop) -> None:
    phone = Phone(shop)
    operation = collected(phone, "5.00")
    moved = {"depot": DepotFactory().pk}
    assert shop.client_of(shop.admin).patch(f"/api/accounts/users/{shop.driver.pk}/", moved).status_code == 200
    shop.driver.refresh_from_db()
    phone.push(operation)
    assert Payment.objects.get().depot == shop.depot


def test_kept_money_moves_no_goods(shop: Shop) -> None:
    phone, boss = Phone(shop), shop.client_of(shop.admin)
    [counted] = phone.push(phone.recorded("vehicle_count", 5, counts=[]))
    other = Phone(shop, "phone-2")
    other.push(collected(other, "5.00", customer=999_999))
    assert boss.get(f"/api/vehicle-counts/{counted['id']}/").json()["pending"] == []


def test_a_fast_clock_and_an_invoice_that_its_seller_does_not_see_refuse_no_money(shop: Shop) -> None:
    others = invoice_of(shop, by=shop.admin)
    phone = Phone(shop)
    tomorrow = f"{clock.business_date(clock.now()) + timedelta(days=1)}"
    shares = [{"invoice": others["id"], "amount": "5.00"}]
    [result] = phone.push(collected(phone, "5.00", received_on=tomorrow, allocations=shares))
    payment = Payment.objects.get(pk=result["id"])
    assert payment.received_on <= clock.business_date(clock.now())
    assert str(payment.credit_amount) == "5.00"


def test_a_pushed_sale_names_its_payments_every_time(shop: Shop) -> None:
    phone = Phone(shop)
    item = {"equipment": shop.cylinder.pk, "type": "SALE", "quantity": 1}
    tendered = [{"method": "PAYNOW", "amount": "20.00"}, {"method": "CASH", "amount": "11.07"}]
    body: Json = {"customer": shop.customer.pk, "items": [item], "based_on": {"total_with_gst": "31.07"}}
    sale, unpaid = (phone.recorded("transaction.create", 60, **body, tender=paid) for paid in (tendered, []))
    first, without = phone.push(sale, unpaid)
    rows = Payment.objects.order_by("pk")
    assert first["payments"] == [
        {"id": row.pk, "payment_number": str(row), "method": row.method, "amount": str(row.amount)} for row in rows
    ]
    assert [each["method"] for each in first["payments"]] == ["PAYNOW", "CASH"]
    [again, collection] = phone.push(sale, collected(phone, "5.00"))
    assert (again["status"], again["payments"]) == ("duplicate", first["payments"])
    assert (without["payments"], collection["payments"]) == ([], [])


def test_the_same_money_pushed_again_stands_and_is_flagged(shop: Shop) -> None:
    phone = Phone(shop)
    first, second, later = (collected(phone, "40.00", minutes) for minutes in (60, 55, 30))
    spent, spent_again = (
        phone.recorded("expense.create", minutes, amount="5.00", reason="Parking") for minutes in (20, 19)
    )
    results = phone.push(first, second, later, spent, spent_again)
    assert [result["status"] for result in results] == ["created"] * 5
    flagged = [(each.code, each.value, each.confirmed_by) for each in Confirmation.objects.order_by("pk")]
    assert flagged == [
        ("payment_repeated", results[0]["number"], None), ("payment_repeated", results[3]["number"], None),
    ]  # fmt: skip
    about = Confirmation.objects.order_by("pk").values_list("entity_id", flat=True)
    assert [*about] == [results[1]["id"], results[4]["id"]]


def test_money_that_is_said_to_have_come_long_before_it_was_taken_is_flagged(shop: Shop) -> None:
    with at(20):
        phone = Phone(shop)
        [result] = phone.push(collected(phone, "40.00", received_on="2025-12-19"))
    assert result["status"] == "created"
    flagged = Confirmation.objects.get()
    assert (flagged.code, flagged.value, flagged.confirmed_by) == ("date_unlikely", "2025-12-19", None)
