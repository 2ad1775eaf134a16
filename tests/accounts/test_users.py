"""/api/accounts/users/: an administrator's work on users."""

import hashlib
import json
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import deactivate_user, update_user
from audit.models import AuditLog
from foundation import clock
from foundation.access.capabilities import Role
from foundation.errors import Denied
from tests.conftest import ClientOf
from tests.factories import PASSWORD, DepotFactory, DriverFactory, UserFactory
from tests.types import Answer, Json

pytestmark = pytest.mark.django_db
USERS = "/api/accounts/users/"
STRONG = "correct horse 4 batteries"


def url(user: User, suffix: str = "") -> str:
    return f"{USERS}{user.pk}/{suffix}"


def body(**changes: Any) -> Json:
    return {"username": "newcomer", "password": STRONG, "role": "DRIVER", **changes}


def errors(response: Answer) -> list[tuple[str, str | None]]:
    return [(error["code"], error["attr"]) for error in response.json()["errors"]]


def fingerprint() -> str:
    return hashlib.sha256(
        repr((list(User.objects.order_by("pk").values()), AuditLog.objects.count())).encode()
    ).hexdigest()


# --- Create -----------------------------------------------------------------------------------------


def test_an_admin_adds_a_user_who_can_log_in(admin: APIClient, boss: User) -> None:
    depot = DepotFactory()
    sent = body(
        first_name="Siti",
        last_name="Rahman",
        email="siti@hsh.example",
        employee_id="E7",
        depot=depot.pk,
        vehicle_no="gbk 1234 a",
    )
    response = admin.post(USERS, sent)
    assert response.status_code == 201
    made = User.objects.get(username="newcomer")
    answer = response.json()
    assert answer["id"] == made.pk
    assert {name: answer[name] for name in sent if name not in ("password", "vehicle_no")} == {
        name: value for name, value in sent.items() if name not in ("password", "vehicle_no")
    }
    assert answer["vehicle_no"] == "GBK1234A"
    assert answer["is_active"] is True
    assert check_password(STRONG, made.password)
    log_in = APIClient().post("/api/token/", {"username": "newcomer", "password": STRONG}, format="json")
    assert log_in.status_code == 200


def test_a_new_user_leaves_evidence_without_a_password(admin: APIClient, boss: User) -> None:
    pk = admin.post(USERS, body(employee_id="")).json()["id"]
    record = AuditLog.objects.get(action="accounts.user.created")
    assert (record.user, record.entity_type, record.entity_id) == (boss, "accounts.user", pk)
    assert record.before is None
    assert record.after is not None
    assert record.after["username"] == "newcomer"
    assert record.after["role"] == "DRIVER"
    assert record.after["employee_id"] is None
    assert "password" not in record.after
    assert User.objects.get(pk=pk).password not in repr(record.after)


def test_an_empty_employee_id_is_none_so_that_many_may_have_it(admin: APIClient) -> None:
    for number, value in enumerate(("", None, "  ")):
        response = admin.post(USERS, body(username=f"user-{number}", employee_id=value))
        assert (response.status_code, response.json()["employee_id"]) == (201, None)
    assert User.objects.filter(username__startswith="user-", employee_id=None).count() == 3


def test_what_nobody_knows_is_refused(admin: APIClient) -> None:
    forged = {
        "id": 4711,
        "is_staff": True,
        "is_superuser": True,
        "date_joined": "2001-01-01T00:00:00Z",
        "last_login": "2001-01-01T00:00:00Z",
        "password_hash": "x",
        "groups": [1],
    }
    response = admin.post(USERS, body(**forged))
    assert response.status_code == 400
    assert set(errors(response)) == {("unknown_field", name) for name in forged}
    assert not User.objects.filter(username="newcomer").exists()


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short7x", "password_too_short"),
        ("password123", "password_too_common"),
        ("8273648273", "password_entirely_numeric"),
        ("newcomer1", "password_too_similar"),
    ],
)
def test_a_weak_password_is_refused(admin: APIClient, driver: User, password: str, code: str) -> None:
    before = fingerprint()
    response = admin.post(USERS, body(password=password))
    assert response.status_code == 400
    assert errors(response) == [(code, "password")]
    User.objects.filter(pk=driver.pk).update(username="newcomer")
    response = admin.post(url(driver, "set-password/"), {"password": password})
    assert response.status_code == 400
    assert errors(response) == [(code, "password")]
    User.objects.filter(pk=driver.pk).update(username="driver1")
    assert fingerprint() == before


@pytest.mark.parametrize("role", ["SUPERVISOR", "DEPOT_STAFF"])
def test_a_role_of_a_depot_needs_one(admin: APIClient, role: str) -> None:
    before = fingerprint()
    for sent in (body(role=role), body(role=role, depot=None)):
        response = admin.post(USERS, sent)
        assert response.status_code == 400
        assert [attr for _, attr in errors(response)] == ["depot"]
    assert fingerprint() == before
    assert admin.post(USERS, body(role=role, depot=DepotFactory().pk)).status_code == 201


@pytest.mark.parametrize("role", ["ADMIN", "SALES", "DRIVER"])
def test_other_roles_need_none(admin: APIClient, role: str) -> None:
    response = admin.post(USERS, body(role=role))
    assert (response.status_code, response.json()["role"], response.json()["depot"]) == (201, role, None)


def test_an_unknown_depot_is_named(admin: APIClient) -> None:
    response = admin.post(USERS, body(depot=999_999))
    assert response.status_code == 400
    assert errors(response) == [("does_not_exist", "depot")]


def test_nobody_comes_to_a_depot_that_is_not_in_use(admin: APIClient) -> None:
    closed = DepotFactory(is_active=False)
    stays, comes = UserFactory(depot=closed), UserFactory()
    before = fingerprint()
    for response in (admin.post(USERS, body(depot=closed.pk)), admin.patch(url(comes), {"depot": closed.pk})):
        assert response.status_code == 409
        assert errors(response) == [("depot_inactive", "depot")]
    assert fingerprint() == before
    assert admin.patch(url(stays), {"depot": closed.pk, "first_name": "Siti"}).status_code == 200


@pytest.mark.parametrize("field", ["username", "employee_id"])
def test_a_taken_value_is_named_whatever_its_letters(admin: APIClient, field: str) -> None:
    UserFactory(username="Taken", employee_id="Taken")
    before = fingerprint()
    for value in ("Taken", "taken", "TAKEN"):
        response = admin.post(USERS, body(**{field: value}))
        assert response.status_code == 400
        assert errors(response) == [("unique", field)]
    assert fingerprint() == before


NOT_TEXT: list[Any] = [[], {}, True, 7, 1.5, "\0", "a\0b", "\ud800", "x" * 1_000_000]
BAD: dict[str, list[Any]] = {
    "username": [None, "", " ", *NOT_TEXT, "x" * 65, "with space", "semi;colon", "имя", "a\u200bb", "a\nb"],
    "password": [None, "", *NOT_TEXT, "x" * 129],
    "first_name": [None, *NOT_TEXT, "x" * 101],
    "last_name": [None, *NOT_TEXT, "x" * 101],
    "email": [None, *NOT_TEXT, "nobody", "a@b", "a b@c.sg", "a@b.sg\nBcc: x@y.sg", "x" * 250 + "@b.sg"],
    "role": [None, "", *NOT_TEXT, "driver", "ROOT", "DRIVER "],
    "depot": ["", " ", [], {}, True, -1, 0, 1.5, "x", "１", "1_000", "1e3", 10**20, 10**30, "9" * 5_000, "\0", 999_999],
    "employee_id": [*NOT_TEXT, "x" * 33],
    "vehicle_no": [None, *NOT_TEXT, "x", "x" * 17, "GBK;1", "ГБК1234", "GBK_1"],
    "is_active": [None, "", [], {}, "maybe", 7, "\0"],
}


# A password is sent when a user is made; afterwards it has an operation of its own.
WAYS = [(way, field) for way in ("post", "put", "patch") for field in BAD if way == "post" or field != "password"]


@pytest.mark.parametrize(("way", "field"), WAYS)
def test_a_bad_value_is_refused_and_changes_nothing(admin: APIClient, driver: User, way: str, field: str) -> None:
    before = fingerprint()
    for value in BAD[field]:
        sent = {field: value} if way == "patch" else body(**{field: value})
        if way == "put":
            del sent["password"]
        target = USERS if way == "post" else url(driver)
        response = admin.generic(way.upper(), target, json.dumps(sent), content_type="application/json")
        assert response.status_code == 400, (value, response.content[:300])
        assert {attr for _, attr in errors(response)} == {field}, value
        assert all(len(error["detail"]) < 1_000 for error in response.json()["errors"])
    assert fingerprint() == before


@pytest.mark.parametrize("field", ["username", "password", "role"])
def test_a_missing_field_is_named(admin: APIClient, field: str) -> None:
    sent = body()
    del sent[field]
    response = admin.post(USERS, sent)
    assert response.status_code == 400
    assert errors(response) == [("required", field)]


# --- Read ---------------------------------------------------------------------------------------------


def test_no_answer_shows_a_password(admin: APIClient, driver: User) -> None:
    for response in (admin.get(USERS), admin.get(url(driver)), admin.patch(url(driver), {"first_name": "Siti"})):
        assert response.status_code == 200
        assert driver.username in response.content.decode()
        assert "password" not in response.content.decode()
        assert driver.password not in response.content.decode()


def test_the_list_filters_and_searches(admin: APIClient, boss: User) -> None:
    depot = DepotFactory()
    siti = UserFactory(username="siti", first_name="Siti", employee_id="E77", depot=depot, role=Role.SALES)
    gone = UserFactory(username="gone", depot=depot, is_active=False)

    def found(query: str) -> set[str]:
        response = admin.get(f"{USERS}?{query}")
        assert response.status_code == 200
        return {user["username"] for user in response.json()["results"]}

    assert found("") == {"boss", "siti", "gone"}
    assert found("role=SALES") == {siti.username}
    assert found(f"depot={depot.pk}") == {"siti", "gone"}
    assert found("is_active=false") == {gone.username}
    assert found("search=siti") == found("search=E77") == {"siti"}
    assert found("ordering=-username") == {"boss", "siti", "gone"}


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("role=ROOT", ("invalid_choice", "role")),
        ("depot=x", ("invalid", "depot")),
        ("depot=99999999999999999999", ("invalid", "depot")),
        ("search=%00", ("invalid", "search")),
    ],
)
def test_a_bad_filter_is_refused(admin: APIClient, query: str, error: tuple[str, str | None]) -> None:
    response = admin.get(f"{USERS}?{query}")
    assert (response.status_code, errors(response)) == (400, [error])


def test_the_list_costs_the_same_for_many(admin: APIClient) -> None:
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert admin.get(USERS).status_code == 200
        return len(queries)

    DriverFactory()
    few = cost()
    for _ in range(10):
        DriverFactory()
    assert cost() == few == 2


# --- Change ---------------------------------------------------------------------------------------------


def test_a_change_leaves_before_and_after(admin: APIClient, boss: User, driver: User) -> None:
    other = DepotFactory()
    old = driver.depot_id
    response = admin.patch(
        url(driver), {"depot": other.pk, "vehicle_no": "gbl 5678 b", "first_name": driver.first_name}
    )
    assert response.status_code == 200
    assert (response.json()["depot"], response.json()["vehicle_no"]) == (other.pk, "GBL5678B")
    driver.refresh_from_db()
    assert driver.vehicle_since is not None
    assert driver.depot_since is not None
    record = AuditLog.objects.get(entity_type="accounts.user")
    assert (record.action, record.user, record.entity_id) == ("accounts.user.updated", boss, driver.pk)
    assert record.before == {"depot": old, "depot_since": None, "vehicle_no": "GBK1234A", "vehicle_since": None}
    assert record.after == {
        "depot": other.pk,
        "depot_since": driver.depot_since.astimezone(clock.SINGAPORE).isoformat(),
        "vehicle_no": "GBL5678B",
        "vehicle_since": driver.vehicle_since.isoformat(),
    }


def test_nothing_changed_leaves_nothing(admin: APIClient, driver: User) -> None:
    assert admin.patch(url(driver), {"vehicle_no": "GBK1234A"}).status_code == 200
    assert admin.patch(url(driver), {}).status_code == 200
    assert not AuditLog.objects.exists()


def test_a_put_keeps_its_own_name_and_number(admin: APIClient, driver: User) -> None:
    sent = {"username": "driver1", "employee_id": "E1023", "role": "SALES"}
    response = admin.put(url(driver), sent)
    assert response.status_code == 200
    assert response.json()["role"] == "SALES"


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_change_sets_no_password(admin: APIClient, driver: User, method: str) -> None:
    sent = {"username": "driver1", "role": "DRIVER", "password": "sneaked in 123"}
    response = getattr(admin, method)(url(driver), sent)
    assert errors(response) == [("unknown_field", "password")]
    driver.refresh_from_db()
    assert check_password(PASSWORD, driver.password)


def test_a_supervisor_cannot_lose_the_depot(admin: APIClient, driver: User) -> None:
    supervisor = UserFactory(role=Role.SUPERVISOR)
    roamer = UserFactory(role=Role.SALES, depot=None)
    before = fingerprint()
    for response in (admin.patch(url(supervisor), {"depot": None}), admin.patch(url(roamer), {"role": "DEPOT_STAFF"})):
        assert response.status_code == 400
        assert [attr for _, attr in errors(response)] == ["depot"]
    assert fingerprint() == before
    assert admin.patch(url(driver), {"depot": None}).json()["depot"] is None


def test_deactivating_is_what_delete_means(admin: APIClient, boss: User, driver: User) -> None:
    assert admin.delete(url(driver)).status_code == 200
    assert admin.get(url(driver)).json()["is_active"] is False
    record = AuditLog.objects.get()
    driver.refresh_from_db()
    assert driver.deactivated_at is not None
    since = driver.deactivated_at.astimezone(clock.SINGAPORE).isoformat()
    assert (record.action, record.before, record.after) == (
        "accounts.user.deactivated",
        {"is_active": True, "deactivated_at": None},
        {"is_active": False, "deactivated_at": since},
    )
    assert admin.delete(url(driver)).status_code == 200
    assert AuditLog.objects.count() == 1


def test_a_deactivated_user_can_be_let_in_again(admin: APIClient, driver: User) -> None:
    admin.delete(url(driver))
    assert admin.patch(url(driver), {"is_active": True}).json()["is_active"] is True
    log_in = APIClient().post("/api/token/", {"username": "driver1", "password": PASSWORD}, format="json")
    assert log_in.status_code == 200


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "SALES"}, {"role": "DRIVER", "is_active": False}])
def test_admins_do_not_lock_themselves_out(admin: APIClient, boss: User, change: Json) -> None:
    before = fingerprint()
    for response in (
        admin.patch(url(boss), change),
        admin.put(url(boss), {"username": "boss", "role": "ADMIN", **change}),
        admin.delete(url(boss)),
    ):
        assert response.status_code == 409
        assert [code for code, _ in errors(response)] == ["own_account"]
    assert fingerprint() == before
    assert admin.patch(url(boss), {"first_name": "Siti", "role": "ADMIN", "is_active": True}).status_code == 200


def test_an_admin_who_was_demoted_meanwhile_changes_nobody(driver: User) -> None:
    """Two administrators who demote each other at once: the second one's row says no, and one stays."""
    stale = UserFactory(role=Role.ADMIN)
    User.objects.filter(pk=stale.pk).update(role=Role.SALES)
    before = fingerprint()
    with pytest.raises(Denied):
        update_user(actor=stale, pk=driver.pk, changes={"role": Role.ADMIN})
    with pytest.raises(Denied):
        deactivate_user(actor=stale, pk=driver.pk)
    assert fingerprint() == before


# --- Passwords --------------------------------------------------------------------------------------------


def test_setting_a_password_leaves_evidence_without_it(admin: APIClient, boss: User, driver: User) -> None:
    response = admin.post(url(driver, "set-password/"), {"password": STRONG})
    assert response.status_code == 204
    driver.refresh_from_db()
    assert check_password(STRONG, driver.password)
    record = AuditLog.objects.get()
    assert (record.action, record.user, record.entity_id) == ("accounts.user.password_set", boss, driver.pk)
    assert (record.before, record.after) == (None, None)


@pytest.mark.parametrize("value", BAD["password"], ids=lambda value: repr(value)[:12])
def test_a_bad_password_is_refused(admin: APIClient, driver: User, value: object) -> None:
    before = fingerprint()
    response = admin.generic(
        "POST", url(driver, "set-password/"), json.dumps({"password": value}), content_type="application/json"
    )
    assert response.status_code == 400
    assert {attr for _, attr in errors(response)} == {"password"}
    assert fingerprint() == before


# --- Who may --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.ADMIN, Role.AUDITOR)])
def test_other_roles_are_refused(client_of: ClientOf, driver: User, role: Role) -> None:
    client = client_of(UserFactory(role=role))
    before = fingerprint()
    for method, target, sent in (
        ("get", USERS, None),
        ("get", url(driver), None),
        ("get", f"{USERS}999999/", None),
        ("post", USERS, body()),
        ("put", url(driver), {"username": "driver1", "role": "ADMIN"}),
        ("patch", url(driver), {"role": "ADMIN"}),
        ("delete", url(driver), None),
        ("post", url(driver, "set-password/"), {"password": STRONG}),
    ):
        assert getattr(client, method)(target, sent).status_code == 403, (method, target)
    assert fingerprint() == before


def test_nobody_is_401_and_a_missing_user_404(client_of: ClientOf, admin: APIClient, driver: User) -> None:
    assert client_of(None).get(USERS).status_code == 401
    assert client_of(None).get(url(driver)).status_code == 401
    for response in (
        admin.get(f"{USERS}999999/"),
        admin.patch(f"{USERS}999999/", {}),
        admin.delete(f"{USERS}999999/"),
        admin.post(f"{USERS}999999/set-password/", {"password": STRONG}),
    ):
        assert response.status_code == 404


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.ADMIN, Role.AUDITOR)])
def test_who_reads_no_users_sees_none_wherever_they_are_listed(role: Role) -> None:
    assert not User.objects.visible_to(UserFactory(role=role)).exists()


def test_who_has_a_depot_keeps_it_in_a_role_that_needs_one(admin: APIClient, driver: User) -> None:
    answer = admin.patch(url(driver), {"role": "SUPERVISOR"})
    assert (answer.status_code, answer.json()["depot"]) == (200, driver.depot_id)


@pytest.mark.parametrize("role", list(Role))
def test_django_s_own_permissions_are_the_active_administrators(role: Role) -> None:
    """Of what no page of ours asks a capability for."""
    assert UserFactory(role=role).has_perm("auth.add_group") is (role == Role.ADMIN)
    assert not UserFactory(role=role, is_active=False).has_perm("auth.add_group")
