"""POST /api/token/: who gets in, what they get, and how often anybody may try."""

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.core.management import call_command
from pytest_django import Settings
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts import throttling
from accounts.errors import TokenRefused
from accounts.models import LogInAttempt, User
from accounts.services import start_session
from audit.models import AuditLog
from foundation import clock
from tests.accounts.conftest import Api, assert_unauthorized
from tests.accounts.hashers import CountingHasher
from tests.concurrency.races import at_once
from tests.factories import PASSWORD, UserFactory
from tests.types import Answer, Json

pytestmark = pytest.mark.django_db
WRONG = "not the password"


def claims(token: str) -> Json:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def attempt(api: Api, username: str = "driver1", password: str = WRONG, **extra: Any) -> Answer:
    return api.post("token", {"username": username, "password": password}, **extra)


def test_the_pair_carries_role_depot_and_employee_id(api: Api, driver: User) -> None:
    pair = api.log_in(driver)
    assert set(pair) == {"access", "refresh"}
    held = claims(pair["access"])
    assert (held["role"], held["depot"], held["employee_id"]) == ("DRIVER", driver.depot_id, "E1023")
    assert held["user_id"] == str(driver.pk)
    assert held["exp"] - held["iat"] == 8 * 60 * 60
    assert jwt.get_unverified_header(pair["access"])["alg"] == "HS256"


def test_a_user_without_depot_carries_null(api: Api, boss: User) -> None:
    held = claims(api.log_in(boss)["access"])
    assert (held["role"], held["depot"], held["employee_id"]) == ("ADMIN", None, None)


def test_the_access_token_opens_the_api(api: Api, driver: User) -> None:
    assert api.me(api.log_in(driver)["access"]).json()["username"] == "driver1"


def test_unknown_wrong_and_inactive_get_the_same_answer(api: Api, driver: User) -> None:
    UserFactory(username="gone", is_active=False)
    answers = [attempt(api, "nobody"), attempt(api, "driver1"), attempt(api, "gone", PASSWORD)]
    for answer in answers:
        assert_unauthorized(answer, "no_active_account")
    assert len({answer.content for answer in answers}) == 1


def test_unknown_wrong_and_inactive_cost_the_same_work(api: Api, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["tests.accounts.hashers.CountingHasher"]
    UserFactory(username="driver1")
    UserFactory(username="gone", is_active=False)
    work = []
    for username in ("nobody", "driver1", "gone"):
        CountingHasher.hashed.clear()
        attempt(api, username)
        work.append(len(CountingHasher.hashed))
    assert work == [1, 1, 1]


def test_a_log_in_leaves_its_evidence(api: Api, driver: User) -> None:
    attempt(api)
    assert not AuditLog.objects.exists()
    api.log_in(driver)
    record = AuditLog.objects.get()
    assert (record.action, record.user, record.entity_id) == ("accounts.session.started", driver, driver.pk)
    assert record.ip_address == "127.0.0.1"


@pytest.mark.parametrize("meanwhile", [{"is_active": False}, {"password": "another hash"}])
def test_who_is_shut_out_while_the_password_is_checked_gets_no_token(driver: User, meanwhile: Json) -> None:
    checked = User.objects.get(pk=driver.pk)
    User.objects.filter(pk=driver.pk).update(**meanwhile)
    with pytest.raises(TokenRefused):
        start_session(actor=checked)
    assert not AuditLog.objects.exists()
    assert not OutstandingToken.objects.exists()


@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize(
    "value",
    [None, "", [], {}, True, 7, 1.5, "\0", "a\0b", "\ud800", "x" * 1_000_000],
    ids=lambda value: repr(value)[:12],
)
def test_bad_input_is_refused(api: Api, driver: User, field: str, value: object) -> None:
    body = json.dumps({"username": "driver1", "password": PASSWORD, field: value})
    response = api.client.generic("POST", "/api/token/", body, content_type="application/json")
    assert response.status_code == 400
    assert response.json()["type"] == "validation_error"
    assert {error["attr"] for error in response.json()["errors"]} == {field}


@pytest.mark.parametrize("path", ["token", "token/refresh", "token/blacklist"])
@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", "required"), (b"[]", "invalid"), (b"null", "null"), (b'"x"', "invalid"), (b"7", "invalid"),
     (b"{", "parse_error"), (b'{"username": ', "parse_error")],
)  # fmt: skip
def test_a_body_that_is_no_object_is_refused(api: Api, path: str, body: bytes, code: str) -> None:
    response = api.client.post(f"/api/{path}/", body, content_type="application/json")
    assert (response.status_code, {error["code"] for error in response.json()["errors"]}) == (400, {code})
    assert not OutstandingToken.objects.exists()


def test_spaces_are_part_of_a_password(api: Api) -> None:
    UserFactory(username="spacious", password=" two ends ")
    assert attempt(api, "spacious", "two ends").status_code == 401
    assert attempt(api, "spacious", " two ends ").status_code == 200


def test_no_password_and_no_token_is_ever_logged(
    api: Api, driver: User, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> None:
    requests = logging.getLogger("hsh.request")
    requests.addHandler(caplog.handler)
    request.addfinalizer(lambda: requests.removeHandler(caplog.handler))
    caplog.set_level(logging.DEBUG)
    pair = api.log_in(driver)
    successors = api.refresh(pair["refresh"]).json()
    api.me(pair["access"])
    api.me(pair["access"] + "x")
    attempt(api)
    api.refresh(pair["refresh"] + "x")
    api.log_out(successors["refresh"])
    assert "path=/api/token/refresh/ status=200" in caplog.text
    assert f"path=/api/accounts/me/ status=200 user={driver.pk} " in caplog.text
    evidence = repr(list(AuditLog.objects.values()))
    for secret in (PASSWORD, WRONG, *pair.values(), *successors.values()):
        assert secret not in caplog.text
        assert secret.rsplit(".", 1)[-1] not in caplog.text
        assert secret not in evidence


# --- Throttling -----------------------------------------------------------------------------------


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime(2026, 1, 20, 12, 0, 50, tzinfo=UTC), tick=False) as traveller:
        yield traveller


def test_the_sixth_attempt_of_a_minute_waits_whatever_it_says(
    api: Api, driver: User, noon: time_machine.Traveller
) -> None:
    for _ in range(5):
        assert attempt(api).status_code == 401
    response = attempt(api, password=PASSWORD)
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "60"
    assert [error["code"] for error in response.json()["errors"]] == ["throttled"]


def test_a_throttled_attempt_hashes_nothing(api: Api, settings: Settings, noon: time_machine.Traveller) -> None:
    settings.PASSWORD_HASHERS = ["tests.accounts.hashers.CountingHasher"]
    for _ in range(5):
        attempt(api)
    CountingHasher.hashed.clear()
    assert attempt(api).status_code == 429
    assert CountingHasher.hashed == []


def test_the_minute_slides(api: Api, driver: User, noon: time_machine.Traveller) -> None:
    """Attempts of 12:00:50 count until 12:01:50, on both sides of the full minute."""
    for _ in range(3):
        attempt(api)
    noon.shift(timedelta(seconds=15))
    assert [attempt(api).status_code for _ in range(3)] == [401, 401, 429]
    noon.shift(timedelta(seconds=44))
    blocked = attempt(api)
    assert (blocked.status_code, blocked.headers["Retry-After"]) == (429, "1")
    noon.shift(timedelta(seconds=1))
    assert [attempt(api).status_code for _ in range(4)] == [401, 401, 401, 429]
    noon.shift(timedelta(minutes=1))
    assert attempt(api, password=PASSWORD).status_code == 200


def test_a_forged_address_passes_no_limit(api: Api, driver: User, noon: time_machine.Traveller) -> None:
    statuses = [attempt(api, headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code for n in range(8)]
    assert statuses == [401] * 5 + [429] * 3


def test_behind_a_proxy_each_client_has_its_own_limit(
    api: Api, driver: User, settings: Settings, noon: time_machine.Traveller
) -> None:
    settings.NUM_PROXIES = 1

    def statuses(client: str, count: int) -> list[int]:
        forwarded = [f"203.0.113.{n}, {client}" for n in range(count)]
        return [attempt(api, headers={"X-Forwarded-For": text}).status_code for text in forwarded]

    assert statuses("198.51.100.1", 7) == [401] * 5 + [429] * 2
    assert statuses("198.51.100.2", 1) == [401]


def test_an_ipv6_client_is_its_network(api: Api, driver: User, noon: time_machine.Traveller) -> None:
    statuses = [attempt(api, REMOTE_ADDR=f"2001:db8::{n:x}").status_code for n in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    assert attempt(api, REMOTE_ADDR="2001:db8:0:1::1").status_code == 401


def test_one_account_is_not_guessed_from_many_addresses(api: Api, driver: User, noon: time_machine.Traveller) -> None:
    names = ["driver1", " Driver1 "]
    statuses = [attempt(api, names[n % 2], REMOTE_ADDR=f"198.51.100.{n}").status_code for n in range(22)]
    assert statuses == [401] * 20 + [429] * 2
    assert attempt(api, "another", REMOTE_ADDR="198.51.100.99").status_code == 401


def test_one_address_cannot_lock_an_account(api: Api, driver: User, noon: time_machine.Traveller) -> None:
    for _ in range(40):
        attempt(api)
    assert attempt(api, password=PASSWORD, REMOTE_ADDR="198.51.100.1").status_code == 200


def test_an_attempt_leaves_no_name_and_no_address(api: Api, driver: User, noon: time_machine.Traveller) -> None:
    attempt(api, REMOTE_ADDR="198.51.100.7")
    [by_address, by_username] = LogInAttempt.objects.values()
    assert by_address["key"] != by_username["key"]
    assert not {"driver1", "198.51.100.7"} & {str(value) for value in (*by_address.values(), *by_username.values())}


def test_attempts_from_many_addresses_keep_each_others_counts_and_nothing_else(
    api: Api, driver: User, noon: time_machine.Traveller
) -> None:
    """A thousand addresses a minute, for an hour: what stays are the rows of two minutes, whether anything sweeps or not."""

    def crowd() -> None:
        moment = clock.now()
        window = int(moment.timestamp() // 60)
        LogInAttempt.objects.bulk_create(
            LogInAttempt(key=f"{n:064}", window=window, place=0, at=moment) for n in range(1_000)
        )

    for _ in range(5):
        assert attempt(api).status_code == 401
    crowd()
    assert attempt(api).status_code == 429
    noon.shift(timedelta(minutes=3))
    for n in range(60):
        attempt(api, f"somebody{n}", REMOTE_ADDR=f"198.51.100.{n}")
    assert LogInAttempt.objects.filter(at__lt=clock.now()).count() == 0
    assert LogInAttempt.objects.count() == 120


def test_what_nobody_takes_away_is_swept(
    api: Api, driver: User, noon: time_machine.Traveller, capsys: pytest.CaptureFixture[str]
) -> None:
    attempt(api)
    noon.shift(timedelta(days=1))
    call_command("sweep_leftovers")
    assert LogInAttempt.objects.count() == 2
    noon.shift(timedelta(days=1, seconds=1))
    call_command("sweep_leftovers")
    assert LogInAttempt.objects.count() == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Forgot 2 attempts to log in and 0 uploads."


@pytest.mark.django_db(transaction=True)
def test_simultaneous_attempts_count_each(driver: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """With time between reading what is claimed and claiming, and with old rows that all of them take away."""
    long_ago = clock.now() - timedelta(hours=1)
    LogInAttempt.objects.bulk_create(
        LogInAttempt(key=f"{n:064}", window=0, place=0, at=long_ago + timedelta(milliseconds=n)) for n in range(200)
    )
    take = throttling._take

    def take_late(*claim: Any) -> bool:
        time.sleep(0.2)
        return take(*claim)

    monkeypatch.setattr(throttling, "_take", take_late)

    statuses = at_once(lambda _: attempt(Api()).status_code)
    assert sorted(statuses) == [401] * 5 + [429] * 11
    assert LogInAttempt.objects.filter(at__gt=long_ago + timedelta(minutes=1)).count() == 10
    assert LogInAttempt.objects.filter(at__lt=long_ago + timedelta(minutes=1)).count() < 200
