"""Who deactivates something is told what is still out with it."""

from typing import Any

import pytest

from accounts.models import User
from customers.models import Customer
from depots.models import Depot
from equipment.models import Equipment
from foundation.remains import remaining
from sync.services import push
from tests.admin.pages import logged_in, messages_of, url
from tests.conftest import Shop
from tests.factories import CustomerFactory, DepotFactory, EquipmentFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def out(shop: Shop) -> dict[Any, set[str]]:
    """A row of each kind, and what is out with it."""
    sku, driver, depot = shop.cylinder.sku, shop.driver, shop.depot
    client = shop.client_of(driver)
    charged = shop.sell({"type": "SALE", "quantity": 2}, {"type": "DEPOSIT", "quantity": 2}).json()["invoice"]["id"]
    assert client.post(f"/api/invoices/{charged}/pay/", {"method": "PAYNOW"}).status_code == 200
    assert shop.sell({"type": "RETURN"}).status_code == 201  # a credit note of 60.00
    # Another deposit that came back: nothing of it is out.
    came_back = EquipmentFactory(default_rate=0)
    shop.stocked("vehicle", driver.vehicle_no, 1, equipment_id=came_back.pk)
    for kinds in (("SALE", "DEPOSIT"), ("RETURN",)):
        lines = [{"type": kind, "equipment": came_back.pk} for kind in kinds]
        assert shop.sell(*lines, payment_received=True).status_code == 201
    assert shop.sell({"type": "SALE"}, payment_received=True).status_code == 201
    invoice = shop.sell({"type": "SALE"}).json()["invoice"]["id"]
    assert client.post(f"/api/invoices/{invoice}/pay/", {"amount": "10.00"}).status_code == 200
    money = {"customer": shop.customer.pk, "method": "CHEQUE", "amount": "5.00", "allocations": []}
    assert client.post("/api/payments/", money).status_code == 201
    other = {"customer": CustomerFactory().pk}
    refused = {"type": "SALE", "equipment": shop.cylinder.pk, "quantity": 500}
    operations = [
        {"type": "transaction.create", "client_temp_id": name, "data": {**customer, "items": [refused]}}
        for name, customer in (("a", {"customer": shop.customer.pk}), ("b", other))
    ]
    assert {result.status for result in push(actor=driver, operations=[*operations, "no operation"])} == {"rejected"}
    draft = shop.draft({"direction": "OUT"}).json()["distribution_number"]
    done = shop.draft({"direction": "OUT"}).json()
    assert shop.client_of(driver).post(f"/api/distributions/{done['id']}/cancel/").status_code == 200
    UserFactory(depot=depot, is_active=False)
    shop.stocked("customer", CustomerFactory().pk, 4)
    return {
        shop.customer: {
            f"3 {sku} at the site",
            f"deposit of S$ 60.00 for 1 {sku}",
            "S$ 21.07 open of invoices",
            "S$ 60.00 open of credit notes",
            "S$ 5.00 of credit",
            "1 operation refused from the field to be decided",
        },
        depot: {
            f"100 FULL {sku} in it",
            f"{shop.admin.username} works there",
            f"{driver.username} works there",
            f"{driver.vehicle_no} belongs to it",
            f"{draft} is neither confirmed nor cancelled",
        },
        shop.cylinder: {
            "100 FULL in depots",
            "16 FULL on vehicles",
            "1 EMPTY on vehicles",
            "7 FULL at customers' sites",
            "deposits of 1 customer",
        },
        driver: {
            f"drives {driver.vehicle_no}",
            "S$ 41.07 of cash in the bag",
            "3 operations refused from the field to be decided",
            f"{draft} is neither confirmed nor cancelled",
        },
    }


def address(row: Any) -> str:
    plural = {Customer: "customers", User: "accounts/users", Depot: "depots", Equipment: "equipment"}[type(row)]
    return f"/api/{plural}/{row.pk}/"


def test_a_customer_with_several_deposits_is_one(shop: Shop) -> None:
    for customer in (shop.customer, shop.customer, CustomerFactory()):
        assert shop.sell({"type": "DEPOSIT"}, customer=customer.pk).status_code == 201
    other = CustomerFactory()
    for kinds in (("SALE", "DEPOSIT"), ("RETURN",)):
        assert shop.sell(*({"type": kind} for kind in kinds), customer=other.pk).status_code == 201
    assert "deposits of 2 customers" in remaining(shop.cylinder)


def test_the_api_says_what_is_still_out(shop: Shop, out: dict[Any, set[str]]) -> None:
    admin = shop.client_of(shop.admin)
    for row, said in out.items():
        answer = admin.delete(address(row))
        assert answer.status_code == 200
        assert set(answer.json()["remaining"]) == said, row
        row.refresh_from_db()
        assert row.is_active is False


def test_so_does_the_office(shop: Shop, out: dict[Any, set[str]]) -> None:
    office = logged_in(shop.admin)
    for row, said in out.items():
        body = {"action": "deactivate", "_selected_action": [row.pk]}
        messages = messages_of(office.post(url(type(row)), body, follow=True))
        assert f"{row}: {'; '.join(remaining(row))}." in messages
        assert said == set(remaining(row))


def test_of_what_is_out_with_nothing_nothing_is_said(shop: Shop) -> None:
    for row in (CustomerFactory(), DepotFactory(), EquipmentFactory(), UserFactory(depot=None)):
        assert shop.client_of(shop.admin).delete(address(row)).json() == {"remaining": []}


def test_whoever_leaves_has_counts_to_be_decided(shop: Shop) -> None:
    """Their own, and those alone."""
    colleague = UserFactory(depot=shop.depot)
    counted = shop.client_of(shop.driver).post("/api/vehicle-counts/", {"counts": []}).json()["count_number"]
    cash = shop.client_of(shop.driver).post("/api/cash-counts/", {"cash": "0.00"}).json()["count_number"]
    said = {f"{number} is still to be signed off" for number in (counted, cash)}
    assert said <= set(map(str, remaining(shop.driver)))
    assert not said & set(map(str, remaining(colleague)))
