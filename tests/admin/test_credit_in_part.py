"""The office credits a part of an invoice on the page of its sale."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from foundation.access.capabilities import Role
from invoices.models import Invoice
from tests.admin.pages import logged_in, messages_of, url
from tests.conftest import Shop
from tests.factories import MeteredCustomerFactory, UserFactory
from tests.types import Answer, Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db


def credit(client: Client, sale: Transaction, **answers: Any) -> Answer:
    """Choose it on the sale's page; with answers, answer its page too."""
    sent = {"CHANGE_FORM-action": "credit", "_selected_action": [sale.pk]}
    if answers:
        sent |= {"reason": "One was leaking", **answers, "_answered": "yes"}
    return client.post(url("transactions.transaction", "change", sale.pk), sent, follow=True)


@pytest.fixture
def sale(office: Shop) -> Transaction:
    answer = office.sell({"type": "SALE", "quantity": 2}, {"type": "DEPOSIT", "quantity": 2})
    return Transaction.objects.get(pk=answer.json()["transaction"]["id"])


def test_pieces_of_a_line_are_credited_and_come_back(office: Shop, sale: Transaction) -> None:
    client = logged_in(UserFactory(role=Role.SUPERVISOR, depot=office.depot))
    left = office.stock(vehicle_no=office.driver.vehicle_no)
    page = credit(client, sale).content.decode()
    assert "Line 1, Sale LPG cylinder" in page
    assert f"{sale.customer_name}, " in page
    assert "Left: 2, for 50.00." in page
    assert "Left: 2, for 120.00, no GST." in page
    assert f"{sale.invoice.invoice_number}: S$ 174.50 with GST is left of it" in page
    done = credit(client, sale, pieces_1="1", back_1="on", amount_2="20.00")
    note = Invoice.objects.get(corrects=sale.invoice)
    assert messages_of(done) == [f"{sale}: credited by {note}, S$ 47.25."]
    assert (note.subtotal, note.gst_amount) == (Decimal("-45.00"), Decimal("-2.25"))
    assert office.stock(vehicle_no=office.driver.vehicle_no) == left + 1
    for model, row in (("transactions.transaction", sale), ("invoices.invoice", sale.invoice)):
        shown = client.get(url(model, "change", row.pk)).content.decode()
        assert "Credited in part" in shown
        taken_back_by = note.transaction if model.startswith("transactions") else note
        assert str(taken_back_by) in shown
    assert "Left: 1, for 25.00." in credit(client, sale).content.decode()


def test_an_amount_may_include_its_gst(office: Shop, sale: Transaction) -> None:
    credit(logged_in(office.admin), sale, amount_1="10.90", with_gst="on")
    note = Invoice.objects.get(corrects=sale.invoice)
    assert (note.subtotal, note.total_amount) == (Decimal("-10.00"), Decimal("-10.90"))


def test_a_metered_usage_is_credited_by_its_amount(office: Shop) -> None:
    metered = MeteredCustomerFactory()
    answer = office.sell(customer=metered.pk, current_meter="1210.00").json()
    sale = Transaction.objects.get(pk=answer["transaction"]["id"])
    client = logged_in(office.admin)
    assert "Line 1, gas by meter: amount" in credit(client, sale).content.decode()
    credit(client, sale, amount_1="21.50")
    assert Invoice.objects.get(corrects=sale.invoice).subtotal == Decimal("-21.50")


def test_what_can_not_be_credited_is_said_and_nothing_happens(
    office: Shop, sale: Transaction, nothing_changes: Unchanged
) -> None:
    client = logged_in(office.admin)
    with nothing_changes():
        for answers, field, said in (
            ({"pieces_1": ""}, "__all__", "Please say what is to be credited"),
            ({"pieces_1": "1", "amount_1": "5.00"}, "amount_1", "please one of them"),
            ({"pieces_1": "3"}, "pieces_1", "less than or equal to 2"),
            ({"pieces_1": "1", "reason": " "}, "reason", "required"),
        ):
            errors = credit(client, sale, **answers).context["form"].errors
            assert said in errors[field][0], answers
        done = credit(client, sale, amount_1="50.01")
        assert messages_of(done) == [f"{sale}: Only 50.00 before GST is left of line 1 of {sale.invoice}."]


def test_whoever_may_not_credit_is_not_offered_it(office: Shop, sale: Transaction, nothing_changes: Unchanged) -> None:
    client = logged_in(UserFactory(role=Role.DEPOT_STAFF, depot=office.depot))
    with nothing_changes():
        credit(client, sale, pieces_1="1")


def test_sales_are_found_by_what_is_left_of_them(office: Shop, sale: Transaction) -> None:
    client = logged_in(office.admin)
    credit(client, sale, pieces_1="1")
    note = Transaction.objects.get(corrects=sale)
    for state, found in (("CREDITED", sale), ("CREDIT", note)):
        rows = client.get(url("transactions.transaction"), {"state": state}).context["cl"].result_list
        assert [row.pk for row in rows] == [found.pk]
    rows = client.get(url("transactions.transaction"), {"state": "COMPLETED"}).context["cl"].result_list
    assert {sale.pk, note.pk} & {row.pk for row in rows} == set()


def test_a_line_that_nothing_is_left_of_is_not_asked_for(office: Shop, sale: Transaction) -> None:
    client = logged_in(office.admin)
    credit(client, sale, pieces_1="2", back_1="on")
    page = credit(client, sale).content.decode()
    assert "Line 1" not in page
    assert "Line 2" in page


def test_accounts_is_not_asked_for_what_comes_back(office: Shop, sale: Transaction) -> None:
    client = logged_in(UserFactory(role=Role.ACCOUNTS))
    left = office.stock(vehicle_no=office.driver.vehicle_no)
    page = credit(client, sale).content.decode()
    assert "Left: 2, for 50.00." in page
    assert "come back" not in page
    [told] = messages_of(credit(client, sale, pieces_1="1", back_1="on"))
    assert told.startswith(f"{sale}: credited by CN-")
    assert office.stock(vehicle_no=office.driver.vehicle_no) == left
