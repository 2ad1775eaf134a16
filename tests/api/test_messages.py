"""What a refusal says: what is wrong, and what to do about it, in words that its reader knows."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from foundation import clock
from foundation.access.capabilities import IN_WORDS, Capability, Role
from inventory.models import Count
from tests.conftest import Shop
from tests.factories import DepotFactory, UserFactory, VehicleFactory
from tests.types import Answer

pytestmark = pytest.mark.django_db


def said(answer: Answer) -> str:
    [error] = answer.json()["errors"]
    detail: str = error["detail"]
    return detail


def test_a_time_out_of_range_is_told_the_range_and_the_server_s_time(shop: Shop) -> None:
    now = datetime(2026, 1, 20, 8, 0, tzinfo=clock.SINGAPORE)
    late, early = (now + timedelta(minutes=6)).isoformat(), datetime(1, 1, 1, tzinfo=UTC).isoformat()
    rest = (
        "is out of range: it must lie between 2026-01-13 08:00:00 and 2026-01-20 08:05:00. "
        "The server's time is 2026-01-20 08:00:00."
    )
    with time_machine.travel(now, tick=False):
        assert said(shop.sell({"type": "SALE"}, occurred_at=late)) == f"2026-01-20 08:06:00 {rest}"
        assert said(shop.sell({"type": "SALE"}, occurred_at=early)).endswith(rest)


def test_what_is_not_there_is_named(shop: Shop) -> None:
    assert said(shop.sell({"type": "SALE"}, customer=99)) == "There is no customer 99 that you may see."
    assert said(shop.sell({"type": "SALE", "equipment": 98})) == "There is no equipment 98 that you may see."
    assert said(shop.sell({"type": "SALE"}, vehicle="GBX0")) == "There is no vehicle GBX0 that you may see."
    assert said(shop.count("depot", 97, 5)) == "There is no depot 97 that you may see."
    assert said(shop.count("depot", shop.depot.pk, 5, equipment_id=96)) == "There is no equipment 96 that you may see."
    admin = shop.client_of(shop.admin)
    printed = admin.post("/api/invoices/print-batch/", {"invoices": [95]})
    assert "There is no invoice 95 that you may see." in str(printed.json())
    source = VehicleFactory(depot=shop.depot)
    items = [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 1}]
    given = admin.post(f"/api/vehicles/{source.pk}/transfer/", {"to_vehicle": "GBX0", "items": items})
    assert said(given) == "There is no vehicle GBX0 that you may see."


def test_a_denial_names_the_right_that_is_lacking(shop: Shop) -> None:
    staff = UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot)
    assert said(shop.sell({"type": "SALE"}, by=staff)) == "The role Depot staff may not record sales."
    driver = shop.client_of(shop.driver)
    assert said(driver.get("/api/audit/")) == "The role Driver may not read audit records."


def test_a_denial_of_some_rows_names_those_that_are_allowed(shop: Shop) -> None:
    supervisor = UserFactory(role=Role.SUPERVISOR, depot=shop.depot)
    other = DepotFactory()
    answer = shop.count("depot", other.pk, 5, by=supervisor)
    assert said(answer) == "The role Supervisor may correct stock of the own depot only."
    correction = Count.objects.filter(kind="CORRECTION")[0]
    assert shop.client_of(shop.admin).post(f"/api/vehicle-counts/{correction.pk}/sign-off/").status_code == 404


def test_each_right_has_its_words() -> None:
    assert set(IN_WORDS) == set(Capability)


def test_what_is_inactive_is_called_so(shop: Shop) -> None:
    admin = shop.client_of(shop.admin)
    assert admin.delete(f"/api/customers/{shop.customer.pk}/").status_code == 200
    assert said(shop.sell({"type": "SALE"})) == f"{shop.customer.name} is inactive."
    assert admin.delete(f"/api/equipment/{shop.cylinder.pk}/").status_code == 200
    assert admin.delete(f"/api/depots/{shop.depot.pk}/").status_code == 200
    assert said(shop.draft({"direction": "OUT"})) == f"{shop.depot.code} is inactive."
