"""The sale, rule by rule, through the API."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from audit.models import AuditLog
from foundation import clock
from foundation.access.capabilities import Role
from inventory.models import StockMovement
from invoices.models import Invoice
from payments.models import Payment
from sequences.models import Ticket
from tests.conftest import Shop, error_of
from tests.factories import (
    CustomerFactory,
    CustomerRateFactory,
    DriverFactory,
    EquipmentFactory,
    MeteredCustomerFactory,
    UserFactory,
)
from tests.types import Answer, Json, Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

SALE = {"type": "SALE"}


def of(response: Answer) -> tuple[Json, Json]:
    assert response.status_code == 201, response.json()
    return response.json()["transaction"], response.json()["invoice"]


# --- Stock ---------------------------------------------------------------------------------------


def test_a_sale_moves_full_cylinders_to_the_customer(shop: Shop) -> None:
    of(shop.sell({"type": "SALE", "quantity": 3}))
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == 17
    assert shop.stock(customer=shop.customer) == 3


def test_a_swap_brings_as_many_empties_back(shop: Shop) -> None:
    of(shop.sell({"type": "SWAP", "quantity": 3}))
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == 17
    assert shop.stock("EMPTY", vehicle_no=shop.driver.vehicle_no) == 3
    assert shop.stock(customer=shop.customer) == 0


@pytest.mark.parametrize(("sent", "comes_back_as"), [({}, "EMPTY"), ({"condition": "DAMAGED"}, "DAMAGED")])
def test_a_return_takes_from_the_customer(shop: Shop, sent: dict[str, str], comes_back_as: str) -> None:
    shop.count("customer", shop.customer.pk, 2)
    sale, _ = of(shop.sell({"type": "RETURN", "quantity": 2, **sent}))
    assert sale["items"][0]["condition"] == comes_back_as
    assert shop.stock(comes_back_as, vehicle_no=shop.driver.vehicle_no) == 2
    assert shop.stock(customer=shop.customer) == 0


@pytest.mark.parametrize("kind", ["REFILL", "SERVICE", "DEPOSIT"])
def test_other_lines_move_nothing(shop: Shop, kind: str) -> None:
    before = StockMovement.objects.count()
    of(shop.sell({"type": kind, "quantity": 2}))
    assert StockMovement.objects.count() == before


def test_too_many_are_refused_with_what_is_there(shop: Shop, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        response = shop.sell({"type": "SERVICE"}, {"type": "SALE", "quantity": 15}, {"type": "SWAP", "quantity": 6})
    assert error_of(response) == (409, "insufficient_stock", "items.1.quantity")
    assert response.json()["errors"][0]["detail"] == (
        f"Only 20 FULL of {shop.cylinder.sku} at vehicle {shop.driver.vehicle_no}; 21 asked."
    )


def test_a_return_of_what_the_customer_has_not_is_refused(shop: Shop, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        assert error_of(shop.sell({"type": "RETURN"})) == (409, "insufficient_stock", "items.0.quantity")


def test_what_is_sold_may_be_returned_at_once(shop: Shop) -> None:
    of(shop.sell({"type": "RETURN"}, {"type": "SALE", "quantity": 3}))
    assert shop.stock(customer=shop.customer) == 2


def test_a_driver_without_a_vehicle_sells_from_the_field(shop: Shop) -> None:
    driver = UserFactory(role=Role.DRIVER, vehicle_no="")
    of(shop.sell({"type": "SALE", "quantity": 4}, by=driver))
    assert shop.stock(kind="FIELD") == -4
    assert shop.stock(customer=shop.customer) == 4


# --- Prices ---------------------------------------------------------------------------------------


def test_the_contract_rate_comes_before_the_default(shop: Shop) -> None:
    CustomerRateFactory(customer=shop.customer, equipment=shop.cylinder, rate="25.00")
    sale, _ = of(shop.sell(SALE))
    assert (sale["items"][0]["rate"], sale["items"][0]["rate_source"]) == ("25.00", "CONTRACT")


def test_the_contract_rate_is_the_one_in_force_when_it_happened(shop: Shop) -> None:
    today = clock.business_date(clock.now())
    for days, rate in ((-400, "24.00"), (-2, "26.00"), (1, "99.00")):
        CustomerRateFactory(
            customer=shop.customer, equipment=shop.cylinder, rate=rate, valid_from=today + timedelta(days=days)
        )
    now_sale, _ = of(shop.sell({**SALE, "rate": "26.00"}))
    then_sale, _ = of(shop.sell({**SALE, "rate": "24.00"}, occurred_at=(clock.now() - timedelta(days=4)).isoformat()))
    assert now_sale["items"][0]["rate"] == "26.00"
    assert then_sale["items"][0]["rate"] == "24.00"


def test_another_customers_contract_is_not_theirs(shop: Shop) -> None:
    CustomerRateFactory(equipment=shop.cylinder, rate="1.00")
    sale, _ = of(shop.sell(SALE))
    assert (sale["items"][0]["rate"], sale["items"][0]["rate_source"]) == ("28.50", "DEFAULT")


def test_a_shown_rate_that_differs_is_refused(shop: Shop, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        for rate in ("28.49", "28.51"):
            assert error_of(shop.sell({**SALE, "rate": rate})) == (409, "rate_mismatch", "items.0.rate")


@pytest.mark.parametrize("role", ["ADMIN", "SUPERVISOR"])
def test_who_may_override_a_rate(shop: Shop, role: Role) -> None:
    seller = DriverFactory(role=role)
    shop.count("vehicle", seller.vehicle_no, 5)
    sale, _ = of(shop.sell({**SALE, "rate": "20.00"}, by=seller))
    assert (sale["items"][0]["rate"], sale["items"][0]["rate_source"]) == ("20.00", "OVERRIDE")
    evidence = AuditLog.objects.get(action="transactions.sale.recorded")
    assert evidence.after is not None
    assert evidence.after["rate_overrides"] == [
        {"equipment": shop.cylinder.sku, "rate": "20.00", "instead_of": "28.50"}
    ]


@pytest.mark.parametrize("role", ["SALES", "DRIVER"])
def test_who_may_not_override_a_rate(shop: Shop, nothing_changes: Unchanged, role: Role) -> None:
    seller = DriverFactory(role=role)
    shop.count("vehicle", seller.vehicle_no, 5)
    with nothing_changes():
        response = shop.sell({**SALE, "rate": "20.00"}, by=seller)
    assert error_of(response) == (409, "rate_mismatch", "items.0.rate")


def test_without_any_rate_the_fields_is_needed_and_taken(shop: Shop, nothing_changes: Unchanged) -> None:
    unpriced = EquipmentFactory(default_rate=None)
    with nothing_changes():
        assert error_of(shop.sell({"type": "SERVICE", "equipment": unpriced.pk})) == (400, "invalid", "items.0.rate")
    sale, _ = of(shop.sell({"type": "SERVICE", "equipment": unpriced.pk, "rate": "35.00"}))
    assert (sale["items"][0]["rate"], sale["items"][0]["rate_source"]) == ("35.00", "FIELD")


def test_a_deposit_is_charged_at_the_equipments_outside_gst(shop: Shop) -> None:
    CustomerRateFactory(customer=shop.customer, equipment=shop.cylinder, rate="25.00")
    sale, invoice = of(shop.sell({"type": "DEPOSIT", "quantity": 2}, {"type": "SALE"}))
    assert [line["amount"] for line in sale["items"]] == ["120.00", "25.00"]
    assert [line["taxable"] for line in sale["items"]] == [False, True]
    assert (invoice["subtotal"], invoice["gst_amount"], invoice["total_amount"]) == ("145.00", "2.25", "147.25")


def test_later_prices_never_change_history(shop: Shop) -> None:
    sale, _ = of(shop.sell(SALE))
    admin = shop.client_of(shop.admin)
    assert admin.patch(f"/api/equipment/{shop.cylinder.pk}/", {"default_rate": "36.00", "name": "X"}).status_code == 200
    assert admin.patch(f"/api/customers/{shop.customer.pk}/", {"name": "Renamed"}).status_code == 200
    again = admin.get(f"/api/transactions/{sale['id']}/").json()
    assert again["items"] == sale["items"]
    assert again["customer_name"] == sale["customer_name"]


# --- Tax and totals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "rate", "gst", "total"),
    [
        (1, "0.05", "0.00", "0.05"),  # 0.0045
        (1, "0.06", "0.01", "0.07"),  # 0.0054
        (1, "0.50", "0.05", "0.55"),  # 0.045, where half-even would give 0.04
        (1, "12.50", "1.13", "13.63"),  # 1.125, where half-even would give 1.12
        (3, "28.50", "7.70", "93.20"),  # 7.695
    ],
)
def test_gst_is_rounded_half_up_once(shop: Shop, quantity: int, rate: str, gst: str, total: str) -> None:
    item = EquipmentFactory(default_rate=Decimal(rate))
    _, invoice = of(shop.sell({"type": "SERVICE", "equipment": item.pk, "quantity": quantity}))
    assert (invoice["gst_rate"], invoice["gst_amount"], invoice["total_amount"]) == ("9.00", gst, total)


@pytest.mark.parametrize(
    ("now", "rate"),
    [
        ("1994-03-31T23:59:00+08:00", "0.00"),
        ("2022-12-31T23:59:00+08:00", "7.00"),
        ("2023-01-01T00:01:00+08:00", "8.00"),
        ("2023-12-31T23:59:00+08:00", "8.00"),
        ("2024-01-01T00:01:00+08:00", "9.00"),
        ("2026-01-20T10:00:00+08:00", "9.00"),
    ],
)
def test_gst_follows_singapores_date(shop: Shop, now: str, rate: str) -> None:
    with time_machine.travel(datetime.fromisoformat(now), tick=False):
        assert of(shop.sell(SALE))[1]["gst_rate"] == rate


@pytest.mark.parametrize(("paid", "rate"), [(True, "8.00"), (False, "9.00")])
def test_the_tax_point_is_the_payment_on_the_spot_else_the_invoice(shop: Shop, paid: bool, rate: str) -> None:
    with time_machine.travel(datetime.fromisoformat("2024-01-02T09:00:00+08:00"), tick=False):
        sold = shop.sell(SALE, payment_received=paid, occurred_at="2023-12-31T22:00:00+08:00")
    assert of(sold)[1]["gst_rate"] == rate


def test_nothing_to_bill_is_refused(shop: Shop, nothing_changes: Unchanged) -> None:
    metered = MeteredCustomerFactory(last_meter_reading="1200.00")
    with nothing_changes():
        assert error_of(shop.sell())[:2] == (409, "empty_sale")
        assert error_of(shop.sell(customer=metered.pk, current_meter="1200.00"))[:2] == (409, "empty_sale")


def test_a_refund_is_a_credit_note(shop: Shop) -> None:
    of(shop.sell({"type": "SALE", "quantity": 2}, {"type": "DEPOSIT", "quantity": 2}))
    sale, invoice = of(shop.sell({"type": "RETURN", "quantity": 2}))
    assert invoice["kind"] == "CREDIT_NOTE"
    assert invoice["invoice_number"].startswith("CN-")
    assert (sale["total_amount"], invoice["gst_amount"], invoice["total_amount"]) == ("-120.00", "0.00", "-120.00")


def test_a_total_of_nothing_is_billed_by_a_tax_invoice(shop: Shop) -> None:
    free = EquipmentFactory(default_rate=0)
    _, invoice = of(shop.sell({"type": "SERVICE", "equipment": free.pk}))
    assert (invoice["kind"], invoice["total_amount"], invoice["status"]) == ("TAX_INVOICE", "0.00", "generated")
    assert shop.client_of(shop.admin).get("/api/invoices/?is_open=true").json()["count"] == 0


def test_what_comes_back_without_a_deposit_takes_nothing_off_a_sale(shop: Shop) -> None:
    shop.count("customer", shop.customer.pk, 2)
    sale, invoice = of(shop.sell({"type": "SALE"}, {"type": "RETURN", "quantity": 2}))
    assert (sale["total_amount"], invoice["kind"]) == ("28.50", "TAX_INVOICE")


def test_payment_on_the_spot_is_on_the_invoice(shop: Shop) -> None:
    _, paid = of(shop.sell(SALE, payment_received=True))
    _, owed = of(shop.sell(SALE))
    assert (paid["status"], owed["status"]) == ("paid", "generated")
    assert paid["paid_at"] is not None
    assert owed["paid_at"] is None


def test_a_free_sale_takes_no_money_on_the_spot(shop: Shop) -> None:
    free = EquipmentFactory(default_rate=0)
    _, invoice = of(shop.sell({"type": "SERVICE", "equipment": free.pk}, payment_received=True))
    assert (invoice["status"], invoice["outstanding_amount"], Payment.objects.count()) == ("paid", "0.00", 0)


def test_a_sale_counts_on_the_day_it_is_recorded_and_keeps_when_it_happened(shop: Shop) -> None:
    recorded = datetime(2026, 1, 20, 0, 30, tzinfo=clock.SINGAPORE)  # the 19th in UTC
    happened = recorded - timedelta(hours=2)
    with time_machine.travel(recorded, tick=False):
        sale, invoice = of(shop.sell(SALE, payment_received=True, occurred_at=happened.isoformat()))
    day, row = date(2026, 1, 20), Transaction.objects.get()
    assert (row.date, row.created_at, row.occurred_at) == (day, recorded, happened)
    assert sale["transaction_number"] == "TRX-20260120-000001"
    movement = StockMovement.objects.get(kind="SALE")
    assert (movement.occurred_at, movement.created_at) == (happened, recorded)
    billed, payment = Invoice.objects.get(pk=invoice["id"]), Payment.objects.get()
    assert (billed.date, billed.settled_on, billed.due_on, billed.generated_at) == (day, day, day, recorded)
    assert billed.paid_at == happened
    assert (payment.received_on, payment.created_at) == (date(2026, 1, 19), recorded)
    assert (payment.date, payment.used_up_on) == (day, day)


# --- The meter -------------------------------------------------------------------------------------


def test_usage_is_billed_from_the_last_reading(shop: Shop) -> None:
    metered = MeteredCustomerFactory(last_meter_reading="1200.00", meter_rate="2.1500")
    usage = {"code": "usage_unlikely", "attr": "current_meter", "value": "1250.50"}
    sale, invoice = of(shop.sell(customer=metered.pk, current_meter="1250.50", confirm=[usage]))
    assert (sale["last_meter_reading"], sale["current_meter_reading"]) == ("1200.00", "1250.50")
    assert (sale["usage"], sale["meter_rate"], sale["usage_amount"]) == ("50.50", "2.1500", "108.58")
    assert (invoice["subtotal"], invoice["gst_amount"]) == ("108.58", "9.77")
    metered.refresh_from_db()
    assert (metered.last_meter_reading, metered.version) == (Decimal("1250.50"), 2)


def test_a_reading_is_billed_to_the_cent_at_a_ten_thousandth_of_a_dollar(shop: Shop) -> None:
    metered = MeteredCustomerFactory(last_meter_reading="1200.00", meter_rate="2.1549")
    usage = {"code": "usage_unlikely", "attr": "current_meter", "value": "1300.10"}
    sale, _ = of(shop.sell(customer=metered.pk, current_meter="1300.10", confirm=[usage]))
    assert (sale["usage"], sale["usage_amount"]) == ("100.10", "215.71")  # 215.705490


def test_a_refund_beyond_the_gas_stands_beside_it(shop: Shop) -> None:
    metered = MeteredCustomerFactory(last_meter_reading="1200.00", meter_rate="2.0000")
    of(shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}, customer=metered.pk))
    answer = shop.sell({"type": "RETURN"}, customer=metered.pk, current_meter="1210.00")
    gas, refund = of(answer), answer.json()["refund"]
    assert (gas[0]["usage_amount"], gas[1]["total_amount"]) == ("20.00", "21.80")
    assert (refund["transaction"]["usage"], refund["invoice"]["total_amount"]) == ("0.00", "-60.00")


def test_usage_and_items_are_billed_together(shop: Shop) -> None:
    metered = MeteredCustomerFactory(last_meter_reading="1200.00", meter_rate="2.0000")
    sale, _ = of(shop.sell(SALE, customer=metered.pk, current_meter="1210.00"))
    assert (sale["usage_amount"], sale["items_amount"], sale["total_amount"]) == ("20.00", "28.50", "48.50")


def test_a_lower_reading_is_refused(shop: Shop, nothing_changes: Unchanged) -> None:
    metered = MeteredCustomerFactory(last_meter_reading="1200.00")
    with nothing_changes():
        response = shop.sell(SALE, customer=metered.pk, current_meter="1199.99")
    assert error_of(response) == (409, "meter_reading_decreased", "current_meter")


def test_an_equal_reading_bills_nothing(shop: Shop) -> None:
    metered = MeteredCustomerFactory(last_meter_reading="1200.00")
    sale, _ = of(shop.sell(SALE, customer=metered.pk, current_meter="1200"))
    metered.refresh_from_db()
    assert (sale["usage"], sale["usage_amount"], metered.version) == ("0.00", "0.00", 1)


def test_the_first_reading_is_the_baseline(shop: Shop) -> None:
    metered = MeteredCustomerFactory(last_meter_reading=None)
    sale, _ = of(shop.sell(SALE, customer=metered.pk, current_meter="500.00"))
    metered.refresh_from_db()
    assert (sale["last_meter_reading"], sale["usage_amount"]) == (None, "0.00")
    assert metered.last_meter_reading == Decimal("500.00")
    printed = Invoice.objects.get().snapshot["meter"]
    assert (printed["last_reading"], printed["current_reading"], printed["usage"]) == ("500.00", "500.00", "0.00")


def test_a_reading_without_a_meter_is_refused(shop: Shop, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        assert error_of(shop.sell(SALE, current_meter="1.00")) == (409, "no_meter", "current_meter")


# --- Who, what, when -------------------------------------------------------------------------------


def test_an_inactive_customer_is_refused(shop: Shop, nothing_changes: Unchanged) -> None:
    closed = CustomerFactory(is_active=False)
    with nothing_changes():
        assert error_of(shop.sell(SALE, customer=closed.pk)) == (409, "customer_inactive", "customer")


def test_inactive_equipment_is_refused(shop: Shop, nothing_changes: Unchanged) -> None:
    old = EquipmentFactory(is_active=False)
    with nothing_changes():
        response = shop.sell(SALE, {"type": "SERVICE", "equipment": old.pk})
    assert error_of(response) == (409, "equipment_inactive", "items.1.equipment")


@pytest.mark.parametrize("offset", [timedelta(days=-7), timedelta(minutes=5)])
def test_how_far_from_now_a_sale_may_have_happened(shop: Shop, offset: timedelta) -> None:
    with time_machine.travel(datetime.fromisoformat("2026-01-20T10:00:00+08:00"), tick=False):
        moment = clock.now() + offset
        sale, _ = of(shop.sell(SALE, occurred_at=moment.isoformat()))
    assert datetime.fromisoformat(sale["occurred_at"]) == moment


@pytest.mark.parametrize("offset", [timedelta(days=-7, seconds=-1), timedelta(minutes=5, seconds=1)])
def test_a_sale_too_far_from_now_is_refused(shop: Shop, nothing_changes: Unchanged, offset: timedelta) -> None:
    moment = datetime.fromisoformat("2026-01-20T10:00:00+08:00")
    with time_machine.travel(moment, tick=False), nothing_changes():
        response = shop.sell(SALE, occurred_at=(moment + offset).isoformat())
    assert error_of(response) == (409, "occurred_at_out_of_range", "occurred_at")


def test_the_old_path_does_the_same(shop: Shop) -> None:
    body = {"customer": shop.customer.pk, "items": [{"equipment": shop.cylinder.pk, "type": "SALE", "quantity": 1}]}
    response = shop.client_of(shop.driver).post("/api/transactions/create_transaction/", body)
    assert of(response)[0]["total_amount"] == "28.50"


# --- All or nothing ---------------------------------------------------------------------------------


def test_a_disk_that_is_full_refuses_the_whole_sale(
    shop: Shop, nothing_changes: Unchanged, monkeypatch: pytest.MonkeyPatch
) -> None:
    of(shop.sell(SALE))

    def full(self: Any, chunk_size: int | None = None) -> Iterator[bytes]:
        yield b"%PDF-1.7 half of"
        raise OSError(28, "No space left on device")

    with nothing_changes():
        with monkeypatch.context() as patched:
            patched.setattr(ContentFile, "chunks", full)
            response = shop.sell(SALE)
        assert error_of(response) == (503, "storage_unavailable", None)
        assert response["Retry-After"] == "30"


@pytest.mark.parametrize("late", ["transactions.services.sales.record", "transactions.services.sales.post_movements"])
def test_a_failure_after_the_pdf_leaves_nothing_behind_and_its_number_to_the_next(
    shop: Shop, nothing_changes: Unchanged, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    _, first = of(shop.sell(SALE))
    free = Ticket.objects.count()

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("lightning")

    with nothing_changes(), monkeypatch.context() as patched:
        patched.setattr(late, fail)
        assert shop.sell(SALE).status_code == 500
    assert Ticket.objects.count() == free
    _, second = of(shop.sell(SALE))
    assert int(second["invoice_number"][-6:]) == int(first["invoice_number"][-6:]) + 1


def test_a_refused_sale_takes_no_number(shop: Shop) -> None:
    of(shop.sell(SALE))
    shop.sell({"type": "SALE", "quantity": 500})
    sale, _ = of(shop.sell(SALE))
    assert sale["transaction_number"].endswith("-000002")


def test_one_sale_leaves_one_line_of_evidence(shop: Shop) -> None:
    before = AuditLog.objects.count()
    response = shop.client_of(shop.driver).post(
        "/api/transactions/",
        {"customer": shop.customer.pk, "items": [{"equipment": shop.cylinder.pk, "type": "SALE", "quantity": 1}]},
        HTTP_X_REQUEST_ID="from-the-app-7",
    )
    sale, invoice = of(response)
    assert AuditLog.objects.count() == before + 1
    evidence = AuditLog.objects.latest("id")
    assert (evidence.action, evidence.entity_id) == ("transactions.sale.recorded", sale["id"])
    assert (evidence.user, evidence.ip_address, evidence.request_id) == (shop.driver, "127.0.0.1", "from-the-app-7")
    assert evidence.after is not None
    assert evidence.after["invoice_number"] == invoice["invoice_number"]
    assert evidence.after["total_amount"] == invoice["total_amount"]


# --- Documents --------------------------------------------------------------------------------------


def test_the_document_can_be_made_again_byte_for_byte(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from invoices.rendering import render_invoice
    from invoices.snapshot import InvoiceSnapshot

    monkeypatch.setattr("invoices.services.issuing.render_invoice", render_invoice)
    metered = MeteredCustomerFactory(name="Golden Wok 金镬 <b>&amp;</b>")
    _, invoice = of(shop.sell(SALE, customer=metered.pk, current_meter="1230.50", remarks="At the back"))
    row = Invoice.objects.get(pk=invoice["id"])
    stored = (Path(settings.MEDIA_ROOT) / row.pdf_path).read_bytes()
    assert render_invoice(InvoiceSnapshot.from_json(row.snapshot)) == stored
    client = shop.client_of(shop.driver)
    assert invoice["pdf_url"] == f"http://testserver/api/invoices/{row.pk}/pdf/"
    assert client.get(f"/api/invoices/{row.pk}/").json() == invoice
    served = client.get(invoice["pdf_url"])
    assert served.content == stored
    assert served["ETag"] == f'"{row.pdf_sha256}"'
    assert served["Content-Type"] == "application/pdf"
    assert served["Content-Disposition"] == f'inline; filename="{row.invoice_number}.pdf"'


def test_a_document_the_client_has_is_not_sent_again(shop: Shop) -> None:
    _, invoice = of(shop.sell(SALE))
    client = shop.client_of(shop.driver)
    response = client.get(invoice["pdf_url"], HTTP_IF_NONE_MATCH=f'"{invoice["pdf_sha256"]}"')
    assert (response.status_code, response.content) == (304, b"")


def test_a_document_that_cannot_be_read_is_a_503(shop: Shop) -> None:
    _, invoice = of(shop.sell(SALE))
    (Path(settings.MEDIA_ROOT) / invoice["pdf_path"]).unlink()
    assert error_of(shop.client_of(shop.driver).get(invoice["pdf_url"])) == (503, "storage_unavailable", None)


def test_the_snapshot_survives_what_becomes_of_the_parties(shop: Shop, settings: Settings) -> None:
    _, invoice = of(shop.sell(SALE))
    before = Invoice.objects.get(pk=invoice["id"]).snapshot
    settings.COMPANY = {**settings.COMPANY, "name": "Renamed Pte. Ltd."}
    shop.client_of(shop.admin).patch(f"/api/customers/{shop.customer.pk}/", {"name": "Renamed"})
    assert Invoice.objects.get(pk=invoice["id"]).snapshot == before


def test_printing_marks_once_and_never_unpays(shop: Shop) -> None:
    client = shop.client_of(shop.driver)
    _, paid = of(shop.sell(SALE, payment_received=True))
    _, owed = of(shop.sell(SALE))
    first = client.post(f"/api/invoices/{owed['id']}/print/").json()
    second = client.post(f"/api/invoices/{owed['id']}/print/").json()
    assert (first["status"], first["printed_at"]) == ("printed", second["printed_at"])
    assert client.post(f"/api/invoices/{paid['id']}/print/").json()["status"] == "paid"


# --- What it costs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("lines", [1, 20])
def test_a_sale_takes_the_same_few_queries_whatever_its_length(shop: Shop, lines: int) -> None:
    equipment = [EquipmentFactory() for _ in range(lines)]
    metered = MeteredCustomerFactory(last_meter_reading="0.00")
    for item in equipment:
        shop.count("vehicle", shop.driver.vehicle_no, 9, equipment_id=item.pk)
    items = [{"type": "SALE", "equipment": item.pk} for item in equipment]
    of(shop.sell(*items, customer=metered.pk, current_meter="1.00"))
    with CaptureQueriesContext(connection) as queries:
        of(shop.sell(*items, customer=metered.pk, current_meter="2.00", client_temp_id="x"))
    # One more reads the user of the token, which the test's client has already. One reads whether the vehicle is active.
    assert len(queries) == 31


@pytest.mark.parametrize(
    ("extra", "more"),
    [
        # the payment, the count that it comes before, what it settles, what was spent from the bag, and its name
        ({"payment_received": True}, 5),
        ({"items": [{"type": "DEPOSIT"}]}, 3),  # the lot, what came into it, and that apps are told
        ({"customer": {"email": "a@example.sg", "email_invoices": True}}, 2),  # the request, and its task
    ],
    ids=["paid on the spot", "deposit", "email"],
)
def test_what_else_a_sale_does_has_its_own_few_queries(shop: Shop, extra: Json, more: int) -> None:
    metered = MeteredCustomerFactory(last_meter_reading="0.00", **extra.get("customer", {}))
    fields = {name: value for name, value in extra.items() if name == "payment_received"}
    items = [SALE, *extra.get("items", [])]
    of(shop.sell(*items, customer=metered.pk, current_meter="1.00", **fields))
    with CaptureQueriesContext(connection) as queries:
        of(shop.sell(*items, customer=metered.pk, current_meter="2.00", client_temp_id="x", **fields))
    assert len(queries) == more + 31


def test_due_date_follows_the_terms(shop: Shop) -> None:
    metered = MeteredCustomerFactory(payment_terms_days=30)
    with time_machine.travel(datetime.fromisoformat("2026-01-20T10:00:00+08:00"), tick=False):
        _, invoice = of(shop.sell(SALE, customer=metered.pk))
    assert invoice["due_on"] == str(date(2026, 2, 19))


def test_a_sale_is_never_changed(shop: Shop) -> None:
    from foundation.ledger.models import LedgerWriteRefused

    of(shop.sell(SALE))
    sale = Transaction.objects.get()
    with pytest.raises(LedgerWriteRefused):
        sale.save()
    with pytest.raises(LedgerWriteRefused):
        sale.delete()
    with pytest.raises(LedgerWriteRefused):
        Transaction.objects.update(total_amount=0)
    with pytest.raises(LedgerWriteRefused):
        sale.items.all().delete()
