"""Balances of deposits that earlier releases kept become lots."""

from datetime import datetime, timedelta
from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from deposits.models import DepositLot, LotMovement
from foundation import clock
from tests.conftest import Shop
from tests.deposits.test_cases import charged, held, returned, sold, verified, void
from tests.factories import CustomerFactory, EquipmentFactory
from tests.types import Json
from transactions.models import DepositBalance

pytestmark = pytest.mark.django_db(transaction=True)


def without_lots() -> None:
    with connection.cursor() as cursor:
        # What reverses others first.
        cursor.execute("DELETE FROM deposits_lotmovement WHERE reverses_id IS NOT NULL")
        cursor.execute("DELETE FROM deposits_lotmovement")
        cursor.execute("DELETE FROM deposits_depositlot")


def as_before(shop: Shop, *balances: tuple[int, int, str]) -> None:
    """As earlier releases left the books: balances of a customer, and no lots."""
    without_lots()
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


def told_otherwise(shop: Shop, refunded: str, pieces: int = 1) -> tuple[Json, Json, Json]:
    """Two sales of 3 and 1 at 40.00, and a return of some of them at another price: of which, nobody knows."""
    first, second, refund = charged(shop, 3, "40.00"), charged(shop, 1, "40.00"), returned(shop, pieces)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE transactions_transactionitem SET amount = %s, rate = %s WHERE type = 'RETURN'",
            [-pieces * Decimal(refunded), refunded],
        )
    return first, second, refund


def test_what_a_known_lot_lacks_is_of_its_balance(shop: Shop, unguarded: None) -> None:
    """What came in and is not known apart goes out of all that is held of it, as far as that has it."""
    other = EquipmentFactory()
    first, second, _ = told_otherwise(shop, "20.00")
    without_lots()
    # Lots of another customer and of another equipment are older; one that was charged since is known.
    for customer, equipment in ((CustomerFactory(), shop.cylinder), (shop.customer, other)):
        DepositLot.objects.create(
            customer=customer, equipment=equipment, pieces=9, amount=Decimal("900.00"), occurred_at=clock.now()
        )
    DepositLot.objects.create(
        customer=shop.customer, equipment=shop.cylinder, pieces=9, amount=Decimal("900.00"), occurred_at=clock.now(),
        cause_type="transactions.transaction", cause_id=0,
    )  # fmt: skip
    DepositLot.objects.create(
        customer=shop.customer, equipment=shop.cylinder, pieces=3, amount=Decimal("140.00"), occurred_at=clock.now()
    )
    assert void(shop, second).status_code == 201
    assert lots() == [(9, "900.00", ""), (9, "900.00", ""), (9, "900.00", ""), (2, "100.00", "")]
    [moved] = LotMovement.objects.all()
    assert (moved.kind, moved.pieces, moved.amount) == ("VOIDED", -1, Decimal("-40.00"))
    sold(shop, {"type": "SALE", "quantity": 3})
    assert void(shop, first).json()["errors"][0]["code"] == "deposit_refunded"


@pytest.mark.parametrize(
    ("pieces", "amount", "status"),
    [(2, "80.00", 201), (3, "80.00", 201), (3, "79.99", 409), (2, "80.01", 409), (1, "90.00", 409), (0, "0.00", 409)],
)
def test_a_balance_that_lacks_some_of_a_charge_keeps_it(
    shop: Shop, unguarded: None, pieces: int, amount: str, status: int
) -> None:
    sale = charged(shop, 2, "40.00")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM deposits_lotmovement")
    DepositLot.objects.update(cause_type="", cause_id=None, pieces=pieces, amount=Decimal(amount))
    assert void(shop, sale).status_code == status


def test_a_refund_of_an_earlier_release_is_a_lot_again_when_it_is_voided(shop: Shop, unguarded: None) -> None:
    _, _, refund = told_otherwise(shop, "20.00", 2)
    as_before(shop, (shop.customer.pk, 2, "120.00"))
    assert lots() == [(2, "120.00", "")]
    voiding = void(shop, refund).json()
    assert lots() == [(2, "120.00", ""), (2, "40.00", voiding["invoice"]["invoice_number"])]
    assert not any("deposits held" in line for line in verified())


def test_a_return_that_refunded_nothing_is_no_lot_when_it_is_voided(shop: Shop, unguarded: None) -> None:
    sold(shop, {"type": "SALE"})
    refund = returned(shop)
    assert void(shop, refund).status_code == 201
    assert lots() == []


def test_a_lot_is_what_its_pieces_were_charged_rounded_as_it_was_refunded(shop: Shop, unguarded: None) -> None:
    """3 for 100.01: one of them is 33.34, as 33.336… is rounded."""
    charged(shop, 3, "33.33")
    returned(shop, 1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE transactions_transactionitem SET amount = 100.01 WHERE type = 'DEPOSIT'")
        cursor.execute("UPDATE transactions_transactionitem SET amount = -33.34 WHERE type = 'RETURN'")
    as_before(shop, (shop.customer.pk, 2, "66.67"))
    [(pieces, amount, number)] = lots()
    assert (pieces, amount, bool(number)) == (2, "66.67", True)


@pytest.mark.parametrize(("quantity", "amount"), [(2, "119.99"), (1, "120.00")])
def test_lots_that_come_to_something_else_than_the_balance_are_one(
    shop: Shop, unguarded: None, quantity: int, amount: str
) -> None:
    charged(shop, 1)
    sale = charged(shop, 1, occurred_at=(clock.now() - timedelta(hours=1)).isoformat())
    as_before(shop, (shop.customer.pk, quantity, amount))
    assert lots() == [(quantity, amount, "")]
    lot, [moved] = DepositLot.objects.get(), LotMovement.objects.all()
    assert (moved.kind, moved.pieces, str(moved.amount)) == ("OPENING", quantity, amount)
    assert lot.occurred_at == datetime.fromisoformat(sale["transaction"]["occurred_at"])


def test_a_return_of_several_lots_is_known_in_each(shop: Shop, unguarded: None) -> None:
    numbers = [
        charged(shop, pieces, amount)["invoice"]["invoice_number"] for pieces, amount in ((1, "40.00"), (2, "60.00"))
    ]
    returned(shop, 2)
    as_before(shop, (shop.customer.pk, 1, "60.00"))
    assert lots() == [(0, "0.00", numbers[0]), (1, "60.00", numbers[1])]
    assert verified_but_guards() == []


def test_lots_that_leave_another_amount_than_was_refunded_are_one(shop: Shop, unguarded: None) -> None:
    """The first return was of what cost 60.00, the second of what cost 40.00: which is left, nobody says."""
    for amount in ("40.00", "60.00", "50.00"):
        charged(shop, 1, amount)
    for refunded in (60, 40):
        refund = returned(shop, 1)["transaction"]["id"]
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE transactions_transactionitem SET amount = %s, rate = %s WHERE transaction_id = %s",
                [-refunded, refunded, refund],
            )
    as_before(shop, (shop.customer.pk, 1, "50.00"))
    assert lots() == [(1, "50.00", "")]


def test_pieces_for_less_than_nothing_are_listed_and_no_lot(shop: Shop, unguarded: None) -> None:
    charged(shop, 2, "60.00")
    as_before(shop, (shop.customer.pk, 2, "-0.01"))
    assert lots() == []
    [left] = DepositBalance.objects.all()
    assert (left.quantity, left.amount) == (2, Decimal("-0.01"))


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
