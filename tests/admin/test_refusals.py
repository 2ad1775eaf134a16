"""What the office refuses, how it says so, and that nothing happened."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from customers.models import Customer, CustomerRate
from distribution.models import Distribution
from foundation.access.capabilities import Role
from invoices.models import Invoice
from sync.models import SyncConflict
from tests.admin.pages import MODELS, errors_of, form_of, logged_in, messages_of, url
from tests.conftest import Shop
from tests.factories import PASSWORD, DepotFactory, MeteredCustomerFactory, UserFactory
from tests.types import Answer, Json, Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db
SAVE = {"_save": "Save"}


@pytest.mark.parametrize(
    ("label", "theirs", "mine"),
    [
        ("depots.depot", {"name": "Theirs"}, {"address": "Mine"}),
        ("equipment.equipment", {"name": "Theirs"}, {"deposit": "1.00"}),
        ("accounts.user", {"first_name": "Theirs"}, {"vehicle_no": "GBX1A"}),
    ],
)
def test_an_old_page_does_not_undo_what_others_changed(
    office: Shop, nothing_changes: Unchanged, label: str, theirs: Json, mine: Json
) -> None:
    row = {"depots.depot": office.depot, "equipment.equipment": office.cylinder, "accounts.user": office.driver}[label]
    address = url(label, "change", row.pk)
    client = logged_in(office.admin)
    old = form_of(client, address)
    assert client.post(address, {**old, **theirs, **SAVE}).status_code == 302
    with nothing_changes():
        response = client.post(address, {**old, **mine, **SAVE})
    assert "changed meanwhile" in errors_of(response)["__all__"][0]


def test_a_refused_form_comes_back_as_it_was_filled_in(office: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(office.admin)
    new = {"username": office.driver.username.upper(), "new_password": "quite a long one 7", "role": "DRIVER",
           "first_name": "Typed"}  # fmt: skip
    with nothing_changes():
        response = client.post(url("accounts.user", "add"), {**new, **SAVE})
    assert response.status_code == 200
    assert errors_of(response) == {"username": ["A user with that username already exists."]}
    assert response.context["adminform"].form["first_name"].value() == "Typed"


def test_a_refused_rate_takes_the_customers_change_back_with_it(office: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(office.admin)
    address = url("customers.customer", "change", office.customer.pk)
    form = form_of(client, address)
    office.client_of(office.admin).patch(f"/api/equipment/{office.cylinder.pk}/", {"is_active": False})
    rate = {"rates-TOTAL_FORMS": 1, "rates-0-equipment": office.cylinder.pk, "rates-0-rate": "1.00",
            "rates-0-valid_from": "2026-05-05"}  # fmt: skip
    with nothing_changes():
        response = client.post(address, {**form, "name": "Half", **rate, **SAVE})
    assert response.status_code == 200
    formset, _ = response.context["inline_admin_formsets"]
    assert [*formset.forms[0].errors] == ["equipment"]


def test_a_rate_refused_by_its_command_takes_the_customers_change_back_with_it(
    office: Shop, nothing_changes: Unchanged, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foundation.errors import Duplicate

    def refuse(**_: Any) -> None:
        raise Duplicate("There is a rate from this date on already.", attr="valid_from")

    monkeypatch.setattr("customers.services.set_contract_rate", refuse)
    client = logged_in(office.admin)
    address = url("customers.customer", "change", office.customer.pk)
    rate = {"rates-TOTAL_FORMS": 1, "rates-0-equipment": office.cylinder.pk, "rates-0-rate": "1.00",
            "rates-0-valid_from": "2026-05-05"}  # fmt: skip
    with nothing_changes():
        response = client.post(address, {**form_of(client, address), "name": "Half", **rate, **SAVE})
    assert "already" in errors_of(response)["__all__"][0]
    assert (Customer.objects.filter(name="Half").count(), CustomerRate.objects.count()) == (0, 1)


def test_a_database_that_is_busy_is_no_error_page(
    office: Shop, nothing_changes: Unchanged, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deadlock(*_: Any) -> None:
        raise OperationalError(1213, "Deadlock found when trying to get lock")

    monkeypatch.setattr("depots.locks.depot", deadlock)
    client = logged_in(office.admin)
    address = url("depots.depot", "change", office.depot.pk)
    with nothing_changes():
        response = client.post(address, {**form_of(client, address), "name": "New", **SAVE})
    assert "busy" in errors_of(response)["__all__"][0]


def _on_its_page(client: Client, load: Distribution, action: str) -> Answer:
    data = {"CHANGE_FORM-action": action, "_selected_action": load.pk}
    return client.post(url("distribution.distribution", "change", load.pk), data, follow=True)


def test_a_load_is_confirmed_and_refused_on_its_own_page_too(office: Shop, nothing_changes: Unchanged) -> None:
    draft = Distribution.objects.get(status="DRAFT")
    client = logged_in(office.admin)
    assert messages_of(_on_its_page(client, draft, "confirm")) == [f"{draft.distribution_number}: confirmed."]
    with nothing_changes():
        again = _on_its_page(client, draft, "confirm")
        cancelled = _on_its_page(client, draft, "cancel")
    said = f"{draft.distribution_number}: {draft.distribution_number} is confirmed already."
    assert messages_of(again) == messages_of(cancelled) == [said]


def test_of_several_loads_each_gets_its_own_answer(office: Shop) -> None:
    good = Distribution.objects.get(status="DRAFT")
    short = Distribution.objects.get(pk=office.draft({"direction": "OUT", "quantity": 999}).json()["id"])
    client = logged_in(office.admin)
    response = client.post(
        url("distribution.distribution"), {"action": "confirm", "_selected_action": [good.pk, short.pk]}, follow=True
    )
    first, second = messages_of(response)
    assert first == f"{good.distribution_number}: confirmed."
    assert "999 asked." in second
    assert list(Distribution.objects.filter(pk__in=(good.pk, short.pk)).order_by("pk").values_list("status")) == [
        ("CONFIRMED",), ("DRAFT",),
    ]  # fmt: skip


def test_loads_of_other_depots_are_out_of_an_actions_reach(office: Shop, nothing_changes: Unchanged) -> None:
    draft = Distribution.objects.get(status="DRAFT")
    asked = {"action": "confirm", "_selected_action": [draft.pk]}
    stranger, own = (UserFactory(role=Role.DEPOT_STAFF, depot=depot) for depot in (DepotFactory(), office.depot))
    client = logged_in(stranger)
    with nothing_changes():
        client.post(url("distribution.distribution"), asked)
    # It is the depot that keeps them out: its own staff may.
    logged_in(own).post(url("distribution.distribution"), asked)
    draft.refresh_from_db()
    assert draft.status == "CONFIRMED"


def test_an_invoice_is_marked_as_printed_once(office: Shop) -> None:
    invoice = Invoice.objects.earliest("pk")
    client = logged_in(office.admin)
    client.post(url("invoices.invoice"), {"action": "mark_printed", "_selected_action": [invoice.pk]})
    invoice.refresh_from_db()
    assert (invoice.status, invoice.printed_at is None) == ("printed", False)


def test_there_is_no_page_that_changes_a_password_past_the_commands(office: Shop) -> None:
    client = logged_in(office.admin)
    data = {"old_password": PASSWORD, "new_password1": "quite a long one 7", "new_password2": "quite a long one 7"}
    assert client.post("/admin/password_change/", data).status_code == 404
    office.admin.refresh_from_db()
    assert office.admin.check_password(PASSWORD)


def test_guesses_at_the_door_of_the_office_are_throttled(office: Shop) -> None:
    client = Client()
    guesses = [
        client.post("/admin/login/", {"username": office.admin.username, "password": f"guess {n}"}) for n in range(6)
    ]
    said = [str(response.context["form"].non_field_errors()[0]) for response in guesses]
    assert ["Too many attempts" in text for text in said] == [False] * 5 + [True]
    right = client.post("/admin/login/?next=/admin/", {"username": office.admin.username, "password": PASSWORD})
    assert right.status_code == 200


def test_guesses_at_both_doors_are_guesses_at_one_account(office: Shop) -> None:
    """From many addresses: 20 in a minute, of which the office and the API take ten each."""
    guess = {"username": office.admin.username, "password": "a guess"}
    for n in range(10):
        Client(REMOTE_ADDR=f"198.51.100.{n}").post("/admin/login/", guess)
        office.client_of(None).post("/api/token/", guess, REMOTE_ADDR=f"203.0.113.{n}")
    assert office.client_of(None).post("/api/token/", guess, REMOTE_ADDR="203.0.113.99").status_code == 429


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPERVISOR])
def test_no_page_shows_a_password_hash_or_a_token(office: Shop, role: Role) -> None:
    session = office.client_of(None).post("/api/token/", {"username": office.driver.username, "password": PASSWORD})
    office.driver.refresh_from_db()
    secrets = (office.driver.password, office.admin.password, *session.json().values())
    client = logged_in(UserFactory(role=role, depot=office.depot))
    for model in MODELS:
        for row in model._default_manager.order_by("-pk")[:5]:
            for address in (url(model), url(model, "change", row.pk), url(model, "history", row.pk)):
                page = client.get(address).content.decode()
                assert not [secret for secret in secrets if secret in page]


def test_a_conflict_is_let_happen_or_dismissed(office: Shop) -> None:
    sold = {
        "customer": office.customer.pk,
        "items": [{"equipment": office.cylinder.pk, "type": "SALE", "quantity": 1, "rate": "20.00"}],
    }
    operations = [{"type": "transaction.create", "client_temp_id": f"kept-{n}", "data": sold} for n in range(2)]
    office.client_of(office.driver).post("/api/sync/push/", {"operations": operations})
    first, second = SyncConflict.objects.filter(client_temp_id__startswith="kept").order_by("pk")
    client = logged_in(UserFactory(role=Role.SUPERVISOR, depot=office.depot))
    sales = Transaction.objects.count()

    chosen = {"action": "retry", "_selected_action": [first.pk]}
    response = client.post(url("sync.syncconflict"), chosen, follow=True)
    assert any("is 25.00, not 20.00" in message for message in messages_of(response))
    response = client.post(url("sync.syncconflict"), {**chosen, "action": "retry_at_its_rates"}, follow=True)
    assert any("happened" in message for message in messages_of(response))
    assert Transaction.objects.count() == sales + 1

    page = url("sync.syncconflict", "change", second.pk)
    assert f"SALE 1 × {office.cylinder} at 20.00" in client.get(page).content.decode()
    assert "reason" in errors_of(client.post(page, {"reason": " ", "_save": "Save"}))
    assert client.post(page, {"reason": "Entered twice", "_save": "Save"}).status_code == 302
    second.refresh_from_db()
    assert (second.status, second.reason) == ("DISMISSED", "Entered twice")
    assert client.post(page, {"reason": "Again", "_save": "Save"}).status_code == 403
    assert Transaction.objects.count() == sales + 1


def test_a_sale_is_let_happen_without_its_reading(office: Shop) -> None:
    line = {"equipment": office.cylinder.pk, "type": "SALE", "quantity": 1}
    data = {"customer": MeteredCustomerFactory().pk, "items": [line], "current_meter": "1100.00"}
    operation = {"type": "transaction.create", "client_temp_id": "low", "data": data}
    [result] = office.client_of(office.driver).post("/api/sync/push/", {"operations": [operation]}).json()["results"]
    chosen = {"action": "retry_without_reading", "_selected_action": [result["conflict"]]}
    done = logged_in(office.admin).post(url("sync.syncconflict"), chosen, follow=True)
    assert any("happened" in message for message in messages_of(done))
    assert Transaction.objects.get(client_temp_id="low").current_meter_reading is None


@pytest.mark.parametrize("label", ["invoices.payment", "transactions.meterreplacement", "inventory.inventory"])
@pytest.mark.parametrize("customer", ["x", "9" * 30, "\x00", "-1", "1.5"])
def test_what_can_be_no_customer_is_refused_at_its_field(
    office: Shop, nothing_changes: Unchanged, label: str, customer: str
) -> None:
    client = logged_in(office.admin)
    with nothing_changes():
        response = client.post(url(label, "add"), {"customer": customer, **SAVE})
    assert response.status_code == 200
    assert "customer" in errors_of(response)


def test_what_was_withdrawn_is_shown_before_it_is_let_happen(office: Shop) -> None:
    line = {"equipment": office.cylinder.pk, "type": "SALE", "quantity": 900}
    data = {"customer": office.customer.pk, "items": [line]}
    operation = {"type": "transaction.create", "client_temp_id": "slip", "data": data}
    [result] = office.client_of(office.driver).post("/api/sync/push/", {"operations": [operation]}).json()["results"]
    path = f"/api/sync/conflicts/{result['conflict']}/withdraw/"
    assert office.client_of(office.driver).post(path, {"reason": "9, not 900"}).status_code == 200
    assert office.client_of(office.driver).post(path, {"reason": "Another"}).status_code == 409
    chosen = {"action": "retry", "_selected_action": [result["conflict"]]}
    client = logged_in(office.admin)
    asked = client.post(url("sync.syncconflict"), chosen).content.decode()
    assert "9, not 900" in asked
    office.count("vehicle", office.driver.vehicle_no, 1000)
    done = client.post(url("sync.syncconflict"), {**chosen, "_answered": "1"}, follow=True)
    assert any("happened" in message for message in messages_of(done))
