"""Who reads which figures, where a scope has no depot to go by."""

import pytest

from foundation.access.capabilities import Role
from tests.conftest import Shop, error_of
from tests.factories import DriverFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_supervisor_without_a_depot_reads_nobody_s_day_but_the_own(shop: Shop) -> None:
    """Others without a depot aren't of the same one."""
    supervisor, stranger = UserFactory(role=Role.SUPERVISOR, depot=None), DriverFactory(depot=None)
    client = shop.client_of(supervisor)
    assert client.get("/api/reports/driver-day/").status_code == 200
    response = client.get("/api/reports/driver-day/", {"driver": stranger.pk})
    assert error_of(response) == (400, "does_not_exist", "driver")


def test_a_driver_reads_no_colleague_s_day(shop: Shop) -> None:
    colleague = DriverFactory(depot=shop.depot)
    client = shop.client_of(shop.driver)
    assert client.get("/api/reports/driver-day/", {"driver": shop.driver.pk}).status_code == 200
    response = client.get("/api/reports/driver-day/", {"driver": colleague.pk})
    assert error_of(response) == (400, "does_not_exist", "driver")
