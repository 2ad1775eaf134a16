"""Whatever is done with deposits, in whatever order: no customer is paid out more than they have paid in."""

import os
import random
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from customers.models import Customer
from deposits.models import DepositLot
from equipment.models import Equipment
from foundation import clock
from payments.models import Payment
from tests.conftest import Shop
from tests.deposits.test_cases import verified
from tests.factories import CustomerFactory, EquipmentFactory, priced
from transactions.models import Transaction, TransactionItem

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = int(os.environ.get("DEPOSIT_WALK_STEPS", "120"))
PAID_BACK = ("RETURN", "SETOFF")


def items_of(chance: random.Random, cylinder: Equipment, other: Equipment) -> list[dict[str, object]]:
    kind = chance.choice(["charge", "charge", "lend", "return", "return", "return", "swap", "exchange", "lost"])
    one, pieces = {"equipment": cylinder.pk, "quantity": chance.randint(1, 3)}, chance.randint(1, 2)
    match kind:
        case "charge":
            return [{**one, "type": "SALE"}, {**one, "type": "DEPOSIT"}]
        case "lend":
            return [{**one, "type": "SALE"}]
        case "swap":
            return [{**one, "type": "SWAP"}, {**one, "type": "RETURN", "quantity": 1}]
        case "exchange":
            return [{**one, "type": "SWAP", "quantity": 1, "returned_equipment": other.pk}]
        case "lost":
            return [{**one, "type": "SHELL", "reason": "LOST", "rate": "0.05", "quantity": 1}]
    return [{**one, "type": "RETURN", "quantity": pieces}]


@pytest.mark.parametrize("seed", [1, 2])
def test_no_walk_pays_out_more_than_was_paid_in(shop: Shop, seed: int) -> None:
    chance = random.Random(seed)
    customers = [shop.customer, CustomerFactory()]
    cylinders = [shop.cylinder, EquipmentFactory(deposit=Decimal("45.00"))]
    for cylinder in cylinders:
        shop.stocked("vehicle", shop.driver.vehicle_no, 90_000, equipment_id=cylinder.pk)
    # Gas for a cent: what is paid for it hides nothing.
    for cylinder in cylinders:
        priced(cylinder, default_rate=Decimal("0.01"))
    driver, admin = shop.client_of(shop.driver), shop.client_of(shop.admin)
    outcomes: Counter[tuple[str, object]] = Counter()
    number = 0
    for step in range(STEPS):
        cylinder, other = chance.sample(cylinders, 2)
        if chance.random() < 0.05:
            priced(cylinder, deposit=chance.choice(["33.33", "40.00", "60.00", "75.50"]))
        customer = chance.choice(customers)
        items = items_of(chance, cylinder, other)
        sale = {
            "customer": customer.pk,
            "items": items,
            "payment_received": chance.random() < 0.7,
        }
        if chance.random() < 0.2:
            latest = list(Transaction.objects.filter(reverses=None, reversal=None).order_by("-pk")[:8])
            if latest:
                chosen = chance.choice(latest)
                answer = admin.post(f"/api/transactions/{chosen.pk}/void/", {"reason": "x", "goods": "came_back"})
                outcomes["void", answer.status_code] += 1
        elif chance.random() < 0.3:
            number += 1
            happened = (clock.now() - timedelta(hours=chance.randint(0, 48))).isoformat()
            operation = {
                "type": "transaction.create", "client_temp_id": f"{seed}-{step}", "number": number,
                "occurred_at": happened, "data": sale,
            }  # fmt: skip
            pushed = driver.post(
                "/api/sync/push/",
                {
                    "protocol": 2, "sent_at": clock.now().isoformat(), "device": {"id": "walk", "last_number": number},
                    "operations": [operation],
                },
            )  # fmt: skip
            assert pushed.status_code == 200, pushed.json()
            outcomes["push", pushed.json()["results"][0]["status"]] += 1
        else:
            # A shell for a cent is the office's to let go.
            seller = admin if any(item["type"] == "SHELL" for item in items) else driver
            outcomes["sale", seller.post("/api/transactions/", sale).status_code] += 1
        if step % max(1, STEPS // 40) == 0 or step == STEPS - 1:
            require_no_gain(customers)
    assert verified() == []
    assert outcomes["sale", 201] > STEPS // 5, outcomes
    assert outcomes["void", 201] > STEPS // 40, outcomes
    assert outcomes["push", "created"] > STEPS // 40, outcomes


def require_no_gain(customers: list[Customer]) -> None:
    """For each customer, and so in sum: refunded is at most what was charged, and paid out what was paid in."""
    for customer in customers:
        lines = TransactionItem.objects.filter(transaction__customer=customer)
        charged = lines.filter(type="DEPOSIT").aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
        refunded = -(lines.filter(type__in=PAID_BACK).aggregate(sum=Sum("amount"))["sum"] or Decimal(0))
        assert Decimal(0) <= refunded <= charged
        held = DepositLot.objects.filter(customer=customer).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
        assert round(held, 2) == round(charged - refunded, 2)
        money = Payment.objects.filter(customer=customer).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
        assert money >= 0
