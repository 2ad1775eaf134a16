"""Who may issue a tax invoice, and what one has to name."""

import pytest
from pytest_django import Settings

from audit.models import Confirmation
from invoices.checks import company_can_issue
from invoices.mailing import compose
from invoices.models import Invoice, InvoiceEmail
from invoices.rendering import _context
from invoices.snapshot import InvoiceSnapshot
from tests.conftest import Shop, error_of
from tests.factories import CustomerFactory, EquipmentFactory
from tests.types import Json, Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db


def stocked(shop: Shop, rate: str) -> Json:
    item = EquipmentFactory(default_rate=rate, deposit="2000.00")
    assert shop.count("vehicle", shop.driver.vehicle_no, 5, equipment_id=item.pk).status_code == 200
    return {"equipment": item.pk, "type": "SALE", "quantity": 1}


def test_a_large_tax_invoice_without_an_address_is_asked_about(shop: Shop, nothing_changes: Unchanged) -> None:
    nowhere = CustomerFactory(name="Encik Rahman", address=" ")
    item = stocked(shop, "1000.00")
    with nothing_changes():
        answer = shop.sell(item, customer=nowhere.pk)
        assert error_of(answer) == (409, "address_missing", "customer")
        [asked] = answer.json()["errors"]
        assert (asked["value"], asked["confirmable"]) == ("1090.00", True)
        assert "Encik Rahman has no address" in asked["detail"]
    confirmed = [{"code": "address_missing", "attr": "customer", "value": "1090.00"}]
    assert shop.sell(item, customer=nowhere.pk, confirm=confirmed).status_code == 201
    assert Confirmation.objects.get().confirmed_by == shop.driver


def test_an_address_is_needed_by_large_tax_invoices_alone(shop: Shop, settings: Settings) -> None:
    nowhere = CustomerFactory(address="")
    item, smaller = stocked(shop, "1000.00"), stocked(shop, "917.43")
    # To the cent S$ 1,000 with GST, and a deposit alone, on which there is none.
    assert shop.sell(smaller, customer=nowhere.pk).status_code == 201
    assert shop.sell({**item, "type": "DEPOSIT"}, customer=nowhere.pk).status_code == 201
    assert shop.sell(item).status_code == 201
    settings.COMPANY_GST_REGISTERED = False
    assert shop.sell(item, customer=nowhere.pk).status_code == 201


def test_pushed_it_stands_and_is_flagged(shop: Shop) -> None:
    nowhere = CustomerFactory(address="")
    data = {"customer": nowhere.pk, "items": [stocked(shop, "1000.00")]}
    operation = {"type": "transaction.create", "client_temp_id": "a", "data": data}
    answer = shop.client_of(shop.driver).post("/api/sync/push/", {"operations": [operation]}).json()
    assert answer["results"][0]["status"] == "created"
    flagged = Confirmation.objects.get(entity_id=Transaction.objects.latest("id").pk)
    assert (flagged.code, flagged.confirmed_by) == ("address_missing", None)


def test_a_company_that_is_not_registered_charges_no_gst_and_names_none(shop: Shop, settings: Settings) -> None:
    settings.COMPANY_GST_REGISTERED = False
    settings.COMPANY = {**settings.COMPANY, "gst_registration_no": ""}
    shop.customer.gst_registration_no, shop.customer.email = "M90312345A", "site@example.sg"
    shop.customer.save()
    answer = shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}).json()["invoice"]
    assert (answer["gst_rate"], answer["gst_amount"]) == ("0.00", "0.00")
    invoice = Invoice.objects.get(pk=answer["id"])
    said = _context(InvoiceSnapshot.from_json(invoice.snapshot))
    assert said["title"] == "Invoice"
    assert "GST" not in str(said)
    assert "tax invoice" not in str(said).lower()
    shop.client_of(shop.admin).post(f"/api/invoices/{invoice.pk}/email/", {})
    message = compose(InvoiceEmail.objects.get())
    assert message.subject.startswith("Invoice INV-")
    assert "GST" not in message.body
    pulled = shop.client_of(shop.driver).get("/api/sync/pull/").json()["gst_rates"]
    assert {row["rate"] for row in pulled} == {"0.00"}
    credit = shop.client_of(shop.admin).post(
        f"/api/invoices/{invoice.pk}/credit/", {"reason": "Too much", "lines": [{"line": 1, "amount": "1.00"}]}
    )
    note = Invoice.objects.get(pk=credit.json()["invoice"]["id"])
    said = _context(InvoiceSnapshot.from_json(note.snapshot))
    assert f"credits a part of invoice {invoice.invoice_number}" in str(said)
    assert "GST" not in str(said)


def test_who_is_registered_issues_tax_invoices(shop: Shop) -> None:
    invoice = Invoice.objects.get(pk=shop.sell({"type": "SALE"}).json()["invoice"]["id"])
    said = _context(InvoiceSnapshot.from_json(invoice.snapshot))
    assert said["title"] == "Tax Invoice"
    assert invoice.gst_rate == 9
    assert "GST 9% on" in str(said["sum_labels"])


@pytest.mark.parametrize(
    ("company", "registered", "ids"),
    [
        ({}, True, []),
        ({"name": " "}, True, ["invoices.E001"]),
        ({"address": ""}, True, ["invoices.E001"]),
        ({"uen": ""}, True, ["invoices.E001"]),
        ({"uen": "201992345D"}, True, ["invoices.E002"]),
        ({"gst_registration_no": ""}, True, ["invoices.E003"]),
        ({"gst_registration_no": "GST"}, True, ["invoices.E004"]),
        ({"gst_registration_no": ""}, False, []),
    ],
)
def test_a_deployment_says_who_issues_its_documents(
    settings: Settings, company: Json, registered: bool, ids: list[str]
) -> None:
    whole = {"name": "HSH", "address": "18 Tuas", "uen": "201992345C", "gst_registration_no": "M90312345A"}
    settings.COMPANY, settings.COMPANY_GST_REGISTERED = {**settings.COMPANY, **whole, **company}, registered
    assert [each.id for each in company_can_issue()] == ids
