"""A shop with one of everything that the office shows."""

import pytest

from audit import seals
from sync.feed import number_changes
from tests.conftest import Shop
from tests.factories import CustomerRateFactory, MeteredCustomerFactory


@pytest.fixture
def office(shop: Shop) -> Shop:
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
    customer = {"name": "Renamed"}
    assert shop.client_of(shop.admin).patch(f"/api/customers/{metered.pk}/", customer).status_code == 200
    number_changes()
    seals.seal_next_batch(through=10**9)
    return shop
