"""Balances of deposits that earlier releases kept become lots."""

from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from deposits.models import DepositLot, LotMovement
from tests.conftest import Shop
from tests.deposits.test_cases import charged, held, returned, sold, verified, void
from tests.factories import CustomerFactory
from transactions.models import DepositBalance

pytestmark = pytest.mark.django_db(transaction=True)


def as_before(shop: Shop, *balances: tuple[int, int, str]) -> None:
    """As earlier releases left the books: balances of a customer, and no lots."""
    with connection.cursor() as cursor:
        for model in (LotMovement, DepositLot):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
    for customer, quantity, amount in balances:
        DepositBalance.objects.create(
            customer_id=customer, equipment=shop.cylinder, quantity=quantity, amount=Decimal(amount)
        )
    import_module("transactions.migrations.0011_fill_lots").fill(apps, None)


def lots() -> list[tuple[int, str, str]]:
    rows = DepositLot.objects.order_by("pk").values_list("pieces", "amount", "document_number")
    return [(pieces, str(amount), number) for pieces, amount, number in rows]


def test_deposits_that_can_be_told_apart_are_lots_with_their_documents(shop: Shop, unguarded: None) -> None:
    first, second = charged(shop, 2, "40.00"), charged(shop, 1, "60.00")
    refund = returned(shop, 1)
    void(shop, charged(shop, 5))
    numbers = [each["invoice"]["invoice_number"] for each in (first, second)]
    as_before(shop, (shop.customer.pk, 2, "100.00"))
    assert lots() == [(1, "40.00", numbers[0]), (1, "60.00", numbers[1])]
    assert verified_but_guards() == []
    # What was returned before is known, and can be taken back.
    assert void(shop, first).json()["errors"][0]["code"] == "deposit_refunded"
    assert void(shop, refund).status_code == 201
    assert held(shop) == (3, 0, [(2, "80.00"), (1, "60.00")])
    assert verified_but_guards() == []


def test_what_cant_be_told_apart_is_one_lot_with_its_amount(shop: Shop, unguarded: None) -> None:
    sale = charged(shop, 3, "40.00")
    # Returned at another price than was charged, as earlier releases did.
    returned(shop, 1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE transactions_transactionitem SET amount = -20, rate = 20 WHERE type = 'RETURN'")
    as_before(shop, (shop.customer.pk, 2, "100.00"))
    assert lots() == [(2, "100.00", "")]
    assert returned(shop, 1)["invoice"]["total_amount"] == "-50.00"
    sold(shop, {"type": "SALE", "quantity": 3})
    assert void(shop, sale).json()["errors"][0]["code"] == "deposit_refunded"


def test_a_balance_below_zero_is_listed_and_no_lot(shop: Shop, unguarded: None) -> None:
    other = CustomerFactory()
    sale = charged(shop, 2, "60.00")
    as_before(shop, (shop.customer.pk, 2, "120.00"), (other.pk, -2, "-120.00"))
    assert lots() == [(2, "120.00", sale["invoice"]["invoice_number"])]
    [left] = DepositBalance.objects.all()
    assert (left.customer, left.quantity, left.amount) == (other, -2, Decimal("-120.00"))
    # What was held before, and what is listed, are all of the lots.
    assert Decimal("0.00") + 120 == sum(Decimal(amount) for _, amount, _ in lots())


def test_what_is_settled_leaves_neither(shop: Shop, unguarded: None) -> None:
    charged(shop, 1, "60.00")
    returned(shop)
    as_before(shop, (shop.customer.pk, 0, "0.00"))
    assert lots() == []
    assert not DepositBalance.objects.exists()
    sold(shop, {"type": "SALE"})
    assert verified_but_guards() == []


def verified_but_guards() -> list[str]:
    """The test dropped them."""
    found = verified()
    beside = ("guard", "trigger", "… and more")
    return [line for line in found if not any(word in line.lower() for word in beside)]
