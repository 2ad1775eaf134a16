"""Money that settles invoices: in whole, in part, too much, and taken back."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from foundation import clock
from foundation.access.capabilities import Role
from invoices.models import Invoice
from payments.models import Allocation, Payment
from tests.conftest import Shop, error_of
from tests.factories import CustomerFactory, DepotFactory, UserFactory
from tests.types import Answer, Json, Unchanged

pytestmark = pytest.mark.django_db


def invoice_of(shop: Shop, quantity: int = 1, **more: Any) -> Json:
    """31.07 for one cylinder, with GST."""
    response = shop.sell({"type": "SALE", "quantity": quantity}, **more)
    assert response.status_code == 201, response.json()
    invoice: Json = response.json()["invoice"]
    return invoice


def pay(shop: Shop, invoice: Json, by: User | None = None, **body: Any) -> Answer:
    return shop.client_of(by or shop.admin).post(f"/api/invoices/{invoice['id']}/pay/", body)


def record(shop: Shop, amount: object, by: User | None = None, **body: Any) -> Answer:
    body = {"customer": shop.customer.pk, "method": "BANK_TRANSFER", "amount": amount, **body}
    return shop.client_of(by or shop.admin).post("/api/payments/", body)


def shares(*parts: tuple[Json, str]) -> list[Json]:
    return [{"invoice": invoice["id"], "amount": amount} for invoice, amount in parts]


def read(shop: Shop, invoice: Json) -> Json:
    answer: Json = shop.client_of(shop.admin).get(f"/api/invoices/{invoice['id']}/").json()
    return answer


def test_paying_settles_the_invoice_and_keeps_how(shop: Shop) -> None:
    invoice = invoice_of(shop)
    paid = pay(shop, invoice, method="CHEQUE", reference="DBS 004412").json()
    assert (paid["status"], paid["outstanding_amount"]) == ("paid", "0.00")
    [payment] = shop.client_of(shop.admin).get("/api/payments/").json()["results"]
    assert (payment["method"], payment["reference"], payment["amount"]) == ("CHEQUE", "DBS 004412", "31.07")
    assert [part["invoice_number"] for part in payment["allocations"]] == [invoice["invoice_number"]]


def test_an_invoice_is_paid_when_its_last_cent_is(shop: Shop) -> None:
    invoice = invoice_of(shop)
    part = pay(shop, invoice, amount="31.06").json()
    assert (part["status"], part["settled_amount"], part["outstanding_amount"]) == ("generated", "31.06", "0.01")
    assert pay(shop, invoice, amount="0.01").json()["status"] == "paid"


def test_paying_twice_is_refused(shop: Shop, nothing_changes: Unchanged) -> None:
    invoice = invoice_of(shop)
    pay(shop, invoice)
    with nothing_changes():
        assert error_of(pay(shop, invoice)) == (409, "already_paid", None)


def test_a_sale_paid_on_the_spot_has_its_cash_payment(shop: Shop) -> None:
    invoice = invoice_of(shop, payment_received=True)
    [payment] = Payment.objects.all()
    assert (payment.method, payment.amount, payment.user) == ("CASH", Decimal("31.07"), shop.driver)
    assert payment.is_on_the_spot
    assert (invoice["status"], invoice["outstanding_amount"]) == ("paid", "0.00")
    assert Allocation.objects.get().amount == Decimal("31.07")


def test_one_payment_settles_several_invoices_and_the_rest_is_credit(shop: Shop) -> None:
    first, second = invoice_of(shop), invoice_of(shop, 2)
    payment = record(shop, "100.00", allocations=shares((first, "31.07"), (second, "60.00"))).json()
    assert (payment["allocated_amount"], payment["credit_amount"]) == ("91.07", "8.93")
    assert read(shop, first)["status"] == "paid"
    assert read(shop, second)["outstanding_amount"] == "2.13"
    settled = shop.client_of(shop.admin).post(f"/api/payments/{payment['id']}/allocate/", {}).json()
    assert settled["credit_amount"] == "6.80"
    assert read(shop, second)["status"] == "paid"


def test_without_a_choice_the_oldest_are_settled_first(shop: Shop) -> None:
    first, second = invoice_of(shop), invoice_of(shop)
    record(shop, "40.00")
    assert read(shop, first)["outstanding_amount"] == "0.00"
    assert read(shop, second)["outstanding_amount"] == "22.14"


def test_overpayment_is_kept(shop: Shop) -> None:
    payment = record(shop, "5.00").json()
    assert payment["credit_amount"] == "5.00"
    found = shop.client_of(shop.admin).get("/api/payments/?has_credit=true").json()["results"]
    assert [row["id"] for row in found] == [payment["id"]]


def test_a_reversal_opens_what_was_settled(shop: Shop) -> None:
    invoice = invoice_of(shop)
    payment = record(shop, "50.00").json()
    assert read(shop, invoice)["status"] == "paid"
    reverse = f"/api/payments/{payment['id']}/reverse/"
    answer = shop.client_of(shop.admin).post(reverse, {"reason": "Cheque bounced"})
    assert answer.status_code == 201
    reversal = answer.json()
    assert (reversal["amount"], reversal["reverses"]) == ("-50.00", payment["id"])
    opened = read(shop, invoice)
    assert (opened["status"], opened["outstanding_amount"], opened["paid_at"]) == ("generated", "31.07", None)
    assert not shop.client_of(shop.admin).get("/api/payments/?has_credit=true").json()["results"]
    for pk in (payment["id"], reversal["id"]):
        again = shop.client_of(shop.admin).post(f"/api/payments/{pk}/reverse/", {"reason": "Again"})
        assert error_of(again) == (409, "already_reversed", None)
    refused = shop.client_of(shop.admin).post(f"/api/payments/{payment['id']}/allocate/", {})
    assert error_of(refused) == (409, "already_reversed", None)
    assert pay(shop, invoice).json()["status"] == "paid"


def test_a_printed_invoice_is_printed_again_after_a_reversal(shop: Shop) -> None:
    invoice = invoice_of(shop)
    shop.client_of(shop.admin).post(f"/api/invoices/{invoice['id']}/print/")
    pay(shop, invoice)
    [payment] = shop.client_of(shop.admin).get("/api/payments/").json()["results"]
    shop.client_of(shop.admin).post(f"/api/payments/{payment['id']}/reverse/", {"reason": "Wrong invoice"})
    assert read(shop, invoice)["status"] == "printed"


def test_a_credit_note_is_paid_out(shop: Shop) -> None:
    shop.count("customer", shop.customer.pk, 1)
    refund = shop.sell({"type": "RETURN"}).json()["invoice"]
    assert (refund["kind"], refund["outstanding_amount"]) == ("CREDIT_NOTE", "-60.00")
    paid = pay(shop, refund, method="CASH").json()
    assert (paid["status"], paid["outstanding_amount"]) == ("paid", "0.00")
    assert Payment.objects.get().amount == Decimal("-60.00")


def test_what_cannot_be_settled_so_is_refused(shop: Shop, nothing_changes: Unchanged) -> None:
    mine, others = invoice_of(shop), invoice_of(shop, customer=CustomerFactory().pk)
    with nothing_changes():
        over = record(shop, "99.00", allocations=shares((mine, "31.08")))
        assert error_of(over) == (409, "exceeds_outstanding", "allocations.0.amount")
        more = record(shop, "10.00", allocations=shares((mine, "10.01")))
        assert error_of(more) == (409, "exceeds_credit", "allocations")
        foreign = record(shop, "10.00", allocations=shares((others, "1.00")))
        assert error_of(foreign) == (400, "does_not_exist", "allocations.0.invoice")
        twice = record(shop, "10.00", allocations=shares((mine, "1.00"), (mine, "1.00")))
        assert error_of(twice) == (400, "invalid", "allocations")
        tomorrow = str(clock.business_date(clock.now()) + timedelta(days=1))
        assert error_of(record(shop, "1.00", received_on=tomorrow)) == (400, "invalid", "received_on")
        assert error_of(pay(shop, mine, amount="31.08")) == (409, "exceeds_outstanding", "amount")
        for amount in ("0.00", "-1.00", "1.001", "NaN", "1e3", "", None, True, "99999999999.00"):
            assert record(shop, amount).status_code == 400, amount


def test_the_same_payment_sent_again_is_recorded_once(shop: Shop) -> None:
    invoice_of(shop)
    first = record(shop, "31.07", client_temp_id="p-1")
    second = record(shop, "31.07", client_temp_id="p-1")
    assert (first.status_code, second.status_code, second["Idempotent-Replayed"]) == (201, 200, "true")
    assert first.json() == second.json()
    assert error_of(record(shop, "31.08", client_temp_id="p-1")) == (409, "idempotency_conflict", "client_temp_id")


def test_a_driver_settles_own_invoices_only(shop: Shop, nothing_changes: Unchanged) -> None:
    theirs = invoice_of(shop, by=shop.admin)
    with nothing_changes():
        assert pay(shop, theirs, by=shop.driver).status_code == 404
        named = record(shop, "1.00", by=shop.driver, allocations=shares((theirs, "1.00")))
        assert error_of(named) == (400, "does_not_exist", "allocations.0.invoice")
    taken = record(shop, "31.07", by=shop.driver).json()
    assert taken["credit_amount"] == "31.07"


def test_only_the_office_reverses(shop: Shop, nothing_changes: Unchanged) -> None:
    invoice = invoice_of(shop)
    pay(shop, invoice, by=shop.driver)
    payment = Payment.objects.get()
    url = f"/api/payments/{payment.pk}/reverse/"
    stranger = UserFactory(role=Role.SUPERVISOR, depot=DepotFactory())
    supervisor = UserFactory(role=Role.SUPERVISOR, depot=shop.depot)
    with nothing_changes():
        assert shop.client_of(shop.driver).post(url, {"reason": "x"}).status_code == 403
        assert shop.client_of(stranger).post(url, {"reason": "x"}).status_code == 404
        assert error_of(shop.client_of(supervisor).post(url, {"reason": ""})) == (400, "blank", "reason")
    reversal = shop.client_of(supervisor).post(url, {"reason": "x"}).json()
    assert Payment.objects.get(reverses=payment).pk == reversal["id"]


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_payment_is_never_changed(shop: Shop, nothing_changes: Unchanged, method: str) -> None:
    payment = record(shop, "5.00").json()
    with nothing_changes():
        response = getattr(shop.client_of(shop.admin), method)(f"/api/payments/{payment['id']}/", {"amount": "6.00"})
    assert error_of(response) == (405, "method_not_allowed", None)


def test_open_invoices_are_found(shop: Shop) -> None:
    paid, owed = invoice_of(shop, payment_received=True), invoice_of(shop)
    found = shop.client_of(shop.admin).get("/api/invoices/?is_open=true").json()["results"]
    assert [row["id"] for row in found] == [owed["id"]]
    assert Invoice.objects.get(pk=paid["id"]).settled_on is not None
