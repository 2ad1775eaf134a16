"""What happened before the books of a place began, and is recorded after."""

import pytest

from accounts.models import User
from tests.conftest import Shop, error_of
from tests.factories import DriverFactory
from tests.inventory.days import at, moment, opened
from tests.types import Answer

__all__ = ["opened"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def driver(opened: Shop) -> User:
    """Of whose vehicle the books know nothing yet."""
    found: User = DriverFactory(depot=opened.depot)
    return found


def sell(shop: Shop, by: User, quantity: int, hour: int) -> Answer:
    return shop.sell({"type": "SALE", "quantity": quantity}, by=by, occurred_at=moment(hour).isoformat())


def test_of_before_their_first_count_the_books_say_nothing(opened: Shop, driver: User) -> None:
    with at(18):
        opened.count("vehicle", driver.vehicle_no, 18)
        assert sell(opened, driver, 5, hour=12).status_code == 201
        assert sell(opened, driver, 5, hour=13).status_code == 201
        assert opened.stock(vehicle_no=driver.vehicle_no) == 18
    with at(20):
        opened.count("vehicle", driver.vehicle_no, 18)
        assert error_of(sell(opened, driver, 19, hour=19))[1] == "insufficient_stock"
        assert sell(opened, driver, 18, hour=19).status_code == 201


def test_a_vehicle_s_first_count_opens_nothing(opened: Shop, driver: User) -> None:
    with at(18):
        line = {"equipment": opened.cylinder.pk, "condition": "FULL", "quantity": 3}
        counted = opened.client_of(driver).post("/api/vehicle-counts/", {"counts": [line]}).json()
        signed = opened.client_of(opened.admin).post(f"/api/vehicle-counts/{counted['id']}/sign-off/", {})
        assert signed.status_code == 200
        assert error_of(sell(opened, driver, 1, hour=12))[1] == "insufficient_stock"


def test_what_had_come_before_the_first_count_the_books_know(opened: Shop, driver: User) -> None:
    with at(8):
        draft = opened.draft({"direction": "OUT", "quantity": 5}, by=driver).json()["id"]
        assert opened.confirm(draft, by=driver).status_code == 200
    with at(18):
        opened.count("vehicle", driver.vehicle_no, 5)
        assert error_of(sell(opened, driver, 6, hour=12))[1] == "insufficient_stock"
        assert sell(opened, driver, 5, hour=12).status_code == 201
