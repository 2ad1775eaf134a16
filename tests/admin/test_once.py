"""A form of the office happens once: a double click, Back and Save, a page that is sent again."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from customers.models import Customer
from depots.models import Depot
from foundation.commands import is_first_attempt
from foundation.operations.idempotency import Operation
from payments.models import Payment
from tests.admin.pages import MODELS, errors_of, form_of, logged_in, messages_of, url
from tests.conftest import Shop
from tests.types import Answer, Json, Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

SAVE = {"_save": "Save"}
IDS = re.compile(rb'name="(?:\w+-)?once" value="([0-9a-f]{32})"')
SENDS = re.compile(rb'name="(?:(?:\w+-)?action|_save)"')
STALL = {"name": "New Stall", "payment_type": "CASH", "payment_terms_days": "30", "is_active": "on"}


def page(client: Client, address: str) -> str:
    """The id of a fresh form."""
    [*_, once] = IDS.findall(client.get(address).content)
    found: str = once.decode()
    return found


def paid(shop: Shop, **other: str) -> Json:
    return {"customer": shop.customer.pk, "method": "CASH", "amount": "5.00", **other, **SAVE}


def test_every_form_has_an_id_of_its_own(office: Shop) -> None:
    client = logged_in(office.admin)
    forms = 0
    addresses = [url(model) for model in MODELS] + [
        url(model, "change", row.pk) for model in MODELS if (row := model._default_manager.first()) is not None
    ]
    for address in addresses:
        first, second = client.get(address), client.get(address)
        if first.status_code != 200 or not SENDS.search(first.content):
            continue
        forms += 1
        ids, others = IDS.findall(first.content), IDS.findall(second.content)
        assert len(ids) == len(others) > 0, address
        assert not {*ids} & {*others}, address
    assert forms > 20


def test_a_form_that_is_sent_twice_is_recorded_once(office: Shop, nothing_changes: Unchanged) -> None:
    client, add = logged_in(office.admin), url("invoices.payment", "add")
    form = paid(office, once=page(client, add))
    assert client.post(add, form).status_code == 302
    payment = Payment.objects.latest("id")
    with nothing_changes():
        again = client.post(add, form, follow=True)
    assert again.redirect_chain[0][0] == url("invoices.payment", "change", payment.pk)
    link = f'<a href="{url("invoices.payment", "change", payment.pk)}">{payment}</a>'
    assert messages_of(again)[-1] == f"{link} was recorded already."


def test_what_no_key_tells_apart_is_recorded_once(office: Shop) -> None:
    client, add = logged_in(office.admin), url("customers.customer", "add")
    form = {**form_of(client, add), **STALL, "once": page(client, add), **SAVE}
    for _ in range(2):
        response = client.post(add, form)
        assert response.status_code == 302, errors_of(response)
    assert Customer.objects.filter(name="New Stall").count() == 1


def test_what_was_changed_after_it_was_recorded_comes_back_for_another_go(
    office: Shop, nothing_changes: Unchanged
) -> None:
    client, add = logged_in(office.admin), url("invoices.payment", "add")
    form = paid(office, once=page(client, add))
    client.post(add, form)
    before = Payment.objects.count()
    with nothing_changes():
        response = client.post(add, {**form, "amount": "6.00"})
    assert "was recorded by this form already" in messages_of(response)[-1]
    assert "sent before, with other content" in errors_of(response)["__all__"][0]
    [fresh] = [each.decode() for each in IDS.findall(response.content)]
    assert fresh != form["once"]
    assert client.post(add, {**form, "amount": "6.00", "once": fresh}).status_code == 302
    assert Payment.objects.count() == before + 1


def test_a_refused_form_keeps_its_id(office: Shop) -> None:
    client, add = logged_in(office.admin), url("invoices.payment", "add")
    once = page(client, add)
    refused = client.post(add, paid(office, once=once, amount="0.00"))
    assert IDS.findall(refused.content) == [once.encode()]
    assert client.post(add, paid(office, once=once)).status_code == 302


def test_a_page_that_is_saved_twice_says_so(office: Shop, nothing_changes: Unchanged) -> None:
    """It isn't told that somebody else had changed it."""
    client, address = logged_in(office.admin), url("depots.depot", "change", office.depot.pk)
    form = {**form_of(client, address), "once": page(client, address), "name": "Renamed", **SAVE}
    client.post(address, form)
    with nothing_changes():
        again = client.post(address, form, follow=True)
    assert "was recorded already" in messages_of(again)[-1]
    assert Depot.objects.get(pk=office.depot.pk).name == "Renamed"


def _void(client: Client, sale: Transaction, once: str, reason: str) -> Answer:
    chosen = {"action": "void", "_selected_action": [sale.pk], "once": once}
    answer = {**chosen, "_answered": "1", "reason": reason, "goods": "came_back"}
    return client.post(url("transactions.transaction"), answer, follow=True)


def test_an_action_that_is_confirmed_twice_happens_once(office: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(office.admin)
    sold = office.sell({"type": "SALE"}).json()["transaction"]["id"]
    sale = Transaction.objects.get(pk=sold)
    asked = client.post(url("transactions.transaction"), {"action": "void", "_selected_action": [sold]})
    [once] = [each.decode() for each in IDS.findall(asked.content)]
    [done] = messages_of(_void(client, sale, once, "Wrong stall"))
    assert done == f"{sale}: voided by {Transaction.objects.get(reverses=sale).invoice}."
    with nothing_changes():
        assert messages_of(_void(client, sale, once, "Wrong stall")) == [f"{done[:-1]} already."]
        other = messages_of(_void(client, sale, once, "Another reason"))
    assert other == [f"{sale}: this form was sent before, with other content."]


def test_each_row_of_an_action_is_an_operation_of_its_own(office: Shop) -> None:
    client, list_page = logged_in(office.admin), url("depots.depot")
    both = [office.depot.pk, Depot.objects.create(code="SECOND", name="Second").pk]
    chosen = {"action": "deactivate", "_selected_action": both, "once": page(client, list_page)}
    client.post(list_page, chosen)
    assert not Depot.objects.filter(pk__in=both, is_active=True).exists()


@pytest.mark.parametrize("once", ["", "x", "0" * 31, "0" * 33, "G" * 32])
def test_what_is_no_id_is_none(office: Shop, once: str) -> None:
    client, add, before = logged_in(office.admin), url("invoices.payment", "add"), Payment.objects.count()
    for reference in ("R-1", "R-2"):
        assert client.post(add, paid(office, once=once, reference=reference)).status_code == 302
    assert Payment.objects.count() == before + 2


def test_an_action_of_a_page_happens_once(office: Shop, nothing_changes: Unchanged) -> None:
    client = logged_in(office.admin)
    sold = office.sell({"type": "SALE"}).json()["transaction"]["id"]
    address = url("transactions.transaction", "change", sold)
    once = page(client, address)
    chosen = {"CHANGE_FORM-action": "void", "_selected_action": [sold], "CHANGE_FORM-once": once}
    form = {**chosen, "_answered": "1", "reason": "Wrong stall", "goods": "came_back"}
    assert ": voided by CN-" in messages_of(client.post(address, form, follow=True))[-1]
    with nothing_changes():
        assert messages_of(client.post(address, form, follow=True))[-1].endswith(" already.")


def test_a_forms_id_is_no_clients(office: Shop) -> None:
    client, add = logged_in(office.admin), url("invoices.payment", "add")
    client.post(add, paid(office, once=page(client, add)))
    assert Payment.objects.latest("id").client_temp_id is None


def test_a_page_that_is_saved_again_with_other_content_begins_anew(office: Shop, nothing_changes: Unchanged) -> None:
    """What it was filled in from is no more; and a new password is no repetition."""
    client, address = logged_in(office.admin), url("accounts.user", "change", office.driver.pk)
    form = {**form_of(client, address), "once": page(client, address), "first_name": "Renamed", **SAVE}
    client.post(address, form)
    with nothing_changes():
        again = client.post(address, {**form, "new_password": "quite another one 7"}, follow=True)
    assert "nothing was saved now" in messages_of(again)[-1]
    assert again.context["adminform"].form["first_name"].value() == "Renamed"


def test_the_offices_own_log_says_once_what_was_sent_twice_at_once(office: Shop) -> None:
    client, add = logged_in(office.admin), url("invoices.payment", "add")
    form = paid(office, once=page(client, add))
    client.post(add, form)
    entries, look = LogEntry.objects.count(), Operation.earlier_result
    with pytest.MonkeyPatch.context() as patch:
        # The second looked before the first was recorded.
        patch.setattr(Operation, "earlier_result", lambda it: None if is_first_attempt() else look(it))
        assert client.post(add, form).status_code == 302
    assert LogEntry.objects.count() == entries
