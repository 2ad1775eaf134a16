"""The office puts a sale right on one page: it is filled in with what was billed."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from customers.models import Customer
from foundation.access.capabilities import Role
from tests.admin.pages import logged_in, messages_of, url
from tests.conftest import Shop
from tests.factories import CustomerFactory, EquipmentFactory, MeteredCustomerFactory, UserFactory
from tests.types import Answer, Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db


def bill_again(client: Client, sale: Transaction, **answers: Any) -> Answer:
    """Choose it on the sale's page; with answers, answer its page too."""
    sent: dict[str, Any] = {"CHANGE_FORM-action": "bill_again", "_selected_action": [sale.pk]}
    if answers:
        sent |= {"reason": "Wrong", "customer": sale.customer_id, **answers, "_answered": "yes"}
    return client.post(url("transactions.transaction", "change", sale.pk), sent, follow=True)


@pytest.fixture
def sale(office: Shop) -> Transaction:
    answer = office.sell({"type": "SALE", "quantity": 2}, {"type": "DEPOSIT", "quantity": 2})
    return Transaction.objects.get(pk=answer.json()["transaction"]["id"])


@pytest.fixture
def clerk(office: Shop) -> Client:
    return logged_in(UserFactory(role=Role.SUPERVISOR, depot=office.depot))


def right_of(sale: Transaction) -> Transaction:
    return Transaction.objects.get(replaces=sale)


def lines_of(sale: Transaction) -> list[tuple[str, int, Decimal]]:
    return [(item.type, item.quantity, item.rate) for item in sale.items.order_by("pk")]


def test_the_page_is_filled_in_with_what_was_billed(sale: Transaction, clerk: Client) -> None:
    page = bill_again(clerk, sale).content.decode()
    assert f"{sale.customer_name}, " in page
    assert "Sale LPG cylinder" in page
    assert "billed at 25.00" in page
    assert '<input type="number" name="pieces_1" value="2"' in page
    assert f"{sale.invoice.invoice_number} of S$ 174.50 is credited" in page


def test_a_wrong_quantity_is_put_right(sale: Transaction, clerk: Client) -> None:
    done = bill_again(clerk, sale, pieces_1="1", pieces_2="1")
    assert messages_of(done) == [f"{sale}: billed again by {right_of(sale).invoice}, S$ 87.25."]
    assert lines_of(right_of(sale)) == [("SALE", 1, Decimal(25)), ("DEPOSIT", 1, Decimal(60))]


def test_a_wrong_price_is_put_right(sale: Transaction, clerk: Client) -> None:
    bill_again(clerk, sale, pieces_1="2", rate_1="22.00", pieces_2="2")
    assert lines_of(right_of(sale)) == [("SALE", 2, Decimal(22)), ("DEPOSIT", 2, Decimal(60))]
    page = bill_again(clerk, right_of(sale)).content.decode()
    assert '<input type="number" name="rate_1" value="22.00"' in page


def test_a_wrong_customer_is_put_right(sale: Transaction, clerk: Client) -> None:
    other = CustomerFactory()
    bill_again(clerk, sale, customer=other.pk, pieces_1="2", pieces_2="2", remarks="Next door")
    assert (right_of(sale).customer, right_of(sale).remarks) == (other, "Next door")


def test_a_wrong_reading_is_put_right(office: Shop, clerk: Client) -> None:
    metered: Customer = MeteredCustomerFactory()
    answer = office.sell(customer=metered.pk, current_meter="1250.00").json()
    sale = Transaction.objects.get(pk=answer["transaction"]["id"])
    page = bill_again(clerk, sale).content.decode()
    assert '<input type="number" name="current_meter" value="1250.00"' in page
    assert "The one before it is 1,200.00." in page
    bill_again(clerk, sale, current_meter="1205.00")
    assert right_of(sale).usage == 5


def test_what_was_sold_instead_is_another_line(office: Shop, sale: Transaction, clerk: Client) -> None:
    other = EquipmentFactory(default_rate="12.00")
    office.count("vehicle", office.driver.vehicle_no, 5, equipment_id=other.pk)
    more = {"what_more_1": other.pk, "type_more_1": "SALE", "pieces_more_1": "3", "rate_more_1": ""}
    bill_again(clerk, sale, pieces_1="0", pieces_2="", **more)
    assert lines_of(right_of(sale)) == [("SALE", 3, Decimal(12))]


def test_a_lost_shell_is_billed_again_without_what_the_server_says(office: Shop, clerk: Client) -> None:
    """The reason of a line stays; what its deposit is set off against follows from it."""
    office.sell({"type": "SALE"}, {"type": "DEPOSIT"})
    answer = office.sell({"type": "SHELL", "reason": "LOST", "rate": "100.00"}).json()
    sale = Transaction.objects.get(pk=answer["transaction"]["id"])
    page = bill_again(clerk, sale).content.decode()
    assert "Shell LPG cylinder" in page
    assert "Deposit set off" not in page
    bill_again(clerk, sale, pieces_1="1", rate_1="90.00")
    assert lines_of(right_of(sale)) == [("SHELL", 1, Decimal(90)), ("SETOFF", 1, Decimal(60))]
    assert right_of(sale).items.get(type="SHELL").reason == "LOST"


def test_what_comes_back_damaged_is_billed_again_so(office: Shop, clerk: Client) -> None:
    office.sell({"type": "SALE"})
    answer = office.sell({"type": "SALE", "quantity": 4}, {"type": "RETURN", "condition": "DAMAGED"}).json()
    sale = Transaction.objects.get(pk=answer["transaction"]["id"])
    assert ", damaged, billed at 0.00" in bill_again(clerk, sale).content.decode()
    bill_again(clerk, sale, pieces_1="5", pieces_2="1")
    assert [(item.type, item.quantity, item.condition) for item in right_of(sale).items.order_by("pk")] == [
        ("SALE", 5, ""), ("RETURN", 1, "DAMAGED"),
    ]  # fmt: skip


def test_what_is_missing_is_said_at_its_field(sale: Transaction, clerk: Client, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        page = bill_again(clerk, sale, pieces_1="1e3", what_more_1=sale.items.get(type="SALE").equipment_id)
    assert "Another line needs what, how it was sold, and how many." in page.content.decode()
    assert "Enter a whole number." in page.content.decode()


def test_what_is_impossible_is_not_offered(office: Shop, sale: Transaction, clerk: Client) -> None:
    def offered(row: Transaction) -> set[str]:
        page = clerk.get(url("transactions.transaction", "change", row.pk)).content.decode()
        return {name for name in ("void", "credit", "bill_again") if f'<option value="{name}"' in page}

    assert offered(sale) == {"void", "credit", "bill_again"}
    credit = {"reason": "x", "lines": [{"line": 1, "quantity": 1}]}
    office.client_of(office.admin).post(f"/api/invoices/{sale.invoice_id}/credit/", credit)
    assert offered(sale) == {"credit"}
    assert offered(Transaction.objects.get(corrects=sale)) == set()
    other = Transaction.objects.get(pk=office.sell({"type": "SALE"}).json()["transaction"]["id"])
    bill_again(clerk, other, pieces_1="2")
    assert (offered(other), offered(right_of(other))) == (set(), {"void", "credit", "bill_again"})
