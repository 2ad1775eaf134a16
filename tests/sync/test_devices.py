"""A push of protocol 2 says which device speaks, by which clock, and how far it has counted."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError

from accounts.models import User
from audit.models import AuditLog
from depots.models import Depot
from fleet.models import Assignment
from foundation import clock
from foundation.access.capabilities import Role
from foundation.operations.models import ClientOperation
from sync.models import Device, Pull, ReceivedNumber, SyncConflict
from sync.selectors import LISTED
from tests.admin.pages import logged_in, url
from tests.conftest import Shop, error_of
from tests.factories import DepotFactory, DriverFactory, UserFactory, VehicleFactory
from tests.sync.conftest import Push, load_of, sale_of
from tests.types import Answer, Json, Unchanged
from transactions.models import Transaction
from transactions.services import sales

pytestmark = pytest.mark.django_db

DEVICE = "6f1c0c52-44a0-4c8f-9f5e-5d0f6a3e7c21"


@pytest.fixture
def phone(shop: Shop) -> Callable[..., Json]:
    """Pushes as a phone does; what it is answered."""

    def send(*operations: object, by: User | None = None, **said: Any) -> Json:
        answer = send_raw(shop, *operations, by=by, **said)
        assert answer.status_code == 200, answer.content
        body: Json = answer.json()
        return body

    return send


def send_raw(shop: Shop, *operations: object, by: User | None = None, **said: Any) -> Answer:
    body = {
        "protocol": 2,
        "sent_at": clock.now().isoformat(),
        "device": {"id": said.pop("device", DEVICE), "last_number": said.pop("last_number", 0)},
        "operations": operations,
        **said,
    }
    return shop.client_of(by or shop.driver).post("/api/sync/push/", body)


def numbered(operation: Json, number: object, **said: Any) -> Json:
    return {**operation, "number": number, **said}


def withdrawn(name: str, number: int) -> Json:
    return {"type": "withdrawn", "client_temp_id": name, "number": number, "occurred_at": None, "data": {}}


def taken(name: str, vehicle: str, **more: Any) -> Json:
    return {"type": "vehicle.taken", "client_temp_id": name, "data": {"vehicle": vehicle}, **more}


# --- What is said beside the operations ---


@pytest.mark.parametrize(
    ("said", "attr"),
    [
        ({"sent_at": None}, "sent_at"),
        ({"sent_at": "yesterday"}, "sent_at"),
        ({"sent_at": "2026-11-26T10:05:00"}, "sent_at"),
        ({"device": ""}, "device.id"),
        ({"device": 7}, "device.id"),
        ({"device": "x" * 65}, "device.id"),
        ({"device": "a b"}, "device.id"),
        ({"last_number": -1}, "device.last_number"),
        ({"last_number": 10_000_000}, "device.last_number"),
        ({"last_number": None}, "device.last_number"),
        ({"server_time": "now"}, "server_time"),
    ],
)
def test_a_push_that_says_nonsense_of_itself_is_refused_and_loses_nothing(
    shop: Shop, nothing_changes: Unchanged, said: Json, attr: str
) -> None:
    with nothing_changes():
        answer = send_raw(shop, sale_of(shop, "a"), **said)
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, attr)


@pytest.mark.parametrize("part", ["sent_at", "device"])
def test_protocol_2_names_its_device_and_its_time(shop: Shop, nothing_changes: Unchanged, part: str) -> None:
    body: Json = {"protocol": 2, "sent_at": clock.now().isoformat(), "device": {"id": DEVICE, "last_number": 0}}
    del body[part]
    with nothing_changes():
        answer = shop.client_of(shop.driver).post("/api/sync/push/", {**body, "operations": [sale_of(shop, "a")]})
    assert error_of(answer) == (400, "required", part)


def test_protocol_1_names_neither_and_is_answered_as_before(shop: Shop) -> None:
    answer = shop.client_of(shop.driver).post("/api/sync/push/", {"operations": [sale_of(shop, "a")]})
    assert {*answer.json()} == {"results"}
    assert not Device.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"number": 0}, {"number": "first"}, {"number": 1.5}, {"number": 10_000_000}, {"clock_offset_s": "late"},
     {"clock_offset_s": 10**12}, {"clock_offset_s": True}],
)  # fmt: skip
def test_what_is_malformed_about_one_operation_keeps_that_one(
    shop: Shop, phone: Callable[..., Json], wrong: Json
) -> None:
    first, bad, last = phone(sale_of(shop, "a"), {**sale_of(shop, "b"), **wrong}, sale_of(shop, "c"))["results"]
    assert (first["status"], bad["status"], last["status"]) == ("created", "rejected", "created")
    assert [error["attr"] for error in bad["errors"]] == [*wrong]
    assert SyncConflict.objects.get().client_temp_id == "b"


def test_what_an_older_app_recorded_has_no_number(shop: Shop, phone: Callable[..., Json]) -> None:
    [result] = phone(sale_of(shop, "a"))["results"]
    assert result["status"] == "created"
    assert not ReceivedNumber.objects.exists()


# --- The same operation ---


def test_the_same_sale_by_either_protocol_and_by_post(shop: Shop, push: Push, phone: Callable[..., Json]) -> None:
    at = clock.now().isoformat()
    sale = sale_of(shop, "a", occurred_at=at)
    [first] = push(sale)
    with_device = numbered(sale, 1, clock_offset_s=-12)
    with_device["data"]["based_on"] = {"total_with_gst": "1.00"}
    again = phone(with_device)["results"][0]
    assert (again["status"], again["id"]) == ("duplicate", first["id"])
    posted = shop.sell({"type": "SALE"}, client_temp_id="a", occurred_at=at)
    assert (posted.status_code, posted.json()["transaction"]["id"]) == (200, first["id"])
    [other] = phone(numbered(sale_of(shop, "b", occurred_at=at), 2))["results"]
    assert push(sale_of(shop, "b", occurred_at=at))[0]["id"] == other["id"]
    assert Transaction.objects.count() == 2


def test_what_is_refused_stays_one_conflict_whatever_device_and_clock_say(
    shop: Shop, push: Push, phone: Callable[..., Json]
) -> None:
    operation = sale_of(shop, "a", {"quantity": 99})
    [refused] = push(operation)
    assert phone(numbered(operation, 4, clock_offset_s=3))["results"][0]["conflict"] == refused["conflict"]
    assert phone(numbered(operation, 5, clock_offset_s=9))["results"][0]["conflict"] == refused["conflict"]
    assert SyncConflict.objects.count() == 1


def test_another_content_under_a_used_id_stays_one_conflict_as_well(shop: Shop, phone: Callable[..., Json]) -> None:
    phone(sale_of(shop, "a"))
    kept = [
        phone(numbered(sale_of(shop, "a", {"quantity": 2}), 1, clock_offset_s=offset))["results"][0]["conflict"]
        for offset in (3, 9)
    ]
    assert kept == [SyncConflict.objects.get().pk] * 2


def test_a_number_inside_the_data_is_still_content(shop: Shop, phone: Callable[..., Json]) -> None:
    operation = sale_of(shop, "a", number=3)
    [result] = phone(operation)["results"]
    assert [(error["code"], error["attr"]) for error in result["errors"]] == [("unknown_field", "number")]


# --- The clock ---


NOON = datetime(2026, 1, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("occurred", "sent", "offset", "happened"),
    [
        ("2026-01-20T11:00:00Z", "2026-01-20T12:00:00Z", None, "2026-01-20T11:00:00Z"),
        ("2026-01-20T13:00:00Z", "2026-01-20T14:00:00Z", None, "2026-01-20T11:00:00Z"),
        ("2026-01-20T13:00:00Z", "2026-01-20T14:00:00Z", -3600, "2026-01-20T12:00:00Z"),
        ("2026-01-20T10:00:00Z", "2026-01-20T12:00:00Z", 60, "2026-01-20T10:01:00Z"),
        ("2026-01-20T13:00:00Z", "2026-01-20T12:00:00Z", 0, "2026-01-20T12:00:00Z"),
        ("2026-01-20T13:00:00Z", "2026-01-20T12:00:00Z", None, "2026-01-20T12:00:00Z"),
        ("1970-01-01T00:30:00Z", "1970-01-01T01:00:00Z", None, "2026-01-20T11:30:00Z"),
        ("1904-01-01T00:30:00Z", "1904-01-01T01:00:00Z", None, "2026-01-20T11:30:00Z"),
        ("2099-06-01T08:00:00Z", "2099-06-01T09:00:00Z", None, "2026-01-20T11:00:00Z"),
        ("9999-12-31T15:00:00Z", "2026-01-20T12:00:00Z", 10**11, "2026-01-20T12:00:00Z"),
        ("9999-12-31T15:00:00Z", "0001-01-02T00:00:00Z", None, "2026-01-20T12:00:00Z"),
    ],
)
def test_a_wrong_clock_is_put_right(
    shop: Shop, phone: Callable[..., Json], occurred: str, sent: str, offset: int | None, happened: str
) -> None:
    with time_machine.travel(NOON, tick=False):
        operation = numbered(sale_of(shop, "a", occurred_at=occurred), 1, clock_offset_s=offset)
        [result] = phone(operation, sent_at=sent)["results"]
    assert result["status"] == "created", result
    sale = Transaction.objects.get()
    assert sale.occurred_at == datetime.fromisoformat(happened)
    assert occurred in ClientOperation.objects.get().content


@pytest.mark.parametrize(
    ("occurred", "sent", "offset"),
    [
        ("2026-01-12T12:00:00Z", "2026-01-20T12:00:00Z", None),
        ("2026-01-20T12:00:00Z", "2026-01-28T13:00:00Z", None),
        ("2026-01-20T12:00:00Z", "2026-01-20T12:00:00Z", -(10**11)),
        ("0001-01-02T00:00:00Z", "9999-12-31T15:00:00Z", None),
        ("0001-01-02T00:00:00Z", "9999-12-31T15:00:00Z", 0),
    ],
)
def test_what_is_too_long_ago_when_it_is_put_right_is_kept(
    shop: Shop, phone: Callable[..., Json], occurred: str, sent: str, offset: int | None
) -> None:
    with time_machine.travel(NOON, tick=False):
        operation = numbered(sale_of(shop, "a", occurred_at=occurred), 1, clock_offset_s=offset)
        [result] = phone(operation, sent_at=sent)["results"]
    assert result["errors"][0]["code"] == "occurred_at_out_of_range"


def test_the_first_receipt_decides_when_it_happened(shop: Shop, phone: Callable[..., Json]) -> None:
    """Whatever the phone's clock says when it asks again, and whenever somebody lets it happen."""
    with time_machine.travel(NOON, tick=False):
        operation = sale_of(shop, "a", vehicle="GBX9Z", occurred_at="2026-01-20T15:00:00Z")
        done = sale_of(shop, "b", occurred_at="2026-01-20T15:00:00Z")
        phone(operation, done, sent_at="2026-01-20T16:00:00Z")
    kept = SyncConflict.objects.get()
    assert (kept.occurred_at, kept.corrected_at) == (NOON + timedelta(hours=3), NOON - timedelta(hours=1))
    with time_machine.travel(NOON + timedelta(days=2), tick=False):
        results = phone(operation, done, sent_at="2026-01-25T16:00:00Z")["results"]
        assert [result["status"] for result in results] == ["rejected", "duplicate"]
        shop.count("vehicle", VehicleFactory(depot=shop.depot, number="GBX9Z").number, 5)
        assert retry(shop, kept.pk).status_code == 200
    assert {*Transaction.objects.values_list("occurred_at", flat=True)} == {NOON - timedelta(hours=1)}


def retry(shop: Shop, conflict: int, **body: Any) -> Answer:
    return shop.client_of(shop.admin).post(f"/api/sync/conflicts/{conflict}/retry/", body)


def test_whoever_lets_it_happen_may_set_the_time(shop: Shop, phone: Callable[..., Json]) -> None:
    operation = sale_of(shop, "a", occurred_at="2026-01-01T00:00:00Z")
    [kept] = phone(operation)["results"]
    at = clock.now() - timedelta(days=2)
    future = retry(shop, kept["conflict"], occurred_at=(clock.now() + timedelta(minutes=1)).isoformat())
    assert error_of(future) == (400, "invalid", "occurred_at")
    assert retry(shop, kept["conflict"], occurred_at=at.isoformat()).status_code == 200
    assert Transaction.objects.get().occurred_at == at
    assert datetime.fromisoformat((AuditLog.objects.latest("id").after or {})["occurred_at"]) == at
    assert phone(operation)["results"][0]["status"] == "duplicate"


def moments(said: Json | None, *names: str) -> list[datetime]:
    return [datetime.fromisoformat((said or {})[name]) for name in names]


def test_another_time_stands_beside_the_one_that_was_sent(shop: Shop, phone: Callable[..., Json]) -> None:
    """In what was decided, in what was made by it, and in the answer: nobody overrules a device without a trace."""
    sent, at = clock.now() - timedelta(hours=5), clock.now() - timedelta(days=2)
    kept, as_it_is = phone(
        numbered(sale_of(shop, "a", {"quantity": 99}, occurred_at=sent.isoformat()), 1, clock_offset_s=-3600),
        numbered(sale_of(shop, "b", {"quantity": 98}, occurred_at=sent.isoformat()), 2, clock_offset_s=-3600),
    )["results"]
    address = f"/api/sync/conflicts/{kept['conflict']}/"
    assert shop.client_of(shop.driver).get(address).json()["happened_at"] is None
    shop.count("vehicle", shop.driver.vehicle_no, 200)
    answer = retry(shop, kept["conflict"], occurred_at=at.isoformat(), client_temp_id="decided")
    assert answer.status_code == 200, answer.content
    corrected = sent - timedelta(hours=1)
    decided = AuditLog.objects.get(action="sync.conflict.retried")
    assert moments(decided.before, "occurred_at", "corrected_at") == [sent, corrected]
    assert moments(decided.after, "occurred_at") == [at]
    sold = AuditLog.objects.filter(action="transactions.sale.recorded").latest("pk")
    assert moments(sold.after, "occurred_at", "occurred_at_sent") == [at, sent]
    again = retry(shop, kept["conflict"], occurred_at=at.isoformat(), client_temp_id="decided")
    for read in (answer.json(), again.json(), shop.client_of(shop.driver).get(address).json()):
        assert moments(read, "occurred_at", "corrected_at", "happened_at") == [sent, corrected, at]
    # Let happen as it is, nothing was overruled.
    assert retry(shop, as_it_is["conflict"]).json()["happened_at"] is None
    assert AuditLog.objects.filter(action="sync.conflict.retried").latest("pk").before == {"status": "OPEN"}
    sold = AuditLog.objects.filter(action="transactions.sale.recorded").latest("pk")
    assert "occurred_at_sent" not in (sold.after or {})
    listed = shop.client_of(shop.admin).get("/api/sync/conflicts/").json()["results"]
    assert [each["happened_at"] for each in listed] == [None, None]


def test_the_office_tells_the_times_that_it_overrules(shop: Shop, phone: Callable[..., Json]) -> None:
    sent = clock.now() - timedelta(days=9)
    [kept] = phone(numbered(sale_of(shop, "a", occurred_at=sent.isoformat()), 1, clock_offset_s=-3600))["results"]
    office, page = logged_in(shop.admin), url("sync.syncconflict", "change", kept["conflict"])
    body = {"action": "retry_at_another_time", "_selected_action": kept["conflict"]}
    asked = office.post(url("sync.syncconflict"), body).content.decode()
    corrected = clock.in_words(sent - timedelta(hours=1))
    assert f"Its device said {clock.in_words(sent)}; by the server&#x27;s clock that was {corrected}" in asked
    at = clock.now() - timedelta(days=2)
    assert retry(shop, kept["conflict"], occurred_at=at.isoformat()).status_code == 200
    shown = office.get(page).content.decode()
    assert "let happen at another time" in shown.lower()
    assert f"{clock.in_words(at)}" in shown


def test_the_office_sets_the_time(shop: Shop, phone: Callable[..., Json]) -> None:
    [kept] = phone(sale_of(shop, "a", occurred_at="2026-01-01T00:00:00Z"))["results"]
    day = clock.business_date(clock.now()) - timedelta(days=1)
    page = url("sync.syncconflict")
    body = {"action": "retry_at_another_time", "_selected_action": kept["conflict"]}
    office = logged_in(shop.admin)
    assert b"When it happened" in office.post(page, body).content
    office.post(page, {**body, "_answered": "1", "occurred_at": f"{day} 09:12"})
    assert Transaction.objects.get().occurred_at.astimezone(clock.SINGAPORE).isoformat()[:16] == f"{day}T09:12"


# --- Numbers ---


def device_says(answer: Json) -> Json:
    said: Json = answer["device"]
    return said


def test_a_number_that_never_came_is_missing_until_it_comes(shop: Shop, phone: Callable[..., Json]) -> None:
    answer = phone(numbered(sale_of(shop, "a"), 1), numbered(sale_of(shop, "d"), 4), last_number=6)
    assert device_says(answer) == {"missing": [2, 3, 5, 6], "last_number": 6}
    answer = phone(numbered(sale_of(shop, "c"), 3), withdrawn("f", 6), last_number=6)
    assert device_says(answer) == {"missing": [2, 5], "last_number": 6}
    answer = phone(numbered(sale_of(shop, "b"), 2), numbered(sale_of(shop, "e", {"quantity": 99}), 5), last_number=6)
    assert device_says(answer) == {"missing": [], "last_number": 6}
    device = Device.objects.get()
    assert (device.received, device.last_number, device.protocol) == (6, 6, 2)


def test_the_answer_says_the_server_s_time(shop: Shop, phone: Callable[..., Json]) -> None:
    with time_machine.travel(NOON, tick=False):
        assert datetime.fromisoformat(phone()["server_time"]) == NOON


def test_at_most_100_missing_numbers_are_told(shop: Shop, phone: Callable[..., Json]) -> None:
    answer = phone(numbered(sale_of(shop, "a"), 50), last_number=9_999_999)
    assert device_says(answer)["missing"] == [*range(1, 50), *range(51, LISTED + 2)]


def test_the_same_push_again_notes_nothing_new(
    shop: Shop, phone: Callable[..., Json], nothing_changes: Unchanged
) -> None:
    batch = [numbered(sale_of(shop, "a"), 1), numbered(sale_of(shop, "b", {"quantity": 99}), 2), withdrawn("c", 3)]
    with time_machine.travel(clock.now(), tick=False):
        first = phone(*batch, last_number=3)
        with nothing_changes():
            again = phone(*batch, last_number=3)
    assert [result["status"] for result in first["results"]] == ["created", "rejected", "created"]
    assert [result["status"] for result in again["results"]] == ["duplicate", "rejected", "duplicate"]
    assert device_says(again) == device_says(first)


def test_a_last_number_never_goes_back(shop: Shop, phone: Callable[..., Json]) -> None:
    phone(last_number=5)
    assert device_says(phone(last_number=2))["last_number"] == 5
    assert device_says(phone(numbered(sale_of(shop, "a"), 7)))["last_number"] == 7


def test_numbers_are_each_device_s_and_each_user_s_own(shop: Shop, phone: Callable[..., Json]) -> None:
    other = DriverFactory(depot=shop.depot)
    phone(numbered(sale_of(shop, "a"), 1))
    phone(numbered(sale_of(shop, "b"), 1), device="another")
    shop.count("vehicle", other.vehicle_no, 5)
    phone(numbered(sale_of(shop, "c"), 1), by=other)
    phone(numbered(sale_of(shop, "d"), 2))
    assert Device.objects.get(user=shop.driver, key=DEVICE).received == 2
    assert Device.objects.with_gaps().count() == 0
    assert Device.objects.count() == 3


def test_an_id_is_the_same_in_capitals(shop: Shop, phone: Callable[..., Json]) -> None:
    phone(device=DEVICE)
    phone(device=DEVICE.upper())
    assert Device.objects.get().key == DEVICE


def test_what_the_server_could_not_decide_has_not_come(
    shop: Shop, phone: Callable[..., Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The phone may be lost before it sends it again, and then somebody should know."""
    original, calls = vars(sales)["issue_invoice"], 0

    def busy(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OperationalError(1213, "Deadlock found")
        return original(*args, **kwargs)

    batch = [numbered(sale_of(shop, name), number) for number, name in enumerate("abc", start=1)]
    monkeypatch.setattr("foundation.commands.time.sleep", lambda seconds: None)
    with monkeypatch.context() as patched:
        patched.setattr(sales, "issue_invoice", busy)
        assert send_raw(shop, *batch, last_number=3).status_code == 503
    assert [*ReceivedNumber.objects.values_list("number", flat=True)] == [1]
    assert device_says(phone(*batch, last_number=3))["missing"] == []


def test_what_is_withdrawn_leaves_nothing_and_its_id_is_used(shop: Shop, phone: Callable[..., Json]) -> None:
    [result] = phone(withdrawn("a", 1))["results"]
    assert (result["status"], result["id"], result["number"], result["errors"]) == ("created", None, None, [])
    assert not Transaction.objects.exists()
    [other] = phone(numbered(sale_of(shop, "a"), 1))["results"]
    assert other["errors"][0]["code"] == "idempotency_conflict"


def test_what_has_happened_can_not_be_withdrawn(shop: Shop, phone: Callable[..., Json]) -> None:
    phone(numbered(sale_of(shop, "a"), 1))
    [result] = phone(withdrawn("a", 1))["results"]
    assert result["errors"][0]["code"] == "idempotency_conflict"
    assert Transaction.objects.count() == 1


def test_protocol_1_knows_neither_withdrawals_nor_vehicles_taken(shop: Shop, push: Push) -> None:
    for operation in ({"type": "withdrawn", "client_temp_id": "a", "data": {}}, taken("b", "GBX1A")):
        assert push(operation)[0]["errors"][0]["code"] == "unknown_type"


# --- The pull ---


def pull(shop: Shop, by: User | None = None, **asked: Any) -> Answer:
    headers = {"HTTP_IF_NONE_MATCH": asked.pop("etag")} if "etag" in asked else {}
    return shop.client_of(by or shop.driver).get("/api/sync/pull/", asked, **headers)


def test_a_pull_says_its_device_as_well(shop: Shop) -> None:
    with time_machine.travel(NOON, tick=False):
        answer = pull(shop, device=DEVICE, last_number=2).json()
    assert device_says(answer) == {"missing": [1, 2], "last_number": 2}
    assert datetime.fromisoformat(answer["server_time"]) == NOON
    device = Device.objects.get()
    assert (device.user, device.key, device.heard_at) == (shop.driver, DEVICE, NOON)
    assert [pulled.at for pulled in device.pulls.all()] == [NOON]


def test_a_page_in_the_middle_is_no_pull_yet(shop: Shop) -> None:
    assert pull(shop, device=DEVICE, page_size=1).json()["has_more"] is True
    assert not Pull.objects.exists()


def test_a_pull_without_a_device_is_answered_as_before(shop: Shop, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        answer = pull(shop).json()
    assert not {"device", "server_time"} & {*answer}


@pytest.mark.parametrize(
    ("asked", "attr"),
    [
        ({"device": "a b"}, "device"),
        ({"device": "a", "last_number": -1}, "last_number"),
    ],
)
def test_a_pull_that_says_nonsense_of_its_device_is_refused(shop: Shop, asked: Json, attr: str) -> None:
    answer = pull(shop, **asked)
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, attr)


def test_a_device_hears_that_nothing_changed_though_the_time_did(shop: Shop) -> None:
    with time_machine.travel(NOON, tick=False):
        first = pull(shop, device=DEVICE)
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        assert pull(shop, device=DEVICE, etag=first["ETag"]).status_code == 304
        assert pull(shop, device=DEVICE, last_number=1, etag=first["ETag"]).status_code == 200


def test_pulls_are_forgotten_after_90_days(shop: Shop) -> None:
    for days in (0, 1, 90.5):
        with time_machine.travel(NOON + timedelta(days=days), tick=False):
            pull(shop, device=DEVICE)
    assert [each.at for each in Pull.objects.order_by("at")] == [NOON + timedelta(days=days) for days in (1, 90.5)]


# --- Vehicles ---


def test_what_is_sold_after_a_vehicle_was_taken_leaves_that_one(shop: Shop, phone: Callable[..., Json]) -> None:
    other = VehicleFactory(depot=shop.depot, number="GBX1A")
    shop.count("vehicle", other.number, 5)
    first, took, then = phone(sale_of(shop, "a"), taken("b", "gbx 1a"), sale_of(shop, "c"))["results"]
    assert [each["status"] for each in (first, took, then)] == ["created"] * 3
    assert took["id"] == Assignment.objects.latest("id").pk
    assert took["number"] is None
    vehicles = [Transaction.objects.get(pk=each["id"]).vehicle_no for each in (first, then)]
    assert vehicles == [shop.driver.vehicle_no, "GBX1A"]


def test_a_vehicle_that_was_taken_late_counts_from_its_own_moment(shop: Shop, phone: Callable[..., Json]) -> None:
    shop.stocked("vehicle", VehicleFactory(depot=shop.depot, number="GBX1A").number, 5)
    at = clock.now() - timedelta(hours=2)
    early, late = ((at + timedelta(minutes=minutes)).isoformat() for minutes in (-30, 30))
    results = phone(
        sale_of(shop, "a", occurred_at=late),
        taken("b", "GBX1A", occurred_at=at.isoformat()),
        sale_of(shop, "c", occurred_at=early),
        sale_of(shop, "d", occurred_at=late),
    )["results"]
    own = shop.driver.vehicle_no
    vehicles = [Transaction.objects.get(pk=results[index]["id"]).vehicle_no for index in (0, 2, 3)]
    assert vehicles == [own, own, "GBX1A"]


def test_to_take_a_vehicle_by_push_and_by_post_is_the_same(shop: Shop, phone: Callable[..., Json]) -> None:
    vehicle = VehicleFactory(depot=shop.depot, number="GBX1A")
    at = clock.now().isoformat()
    [first] = phone(taken("a", "GBX1A", occurred_at=at))["results"]
    path = f"/api/vehicles/{vehicle.pk}/take/"
    again = shop.client_of(shop.driver).post(path, {"client_temp_id": "a", "occurred_at": at})
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    made = shop.client_of(shop.driver).post(path, {"client_temp_id": "b", "occurred_at": at}).json()
    [repeat] = phone(taken("b", "GBX1A", occurred_at=at))["results"]
    assert (repeat["status"], repeat["id"]) == ("duplicate", made["id"])


def test_who_may_take_no_vehicle_may_not_by_push_either(shop: Shop, phone: Callable[..., Json]) -> None:
    VehicleFactory(depot=shop.depot, number="GBX1A")
    staff = UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot)
    [result] = phone(taken("a", "GBX1A"), by=staff)["results"]
    assert result["errors"][0]["code"] == "permission_denied"


def test_a_vehicle_that_is_not_there_is_kept_as_a_conflict(shop: Shop, phone: Callable[..., Json]) -> None:
    took, then = phone(taken("a", "GBX9Z"), sale_of(shop, "b"))["results"]
    assert took["errors"][0]["code"] == "does_not_exist"
    assert then["status"] == "created"
    VehicleFactory(depot=shop.depot, number="GBX9Z")
    assert retry(shop, took["conflict"]).status_code == 200
    assert phone(taken("a", "GBX9Z"))["results"][0]["status"] == "duplicate"


# --- Who sees them ---


def test_a_supervisor_sees_the_devices_of_the_own_depot_and_a_driver_their_own(
    shop: Shop, phone: Callable[..., Json], supervisor: User
) -> None:
    elsewhere = DriverFactory()
    phone(last_number=2)
    phone(load_of(shop, "a"), by=elsewhere)
    seen = {
        name: [row["user"] for row in shop.client_of(user).get("/api/sync/devices/").json()["results"]]
        for name, user in (("admin", shop.admin), ("supervisor", supervisor), ("driver", shop.driver))
    }
    own = [shop.driver.pk]
    assert seen == {"admin": [elsewhere.pk, shop.driver.pk], "supervisor": own, "driver": own}


def test_devices_are_found_by_what_is_missing_and_by_their_silence(shop: Shop, phone: Callable[..., Json]) -> None:
    with time_machine.travel(NOON, tick=False):
        phone(last_number=2)
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        phone(device="b")
    with time_machine.travel(NOON + timedelta(hours=24, seconds=1), tick=False):

        def found(**asked: Any) -> list[str]:
            rows = shop.client_of(shop.admin).get("/api/sync/devices/", asked).json()["results"]
            return [row["device"] for row in rows]

        assert found(with_missing_numbers="true") == found(silent="true") == [DEVICE]
        assert found(with_missing_numbers="false") == found(silent="false") == ["b"]
        office = logged_in(shop.admin)
        for asked in ({"gaps": "yes"}, {"silent": "yes"}):
            page = office.get(url("sync.device"), asked)
            assert [row.key for row in page.context["cl"].queryset] == [DEVICE]
        assert b"1, 2" in office.get(url("sync.device"), {"gaps": "yes"}).content
        assert [row.key for row in office.get(url("sync.device"), {"gaps": "no"}).context["cl"].queryset] == ["b"]
        waiting = {it.text: int(it.count) for it in office.get("/admin/").context["awaited"]}
        assert waiting["device with operations that never came"] == 1


def test_what_never_came_from_a_device_concerns_the_depot_where_its_user_worked_with_it(
    shop: Shop, phone: Callable[..., Json], supervisor: User
) -> None:
    before, after, elsewhere = DepotFactory(), DepotFactory(), DepotFactory()

    def move(depot: Depot) -> None:
        body = {"depot": depot.pk}
        assert shop.client_of(shop.admin).patch(f"/api/accounts/users/{shop.driver.pk}/", body).status_code == 200
        shop.driver.refresh_from_db()

    def seen_by(depot: Depot) -> list[str]:
        user = UserFactory(role=Role.SUPERVISOR, depot=depot)
        rows = shop.client_of(user).get("/api/sync/devices/").json()["results"]
        front = logged_in(user).get("/admin/").content
        assert (b"device with operations that never came" in front) is bool(rows)
        return [row["device"] for row in rows]

    own = shop.depot
    with time_machine.travel(NOON, tick=False):
        move(before)
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        move(own)
    with time_machine.travel(NOON + timedelta(hours=2), tick=False):
        phone(last_number=2)
    with time_machine.travel(NOON + timedelta(hours=3), tick=False):
        move(after)
        assert seen_by(own) == seen_by(after) == [DEVICE]
        assert seen_by(before) == seen_by(elsewhere) == []


# --- Its clock ---


@pytest.mark.parametrize(
    ("ahead_s", "said"), [(300, ""), (-300, ""), (301, "0:05:01 ahead"), (-301, "0:05:01 behind"), (None, "")]
)
def test_a_phone_with_a_wrong_clock_is_listed(
    shop: Shop, phone: Callable[..., Json], ahead_s: int | None, said: str
) -> None:
    with time_machine.travel(NOON, tick=False):
        if ahead_s is None:
            pull(shop, device=DEVICE)
        else:
            phone(sent_at=(NOON + timedelta(seconds=ahead_s)).isoformat())
        api = shop.client_of(shop.admin)
        [row] = api.get("/api/sync/devices/").json()["results"]
        assert row["clock_offset_s"] == (None if ahead_s is None else -ahead_s)
        wrong, right = (
            api.get(f"/api/sync/devices/?wrong_clock={asked}").json()["count"] for asked in ("true", "false")
        )
        assert (wrong, right) == ((1, 0) if said else (0, 1))
        office = logged_in(shop.admin)
        assert (b"device with a wrong clock" in office.get("/admin/").content) is bool(said)
        page = office.get(url("sync.device"), {"clock": "wrong"})
        assert page.context["cl"].queryset.count() == wrong
        assert (said or "–") in office.get(url("sync.device")).content.decode()


def test_a_clock_that_was_put_right_is_listed_no_more(shop: Shop, phone: Callable[..., Json]) -> None:
    phone(sent_at="0001-01-02T00:00:00+00:00")
    assert Device.objects.with_wrong_clock().count() == 1
    phone()
    assert Device.objects.with_wrong_clock().count() == 0
