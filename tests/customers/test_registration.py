"""A customer's UEN and GST registration number: refused where nobody can have them, and stored in one form."""

import pytest

from audit.models import AuditLog
from customers.models import Customer
from foundation.registration import as_gst_number, as_uen
from tests.admin.pages import errors_of, form_of, logged_in, url
from tests.conftest import Shop, error_of
from tests.factories import CustomerFactory
from tests.types import Unchanged

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("53912345E", "53912345E"),
        ("201992345c", "201992345C"),
        (" 2019 92345-C ", "201992345C"),
        ("T03-MC-9021-B", "T03MC9021B"),
        ("", ""),
        ("-", ""),
    ],
)
def test_a_uen_is_stored_in_one_form(sent: str, stored: str) -> None:
    assert as_uen(sent) == (stored, "")


@pytest.mark.parametrize(
    "sent",
    ["201992345D", "53912345", "201992345", "T03ZZ9021B", "999992345C", "５３９１２３４５E", "ABC", "2019923450"],
)
def test_no_such_uen_is_taken(sent: str) -> None:
    assert "is no UEN" in as_uen(sent).wrong


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("M2-1234567-8", "M212345678"),
        ("mr-1234567-8", "MR12345678"),
        ("M90312345A", "M90312345A"),
        ("20-0312345-6", "2003123456"),
        ("201992345c", "201992345C"),
        ("", ""),
    ],
)
def test_a_gst_number_is_a_uen_or_has_a_form_of_its_own(sent: str, stored: str) -> None:
    assert as_gst_number(sent) == (stored, "")


@pytest.mark.parametrize("sent", ["201992345D", "M2-123456-8", "GST", "M2-1234567-89", "X2-1234567-8"])
def test_no_such_gst_number_is_taken(sent: str) -> None:
    assert "is no GST registration number" in as_gst_number(sent).wrong


@pytest.mark.parametrize("name", ["uen", "gst_registration_no"])
def test_the_api_refuses_and_normalises(shop: Shop, nothing_changes: Unchanged, name: str) -> None:
    client = shop.client_of(shop.admin)
    with nothing_changes():
        refused = client.post("/api/customers/", {"name": "New", name: "201992345D"})
        assert error_of(refused) == (400, "invalid", name)
        assert refused.json()["errors"][0]["detail"].startswith("201992345D is no ")
    made = client.post("/api/customers/", {"name": "New", name: "2019-92345c"})
    assert made.json()[name] == "201992345C"


@pytest.mark.parametrize("name", ["uen", "gst_registration_no"])
def test_an_old_row_that_is_wrong_is_read_and_edited(shop: Shop, name: str) -> None:
    old = CustomerFactory(**{name: "old-1"})
    client = shop.client_of(shop.admin)
    target = f"/api/customers/{old.pk}/"
    read = client.get(target).json()
    assert read[name] == "old-1"
    assert client.patch(target, {"phone": "6123 4567"}).status_code == 200
    assert client.patch(target, {"phone": "6123 4568", name: "old-1"}).json()[name] == "old-1"
    assert error_of(client.patch(target, {name: "old-2"})) == (400, "invalid", name)
    office, page = logged_in(shop.admin), url("customers.customer", "change", old.pk)
    sent = {**form_of(office, page), "address": "1 Somewhere", "_save": "Save", "once": "a" * 32}
    assert office.post(page, sent).status_code == 302
    old.refresh_from_db()
    assert (old.address, getattr(old, name)) == ("1 Somewhere", "old-1")
    answer = office.post(page, {**form_of(office, page), name: "old-2", "_save": "Save", "once": "b" * 32})
    assert "old-2 is no " in errors_of(answer)[name][0]
    sent = {**form_of(office, page), name: "2019 92345-c", "_save": "Save", "once": "c" * 32}
    assert office.post(page, sent).status_code == 302
    old.refresh_from_db()
    assert getattr(old, name) == "201992345C"
    assert (AuditLog.objects.latest("id").after or {})[name] == "201992345C"
    assert Customer.objects.filter(**{name: "old-1"}).count() == 0
