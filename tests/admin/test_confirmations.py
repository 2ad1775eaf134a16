"""What the office asks: the form comes back with each question and a box to tick."""

import json
from typing import Any

import pytest

from audit.models import Confirmation
from customers.models import Customer, CustomerRate
from payments.models import Payment
from sync.models import SyncConflict
from tests.admin.pages import boxes_of, errors_of, form_of, logged_in, messages_of, send_confirmed, url
from tests.conftest import Shop
from tests.factories import EquipmentFactory, MeteredCustomerFactory
from tests.types import Json, Unchanged

pytestmark = pytest.mark.django_db

PAYMENT: Json = {"method": "CHEQUE", "amount": "20000.00", "received_on": "", "reference": "C-1", "_save": "Save"}


def payment(shop: Shop, **more: Any) -> Json:
    return {**PAYMENT, "customer": shop.customer.pk, "once": "a" * 32, **more}


def test_a_form_comes_back_as_it_was_filled_in_with_every_question(shop: Shop, nothing_changes: Unchanged) -> None:
    client, address = logged_in(shop.admin), url(Payment, "add")
    assert send_confirmed(client, address, payment(shop)).status_code == 302
    with nothing_changes():
        answer = client.post(address, payment(shop, once="b" * 32))
    assert answer.status_code == 200
    # Their boxes say what they are about.
    assert errors_of(answer) == {name: ["Unlikely: please confirm it above."] for name in ("amount", "reference")}
    assert [question.text for question in answer.context["questions"]] == [
        "S$ 20,000.00 is more than S$ 10,000.00.", f"{Payment.objects.get()} has this reference already.",
    ]  # fmt: skip
    assert answer.context["adminform"].form["amount"].value() == "20000.00"
    assert answer.content.decode().count('type="checkbox" name="confirm"') == 2


def test_each_ticked_box_confirms_what_it_says(shop: Shop) -> None:
    client, address = logged_in(shop.admin), url(Payment, "add")
    assert send_confirmed(client, address, payment(shop)).status_code == 302
    first, second = boxes_of(client.post(address, payment(shop, once="b" * 32)))
    answer = client.post(address, payment(shop, once="b" * 32, confirm=[first]))
    assert boxes_of(answer) == [second]
    assert answer.context["ticked"] == [first]
    assert client.post(address, payment(shop, once="b" * 32, confirm=[first, second])).status_code == 302
    kept = Confirmation.objects.filter(entity_id=Payment.objects.latest("pk").pk)
    assert {(each.code, each.confirmed_by) for each in kept} == {
        ("amount_unlikely", shop.admin), ("reference_repeated", shop.admin),
    }  # fmt: skip


def test_another_value_is_asked_about_again(shop: Shop) -> None:
    client, address = logged_in(shop.admin), url(Payment, "add")
    [box] = boxes_of(client.post(address, payment(shop)))
    assert boxes_of(client.post(address, payment(shop, amount="200000.00", confirm=[box]))) != []
    assert not Payment.objects.exists()


@pytest.mark.parametrize("box", ["", "x", "[]", "null", "{}", '{"code": 1}', "[" * 5000])
def test_a_box_that_is_none_of_ours_confirms_nothing(shop: Shop, box: str) -> None:
    client = logged_in(shop.admin)
    assert client.post(url(Payment, "add"), payment(shop, confirm=[box])).status_code == 200
    assert not Payment.objects.exists()


def test_a_confirmed_form_is_recorded_once(shop: Shop) -> None:
    client, address = logged_in(shop.admin), url(Payment, "add")
    boxes = boxes_of(client.post(address, payment(shop)))
    for sent in (payment(shop, confirm=boxes), payment(shop, confirm=boxes), payment(shop)):
        assert client.post(address, sent).status_code == 302
    assert Payment.objects.count() == 1


def test_a_kept_reading_is_confirmed_where_it_is_let_happen(shop: Shop) -> None:
    customers = [MeteredCustomerFactory(), MeteredCustomerFactory()]
    operations = [
        {"type": "transaction.create", "client_temp_id": str(customer.pk),
         "data": {"customer": customer.pk, "current_meter": "2000.00"}}
        for customer in customers
    ]  # fmt: skip
    shop.client_of(shop.driver).post("/api/sync/push/", {"operations": operations})
    client, address = logged_in(shop.admin), url(SyncConflict)
    chosen: Json = {
        "action": "retry",
        "_selected_action": [each.pk for each in SyncConflict.objects.all()],
        "once": "c" * 32,
    }
    page = client.post(address, chosen)
    boxes = boxes_of(page)
    assert len(boxes) == 2
    assert all(customer.name in page.content.decode() for customer in customers)
    # A box is about one row: both readings are the same.
    page = client.post(address, {**chosen, "confirm": boxes[:1]})
    assert SyncConflict.objects.filter(status="RETRIED").count() == 1
    assert boxes_of(page) == boxes[1:]
    answer = client.post(address, {**chosen, "confirm": boxes}, follow=True)
    assert SyncConflict.objects.filter(status="RETRIED").count() == 2
    assert all("happened" in message for message in messages_of(answer))
    assert {each.confirmed_by for each in Confirmation.objects.filter(code="usage_unlikely")} == {shop.admin}


def test_a_file_s_rows_are_flagged_and_not_asked(shop: Shop, tmp_path: Any) -> None:
    from django.core.management import call_command

    Customer.objects.filter(pk=shop.customer.pk).update(phone="6123 4567")
    table = tmp_path / "customers.csv"
    table.write_text("name,phone\nAnother,+65 61234567\n", encoding="utf-8")
    call_command("import_data", "customers", table, "--user", shop.admin.username, "--commit", verbosity=0)
    flagged = Confirmation.objects.get()
    assert (flagged.code, flagged.confirmed_by) == ("customer_like_another", None)


def test_a_box_confirms_what_it_showed_and_no_other_row(shop: Shop) -> None:
    """Two contract rates of one value, from one date, for two items."""
    client, address = logged_in(shop.admin), url(Customer, "change", shop.customer.pk)
    large = EquipmentFactory(default_rate="142.00")
    sent = {**form_of(client, address), "_save": "Save", "rates-TOTAL_FORMS": "2"}
    for row, item in enumerate((shop.cylinder, large)):
        sent |= {
            f"rates-{row}-equipment": item.pk,
            f"rates-{row}-rate": "3.85",
            f"rates-{row}-valid_from": "2035-01-01",
        }
    first, second = boxes_of(client.post(address, sent))
    assert boxes_of(client.post(address, {**sent, "confirm": [first]})) == [second]
    assert (shop.cylinder.sku in first, large.sku in second) == (True, True)
    assert not CustomerRate.objects.exists()
    assert client.post(address, {**sent, "confirm": [first, second]}).status_code == 302
    assert CustomerRate.objects.count() == Confirmation.objects.filter(confirmed_by=shop.admin).count() == 2


@pytest.mark.parametrize("page", ["add", "change"])
def test_a_page_that_does_several_things_asks_all_at_once(shop: Shop, page: str, nothing_changes: Unchanged) -> None:
    Customer.objects.filter(pk=MeteredCustomerFactory().pk).update(phone="6123 4567")
    client = logged_in(shop.admin)
    address = url(Customer, page, shop.customer.pk) if page == "change" else url(Customer, page)
    sent = {**form_of(client, address), "name": "New", "phone": "6123 4567", "_save": "Save", "once": "e" * 32}
    sent |= {"rates-TOTAL_FORMS": "1", "rates-0-equipment": shop.cylinder.pk, "rates-0-rate": "3.85"}
    sent |= {"rates-0-valid_from": "2035-01-01"}
    with nothing_changes():
        boxes = boxes_of(client.post(address, sent))
    assert [json.loads(box)["code"] for box in boxes] == ["customer_like_another", "rate_unlikely"]
    assert client.post(address, {**sent, "confirm": boxes}).status_code == 302
    assert (Customer.objects.filter(name="New").count(), CustomerRate.objects.count()) == (1, 1)


@pytest.mark.parametrize("page", ["add", "change"])
def test_what_is_asked_about_is_not_said_to_be_saved(shop: Shop, page: str) -> None:
    client = logged_in(shop.admin)
    address = url(Customer, page, shop.customer.pk) if page == "change" else url(Customer, page)
    sent = {**form_of(client, address), "name": "New", "_continue": "Save", "once": "f" * 32}
    sent |= {"rates-TOTAL_FORMS": "1", "rates-0-equipment": shop.cylinder.pk, "rates-0-rate": "3.85"}
    sent |= {"rates-0-valid_from": "2035-01-01"}
    asked = client.post(address, sent)
    assert (len(boxes_of(asked)), messages_of(asked)) == (1, [])
    saved = client.post(address, {**sent, "confirm": boxes_of(asked)}, follow=True)
    assert "successfully" in messages_of(saved)[0]


def test_a_page_of_what_was_recorded_shows_what_was_asked(shop: Shop) -> None:
    client, address = logged_in(shop.admin), url(Customer, "add")
    Customer.objects.filter(pk=shop.customer.pk).update(uen="201992345C")
    sent = {**form_of(client, address), "name": "Another", "uen": "201992345c", "_save": "Save", "once": "d" * 32}
    assert send_confirmed(client, address, sent).status_code == 302
    kept = Confirmation.objects.get()
    page = client.get(url(Confirmation, "change", kept.pk)).content.decode()
    assert "has the same UEN" in page
    listed = client.get(url(Confirmation), {"confirmed": "no"})
    assert listed.context["cl"].result_count == 0
    assert client.get(url(Confirmation), {"confirmed": "yes"}).context["cl"].result_count == 1
