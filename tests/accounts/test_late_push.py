"""A phone whose user was deactivated may bring what it holds, for 14 days; nothing happens by it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from rest_framework_simplejwt.settings import api_settings

from accounts.models import User
from accounts.services import deactivate_user, set_password, update_user
from foundation import clock
from foundation.access.capabilities import Role
from sync.models import SyncConflict
from tests.accounts.conftest import Api, Pair, assert_unauthorized
from tests.accounts.test_access_tokens import signed
from tests.conftest import Shop, error_of
from tests.factories import DriverFactory, UserFactory
from tests.types import Answer, Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

MORNING = datetime(2026, 1, 20, 8, 0, tzinfo=clock.SINGAPORE)
NOON = MORNING + timedelta(hours=4)
GRACE = timedelta(days=14)


@dataclass
class Phone:
    """Logged in in the morning; its user is deactivated at noon."""

    shop: Shop
    api: Api
    pair: Pair

    def leave(self) -> None:
        with time_machine.travel(NOON, tick=False):
            deactivate_user(actor=self.shop.admin, pk=self.shop.driver.pk)

    def operation(self, name: str = "a", at: datetime = MORNING) -> dict[str, Any]:
        line = {"type": "SALE", "equipment": self.shop.cylinder.pk, "quantity": 1}
        data = {"customer": self.shop.customer.pk, "items": [line]}
        return {"type": "transaction.create", "client_temp_id": name, "occurred_at": at.isoformat(), "data": data}

    def push(self, *operations: Any, access: str = "", at: datetime = NOON + timedelta(hours=1)) -> Answer:
        headers = {"Authorization": f"Bearer {access or self.pair['access']}"}
        with time_machine.travel(at, tick=False):
            return self.api.post("sync/push", {"operations": operations or [self.operation()]}, headers=headers)


@pytest.fixture
def phone(shop: Shop, api: Api) -> Phone:
    with time_machine.travel(MORNING, tick=False):
        pair = api.log_in(shop.driver)
    return Phone(shop, api, pair)


def test_each_operation_is_kept_for_a_supervisor_who_lets_it_happen(phone: Phone) -> None:
    done = phone.push(phone.operation("done"), at=NOON - timedelta(hours=1))
    assert done.json()["results"][0]["status"] == "created"
    phone.leave()
    late = phone.push(phone.operation("done"), phone.operation("a"), {"client_temp_id": "b"}, at=NOON + GRACE)
    assert late.status_code == 200
    results = late.json()["results"]
    assert [result["status"] for result in results] == ["duplicate", "rejected", "rejected"]
    assert results[1]["errors"][0]["code"] == "user_deactivated"
    assert phone.push(at=NOON + GRACE).json()["results"][0]["status"] == "rejected", "again is the same"
    assert list(SyncConflict.objects.order_by("pk").values_list("code", flat=True)) == [
        "user_deactivated", "unknown_type"
    ]  # fmt: skip
    assert Transaction.objects.count() == 1
    supervisor = phone.shop.client_of(UserFactory(role=Role.SUPERVISOR, depot=phone.shop.depot))
    conflict = SyncConflict.objects.get(code="user_deactivated")
    assert supervisor.post(f"/api/sync/conflicts/{conflict.pk}/retry/", {}).status_code == 200
    sale = Transaction.objects.latest("pk")
    assert (sale.user, sale.occurred_at) == (phone.shop.driver, MORNING)
    assert phone.push().json()["results"][0]["status"] == "duplicate"


def test_what_happened_after_is_kept_and_never_happens(phone: Phone) -> None:
    phone.leave()
    phone.push(phone.operation(at=NOON))
    admin = phone.shop.client_of(phone.shop.admin)
    retried = admin.post(f"/api/sync/conflicts/{SyncConflict.objects.get().pk}/retry/", {})
    assert error_of(retried) == (409, "user_deactivated", "occurred_at")


def test_another_operation_under_its_id_is_kept(phone: Phone) -> None:
    phone.push(phone.operation("done"), at=NOON - timedelta(hours=1))
    phone.leave()
    [result] = phone.push(phone.operation("done", at=MORNING + timedelta(minutes=1))).json()["results"]
    assert result["status"] == "rejected"


def test_it_ends_after_14_days(phone: Phone) -> None:
    phone.leave()
    assert_unauthorized(phone.push(at=NOON + GRACE + timedelta(seconds=1)))
    assert phone.push(at=NOON + GRACE).status_code == 200


def test_it_opens_nothing_else(phone: Phone, nothing_changes: Unchanged) -> None:
    phone.leave()
    headers = {"Authorization": f"Bearer {phone.pair['access']}"}
    with nothing_changes(), time_machine.travel(NOON + timedelta(minutes=1), tick=False):
        for path in ("accounts/me", "sync/pull", "customers", "sync/conflicts", "transactions"):
            assert_unauthorized(phone.api.client.get(f"/api/{path}/", headers=headers))
        for path in ("transactions", "payments", "distributions", "settlements", "vehicles/1/take"):
            assert_unauthorized(phone.api.post(path, {}, headers=headers))
        assert_unauthorized(phone.api.refresh(phone.pair["refresh"]))


def test_no_other_token_does(phone: Phone, nothing_changes: Unchanged) -> None:
    other, colleague = DriverFactory(), DriverFactory()
    with time_machine.travel(MORNING, tick=False):
        phone.api.log_in(colleague)
    phone.leave()
    good = jwt.decode(phone.pair["access"], options={"verify_signature": False})
    noon = int(NOON.timestamp())
    bad = {
        "refresh": phone.pair["refresh"],
        "issued after": signed(good | {"iat": noon + 1}),
        "another's": signed(good | {"user_id": str(other.pk)}),
        "another deactivated one's": signed(good | {"user_id": str(colleague.pk)}),
        "foreign": signed(good, "another key that is long enough to be one"),
        "unknown log-in": signed(good | {"jti": "0" * 32 + "-access"}),
        "no id": signed({name: good[name] for name in good if name != "jti"}),
        "times that are none": signed(good | {"iat": "soon"}),
        "without a beginning": signed({name: good[name] for name in good if name != "iat"}),
        "garbage": "x",
    }
    with time_machine.travel(NOON, tick=False):
        deactivate_user(actor=phone.shop.admin, pk=colleague.pk)
    with nothing_changes():
        for name, token in bad.items():
            answer = phone.push(access=token)
            assert answer.status_code == 401, name
    assert phone.push(access=signed(good)).status_code == 200


def test_one_that_expired_before_does_while_its_log_in_was_alive(phone: Phone) -> None:
    """Out of reach a phone can't renew it."""
    phone.leave()
    good = jwt.decode(phone.pair["access"], options={"verify_signature": False})
    expired = signed(good | {"exp": int(MORNING.timestamp()) + 60})
    assert phone.push(access=expired).status_code == 200
    assert phone.push(access=expired, at=NOON + GRACE).status_code == 200


def test_a_log_in_that_had_run_out_before_has_no_grace(phone: Phone) -> None:
    long_ago = NOON - api_settings.REFRESH_TOKEN_LIFETIME
    for past, status in ((timedelta(seconds=1), 401), (-timedelta(minutes=1), 200)):
        other = DriverFactory()
        with time_machine.travel(long_ago - past, tick=False):
            pair = phone.api.log_in(other)
        with time_machine.travel(NOON, tick=False):
            deactivate_user(actor=phone.shop.admin, pk=other.pk)
        assert phone.push(access=pair["access"]).status_code == status, past
        assert phone.push(access=pair["access"], at=NOON + GRACE).status_code == status, past


def test_an_expired_one_of_an_active_user_opens_nothing(phone: Phone) -> None:
    assert_unauthorized(phone.push(at=MORNING + timedelta(hours=9)))


def test_who_logged_out_has_no_grace(phone: Phone) -> None:
    with time_machine.travel(NOON - timedelta(hours=1), tick=False):
        assert phone.api.log_out(phone.pair["refresh"]).status_code in (200, 204, 205)
    phone.leave()
    assert_unauthorized(phone.push())


def test_the_tokens_before_a_refresh_still_do(phone: Phone) -> None:
    with time_machine.travel(NOON - timedelta(hours=1), tick=False):
        assert phone.api.refresh(phone.pair["refresh"]).status_code == 200
    phone.leave()
    assert phone.push().status_code == 200


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_new_password_ends_it(phone: Phone, hours: int) -> None:
    def change() -> None:
        with time_machine.travel(NOON + timedelta(hours=hours), tick=False):
            set_password(actor=phone.shop.admin, pk=phone.shop.driver.pk, password="another long password")

    if hours < 0:
        change()
    phone.leave()
    if hours > 0:
        change()
    assert_unauthorized(phone.push(at=NOON + timedelta(hours=2)))


def test_an_old_log_in_does_not_come_back_with_another_deactivation(phone: Phone) -> None:
    phone.leave()
    for moment, is_active in ((1, True), (2, False)):
        with time_machine.travel(NOON + timedelta(hours=moment), tick=False):
            update_user(actor=phone.shop.admin, pk=phone.shop.driver.pk, changes={"is_active": is_active})
    assert_unauthorized(phone.push(at=NOON + timedelta(hours=3)))


def test_of_whom_nobody_knows_since_when_nothing_is_taken(phone: Phone) -> None:
    phone.leave()
    User.objects.filter(pk=phone.shop.driver.pk).update(deactivated_at=None)
    assert_unauthorized(phone.push())


def test_who_never_pushed_does_not_push_once_deactivated(phone: Phone, nothing_changes: Unchanged) -> None:
    """A role without a phone has nothing to say afterwards."""
    User.objects.filter(pk=phone.shop.driver.pk).update(role=Role.AUDITOR)
    phone.leave()
    with nothing_changes():
        assert phone.push().status_code == 403
