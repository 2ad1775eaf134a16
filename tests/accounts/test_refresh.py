"""Refresh tokens: each works once, a lost answer can be asked for again, and a stolen one ends the log-in."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import jwt
import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.management import call_command
from pytest_django import Settings
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.models import User
from audit.models import AuditLog
from foundation.access.capabilities import Role
from tests.accounts.conftest import Api, Pair, assert_unauthorized
from tests.concurrency.races import at_once
from tests.factories import PASSWORD
from tests.types import Json

pytestmark = pytest.mark.django_db
KEY = str(django_settings.SIMPLE_JWT["SIGNING_KEY"])


def claims(token: str) -> Json:
    return dict(jwt.decode(token, options={"verify_signature": False}))


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime(2026, 1, 20, 9, tzinfo=UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def first(clock: time_machine.Traveller, api: Api, driver: User) -> Pair:
    return api.log_in(driver)


def next_of(api: Api, pair: Pair) -> Pair:
    response = api.refresh(pair["refresh"])
    assert response.status_code == 200, response.content
    answer: Pair = response.json()
    return answer


def assert_dead(api: Api, *pairs: Pair) -> None:
    for pair in pairs:
        assert_unauthorized(api.refresh(pair["refresh"]), "token_not_valid")


def test_a_change_of_the_user_ends_no_log_in_and_is_in_the_next_pair(
    api: Api, first: Pair, admin: APIClient, driver: User
) -> None:
    assert admin.patch(f"/api/accounts/users/{driver.pk}/", {"role": "SALES"}).status_code == 200
    assert api.me(first["access"]).json()["role"] == "SALES"
    assert claims(next_of(api, first)["access"])["role"] == "SALES"


def test_a_refresh_token_gives_the_next_pair(clock: time_machine.Traveller, api: Api, first: Pair) -> None:
    clock.shift(timedelta(hours=7))
    second = next_of(api, first)
    assert set(second) == {"access", "refresh"}
    assert not {*first.values()} & {*second.values()}
    clock.shift(timedelta(hours=2))
    assert_unauthorized(api.me(first["access"]))
    assert api.me(second["access"]).status_code == 200
    assert api.me(next_of(api, second)["access"]).status_code == 200


def test_each_pair_lives_its_full_time(clock: time_machine.Traveller, api: Api, first: Pair) -> None:
    clock.shift(timedelta(days=6))
    second = next_of(api, first)
    clock.shift(timedelta(days=6))
    third = next_of(api, second)
    assert claims(third["refresh"])["exp"] == datetime(2026, 2, 8, 9, tzinfo=UTC).timestamp()
    clock.shift(timedelta(days=7))
    assert_dead(api, third)


def test_the_next_pair_tells_what_the_user_is_now(api: Api, driver: User, first: Pair) -> None:
    User.objects.filter(pk=driver.pk).update(role=Role.SALES, employee_id="E2000")
    held = claims(next_of(api, first)["access"])
    assert (held["role"], held["employee_id"]) == ("SALES", "E2000")


@pytest.mark.parametrize("seconds", [0, 1, 59])
def test_the_same_token_again_within_the_grace_gets_the_same_pair(
    clock: time_machine.Traveller, api: Api, first: Pair, seconds: int
) -> None:
    second = next_of(api, first)
    clock.shift(timedelta(seconds=seconds))
    assert next_of(api, first) == second
    assert OutstandingToken.objects.count() == 2
    third = next_of(api, second)
    assert next_of(api, first) == second
    assert next_of(api, second) == third


def test_the_grace_counts_from_the_first_use(clock: time_machine.Traveller, api: Api, first: Pair) -> None:
    next_of(api, first)
    clock.shift(timedelta(seconds=40))
    next_of(api, first)
    clock.shift(timedelta(seconds=40))
    assert_dead(api, first)


def test_a_token_reused_after_the_grace_ends_its_log_in(
    clock: time_machine.Traveller, api: Api, driver: User, first: Pair
) -> None:
    other = api.log_in(driver)
    second = next_of(api, first)
    clock.shift(timedelta(hours=1))
    third = next_of(api, second)
    clock.shift(timedelta(seconds=61))
    assert_dead(api, first)
    assert_dead(api, first, second, third)
    assert api.refresh(other["refresh"]).status_code == 200


def test_a_reuse_leaves_its_evidence(clock: time_machine.Traveller, api: Api, driver: User, first: Pair) -> None:
    next_of(api, first)
    clock.shift(timedelta(seconds=61))
    api.refresh(first["refresh"])
    api.refresh(first["refresh"])
    (record,) = AuditLog.objects.filter(action="accounts.session.ended")
    assert (record.user, record.entity_id) == (driver, driver.pk)
    assert record.reason == "A used refresh token came again."


def test_without_grace_a_token_works_once(settings: Settings, api: Api, first: Pair) -> None:
    settings.JWT_REFRESH_GRACE_SECONDS = 0
    second = next_of(api, first)
    assert_dead(api, first, second)


# --- Log-out ---------------------------------------------------------------------------------------


def test_a_log_out_ends_the_log_in(api: Api, driver: User, first: Pair) -> None:
    other = api.log_in(driver)
    second = next_of(api, first)
    assert api.log_out(second["refresh"]).status_code == 200
    assert_dead(api, second, first)
    assert api.refresh(other["refresh"]).status_code == 200


def test_a_log_out_with_an_earlier_token_ends_the_later_ones(api: Api, first: Pair) -> None:
    second = next_of(api, first)
    third = next_of(api, second)
    assert api.log_out(first["refresh"]).status_code == 200
    assert_dead(api, first, second, third)


def test_a_log_out_can_be_sent_again(api: Api, driver: User, first: Pair) -> None:
    assert api.log_out(first["refresh"]).status_code == 200
    assert api.log_out(first["refresh"]).status_code == 200
    assert_dead(api, first)
    (record,) = AuditLog.objects.filter(action="accounts.session.ended")
    assert (record.user, record.entity_id, record.reason) == (driver, driver.pk, "")


# --- What is refused ----------------------------------------------------------------------------------

NO_USERS: list[object] = ["abc", "", "1.5", "-1", "１", "9" * 30, None, True, [], {}]
SPOILT: dict[str, Json] = {
    "access token": {"token_type": "access"},
    "expired": {"exp": 1},
    "an end beyond the calendar": {"exp": 10**30},
    "deleted user": {"user_id": "999999"},
    **{f"user {claim!r:.12}": {"user_id": claim} for claim in NO_USERS},
}


@pytest.mark.parametrize("spoil", SPOILT)
@pytest.mark.parametrize("path", ["token/refresh", "token/blacklist"])
def test_a_bad_refresh_token_is_401(api: Api, first: Pair, path: str, spoil: str) -> None:
    token = jwt.encode(claims(first["refresh"]) | SPOILT[spoil], KEY, "HS256")
    assert_unauthorized(api.post(path, {"refresh": token}), "token_not_valid")
    assert api.refresh(first["refresh"]).status_code == 200


@pytest.mark.parametrize(
    "claim",
    [{"jti": "f" * 32}, {"jti": 7}, {"jti": [1]}, {"jti": ""}, {"jti": "x" * 2_000}, {"hash_password": "0" * 32}],
    ids=lambda claim: repr(claim)[:24],
)
def test_a_token_that_we_did_not_hand_out_is_401(api: Api, first: Pair, claim: Json) -> None:
    """Signed by us all the same: from before a restored backup, say."""
    rows = OutstandingToken.objects.count()
    assert_unauthorized(api.refresh(jwt.encode(claims(first["refresh"]) | claim, KEY, "HS256")), "token_not_valid")
    assert OutstandingToken.objects.count() == rows
    assert api.refresh(first["refresh"]).status_code == 200


@pytest.mark.parametrize("missing", ["jti", "exp", "user_id", "token_type", "hash_password"])
@pytest.mark.parametrize("path", ["token/refresh", "token/blacklist"])
def test_a_refresh_token_without_a_claim_is_401(api: Api, first: Pair, path: str, missing: str) -> None:
    held = claims(first["refresh"])
    del held[missing]
    response = api.post(path, {"refresh": jwt.encode(held, KEY, "HS256")})
    if (path, missing) == ("token/blacklist", "hash_password"):
        assert response.status_code == 200  # Ours, and what it ends may end.
    else:
        assert_unauthorized(response, "token_not_valid")


@pytest.mark.parametrize("path", ["token/refresh", "token/blacklist"])
@pytest.mark.parametrize(
    ("token", "status"),
    [("garbage", 401), ("...", 401), ("é.ü.ß", 401), ("a" * 4_000, 401), (None, 400), ("", 400), (7, 400), ([], 400),
     ({}, 400), (True, 400), ("\0", 400), ("\ud800", 400), ("x" * 1_000_000, 400)],
    ids=lambda value: repr(value)[:12],
)  # fmt: skip
def test_what_is_no_token_is_refused(api: Api, path: str, token: object, status: int) -> None:
    body = json.dumps({"refresh": token})
    response = api.client.generic("POST", f"/api/{path}/", body, content_type="application/json")
    assert response.status_code == status
    assert len(response.json()["errors"]) == 1


def test_a_deactivated_user_gets_no_tokens(api: Api, driver: User, first: Pair, admin: APIClient) -> None:
    second = next_of(api, first)
    assert admin.delete(f"/api/accounts/users/{driver.pk}/").status_code == 200
    assert_dead(api, first, second)


def test_a_user_deactivated_elsewhere_gets_no_tokens(api: Api, driver: User, first: Pair) -> None:
    User.objects.filter(pk=driver.pk).update(is_active=False)
    assert_dead(api, first)


def test_a_reactivated_user_has_to_log_in_again(api: Api, driver: User, first: Pair, admin: APIClient) -> None:
    second = next_of(api, first)
    url = f"/api/accounts/users/{driver.pk}/"
    assert admin.patch(url, {"is_active": False}).status_code == 200
    assert admin.patch(url, {"is_active": True}).status_code == 200
    assert_dead(api, first, second)
    assert api.refresh(api.log_in(driver)["refresh"]).status_code == 200


def test_a_new_password_ends_the_refresh_tokens(api: Api, driver: User, first: Pair, admin: APIClient) -> None:
    second = next_of(api, first)
    new = {"password": PASSWORD + " 2"}
    assert admin.post(f"/api/accounts/users/{driver.pk}/set-password/", new).status_code == 204
    assert_dead(api, first, second)
    assert not OutstandingToken.objects.filter(user=driver, blacklistedtoken__isnull=True).exists()


def test_a_password_changed_elsewhere_ends_them_too(api: Api, driver: User, first: Pair) -> None:
    driver.set_password("changed with manage.py")
    driver.save()
    assert_dead(api, first)


# --- The rest -------------------------------------------------------------------------------------------


def test_a_token_made_by_the_library_itself_works(api: Api, driver: User, clock: time_machine.Traveller) -> None:
    token = str(RefreshToken.for_user(driver))
    pair = next_of(api, {"refresh": token})
    assert next_of(api, {"refresh": token}) == pair
    assert api.me(pair["access"]).status_code == 200


def test_no_table_holds_a_token(api: Api, first: Pair) -> None:
    """Who reads the database, or a backup of it, can't log in with what they read."""
    second = next_of(api, first)
    held = repr(list(OutstandingToken.objects.values())) + repr(list(AuditLog.objects.values()))
    assert claims(first["refresh"])["jti"] in held, "what is looked through is about these tokens"
    for token in (*first.values(), *second.values()):
        assert token.rsplit(".", 1)[-1] not in held


def test_expired_tokens_can_be_forgotten(clock: time_machine.Traveller, api: Api, first: Pair) -> None:
    """The log-in goes on without its first rows, and can still be ended as a whole."""
    second = first
    for _ in range(4):
        clock.shift(timedelta(days=5))
        second = next_of(api, second)
    clock.shift(timedelta(hours=23))
    call_command("flushexpiredtokens")
    assert OutstandingToken.objects.count() == 5, "who was deactivated may push for 14 days more"
    clock.shift(timedelta(hours=2))
    call_command("flushexpiredtokens")
    assert OutstandingToken.objects.count() == 4
    assert_dead(api, first)
    third = next_of(api, second)
    clock.shift(timedelta(minutes=2))
    assert_dead(api, second, third)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(3))
def test_sixteen_refreshes_at_once_get_one_pair(driver: User, round_: int) -> None:
    token = Api().log_in(driver)["refresh"]

    def one(_: int) -> tuple[int, str]:
        response = Api().refresh(token)
        return response.status_code, json.dumps(response.json())

    answers = at_once(one)
    assert {status for status, _ in answers} == {200}, answers
    assert len(set(answers)) == 1
    assert (OutstandingToken.objects.count(), BlacklistedToken.objects.count()) == (2, 1)
    successor = json.loads(answers[0][1])
    assert Api().refresh(successor["refresh"]).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(3))
def test_no_refresh_outlives_a_simultaneous_deactivation(driver: User, admin: APIClient, round_: int) -> None:
    tokens = [Api().log_in(driver)["refresh"] for _ in range(8)]

    def one(index: int) -> int:
        if index == len(tokens):
            return int(admin.delete(f"/api/accounts/users/{driver.pk}/").status_code)
        return int(Api().refresh(tokens[index]).status_code)

    *refreshed, deactivated = at_once(one, len(tokens) + 1)
    assert deactivated == 200
    assert {*refreshed} <= {200, 401}
    assert not OutstandingToken.objects.filter(user=driver, blacklistedtoken__isnull=True).exists()
