"""A document about something unlikely isn't emailed before somebody in the office has released it."""

from typing import Any

import pytest

from accounts.models import User
from audit.models import AuditLog
from customers.models import Customer
from foundation.access.capabilities import Role
from invoices.models import EmailHold, Invoice, InvoiceEmail
from invoices.services import sweep_emails
from invoices.services.emails import claim_email
from tests.admin.pages import logged_in, url
from tests.conftest import Shop, error_of, to_confirm
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

LINE = {"type": "SALE", "quantity": 60}


@pytest.fixture
def supervisor(shop: Shop) -> User:
    return UserFactory(role=Role.SUPERVISOR, depot=shop.depot)


@pytest.fixture
def held(shop: Shop) -> Invoice:
    """Confirmed by who sold it, and wanted by email."""
    assert shop.count("vehicle", shop.driver.vehicle_no, 200).status_code == 200
    Customer.objects.filter(pk=shop.customer.pk).update(email="site@example.sg", email_invoices=True)
    sold = shop.sell(LINE, confirm=to_confirm(shop.sell(LINE)))
    return Invoice.objects.get(pk=sold.json()["invoice"]["id"])


def release(shop: Shop, invoice: Invoice, by: User, **body: str) -> Any:
    return shop.client_of(by).post(f"/api/invoices/{invoice.pk}/release/", body)


def test_its_request_waits_until_it_is_released(shop: Shop, held: Invoice, supervisor: User) -> None:
    waiting = InvoiceEmail.objects.get()
    assert (waiting.status, waiting.next_try_at) == ("HELD", None)
    assert claim_email(email_id=waiting.pk) is None
    assert sweep_emails() == 0

    assert release(shop, held, supervisor, remarks="Asked the customer").status_code == 200
    hold = EmailHold.objects.get()
    assert (hold.released_by, hold.remarks) == (supervisor, "Asked the customer")
    assert hold.because == "60 × " + shop.cylinder.sku + " are more than 50 in one line."
    waiting.refresh_from_db()
    assert waiting.status == "QUEUED"
    assert waiting.next_try_at == hold.released_at
    assert claim_email(email_id=waiting.pk) is not None
    record = AuditLog.objects.get(action="invoices.email.released")
    assert (record.user, record.entity_id, record.reason) == (supervisor, held.pk, "Asked the customer")
    assert (record.before, record.after) == ({"held_because": hold.because}, {"emails": [waiting.pk]})


def test_a_document_with_an_unlikely_price_waits_as_well(shop: Shop) -> None:
    Customer.objects.filter(pk=shop.customer.pk).update(email="site@example.sg", email_invoices=True)
    line = {"type": "SALE", "rate": "10.00"}
    assert shop.sell(line, by=shop.admin, confirm=to_confirm(shop.sell(line, by=shop.admin))).status_code == 201
    assert InvoiceEmail.objects.get().status == "HELD"


def test_who_asks_for_it_meanwhile_waits_too_and_once(shop: Shop, held: Invoice) -> None:
    client = shop.client_of(shop.admin)
    first = client.post(f"/api/invoices/{held.pk}/email/", {"to": "boss@example.sg"})
    again = client.post(f"/api/invoices/{held.pk}/email/", {"to": "boss@example.sg"})
    assert (first.status_code, first.json()["status"], again.json()["id"]) == (202, "HELD", first.json()["id"])
    release(shop, held, shop.admin)
    assert {email.status for email in InvoiceEmail.objects.all()} == {"QUEUED"}
    assert client.post(f"/api/invoices/{held.pk}/email/", {"to": "third@example.sg"}).json()["status"] == "QUEUED"


def test_it_is_released_once_and_only_what_is_held(shop: Shop, held: Invoice) -> None:
    assert release(shop, held, shop.admin).status_code == 200
    assert error_of(release(shop, held, shop.admin)) == (409, "not_held", None)
    plain = Invoice.objects.get(pk=shop.sell({"type": "SALE"}).json()["invoice"]["id"])
    assert error_of(release(shop, plain, shop.admin)) == (409, "not_held", None)
    assert plain.emails.get().status == "QUEUED"


def test_it_takes_the_right_to_release(shop: Shop, held: Invoice) -> None:
    elsewhere = UserFactory(role=Role.SUPERVISOR)
    assert release(shop, held, shop.driver).status_code == 403
    assert release(shop, held, elsewhere).status_code == 404
    assert EmailHold.objects.get().released_at is None


def test_held_ones_are_listed(shop: Shop, held: Invoice) -> None:
    shop.sell({"type": "SALE"})
    assert list(Invoice.objects.held()) == [held]
    release(shop, held, shop.admin)
    assert not Invoice.objects.held().exists()


def test_what_takes_a_held_document_back_is_held_with_it(shop: Shop, held: Invoice) -> None:
    """Who never got the invoice isn't told of its end."""
    sale = held.transaction.pk
    void = shop.client_of(shop.admin).post(f"/api/transactions/{sale}/void/", {"reason": "60 was 6"})
    note = Invoice.objects.get(pk=void.json()["invoice"]["id"])
    assert [email.status for email in note.emails.all()] == ["HELD"]
    assert EmailHold.objects.get(invoice=note).because == EmailHold.objects.get(invoice=held).because


def test_what_takes_a_released_one_back_goes_out(shop: Shop, held: Invoice) -> None:
    release(shop, held, shop.admin)
    void = shop.client_of(shop.admin).post(f"/api/transactions/{held.transaction.pk}/void/", {"reason": "60 was 6"})
    assert InvoiceEmail.objects.get(invoice=void.json()["invoice"]["id"]).status == "QUEUED"


def test_the_office_shows_it_and_releases_it(shop: Shop, held: Invoice) -> None:
    client = logged_in(shop.admin)
    page = client.get(url(Invoice, "change", held.pk)).content.decode()
    assert "Held" in page
    assert page.count("are more than 50 in one line.") == 2  # what was asked, and why it is held
    assert "?held=yes" in client.get(url(Invoice)).content.decode()
    assert "invoice to be released" in client.get("/admin/").content.decode()
    action = {"action": "release", "_selected_action": [held.pk], "once": "a" * 32}
    asked = client.post(url(Invoice), action).content.decode()
    assert "are more than 50 in one line." in asked
    client.post(url(Invoice), {**action, "_answered": "1", "remarks": "Right"})
    assert EmailHold.objects.get().remarks == "Right"
    assert "Released" in client.get(url(Invoice, "change", held.pk)).content.decode()
