"""Taking a sale back: a reversal and a credit note, once, and everything where it was before."""

from datetime import date, datetime
from decimal import Decimal
from io import StringIO
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
from foundation.errors import Denied, Invalid
from inventory.models import StockMovement
from invoices.models import Invoice
from payments.models import Allocation, Payment
from payments.selectors import cash_in_bag
from tests.conftest import Shop, error_of
from tests.factories import DepotFactory, MeteredCustomerFactory, UserFactory
from tests.types import Answer, Json, Unchanged
from transactions.models import Transaction
from transactions.services import NewVoid, void_transaction

pytestmark = pytest.mark.django_db

SALE = {"type": "SALE", "quantity": 2}
REASON = "Entered for the wrong customer"


def sold(response: Answer) -> Json:
    assert response.status_code == 201, response.json()
    answer: Json = response.json()
    return answer


def void(shop: Shop, sale: Json, by: User | None = None, **body: Any) -> Any:
    url = f"/api/transactions/{sale['transaction']['id']}/void/"
    return shop.client_of(by or shop.admin).post(url, {"reason": REASON, **body})


def read(shop: Shop, kind: str, pk: int) -> Json:
    answer: Json = shop.client_of(shop.admin).get(f"/api/{kind}/{pk}/").json()
    return answer


def test_a_void_negates_the_sale_and_issues_a_credit_note(shop: Shop) -> None:
    sale = sold(shop.sell(SALE, {"type": "DEPOSIT", "quantity": 2}))
    answer = sold(void(shop, sale))
    reversal, note = answer["transaction"], answer["invoice"]
    assert reversal["reverses"] == sale["transaction"]["id"]
    assert [(line["type"], line["quantity"], line["amount"]) for line in reversal["items"]] == [
        ("SALE", -2, "-57.00"),
        ("DEPOSIT", -2, "-120.00"),
    ]
    assert (note["kind"], note["invoice_number"][:3]) == ("CREDIT_NOTE", "CN-")
    for name in ("subtotal", "gst_amount", "total_amount"):
        assert Decimal(note[name]) == -Decimal(sale["invoice"][name])
    assert read(shop, "transactions", sale["transaction"]["id"])["status"] == "VOIDED"
    snapshot = Invoice.objects.get(pk=note["id"]).snapshot
    assert snapshot["corrects"]["invoice_number"] == sale["invoice"]["invoice_number"]
    assert snapshot["corrects"]["reason"] == REASON


def test_the_goods_come_back_to_the_vehicle(shop: Shop) -> None:
    sale = sold(shop.sell(SALE, {"type": "SWAP", "quantity": 3}))
    sold(void(shop, sale))
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == 20
    assert shop.stock("EMPTY", vehicle_no=shop.driver.vehicle_no) == 0
    assert shop.stock(customer=shop.customer) == 0
    assert {move.reason for move in StockMovement.objects.filter(kind="REVERSAL")} == {REASON}


def test_what_moved_last_comes_back_first(shop: Shop) -> None:
    sold(void(shop, sold(shop.sell({"type": "SWAP", "quantity": 3}))))
    back = StockMovement.objects.filter(kind="REVERSAL").order_by("pk")
    assert [(move.quantity, move.from_condition, move.to_location.kind, move.to_condition) for move in back] == [
        (3, "EMPTY", "CUSTOMER", "FULL"),
        (3, "FULL", "VEHICLE", "FULL"),
    ]


def test_a_void_has_the_sale_s_tax_rate_and_its_own_day(shop: Shop) -> None:
    with time_machine.travel(datetime(2023, 12, 31, 12, tzinfo=clock.SINGAPORE), tick=False):
        sale = sold(shop.sell(SALE, payment_received=True))
    voided_at = datetime(2024, 1, 2, 0, 30, tzinfo=clock.SINGAPORE)  # the 1st in UTC
    with time_machine.travel(voided_at, tick=False):
        note = sold(void(shop, sale))["invoice"]
    assert (note["gst_rate"], note["gst_amount"], note["total_amount"]) == ("8.00", "-4.56", "-61.56")
    reversal = Transaction.objects.get(reverses=sale["transaction"]["id"])
    assert (reversal.date, reversal.occurred_at) == (date(2024, 1, 2), voided_at)
    document = Invoice.objects.get(pk=note["id"])
    assert (document.date, document.settled_on, document.user_id) == (
        date(2024, 1, 2), date(2024, 1, 2), shop.driver.pk,
    )  # fmt: skip
    assert document.snapshot["corrects"]["issued_on"] == "2023-12-31"
    settling = Allocation.objects.filter(credit_note=document).get()
    assert (settling.date, Payment.objects.get().received_on) == (date(2024, 1, 2), date(2023, 12, 31))


def test_the_document_of_a_void_bills_the_meter_back(shop: Shop) -> None:
    metered = MeteredCustomerFactory()
    sale = sold(shop.sell({"type": "DEPOSIT"}, customer=metered.pk, current_meter="1210.00", remarks="Ring twice"))
    note = Invoice.objects.get(pk=sold(void(shop, sale))["invoice"]["id"])
    assert note.taxable_amount == Decimal("-21.50")
    meter = note.snapshot["meter"]
    assert [meter[name] for name in ("last_reading", "current_reading", "usage", "rate", "amount")] == [
        "1210.00", "1200.00", "-10.00", "2.1500", "-21.50",
    ]  # fmt: skip
    assert note.snapshot["remarks"] == ""
    reversal = Transaction.objects.get(reverses=sale["transaction"]["id"])
    assert (reversal.usage_amount, reversal.items_amount) == (Decimal("-21.50"), Decimal("-60.00"))
    evidence = AuditLog.objects.get(action="transactions.sale.voided")
    assert evidence.before == {"status": "COMPLETED"}
    assert evidence.after == {
        "status": "VOIDED", "reversal": reversal.transaction_number, "invoice_number": note.invoice_number,
        "total_amount": str(note.total_amount), "goods": "came_back", "pdf_sha256": note.pdf_sha256,
        "last_meter_reading": "1200.00",
    }  # fmt: skip


def test_the_service_refuses_by_itself(shop: Shop, nothing_changes: Unchanged) -> None:
    """What no form and no route lets through today."""
    sale = sold(shop.sell(SALE))["transaction"]["id"]
    stranger = UserFactory(role=Role.SUPERVISOR, depot=DepotFactory())
    with nothing_changes():
        for actor in (shop.driver, stranger):
            with pytest.raises(Denied):
                void_transaction(actor=actor, data=NewVoid(sale, REASON))
        with pytest.raises(Invalid, match="reason"):
            void_transaction(actor=shop.admin, data=NewVoid(sale, " "))


def test_goods_that_are_gone_are_refused_and_can_be_left(shop: Shop, nothing_changes: Unchanged) -> None:
    sale = sold(shop.sell(SALE))
    shop.count("customer", shop.customer.pk, 0)
    with nothing_changes():
        assert error_of(void(shop, sale)) == (409, "insufficient_stock", "goods")
    sold(void(shop, sale, return_stock=False))
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == 18


def test_a_sale_is_voided_once_and_a_reversal_never(shop: Shop, nothing_changes: Unchanged) -> None:
    sale = sold(shop.sell(SALE))
    reversal = sold(void(shop, sale))
    with nothing_changes():
        assert error_of(void(shop, sale)) == (409, "already_voided", None)
        assert error_of(void(shop, reversal)) == (409, "already_voided", None)


@pytest.mark.parametrize("reason", ["", "   ", None, 7])
def test_a_void_needs_its_reason(shop: Shop, nothing_changes: Unchanged, reason: object) -> None:
    sale = sold(shop.sell(SALE))
    with nothing_changes():
        status, _, attr = error_of(void(shop, sale, reason=reason))
    assert (status, attr) == (400, "reason")


def test_the_meter_goes_back_with_its_latest_reading_only(shop: Shop, nothing_changes: Unchanged) -> None:
    metered = MeteredCustomerFactory()
    first = sold(shop.sell(customer=metered.pk, current_meter="1210.00"))
    second = sold(shop.sell(customer=metered.pk, current_meter="1215.00"))
    with nothing_changes():
        assert error_of(void(shop, first)) == (409, "meter_moved_on", None)
    reversal = sold(void(shop, second))["transaction"]
    assert (reversal["last_meter_reading"], reversal["current_meter_reading"], reversal["usage"]) == (
        "1215.00",
        "1210.00",
        "-5.00",
    )
    sold(void(shop, first))
    assert Customer.objects.get(pk=metered.pk).last_meter_reading == Decimal("1200.00")
    again = sold(shop.sell(customer=metered.pk, current_meter="1204.00"))["transaction"]
    assert again["usage"] == "4.00"


def test_the_meter_has_moved_on_where_it_was_read_again_or_replaced_at_the_same_reading(
    shop: Shop, nothing_changes: Unchanged
) -> None:
    apart, read_again, replaced = (MeteredCustomerFactory() for _ in range(3))
    first = [sold(shop.sell(customer=each.pk, current_meter="1210.00")) for each in (apart, read_again, replaced)]
    sold(shop.sell(SALE, customer=read_again.pk, current_meter="1210.00"))
    new = {"final_reading": "1210.00", "new_meter_number": "M2", "first_reading": "1210.00"}
    assert shop.client_of(shop.admin).post(f"/api/customers/{replaced.pk}/replace-meter/", new).status_code == 201
    with nothing_changes():
        for sale in first[1:]:
            assert error_of(void(shop, sale)) == (409, "meter_moved_on", None)
    sold(void(shop, first[0]))


def test_a_later_reading_that_was_taken_back_does_not_count(shop: Shop) -> None:
    metered = MeteredCustomerFactory()
    first = sold(shop.sell(customer=metered.pk, current_meter="1210.00"))
    sold(void(shop, sold(shop.sell(SALE, customer=metered.pk, current_meter="1210.00"))))
    sold(void(shop, first))


def test_a_meter_that_has_moved_on_is_left_where_it_stands_and_the_usage_is_paid_back(shop: Shop) -> None:
    metered = MeteredCustomerFactory()
    first = sold(shop.sell({"type": "SALE"}, customer=metered.pk, current_meter="1210.00"))
    second = sold(shop.sell(customer=metered.pk, current_meter="1230.00"))
    answer = sold(void(shop, first, keep_meter=True))
    assert answer["invoice"]["total_amount"] == f"-{first['invoice']['total_amount']}"
    reversal = answer["transaction"]
    assert [reversal[name] for name in ("usage", "usage_amount", "last_meter_reading", "current_meter_reading")] == [
        "0.00", "-21.50", None, None,
    ]  # fmt: skip
    lines = Invoice.objects.get(pk=answer["invoice"]["id"]).snapshot["lines"]
    assert [(line["description"], line["type"], line["amount"]) for line in lines][1:] == [
        (f"Gas by meter {metered.meter_number}", "USAGE", "-21.50")
    ]
    metered.refresh_from_db()
    assert metered.last_meter_reading == Decimal("1230.00")
    sold(void(shop, second))
    metered.refresh_from_db()
    assert metered.last_meter_reading == Decimal("1210.00")
    call_command("verify_books", stdout=StringIO())


def test_the_baseline_of_a_meter_is_taken_back_too(shop: Shop) -> None:
    metered = MeteredCustomerFactory(last_meter_reading=None)
    sale = sold(shop.sell(SALE, customer=metered.pk, current_meter="500.00"))
    sold(void(shop, sale))
    assert Customer.objects.get(pk=metered.pk).last_meter_reading is None


def test_a_sale_that_read_no_usage_is_voided_without_the_meter(shop: Shop) -> None:
    metered = MeteredCustomerFactory()
    same = sold(shop.sell(SALE, customer=metered.pk, current_meter="1200.00"))
    sold(shop.sell(customer=metered.pk, current_meter="1230.00"))
    reversal = sold(void(shop, same))["transaction"]
    assert reversal["current_meter_reading"] is None
    assert Customer.objects.get(pk=metered.pk).last_meter_reading == Decimal("1230.00")


def test_invoice_and_credit_note_settle_each_other(shop: Shop) -> None:
    sale = sold(shop.sell(SALE))
    note = sold(void(shop, sale))["invoice"]
    invoice = read(shop, "invoices", sale["invoice"]["id"])
    assert (invoice["outstanding_amount"], invoice["status"], invoice["paid_at"]) == ("0.00", "generated", None)
    assert read(shop, "invoices", note["id"])["outstanding_amount"] == note["outstanding_amount"] == "0.00"
    assert shop.client_of(shop.admin).get("/api/invoices/?is_open=true").json()["count"] == 0
    pay = shop.client_of(shop.admin).post(f"/api/invoices/{invoice['id']}/pay/", {})
    assert error_of(pay) == (409, "already_paid", None)
    [part] = Allocation.objects.all()
    assert (part.credit_note_id, part.invoice_id) == (note["id"], invoice["id"])
    assert part.amount == Decimal(invoice["total_amount"])


def test_cash_that_came_with_the_sale_becomes_credit(shop: Shop) -> None:
    sale = sold(shop.sell(SALE, payment_received=True))
    note = sold(void(shop, sale))["invoice"]
    total = Decimal(sale["invoice"]["total_amount"])
    payment = Payment.objects.get()
    assert (payment.amount, payment.credit_amount, payment.used_up_on) == (total, total, None)
    assert cash_in_bag(shop.driver) == total
    invoice = read(shop, "invoices", sale["invoice"]["id"])
    assert (invoice["outstanding_amount"], invoice["status"]) == ("0.00", "generated")
    assert (Invoice.objects.get(pk=note["id"]).status, Transaction.objects.latest("pk").payment_received) == (
        "generated",
        False,
    )


@pytest.mark.parametrize(("paid", "set_off"), [("0.00", "62.13"), ("20.00", "42.13"), ("62.13", "0.00")])
def test_the_credit_note_says_what_becomes_of_what_was_paid(shop: Shop, paid: str, set_off: str) -> None:
    sale = sold(shop.sell(SALE))
    assert sale["invoice"]["total_amount"] == "62.13"
    if Decimal(paid):
        pay = f"/api/invoices/{sale['invoice']['id']}/pay/"
        assert shop.client_of(shop.admin).post(pay, {"amount": paid}).status_code == 200
    note = Invoice.objects.get(pk=sold(void(shop, sale))["invoice"]["id"])
    said = note.snapshot
    assert (said["set_off"], said["paid"], said["payment_received"]) == (set_off, "0.00", False)


def test_a_later_payment_becomes_credit(shop: Shop) -> None:
    sale = sold(shop.sell(SALE))
    admin = shop.client_of(shop.admin)
    assert admin.post(f"/api/invoices/{sale['invoice']['id']}/pay/", {"method": "PAYNOW"}).status_code == 200
    sold(void(shop, sale))
    [payment] = admin.get("/api/payments/").json()["results"]
    assert (payment["amount"], payment["credit_amount"]) == (sale["invoice"]["total_amount"],) * 2


def test_the_void_of_a_refund_bills_again(shop: Shop) -> None:
    sold(shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}, payment_received=True))
    refund = sold(shop.sell({"type": "RETURN", "quantity": 1}, payment_received=True))
    assert (refund["invoice"]["kind"], Payment.objects.latest("pk").amount) == ("CREDIT_NOTE", Decimal("-60.00"))
    again = sold(void(shop, refund))["invoice"]
    # It was paid out, and is owed.
    assert (again["kind"], again["total_amount"], again["outstanding_amount"]) == ("TAX_INVOICE", "60.00", "60.00")
    assert Payment.objects.latest("pk").amount == Decimal("-60.00")
    assert DepositLot.objects.get().pieces == 1


def test_deposits_go_back_too(shop: Shop) -> None:
    sale = sold(shop.sell(SALE, {"type": "DEPOSIT", "quantity": 2}))
    assert (DepositLot.objects.get().pieces, DepositLot.objects.get().amount) == (2, Decimal("120.00"))
    sold(void(shop, sale))
    assert (DepositLot.objects.get().pieces, DepositLot.objects.get().amount) == (0, Decimal("0.00"))


def test_a_free_sale_can_be_voided(shop: Shop) -> None:
    free = {"code": "rate_unlikely", "attr": "items.0.rate", "value": "0.00"}
    sale = sold(shop.sell({"type": "SALE", "rate": "0.00"}, by=shop.admin, confirm=[free]))
    note = sold(void(shop, sale))["invoice"]
    assert (note["kind"], note["total_amount"]) == ("CREDIT_NOTE", "0.00")


def test_an_inactive_customer_s_sale_can_be_voided(shop: Shop) -> None:
    sale = sold(shop.sell(SALE))
    assert shop.client_of(shop.admin).delete(f"/api/customers/{shop.customer.pk}/").status_code == 200
    sold(void(shop, sale))
    assert read(shop, "transactions", sale["transaction"]["id"])["status"] == "VOIDED"
    assert shop.stock(customer=shop.customer) == 0


def test_a_supervisor_voids_at_the_own_depot_only(shop: Shop) -> None:
    sale = sold(shop.sell(SALE))
    stranger = UserFactory(role=Role.SUPERVISOR, depot=DepotFactory())
    assert void(shop, sale, by=stranger).status_code == 404
    assert void(shop, sale, by=shop.driver).status_code == 403
    own = UserFactory(role=Role.SUPERVISOR, depot=shop.depot)
    reversal = sold(void(shop, sale, by=own))["transaction"]
    # The reversal counts against the seller's figures; who did it is in the evidence.
    assert reversal["user"] == shop.driver.pk
    evidence = AuditLog.objects.get(action="transactions.sale.voided")
    assert (evidence.user, evidence.entity_id, evidence.reason) == (own, sale["transaction"]["id"], REASON)


def test_the_sum_of_all_transactions_is_what_stands(shop: Shop) -> None:
    """Two cylinders at 28.50, and 9 % of their 57.00."""
    sold(shop.sell(SALE))
    sold(void(shop, sold(shop.sell(SALE))))
    assert sum(t.total_amount for t in Transaction.objects.all()) == Decimal("57.00")
    assert sum(i.gst_amount for i in Invoice.objects.all()) == Decimal("5.13")
