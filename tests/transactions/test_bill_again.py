"""Billing a sale again: what was wrong is credited and what is right billed, in one commit, as of the same moment."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from pytest_django import Settings

from accounts.models import User
from audit.models import AuditLog
from customers.models import Customer
from deposits.models import DepositLot
from foundation import clock
from foundation.access.capabilities import Role
from inventory.models import StockMovement
from invoices.models import GstRate, Invoice
from payments.models import Payment
from payments.selectors import cash_in_bag, credit_of
from tests.conftest import Shop, error_of, post_confirmed, to_confirm
from tests.factories import CustomerFactory, DepotFactory, MeteredCustomerFactory, UserFactory
from tests.transactions.test_credit import credit, credited
from tests.transactions.test_void import read, sold, void
from tests.types import Answer, Json, Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

REASON = "It was another one"


@pytest.fixture(autouse=True)
def in_coins(settings: Settings) -> None:
    settings.CASH_ROUNDING = Decimal("0.05")


@pytest.fixture(autouse=True)
def books_hold(in_coins: None) -> Any:
    yield
    call_command("verify_books", stdout=StringIO())


def again(shop: Shop, sale: Json, *items: Json, by: User | None = None, **more: Any) -> Answer:
    body = {key: more.pop(key) for key in ("confirm", "client_temp_id", "reason") if key in more}
    lines = [{"equipment": shop.cylinder.pk, "quantity": 1, **item} for item in items]
    right = {"customer": shop.customer.pk, "items": lines, **more}
    url = f"/api/transactions/{sale['transaction']['id']}/bill-again/"
    return shop.client_of(by or shop.admin).post(url, {"reason": REASON, "sale": right, **body})


def billed(shop: Shop, sale: Json, *items: Json, **more: Any) -> Json:
    answer = again(shop, sale, *items, **more)
    if answer.status_code == 409:
        answer = again(shop, sale, *items, **more, confirm=to_confirm(answer))
    return sold(answer)


def swap(quantity: int, **more: Any) -> Json:
    return {"type": "SWAP", "quantity": quantity, **more}


# --- What it makes ---------------------------------------------------------------------------------------------


def test_a_wrong_quantity_is_credited_and_billed_right(shop: Shop) -> None:
    sale = sold(shop.sell({"type": "SALE", "quantity": 3}))
    made = billed(shop, sale, {"type": "SALE", "quantity": 2})
    credit, right = made["credit"], made["transaction"]
    assert (credit["invoice"]["total_amount"], made["invoice"]["total_amount"]) == ("-93.20", "62.13")
    assert (credit["transaction"]["reverses"], right["replaces"]) == (sale["transaction"]["id"],) * 2
    assert read(shop, "transactions", sale["transaction"]["id"])["status"] == "VOIDED"
    assert open_of(shop, sale["invoice"], credit["invoice"], made["invoice"]) == ["0.00", "0.00", "62.13"]
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == 18
    assert shop.stock(customer=shop.customer) == 2


def open_of(shop: Shop, *invoices: Json) -> list[str]:
    return [read(shop, "invoices", invoice["id"])["outstanding_amount"] for invoice in invoices]


def test_it_is_of_the_seller_vehicle_depot_and_moment_of_the_first(shop: Shop) -> None:
    sale = sold(shop.sell({"type": "SALE"}))["transaction"]
    office = UserFactory(role=Role.ADMIN, depot=DepotFactory())
    right = billed(shop, {"transaction": sale}, {"type": "SALE", "quantity": 2}, by=office)["transaction"]
    for name in ("user", "vehicle_no", "depot", "occurred_at"):
        assert right[name] == sale[name]
    assert right["created_at"] > sale["created_at"]
    row = Transaction.objects.get(pk=right["id"])
    assert (row.invoice.user_id, row.invoice.depot_id) == (shop.driver.pk, shop.depot.pk)
    moved = StockMovement.objects.filter(kind="SALE").order_by("pk")
    assert len({(move.ordered_at, move.occurred_at) for move in moved}) == 1


def test_each_document_names_the_other(shop: Shop) -> None:
    sale = sold(shop.sell({"type": "SALE", "quantity": 3}))
    made = billed(shop, sale, {"type": "SALE", "quantity": 2})
    credit, right = (Invoice.objects.get(pk=each["invoice"]["id"]) for each in (made["credit"], made))
    assert credit.snapshot["corrects"]["billed_again"] == right.invoice_number
    assert right.snapshot["replaces"] == {
        "invoice_number": sale["invoice"]["invoice_number"],
        "issued_on": sale["invoice"]["generated_at"][:10],
        "credit_note": credit.invoice_number,
        "reason": REASON,
    }


def test_the_evidence_says_who_did_it_and_why(shop: Shop) -> None:
    sale = sold(shop.sell({"type": "SALE", "quantity": 3}))
    made = billed(shop, sale, {"type": "SALE", "quantity": 2})
    evidence = AuditLog.objects.get(action="transactions.sale.recorded", entity_id=made["transaction"]["id"])
    assert evidence.after is not None
    assert evidence.user == shop.admin
    assert (evidence.after["replaces"], evidence.after["reason"]) == (sale["invoice"]["invoice_number"], REASON)
    assert AuditLog.objects.get(action="transactions.sale.voided").reason == REASON


# --- Each thing that can be wrong ------------------------------------------------------------------------------


def test_a_wrong_rate_is_billed_right_by_who_may_set_rates(shop: Shop) -> None:
    sale = sold(shop.sell({"type": "SALE", "rate": "20.00"}, by=shop.admin, vehicle=shop.driver.vehicle_no))
    made = billed(shop, sale, {"type": "SALE"})
    assert (made["transaction"]["items"][0]["rate"], made["invoice"]["total_amount"]) == ("28.50", "31.07")
    other = billed(shop, made, {"type": "SALE", "rate": "25.00"})
    assert other["transaction"]["items"][0]["rate"] == "25.00"
    assert other["transaction"]["replaces"] == made["transaction"]["id"]


def test_the_price_is_that_of_the_sale_s_day(shop: Shop) -> None:
    sale = sold(shop.sell({"type": "SALE", "quantity": 3}))
    url = f"/api/equipment/{shop.cylinder.pk}/"
    with time_machine.travel(clock.now() + timedelta(days=3)):
        assert shop.client_of(shop.admin).patch(url, {"default_rate": "30.00"}).status_code == 200
        assert billed(shop, sale, {"type": "SALE"})["transaction"]["items"][0]["rate"] == "28.50"


def test_a_wrong_customer_s_sale_goes_to_the_right_one_with_the_money_of_the_door(shop: Shop) -> None:
    right = CustomerFactory()
    sale = sold(shop.sell({"type": "SALE"}, tender=[{"method": "CASH", "amount": "31.05"}]))
    assert open_of(shop, sale["invoice"]) == ["0.00"]
    made = billed(shop, sale, {"type": "SALE"}, customer=right.pk)
    assert open_of(shop, sale["invoice"], made["credit"]["invoice"], made["invoice"]) == ["0.00", "0.00", "0.00"]
    assert (credit_of(shop.customer), credit_of(right), cash_in_bag(shop.driver)) == (
        Decimal(0),
        Decimal(0),
        Decimal("31.05"),
    )
    assert (shop.stock(customer=shop.customer), shop.stock(customer=right)) == (0, 1)
    first, moved = Payment.objects.get(customer=shop.customer, amount__gt=0), Payment.objects.get(customer=right)
    assert (moved.received_on, moved.user, moved.is_on_the_spot) == (first.received_on, shop.driver, True)
    assert read(shop, "invoices", made["invoice"]["id"])["status"] == "paid"


def test_what_the_wrong_customer_paid_later_stays_theirs(shop: Shop) -> None:
    right = CustomerFactory()
    sale = sold(shop.sell({"type": "SALE"}))
    paid = {"customer": shop.customer.pk, "method": "BANK_TRANSFER", "amount": "31.07", "reference": "FT1"}
    assert shop.client_of(shop.admin).post("/api/payments/", paid).status_code == 201
    made = billed(shop, sale, {"type": "SALE"}, customer=right.pk)
    assert open_of(shop, made["invoice"]) == ["31.07"]
    assert (credit_of(shop.customer), credit_of(right)) == (Decimal("31.07"), Decimal(0))


def test_what_the_bank_has_and_what_settled_more_stay_with_who_paid(shop: Shop) -> None:
    right = CustomerFactory()
    found = sold(shop.sell({"type": "SALE"}, tender=[{"method": "PAYNOW", "amount": "31.07", "reference": "PN1"}]))
    paid = Payment.objects.get()
    bank = shop.client_of(shop.admin).post(f"/api/payments/{paid.pk}/bank/", {"banked_on": paid.received_on})
    assert bank.status_code == 200
    assert open_of(shop, billed(shop, found, {"type": "SALE"}, customer=right.pk)["invoice"]) == ["31.07"]
    assert (credit_of(shop.customer), credit_of(right)) == (Decimal("31.07"), Decimal(0))
    older = sold(shop.sell({"type": "SALE"}))
    money = {"method": "PAYNOW", "amount": "40.00", "reference": "PN2"}
    body = {"customer": shop.customer.pk, "items": [{"equipment": shop.cylinder.pk, "type": "SALE", "quantity": 1}]}
    more = sold(post_confirmed(shop.client_of(shop.driver), "/api/transactions/", {**body, "tender": [money]}))
    assert open_of(shop, older["invoice"]) == ["22.14"]
    assert open_of(shop, billed(shop, more, {"type": "SALE"}, customer=right.pk)["invoice"]) == ["31.07"]
    assert Payment.objects.filter(customer=right).count() == 0


def test_a_wrong_reading_is_billed_right_and_the_meter_is_there(shop: Shop) -> None:
    metered = MeteredCustomerFactory()
    sale = sold(shop.sell(customer=metered.pk, current_meter="1250.00"))
    made = billed(shop, sale, customer=metered.pk, current_meter="1205.00")
    assert (made["transaction"]["usage"], made["invoice"]["subtotal"]) == ("5.00", "10.75")
    metered.refresh_from_db()
    assert metered.last_meter_reading == Decimal("1205.00")


@pytest.mark.parametrize("sent", [{}, {"current_meter": "1210.00"}])
def test_usage_is_billed_again_where_the_meter_has_moved_on(shop: Shop, sent: Json) -> None:
    metered = MeteredCustomerFactory()
    sale = sold(shop.sell(swap(1), customer=metered.pk, current_meter="1210.00"))
    sold(shop.sell(customer=metered.pk, current_meter="1220.00"))
    made = billed(shop, sale, swap(2), customer=metered.pk, **sent)
    assert made["credit"]["invoice"]["subtotal"] == "-50.00"
    assert (made["invoice"]["subtotal"], made["transaction"]["usage_amount"]) == ("78.50", "21.50")
    assert (made["transaction"]["usage"], made["transaction"]["current_meter_reading"]) == ("0.00", None)
    meter = Invoice.objects.get(pk=made["invoice"]["id"]).snapshot["meter"]
    assert (meter["last_reading"], meter["current_reading"], meter["usage"]) == ("1200.00", "1210.00", "10.00")
    metered.refresh_from_db()
    assert metered.last_meter_reading == Decimal("1220.00")
    # And once more: its own readings it has none.
    assert billed(shop, made, swap(1), customer=metered.pk)["invoice"]["subtotal"] == "50.00"


def test_usage_that_was_billed_again_is_credited_by_its_amount(shop: Shop) -> None:
    metered = MeteredCustomerFactory()
    sale = sold(shop.sell(customer=metered.pk, current_meter="1210.00"))
    sold(shop.sell(customer=metered.pk, current_meter="1220.00"))
    made = billed(shop, sale, swap(1), customer=metered.pk)
    usage = {"line": 2, "amount": "21.50"}
    assert credited(shop, made["invoice"], {**usage, "amount": "1.50"})["total_amount"] == "-1.64"
    too_much = credit(shop, made["invoice"], usage)
    assert error_of(too_much) == (409, "exceeds_invoice", "lines.0.amount")
    credited(shop, made["invoice"], {"line": 1, "quantity": 1}, {**usage, "amount": "20.00"})
    assert read(shop, "invoices", made["invoice"]["id"])["state"] == "VOIDED"


def test_the_void_of_usage_that_was_billed_again_says_nothing_of_readings(shop: Shop) -> None:
    metered = MeteredCustomerFactory()
    sale = sold(shop.sell(customer=metered.pk, current_meter="1210.00"))
    sold(shop.sell(customer=metered.pk, current_meter="1220.00"))
    made = billed(shop, sale, customer=metered.pk)
    note = sold(void(shop, made))["invoice"]
    said = Invoice.objects.get(pk=note["id"]).snapshot
    assert (said["meter"], [line["amount"] for line in said["lines"]]) == (None, ["-21.50"])
    metered.refresh_from_db()
    assert metered.last_meter_reading == Decimal("1220.00")


def test_a_reading_that_others_were_billed_from_stands(shop: Shop) -> None:
    metered = MeteredCustomerFactory()
    sale = sold(shop.sell(customer=metered.pk, current_meter="1210.00"))
    sold(shop.sell(customer=metered.pk, current_meter="1220.00"))
    wrong = again(shop, sale, customer=metered.pk, current_meter="1205.00")
    assert error_of(wrong) == (409, "meter_moved_on", "sale.current_meter")
    assert error_of(again(shop, sale, swap(1))) == (409, "meter_moved_on", "sale.customer")


def test_what_was_billed_again_is_voided_wherever_its_meter_is(shop: Shop) -> None:
    metered = MeteredCustomerFactory()
    sale = sold(shop.sell(customer=metered.pk, current_meter="1250.00"))
    billed(shop, sale, customer=metered.pk, current_meter="1205.00")
    refused = again(shop, sale, customer=metered.pk, current_meter="1206.00")
    assert error_of(refused) == (409, "already_voided", None)


def test_deposits_are_charged_anew(shop: Shop) -> None:
    sale = sold(shop.sell({"type": "SALE", "quantity": 2}, {"type": "DEPOSIT", "quantity": 2}))
    billed(shop, sale, {"type": "SALE"}, {"type": "DEPOSIT"})
    assert [(lot.pieces, lot.amount) for lot in DepositLot.objects.filter(pieces__gt=0)] == [(1, Decimal(60))]


# --- Late ------------------------------------------------------------------------------------------------------


def test_a_sale_of_long_ago_is_billed_again_at_the_gst_rate_of_then(shop: Shop) -> None:
    with time_machine.travel(datetime(2023, 12, 20, 12, tzinfo=clock.SINGAPORE), tick=False):
        shop.count("vehicle", shop.driver.vehicle_no, 20)
        sale = sold(shop.sell({"type": "SALE", "quantity": 2}))
    with time_machine.travel(datetime(2024, 2, 2, 12, tzinfo=clock.SINGAPORE), tick=False):
        made = billed(shop, sale, {"type": "SALE"})
    assert (made["credit"]["invoice"]["gst_rate"], made["invoice"]["gst_rate"]) == ("8.00", "8.00")
    assert made["invoice"]["generated_at"].startswith("2024-02-02")
    with time_machine.travel(datetime(2024, 2, 3, 12, tzinfo=clock.SINGAPORE), tick=False):
        assert billed(shop, made, {"type": "SALE", "quantity": 2})["invoice"]["gst_rate"] == "8.00"


@pytest.mark.parametrize(
    ("money", "rate"),
    [
        ({"payment_received": True}, "8.00"),
        ({"tender": [{"method": "PAYNOW", "amount": "5.00"}]}, "8.00"),
        ({"tender": [{"method": "CHEQUE", "amount": "5.00"}]}, "9.00"),
    ],
)
def test_the_gst_rate_is_that_of_the_money_where_it_came_with_the_sale(shop: Shop, money: Json, rate: str) -> None:
    with time_machine.travel(datetime(2023, 12, 30, 12, tzinfo=clock.SINGAPORE), tick=False):
        shop.count("vehicle", shop.driver.vehicle_no, 20)
    with time_machine.travel(datetime(2024, 1, 1, 12, tzinfo=clock.SINGAPORE), tick=False):
        sale = sold(shop.sell({"type": "SALE"}, **money, occurred_at="2023-12-31T12:00:00+08:00"))
    assert sale["invoice"]["gst_rate"] == rate
    assert billed(shop, sale, {"type": "SALE"})["invoice"]["gst_rate"] == rate


def test_what_is_billed_again_stands_where_it_was_in_the_order_of_what_happened(shop: Shop) -> None:
    pushed = shop.sell_at_another_total()
    sale = {"transaction": read(shop, "transactions", pushed["id"])}
    billed(shop, sale, {"type": "SALE", "quantity": 2})
    moved = StockMovement.objects.filter(kind__in=("SALE", "REVERSAL"))
    assert [*moved.order_by().values_list("device_number", flat=True)] == [1, 1, 1]
    assert len({*moved.values_list("device", "ordered_at")}) == 1


def test_c8_a_wrong_gst_rate_is_billed_right(shop: Shop) -> None:
    GstRate.objects.create(rate=Decimal(8), valid_from=date(2025, 1, 1))
    shop.count("vehicle", shop.driver.vehicle_no, 20)
    with time_machine.travel(datetime(2025, 1, 15, 12, tzinfo=clock.SINGAPORE), tick=False):
        line = {"equipment": shop.cylinder.pk, "type": "SERVICE", "quantity": 1, "rate": "12000.00"}
        body = {"customer": shop.customer.pk, "items": [line]}
        sale = sold(post_confirmed(shop.client_of(shop.admin), "/api/transactions/", body))
    assert sale["invoice"]["gst_amount"] == "960.00"
    GstRate.objects.create(rate=Decimal(9), valid_from=date(2025, 1, 2))
    made = billed(shop, sale, {"type": "SERVICE", "rate": "12000.00"})
    assert made["credit"]["invoice"]["gst_amount"] == "-960.00"
    assert made["invoice"]["gst_amount"] == "1080.00"


# --- What settles it -------------------------------------------------------------------------------------------


def test_what_settled_the_old_one_settles_the_new_one_and_the_rest_is_credit(shop: Shop) -> None:
    sale = sold(shop.sell({"type": "SALE", "quantity": 3}, tender=[{"method": "PAYNOW", "amount": "93.20"}]))
    made = billed(shop, sale, {"type": "SALE", "quantity": 2})
    assert open_of(shop, made["invoice"], made["credit"]["invoice"]) == ["0.00", "0.00"]
    assert credit_of(shop.customer) == Decimal("31.07")
    assert made["invoice"]["status"] == "paid"
    assert Invoice.objects.get(pk=made["invoice"]["id"]).snapshot["set_off"] == "62.13"


def test_what_it_doesn_t_settle_is_open(shop: Shop) -> None:
    sale = sold(shop.sell({"type": "SALE"}, tender=[{"method": "CASH", "amount": "20.00"}]))
    made = billed(shop, sale, {"type": "SALE", "quantity": 2})
    assert open_of(shop, made["invoice"]) == ["42.13"]
    assert credit_of(shop.customer) == 0


def test_another_total_is_settled_by_what_was_paid_without_its_rounding(shop: Shop) -> None:
    sale = sold(shop.sell({"type": "SALE"}, tender=[{"method": "CASH", "amount": "31.05"}]))
    made = billed(shop, sale, {"type": "SALE", "quantity": 2})
    assert open_of(shop, made["invoice"]) == ["31.08"]


def test_the_same_total_is_settled_as_it_was_with_its_rounding(shop: Shop) -> None:
    sale = sold(shop.sell({"type": "SALE"}, tender=[{"method": "CASH", "amount": "31.05"}], remarks="Wrong"))
    made = billed(shop, sale, {"type": "SALE"}, remarks="Right")
    assert open_of(shop, made["invoice"]) == ["0.00"]
    assert (credit_of(shop.customer), cash_in_bag(shop.driver)) == (Decimal(0), Decimal("31.05"))


def test_what_stays_with_who_paid_leaves_no_rounding_beside_the_cash_that_goes_along(shop: Shop) -> None:
    """PayNow that the bank has stays, and 11.05 of cash closes nothing any more."""
    tender = [{"method": "PAYNOW", "amount": "20.00", "reference": "PN1"}, {"method": "CASH", "amount": "11.05"}]
    sale = sold(shop.sell({"type": "SALE"}, tender=tender))
    assert open_of(shop, sale["invoice"]) == ["0.00"]
    paid = Payment.objects.get(method="PAYNOW")
    bank = shop.client_of(shop.admin).post(f"/api/payments/{paid.pk}/bank/", {"banked_on": paid.received_on})
    assert bank.status_code == 200
    made = billed(shop, sale, {"type": "SALE"}, customer=CustomerFactory().pk)
    assert open_of(shop, made["invoice"]) == ["20.02"]


# --- Wrong, twice, and who may ---------------------------------------------------------------------------------


def test_it_happens_once_for_each_id(shop: Shop) -> None:
    sale = sold(shop.sell({"type": "SALE", "quantity": 3}))
    first, second = (again(shop, sale, {"type": "SALE"}, client_temp_id="again-1") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["invoice"]["id"] == second.json()["invoice"]["id"]
    assert first.json()["credit"]["invoice"]["id"] == second.json()["credit"]["invoice"]["id"]
    assert error_of(again(shop, sale, {"type": "SALE"})) == (409, "already_voided", None)


def test_what_is_refused_leaves_everything(shop: Shop, nothing_changes: Unchanged) -> None:
    sold(shop.sell({"type": "SALE"}))
    sale = sold(shop.sell({"type": "SALE", "quantity": 3}))
    with nothing_changes():
        too_many = again(shop, sale, {"type": "SALE", "quantity": 50})
        assert error_of(too_many) == (409, "insufficient_stock", "sale.items.0.quantity")
        assert error_of(again(shop, sale)) == (409, "empty_sale", None)
        assert error_of(again(shop, sale, {"type": "RETURN", "quantity": 1})) == (400, "invalid", "sale.items")
        assert error_of(again(shop, sale, {"type": "SALE"}, customer=99999)) == (400, "does_not_exist", "sale.customer")
        assert error_of(again(shop, sale, {"type": "SALE"}, payment_received=True))[0] == 400
        assert error_of(again(shop, sale, {"type": "SALE"}, reason=" "))[0] == 400


def test_only_an_invoice_that_nothing_was_credited_of_is_billed_again(shop: Shop) -> None:
    sale = sold(shop.sell({"type": "SALE", "quantity": 3}))
    line = {"line": 1, "quantity": 1}
    url = f"/api/invoices/{sale['invoice']['id']}/credit/"
    note = sold(shop.client_of(shop.admin).post(url, {"reason": REASON, "lines": [line]}))
    assert error_of(again(shop, sale, {"type": "SALE"})) == (409, "already_credited", None)
    assert error_of(again(shop, note, {"type": "SALE"})) == (409, "no_invoice", None)
    other = sold(shop.sell({"type": "SALE"}))
    reversal = sold(void(shop, other))
    assert error_of(again(shop, reversal, {"type": "SALE"})) == (409, "no_invoice", None)


def test_who_may_void_may_bill_again(shop: Shop) -> None:
    sale = sold(shop.sell({"type": "SALE", "quantity": 3}))
    assert again(shop, sale, {"type": "SALE"}, by=shop.driver).status_code == 403
    elsewhere = UserFactory(role=Role.SUPERVISOR, depot=DepotFactory())
    assert again(shop, sale, {"type": "SALE"}, by=elsewhere).status_code == 404
    here = UserFactory(role=Role.SUPERVISOR, depot=shop.depot)
    assert again(shop, sale, {"type": "SALE"}, by=here).status_code == 201


def test_what_takes_a_sale_s_place_can_be_voided_and_credited(shop: Shop) -> None:
    metered: Customer = MeteredCustomerFactory()
    sale = sold(shop.sell(swap(1), customer=metered.pk, current_meter="1210.00"))
    sold(shop.sell(customer=metered.pk, current_meter="1220.00"))
    made = billed(shop, sale, swap(2), customer=metered.pk)
    sold(void(shop, made))
    assert open_of(shop, made["invoice"]) == ["0.00"]
    metered.refresh_from_db()
    assert metered.last_meter_reading == Decimal("1220.00")


def test_a_count_since_then_stands(shop: Shop) -> None:
    sale = sold(shop.sell({"type": "SALE", "quantity": 3}))
    assert shop.count("vehicle", shop.driver.vehicle_no, 18).status_code == 200
    billed(shop, sale, {"type": "SALE", "quantity": 2})
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == 18
