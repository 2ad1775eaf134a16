"""Taking a part of an invoice back: pieces or money of its lines, with the GST to the cent, never more than is left."""

from datetime import datetime
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
from fleet.models import Vehicle
from foundation import clock
from foundation.access.capabilities import Role
from foundation.errors import Denied, Invalid
from invoices.models import EmailHold, Invoice
from tests.conftest import Shop, error_of, to_confirm
from tests.factories import DepotFactory, EquipmentFactory, MeteredCustomerFactory, UserFactory
from tests.transactions.test_void import read, sold, void
from tests.types import Json, Unchanged
from transactions.models import Transaction, TransactionItem
from transactions.services import CreditLine, NewCredit, credit_invoice

pytestmark = pytest.mark.django_db

REASON = "Billed too much"


def credit(shop: Shop, invoice: Json, *lines: Json, by: User | None = None, **body: Any) -> Any:
    url = f"/api/invoices/{invoice['id']}/credit/"
    return shop.client_of(by or shop.admin).post(url, {"reason": REASON, "lines": list(lines), **body})


def credited(shop: Shop, invoice: Json, *lines: Json) -> Json:
    note: Json = sold(credit(shop, invoice, *lines))["invoice"]
    return note


def priced(shop: Shop, rate: str, **more: Any) -> int:
    """Something that is sold at this price, and of which there is enough on the vehicle."""
    item = EquipmentFactory(default_rate=rate, **more)
    assert shop.count("vehicle", shop.driver.vehicle_no, 20, equipment_id=item.pk).status_code == 200
    pk: int = item.pk
    return pk


def amounts(note: Json) -> tuple[str, str]:
    return (note["subtotal"], note["gst_amount"])


def open_and_state(shop: Shop, invoice: Json) -> tuple[str, str]:
    now = read(shop, "invoices", invoice["id"])
    return now["outstanding_amount"], now["state"]


# --- Cases C ---------------------------------------------------------------------------------------------------


def test_c1_the_gst_of_lines_that_are_credited_one_by_one_adds_up(shop: Shop) -> None:
    item = priced(shop, "8.50")
    lines = [{"equipment": item, "type": "SALE", "quantity": 1}] * 3
    invoice = sold(shop.sell(*lines))["invoice"]
    assert amounts(invoice) == ("25.50", "2.30")
    notes = [credited(shop, invoice, {"line": line, "quantity": 1}) for line in (1, 2, 3)]
    assert [note["gst_amount"] for note in notes] == ["-0.77", "-0.76", "-0.77"]
    assert open_and_state(shop, invoice) == ("0.00", "VOIDED")


def test_c4_an_amount_with_gst_and_then_the_rest(shop: Shop) -> None:
    item = priced(shop, "200.00")
    invoice = sold(shop.sell({"equipment": item, "type": "SALE", "quantity": 1}))["invoice"]
    first = credited(shop, invoice, {"line": 1, "amount": "41.00", "amount_includes_gst": True})
    assert amounts(first) == ("-37.61", "-3.39")
    assert amounts(credited(shop, invoice, {"line": 1, "quantity": 1})) == ("-162.39", "-14.61")
    assert open_and_state(shop, invoice) == ("0.00", "VOIDED")


def test_c5_what_is_credited_of_a_paid_invoice_is_credit(shop: Shop) -> None:
    item = priced(shop, "20.00")
    sale = sold(shop.sell({"equipment": item, "type": "SALE", "quantity": 5}, payment_received=True))
    invoice = sale["invoice"]
    first = credited(shop, invoice, {"line": 1, "quantity": 2})
    assert (first["total_amount"], first["outstanding_amount"]) == ("-43.60", "-43.60")
    assert open_and_state(shop, invoice) == ("0.00", "CREDITED")
    assert read(shop, "transactions", sale["transaction"]["id"])["status"] == "CREDITED"
    rest = credited(shop, invoice, {"line": 1, "quantity": 3})
    assert (rest["total_amount"], rest["outstanding_amount"]) == ("-65.40", "-65.40")
    assert open_and_state(shop, invoice) == ("0.00", "VOIDED")
    assert read(shop, "transactions", sale["transaction"]["id"])["status"] == "VOIDED"


def test_c6_what_is_credited_of_an_unpaid_invoice_is_open_no_more(shop: Shop) -> None:
    item = priced(shop, "20.00")
    invoice = sold(shop.sell({"equipment": item, "type": "SALE", "quantity": 5}))["invoice"]
    note = credited(shop, invoice, {"line": 1, "quantity": 2})
    assert (note["total_amount"], note["outstanding_amount"], note["status"]) == ("-43.60", "0.00", "generated")
    assert open_and_state(shop, invoice) == ("65.40", "CREDITED")


def test_a_credit_settles_what_is_open_and_leaves_the_rest_as_credit(shop: Shop) -> None:
    item = priced(shop, "20.00")
    invoice = sold(
        shop.sell({"equipment": item, "type": "SALE", "quantity": 5}, tender=[{"method": "CASH", "amount": "80.00"}])
    )["invoice"]
    note = credited(shop, invoice, {"line": 1, "quantity": 2})
    assert (note["settled_amount"], note["outstanding_amount"]) == ("-29.00", "-14.60")
    assert open_and_state(shop, invoice) == ("0.00", "CREDITED")
    assert read(shop, "invoices", invoice["id"])["status"] == "paid"


# --- What a credit note is -----------------------------------------------------------------------------------


def test_a_credit_names_its_invoice_its_reason_and_what_is_left(shop: Shop) -> None:
    item = priced(shop, "20.00")
    sale = sold(shop.sell({"equipment": item, "type": "SALE", "quantity": 5}))
    answer = sold(credit(shop, sale["invoice"], {"line": 1, "quantity": 2}))
    note = Invoice.objects.get(pk=answer["invoice"]["id"])
    assert note.corrects is not None
    assert note.corrects.invoice_number == sale["invoice"]["invoice_number"]
    assert answer["transaction"]["corrects"] == sale["transaction"]["id"]
    corrects = note.snapshot["corrects"]
    assert (corrects["invoice_number"], corrects["reason"], corrects["left"]) == (
        sale["invoice"]["invoice_number"], REASON, "65.40",
    )  # fmt: skip
    [line] = answer["transaction"]["items"]
    assert (line["type"], line["quantity"], line["rate"], line["amount"]) == ("SALE", -2, "20.00", "-40.00")
    evidence = AuditLog.objects.get(action="transactions.sale.credited")
    assert evidence.entity_id == answer["transaction"]["id"]
    assert evidence.after == {
        "of": sale["invoice"]["invoice_number"], "invoice_number": note.invoice_number,
        "lines": ["line 1: 2 for 40.00, back in stock"], "total_amount": "-43.60", "left": "65.40",
        "pdf_sha256": note.pdf_sha256,
    }  # fmt: skip
    assert evidence.reason == REASON


def test_a_credit_has_the_invoice_s_tax_rate_seller_and_depot_and_its_own_day(shop: Shop) -> None:
    with time_machine.travel(datetime(2023, 12, 31, 12, tzinfo=clock.SINGAPORE), tick=False):
        invoice = sold(shop.sell({"type": "SALE", "quantity": 2}))["invoice"]
    with time_machine.travel(datetime(2025, 3, 2, 0, 30, tzinfo=clock.SINGAPORE), tick=False):
        note = credited(shop, invoice, {"line": 1, "quantity": 1})
    assert (note["gst_rate"], note["gst_amount"]) == ("8.00", "-2.28")
    row = Invoice.objects.get(pk=note["id"])
    assert (str(row.date), row.user, row.depot_id) == ("2025-03-02", shop.driver, shop.driver.depot_id)


def test_an_amount_that_was_corrected_is_spread_over_the_pieces_that_are_left(shop: Shop) -> None:
    item = priced(shop, "20.00")
    invoice = sold(shop.sell({"equipment": item, "type": "SALE", "quantity": 5}))["invoice"]
    note = sold(credit(shop, invoice, {"line": 1, "amount": "10.00"}))
    [line] = note["transaction"]["items"]
    assert (line["quantity"], line["amount"]) == (0, "-10.00")
    assert credited(shop, invoice, {"line": 1, "quantity": 2})["subtotal"] == "-36.00"
    assert credited(shop, invoice, {"line": 1, "quantity": 3})["subtotal"] == "-54.00"
    assert open_and_state(shop, invoice) == ("0.00", "VOIDED")


def test_several_lines_make_one_credit_note(shop: Shop) -> None:
    item = priced(shop, "8.50")
    invoice = sold(
        shop.sell(
            {"type": "SALE", "quantity": 2},
            {"type": "DEPOSIT", "quantity": 2},
            {"equipment": item, "type": "SALE", "quantity": 3},
        )
    )["invoice"]
    note = credited(
        shop, invoice, {"line": 3, "quantity": 1}, {"line": 2, "quantity": 1}, {"line": 1, "amount": "5.00"}
    )
    assert (note["subtotal"], note["gst_amount"]) == ("-73.50", "-1.22")


# --- Stock, deposits, meters ------------------------------------------------------------------------------------


def test_pieces_come_back_onto_the_vehicle_or_stay(shop: Shop) -> None:
    invoice = sold(shop.sell({"type": "SWAP", "quantity": 3}))["invoice"]
    before = shop.stock(vehicle_no=shop.driver.vehicle_no), shop.stock("EMPTY", vehicle_no=shop.driver.vehicle_no)
    credited(shop, invoice, {"line": 1, "quantity": 1, "return_stock": False})
    assert before == (
        shop.stock(vehicle_no=shop.driver.vehicle_no), shop.stock("EMPTY", vehicle_no=shop.driver.vehicle_no)
    )  # fmt: skip
    credited(shop, invoice, {"line": 1, "quantity": 2})
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == before[0] + 2
    assert shop.stock("EMPTY", vehicle_no=shop.driver.vehicle_no) == before[1] - 2


def test_an_amount_moves_no_pieces(shop: Shop) -> None:
    invoice = sold(shop.sell({"type": "SALE", "quantity": 3}))["invoice"]
    before = shop.stock(vehicle_no=shop.driver.vehicle_no)
    credited(shop, invoice, {"line": 1, "amount": "3.00"})
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == before


def test_what_is_not_there_does_not_come_back(shop: Shop, nothing_changes: Unchanged) -> None:
    invoice = sold(shop.sell({"type": "SALE", "quantity": 2}))["invoice"]
    shop.count("customer", shop.customer.pk, 0)
    with nothing_changes():
        answer = credit(shop, invoice, {"line": 1, "quantity": 1})
        assert error_of(answer) == (409, "insufficient_stock", "lines.0.quantity")


def test_a_credited_deposit_leaves_its_lot(shop: Shop) -> None:
    invoice = sold(shop.sell({"type": "SALE", "quantity": 2}, {"type": "DEPOSIT", "quantity": 2}))["invoice"]
    note = credited(shop, invoice, {"line": 2, "quantity": 1})
    assert amounts(note) == ("-60.00", "0.00")
    assert DepositLot.objects.values_list("pieces", "amount").get() == (1, Decimal("60.00"))
    credited(shop, invoice, {"line": 2, "amount": "20.00"})
    assert DepositLot.objects.values_list("pieces", "amount").get() == (1, Decimal("40.00"))


def test_d6_of_a_deposit_that_was_refunded_only_the_rest_can_be_credited(
    shop: Shop, nothing_changes: Unchanged
) -> None:
    invoice = sold(shop.sell({"type": "SALE", "quantity": 2}, {"type": "DEPOSIT", "quantity": 2}))["invoice"]
    sold(shop.sell({"type": "RETURN", "quantity": 1}))
    with nothing_changes():
        for line in ({"line": 2, "quantity": 2}, {"line": 2, "amount": "60.01"}):
            assert error_of(credit(shop, invoice, line)) == (409, "deposit_refunded", "lines")
    assert credited(shop, invoice, {"line": 2, "quantity": 1})["subtotal"] == "-60.00"
    assert DepositLot.objects.values_list("pieces", "amount").get() == (0, Decimal("0.00"))


@pytest.fixture
def metered() -> Customer:
    customer: Customer = MeteredCustomerFactory()
    return customer


def test_usage_is_credited_after_later_readings_and_the_meter_stays(shop: Shop, metered: Customer) -> None:
    invoice = sold(shop.sell({"type": "SALE"}, customer=metered.pk, current_meter="1210.00"))["invoice"]
    sold(shop.sell(customer=metered.pk, current_meter="1230.00"))
    answer = sold(credit(shop, invoice, {"line": 2, "amount": "21.50"}))
    assert amounts(answer["invoice"]) == ("-21.50", "-1.94")
    recorded = answer["transaction"]
    assert (recorded["usage"], recorded["usage_amount"], recorded["items"]) == ("0.00", "-21.50", [])
    metered.refresh_from_db()
    assert metered.last_meter_reading == Decimal("1230.00")
    snapshot = Invoice.objects.get(pk=answer["invoice"]["id"]).snapshot
    assert [(line["type"], line["quantity"], line["amount"]) for line in snapshot["lines"]] == [("USAGE", 0, "-21.50")]
    assert error_of(credit(shop, invoice, {"line": 2, "amount": "0.01"}))[1] == "exceeds_invoice"
    assert error_of(credit(shop, invoice, {"line": 2, "quantity": 1}))[1] == "exceeds_invoice"


# --- What is refused -----------------------------------------------------------------------------------------


def test_never_more_than_is_left_of_a_line_and_of_the_whole(shop: Shop, nothing_changes: Unchanged) -> None:
    item = priced(shop, "20.00")
    invoice = sold(shop.sell({"equipment": item, "type": "SALE", "quantity": 5}, {"type": "SALE"}))["invoice"]
    credited(shop, invoice, {"line": 1, "quantity": 2})
    with nothing_changes():
        for line, attr in (
            ({"line": 1, "quantity": 4}, "lines.0.quantity"),
            ({"line": 1, "amount": "60.01"}, "lines.0.amount"),
            ({"line": 1, "amount": "65.42", "amount_includes_gst": True}, "lines.0.amount"),
        ):
            assert error_of(credit(shop, invoice, line)) == (409, "exceeds_invoice", attr)
    assert credited(shop, invoice, {"line": 1, "amount": "65.40", "amount_includes_gst": True})["subtotal"] == "-60.00"
    assert error_of(credit(shop, invoice, {"line": 1, "quantity": 1})) == (409, "exceeds_invoice", "lines.0.line")


def test_lines_are_those_of_the_invoice_each_once(shop: Shop, nothing_changes: Unchanged) -> None:
    invoice = sold(shop.sell({"type": "SALE", "quantity": 2}))["invoice"]
    with nothing_changes():
        for lines, attr in (
            ([{"line": 2, "quantity": 1}], "lines.0.line"),
            ([{"line": 1, "quantity": 1}, {"line": 1, "amount": "1.00"}], "lines"),
            ([{"line": 1}], "lines.0.quantity"),
            ([{"line": 1, "quantity": 1, "amount": "1.00"}], "lines.0.quantity"),
        ):
            assert error_of(credit(shop, invoice, *lines)) == (400, "invalid", attr), lines
        for lines in ([{"line": 0, "quantity": 1}], []):
            assert credit(shop, invoice, *lines).status_code == 400


def test_only_what_stands_of_a_tax_invoice_can_be_credited(shop: Shop, nothing_changes: Unchanged) -> None:
    sale = sold(shop.sell({"type": "SALE", "quantity": 2}))
    refund = sold(shop.sell({"type": "RETURN"}))["invoice"]
    note = sold(void(shop, sale, goods="gone"))["invoice"]
    with nothing_changes():
        assert error_of(credit(shop, sale["invoice"], {"line": 1, "quantity": 1}))[1] == "already_voided"
        assert error_of(credit(shop, note, {"line": 1, "quantity": 1}))[1] == "no_invoice"
        assert error_of(credit(shop, refund, {"line": 1, "quantity": 1}))[1] == "no_invoice"


def test_what_is_credited_in_part_is_not_voided(shop: Shop, nothing_changes: Unchanged) -> None:
    sale = sold(shop.sell({"type": "SALE", "quantity": 2}))
    credit_note = sold(credit(shop, sale["invoice"], {"line": 1, "quantity": 1}))
    with nothing_changes():
        assert error_of(void(shop, sale))[1] == "already_credited"
        assert error_of(void(shop, credit_note))[1] == "already_voided"
    credited(shop, sale["invoice"], {"line": 1, "quantity": 1})
    with nothing_changes():
        assert error_of(void(shop, sale))[1] == "already_voided"


def test_the_same_credit_sent_again_is_one(shop: Shop) -> None:
    invoice = sold(shop.sell({"type": "SALE", "quantity": 2}))["invoice"]
    url, body = f"/api/invoices/{invoice['id']}/credit/", {"reason": REASON, "lines": [{"line": 1, "quantity": 1}]}
    client = shop.client_of(shop.admin)
    answers = [client.post(url, body, headers={"Idempotency-Key": "credit-1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json()["invoice"]["id"] == answers[1].json()["invoice"]["id"]
    assert Transaction.objects.filter(corrects__isnull=False).count() == 1


def test_the_service_refuses_by_itself(shop: Shop, nothing_changes: Unchanged) -> None:
    """What no form and no route lets through today."""
    invoice = sold(shop.sell({"type": "SALE", "quantity": 2}))["invoice"]["id"]
    stranger = UserFactory(role=Role.SUPERVISOR, depot=DepotFactory())
    lines = [CreditLine(1, quantity=1)]
    with nothing_changes():
        for actor in (shop.driver, stranger):
            with pytest.raises(Denied):
                credit_invoice(actor=actor, data=NewCredit(invoice, REASON, lines))
        with pytest.raises(Invalid, match="reason"):
            credit_invoice(actor=shop.admin, data=NewCredit(invoice, " ", lines))


def test_a_credit_is_no_sale_to_the_customer(shop: Shop) -> None:
    invoice = sold(shop.sell({"type": "SALE", "quantity": 2}))["invoice"]
    credited(shop, invoice, {"line": 1, "quantity": 1})
    assert [sale.invoice_id for sale in Transaction.objects.sales()] == [invoice["id"]]
    assert TransactionItem.objects.get(corrects__isnull=False).corrects == TransactionItem.objects.earliest("pk")


def test_the_books_hold_with_credits_of_every_kind(shop: Shop, metered: Customer) -> None:
    invoice = sold(shop.sell({"type": "SWAP", "quantity": 3}, {"type": "DEPOSIT", "quantity": 3}))["invoice"]
    credited(shop, invoice, {"line": 1, "quantity": 1}, {"line": 2, "amount": "10.00"})
    credited(shop, invoice, {"line": 1, "quantity": 1, "return_stock": False}, {"line": 2, "quantity": 1})
    credited(shop, invoice, {"line": 1, "amount": "1.01", "amount_includes_gst": True})
    usage = sold(shop.sell(customer=metered.pk, current_meter="1210.00"))["invoice"]
    credited(shop, usage, {"line": 1, "amount": "21.50"})
    call_command("verify_books", stdout=StringIO())


def test_the_books_hold_where_sums_with_gst_are_credited(shop: Shop) -> None:
    """Of 3.33 the GST is 0.27, and what is left bears 4.82 where its 53.44 alone would bear 4.81."""
    invoice = sold(shop.sell({"equipment": priced(shop, "56.50"), "type": "SALE", "quantity": 1}))["invoice"]
    note = credited(shop, invoice, {"line": 1, "amount": "3.33", "amount_includes_gst": True})
    assert amounts(note) == ("-3.06", "-0.27")
    call_command("verify_books", stdout=StringIO())


def test_the_books_hold_where_a_line_is_credited_whole_as_it_reads_with_gst(shop: Shop) -> None:
    """25.61 are left, which alone would bear 2.30."""
    lines = [{"equipment": priced(shop, rate), "type": "SALE", "quantity": 1} for rate in ("51.50", "42.50", "25.61")]
    invoice = sold(shop.sell(*lines))["invoice"]
    credited(shop, invoice, {"line": 1, "quantity": 1})
    whole = credited(shop, invoice, {"line": 2, "amount": "46.33", "amount_includes_gst": True})
    assert amounts(whole) == ("-42.50", "-3.83")
    call_command("verify_books", stdout=StringIO())
    assert amounts(credited(shop, invoice, {"line": 3, "quantity": 1})) == ("-25.61", "-2.29")
    call_command("verify_books", stdout=StringIO())


def test_nothing_comes_back_onto_a_vehicle_that_is_inactive(shop: Shop, nothing_changes: Unchanged) -> None:
    invoice = sold(shop.sell({"type": "SALE", "quantity": 2}))["invoice"]
    vehicle = Vehicle.objects.get(number=shop.driver.vehicle_no)
    assert shop.client_of(shop.admin).delete(f"/api/vehicles/{vehicle.pk}/").status_code == 200
    with nothing_changes():
        assert error_of(credit(shop, invoice, {"line": 1, "quantity": 1})) == (409, "vehicle_inactive", "lines")
    credited(shop, invoice, {"line": 1, "quantity": 1, "return_stock": False})


def test_who_never_got_the_invoice_is_not_told_of_its_credit(shop: Shop) -> None:
    shop.count("vehicle", shop.driver.vehicle_no, 200)
    Customer.objects.filter(pk=shop.customer.pk).update(email="site@example.sg", email_invoices=True)
    line = {"type": "SALE", "quantity": 60}
    invoice = sold(shop.sell(line, confirm=to_confirm(shop.sell(line))))["invoice"]
    note = credited(shop, invoice, {"line": 1, "quantity": 50})
    assert EmailHold.objects.filter(invoice=note["id"], released_at=None).exists()


def test_the_printed_rate_is_what_a_piece_comes_to(shop: Shop) -> None:
    item = priced(shop, "20.00")
    invoice = sold(shop.sell({"equipment": item, "type": "SALE", "quantity": 5}))["invoice"]
    credited(shop, invoice, {"line": 1, "amount": "10.00"})
    note = credited(shop, invoice, {"line": 1, "quantity": 2})
    [line] = Invoice.objects.get(pk=note["id"]).snapshot["lines"]
    assert (line["quantity"], line["rate"], line["amount"]) == (-2, "18.00", "-36.00")


# --- Accounts: money alone ---------------------------------------------------------------------------------------


def test_accounts_credits_without_pieces_that_come_back(shop: Shop, nothing_changes: Unchanged) -> None:
    clerk = UserFactory(role=Role.ACCOUNTS)
    invoice = sold(shop.sell({"type": "SALE", "quantity": 2}, {"type": "DEPOSIT"}))["invoice"]
    left = shop.stock(vehicle_no=shop.driver.vehicle_no)
    with nothing_changes():
        refused = credit(shop, invoice, {"line": 2, "quantity": 1}, {"line": 1, "quantity": 1}, by=clerk)
        assert error_of(refused) == (403, "permission_denied", "lines.0.return_stock")
        assert "may not take sold goods back into stock" in refused.json()["errors"][0]["detail"]
    note = sold(credit(shop, invoice, {"line": 1, "quantity": 1, "return_stock": False}, by=clerk))["invoice"]
    assert note["subtotal"] == "-28.50"
    # A deposit is money.
    assert credit(shop, invoice, {"line": 2, "quantity": 1}, by=clerk).status_code == 201
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == left
