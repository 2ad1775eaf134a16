"""A shop whose driver has a second vehicle to change to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from fleet.models import Assignment, Vehicle
from foundation import clock
from foundation.access.capabilities import Role
from tests.conftest import Shop
from tests.factories import UserFactory, VehicleFactory
from tests.types import Answer


def ago(**past: float) -> str:
    """A moment of the past, as a client writes it."""
    return moment(**past).isoformat()


def moment(**past: float) -> datetime:
    return clock.now() - timedelta(**past)


@dataclass
class Fleet:
    """``first`` is the driver's from the beginning, ``other`` nobody's; both have 20 full cylinders."""

    shop: Shop
    first: Vehicle
    other: Vehicle
    supervisor: User

    def take(self, vehicle: Vehicle, by: User | None = None, **body: Any) -> Answer:
        client = self.shop.client_of(by or self.shop.driver)
        answer = client.post(f"/api/vehicles/{vehicle.pk}/take/", body)
        self.shop.driver.refresh_from_db()  # as each request does
        return answer

    def assign(self, vehicle: Vehicle | None, user: User | None = None, by: User | None = None, **body: Any) -> Answer:
        sent = {"user": (user or self.shop.driver).pk, "vehicle": vehicle and vehicle.number, **body}
        answer = self.shop.client_of(by or self.supervisor).post("/api/vehicle-assignments/", sent)
        self.shop.driver.refresh_from_db()
        return answer

    def correct(self, pk: int, vehicle: Vehicle | None, by: User | None = None, **body: Any) -> Answer:
        sent = {"vehicle": vehicle and vehicle.number, "reason": "The other one", **body}
        answer = self.shop.client_of(by or self.supervisor).post(f"/api/vehicle-assignments/{pk}/correct/", sent)
        self.shop.driver.refresh_from_db()
        return answer

    def give(self, source: Vehicle, target: Vehicle, quantity: int = 1, by: User | None = None, **body: Any) -> Answer:
        items = [{"equipment": self.shop.cylinder.pk, "condition": "FULL", "quantity": quantity}]
        sent = {"to_vehicle": target.number, "items": items, **body}
        return self.shop.client_of(by or self.shop.driver).post(f"/api/vehicles/{source.pk}/transfer/", sent)

    def void(self, sale: int, **body: Any) -> Answer:
        sent = {"reason": "Another stall", **body}
        return self.shop.client_of(self.shop.admin).post(f"/api/transactions/{sale}/void/", sent)

    def sold_from(self, **body: Any) -> str:
        """Sells one; the vehicle that the document names and that the cylinder came from."""
        before = {vehicle: self.on(vehicle) for vehicle in (self.first, self.other)}
        answer = self.shop.sell({"type": "SALE"}, **body)
        assert answer.status_code == 201, answer.content
        said: str = answer.json()["transaction"]["vehicle_no"]
        gone = {vehicle.number: before[vehicle] - self.on(vehicle) for vehicle in before}
        assert gone == {self.first.number: 0, self.other.number: 0} | ({said: 1} if said else {})
        return said

    def on(self, vehicle: Vehicle) -> int:
        return self.shop.stock(vehicle_no=vehicle.number)

    def assignment(self) -> Assignment:
        """The latest that was recorded."""
        return Assignment.objects.latest("pk")


@pytest.fixture
def fleet(shop: Shop) -> Fleet:
    other = VehicleFactory(depot=shop.depot)
    shop.stocked("vehicle", other.number, 20)
    return Fleet(
        shop=shop,
        first=Vehicle.objects.get(number=shop.driver.vehicle_no),
        other=other,
        supervisor=UserFactory(role=Role.SUPERVISOR, depot=shop.depot),
    )
