"""What an access token opens: nothing that the user's row doesn't allow now (OWASP API2)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import jwt
import pytest
import time_machine
from django.conf import settings as django_settings
from rest_framework.test import APIClient

from accounts.models import User
from foundation.access.capabilities import Capability, Role
from tests.accounts.conftest import Api, assert_unauthorized
from tests.factories import UserFactory
from tests.types import Json

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]
KEY = str(django_settings.SIMPLE_JWT["SIGNING_KEY"])


Claims = Json


def signed(payload: Json, key: str = KEY, algorithm: str = "HS256") -> str:
    return jwt.encode(payload, key, algorithm)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def by_hand(algorithm: str, payload: Json, *, sign: bool) -> str:
    """A token whose header lies about how it was signed."""
    content = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(payload)}"
    digest = hmac.new(KEY.encode(), content.encode(), hashlib.sha256).digest() if sign else b""
    return f"{content}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def of_user(claim: object) -> Callable[[Claims], str]:
    return lambda good: signed(good | {"user_id": claim})


NO_USERS: list[object] = [
    "abc", "", "1.5", "-1", "１", "1 or 1=1", "9" * 30, "\0", None, True, [], {}, [1], 1.5, 10**30,
]  # fmt: skip
FORGED: dict[str, Callable[[Claims], str]] = {
    "J1 algorithm none": lambda good: by_hand("none", good, sign=False),
    "J1 algorithm None in other letters": lambda good: by_hand("nOnE", good, sign=False),
    "J2 another key": lambda good: signed(good, "another key that is long enough to be one"),
    "J2 the key of sessions": lambda good: signed(good, django_settings.SECRET_KEY),
    "J3 RS256 signed with our secret": lambda good: by_hand("RS256", good, sign=True),
    "J3 HS512 with our key": lambda good: signed(good, KEY.ljust(64, "x"), "HS512"),
    "J4 expired": lambda good: signed(good | {"exp": 1}),
    "J4 without an end": lambda good: signed({name: good[name] for name in good if name != "exp"}),
    "J4 an end that is no time": lambda good: signed(good | {"exp": "soon"}),
    "J4 an end beyond the calendar": lambda good: signed(good | {"exp": 10**30}),
    "J4 an endless end": lambda good: by_hand("HS256", good | {"exp": float("inf")}, sign=True),
    "J5 a refresh token": lambda good: signed(good | {"token_type": "refresh"}),
    "J5 no type": lambda good: signed({name: good[name] for name in good if name != "token_type"}),
    "J6 no id": lambda good: signed({name: good[name] for name in good if name != "jti"}),
    "J7 no user": lambda good: signed({name: good[name] for name in good if name != "user_id"}),
    "J8 a deleted user": lambda good: signed(good | {"user_id": "999999"}),
    "J9 no password claim": lambda good: signed({name: good[name] for name in good if name != "hash_password"}),
    "J9 a foreign password claim": lambda good: signed(good | {"hash_password": "0" * 32}),
    "J10 a broken signature": lambda good: signed(good)[:-4] + "AAAA",
    "J11 9 kB": lambda good: signed(good)[:-4] + "A" * 9_000,
    "J11 9 kB, well signed by another": lambda good: signed(good | {"x": "x" * 9_000}, "x" * 32),
    "J12 garbage": lambda good: "garbage",
    "J12 dots": lambda good: "...",
    "J12 not ASCII": lambda good: "é.ü.ß",
    "J12 a header that is no object": lambda good: f"{part([])}.{part(good)}.x",
    "J12 a header nested deeply": lambda good: f"{base64.urlsafe_b64encode(b'[' * 3_000).decode()}.{part(good)}.x",
    **{f"J7 user {claim!r:.24}": of_user(claim) for claim in NO_USERS},
}


@pytest.fixture
def good(api: Api, driver: User) -> Claims:
    claims: Claims = jwt.decode(api.log_in(driver)["access"], options={"verify_signature": False})
    return claims


def test_the_claims_that_are_spoilt_below_are_good(api: Api, good: Claims) -> None:
    assert api.me(signed(good)).status_code == 200
    assert api.me(by_hand("HS256", good, sign=True)).status_code == 200


@pytest.mark.parametrize("name", FORGED)
def test_a_bad_token_is_401(api: Api, good: Claims, name: str) -> None:
    assert_unauthorized(api.me(FORGED[name](good)))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic Zm9vOmJhcg==",
        "Token {}",
        "{}",
        "Bearer {} {}",
        "Bearer {}, Bearer {}",
        "Bearer Bearer {}",
    ],
)
def test_a_bad_header_is_401(api: Api, good: Claims, header: str) -> None:
    sent = header.replace("{}", signed(good))
    assert_unauthorized(api.client.get("/api/accounts/me/", headers={"Authorization": sent}))


def test_no_header_is_401(api: Api) -> None:
    assert_unauthorized(api.client.get("/api/accounts/me/"), "not_authenticated")


@pytest.mark.parametrize("name", ["token", "access", "access_token", "jwt"])
def test_a_token_in_the_query_string_opens_nothing(api: Api, good: Claims, name: str) -> None:
    assert_unauthorized(api.client.get("/api/accounts/me/", {name: signed(good)}))


def test_the_claims_grant_nothing(api: Api, good: Claims) -> None:
    """Signed by us and stale all the same: the row decides."""
    promoted = signed(good | {"role": "ADMIN"})
    assert api.me(promoted).json()["role"] == "DRIVER"
    response = api.client.get("/api/accounts/users/", headers={"Authorization": f"Bearer {promoted}"})
    assert response.status_code == 403


def test_a_change_of_role_holds_from_the_next_request(api: Api, boss: User) -> None:
    access = api.log_in(boss)["access"]
    headers = {"Authorization": f"Bearer {access}"}
    assert api.client.get("/api/accounts/users/", headers=headers).status_code == 200
    User.objects.filter(pk=boss.pk).update(role=Role.SALES)
    assert api.client.get("/api/accounts/users/", headers=headers).status_code == 403


def test_a_deactivated_user_is_out_at_the_next_request(api: Api, driver: User, admin: APIClient) -> None:
    access = api.log_in(driver)["access"]
    assert api.me(access).status_code == 200
    assert admin.delete(f"/api/accounts/users/{driver.pk}/").status_code == 200
    assert_unauthorized(api.me(access))


def test_a_new_password_ends_the_access_tokens(api: Api, driver: User, admin: APIClient) -> None:
    access = api.log_in(driver)["access"]
    new = {"password": "another horse battery"}
    assert admin.post(f"/api/accounts/users/{driver.pk}/set-password/", new).status_code == 204
    assert_unauthorized(api.me(access))
    assert api.me(api.log_in(driver, new["password"])["access"]).status_code == 200


def test_an_access_token_ends_after_its_time(api: Api, driver: User) -> None:
    start = datetime(2026, 1, 20, 9, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as traveller:
        access = api.log_in(driver)["access"]
        traveller.move_to(start + timedelta(hours=8, seconds=-1))
        assert api.me(access).status_code == 200
        traveller.move_to(start + timedelta(hours=8))
        assert_unauthorized(api.me(access))


def test_me_says_who_i_am(api: Api, driver: User) -> None:
    answer = api.me(api.log_in(driver)["access"]).json()
    capabilities = answer.pop("capabilities")
    assert answer == {
        "id": driver.pk,
        "username": "driver1",
        "first_name": "Tan",
        "last_name": "Ah Beng",
        "name": "Tan Ah Beng",
        "email": "",
        "role": "DRIVER",
        "employee_id": "E1023",
        "depot": driver.depot_id,
        "depot_code": "HSH KB",
        "vehicle_no": "GBK1234A",
    }
    assert "record_sale" in capabilities
    assert "manage_users" not in capabilities


@pytest.mark.parametrize("role", Role)
def test_me_is_for_every_role_and_names_what_it_may(api: Api, role: Role) -> None:
    user = UserFactory(role=role)
    answer = api.me(api.log_in(user)["access"])
    assert answer.status_code == 200
    assert set(answer.json()["capabilities"]) == {capability.value for capability in Capability if user.can(capability)}


def test_me_can_only_be_read(api: Api, driver: User) -> None:
    headers = {"Authorization": f"Bearer {api.log_in(driver)['access']}"}
    for method in (api.client.post, api.client.put, api.client.patch, api.client.delete):
        assert method("/api/accounts/me/", {"role": "ADMIN"}, headers=headers).status_code == 405
    driver.refresh_from_db()
    assert driver.role == Role.DRIVER
