"""What reads a row and then changes it locks it first: of two at once, the second sees what the first one did."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import models
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import User
from accounts.tokens import UnspentRefreshToken
from audit import seals
from audit.models import AuditLog
from depots.models import Depot
from equipment.models import Equipment
from fleet.models import Assignment, Vehicle
from foundation.access.capabilities import Role
from sequences.models import Sequence, Ticket
from sequences.services import print_tickets
from sync.models import Feed, SyncConflict
from tests.conftest import Shop
from tests.factories import PASSWORD, UserFactory, VehicleFactory
from tests.types import Answer

pytestmark = pytest.mark.django_db
Locked = list[type[models.Model]]
Ask = Callable[[APIClient, str], Answer]


def conflict_of(shop: Shop) -> int:
    refused = {"type": "transaction.create", "client_temp_id": "a", "data": {"customer": 0}}
    answer = shop.client_of(shop.driver).post("/api/sync/push/", {"operations": [refused]})
    pk: int = answer.json()["results"][0]["conflict"]
    return pk


@pytest.mark.parametrize(
    ("expected", "prepare", "ask"),
    [
        (Depot, lambda shop: f"/api/depots/{shop.depot.pk}/", lambda office, url: office.patch(url, {"name": "New"})),
        (Depot, lambda shop: f"/api/depots/{shop.depot.pk}/", lambda office, url: office.delete(url)),
        (Equipment, lambda shop: f"/api/equipment/{shop.cylinder.pk}/", lambda office, url: office.patch(url, {"name": "New"})),
        (Equipment, lambda shop: f"/api/equipment/{shop.cylinder.pk}/", lambda office, url: office.delete(url)),
        (User, lambda shop: f"/api/accounts/users/{shop.driver.pk}/", lambda office, url: office.patch(url, {"first_name": "New"})),
        (User, lambda shop: f"/api/accounts/users/{shop.driver.pk}/", lambda office, url: office.delete(url)),
        (User, lambda shop: f"/api/accounts/users/{shop.driver.pk}/set-password/", lambda office, url: office.post(url, {"password": PASSWORD})),
        (Vehicle, lambda shop: f"/api/vehicles/{VehicleFactory().pk}/", lambda office, url: office.patch(url, {"depot": None})),
        (Vehicle, lambda shop: f"/api/vehicles/{VehicleFactory().pk}/", lambda office, url: office.delete(url)),
        (User, lambda shop: f"/api/vehicles/{VehicleFactory().pk}/take/", lambda office, url: office.post(url, {})),
        (User, lambda shop: str(shop.driver.pk), lambda office, pk: office.post("/api/vehicle-assignments/", {"user": pk, "vehicle": None})),
        (User, lambda shop: f"/api/vehicle-assignments/{Assignment.objects.get(user=shop.driver).pk}/correct/", lambda office, url: office.post(url, {"vehicle": None, "reason": "x"})),
        (SyncConflict, lambda shop: f"/api/sync/conflicts/{conflict_of(shop)}/dismiss/", lambda office, url: office.post(url, {"reason": "x"})),
        (Feed, lambda shop: "/api/sync/pull/", lambda office, url: office.get(url)),
    ],
)  # fmt: skip
def test_a_row_is_locked_before_it_changes(
    expected: type[models.Model], prepare: Callable[[Shop], str], ask: Ask, shop: Shop, locked: Locked
) -> None:
    office, url = shop.client_of(shop.admin), prepare(shop)
    office.post("/api/depots/", {"code": "NEW", "name": "Told to apps"})
    locked.clear()
    assert ask(office, url).status_code in (200, 201, 204)
    assert locked == [expected]


def test_a_log_in_is_locked_from_its_beginning_to_its_end(locked: Locked) -> None:
    user = UserFactory(role=Role.DRIVER)
    pair = accounts.start_session(actor=user)
    held = UnspentRefreshToken(pair.refresh)  # type: ignore[arg-type]  # the package's annotation is wrong
    accounts.rotate_tokens(actor=user, token=held)
    accounts.end_session(actor=user, token=held)
    assert locked == [User, User, User]


def test_a_day_s_first_number_locks_the_counters_and_what_was_left_of_the_day_before(locked: Locked) -> None:
    for day in (20, 21):
        locked.clear()
        print_tickets(prefix="TRX", day=date(2026, 1, day), beyond=None)
    assert locked == [Sequence, Sequence, Ticket]


def test_records_are_locked_while_they_are_sealed(shop: Shop, locked: Locked) -> None:
    seals.seal_next_batch(through=AuditLog.objects.latest("id").pk)
    assert locked == [AuditLog]
