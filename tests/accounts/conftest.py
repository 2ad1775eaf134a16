"""How the tests of log-in and tokens speak to the API."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import LogInAttempt, User
from foundation.access.capabilities import Role
from tests.conftest import ClientOf
from tests.factories import PASSWORD, DepotFactory, DriverFactory, UserFactory
from tests.types import Answer

Pair = dict[str, str]


class Api:
    """A client that is nobody until it holds a token."""

    def __init__(self) -> None:
        self.client = APIClient(raise_request_exception=False)

    def post(self, path: str, body: object, **extra: Any) -> Answer:
        return self.client.post(f"/api/{path}/", body, format="json", **extra)

    def log_in(self, user: User, password: str = PASSWORD) -> Pair:
        LogInAttempt.objects.all().delete()
        response = self.post("token", {"username": user.username, "password": password})
        assert response.status_code == 200, response.content
        pair: Pair = response.json()
        return pair

    def refresh(self, token: str) -> Answer:
        return self.post("token/refresh", {"refresh": token})

    def log_out(self, token: str) -> Answer:
        return self.post("token/blacklist", {"refresh": token})

    def me(self, access: str) -> Answer:
        return self.client.get("/api/accounts/me/", headers={"Authorization": f"Bearer {access}"})


def assert_unauthorized(response: Answer, code: str | None = None) -> None:
    assert response.status_code == 401, response.content
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    body = response.json()
    assert body["type"] == "client_error"
    (error,) = body["errors"]
    assert set(error) == {"code", "detail", "attr"}
    assert error["attr"] is None
    assert isinstance(error["detail"], str)
    if code is not None:
        assert error["code"] == code


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def driver() -> User:
    return DriverFactory(
        username="driver1", employee_id="E1023", depot=DepotFactory(code="HSH KB"), vehicle_no="GBK1234A"
    )


@pytest.fixture
def boss() -> User:
    return UserFactory(username="boss", role=Role.ADMIN, depot=None)


@pytest.fixture
def admin(client_of: ClientOf, boss: User) -> APIClient:
    return client_of(boss)
