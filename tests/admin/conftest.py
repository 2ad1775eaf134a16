"""A shop with one of everything that the office shows."""

import copy

import pytest

from audit import seals
from audit.models import Confirmation
from discrepancies.services import Code, note_discrepancy
from fleet.models import Vehicle
from foundation import clock
from inventory.services import create_reorder_level
from sync.devices import DeviceSays, hear_of
from sync.feed import number_changes
from tests.conftest import KeptWorld, Shop, open_shop
from tests.factories import CustomerRateFactory, MeteredCustomerFactory, VehicleFactory
from transactions.models import DepositBalance, Transaction


@pytest.fixture(scope="module")
def kept_office(kept_world: KeptWorld) -> Shop:
    with kept_world.being_made():
        return furnished(open_shop())


@pytest.fixture
def office(db: None, stub_pdf: None, kept_world: KeptWorld, kept_office: Shop) -> Shop:
    kept_world.bring_documents()
    return copy.deepcopy(kept_office)


def furnished(shop: Shop) -> Shop:
    load = shop.draft({"direction": "OUT", "quantity": 5}).json()
    shop.confirm(load["id"])
    shop.draft({"direction": "OUT", "quantity": 2})
    CustomerRateFactory(customer=shop.customer, equipment=shop.cylinder, created_by=shop.admin)
    metered = MeteredCustomerFactory()
    response = shop.sell(
        {"type": "SALE"}, {"type": "DEPOSIT"}, customer=metered.pk, current_meter="1210.00", client_temp_id="op-1"
    )
    assert response.status_code == 201
    refused = {"type": "transaction.create", "client_temp_id": "op-2", "data": {"customer": metered.pk}}
    assert shop.client_of(shop.driver).post("/api/sync/push/", {"operations": [refused]}).status_code == 200
    sale = Transaction.objects.get(pk=response.json()["transaction"]["id"])
    hear_of(actor=shop.driver, said=DeviceSays("phone", 1), now=clock.now())
    Confirmation.objects.create(
        code="quantity_unlikely", attr="items.0.quantity", value="60", detail="60 are many.", user=shop.driver,
        entity_type="transactions.transaction", entity_id=sale.pk, depot=shop.depot, at=sale.created_at, date=sale.date,
    )  # fmt: skip
    note_discrepancy(
        Code.TOTAL_DIFFERS, user=shop.driver, about=sale, detail="Another total was shown.", now=clock.now()
    )
    customer = {"name": "Renamed"}
    assert shop.client_of(shop.admin).patch(f"/api/customers/{metered.pk}/", customer).status_code == 200
    office = shop.client_of(shop.admin)
    assert office.patch(f"/api/customers/{metered.pk}/", {"email": "metered@example.sg"}).status_code == 200
    DepositBalance.objects.create(customer=shop.customer, equipment=shop.cylinder, quantity=0, amount="0.00")
    create_reorder_level(actor=shop.admin, values={"depot": shop.depot, "equipment": shop.cylinder, "quantity": 1})
    owed = shop.sell({"type": "SALE"}, customer=metered.pk).json()["invoice"]
    assert office.post(f"/api/invoices/{owed['id']}/pay/", {"amount": "5.00"}).status_code == 200
    assert office.post(f"/api/invoices/{owed['id']}/email/", {}).status_code == 202
    new_meter = {"final_reading": "1212.00", "new_meter_number": "NEW", "first_reading": "0.00"}
    assert office.post(f"/api/customers/{metered.pk}/replace-meter/", new_meter).status_code == 201
    item = {"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 1}
    work = {"kind": "GOODS_IN", "depot": shop.depot.pk, "reason": "Bought", "items": [item]}
    assert office.post("/api/depot-work/", work).status_code == 201
    given = {"to_vehicle": VehicleFactory(depot=shop.depot).number, "items": [item]}
    vehicle = Vehicle.objects.get(number=shop.driver.vehicle_no)
    assert office.post(f"/api/vehicles/{vehicle.pk}/transfer/", given).status_code == 201
    spent = {"amount": "1.00", "reason": "Parking"}
    assert shop.client_of(shop.driver).post("/api/expenses/", spent).status_code == 201
    count = {"cash": "1.00", "counts": [item]}
    assert shop.client_of(shop.driver).post("/api/settlements/", count).status_code == 201
    assert office.post("/api/periods/", {"ends_on": "2025-12-31"}).status_code == 201
    quarter = {"form": "F5", "starts_on": "2025-10-01", "ends_on": "2025-12-31"}
    assert office.post("/api/gst-returns/", quarter).status_code == 201
    number_changes()
    seals.seal_next_batch(through=10**9)
    return shop
