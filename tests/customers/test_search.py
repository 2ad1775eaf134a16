"""Documents are found by their number, or by whose they are."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from audit.models import AuditLog
from customers import search
from customers.models import Customer
from foundation import clock
from foundation.access.capabilities import Role
from foundation.searching import filling_search_columns
from tests.admin.pages import logged_in
from tests.conftest import Shop
from tests.factories import (
    CustomerFactory,
    CustomerRateFactory,
    DepotFactory,
    EquipmentFactory,
    MeteredCustomerFactory,
    UserFactory,
)
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
    customer = Customer.objects.get(name="Hup Lee Bakery")
    customer.name, customer.customer_code = "Kopitiam Lee", "AAA"
    customer.save()
    assert found(shop, "transactions", search="kopitiam") == [two[0]["transaction"]["id"]]


# --- What is taken for the same ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("José Café", ["jose", "JOSÉ CAFE", "jose\u0301", "Jos", "café"]),
        ("Nguyễn Thị Đặng", ["nguyen dang", "NGUYỄN", "đặng", "thi"]),
        ("Straße Ærø Łódź", ["strasse", "aero", "lodz", "STRASSE"]),
        ("ＡＢＣ Ｔｒａｄｉｎｇ", ["abc trading", "ｔrad"]),
        ("Å Kassim", ["a kassim", "\u212b Kas"]),
        ("陈大文记", ["陈", "大文", "文记", "陈大文记", "大 记"]),
        ("喆堃犇㗎", ["堃", "犇㗎"]),
        ("\U00020bb7野家", ["\U00020bb7", "野家"]),
        ("김치찌개", ["김치", "찌개"]),
        ("முருகன் உணவகம்", ["முருகன்", "உணவ"]),
        ("กรุงเทพ", ["กรุง", "เทพ"]),
        ("100% Halal_Food", ["100%", "l_f"]),
    ],
)
def test_a_customer_is_found_by_any_part_of_the_name(shop: Shop, name: str, asked: list[str]) -> None:
    customer = CustomerFactory(name=name)
    CustomerFactory(name="\U0002123d Somebody Else 100 HalalxFood", phone="8123 4567")
    for text in asked:
        assert found(shop, "customers", search=text) == [customer.pk], text
        assert in_office(shop, "customers/customer", text) == [customer.pk], text


def test_a_mark_that_makes_another_letter_counts(shop: Shop) -> None:
    customer = CustomerFactory(name="ガス")
    assert found(shop, "customers", search="カス") == in_office(shop, "customers/customer", "カス") == []
    assert found(shop, "customers", search="ガス") == [customer.pk]


@pytest.mark.parametrize(
    "phone", ["+65 9123 4567", "91234567", "9123-4567", "(65) 9123 4567", "6591234567", "９１２３ ４５６７"]
)
def test_a_customer_is_found_by_the_phone_however_it_is_grouped(shop: Shop, phone: str) -> None:
    customer = CustomerFactory(phone=phone)
    CustomerFactory(phone="+65 9123 4568", postal_code="912345", address="Blk 9123 #45-67")
    for asked in ("+65 9123 4567", "91234567", "9123 4567", " 65 91234567", "+65-9123-4567", "34567"):
        assert found(shop, "customers", search=asked) == [customer.pk], asked
        assert in_office(shop, "customers/customer", asked) == [customer.pk], asked


def test_other_countries_phones_and_words_beside_them(shop: Shop) -> None:
    customer = CustomerFactory(name="Aminah", phone="+60 12-345 6789 / 6123 4567")
    for asked in ("+60123456789", "+60 12 345 6789", "aminah 61234567", "6123 4567 aminah"):
        assert found(shop, "customers", search=asked) == [customer.pk], asked


def test_what_a_customer_is_found_by_follows_every_change(shop: Shop) -> None:
    customer = MeteredCustomerFactory(name="Ah Hock", address="Somewhere")
    client = shop.client_of(shop.admin)
    assert client.patch(f"/api/customers/{customer.pk}/", {"name": "José"}).status_code == 200
    assert found(shop, "customers", search="jose") == [customer.pk]
    assert client.patch(f"/api/customers/{customer.pk}/", {"phone": "+65 6123 4567"}).status_code == 200
    assert found(shop, "customers", search="61234567") == [customer.pk]
    new_meter = {"final_reading": "1212.00", "new_meter_number": "Zähler 7", "first_reading": "0.00"}
    assert client.post(f"/api/customers/{customer.pk}/replace-meter/", new_meter).status_code == 201
    for asked in ("jose", "61234567", "zahler", "somewhere"):
        assert found(shop, "customers", search=asked) == [customer.pk], asked
    assert found(shop, "customers", search="hock") == []


def test_an_added_customer_s_evidence_says_what_was_sent(shop: Shop) -> None:
    assert shop.client_of(shop.admin).post("/api/customers/", {"name": "José"}).status_code == 201
    said = AuditLog.objects.latest("id").after or {}
    assert said["name"] == "José"
    assert not any("search" in name for name in said)


def test_whatever_else_has_a_name_is_found_alike(shop: Shop) -> None:
    depot, equipment = DepotFactory(name="Dépôt Süd"), EquipmentFactory(name="Régulateur")
    user = UserFactory(first_name="Zoë", role=Role.ADMIN)
    customer = CustomerFactory(name="Café")
    CustomerRateFactory(customer=customer, equipment=equipment, created_by=user)
    assert found(shop, "depots", search="depot sud") == [depot.pk]
    assert found(shop, "equipment", search="regulateur") == [equipment.pk]
    assert found(shop, "accounts/users", search="zoe") == [user.pk]
    assert len(in_office(shop, "customers/customerrate", "cafe regul")) == 1


def test_documents_are_found_by_their_customers_names_alike(shop: Shop) -> None:
    sold = shop.sell(SALE, customer=CustomerFactory(name="José 大文").pk).json()
    assert shop.sell(SALE).status_code == 201
    for asked in ("jose", "大", "文"):
        assert found(shop, "transactions", search=asked) == [sold["transaction"]["id"]]
        assert found(shop, "invoices", search=asked) == [sold["invoice"]["id"]]


def test_an_upgrade_fills_what_rows_are_found_by(shop: Shop) -> None:
    customer = CustomerFactory(name="José", phone="+65 9123 4567")
    Customer.objects.update(search_name="", search_contact="")
    registry: Any = apps
    filling_search_columns("customers", "Customer").code(registry, connection.schema_editor())
    assert found(shop, "customers", search="jose 91234567") == [customer.pk]
    assert not Customer.objects.filter(search_name="").exists()


def in_office(shop: Shop, page: str, asked: str) -> list[int]:
    rows = logged_in(shop.admin).get(f"/admin/{page}/", {"q": asked}).context["cl"].result_list
    return [row.pk for row in rows]


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
