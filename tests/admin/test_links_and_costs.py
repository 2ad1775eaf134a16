"""Where the office's pages lead, for each role, and what they cost the database."""

import html
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from foundation.access.capabilities import Role
from inventory.models import Inventory, Location, LocationKind
from invoices.models import Invoice
from tests.admin.pages import MODELS, logged_in, messages_of, url
from tests.conftest import Shop
from tests.factories import CustomerFactory, DepotFactory, DriverFactory, EquipmentFactory, UserFactory
from transactions.models import Transaction

pytestmark = pytest.mark.django_db


def _links(page: str) -> set[str]:
    found = {html.unescape(link).partition("#")[0] for link in re.findall(r'href="(/admin/[^"]*)"', page)}
    return {link.partition("_changelist_filters")[0].rstrip("?&") for link in found}


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPERVISOR, Role.DEPOT_STAFF, Role.ACCOUNTS, Role.AUDITOR])
def test_every_link_opens_for_whoever_sees_it(office: Shop, role: Role) -> None:
    stranger = DriverFactory()
    office.count("vehicle", stranger.vehicle_no, 5)
    office.sell({"type": "SALE"}, by=stranger)
    client = logged_in(UserFactory(role=role, depot=office.depot))
    todo, seen, dead = ["/admin/"], {"/admin/"}, []
    while todo:
        address = todo.pop()
        response = client.get(address)
        if response.status_code != 200:
            dead.append((address, response.status_code))
        elif response["Content-Type"].startswith("text/html"):
            new = _links(response.content.decode()) - seen
            seen |= new
            todo += new
    assert dead == []
    # The crawl got around: it isn't green because it saw nothing.
    assert len(seen) > 30


def test_lists_cost_the_same_whatever_their_length(office: Shop) -> None:
    client = logged_in(office.admin)

    def cost() -> dict[str, int]:
        found = {}
        for model in MODELS:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url(model)).status_code == 200
            found[model._meta.label_lower] = len(queries)
        return found

    before = cost()
    for _ in range(5):
        driver = DriverFactory(depot=DepotFactory())
        office.count("vehicle", driver.vehicle_no, 9)
        office.sell({"type": "SALE"}, by=driver, customer=CustomerFactory().pk)
        office.draft({"direction": "OUT"}, by=driver)
        EquipmentFactory()
    assert cost() == before
    # What a movement names is read after the page (see `StockMovementQuerySet.with_ends`).
    assert before.pop("inventory.stockmovement") <= 15
    assert max(before.values()) <= 10


def test_any_words_can_be_searched_for(office: Shop) -> None:
    client = logged_in(office.admin)
    for model in MODELS:
        for words in ("٣", "9" * 30, "%", "a'b\"", "-1"):
            assert client.get(url(model), {"q": words}).status_code == 200, (model, words)


def test_no_filter_breaks_a_list(office: Shop) -> None:
    client = logged_in(office.admin)
    for filters in (
        {"entity_id": "abc"},
        {"entity_id": "9" * 30},
        {"date__year": "99999"},
        {"date__year": "2026", "date__month": "13"},
        {"state": "x"},
        {"at": "x"},
        {"user__password__startswith": "p"},
    ):
        for model in MODELS:
            assert client.get(url(model), filters).status_code in (200, 302, 400), (model, filters)


def test_a_password_cannot_be_guessed_by_filtering(office: Shop) -> None:
    client = logged_in(office.admin)
    for label in ("transactions.transaction", "audit.auditlog"):
        assert client.get(url(label), {"user__password__startswith": "md5"}).status_code == 400


def test_a_balance_leads_to_the_movements_of_its_place_alone(office: Shop) -> None:
    vehicle = Location.objects.get(vehicle_no=office.driver.vehicle_no)
    client = logged_in(office.admin)
    balance = Inventory.objects.get(location=vehicle, condition="FULL")
    page = client.get(url("inventory.inventory", "change", balance.pk)).content.decode()
    [link] = [link for link in _links(page) if "stockmovement" in link]
    seen = client.get(link).context["cl"].queryset
    assert seen.count() == 5  # counted, loaded, sold twice, passed on
    assert all(vehicle in (row.from_location, row.to_location) for row in seen)


def test_a_place_that_one_does_not_see_shows_no_movements(office: Shop) -> None:
    outside = Location.objects.get(kind=LocationKind.OUTSIDE)
    client = logged_in(UserFactory(role=Role.SUPERVISOR, depot=office.depot))
    assert client.get(url("inventory.stockmovement"), {"at": outside.pk}).context["cl"].result_count == 0


def test_a_sale_says_whether_it_was_reversed(office: Shop) -> None:
    client = logged_in(office.admin)
    sale = Transaction.objects.earliest("pk")
    assert "badge-good" in client.get(url("transactions.transaction", "change", sale.pk)).content.decode()
    for state, count in (("COMPLETED", 3), ("VOIDED", 0), ("REVERSAL", 0)):
        assert client.get(url("transactions.transaction"), {"state": state}).context["cl"].result_count == count
    last = Transaction.objects.get(current_meter_reading=None)
    voided = office.client_of(office.admin).post(f"/api/transactions/{last.pk}/void/", {"reason": "Wrong"}).json()
    for state, shown in (("VOIDED", last.pk), ("REVERSAL", voided["transaction"]["id"])):
        page = client.get(url("transactions.transaction"), {"state": state})
        assert [sale.pk for sale in page.context["cl"].result_list] == [shown]
    assert client.get(url("transactions.transaction"), {"state": "COMPLETED"}).context["cl"].result_count == 2


def test_an_invoice_without_its_file_says_so_on_its_page(office: Shop, settings: Settings) -> None:
    invoice = Invoice.objects.earliest("pk")
    settings.MEDIA_ROOT = "/nonexistent"
    response = logged_in(office.admin).get(url("invoices.invoice", "pdf", invoice.pk), follow=True)
    assert response.redirect_chain == [(url("invoices.invoice", "change", invoice.pk), 302)]
    assert len(messages_of(response)) == 1


def test_the_front_page_is_grouped_and_shows_each_role_its_own(office: Shop) -> None:
    def groups(client: Client) -> list[str]:
        return [group["name"] for group in client.get("/admin/").context["app_list"]]

    everything = [
        "Sales and invoices",
        "Cylinders",
        "Reports",
        "Master data",
        "People and evidence",
        "Behind the scenes",
    ]
    assert groups(logged_in(office.admin)) == everything
    staff = UserFactory(role=Role.DEPOT_STAFF, depot=office.depot)
    assert groups(logged_in(staff)) == ["Cylinders", "Reports", "Master data"]
