"""A document of which something was taken back says so wherever it is printed; as it was issued it stays kept."""

from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from pytest_django import Settings

from foundation.access.capabilities import Role
from invoices.models import Invoice
from tests.admin.pages import logged_in
from tests.conftest import Shop, open_shop
from tests.factories import UserFactory
from tests.transactions.test_void import sold, void
from tests.types import Json

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    """With the real layout."""
    return open_shop()


@pytest.fixture
def sale(shop: Shop) -> Json:
    return sold(shop.sell({"type": "SALE", "quantity": 2}))


def words_of(pdf: bytes) -> str:
    return " ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def pdf_of(shop: Shop, invoice: Json, **asked: str) -> Any:
    return shop.client_of(shop.admin).get(f"/api/invoices/{invoice['id']}/pdf/", asked)


def credit(shop: Shop, invoice: Json) -> Json:
    body = {"reason": "Leaking", "lines": [{"line": 1, "quantity": 1}]}
    note: Json = sold(shop.client_of(shop.admin).post(f"/api/invoices/{invoice['id']}/credit/", body))["invoice"]
    return note


def test_a_voided_invoice_is_stamped_with_its_credit_note(shop: Shop, sale: Json) -> None:
    stored = pdf_of(shop, sale["invoice"])
    assert "VOIDED" not in words_of(stored.content)
    note = sold(void(shop, sale))["invoice"]
    stamped = pdf_of(shop, sale["invoice"])
    assert "VOIDED" in words_of(stamped.content)
    assert f"by {note['invoice_number']}" in words_of(stamped.content)
    assert sale["invoice"]["invoice_number"] in words_of(stamped.content)
    assert stamped["ETag"] != stored["ETag"]
    assert pdf_of(shop, sale["invoice"], copy="as_issued").content == stored.content
    assert "VOIDED" not in words_of(pdf_of(shop, note).content)


def test_a_credited_one_says_what_is_left(shop: Shop, sale: Json) -> None:
    notes = [credit(shop, sale["invoice"])]
    first = pdf_of(shop, sale["invoice"])
    assert "CREDITED IN PART" in words_of(first.content)
    assert f"by {notes[0]['invoice_number']} · S$ 31.06 is left of it" in words_of(first.content)
    notes.append(credit(shop, sale["invoice"]))
    last = pdf_of(shop, sale["invoice"])
    assert f"by {notes[0]['invoice_number']}, {notes[1]['invoice_number']}" in words_of(last.content)
    assert last["ETag"] != first["ETag"]


def rectangles_of(pdf: bytes) -> int:
    contents = [page.get_contents() for page in PdfReader(BytesIO(pdf)).pages]
    return sum(content.get_data().count(b" 1 re") for content in contents if content is not None)


@pytest.mark.parametrize("is_voided", [True, False])
def test_nobody_pays_by_the_code_of_what_was_taken_back(shop: Shop, settings: Settings, *, is_voided: bool) -> None:
    """It says the whole amount."""
    settings.COMPANY = {**settings.COMPANY, "uen": "201912345K"}
    sale = sold(shop.sell({"type": "SALE", "quantity": 2}))
    assert rectangles_of(pdf_of(shop, sale["invoice"]).content) > 100
    if is_voided:
        sold(void(shop, sale))
    else:
        credit(shop, sale["invoice"])
    stamped = pdf_of(shop, sale["invoice"]).content
    assert rectangles_of(stamped) < 10
    assert "Pay with PayNow" in words_of(stamped)
    assert rectangles_of(pdf_of(shop, sale["invoice"], copy="as_issued").content) > 100


def test_what_was_stamped_and_didn_t_change_is_not_sent_again(shop: Shop, sale: Json) -> None:
    sold(void(shop, sale))
    stamped = pdf_of(shop, sale["invoice"])
    assert pdf_of(shop, sale["invoice"]).content == stamped.content
    url = f"/api/invoices/{sale['invoice']['id']}/pdf/"
    assert shop.client_of(shop.admin).get(url, headers={"If-None-Match": stamped["ETag"]}).status_code == 304


def test_a_pile_and_the_office_print_the_stamp(shop: Shop, sale: Json) -> None:
    other = sold(shop.sell({"type": "SALE"}))
    sold(void(shop, sale))
    wanted = [sale["invoice"]["id"], other["invoice"]["id"]]
    pile = shop.client_of(shop.admin).post("/api/invoices/print-batch/", {"invoices": wanted})
    voided, standing = (page.extract_text() for page in PdfReader(BytesIO(pile.content)).pages)
    assert ("VOIDED" in voided, "VOIDED" in standing) == (True, False)
    office = logged_in(UserFactory(role=Role.SUPERVISOR, depot=shop.depot))
    invoice = Invoice.objects.get(pk=sale["invoice"]["id"])
    page = office.get(f"/admin/invoices/invoice/{invoice.pk}/pdf/")
    assert "VOIDED" in words_of(page.content)
