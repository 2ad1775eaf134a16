"""What was refused from the field: listed, retried, dismissed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import Sum

from accounts.models import User
from audit.models import AuditLog
from customers.models import Customer
from discrepancies.models import Discrepancy
from foundation import clock
from foundation.access.capabilities import Role
from payments.models import Payment
from sync.models import SyncConflict
from sync.selectors import described
from tests.conftest import Shop, error_of
from tests.factories import MeteredCustomerFactory, UserFactory
from tests.sync.conftest import Push, confirm_of, load_of, sale_of
from tests.sync.test_devices import numbered, send_raw
from tests.types import Answer, Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db


@pytest.fixture
def retry(shop: Shop, supervisor: User) -> Callable[..., Answer]:
    def send(pk: int, by: User | None = None, **body: object) -> Answer:
        return shop.client_of(by or supervisor).post(f"/api/sync/conflicts/{pk}/retry/", body)

    return send


@pytest.fixture
def dismiss(shop: Shop, supervisor: User) -> Callable[..., Answer]:
    def send(pk: int, by: User | None = None, reason: object = "Entered twice") -> Answer:
        return shop.client_of(by or supervisor).post(f"/api/sync/conflicts/{pk}/dismiss/", {"reason": reason})

    return send


def test_who_sold_reads_what_was_decided_and_decides_nothing(
    shop: Shop, push: Push, dismiss: Callable[..., Answer]
) -> None:
    [kept] = push(sale_of(shop, "a", {"quantity": 99}))
    path = f"/api/sync/conflicts/{kept['conflict']}/"
    driver = shop.client_of(shop.driver)
    assert driver.get(path).json()["status"] == "OPEN"
    assert driver.post(f"{path}retry/").status_code == driver.post(f"{path}dismiss/").status_code == 403
    dismiss(kept["conflict"])
    assert (driver.get(path).json()["status"], driver.get(path).json()["reason"]) == ("DISMISSED", "Entered twice")
    for role in (Role.DRIVER, Role.SALES, Role.DEPOT_STAFF):
        colleague = shop.client_of(UserFactory(role=role, depot=shop.depot))
        assert colleague.get("/api/sync/conflicts/").json()["count"] == 0
        assert colleague.get(path).status_code == 404


def test_supervisors_see_their_depot_s_and_admins_all(shop: Shop, push: Push, supervisor: User) -> None:
    [kept] = push(sale_of(shop, "a", {"quantity": 99}))
    path = f"/api/sync/conflicts/{kept['conflict']}/"
    elsewhere = UserFactory(role=Role.SUPERVISOR)
    for user, count, status in ((supervisor, 1, 200), (shop.admin, 1, 200), (elsewhere, 0, 404)):
        client = shop.client_of(user)
        assert client.get("/api/sync/conflicts/").json()["count"] == count
        assert client.get(path).status_code == status
    assert shop.client_of(elsewhere).post(f"{path}retry/").status_code == 404
    shown = shop.client_of(supervisor).get(path).json()
    assert shown["payload"] == sale_of(shop, "a", {"quantity": 99})
    assert shop.client_of(supervisor).get("/api/sync/conflicts/?status=DISMISSED").json()["count"] == 0


def test_a_retried_sale_is_the_driver_s_at_its_own_time(
    shop: Shop, push: Push, supervisor: User, retry: Callable[..., Answer]
) -> None:
    moment = clock.now() - timedelta(hours=5)
    operation = sale_of(shop, "a", {"quantity": 21}, occurred_at=moment.isoformat())
    [refused] = push(operation)
    shop.count("vehicle", shop.driver.vehicle_no, 30)
    response = retry(refused["conflict"])
    assert response.status_code == 200
    sale = Transaction.objects.get()
    assert (sale.user, sale.occurred_at, sale.vehicle_no, sale.client_temp_id) == (
        shop.driver, moment, shop.driver.vehicle_no, "a",
    )  # fmt: skip
    assert (response.json()["status"], response.json()["result_id"]) == ("RETRIED", sale.pk)
    retried = AuditLog.objects.latest("id")
    assert (retried.action, retried.user) == ("sync.conflict.retried", supervisor)
    sold = AuditLog.objects.get(action="transactions.sale.recorded")
    assert sold.after is not None
    assert sold.after["approved_by"] == supervisor.username
    [again] = push(operation)
    assert (again["status"], again["id"], again["number"], again["errors"], again["conflict"]) == (
        "duplicate", sale.pk, sale.transaction_number, [], None,
    )  # fmt: skip
    single = shop.sell({"type": "SALE", "quantity": 21}, client_temp_id="a", occurred_at=moment.isoformat())
    assert (single.status_code, single.json()["transaction"]["id"]) == (200, sale.pk)
    assert error_of(retry(refused["conflict"]))[1] == "already_settled"


def test_a_retry_that_is_refused_leaves_everything_as_it_was(
    shop: Shop, push: Push, retry: Callable[..., Answer], nothing_changes: Unchanged
) -> None:
    operation = sale_of(shop, "a", {"quantity": 21})
    [refused] = push(operation)
    with nothing_changes():
        assert error_of(retry(refused["conflict"])) == (409, "insufficient_stock", "items.0.quantity")
        assert push(operation) == [refused]
    assert SyncConflict.objects.get().status == "OPEN"


def test_a_sale_of_long_ago_can_still_be_let_happen(shop: Shop, push: Push, retry: Callable[..., Answer]) -> None:
    moment = clock.now() - timedelta(days=30)
    [refused] = push(sale_of(shop, "a", occurred_at=moment.isoformat()))
    assert refused["errors"][0]["code"] == "occurred_at_out_of_range"
    assert retry(refused["conflict"]).status_code == 200
    assert Transaction.objects.get().occurred_at == moment


def test_another_rate_needs_its_own_approval(shop: Shop, push: Push, retry: Callable[..., Answer]) -> None:
    [refused] = push(sale_of(shop, "a", {"rate": "20.00"}))
    assert error_of(retry(refused["conflict"]))[1] == "rate_mismatch"
    assert retry(refused["conflict"], approve_rates=True).status_code == 200
    item = Transaction.objects.get().items.get()
    assert (str(item.rate), item.rate_source) == ("20.00", "OVERRIDE")
    retried = AuditLog.objects.latest("id")
    assert retried.after is not None
    assert retried.after["rates_approved"] is True


@pytest.mark.parametrize(
    ("reading", "code"),
    [("1100.00", "meter_reading_decreased"), ("5200.00", "usage_unlikely"), ("1210.00", "meter_moved_on")],
)
def test_a_sale_whose_reading_can_not_be_recorded_happens_without_it(
    shop: Shop, retry: Callable[..., Answer], reading: str, code: str
) -> None:
    """The cylinders have left and the cash was taken; the next reading bills the usage."""
    customer, sold_at = MeteredCustomerFactory(), clock.now()
    if code == "meter_moved_on":
        body = {"final_reading": "1200.00", "new_meter_number": "M-NEW", "first_reading": "3.00"}
        replaced = shop.client_of(shop.admin).post(f"/api/customers/{customer.pk}/replace-meter/", body)
        assert replaced.status_code == 201, replaced.json()
    shown = {"last_reading": "1200.00", "total_with_gst": "500.00"}
    more = {"customer": customer.pk, "current_meter": reading, "payment_received": True, "based_on": shown}
    operation = numbered(sale_of(shop, "a", occurred_at=sold_at.isoformat(), **more), 1) | {"clock_offset_s": 0}
    [refused] = send_raw(shop, operation).json()["results"]
    assert [error["code"] for error in refused["errors"]] == [code]
    before = Customer.objects.get(pk=customer.pk).last_meter_reading
    assert error_of(retry(refused["conflict"]))[1] == code
    assert retry(refused["conflict"], without_reading=True).status_code == 200
    sale = Transaction.objects.get(client_temp_id="a")
    assert (sale.occurred_at, sale.current_meter_reading, str(sale.usage_amount)) == (sold_at, None, "0.00")
    assert Customer.objects.get(pk=customer.pk).last_meter_reading == before
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == 19
    assert Payment.objects.aggregate(cash=Sum("amount"))["cash"] == 500
    assert [noted.code for noted in Discrepancy.objects.all()] == ["total_differs"]
    sold, decided = AuditLog.objects.get(action="transactions.sale.recorded"), AuditLog.objects.latest("id")
    assert sold.after is not None
    assert decided.after is not None
    assert sold.after["reading_left_out"] is decided.after["reading_left_out"] is True
    [again] = send_raw(shop, operation).json()["results"]
    assert (again["status"], again["id"]) == ("duplicate", sale.pk)


def test_a_reading_alone_does_not_happen_without_it(shop: Shop, push: Push, retry: Callable[..., Answer]) -> None:
    customer = MeteredCustomerFactory()
    data = {"customer": customer.pk, "current_meter": "1100.00"}
    [refused] = push({"type": "transaction.create", "client_temp_id": "a", "data": data})
    assert error_of(retry(refused["conflict"], without_reading=True)) == (409, "empty_sale", None)


def test_what_depends_on_a_retried_operation_can_be_retried_after_it(
    shop: Shop, push: Push, retry: Callable[..., Answer]
) -> None:
    moment = (clock.now() - timedelta(days=9)).isoformat()
    load, confirm = push({**load_of(shop, "a"), "occurred_at": moment}, confirm_of("b", "a"))
    assert [load["status"], confirm["status"]] == ["rejected", "rejected"]
    assert error_of(retry(confirm["conflict"]))[1] == "dependency_rejected"
    assert retry(load["conflict"]).status_code == 200
    assert retry(confirm["conflict"]).status_code == 200
    results = push({**load_of(shop, "a"), "occurred_at": moment}, confirm_of("b", "a"))
    assert [result["status"] for result in results] == ["duplicate", "duplicate"]
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == 22


def test_another_sale_under_a_used_id_is_kept_with_the_first_and_never_happens(
    shop: Shop, push: Push, retry: Callable[..., Answer], dismiss: Callable[..., Answer]
) -> None:
    """One sale, sent twice with other content by an app's mistake, would be two."""
    [made] = push(sale_of(shop, "a"))
    other = sale_of(shop, "a", {"quantity": 2})
    [refused] = push(other)
    kept = shop.client_of(shop.admin).get(f"/api/sync/conflicts/{refused['conflict']}/").json()
    first = kept["first"]
    assert (first["type"], first["result_type"], first["result_id"]) == (
        "transaction.create", "transactions.transaction", made["id"]
    )  # fmt: skip
    assert error_of(retry(refused["conflict"])) == (409, "belongs_to_another", None)
    assert push(other) == [refused]
    assert Transaction.objects.get().pk == made["id"]
    assert dismiss(refused["conflict"]).status_code == 200


def test_one_id_with_two_contents_that_were_both_refused_is_one_sale(
    shop: Shop, push: Push, retry: Callable[..., Answer]
) -> None:
    first, second = sale_of(shop, "a", {"quantity": 99}), sale_of(shop, "a", {"quantity": 98})
    [kept], [other] = push(first), push(second)
    shop.count("vehicle", shop.driver.vehicle_no, 400)
    assert retry(kept["conflict"]).status_code == 200
    assert error_of(retry(other["conflict"]))[1] == "belongs_to_another"
    assert Transaction.objects.count() == 1


def test_a_malformed_operation_can_not_be_retried_but_dismissed(
    shop: Shop, push: Push, retry: Callable[..., Answer], dismiss: Callable[..., Answer]
) -> None:
    for operation in ("nonsense", sale_of(shop, "a", {"quantity": 0})):
        [refused] = push(operation)
        assert retry(refused["conflict"]).status_code == 400
        assert SyncConflict.objects.get(pk=refused["conflict"]).status == "OPEN"
        assert dismiss(refused["conflict"]).status_code == 200
        assert SyncConflict.objects.get(pk=refused["conflict"]).status == "DISMISSED"
        assert push(operation) == [refused]


def test_a_sale_that_a_mended_server_understands_can_be_retried(
    shop: Shop, push: Push, retry: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = sale_of(shop, "a")
    with monkeypatch.context() as patched:
        patched.setattr("sync.reading.types_of", lambda protocol: ())
        [refused] = push(operation)
    assert refused["errors"][0]["code"] == "unknown_type"
    assert retry(refused["conflict"]).status_code == 200
    sale = Transaction.objects.get()
    assert sale.client_temp_id == "a"
    assert push(operation)[0]["id"] == sale.pk
    assert shop.sell({"type": "SALE"}, client_temp_id="a").json()["transaction"]["id"] == sale.pk


def test_dismissing_needs_a_reason_and_is_final(
    shop: Shop, push: Push, supervisor: User, retry: Callable[..., Answer], dismiss: Callable[..., Answer]
) -> None:
    operation = sale_of(shop, "a", {"quantity": 99})
    [refused] = push(operation)
    for reason in ("", "  ", None, 7):
        assert dismiss(refused["conflict"], reason=reason).status_code == 400
    response = dismiss(refused["conflict"])
    assert (response.status_code, response.json()["status"], response.json()["reason"]) == (
        200,
        "DISMISSED",
        "Entered twice",
    )
    evidence = AuditLog.objects.latest("id")
    assert (evidence.action, evidence.user, evidence.reason) == ("sync.conflict.dismissed", supervisor, "Entered twice")
    assert error_of(dismiss(refused["conflict"]))[1] == "already_settled"
    shop.count("vehicle", shop.driver.vehicle_no, 200)
    assert error_of(retry(refused["conflict"]))[1] == "already_settled"
    assert push(operation) == [refused]


def test_a_deactivated_driver_s_sale_can_still_be_let_happen(
    shop: Shop, push: Push, retry: Callable[..., Answer]
) -> None:
    [refused] = push(sale_of(shop, "a", {"rate": "20.00"}))
    User.objects.filter(pk=shop.driver.pk).update(is_active=False)
    assert retry(refused["conflict"], approve_rates=True).status_code == 200
    assert Transaction.objects.get().user == shop.driver


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_conflicts_can_not_be_changed_otherwise(shop: Shop, push: Push, method: str) -> None:
    [refused] = push("nonsense")
    before = SyncConflict.objects.values().get()
    address = f"/api/sync/conflicts/{refused['conflict']}/"
    response = getattr(shop.client_of(shop.admin), method)(address, {"status": "DISMISSED"})
    assert error_of(response) == (405, "method_not_allowed", None)
    assert SyncConflict.objects.values().get() == before


@pytest.mark.parametrize(
    "operation",
    [None, 7, "x", [], {}, {"data": None}, {"data": []}, {"data": {"items": "x", "customer": []}},
     {"data": {"items": [None, 3, {"equipment": "x"}, {"equipment": 10**30, "quantity": {}}], "customer": True}}],
)  # fmt: skip
def test_whatever_was_sent_can_be_shown_in_words(operation: object) -> None:
    assert all(isinstance(line, str) for line in described(operation))


def test_a_retry_says_who_lacks_which_right_and_is_no_supervisor_s_lack(
    shop: Shop, push: Push, supervisor: User, retry: Callable[..., Answer], nothing_changes: Unchanged
) -> None:
    """The driver became depot staff since."""
    [refused] = push(sale_of(shop, "a", {"rate": "20.00"}))
    User.objects.filter(pk=shop.driver.pk).update(role=Role.DEPOT_STAFF)
    with nothing_changes():
        answer = retry(refused["conflict"], approve_rates=True)
        assert error_of(answer) == (409, "user_not_allowed", None)
    assert answer.json()["errors"][0]["detail"] == (
        f"It would happen as {shop.driver}'s, who may not now: The role Depot staff may not record sales."
    )
    User.objects.filter(pk=shop.driver.pk).update(role=Role.DRIVER)
    assert retry(refused["conflict"], approve_rates=True).status_code == 200


def test_a_retried_load_of_who_works_elsewhere_by_now_says_so(
    shop: Shop, push: Push, retry: Callable[..., Answer]
) -> None:
    staff = UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot)
    [refused] = push({**load_of(shop, "a"), "occurred_at": (clock.now() - timedelta(days=9)).isoformat()}, by=staff)
    User.objects.filter(pk=staff.pk).update(depot=UserFactory(role=Role.SUPERVISOR).depot)
    answer = retry(refused["conflict"])
    assert error_of(answer)[:2] == (409, "user_not_allowed")
    assert f"{staff}'s" in answer.json()["errors"][0]["detail"]
