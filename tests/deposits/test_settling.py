"""How a refund is settled: set off, paid out, owed again; and what its documents say of that."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from audit.models import AuditLog, Confirmation
from deposits.models import DepositLot
from discrepancies.models import Discrepancy
from foundation import clock
from invoices.models import Invoice
from payments.models import Allocation, Payment
from payments.selectors import credit_of
from tests.admin.pages import logged_in, url
from tests.conftest import Shop, error_of, post_confirmed
from tests.deposits.test_cases import (
    charged,
    deposit_is,
    found_at_the_bank,
    held,
    pushed,
    read,
    returned,
    sold,
    verified,
    void,
)
from tests.factories import EquipmentFactory, MeteredCustomerFactory, priced
from tests.invoices.test_paynow import fields
from tests.types import Json
from transactions.models import Transaction

pytestmark = pytest.mark.django_db


def pay(shop: Shop, document: Json, amount: str, *, is_found: bool = False) -> None:
    """By PayNow, which the bank has by then or not."""
    address = f"/api/invoices/{document['invoice']['id']}/pay/"
    assert shop.client_of(shop.admin).post(address, {"method": "PAYNOW", "amount": amount}).status_code == 200
    if is_found:
        found_at_the_bank(shop)


def said(document: Json) -> tuple[str, bool]:
    """How much is set off, and whether the rest was paid: as printed."""
    snapshot = Invoice.objects.get(pk=document["invoice"]["id"]).snapshot
    return snapshot["set_off"], snapshot["payment_received"]


def named(document: Json) -> list[str]:
    numbers: list[str] = Invoice.objects.get(pk=document["invoice"]["id"]).snapshot["set_off_against"]
    return numbers


def set_off_by(document: Json) -> list[tuple[int, str]]:
    uses = Allocation.objects.filter(credit_note=document["invoice"]["id"]).order_by("pk")
    return [(use.invoice_id, str(use.amount)) for use in uses]


def paid_out() -> list[str]:
    return [str(payment.amount) for payment in Payment.objects.filter(amount__lt=0).order_by("pk")]


def test_each_invoice_is_set_off_up_to_what_it_charged(shop: Shop) -> None:
    first, second = charged(shop, 1, "40.00"), charged(shop, 1, "60.00")
    refund = returned(shop, 2, payment_received=True)
    assert set_off_by(refund) == [(first["invoice"]["id"], "40.00"), (second["invoice"]["id"], "60.00")]
    assert paid_out() == []
    assert said(refund) == ("100.00", False)
    assert named(refund) == [first["invoice"]["invoice_number"], second["invoice"]["invoice_number"]]
    assert verified() == []


def test_a_set_off_counts_from_the_day_of_the_refund(shop: Shop) -> None:
    noon = datetime(2026, 1, 19, 12, 0, tzinfo=clock.SINGAPORE)
    with time_machine.travel(noon, tick=False):
        charged(shop)
    with time_machine.travel(noon + timedelta(hours=12, minutes=30), tick=False):  # the 19th in UTC
        returned(shop)
    assert Allocation.objects.get().date == date(2026, 1, 20)


def test_deposits_of_one_invoice_share_what_is_open_of_it(shop: Shop) -> None:
    small = EquipmentFactory(default_rate=Decimal("0.00"), deposit=Decimal("40.00"))
    shop.stocked("vehicle", shop.driver.vehicle_no, 5, equipment_id=small.pk)
    priced(shop.cylinder, default_rate=Decimal("0.00"))
    sale = sold(
        shop, *({"type": kind, "equipment": pk} for pk in (shop.cylinder.pk, small.pk) for kind in ("SALE", "DEPOSIT"))
    )
    pay(shop, sale, "30.00", is_found=True)
    items: list[Json] = [{"type": "RETURN"}, {"type": "RETURN", "equipment": small.pk}]
    refund = sold(shop, *items, payment_received=True)
    assert set_off_by(refund) == [(sale["invoice"]["id"], "70.00")]
    assert paid_out() == ["-30.00"]
    assert said(refund) == ("70.00", True)
    assert verified() == []


def test_what_is_owed_again_is_set_off_when_it_comes_back_again(shop: Shop) -> None:
    charged(shop, payment_received=True)
    voiding = void(shop, returned(shop, payment_received=True)).json()
    again = returned(shop, payment_received=True)
    assert set_off_by(again) == [(voiding["invoice"]["id"], "60.00")]
    assert read(shop, voiding)["outstanding_amount"] == "0.00"
    assert paid_out() == ["-60.00"]
    assert verified() == []


def test_a_charge_that_is_owed_twice_is_set_off_once_in_all(shop: Shop) -> None:
    """Half of the charge is open still, and the half that was paid out for it is owed again."""
    sale = charged(shop)
    pay(shop, sale, str(Decimal(sale["invoice"]["total_amount"]) - 30), is_found=True)
    voiding = void(shop, returned(shop, payment_received=True)).json()
    assert read(shop, voiding)["outstanding_amount"] == "30.00"
    again = returned(shop, payment_received=True)
    assert set_off_by(again) == [(sale["invoice"]["id"], "30.00"), (voiding["invoice"]["id"], "30.00")]
    assert verified() == []


def test_what_charged_it_first_comes_before_what_charged_it_again(shop: Shop) -> None:
    """Two deposits whose payments were reversed after what was paid out for them is owed again."""
    sales = [charged(shop), charged(shop)]
    for sale in sales:
        pay(shop, sale, sale["invoice"]["total_amount"], is_found=True)
    payments = list(Payment.objects.all())
    void(shop, returned(shop, 2, payment_received=True))
    for payment in payments:
        address = f"/api/payments/{payment.pk}/reverse/"
        assert post_confirmed(shop.client_of(shop.admin), address, {"reason": "Bounced"}).status_code == 201
    again = returned(shop, 2, payment_received=True)
    assert set_off_by(again) == [(sale["invoice"]["id"], "60.00") for sale in sales]
    assert verified() == []


def test_a_refund_that_isnt_paid_out_stays_open(shop: Shop) -> None:
    sale = charged(shop)
    pay(shop, sale, str(Decimal(sale["invoice"]["total_amount"]) - 20))
    refund = returned(shop)
    assert read(shop, refund)["outstanding_amount"] == "-40.00"
    assert said(refund) == ("20.00", False)
    assert paid_out() == []


def beside(shop: Shop, **more: Any) -> tuple[Json, Json]:
    """A sale for 27.25 with a refund of 120.00 beside it."""
    priced(shop.cylinder, default_rate=Decimal("25.00"))
    document = sold(shop, {"type": "SWAP"}, {"type": "RETURN", "quantity": 2}, **more)
    return document, document["refund"]


def test_a_refund_beside_a_sale_is_set_off_against_it(shop: Shop) -> None:
    charged(shop, 2, payment_received=True)
    sale, refund = beside(shop, client_temp_id="once")
    assert Transaction.objects.get(client_temp_id="once").pk == sale["transaction"]["id"]
    assert set_off_by(refund) == [(sale["invoice"]["id"], "27.25")]
    assert (said(sale), said(refund)) == (("27.25", False), ("27.25", False))
    assert named(refund) == [sale["invoice"]["invoice_number"]]
    assert read(shop, refund)["outstanding_amount"] == "-92.75"
    assert void(shop, sale).status_code == 201
    assert read(shop, refund)["outstanding_amount"] == "-120.00"
    assert verified() == []


def test_a_sale_that_nothing_is_set_off_against_is_paid_beside_its_refund(shop: Shop) -> None:
    """The refund is set off against what charged it."""
    charged(shop, 2)
    sale, refund = beside(shop, payment_received=True)
    assert sale["invoice"]["invoice_number"] not in named(refund)
    assert read(shop, sale)["outstanding_amount"] == read(shop, refund)["outstanding_amount"] == "0.00"
    [payment] = Payment.objects.all()
    assert (str(payment.amount), payment.method, payment.is_on_the_spot) == ("27.25", "CASH", True)
    assert void(shop, sale).status_code == 201
    assert paid_out() == []
    assert credit_of(shop.customer) == Decimal("27.25")
    assert verified() == []


def test_what_is_left_to_pay_beside_a_refund_is_in_the_code(shop: Shop, settings: Any) -> None:
    settings.COMPANY = {**settings.COMPANY, "uen": "201992345C"}
    first = charged(shop, 2)
    pay(shop, first, str(Decimal(first["invoice"]["total_amount"]) - 100))
    sale, _ = beside(shop)
    assert said(sale) == ("20.00", False)
    assert fields(Invoice.objects.get(pk=sale["invoice"]["id"]).snapshot["paynow"])["54"] == "7.25"


def test_a_voided_refund_owes_what_it_paid_out_and_no_more(shop: Shop) -> None:
    sale = charged(shop)
    pay(shop, sale, str(Decimal(sale["invoice"]["total_amount"]) - 40), is_found=True)
    refund = returned(shop, payment_received=True)
    assert paid_out() == ["-20.00"]
    voiding = void(shop, refund).json()
    assert read(shop, sale)["outstanding_amount"] == "40.00"
    assert read(shop, refund)["outstanding_amount"] == "0.00"
    assert read(shop, voiding)["outstanding_amount"] == "20.00"
    assert said(voiding) == ("40.00", False)
    assert verified() == []


def test_a_voided_refund_that_was_set_off_bills_nothing_that_was_paid(shop: Shop) -> None:
    charged(shop)
    voiding = read(shop, void(shop, returned(shop)).json())
    assert (voiding["outstanding_amount"], voiding["status"], voiding["paid_at"]) == ("0.00", "generated", None)


def test_a_refund_and_then_its_charge_are_voided(shop: Shop) -> None:
    sale = charged(shop)
    assert void(shop, returned(shop)).status_code == 201
    assert void(shop, sale).status_code == 201
    assert not DepositLot.objects.filter(pieces__gt=0).exists()
    assert verified() == []


# --- What the phone paid out ---------------------------------------------------------------------


def paid_at(shop: Shop, *items: Json, total: str | None, cash: str | None = None) -> str:
    """What changed hands: the field showed this total, and moved this cash; or nobody knows."""
    last = max(Payment.objects.values_list("pk", flat=True), default=0)
    result = pushed(shop, *items, payment_received=True, based_on={"total_with_gst": total, "cash": cash})
    assert result["status"] == "created", result
    made = Payment.objects.filter(is_on_the_spot=True, pk__gt=last)
    return ", ".join(str(payment.amount) for payment in made.order_by("pk"))


@pytest.mark.parametrize(
    ("rate", "total", "paid"),
    [
        (None, None, "-80.00"),
        ("60.00", None, "-120.00"),
        ("30.00", None, "-60.00"),
        ("40.00", "-80.00", "-80.00"),
        ("20.00", "-40.00", "-40.00"),
        (None, "0.00", ""),
        (None, "50.00", "50.00"),
    ],
)
def test_what_changed_hands_is_what_the_phone_showed(
    shop: Shop, rate: str | None, total: str | None, paid: str
) -> None:
    charged(shop, 2, "40.00", payment_received=True)
    deposit_is(shop, "60.00")
    assert paid_at(shop, {"type": "RETURN", "quantity": 2, "rate": rate}, total=total) == paid
    assert verified() == []


def test_a_phone_that_showed_the_refund_paid_nothing_of_what_is_set_off(shop: Shop) -> None:
    sale = charged(shop, 1, "40.00")
    assert paid_at(shop, {"type": "RETURN"}, total="-40.00", cash="0.00") == ""
    assert read(shop, sale)["outstanding_amount"] == "31.07"
    assert not Discrepancy.objects.exists()
    assert verified() == []


def test_what_a_phone_paid_out_that_knew_no_set_off_leaves_the_charge_open(shop: Shop) -> None:
    sale = charged(shop, 1, "40.00")
    assert paid_at(shop, {"type": "RETURN"}, total="-40.00") == "-40.00"
    assert read(shop, sale)["outstanding_amount"] == "71.07"
    assert Allocation.objects.get(amount=-40, invoice__total_amount=-40)
    [noted] = Discrepancy.objects.all()
    assert (noted.code, noted.shown, noted.billed) == ("cash_differs", "-40.00", "0.00")
    assert noted.detail == "40.00 paid out; due was: nothing."
    assert verified() == []


def test_of_what_was_paid_out_beside_a_sale_that_sale_is_settled_first(shop: Shop) -> None:
    """The charge of the deposits is open: the phone, which didn't know, took the sale out of the refund."""
    first = charged(shop, 2)
    priced(shop.cylinder, default_rate=Decimal("25.00"), since=clock.now())
    items: list[Json] = [{"type": "SWAP"}, {"type": "RETURN", "quantity": 2}]
    assert paid_at(shop, *items, total="-92.75") == "-92.75"
    refund, sale = Transaction.objects.order_by("-pk")[:2]
    assert sale.invoice.outstanding_amount == refund.invoice.outstanding_amount == 0
    assert read(shop, first)["outstanding_amount"] == first["invoice"]["total_amount"]
    assert (sale.invoice.snapshot["set_off"], sale.invoice.snapshot["payment_received"]) == ("27.25", True)
    assert (refund.invoice.snapshot["set_off"], refund.invoice.snapshot["payment_received"]) == ("27.25", True)
    assert verified() == []


def test_what_was_taken_in_beside_a_refund_settles_the_sale(shop: Shop) -> None:
    charged(shop, 2)
    priced(shop.cylinder, default_rate=Decimal("25.00"), since=clock.now())
    items: list[Json] = [{"type": "SWAP"}, {"type": "RETURN", "quantity": 2}]
    assert paid_at(shop, *items, total="-92.75", cash="20.00") == "20.00"
    refund, sale = Transaction.objects.order_by("-pk")[:2]
    assert sale.invoice.outstanding_amount == refund.invoice.outstanding_amount == 0
    assert sale.invoice.snapshot["set_off"] == "7.25"
    assert refund.invoice.snapshot["payment_received"] is False
    assert verified() == []


@pytest.mark.parametrize(
    ("total", "open_"), [("31.07", "0.00"), ("30.00", "1.07"), ("35.00", "0.00"), ("0.00", "31.07")]
)
def test_a_sale_is_settled_by_what_was_taken_for_it(shop: Shop, total: str, open_: str) -> None:
    taken = "" if total == "0.00" else total
    assert paid_at(shop, {"type": "SALE"}, total=total) == taken
    sale = Transaction.objects.get()
    assert Decimal(sale.invoice.snapshot["paid"]) == min(Decimal(total), Decimal("31.07"))
    assert (str(sale.invoice.outstanding_amount), sale.invoice.snapshot["payment_received"]) == (
        open_, open_ == "0.00",
    )  # fmt: skip
    assert credit_of(shop.customer) == max(Decimal(total) - Decimal("31.07"), 0)
    assert verified() == []


def test_a_refund_is_printed_as_paid_where_all_of_it_is(shop: Shop) -> None:
    charged(shop, 2, "40.00", payment_received=True)
    assert paid_at(shop, {"type": "RETURN", "quantity": 2}, total="-40.00") == "-40.00"
    refund = Transaction.objects.latest("pk").invoice
    said = (refund.snapshot["paid"], refund.snapshot["payment_received"], str(refund.outstanding_amount))
    assert said == ("40.00", False, "-40.00")


def test_the_charge_comes_before_the_sale_where_nothing_is_paid(shop: Shop) -> None:
    first = charged(shop, 2)
    pay(shop, first, str(Decimal(first["invoice"]["total_amount"]) - 100))
    sale, refund = beside(shop)
    assert set_off_by(refund) == [(first["invoice"]["id"], "100.00"), (sale["invoice"]["id"], "20.00")]
    assert verified() == []


def test_no_cash_is_beyond_what_an_amount_holds(shop: Shop) -> None:
    """An admin's phone names any rate, and no total."""
    shop.stocked("customer", shop.customer.pk, 200)
    now = clock.now().isoformat()
    items = [{"equipment": shop.cylinder.pk, "type": "RETURN", "quantity": 200, "rate": "99999.99"}]
    data = {"customer": shop.customer.pk, "items": items, "payment_received": True, "vehicle": shop.driver.vehicle_no}
    operation = {"type": "transaction.create", "client_temp_id": "a", "number": 1, "occurred_at": now, "data": data}
    push = {"protocol": 2, "sent_at": now, "device": {"id": "office", "last_number": 1}, "operations": [operation]}
    [result] = shop.client_of(shop.admin).post("/api/sync/push/", push).json()["results"]
    assert [error["code"] for error in result["errors"]] == ["amount_out_of_range"]


def test_much_more_cash_than_is_due_is_asked_about(shop: Shop, settings: Any) -> None:
    """It stands, and somebody looks at it."""
    most = settings.UNLIKELY["AMOUNT"]
    paid_at(shop, {"type": "SALE"}, total=None, cash=str(most + 1))
    asked = Confirmation.objects.get()
    assert (asked.code, asked.attr, asked.value) == ("amount_unlikely", "payment_received", f"{most + 1}.00")


def test_what_is_left_to_pay_is_in_the_code(shop: Shop, settings: Any) -> None:
    settings.COMPANY = {**settings.COMPANY, "uen": "201992345C"}
    paid_at(shop, {"type": "SALE"}, total="20.00")
    assert fields(Transaction.objects.get().invoice.snapshot["paynow"])["54"] == "11.07"


def test_what_is_free_and_unpaid_is_only_generated(shop: Shop) -> None:
    free = EquipmentFactory(default_rate=Decimal("0.00"))
    document = read(shop, sold(shop, {"type": "SERVICE", "equipment": free.pk}))
    assert (document["status"], document["paid_at"]) == ("generated", None)


def test_what_was_paid_out_for_a_shell_on_loan_is_owed(shop: Shop) -> None:
    sold(shop, {"type": "SALE"})
    assert paid_at(shop, {"type": "RETURN", "rate": "60.00"}, total="-60.00") == "-60.00"
    refund = Transaction.objects.latest("pk")
    assert refund.invoice.kind == Invoice.Kind.COLLECTION_NOTE
    assert credit_of(shop.customer) == -60
    assert {row.code for row in Discrepancy.objects.all()} == {"rate_differs", "total_differs"}
    assert verified() == []


def test_what_was_paid_out_where_the_sale_was_due_leaves_the_sale_open(shop: Shop) -> None:
    """SALE and RETURN of a shell on loan: the phone refunded 60.00."""
    assert paid_at(shop, {"type": "SALE"}, {"type": "RETURN"}, total="-28.93") == "-28.93"
    assert Transaction.objects.get().invoice.outstanding_amount == Decimal("31.07")
    assert credit_of(shop.customer) == Decimal("-28.93")
    assert verified() == []


def test_what_is_left_of_a_refund_is_set_off_before_it_is_paid_out(shop: Shop) -> None:
    """It was open to be paid out; then the payment of its charge was reversed."""
    sale = charged(shop)
    pay(shop, sale, sale["invoice"]["total_amount"])
    refund = returned(shop)
    assert read(shop, refund)["outstanding_amount"] == "-60.00"
    boss = shop.client_of(shop.admin)
    reversed_ = boss.post(f"/api/payments/{Payment.objects.get().pk}/reverse/", {"reason": "Bounced"})
    assert reversed_.status_code == 201
    address = f"/api/invoices/{refund['invoice']['id']}/pay/"
    answer = boss.post(address, {"method": "CASH", "amount": "60.00"})
    assert error_of(answer) == (409, "exceeds_outstanding", "amount")
    assert sale["invoice"]["invoice_number"] in str(answer.json())
    page = logged_in(shop.admin).post(
        url("invoices.invoice"), {"action": "mark_paid", "_selected_action": [refund["invoice"]["id"]]}
    )
    told = f"S$ 60.00 is set off against {sale['invoice']['invoice_number']} first"
    assert told in page.content.decode()
    assert "Nothing is paid out" in page.content.decode()
    assert boss.post(address, {"method": "CASH"}).status_code == 200
    assert set_off_by(refund) == [(sale["invoice"]["id"], "60.00")]
    assert not Payment.objects.filter(method="CASH").exists()
    said = AuditLog.objects.get(action="invoices.credit_note.set_off").after
    assert said == {"against": {sale["invoice"]["invoice_number"]: "60.00"}}
    assert verified() == []


def test_only_what_is_left_of_a_refund_is_set_off(shop: Shop) -> None:
    sale = charged(shop)
    pay(shop, sale, sale["invoice"]["total_amount"])
    first = Payment.objects.get()
    refund = returned(shop)
    pay(shop, refund, "50.00")
    boss = shop.client_of(shop.admin)
    assert boss.post(f"/api/payments/{first.pk}/reverse/", {"reason": "Bounced"}).status_code == 201
    assert boss.post(f"/api/invoices/{refund['invoice']['id']}/pay/", {"method": "CASH"}).status_code == 200
    assert set_off_by(refund) == [(sale["invoice"]["id"], "10.00")]
    assert read(shop, refund)["outstanding_amount"] == "0.00"
    assert verified() == []


def test_no_more_of_a_charge_is_set_off_than_was_refunded_of_it(shop: Shop) -> None:
    """The gas on the same invoice isn't the deposit's."""
    sale, other = charged(shop), charged(shop)
    for each in (sale, other):
        pay(shop, each, each["invoice"]["total_amount"])
    first = Payment.objects.earliest("pk")
    refund = returned(shop, 2)
    boss = shop.client_of(shop.admin)
    assert boss.post(f"/api/payments/{first.pk}/reverse/", {"reason": "Bounced"}).status_code == 201
    pay(shop, refund, "10.00")
    assert boss.post(f"/api/invoices/{refund['invoice']['id']}/pay/", {"method": "PAYNOW"}).status_code == 200
    assert set_off_by(refund) == [(sale["invoice"]["id"], "60.00")]
    assert paid_out()[-2:] == ["-10.00", "-50.00"]
    assert verified() == []


def test_deposits_of_one_invoice_are_set_off_once_each(shop: Shop) -> None:
    """Of two deposits on an invoice, what was set off for the first isn't the second's."""
    small = EquipmentFactory(default_rate=Decimal("0.00"), deposit=Decimal("40.00"))
    shop.stocked("vehicle", shop.driver.vehicle_no, 5, equipment_id=small.pk)
    both = ({"type": kind, "equipment": pk} for pk in (shop.cylinder.pk, small.pk) for kind in ("SALE", "DEPOSIT"))
    sale = sold(shop, *both)
    pay(shop, sale, str(Decimal(sale["invoice"]["total_amount"]) - 60))
    refund = sold(shop, {"type": "RETURN"}, {"type": "RETURN", "equipment": small.pk})
    assert set_off_by(refund) == [(sale["invoice"]["id"], "60.00")]
    boss = shop.client_of(shop.admin)
    assert boss.post(f"/api/payments/{Payment.objects.get().pk}/reverse/", {"reason": "Bounced"}).status_code == 201
    assert boss.post(f"/api/invoices/{refund['invoice']['id']}/pay/", {}).status_code == 200
    assert set_off_by(refund)[1:] == [(sale["invoice"]["id"], "40.00")]


def test_what_is_beyond_the_open_charge_is_paid_out(shop: Shop) -> None:
    sale = charged(shop)
    pay(shop, sale, str(Decimal(sale["invoice"]["total_amount"]) - 20))
    pay(shop, sale, "20.00")
    refund = returned(shop)
    boss = shop.client_of(shop.admin)
    part = Payment.objects.get(amount=20)
    assert boss.post(f"/api/payments/{part.pk}/reverse/", {"reason": "Bounced"}).status_code == 201
    page = logged_in(shop.admin).post(
        url("invoices.invoice"), {"action": "mark_paid", "_selected_action": [refund["invoice"]["id"]]}
    )
    assert "S$ 40.00 is paid out" in page.content.decode()
    assert boss.post(f"/api/invoices/{refund['invoice']['id']}/pay/", {"method": "PAYNOW"}).status_code == 200
    assert paid_out()[-1] == "-40.00"
    assert read(shop, refund)["outstanding_amount"] == read(shop, sale)["outstanding_amount"] == "0.00"
    assert verified() == []


def test_what_was_shown_is_the_total_of_both_documents(shop: Shop) -> None:
    charged(shop, 2, payment_received=True)
    items: list[Json] = [{"type": "SALE"}, {"type": "RETURN", "quantity": 2}]
    assert paid_at(shop, *items, total="-28.93") == "-28.93"
    assert not Discrepancy.objects.filter(code="total_differs").exists()


def test_only_the_line_that_was_shown_at_another_rate_is_noted(shop: Shop) -> None:
    sold(shop, {"type": "SALE"})
    charged(shop, 1, "60.00", payment_received=True)
    pushed(shop, {"type": "RETURN", "quantity": 2, "rate": "60.00"})
    [noted] = Discrepancy.objects.filter(code="rate_differs")
    assert (noted.shown, noted.billed) == ("60.00", "0.00")


def test_nothing_is_settled_with_what_was_paid_out_too_much(shop: Shop) -> None:
    charged(shop, 1, "40.00", payment_received=True)
    deposit_is(shop, "60.00")
    paid_at(shop, {"type": "RETURN", "rate": "60.00"}, total="-60.00")
    sold(shop, {"type": "SALE"})
    payment = Payment.objects.get(amount__lt=0)
    assert str(payment.credit_amount) == "-20.00"
    answer = shop.client_of(shop.admin).post(f"/api/payments/{payment.pk}/allocate/", {})
    assert error_of(answer) == (409, "exceeds_credit", None)


# --- Documents without money ---------------------------------------------------------------------


def test_what_is_free_is_billed_beside_what_comes_back_for_nothing(shop: Shop) -> None:
    sold(shop, {"type": "SALE"})
    free = EquipmentFactory(default_rate=0)
    document = sold(shop, {"type": "SERVICE", "equipment": free.pk}, {"type": "RETURN"})
    assert document["invoice"]["kind"] == "TAX_INVOICE"


def test_a_collection_is_neither_billed_nor_credited(shop: Shop) -> None:
    sold(shop, {"type": "SALE"})
    void(shop, returned(shop))
    today = clock.business_date(clock.now()).isoformat()
    asked = {"date_from": today, "date_to": today}
    [month] = shop.client_of(shop.admin).get("/api/reports/gst/", asked).json()["rows"]
    assert (month["invoices"], month["credit_notes"]) == (1, 0)


def test_a_meter_that_hasnt_moved_bills_no_collection(shop: Shop) -> None:
    metered = MeteredCustomerFactory(last_meter_reading="1200.00")
    sold(shop, {"type": "SALE"}, customer=metered.pk)
    collection = returned(shop, customer=metered.pk, current_meter="1200.00")
    assert collection["invoice"]["kind"] == "COLLECTION_NOTE"
    assert void(shop, collection).json()["invoice"]["kind"] == "COLLECTION_NOTE"


def test_a_collection_is_voided_by_one(shop: Shop) -> None:
    sold(shop, {"type": "SALE"})
    voiding = void(shop, returned(shop)).json()
    assert voiding["invoice"]["kind"] == "COLLECTION_NOTE"
    assert held(shop) == (1, 1, [])
    assert verified() == []
