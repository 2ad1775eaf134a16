"""What changes hands at the door: by which method, how much of it, and rounded to coins.

The figures are worked out on paper.
"""

from datetime import datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from discrepancies.models import Discrepancy
from foundation import clock
from foundation.money import to_cents
from invoices.models import Invoice
from payments.models import Allocation, Payment
from payments.selectors import cash_in_bag, credit_of
from payments.tender import in_coins
from tests.conftest import Shop, error_of, to_confirm
from tests.factories import priced
from tests.payments.test_payments import at, pay, read, record, reverse, void
from tests.payments.test_payouts import pay_back
from tests.types import Json, Unchanged

pytestmark = pytest.mark.django_db


@pytest.fixture
def rounded_to_5_cents(settings: Any) -> None:
    settings.CASH_ROUNDING = Decimal("0.05")


def costs(shop: Shop, net: str) -> None:
    """A cylinder, from now on."""
    priced(shop.cylinder, default_rate=Decimal(net), since=clock.now())


NET = {"30.52": "28.00", "30.53": "28.01", "100.00": "91.74", "100.02": "91.76", "109.00": "100.00"}
"""What a cylinder costs before GST, so that one comes to a total."""


def tender(method: str, amount: str, **more: str) -> Json:
    return {"method": method, "amount": amount, **more}


def sold(shop: Shop, total: str, *tendered: Json, **more: Any) -> Json:
    """The invoice of a sale that comes to so much, and what was taken for it."""
    costs(shop, NET[total])
    answer = shop.sell({"type": "SALE"}, tender=list(tendered), **more)
    assert answer.status_code in (200, 201), answer.json()
    invoice: Json = answer.json()["invoice"]
    assert (invoice["total_amount"], invoice["gst_amount"]) == (total, str(Decimal(total) - Decimal(NET[total])))
    return invoice


def money(shop: Shop) -> list[tuple[str, str, str, str]]:
    """Method, amount, rounding and credit of each payment, the oldest first."""
    found = shop.client_of(shop.admin).get("/api/payments/?ordering=id").json()["results"]
    return [tuple(row[name] for name in ("method", "amount", "rounding", "credit_amount")) for row in found]


def bag(shop: Shop) -> str:
    return str(to_cents(cash_in_bag(shop.driver)))


def found_at_the_bank(shop: Shop) -> None:
    """What was taken last."""
    taken = Payment.objects.latest("pk")
    assert shop.client_of(shop.admin).post(f"/api/payments/{taken.pk}/bank/").status_code == 200


def outstanding(shop: Shop, invoice: Json) -> str:
    amount: str = read(shop, invoice)["outstanding_amount"]
    return amount


def verified() -> bool:
    call_command("verify_books", stdout=StringIO())
    return True


# --- Rounding to coins ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "cash", "rounding"), [("30.52", "30.50", "-0.02"), ("30.53", "30.55", "0.02")], ids=["T1", "T2"]
)
def test_cash_closes_what_it_comes_to_in_coins(
    shop: Shop, rounded_to_5_cents: None, total: str, cash: str, rounding: str
) -> None:
    """Cases T1 and T2."""
    invoice = sold(shop, total, tender("CASH", cash))
    assert money(shop) == [("CASH", cash, rounding, "0.00")]
    assert (bag(shop), outstanding(shop, invoice), invoice["status"]) == (cash, "0.00", "paid")
    assert verified()


def test_other_cash_than_the_balance_in_coins_is_not_rounded(shop: Shop, rounded_to_5_cents: None) -> None:
    """Case T3."""
    invoice = sold(shop, "100.00", tender("CASH", "99.98"))
    assert (money(shop), outstanding(shop, invoice)) == ([("CASH", "99.98", "0.00", "0.00")], "0.02")


def test_only_the_cash_among_several_methods_is_rounded(shop: Shop, rounded_to_5_cents: None) -> None:
    """Case T4."""
    invoice = sold(shop, "100.02", tender("CASH", "40.00"), tender("PAYNOW", "60.00", reference="PN-1"))
    assert money(shop) == [("PAYNOW", "60.00", "0.00", "0.00"), ("CASH", "40.00", "-0.02", "0.00")]
    assert (bag(shop), outstanding(shop, invoice)) == ("40.00", "0.00")
    assert verified()


def test_the_cash_that_closes_a_balance_later_is_rounded_and_no_other(shop: Shop, rounded_to_5_cents: None) -> None:
    """Case T6."""
    invoice = sold(shop, "30.52", tender("CASH", "10.00"))
    assert pay(shop, invoice, method="CASH", amount="20.50").status_code == 200
    assert money(shop) == [("CASH", "10.00", "0.00", "0.00"), ("CASH", "20.50", "-0.02", "0.00")]
    assert (outstanding(shop, invoice), verified()) == ("0.00", True)


def test_what_is_not_cash_is_not_rounded(shop: Shop, rounded_to_5_cents: None) -> None:
    """Case T7."""
    invoice = sold(shop, "30.52", tender("CASH", "10.00"))
    assert pay(shop, invoice, method="PAYNOW").status_code == 200
    assert money(shop)[1] == ("PAYNOW", "20.52", "0.00", "0.00")
    assert outstanding(shop, invoice) == "0.00"


def test_a_refund_in_cash_is_rounded(shop: Shop, rounded_to_5_cents: None) -> None:
    """Case T8."""
    priced(shop.cylinder, deposit=Decimal("24.03"), since=clock.now())
    shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}, tender=[tender("PAYNOW", "55.10")])
    found_at_the_bank(shop)
    answer = shop.sell({"type": "RETURN"}, tender=[tender("CASH", "24.05")]).json()
    assert answer["invoice"]["outstanding_amount"] == "0.00"
    assert money(shop)[1] == ("CASH", "-24.05", "-0.02", "0.00")
    assert (bag(shop), credit_of(shop.customer), verified()) == ("-24.05", Decimal(0), True)


def test_a_void_makes_credit_of_what_was_really_taken(shop: Shop, rounded_to_5_cents: None) -> None:
    """Case T9."""
    invoice = sold(shop, "30.52", tender("CASH", "30.50"))
    void(shop, invoice)
    assert (money(shop), outstanding(shop, invoice)) == ([("CASH", "30.50", "0.00", "30.50")], "0.00")
    assert pay_back(shop, "30.50", by=shop.driver).status_code == 201
    assert (bag(shop), credit_of(shop.customer)) == ("0.00", Decimal(0))
    assert money(shop)[1] == ("CASH", "-30.50", "0.00", "0.00")
    assert verified()


@pytest.mark.parametrize(("deposit", "paid"), [("24.03", "24.05"), ("24.02", "24.00")])
def test_the_customer_owes_what_a_voided_refund_really_paid_out(
    shop: Shop, rounded_to_5_cents: None, deposit: str, paid: str
) -> None:
    priced(shop.cylinder, deposit=Decimal(deposit), since=clock.now())
    shop.sell(
        {"type": "SALE"}, {"type": "DEPOSIT"}, tender=[tender("PAYNOW", str(Decimal("31.07") + Decimal(deposit)))]
    )
    found_at_the_bank(shop)
    refund = shop.sell({"type": "RETURN"}, payment_received=True).json()["invoice"]
    assert money(shop)[1][:2] == ("CASH", f"-{paid}")
    void(shop, refund)
    owed = shop.client_of(shop.admin).get("/api/reports/receivables/").json()["rows"]
    assert [row["total"] for row in owed] == [paid]
    assert verified()


def test_a_rounded_payment_is_reversed_with_its_rounding(shop: Shop, rounded_to_5_cents: None) -> None:
    invoice = sold(shop, "30.52", tender("CASH", "30.50"))
    reverse(shop, Payment.objects.get().pk)
    assert money(shop) == [("CASH", "30.50", "-0.02", "0.00"), ("CASH", "-30.50", "0.02", "0.00")]
    assert (outstanding(shop, invoice), bag(shop), verified()) == ("30.52", "0.00", True)


def test_paid_in_cash_means_in_coins(shop: Shop, rounded_to_5_cents: None) -> None:
    costs(shop, "28.00")
    invoice = shop.sell({"type": "SALE"}, payment_received=True).json()["invoice"]
    assert (money(shop), outstanding(shop, invoice)) == ([("CASH", "30.50", "-0.02", "0.00")], "0.00")
    later = sold(shop, "30.53")
    assert pay(shop, later, method="CASH").json()["outstanding_amount"] == "0.00"
    assert money(shop)[1] == ("CASH", "30.55", "0.02", "0.00")
    assert verified()


def test_cash_on_account_is_rounded_where_it_closes_what_is_owed(shop: Shop, rounded_to_5_cents: None) -> None:
    first, second = sold(shop, "30.52"), sold(shop, "100.00")
    third = sold(shop, "30.52")
    record(shop, "130.50", method="CASH")
    assert [outstanding(shop, each) for each in (first, second, third)] == ["0.00", "0.00", "30.52"]
    assert money(shop) == [("CASH", "130.50", "-0.02", "0.00")]
    record(shop, "30.50", method="CASH", allocations=[{"invoice": third["id"], "amount": "30.52"}])
    assert (outstanding(shop, third), money(shop)[1]) == ("0.00", ("CASH", "30.50", "-0.02", "0.00"))
    assert verified()


def test_cash_that_is_to_settle_more_than_it_closes_is_refused(
    shop: Shop, rounded_to_5_cents: None, nothing_changes: Unchanged
) -> None:
    shares = [{"invoice": sold(shop, "30.52")["id"], "amount": "30.52"} for _ in range(2)]
    with nothing_changes():
        assert error_of(record(shop, "30.50", method="CASH", allocations=shares)) == (
            409,
            "exceeds_credit",
            "allocations",
        )
        part = [{**shares[0], "amount": "20.52"}]
        assert error_of(record(shop, "20.50", method="CASH", allocations=part)) == (
            409,
            "exceeds_credit",
            "allocations",
        )


@pytest.mark.parametrize(("total", "cash", "rounding"), [("100.02", "100.00", "0.02"), ("30.53", "30.55", "-0.02")])
def test_credit_that_is_paid_back_in_cash_is_rounded(
    shop: Shop, rounded_to_5_cents: None, total: str, cash: str, rounding: str
) -> None:
    void(shop, sold(shop, total, tender("PAYNOW", total)))
    assert pay_back(shop, cash, method="CASH").status_code == 201
    assert money(shop) == [("PAYNOW", total, "0.00", "0.00"), ("CASH", f"-{cash}", rounding, "0.00")]
    assert (credit_of(shop.customer), verified()) == (Decimal(0), True)
    reverse(shop, Payment.objects.get(amount__lt=0).pk)
    assert (credit_of(shop.customer), verified()) == (Decimal(total), True)


@pytest.mark.parametrize(("total", "cash"), [("100.02", "100.00"), ("30.53", "30.55")])
def test_what_was_paid_back_of_money_that_never_came_is_owed_as_it_was_paid(
    shop: Shop, rounded_to_5_cents: None, total: str, cash: str
) -> None:
    void(shop, sold(shop, total, tender("PAYNOW", total)))
    assert pay_back(shop, cash, method="CASH").status_code == 201
    reverse(shop, Payment.objects.get(amount__gt=0).pk)
    owed = shop.client_of(shop.admin).get("/api/reports/receivables/").json()["rows"]
    assert [row["total"] for row in owed] == [cash]
    reverse(shop, Payment.objects.get(amount=-Decimal(cash)).pk)
    assert (credit_of(shop.customer), verified()) == (Decimal(0), True)


def test_a_payout_stays_rounded_while_most_of_what_it_paid_out_stands(shop: Shop, rounded_to_5_cents: None) -> None:
    first, second = (record(shop, amount).json()["id"] for amount in ("0.01", "30.51"))
    assert pay_back(shop, "30.50", method="CASH").status_code == 201
    reverse(shop, first)
    assert (to_cents(credit_of(shop.customer)), verified()) == (Decimal("-0.01"), True)
    reverse(shop, second)
    assert (to_cents(credit_of(shop.customer)), verified()) == (Decimal("-30.50"), True)


def test_without_the_setting_cash_is_counted_to_the_cent(shop: Shop) -> None:
    costs(shop, "28.00")
    shop.sell({"type": "SALE"}, payment_received=True)
    assert (money(shop), bag(shop)) == ([("CASH", "30.52", "0.00", "0.00")], "30.52")


@pytest.mark.parametrize(
    ("balance", "coins"),
    [("30.52", "30.50"), ("30.525", "30.55"), ("30.53", "30.55"), ("-24.03", "-24.05"), ("0.02", "0.02"), ("0", "0")],
)
def test_a_balance_comes_to_coins(rounded_to_5_cents: None, balance: str, coins: str) -> None:
    assert in_coins(Decimal(balance)) == Decimal(coins)


def test_what_comes_to_no_coin_is_paid_to_the_cent(shop: Shop, rounded_to_5_cents: None) -> None:
    costs(shop, "0.02")
    invoice = shop.sell({"type": "SALE"}, payment_received=True).json()["invoice"]
    assert (money(shop), outstanding(shop, invoice)) == ([("CASH", "0.02", "0.00", "0.00")], "0.00")


# --- By which method, and how much ----------------------------------------------------------------


def test_the_change_is_printed_and_nothing_more(shop: Shop, rounded_to_5_cents: None) -> None:
    """Case T10."""
    sold(shop, "30.52", tender("CASH", "30.50", given="50.00"))
    payment = Payment.objects.get()
    assert (payment.given, bag(shop), credit_of(shop.customer)) == (Decimal("50.00"), "30.50", Decimal(0))


def test_paynow_never_enters_the_bag(shop: Shop) -> None:
    """Case T11, as it is taken at the door."""
    invoice = sold(shop, "109.00", tender("PAYNOW", "109.00", reference="PN-7"))
    assert (bag(shop), outstanding(shop, invoice), invoice["status"]) == ("0.00", "0.00", "paid")
    void(shop, invoice)
    assert (money(shop), bag(shop)) == ([("PAYNOW", "109.00", "0.00", "109.00")], "0.00")
    assert not Payment.objects.filter(reverses__isnull=False).exists()


def test_more_than_is_due_is_asked_and_settles_the_oldest(shop: Shop, nothing_changes: Unchanged) -> None:
    old = sold(shop, "30.52")
    taken = [tender("CASH", "150.00")]
    costs(shop, "100.00")
    with nothing_changes():
        asked = shop.sell({"type": "SALE"}, tender=taken)
        assert error_of(asked) == (409, "tender_exceeds_due", "tender")
    answer = {name: asked.json()["errors"][0][name] for name in ("code", "attr", "value")}
    made = shop.sell({"type": "SALE"}, tender=taken, confirm=[answer])
    assert made.status_code == 201, made.json()
    assert [outstanding(shop, each) for each in (old, made.json()["invoice"])] == ["0.00", "0.00"]
    assert money(shop) == [("CASH", "150.00", "0.00", "10.48")]
    assert verified()


def test_the_document_says_all_that_was_received(shop: Shop, rounded_to_5_cents: None) -> None:
    answer = {"code": "tender_exceeds_due", "attr": "tender", "value": "50.00"}
    invoice = sold(shop, "30.52", tender("CASH", "50.00"), confirm=[answer])
    said = Invoice.objects.get(pk=invoice["id"]).snapshot
    assert (said["paid"], said["paid_by"]) == ("30.52", [{"method": "CASH", "amount": "50.00"}])


def test_the_tender_is_said_in_one_way(shop: Shop, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        both = shop.sell({"type": "SALE"}, tender=[tender("CASH", "1.00")], payment_received=True)
        assert error_of(both) == (400, "invalid", "payment_received")
        twice = shop.sell({"type": "SALE"}, tender=[tender("CASH", "1.00"), tender("CASH", "2.00")])
        assert error_of(twice) == (400, "invalid", "tender")
        less = shop.sell({"type": "SALE"}, tender=[tender("CASH", "10.00", given="5.00")])
        assert error_of(less) == (400, "invalid", "tender.0.given")
        bank = shop.sell({"type": "SALE"}, tender=[tender("BANK_TRANSFER", "10.00")])
        assert error_of(bank) == (400, "invalid_choice", "tender.0.method")


def test_no_more_is_paid_out_than_is_due(shop: Shop, nothing_changes: Unchanged) -> None:
    shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}, payment_received=True)
    with nothing_changes():
        more = shop.sell({"type": "RETURN"}, tender=[tender("CASH", "60.01")])
        assert error_of(more) == (400, "invalid", "tender")
    assert (
        shop.sell({"type": "RETURN"}, tender=[tender("CASH", "20.00")]).json()["invoice"]["outstanding_amount"]
        == "-40.00"
    )


def test_a_cheque_that_was_taken_before_is_asked_about(shop: Shop, nothing_changes: Unchanged) -> None:
    sold(shop, "30.52", tender("CHEQUE", "30.52", reference="DBS 004412"))
    with nothing_changes():
        again = shop.sell({"type": "SALE"}, tender=[tender("CHEQUE", "30.52", reference="DBS 004412")])
        assert error_of(again) == (409, "reference_repeated", "tender.0.reference")


def test_a_sale_with_a_tender_comes_twice_and_counts_once(shop: Shop) -> None:
    key = "at-the-door"
    for _ in range(2):
        sold(shop, "30.52", tender("PAYNOW", "30.52"), client_temp_id=key)
    assert money(shop) == [("PAYNOW", "30.52", "0.00", "0.00")]
    other = shop.sell({"type": "SALE"}, tender=[tender("PAYNOW", "30.51")], client_temp_id=key)
    assert error_of(other)[1] == "idempotency_conflict"


def push(
    shop: Shop,
    *tendered: Json,
    cash: str | None = None,
    total: str | None = None,
    kind: str = "SALE",
    key: str = "p",
) -> Json:
    item = {"equipment": shop.cylinder.pk, "type": kind, "quantity": 1}
    seen = {"based_on": {"total_with_gst": total, "cash": cash}}
    data = {"customer": shop.customer.pk, "items": [item], "tender": list(tendered), **seen}
    now = clock.now().isoformat()
    operation = {"type": "transaction.create", "client_temp_id": key, "number": 1, "occurred_at": now, "data": data}
    device = {"id": f"phone-{key}", "last_number": 1}
    body = {"protocol": 2, "sent_at": now, "device": device, "operations": [operation]}
    answer = shop.client_of(shop.driver).post("/api/sync/push/", body)
    assert answer.status_code == 200, answer.json()
    result: Json = answer.json()["results"][0]
    assert result["status"] == "created", result["errors"]
    return result


def test_what_a_phone_took_stands_whatever_is_due(shop: Shop, rounded_to_5_cents: None) -> None:
    costs(shop, "100.00")
    push(shop, tender("CASH", "30.50"), tender("CARD", "90.00"), total="120.52", cash="120.50")
    assert money(shop) == [("CARD", "90.00", "0.00", "0.00"), ("CASH", "30.50", "0.00", "11.50")]
    assert (bag(shop), verified()) == ("30.50", True)


def test_the_allocations_of_a_rounded_sale_add_up(shop: Shop, rounded_to_5_cents: None) -> None:
    sold(shop, "100.02", tender("CASH", "40.00"), tender("CARD", "60.00"))
    assert sum(Allocation.objects.values_list("amount", flat=True)) == Decimal("100.02")
    assert [row.amount for row in Allocation.objects.filter(rounding_of__isnull=False)] == [Decimal("0.02")]


def test_less_than_is_due_in_a_push_is_no_difference(shop: Shop) -> None:
    costs(shop, "100.00")
    push(shop, tender("PAYNOW", "9.00"), total="109.00")
    assert not Discrepancy.objects.exists()
    assert money(shop) == [("PAYNOW", "9.00", "0.00", "0.00")]


@pytest.mark.parametrize("cash", ["-60.00", None])
def test_a_phone_says_which_way_its_tender_went(shop: Shop, cash: str | None) -> None:
    """It refunded a deposit for what was lent without one, so that nothing is due: paid out is paid out."""
    shop.sell({"type": "SALE"})
    push(shop, tender("CASH", "60.00"), kind="RETURN", total="-60.00", cash=cash)
    assert money(shop)[-1] == ("CASH", "-60.00", "0.00", "-60.00")
    assert [row.code for row in Discrepancy.objects.order_by("pk")][-1] == "total_differs"


@pytest.mark.parametrize(("method", "rate"), [("PAYNOW", "8.00"), ("CHEQUE", "9.00")])
def test_a_cheque_is_no_payment_for_the_tax_point(shop: Shop, method: str, rate: str) -> None:
    """GST Act 1993, s 11: the earlier of payment and invoice; a cheque is one when the bank has paid it."""
    with time_machine.travel(datetime.fromisoformat("2024-01-02T09:00:00+08:00"), tick=False):
        taken, then = [tender(method, "1.00")], "2023-12-31T22:00:00+08:00"
        invoice = shop.sell({"type": "SALE"}, tender=taken, occurred_at=then).json()["invoice"]
    assert invoice["gst_rate"] == rate


def test_what_is_not_cash_is_not_rounded_on_account(shop: Shop, rounded_to_5_cents: None) -> None:
    invoice = sold(shop, "30.52")
    record(shop, "30.50", method="PAYNOW")
    assert (outstanding(shop, invoice), money(shop)) == ("0.02", [("PAYNOW", "30.50", "0.00", "0.00")])


def test_cash_that_closes_one_exactly_rounds_nothing_of_the_next(shop: Shop, rounded_to_5_cents: None) -> None:
    first = sold(shop, "100.00")
    costs(shop, "0.02")
    shop.sell({"type": "SALE"})
    record(shop, "100.00", method="CASH")
    assert (outstanding(shop, first), money(shop)) == ("0.00", [("CASH", "100.00", "0.00", "0.00")])
    assert verified()


def test_a_refund_that_is_paid_out_later_is_rounded_on_its_note(shop: Shop, rounded_to_5_cents: None) -> None:
    priced(shop.cylinder, deposit=Decimal("24.03"), since=clock.now())
    shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}, tender=[tender("PAYNOW", "55.10")])
    note = shop.sell({"type": "RETURN"}).json()["invoice"]
    assert pay_back(shop, "24.05", method="CASH").status_code == 201
    assert (outstanding(shop, note), money(shop)[-1]) == ("0.00", ("CASH", "-24.05", "-0.02", "0.00"))
    void(shop, note)
    owed = shop.client_of(shop.admin).get("/api/reports/receivables/").json()["rows"]
    assert ([row["total"] for row in owed], verified()) == (["24.05"], True)


def test_a_refund_that_is_set_off_is_paid_out_where_the_phone_paid_it_out(shop: Shop) -> None:
    """What it showed is what it did, also without a word about cash; without any, the sale's own total says which way."""
    shop.sell({"type": "SALE"}, {"type": "DEPOSIT"})
    push(shop, tender("CASH", "60.00"), kind="RETURN", total="-60.00")
    assert money(shop)[-1][:2] == ("CASH", "-60.00")
    assert bag(shop) == "-60.00"
    shop.sell({"type": "SALE"}, {"type": "DEPOSIT"})
    push(shop, tender("CASH", "60.00"), kind="RETURN", key="q")
    assert money(shop)[-1][:2] == ("CASH", "-60.00")
    assert verified()


def test_nothing_is_taken_for_a_refund_that_is_set_off(shop: Shop, nothing_changes: Unchanged) -> None:
    shop.sell({"type": "SALE"}, {"type": "DEPOSIT"})
    with nothing_changes():
        refused = shop.sell({"type": "RETURN"}, tender=[tender("CASH", "60.00")])
        assert refused.json()["errors"][0]["detail"] == "Only 0.00 is to be paid out."


@pytest.mark.parametrize(("cash", "rounding"), [("40.50", "-0.02"), ("40.55", "0.00")])
def test_cash_that_closes_the_sale_and_older_invoices_is_rounded_once(
    shop: Shop, rounded_to_5_cents: None, cash: str, rounding: str
) -> None:
    costs(shop, "9.17")
    old = shop.sell({"type": "SALE"}).json()["invoice"]
    assert old["total_amount"] == "10.00"
    costs(shop, "28.00")
    push(shop, tender("CASH", cash), total="30.52", cash=cash)
    left = str(Decimal(cash) - Decimal("40.52") - Decimal(rounding))
    assert (money(shop), outstanding(shop, old)) == ([("CASH", cash, rounding, left)], "0.00")
    assert verified()


def test_in_the_field_a_refund_is_paid_out_in_cash(shop: Shop, nothing_changes: Unchanged) -> None:
    shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}, payment_received=True)
    with nothing_changes():
        refused = shop.sell({"type": "RETURN"}, tender=[tender("PAYNOW", "60.00")])
        assert error_of(refused) == (400, "invalid", "tender.0.method")
    note = shop.sell({"type": "RETURN"}).json()["invoice"]
    with nothing_changes():
        answer = shop.client_of(shop.driver).post(f"/api/invoices/{note['id']}/pay/", {"method": "PAYNOW"})
        assert error_of(answer) == (400, "invalid", "method")
    assert pay(shop, note, method="PAYNOW").status_code == 200


def paid_without_cash(shop: Shop, method: str = "PAYNOW") -> Payment:
    """What paid for a cylinder and its deposit, and nobody has found at the bank."""
    said = [tender(method, "91.07")]
    assert shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}, tender=said).status_code == 201
    return Payment.objects.latest("pk")


@pytest.mark.parametrize("method", ["PAYNOW", "CHEQUE"])
def test_a_deposit_that_nobody_found_at_the_bank_is_asked_about_before_cash_goes_out_for_it(
    shop: Shop, nothing_changes: Unchanged, method: str
) -> None:
    payment = paid_without_cash(shop, method)
    for how, attr in (
        ({"payment_received": True}, "payment_received"),
        ({"tender": [tender("CASH", "60.00")]}, "tender"),
    ):
        with nothing_changes():
            asked = shop.sell({"type": "RETURN"}, **how)
            assert error_of(asked) == (409, "money_not_found", attr)
            assert asked.json()["errors"][0]["value"] == str(payment)
    said = {"code": "money_not_found", "attr": "payment_received", "value": str(payment)}
    assert shop.sell({"type": "RETURN"}, payment_received=True, confirm=[said]).status_code == 201
    [kept] = shop.client_of(shop.admin).get("/api/confirmations/").json()["results"]
    assert (kept["code"], kept["confirmed_by"]) == ("money_not_found", shop.driver.pk)


def test_so_it_is_where_the_refund_is_paid_out_later(shop: Shop, nothing_changes: Unchanged) -> None:
    paid_without_cash(shop)
    note = shop.sell({"type": "RETURN"}).json()["invoice"]
    driver = shop.client_of(shop.driver)
    with nothing_changes():
        body = {"customer": shop.customer.pk, "amount": "60.00"}
        assert error_of(driver.post("/api/payouts/", body)) == (409, "money_not_found", "amount")
        answer = driver.post(f"/api/invoices/{note['id']}/pay/", {"method": "CASH"})
        assert error_of(answer) == (409, "money_not_found", "amount")
    assert pay(shop, note, method="PAYNOW").status_code == 200


def test_a_deposit_that_was_found_or_paid_in_cash_is_paid_back_unasked(shop: Shop) -> None:
    paid_without_cash(shop)
    found_at_the_bank(shop)
    assert shop.sell({"type": "RETURN"}, payment_received=True).status_code == 201
    reversed_ = paid_without_cash(shop)
    reverse(shop, reversed_.pk)
    assert record(shop, "91.07", method="CASH").status_code == 201
    assert shop.sell({"type": "RETURN"}, payment_received=True).status_code == 201


def test_who_takes_a_shell_back_in_part_payment_is_not_asked(shop: Shop) -> None:
    for _ in range(2):
        paid_without_cash(shop)
    costs(shop, "100.00")
    sale = ({"type": "SWAP"}, {"type": "RETURN"})
    assert shop.sell(*sale, tender=[tender("CASH", "49.00")]).status_code == 201


def test_what_a_phone_paid_out_of_unfound_money_stands_and_is_listed(shop: Shop) -> None:
    payment = paid_without_cash(shop)
    push(shop, tender("CASH", "60.00"), total="-60.00", cash="-60.00", kind="RETURN")
    assert money(shop)[-1] == ("CASH", "-60.00", "0.00", "0.00")
    [kept] = shop.client_of(shop.admin).get("/api/confirmations/").json()["results"]
    assert (kept["code"], kept["value"], kept["confirmed_by"]) == ("money_not_found", str(payment), None)


@pytest.mark.parametrize("method", ["PAYNOW", "CHEQUE"])
def test_a_refund_that_a_phone_paid_out_without_cash_stands_and_is_noted(shop: Shop, method: str) -> None:
    shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}, payment_received=True)
    result = push(shop, tender(method, "60.00"), total="-60.00", cash="-60.00", kind="RETURN")
    [noted] = result["discrepancies"]
    assert (noted["code"], noted["shown"], noted["billed"]) == ("cash_differs", "0.00", "-60.00")
    assert money(shop)[-1] == (method, "-60.00", "0.00", "0.00")


def test_cash_on_account_is_rounded_when_it_is_used_for_the_first_time(
    shop: Shop, rounded_to_5_cents: None, nothing_changes: Unchanged
) -> None:
    admin = shop.client_of(shop.admin)
    for total, cash, rounding in (("30.52", "30.50", "-0.02"), ("30.53", "30.55", "0.02")):
        for how in ("allocate", "allocate by name", "set off", "set off by name"):
            payment = record(shop, cash, method="CASH", reference=f"{cash}, {how}").json()["id"]
            invoice = sold(shop, total)
            named = [{"invoice": invoice["id"], "amount": total}]
            if how.startswith("allocate"):
                said = {"allocations": named} if "name" in how else {}
                answer = admin.post(f"/api/payments/{payment}/allocate/", said)
            else:
                said = {"invoices": named} if "name" in how else {}
                answer = admin.post("/api/set-offs/", {"customer": shop.customer.pk, **said})
            assert answer.status_code in (200, 201), answer.json()
            assert (money(shop)[-1], outstanding(shop, invoice)) == (("CASH", cash, rounding, "0.00"), "0.00"), how
    assert verified()


def test_cash_of_which_something_was_used_before_is_rounded_no_more(shop: Shop, rounded_to_5_cents: None) -> None:
    payment = record(shop, "40.50", method="CASH").json()["id"]
    pay_back(shop, "10.00", method="CASH")
    invoice = sold(shop, "30.52")
    assert shop.client_of(shop.admin).post(f"/api/payments/{payment}/allocate/", {}).status_code == 200
    assert outstanding(shop, invoice) == "0.02"


def test_a_set_off_goes_on_from_credit_to_credit_and_rounds_the_cash_that_closes_it(
    shop: Shop, rounded_to_5_cents: None
) -> None:
    record(shop, "10.00", method="PAYNOW")
    record(shop, "20.50", method="CASH")
    record(shop, "5.00", method="CASH")
    invoice = sold(shop, "30.52")
    assert shop.client_of(shop.admin).post("/api/set-offs/", {"customer": shop.customer.pk}).status_code == 201
    assert outstanding(shop, invoice) == "0.00"
    assert money(shop) == [
        ("PAYNOW", "10.00", "0.00", "0.00"), ("CASH", "20.50", "-0.02", "0.00"), ("CASH", "5.00", "0.00", "5.00")
    ]  # fmt: skip
    assert verified()


def test_change_is_given_of_cash_alone_and_refuses_nothing_that_happened(
    shop: Shop, nothing_changes: Unchanged
) -> None:
    with nothing_changes():
        refused = shop.sell({"type": "SALE"}, tender=[tender("PAYNOW", "31.07", given="40.00")])
        assert error_of(refused) == (400, "invalid", "tender.0.given")
        assert error_of(record(shop, "5.00", method="PAYNOW", given="9.00")) == (400, "invalid", "given")
        assert error_of(record(shop, "5.00", method="CASH", given="4.00")) == (400, "invalid", "given")
    costs(shop, "100.00")
    push(shop, tender("CASH", "9.00", given="5.00"), tender("CASH", "50.00"), tender("CARD", "50.00", given="60.00"))
    assert money(shop) == [("CARD", "50.00", "0.00", "0.00"), ("CASH", "59.00", "0.00", "0.00")]
    assert not Payment.objects.exclude(given=None).exists()


# --- What a sale's answer names -------------------------------------------------------------------


def named(answer: Json) -> list[tuple[str, str, str]]:
    """Number, method and amount of each payment that an answer names; each is there, under its id."""
    rows = Payment.objects.in_bulk(each["id"] for each in answer["payments"])
    assert [str(rows[each["id"]]) for each in answer["payments"]] == [
        each["payment_number"] for each in answer["payments"]
    ]
    return [(each["payment_number"], each["method"], each["amount"]) for each in answer["payments"]]


def test_a_sale_names_its_payments_and_so_does_the_same_again(shop: Shop) -> None:
    costs(shop, NET["100.00"])
    tendered = [tender("PAYNOW", "60.00", reference="PN-1"), tender("CASH", "40.00")]
    body: Json = {"tender": tendered, "client_temp_id": "door"}
    first = shop.sell({"type": "SALE"}, **body).json()
    paynow, cash = Payment.objects.order_by("pk")
    assert named(first) == [(str(paynow), "PAYNOW", "60.00"), (str(cash), "CASH", "40.00")]
    # What else comes that settles it, or of the same customer on that day, is no part of it.
    shop.sell({"type": "SALE"}, tender=[tender("CASH", "1.00")])
    record(shop, "40.00", method="CASH", by=shop.driver)
    reverse(shop, cash.pk)
    again = shop.sell({"type": "SALE"}, **body)
    assert (again.status_code, named(again.json())) == (200, named(first))
    receipt = shop.client_of(shop.driver).get(f"/api/payments/{first['payments'][0]['id']}/receipt/?paper=58")
    assert receipt.status_code == 200


def test_a_collection_of_the_same_instant_is_no_part_of_the_sale(shop: Shop) -> None:
    with at(15):
        body: Json = {"payment_received": True, "client_temp_id": "door"}
        first = shop.sell({"type": "SALE"}, **body).json()
        record(shop, "5.00", by=shop.driver)
        assert shop.sell({"type": "SALE"}, **body).json()["payments"] == first["payments"]


def test_a_sale_names_what_was_paid_out_and_what_only_settles_older_invoices(shop: Shop) -> None:
    costs(shop, NET["100.00"])
    assert named(shop.sell({"type": "SALE"}).json()) == []
    older = shop.sell({"type": "DEPOSIT"}, payment_received=True).json()
    assert [row[1:] for row in named(older)] == [("CASH", "60.00")]
    back: Json = {"payment_received": True, "client_temp_id": "back"}
    refunded = [shop.sell({"type": "RETURN"}, **back).json() for _ in range(2)]
    assert [row[1:] for row in named(refunded[0])] == [("CASH", "-60.00")]
    assert named(refunded[1]) == named(refunded[0])
    much: Json = {"tender": [tender("PAYNOW", "100.00"), tender("CASH", "50.00")], "client_temp_id": "much"}
    asked = shop.sell({"type": "SALE"}, **much)
    sold_for_more = shop.sell({"type": "SALE"}, **much, confirm=to_confirm(asked)).json()
    assert [row[1:] for row in named(sold_for_more)] == [("PAYNOW", "100.00"), ("CASH", "50.00")]
    assert shop.sell({"type": "SALE"}, **much).json()["payments"] == sold_for_more["payments"]
