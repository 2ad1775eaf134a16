"""The office: what each role sees and does in Django admin."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from accounts.models import User
from audit.models import AuditLog
from customers.models import Customer, CustomerRate, MeterRate
from depots.models import Depot
from distribution.models import Distribution
from equipment.models import EquipmentPrice
from foundation.access.capabilities import Role
from inventory.models import Inventory, StockMovement
from tests.admin.pages import MODELS, errors_of, form_of, logged_in, messages_of, send_confirmed, url
from tests.conftest import Shop
from tests.factories import PASSWORD, CustomerFactory, DriverFactory, UserFactory
from tests.types import Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

LEDGERS = ("audit.auditlog", "audit.auditseal", "inventory.stockmovement", "transactions.transaction", "invoices.invoice",
           "distribution.distribution", "sequences.sequence", "sequences.ticket", "core.clientoperation",
           "inventory.location", "customers.customerrate", "customers.meterrate", "equipment.equipmentprice", "sync.feed", "sync.feedentry")  # fmt: skip
SCOPED = ("audit.auditlog", "sync.syncconflict", "inventory.inventory", "inventory.location", "inventory.stockmovement",
          "distribution.distribution", "transactions.transaction", "invoices.invoice")  # fmt: skip


def test_every_list_and_page_opens(office: Shop) -> None:
    client = logged_in(office.admin)
    for model in MODELS:
        row = model._default_manager.latest("pk")
        for address in (url(model), f"{url(model)}?q=a", url(model, "change", row.pk)):
            assert client.get(address).status_code == 200, address


def test_ledgers_can_be_read_only(office: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(office.admin)
    with nothing_changes():
        for model in MODELS:
            if (label := model._meta.label_lower) in LEDGERS:
                row = model._default_manager.latest("pk")
                assert client.get(url(label, "add")).status_code == 403, label
                assert client.post(url(label, "add"), {}).status_code == 403, label
                assert client.post(url(label, "change", row.pk), {"quantity": 1}).status_code == 403, label
                assert client.post(url(label, "delete", row.pk), {"post": "yes"}).status_code == 403, label


def test_nothing_can_be_deleted(office: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(office.admin)
    with nothing_changes():
        for model in MODELS:
            row = model._default_manager.latest("pk")
            assert client.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403, model
            client.post(url(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})


def test_tokens_and_groups_are_not_in_the_office() -> None:
    assert not {model._meta.label for model in admin.site._registry} & {
        "token_blacklist.OutstandingToken", "token_blacklist.BlacklistedToken", "auth.Group",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("role", "gets_in"),
    [
        ("ADMIN", True),
        ("SUPERVISOR", True),
        ("DEPOT_STAFF", True),
        ("SALES", False),
        ("DRIVER", False),
        ("ACCOUNTS", True),
        ("AUDITOR", True),
    ],
)
def test_who_gets_in(role: Role, gets_in: bool) -> None:
    user = UserFactory(role=role)
    client = Client()
    response = client.post("/admin/login/?next=/admin/", {"username": user.username, "password": PASSWORD})
    assert (response.status_code == 302) is gets_in
    assert (client.get("/admin/").status_code == 200) is gets_in


def test_a_supervisor_sees_their_depots_rows_and_changes_no_master_data(office: Shop) -> None:
    stranger = DriverFactory()
    office.count("vehicle", stranger.vehicle_no, 5)
    office.sell({"type": "SALE"}, by=stranger)
    foreign = Transaction.objects.get(user=stranger)
    client = logged_in(UserFactory(role=Role.SUPERVISOR, depot=office.depot))
    seen = client.get(url("transactions.transaction")).content.decode()
    assert foreign.transaction_number not in seen
    assert Transaction.objects.earliest("pk").transaction_number in seen
    assert client.get(url("transactions.transaction", "change", foreign.pk)).status_code == 302
    assert client.get(url("invoices.invoice", "pdf", foreign.invoice_id)).status_code == 404
    assert client.get(url("accounts.user")).status_code == 403
    assert client.get(url("depots.depot", "change", office.depot.pk)).status_code == 200
    assert client.post(url("depots.depot", "change", office.depot.pk), {"code": "X", "name": "X"}).status_code == 403


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.DEPOT_STAFF])
def test_lists_and_pages_are_those_of_the_readers_depot(office: Shop, role: Role) -> None:
    stranger = DriverFactory()
    office.count("vehicle", stranger.vehicle_no, 5)
    office.count("depot", stranger.depot_id, 5)
    office.sell({"type": "SALE"}, by=stranger)
    office.draft({"direction": "OUT"}, by=stranger, depot=stranger.depot_id)
    office.client_of(stranger).post("/api/sync/push/", {"operations": ["nonsense"]})
    user = UserFactory(role=role, depot=office.depot)
    client = logged_in(user)
    opened = set()
    for label in SCOPED:
        model: Any = next(model for model in MODELS if model._meta.label_lower == label)
        visible = set(model.objects.visible_to(user).values_list("pk", flat=True))
        hidden = set(model.objects.values_list("pk", flat=True)) - visible
        assert hidden, label
        response = client.get(url(label))
        if response.status_code == 403:
            assert not visible, label
            continue
        opened.add(label)
        assert {row.pk for row in response.context["cl"].queryset} == visible, label
        assert all(client.get(url(label, "change", pk)).status_code == 302 for pk in hidden), label
    sales = {"transactions.transaction", "invoices.invoice", "audit.auditlog", "sync.syncconflict"}
    assert opened == {*SCOPED} - (sales if role == Role.DEPOT_STAFF else set())


def test_depot_staff_see_no_sales(office: Shop) -> None:
    client = logged_in(UserFactory(role=Role.DEPOT_STAFF, depot=office.depot))
    for label in ("transactions.transaction", "invoices.invoice", "audit.auditlog"):
        assert client.get(url(label)).status_code == 403
    assert client.get(url("distribution.distribution")).status_code == 200


def test_a_sale_leads_to_all_that_belongs_to_it(office: Shop) -> None:
    client = logged_in(office.admin)
    sale = Transaction.objects.earliest("pk")
    page = client.get(url("transactions.transaction", "change", sale.pk)).content.decode()
    assert url("invoices.invoice", "change", sale.invoice_id) in page
    assert url("invoices.invoice", "pdf", sale.invoice_id) in page
    assert f"cause_type=transactions.transaction&amp;cause_id={sale.pk}" in page
    assert f"entity_type=transactions.transaction&amp;entity_id={sale.pk}" in page
    movements = client.get(
        url("inventory.stockmovement"), {"cause_type": "transactions.transaction", "cause_id": str(sale.pk)}
    )
    assert movements.context["cl"].result_count == 1
    records = client.get(url("audit.auditlog"), {"entity_type": "transactions.transaction", "entity_id": str(sale.pk)})
    assert records.context["cl"].result_count == 1
    pdf = client.get(url("invoices.invoice", "pdf", sale.invoice_id))
    assert (pdf.status_code, pdf["Content-Type"]) == (200, "application/pdf")


def test_the_audit_page_shows_before_and_after(office: Shop) -> None:
    record = AuditLog.objects.get(action="distribution.confirmed")
    page = logged_in(office.admin).get(url("audit.auditlog", "change", record.pk)).content.decode()
    assert "<th>status</th><td>DRAFT</td><td>CONFIRMED</td>" in page


def test_loads_are_confirmed_by_an_action(office: Shop) -> None:
    draft = Distribution.objects.get(status="DRAFT")
    client = logged_in(UserFactory(role=Role.DEPOT_STAFF, depot=office.depot))
    response = client.post(
        url("distribution.distribution"), {"action": "confirm", "_selected_action": [draft.pk]}, follow=True
    )
    assert messages_of(response) == [f"{draft.distribution_number}: confirmed."]
    draft.refresh_from_db()
    assert draft.status == "CONFIRMED"


def test_a_load_that_cannot_be_confirmed_says_why_and_changes_nothing(office: Shop, nothing_changes: Unchanged) -> None:
    short = office.draft({"direction": "OUT", "quantity": 999}).json()
    client = logged_in(office.admin)
    with nothing_changes():
        response = client.post(
            url("distribution.distribution"), {"action": "confirm", "_selected_action": [short["id"]]}, follow=True
        )
    assert "999 asked." in messages_of(response)[0]


def test_stock_is_corrected_by_counting(office: Shop) -> None:
    client = logged_in(office.admin)
    balance = Inventory.objects.get(location__depot=office.depot, condition="FULL")
    response = client.post(
        url("inventory.inventory", "change", balance.pk),
        {"counted": 77, "reason": "Stock-take", "_save": "Save"},
        follow=True,
    )
    assert response.status_code == 200
    assert office.stock(depot=office.depot) == 77
    assert StockMovement.objects.latest("id").reason == "Stock-take"
    record = AuditLog.objects.latest("id")
    assert (record.action, record.user, record.ip_address) == ("inventory.balance.corrected", office.admin, "127.0.0.1")


def test_a_count_needs_a_reason_and_one_place(office: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(office.admin)
    new = {"equipment": office.cylinder.pk, "condition": "EMPTY", "counted": 3, "reason": "Found"}
    with nothing_changes():
        for wrong in (
            {**new, "depot": office.depot.pk, "reason": ""},
            new,
            {**new, "depot": office.depot.pk, "vehicle_no": office.driver.vehicle_no},
        ):
            assert client.post(url("inventory.inventory", "add"), wrong).status_code == 200
    assert client.post(url("inventory.inventory", "add"), {**new, "depot": office.depot.pk}).status_code == 302
    assert office.stock("EMPTY", depot=office.depot) == 3


def test_a_supervisor_cannot_correct_another_depot(office: Shop, nothing_changes: Unchanged) -> None:
    stranger = DriverFactory()
    office.count("vehicle", stranger.vehicle_no, 5)
    client = logged_in(UserFactory(role=Role.SUPERVISOR, depot=office.depot))
    new = {"equipment": office.cylinder.pk, "condition": "FULL", "counted": 3, "reason": "x", "_save": "Save"}
    with nothing_changes():
        vehicle = client.post(url("inventory.inventory", "add"), {**new, "vehicle_no": stranger.vehicle_no})
        depot = client.post(url("inventory.inventory", "add"), {**new, "depot": stranger.depot_id})
    assert "is not one of the available choices" in errors_of(vehicle)["vehicle_no"][0]
    assert "is not one of the available choices" in errors_of(depot)["depot"][0]


def test_a_count_starts_empty_and_names_what_is_in_the_books(office: Shop) -> None:
    balance = Inventory.objects.get(location__depot=office.depot, condition="FULL")
    page = logged_in(office.admin).get(url("inventory.inventory", "change", balance.pk))
    assert page.context["adminform"].form["counted"].value() is None
    assert f">{balance.quantity}<" in page.content.decode()


def test_virtual_balances_are_read_only(office: Shop, nothing_changes: Unchanged) -> None:
    outside = Inventory.objects.get(location__kind="OUTSIDE")
    client = logged_in(office.admin)
    address = url("inventory.inventory", "change", outside.pk)
    with nothing_changes():
        assert client.post(address, {"counted": 0, "reason": "x", "_save": "Save"}).status_code == 403


def test_a_customer_is_found_by_typing_when_stock_is_counted(office: Shop) -> None:
    wanted = CustomerFactory(name="Zhonghua Bakery")
    sent = {"app_label": "inventory", "model_name": "location", "field_name": "customer", "term": "zhonghua"}
    found = logged_in(UserFactory(role=Role.SUPERVISOR, depot=office.depot)).get("/admin/autocomplete/", sent).json()
    assert [row["id"] for row in found["results"]] == [str(wanted.pk)]
    driver = logged_in(UserFactory(role=Role.DRIVER, depot=office.depot)).get("/admin/autocomplete/", sent)
    assert driver.status_code == 302  # to the log-in
    client = logged_in(office.admin)
    new = {"customer": office.customer.pk, "equipment": office.cylinder.pk, "condition": "FULL", "counted": 4}
    assert (
        client.post(url("inventory.inventory", "add"), {**new, "reason": "On site", "_save": "Save"}).status_code == 302
    )
    assert office.stock(customer=office.customer) == 4
    wrong = {**new, "condition": "EMPTY", "reason": "On site", "_save": "Save"}
    assert "only counted" in errors_of(client.post(url("inventory.inventory", "add"), wrong))["condition"][0]


def test_a_customer_is_changed_with_evidence_and_a_version(office: Shop) -> None:
    client = logged_in(office.admin)
    address = url("customers.customer", "change", office.customer.pk)
    response = client.post(address, {**form_of(client, address), "name": "Hup Lee"}, follow=True)
    assert response.status_code == 200
    office.customer.refresh_from_db()
    assert (office.customer.name, office.customer.version) == ("Hup Lee", 2)
    assert AuditLog.objects.latest("id").action == "customers.customer.updated"


def test_two_people_do_not_overwrite_each_other(office: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(office.admin)
    address = url("customers.customer", "change", office.customer.pk)
    form = form_of(client, address)
    office.client_of(office.admin).patch(f"/api/customers/{office.customer.pk}/", {"phone": "+65 6000 0000"})
    with nothing_changes():
        response = client.post(address, {**form, "name": "Mine", "_save": "Save"})
    assert "changed meanwhile" in errors_of(response)["__all__"][0]
    assert response.context["adminform"].form["name"].value() == "Mine"


def test_a_forged_meter_reading_has_no_effect(office: Shop) -> None:
    client = logged_in(office.admin)
    metered = Customer.objects.exclude(meter_rate=None).get()
    address = url("customers.customer", "change", metered.pk)
    assert "last_meter_reading" not in client.get(address).context["adminform"].form.fields
    client.post(address, {**form_of(client, address), "last_meter_reading": "1.00", "phone": "+65 6000 0001"})
    before, after = metered.last_meter_reading, Customer.objects.get(pk=metered.pk)
    assert (after.last_meter_reading, after.phone) == (before, "+65 6000 0001")


def test_contract_rates_are_added_on_the_customers_page(office: Shop) -> None:
    client = logged_in(office.admin)
    address = url("customers.customer", "change", office.customer.pk)
    new = {
        "rates-TOTAL_FORMS": 1,
        "rates-0-equipment": office.cylinder.pk,
        "rates-0-rate": "25.00",
        "rates-0-valid_from": "2026-01-01",
    }
    sent = {**form_of(client, address), **new, "_save": "Save"}
    assert send_confirmed(client, address, sent).status_code == 302
    rate = CustomerRate.objects.latest("id")
    assert (str(rate.rate), rate.created_by) == ("25.00", office.admin)
    assert AuditLog.objects.latest("id").action == "customers.rate.set"


def test_prices_from_a_date_on_are_added_on_the_equipment_s_page(office: Shop) -> None:
    client = logged_in(office.admin)
    address = url("equipment.equipment", "change", office.cylinder.pk)
    assert client.get(url("equipment.equipment", "add")).context["inline_admin_formsets"] == []
    new = {"prices-TOTAL_FORMS": 2, "prices-0-kind": "DEFAULT_RATE", "prices-0-amount": "29.00",
           "prices-0-valid_from": "2035-01-01", "prices-1-kind": "DEPOSIT", "prices-1-amount": "61.00",
           "prices-1-valid_from": "2026-01-02", "prices-1-reason": "Forgotten"}  # fmt: skip
    sent = {**form_of(client, address), **new, "_save": "Save"}
    assert send_confirmed(client, address, sent).status_code == 302
    office.cylinder.refresh_from_db()
    assert (str(office.cylinder.default_rate), str(office.cylinder.deposit)) == ("28.50", "61.00")
    records = AuditLog.objects.order_by("-id").values_list("action", flat=True)
    assert list(records[:2]) == ["equipment.price.set"] * 2
    page = client.get(address).content.decode()
    assert [page.count(f">{word}</span>") for word in ("counts now", "will count", "superseded")] == [2, 1, 0]
    refused = client.post(address, {**form_of(client, address), **new, "_save": "Save", "once": "e" * 32})
    assert "29.00 counts on 2035-01-01 already." in refused.content.decode()
    assert EquipmentPrice.objects.filter(equipment=office.cylinder).count() == 4


def test_a_price_that_supersedes_another_needs_a_reason_in_the_office(office: Shop) -> None:
    client = logged_in(office.admin)
    metered = Customer.objects.exclude(meter_rate=None).get()
    address = url("customers.customer", "change", metered.pk)
    new = {"meter_rates-TOTAL_FORMS": 1, "meter_rates-0-meter_rate": "2.2000", "meter_rates-0-valid_from": "2035-01-01"}
    sent = {**form_of(client, address), **new, "_save": "Save"}
    assert send_confirmed(client, address, sent).status_code == 302
    again = {**form_of(client, address), **new, "meter_rates-0-meter_rate": "2.3000", "_save": "Save"}
    refused = client.post(address, again)
    assert refused.status_code == 200
    assert "Please say why it replaces the one from 2035-01-01." in refused.content.decode()
    client.post(address, {**again, "meter_rates-0-reason": "A slip", "once": "f" * 32})
    assert MeterRate.objects.count() == 3
    assert ">superseded</span>" in client.get(address).content.decode()


def test_master_data_is_added_and_deactivated_with_evidence(office: Shop) -> None:
    client = logged_in(office.admin)
    assert (
        client.post(url("depots.depot", "add"), {"code": "UNION", "name": "Union", "is_active": "on"}).status_code
        == 302
    )
    depot = Depot.objects.get(code="UNION")
    client.post(url("depots.depot"), {"action": "deactivate", "_selected_action": [depot.pk]})
    depot.refresh_from_db()
    assert depot.is_active is False
    said = AuditLog.objects.filter(entity_type="depots.depot", entity_id=depot.pk).order_by("id")
    assert [record.action for record in said] == ["depots.depot.created", "depots.depot.deactivated"]


def test_users_are_added_with_a_password_that_no_page_shows(office: Shop) -> None:
    client = logged_in(office.admin)
    new = {
        "username": "newcomer",
        "new_password": "quite a long one 7",
        "role": "DRIVER",
        "is_active": "on",
        "vehicle_no": "GBX1A",
    }
    assert client.post(url("accounts.user", "add"), new).status_code == 302
    user = User.objects.get_queryset().get(username="newcomer")
    assert user.check_password("quite a long one 7")
    page = client.get(url("accounts.user", "change", user.pk)).content.decode()
    assert user.password not in page
    assert AuditLog.objects.filter(entity_type="accounts.user").latest("id").action == "accounts.user.created"


def test_setting_a_password_ends_the_users_log_ins(office: Shop) -> None:
    client = logged_in(office.admin)
    session = (
        office.client_of(None).post("/api/token/", {"username": office.driver.username, "password": PASSWORD}).json()
    )
    address = url("accounts.user", "change", office.driver.pk)
    response = client.post(address, {**form_of(client, address), "new_password": "quite a long one 7"})
    assert response.status_code == 302
    refreshed = office.client_of(None).post("/api/token/refresh/", {"refresh": session["refresh"]})
    assert refreshed.status_code == 401


def test_an_administrator_cannot_lock_themself_out(office: Shop) -> None:
    client = logged_in(office.admin)
    client.post(url("accounts.user"), {"action": "deactivate", "_selected_action": [office.admin.pk]})
    office.admin.refresh_from_db()
    assert office.admin.is_active is True


def test_a_weak_password_is_refused_on_the_page(office: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(office.admin)
    with nothing_changes():
        response = client.post(url("accounts.user", "add"), {"username": "n", "new_password": "123", "role": "DRIVER"})
    assert "too short" in errors_of(response)["new_password"][0]


def test_gst_rates_are_added_and_never_changed(office: Shop) -> None:
    client = logged_in(office.admin)
    assert client.post(url("invoices.gstrate", "add"), {"rate": "10.00", "valid_from": "2035-01-01"}).status_code == 302
    assert (
        client.post(url("invoices.gstrate", "change", 1), {"rate": "1.00", "valid_from": "2007-07-01"}).status_code
        == 403
    )
