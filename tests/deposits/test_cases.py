"""Deposits and shells with figures worked out on paper: refunded is what was charged."""

from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from deposits.models import DepositLot
from deposits.selectors import beyond_holdings
from discrepancies.models import Discrepancy
from equipment.models import Equipment
from foundation import clock
from foundation.access.capabilities import Role
from invoices.models import Invoice
from payments.models import Allocation, Payment
from payments.selectors import credit_of
from tests.conftest import Shop
from tests.factories import EquipmentFactory, UserFactory, priced
from tests.types import Json, Unchanged

pytestmark = pytest.mark.django_db


def verified() -> list[str]:
    """What verify_books complains of."""
    out = StringIO()
    try:
        call_command("verify_books", stdout=out, stderr=out)
    except CommandError:
        return [line for line in out.getvalue().splitlines() if not line.startswith("ok")]
    return []


def deposit_is(shop: Shop, amount: str) -> None:
    """From now on."""
    priced(shop.cylinder, deposit=Decimal(amount), since=clock.now())


def sold(shop: Shop, *items: Json, **more: Any) -> Json:
    answer = shop.sell(*items, **more)
    assert answer.status_code == 201, answer.json()
    made: Json = answer.json()
    return made


def held(shop: Shop, equipment: Equipment | None = None) -> tuple[int, int, list[tuple[int, str]]]:
    """At the site, on loan, lots."""
    answer = shop.client_of(shop.driver).get(f"/api/customers/{shop.customer.pk}/holdings/")
    assert answer.status_code == 200, answer.json()
    wanted = (equipment or shop.cylinder).pk
    row = next((row for row in answer.json() if row["equipment"] == wanted), None)
    if row is None:
        return 0, 0, []
    return row["at_site"], row["on_loan"], [(lot["pieces"], lot["amount"]) for lot in row["lots"]]


def charged(shop: Shop, pieces: int = 1, amount: str | None = None, **more: Any) -> Json:
    """Sold with a deposit, at what that is then."""
    if amount is not None:
        deposit_is(shop, amount)
    return sold(shop, {"type": "SALE", "quantity": pieces}, {"type": "DEPOSIT", "quantity": pieces}, **more)


def returned(shop: Shop, pieces: int = 1, **more: Any) -> Json:
    return sold(shop, {"type": "RETURN", "quantity": pieces}, **more)


def void(shop: Shop, document: Json) -> Any:
    address = f"/api/transactions/{document['transaction']['id']}/void/"
    return shop.client_of(shop.admin).post(address, {"reason": "A mistake"})


def read(shop: Shop, document: Json) -> Json:
    answer: Json = shop.client_of(shop.admin).get(f"/api/invoices/{document['invoice']['id']}/").json()
    return answer


def pushed(shop: Shop, *items: Json, client_temp_id: str = "late", **data: Any) -> Json:
    lines = [{"equipment": shop.cylinder.pk, "quantity": 1, **item} for item in items]
    now = clock.now().isoformat()
    operation = {
        "type": "transaction.create", "client_temp_id": client_temp_id, "number": 1, "occurred_at": now,
        "data": {"customer": shop.customer.pk, "items": lines, **data},
    }  # fmt: skip
    push = {
        "protocol": 2, "sent_at": now, "device": {"id": "phone", "last_number": 1}, "operations": [operation],
    }  # fmt: skip
    answer = shop.client_of(shop.driver).post("/api/sync/push/", push)
    assert answer.status_code == 200, answer.json()
    [result] = answer.json()["results"]
    made: Json = result
    return made


def test_d1_the_empty_that_follows_a_sale_refunds_nothing_and_has_a_collection_note(shop: Shop) -> None:
    sold(shop, {"type": "SALE"})
    document = returned(shop)
    [line] = document["transaction"]["items"]
    assert (line["rate"], line["rate_source"], line["amount"]) == ("0.00", "LOT", "0.00")
    invoice = document["invoice"]
    assert (invoice["kind"], invoice["total_amount"]) == ("COLLECTION_NOTE", "0.00")
    assert invoice["invoice_number"].startswith("COL-")
    assert held(shop) == (0, 0, [])
    assert verified() == []


def test_d2_a_deposit_is_refunded_at_what_was_charged_whatever_it_is_today(shop: Shop) -> None:
    charged(shop, 1, "40.00")
    deposit_is(shop, "60.00")
    assert returned(shop)["invoice"]["total_amount"] == "-40.00"
    assert verified() == []


def with_loan_and_lots(shop: Shop) -> Json:
    sold(shop, {"type": "SALE"})
    charged(shop, 2, "40.00", payment_received=True)
    charged(shop, 1, "60.00", payment_received=True)
    assert held(shop) == (4, 1, [(2, "80.00"), (1, "60.00")])
    return returned(shop, 3, payment_received=True)


def test_d3_loan_first_then_the_oldest_lots(shop: Shop) -> None:
    document = with_loan_and_lots(shop)
    lines = [(line["quantity"], line["rate"], line["amount"]) for line in document["transaction"]["items"]]
    assert lines == [(1, "0.00", "0.00"), (2, "40.00", "-80.00")]
    assert document["invoice"]["total_amount"] == "-80.00"
    assert held(shop) == (1, 0, [(1, "60.00")])
    assert verified() == []


def test_d4_a_lot_keeps_an_amount_and_no_rate(shop: Shop) -> None:
    charged(shop, 3, "33.33")
    DepositLot.objects.update(amount=Decimal("100.00"))  # as a migration makes one
    totals = [returned(shop)["invoice"]["total_amount"] for _ in range(3)]
    assert totals == ["-33.33", "-33.34", "-33.33"]


def test_d6_a_charge_whose_lot_was_returned_cant_be_voided(shop: Shop) -> None:
    sale = charged(shop, 2, "60.00")
    refund = returned(shop)
    answer = void(shop, sale)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (409, "deposit_refunded")
    assert refund["invoice"]["invoice_number"] in error["detail"]
    assert void(shop, refund).status_code == 201
    assert void(shop, sale).status_code == 201
    assert held(shop) == (0, 0, [])
    assert verified() == []


def test_d7_the_void_of_a_return_gives_loan_and_lots_back_and_what_was_paid_out_is_owed(shop: Shop) -> None:
    document = with_loan_and_lots(shop)
    answer = void(shop, document)
    assert answer.status_code == 201, answer.json()
    assert held(shop) == (4, 1, [(2, "80.00"), (1, "60.00")])
    owed = read(shop, answer.json())
    assert (owed["kind"], owed["outstanding_amount"]) == ("TAX_INVOICE", "80.00")
    assert read(shop, document)["outstanding_amount"] == "0.00"
    assert credit_of(shop.customer) == 0
    assert verified() == []


def found_at_the_bank(shop: Shop) -> None:
    """The latest payment, by somebody else than took it."""
    other = UserFactory(role=Role.ADMIN)
    latest = Payment.objects.latest("pk").pk
    assert shop.client_of(other).post(f"/api/payments/{latest}/bank/", {}).status_code == 200


@pytest.mark.parametrize(("paid", "set_off", "cash"), [("109.00", "60.00", None), ("129.00", "40.00", "-20.00")])
def test_d8_a_refund_is_set_off_against_the_invoice_that_charged_it(
    shop: Shop, paid: str, set_off: str, cash: str | None
) -> None:
    priced(shop.cylinder, default_rate=Decimal("100.00"), deposit=Decimal("60.00"))
    sale = charged(shop)
    assert sale["invoice"]["total_amount"] == "169.00"
    pay = {"method": "PAYNOW", "amount": paid}
    assert shop.client_of(shop.admin).post(f"/api/invoices/{sale['invoice']['id']}/pay/", pay).status_code == 200
    found_at_the_bank(shop)
    refund = returned(shop, payment_received=True)
    assert read(shop, sale)["outstanding_amount"] == "0.00"
    assert read(shop, refund)["outstanding_amount"] == "0.00"
    amounts = [str(amount) for amount in Payment.objects.filter(method="CASH").values_list("amount", flat=True)]
    assert amounts == ([cash] if cash else [])
    uses = [(use.invoice_id, str(use.amount)) for use in Allocation.objects.filter(credit_note=refund["invoice"]["id"])]
    assert uses == [(sale["invoice"]["id"], set_off)]
    assert verified() == []


def test_a_voided_refund_opens_what_it_was_set_off_against(shop: Shop) -> None:
    sale = charged(shop)
    refund = returned(shop)
    open_before = sale["invoice"]["outstanding_amount"]
    assert Decimal(read(shop, sale)["outstanding_amount"]) == Decimal(open_before) - 60
    voiding = void(shop, refund).json()
    assert read(shop, sale)["outstanding_amount"] == open_before
    assert read(shop, voiding)["outstanding_amount"] == "0.00"
    assert verified() == []


@pytest.mark.parametrize(
    ("is_supply", "open_", "taxable", "gst"), [(True, "49.00", "100.00", "9.00"), (False, "40.00", "0.00", "0.00")]
)
def test_d9_a_lost_shell_is_paid_for_and_its_deposit_set_off(
    shop: Shop, settings: Any, is_supply: bool, open_: str, taxable: str, gst: str
) -> None:
    settings.LOST_SHELLS_ARE_TAXABLE = is_supply
    charged(shop)
    document = sold(shop, {"type": "SHELL", "reason": "LOST", "rate": "100.00"})
    lines = [(line["type"], line["amount"], line["taxable"]) for line in document["transaction"]["items"]]
    assert lines == [("SHELL", "100.00", is_supply), ("SETOFF", "-60.00", False)]
    invoice = read(shop, document)
    assert (invoice["outstanding_amount"], invoice["gst_amount"]) == (open_, gst)
    assert held(shop) == (0, 0, [])
    day = clock.business_date(clock.now()).isoformat()
    boxes = shop.client_of(shop.admin).get("/api/reports/gst/", {"date_from": day, "date_to": day}).json()
    [month] = boxes["rows"]
    # Beside the cylinder's own 28.50.
    assert Decimal(month["standard_rated_supplies"]) == Decimal(taxable) + Decimal("28.50")
    assert Decimal(month["output_tax"]) == Decimal(gst) + Decimal("2.57")
    assert verified() == []


@pytest.mark.parametrize("reason", ["LOST", "BOUGHT"])
def test_no_seller_pays_a_deposit_out_by_a_shell_or_lets_it_go_for_less(
    shop: Shop, reason: str, nothing_changes: Unchanged
) -> None:
    charged(shop, amount="60.00")
    deposit_is(shop, "40.00")
    item = {"equipment": shop.cylinder.pk, "quantity": 1, "type": "SHELL", "reason": reason}
    with nothing_changes():
        answer = shop.sell({**item, "rate": "59.99"}, payment_received=True)
    assert answer.json()["errors"][0]["code"] == "rate_mismatch"
    kept = pushed(shop, {**item, "rate": "59.99"}, payment_received=True)
    assert (kept["errors"][0]["code"], kept["conflict"] is None) == ("rate_mismatch", False)
    assert sold(shop, {**item, "rate": "60.00"})["transaction"]["total_amount"] == "0.00"
    sold(shop, {"type": "SALE"})
    assert shop.sell({**item, "rate": "39.99"}).json()["errors"][0]["code"] == "rate_mismatch"
    # Who may override rates may settle for less.
    assert shop.sell({**item, "rate": "10.00"}, by=shop.admin).status_code == 201


def test_d11_a_shell_that_is_bought_leaves_the_books(shop: Shop) -> None:
    sold(shop, {"type": "SALE"})
    document = sold(shop, {"type": "SHELL", "reason": "BOUGHT", "rate": "120.00"})
    assert document["invoice"]["total_amount"] == "130.80"
    assert held(shop) == (0, 0, [])
    priced(shop.cylinder, default_rate=Decimal("33.00"))
    assert sold(shop, {"type": "SWAP"})["invoice"]["total_amount"] == "35.97"
    assert verified() == []


def test_d12_an_own_shell_of_another_size_is_exchanged(shop: Shop) -> None:
    charged(shop, 1, "60.00")
    small = EquipmentFactory(default_rate=Decimal("25.00"), deposit=Decimal("40.00"))
    shop.stocked("vehicle", shop.driver.vehicle_no, 5, equipment_id=small.pk)
    before = shop.stock(kind="OUTSIDE")
    item = {"equipment": small.pk, "type": "SWAP", "returned_equipment": shop.cylinder.pk}
    document = sold(shop, item)
    assert document["invoice"]["total_amount"] == "7.25"
    assert document["refund"] is None
    assert held(shop) == (0, 0, [])
    assert held(shop, small) == (1, 0, [(1, "40.00")])
    assert shop.stock(kind="OUTSIDE") == before
    assert shop.stock("EMPTY", kind="OUTSIDE") == 0
    assert shop.stock("EMPTY", vehicle_no=shop.driver.vehicle_no) == 1
    assert verified() == []


def test_d13_a_foreign_shell_for_one_of_ours(shop: Shop) -> None:
    foreign = EquipmentFactory(is_foreign=True, default_rate=None, deposit=None)
    document = sold(shop, {"type": "SWAP", "returned_equipment": foreign.pk})
    assert [line["amount"] for line in document["transaction"]["items"] if line["type"] == "RETURN"] == ["0.00"]
    assert shop.stock("EMPTY", foreign, vehicle_no=shop.driver.vehicle_no) == 1
    assert shop.stock("EMPTY", foreign, kind="OUTSIDE") == -1
    assert held(shop) == (1, 1, [])
    assert held(shop, foreign) == (0, 0, [])
    assert verified() == []
    assert void(shop, document).status_code == 201
    assert shop.stock("EMPTY", foreign, kind="OUTSIDE") == 0
    assert verified() == []


def test_d16_a_deposit_may_come_before_its_sale(shop: Shop) -> None:
    sold(shop, {"type": "DEPOSIT"})
    assert held(shop) == (0, 0, [(1, "60.00")])
    assert beyond_holdings(DepositLot.objects.all()).count() == 1
    assert verified() == []
    sold(shop, {"type": "SALE"})
    assert held(shop) == (1, 0, [(1, "60.00")])
    assert not beyond_holdings(DepositLot.objects.all()).exists()


def test_d17_what_the_phone_paid_out_beyond_the_lots_is_owed(shop: Shop) -> None:
    charged(shop, 1, "40.00", payment_received=True)
    deposit_is(shop, "60.00")
    shown: Json = {"based_on": {"total_with_gst": "-60.00"}, "payment_received": True}
    result = pushed(shop, {"type": "RETURN", "rate": "60.00"}, **shown)
    assert result["status"] == "created", result
    refund = {"invoice": shop.client_of(shop.admin).get(f"/api/transactions/{result['id']}/").json()}
    assert refund["invoice"]["total_amount"] == "-40.00"
    payment = Payment.objects.get(amount__lt=0)
    assert (payment.amount, payment.allocated_amount) == (Decimal("-60.00"), Decimal("-40.00"))
    snapshot = Invoice.objects.get(allocations__payment=payment).snapshot
    assert (snapshot["paid"], snapshot["set_off"]) == ("40.00", "0.00")
    assert credit_of(shop.customer) == Decimal("-20.00")
    codes = set(Discrepancy.objects.values_list("code", flat=True))
    assert {"RATE_DIFFERS", "TOTAL_DIFFERS"} <= {code.upper() for code in codes}
    assert verified() == []


@pytest.mark.parametrize("shown", ["-60.01", "-9000000.00"])
def test_no_phone_names_a_payout_beyond_the_deposits_that_it_knew(shop: Shop, shown: str) -> None:
    charged(shop, amount="40.00", payment_received=True)
    deposit_is(shop, "60.00")
    based_on = {"last_reading": None, "total_with_gst": shown}
    kept = pushed(shop, {"type": "RETURN"}, payment_received=True, based_on=based_on)
    assert (kept["errors"][0]["code"], kept["errors"][0]["attr"]) == ("rate_mismatch", "based_on.total_with_gst")
    assert kept["conflict"] is not None
    said = {"total_with_gst": "-40.00", "cash": shown}
    kept = pushed(shop, {"type": "RETURN"}, client_temp_id="b", payment_received=True, based_on=said)
    assert (kept["errors"][0]["code"], kept["errors"][0]["attr"]) == ("rate_mismatch", "based_on.cash")
    assert not Payment.objects.filter(amount__lt=0).exists()


def test_whose_a_shell_is_cant_change_while_some_is_out(shop: Shop) -> None:
    boss, address = shop.client_of(shop.admin), f"/api/equipment/{shop.cylinder.pk}/"
    answer = boss.patch(address, {"is_foreign": True})
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "is_foreign")
    unused = EquipmentFactory()
    assert boss.patch(f"/api/equipment/{unused.pk}/", {"is_foreign": True}).status_code == 200


def test_a_refund_above_the_sale_has_its_own_document(shop: Shop) -> None:
    charged(shop, 2, "60.00", payment_received=True)
    priced(shop.cylinder, default_rate=Decimal("25.00"))
    document = sold(shop, {"type": "SWAP"}, {"type": "RETURN", "quantity": 2}, payment_received=True)
    refund = document["refund"]
    assert (document["invoice"]["kind"], document["invoice"]["total_amount"]) == ("TAX_INVOICE", "27.25")
    assert (refund["invoice"]["kind"], refund["invoice"]["total_amount"]) == ("CREDIT_NOTE", "-120.00")
    assert read(shop, document)["outstanding_amount"] == read(shop, refund)["outstanding_amount"] == "0.00"
    assert [str(row.amount) for row in Payment.objects.filter(amount__lt=0)] == ["-92.75"]
    assert held(shop) == (0, 0, [])
    assert verified() == []
    assert void(shop, refund).status_code == 201
    assert held(shop) == (2, 0, [(2, "120.00")])
    assert verified() == []


def test_no_rate_of_a_return_comes_from_the_field(shop: Shop) -> None:
    charged(shop, 1, "40.00")
    for by in (shop.driver, shop.admin):
        answer = shop.sell({"type": "RETURN", "rate": "60.00"}, by=by)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "rate_mismatch")
    assert returned(shop)["invoice"]["total_amount"] == "-40.00"


def goodwill(shop: Shop, by: Any, **more: Any) -> Any:
    body = {"amount": "30.00", "reason": "Kept for ten years", "method": "CASH", **more}
    return shop.client_of(by).post(f"/api/customers/{shop.customer.pk}/goodwill-refunds/", body)


def test_d14_goodwill_touches_no_deposit_and_no_account(shop: Shop) -> None:
    charged(shop)
    sold(shop, {"type": "SALE"})
    before = held(shop)
    answer = goodwill(shop, shop.admin, client_temp_id="once")
    assert answer.status_code == 201, answer.json()
    assert (answer.json()["amount"], answer.json()["credit_amount"]) == ("-30.00", "0.00")
    assert goodwill(shop, shop.admin, client_temp_id="once").json()["id"] == answer.json()["id"]
    assert held(shop) == before
    assert credit_of(shop.customer) == 0
    day = shop.client_of(shop.admin).get("/api/reports/driver-day/", {"driver": shop.admin.pk}).json()
    assert {each["name"]: each["value"] for each in day["figures"]}["goodwill"] == "-30.00"
    assert verified() == []
    reversal = shop.client_of(shop.admin).post(f"/api/payments/{answer.json()['id']}/reverse/", {"reason": "A mistake"})
    assert reversal.status_code == 201, reversal.json()
    assert credit_of(shop.customer) == 0
    assert verified() == []


def test_goodwill_is_not_for_drivers_and_needs_its_reason(shop: Shop) -> None:
    assert goodwill(shop, shop.driver).status_code == 403
    assert goodwill(shop, shop.admin, reason="").status_code == 400
    assert not Payment.objects.exists()


def test_more_that_comes_back_than_the_books_know_is_kept_and_corrects_the_site(shop: Shop) -> None:
    charged(shop)
    kept = pushed(shop, {"type": "RETURN", "quantity": 3})
    assert kept["status"] == "rejected", kept
    retry = f"/api/sync/conflicts/{kept['conflict']}/retry/"
    admin = shop.client_of(shop.admin)
    assert admin.post(retry, {}).status_code == 409
    assert admin.post(retry, {"correct_site": True}).status_code == 400
    answer = admin.post(retry, {"correct_site": True, "reason": "Two from his other shop"})
    assert answer.status_code == 200, answer.json()
    assert held(shop) == (0, 0, [])
    assert shop.stock("EMPTY", vehicle_no=shop.driver.vehicle_no) == 3
    assert verified() == []
    refund = {"transaction": {"id": answer.json()["result_id"]}}
    assert void(shop, refund).status_code == 201
    assert held(shop) == (1, 0, [(1, "60.00")])
    assert verified() == []


def test_other_brands_shells_are_given_to_their_owners(shop: Shop) -> None:
    foreign = EquipmentFactory(is_foreign=True, default_rate=None, deposit=None)
    shop.stocked("depot", shop.depot.pk, 2, equipment_id=foreign.pk, condition="EMPTY")
    work = {"kind": "EXCHANGE", "depot": shop.depot.pk, "reason": "Fetched by the other brand"}
    item = {"equipment": foreign.pk, "condition": "EMPTY", "quantity": 2}
    admin = shop.client_of(shop.admin)
    ours = admin.post("/api/depot-work/", {**work, "items": [{**item, "equipment": shop.cylinder.pk}]})
    assert (ours.status_code, ours.json()["errors"][0]["attr"]) == (400, "items.0.equipment")
    assert admin.post("/api/depot-work/", {**work, "items": [item]}).status_code == 201
    assert shop.stock("EMPTY", foreign, kind="DEPOT") == 0
    assert verified() == []


@pytest.mark.parametrize("kind", ["SALE", "SWAP", "DEPOSIT"])
def test_another_brands_shell_is_never_sold_or_lent(shop: Shop, kind: str) -> None:
    foreign = EquipmentFactory(is_foreign=True, deposit=Decimal("10.00"))
    answer = shop.sell({"type": kind, "equipment": foreign.pk})
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "items.0.equipment")


def test_the_pull_tells_what_a_customer_holds(shop: Shop) -> None:
    sale = charged(shop)
    sold(shop, {"type": "SALE"})
    [customer] = shop.client_of(shop.driver).get("/api/sync/pull/").json()["customers"]
    lot = {
        "pieces": 1, "amount": "60.00", "invoice": sale["invoice"]["id"],
        "open_amount": sale["invoice"]["outstanding_amount"],
    }  # fmt: skip
    assert customer["holdings"] == [{"equipment": shop.cylinder.pk, "at_site": 2, "lots": [lot]}]


def test_what_a_customer_holds_is_told_when_it_changes(shop: Shop) -> None:
    client = shop.client_of(shop.driver)
    cursor = client.get("/api/sync/pull/").json()["cursor"]
    charged(shop)
    page = client.get("/api/sync/pull/", {"cursor": cursor}).json()
    assert [row["holdings"][0]["at_site"] for row in page["customers"]] == [1]


def test_without_a_deposit_set_none_is_charged_whatever_the_field_says(shop: Shop) -> None:
    priced(shop.cylinder, deposit=None)
    for more in ({}, {"rate": "45.00"}):
        answer = shop.sell({"type": "DEPOSIT", **more})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid")
