"""A phone that pushes and pulls."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from foundation.access.capabilities import Role
from tests.conftest import Shop
from tests.factories import UserFactory
from tests.types import Json

Push = Callable[..., list[Json]]


def sale_of(shop: Shop, client_temp_id: Any, *items: Json, **more: Any) -> Json:
    """A transaction.create as an app would queue it; without items, the sale of one cylinder."""
    occurred_at = more.pop("occurred_at", None)
    lines = [{"equipment": shop.cylinder.pk, "quantity": 1, "type": "SALE", **item} for item in items or ({},)]
    operation = {
        "type": "transaction.create",
        "client_temp_id": client_temp_id,
        "data": {"customer": shop.customer.pk, "items": lines, **more},
    }
    return operation if occurred_at is None else {**operation, "occurred_at": occurred_at}


def load_of(shop: Shop, client_temp_id: str, quantity: int = 2) -> Json:
    item = {"equipment": shop.cylinder.pk, "direction": "OUT", "condition": "FULL", "quantity": quantity}
    return {
        "type": "distribution.create",
        "client_temp_id": client_temp_id,
        "data": {"depot": shop.depot.pk, "items": [item]},
    }


def confirm_of(client_temp_id: str, distribution: object) -> Json:
    return {"type": "distribution.confirm", "client_temp_id": client_temp_id, "data": {"distribution": distribution}}


@pytest.fixture
def push(shop: Shop) -> Push:
    def send(*operations: object, by: User | None = None) -> list[Json]:
        response = shop.client_of(by or shop.driver).post("/api/sync/push/", {"operations": operations})
        assert response.status_code == 200, response.content
        results: list[Json] = response.json()["results"]
        return results

    return send


@pytest.fixture
def supervisor(shop: Shop) -> User:
    return UserFactory(role=Role.SUPERVISOR, depot=shop.depot)
