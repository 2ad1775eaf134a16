"""Documents are found by their number, or by whose they are."""

from datetime import timedelta

import pytest

from customers import search
from customers.models import Customer
from foundation import clock
from tests.admin.pages import logged_in
from tests.conftest import Shop
from tests.factories import CustomerFactory
from tests.types import Json

pytestmark = pytest.mark.django_db
SALE = {"type": "SALE"}
Sold = dict[str, Json]


def found(shop: Shop, address: str, **query: str) -> list[int]:
    answer = shop.client_of(shop.admin).get(f"/api/{address}/", query)
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


@pytest.fixture
def two(shop: Shop) -> list[Sold]:
    """Two paid sales, of Bakery Hup Lee and of Kopitiam Tan."""
    sales = []
    for name in ("Hup Lee Bakery", "Kopitiam Tan"):
        customer = CustomerFactory(name=name)
        sold = shop.sell(SALE, customer=customer.pk, payment_received=True)
        assert sold.status_code == 201
        sales.append(sold.json())
    return sales


def test_by_the_beginning_of_a_number_the_highest_first(shop: Shop, two: list[Sold]) -> None:
    first, second = two
    number, invoice_number = second["transaction"]["transaction_number"], second["invoice"]["invoice_number"]
    both = [second["transaction"]["id"], first["transaction"]["id"]]
    assert found(shop, "transactions", search=number[:12]) == both
    assert found(shop, "transactions", search=number.lower()) == both[:1]
    assert found(shop, "transactions", search=invoice_number) == both[:1]
    assert found(shop, "invoices", search=invoice_number) == [second["invoice"]["id"]]
    assert found(shop, "invoices", search=number) == [second["invoice"]["id"]]
    assert found(shop, "transactions", search="TRX-19990101") == []


def test_by_words_of_the_customer_in_any_order(shop: Shop, two: list[Sold]) -> None:
    first, second = two
    code = Customer.objects.get(name="Kopitiam Tan").customer_code
    for words in ("bakery hup", "Hup Lee", " lee "):
        assert found(shop, "transactions", search=words) == [first["transaction"]["id"]]
    assert found(shop, "invoices", search=code) == [second["invoice"]["id"]]
    assert found(shop, "invoices", search="hup tan") == []
    assert len(found(shop, "invoices", search=" ")) == 2


def test_payments_also_by_their_whole_reference(shop: Shop, two: list[Sold]) -> None:
    [later, earlier] = found(shop, "payments")
    assert found(shop, "payments", search=f"pay-{later:06d}") == [later]
    assert found(shop, "payments", search="PAY-x") == found(shop, "payments", search="PAY-" + "9" * 30) == []
    assert found(shop, "payments", search="bakery") == [earlier]
    body = {"customer": two[0]["transaction"]["customer"], "method": "BANK_TRANSFER", "amount": "5.00",
            "reference": "OCBC 77", "allocations": []}  # fmt: skip
    paid = shop.client_of(shop.admin).post("/api/payments/", body)
    assert paid.status_code == 201, paid.content
    assert found(shop, "payments", search="OCBC 77") == [paid.json()["id"]]


def test_no_search_looks_at_more_than_some_customers(
    shop: Shop, two: list[Sold], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "CUSTOMERS_AT_MOST", 1)
    Customer.objects.filter(name="Hup Lee Bakery").update(name="Kopitiam Lee", customer_code="AAA")
    assert found(shop, "transactions", search="kopitiam") == [two[0]["transaction"]["id"]]


def test_the_office_finds_the_same(shop: Shop, two: list[Sold]) -> None:
    office, second = logged_in(shop.admin), two[1]
    for page, words in (
        ("transactions/transaction", second["transaction"]["transaction_number"]),
        ("transactions/transaction", "kopitiam tan"),
        ("invoices/invoice", second["invoice"]["invoice_number"]),
        ("invoices/payment", "kopitiam tan"),
    ):
        text = office.get(f"/admin/{page}/", {"q": words}).content.decode()
        assert "Kopitiam Tan" in text
        assert "Hup Lee Bakery" not in text


def test_a_period_comes_in_its_own_order(shop: Shop) -> None:
    now = clock.now()
    old = shop.sell(SALE, occurred_at=(now - timedelta(days=2)).isoformat()).json()["transaction"]["id"]
    older = shop.sell(SALE, occurred_at=(now - timedelta(days=3)).isoformat()).json()["transaction"]["id"]
    since = (now - timedelta(days=5)).isoformat()
    assert found(shop, "transactions") == [older, old]
    assert found(shop, "transactions", occurred_after=since) == [old, older]
    assert found(shop, "transactions", occurred_after=since, ordering="occurred_at") == [older, old]
