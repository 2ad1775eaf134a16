"""What was recorded stands; where the field saw something else, that is noted, told, and seen to once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import User
from audit.models import AuditLog
from discrepancies.models import Discrepancy
from discrepancies.services import see_to_discrepancy
from fleet.models import Vehicle
from foundation import clock
from foundation.access.capabilities import Role
from foundation.errors import Denied
from sync.models import Device
from tests.admin.pages import logged_in, url
from tests.conftest import Shop, error_of, post_confirmed
from tests.factories import DepotFactory, MeteredCustomerFactory, UserFactory, VehicleFactory
from tests.sync.conftest import Push, load_of, sale_of
from tests.sync.test_devices import DEVICE, numbered, pull, retry, send_raw, taken
from tests.types import Json, Unchanged
from transactions.models import Transaction, TransactionItem

pytestmark = pytest.mark.django_db


@pytest.fixture
def sell(shop: Shop) -> Callable[..., Json]:
    """One operation, pushed by protocol 2; its result."""

    def send(operation: Json, **said: Any) -> Json:
        answer = send_raw(shop, operation, **said)
        assert answer.status_code == 200, answer.content
        result: Json = answer.json()["results"][0]
        return result

    return send


def codes(result: Json) -> list[str]:
    return [each["code"] for each in result["discrepancies"]]


# --- What was shown ---


def test_what_was_shown_as_it_is_billed_differs_in_nothing(shop: Shop, sell: Callable[..., Json]) -> None:
    result = sell(sale_of(shop, "a", {"rate": "28.50"}, based_on={"total_with_gst": "31.07", "last_reading": None}))
    assert (result["status"], result["discrepancies"]) == ("created", [])
    assert sell(sale_of(shop, "b", based_on=None))["discrepancies"] == []
    assert not Discrepancy.objects.exists()


def test_another_total_stands_as_billed_and_is_told_with_every_answer(shop: Shop, sell: Callable[..., Json]) -> None:
    operation = sale_of(shop, "a", based_on={"total_with_gst": "310.70"})
    result = sell(operation)
    told = {"code": "total_differs", "shown": "310.70", "billed": "31.07"}
    assert [{**each, "detail": ""} for each in result["discrepancies"]] == [{**told, "detail": ""}]
    again = sell(operation)
    assert (again["status"], again["discrepancies"]) == ("duplicate", result["discrepancies"])
    noted = Discrepancy.objects.get()
    sale = Transaction.objects.get()
    assert (noted.user, noted.depot, noted.client_temp_id) == (shop.driver, shop.depot, "a")
    assert (noted.entity_type, noted.entity_id) == ("transactions.transaction", sale.pk)


def test_another_last_reading_is_noted(shop: Shop, sell: Callable[..., Json]) -> None:
    metered = MeteredCustomerFactory()
    shop.sell(customer=metered.pk, current_meter="1210.00")
    for name, reading, wanted in (("a", "1210.00", []), ("b", "1210.00", ["reading_differs"])):
        data = {"customer": metered.pk, "current_meter": "1250.00" if name == "a" else "1300.00"}
        operation = {"type": "transaction.create", "client_temp_id": name,
                     "data": {**data, "based_on": {"last_reading": reading}}}  # fmt: skip
        assert codes(sell(operation)) == wanted
    noted = Discrepancy.objects.get()
    assert (noted.shown, noted.billed) == ("1210.00", "1250.00")


@pytest.mark.parametrize(
    "based_on", ["x", [], {"total_with_gst": "1.005"}, {"total_with_gst": "99999999999"}, {"last_reading": "-1"},
                 {"totl": "1.00"}],
)  # fmt: skip
def test_a_malformed_basis_keeps_the_operation(shop: Shop, sell: Callable[..., Json], based_on: object) -> None:
    result = sell(sale_of(shop, "a", based_on=based_on))
    assert result["status"] == "rejected"
    assert result["errors"][0]["attr"].startswith("based_on")


def test_only_protocol_2_says_what_it_was_based_on(shop: Shop, push: Push) -> None:
    [result] = push(sale_of(shop, "a", based_on={"total_with_gst": "1.00"}))
    assert [(error["code"], error["attr"]) for error in result["errors"]] == [("unknown_field", "based_on")]
    assert error_of(shop.sell({"type": "SALE"}, based_on={}))[1] == "unknown_field"


# --- Rates ---


@pytest.fixture
def noon() -> datetime:
    return clock.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


Clock = Callable[[float], time_machine.travel]


@pytest.fixture
def at(noon: datetime) -> Clock:
    """The clock, so many hours after yesterday's noon."""
    return lambda hours: time_machine.travel(noon + timedelta(hours=hours), tick=False)


def contract(shop: Shop, rate: str, day: datetime) -> None:
    body = {"equipment": shop.cylinder.pk, "rate": rate, "valid_from": clock.business_date(day).isoformat()}
    address = f"/api/customers/{shop.customer.pk}/rates/"
    assert post_confirmed(shop.client_of(shop.admin), address, body).status_code == 201


def default(shop: Shop, **prices: str) -> None:
    address = f"/api/equipment/{shop.cylinder.pk}/"
    assert post_confirmed(shop.client_of(shop.admin), address, prices, method="patch").status_code == 200


def line_of(result: Json) -> tuple[str, str]:
    assert result["status"] == "created", result
    item = TransactionItem.objects.get(transaction_id=result["id"])
    return str(item.rate), item.rate_source


def test_a_rate_that_the_last_pull_told_is_kept(
    shop: Shop, sell: Callable[..., Json], noon: datetime, at: Clock
) -> None:
    """The office changed it while the truck was out of reach."""
    with at(-4):
        pull(shop, device=DEVICE)
    with at(-3):
        default(shop, default_rate="29.00", deposit="80.00")
    with at(-2):
        default(shop, default_rate="30.00")
    moment = noon.isoformat()
    with at(1):
        results = {
            rate: line_of(sell(sale_of(shop, f"r{rate}", {"rate": rate}, occurred_at=moment)))
            for rate in ("28.50", "29.00", "30.00", "27.00")
        }
        deposit = sell(sale_of(shop, "d", {"rate": "60.00", "type": "DEPOSIT"}, occurred_at=moment))
    assert results == {
        "28.50": ("28.50", "KNOWN"), "29.00": ("29.00", "KNOWN"), "30.00": ("30.00", "DEFAULT"),
        "27.00": ("30.00", "DEFAULT"),
    }  # fmt: skip
    assert line_of(deposit) == ("60.00", "KNOWN")
    noted = Discrepancy.objects.get()
    assert (noted.code, noted.shown, noted.billed, noted.client_temp_id) == ("rate_differs", "27.00", "30.00", "r27.00")


def test_a_deposit_that_the_last_pull_told_may_have_been_paid_out(
    shop: Shop, sell: Callable[..., Json], noon: datetime, at: Clock
) -> None:
    with at(-6):
        default(shop, deposit="40.00")
        shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}, payment_received=True)
    with at(-5):
        default(shop, deposit="60.00")
    with at(-4):
        pull(shop, device=DEVICE)
    with at(-3):
        default(shop, deposit="50.00")
    refund = {"type": "RETURN", "rate": None}
    shown = {"occurred_at": noon.isoformat(), "payment_received": True}
    with at(1):
        refused = sell(sale_of(shop, "a", refund, **shown, based_on={"total_with_gst": "-60.01"}))
        taken = sell(sale_of(shop, "b", refund, **shown, based_on={"total_with_gst": "-60.00"}))
    assert ([error["code"] for error in refused["errors"]], taken["status"]) == (["rate_mismatch"], "created")


def test_a_rate_from_before_the_last_pull_is_not(
    shop: Shop, sell: Callable[..., Json], noon: datetime, at: Clock
) -> None:
    with at(-4):
        pull(shop, device=DEVICE)
    with at(-3):
        default(shop, default_rate="29.00")
    with at(-2):
        pull(shop, device=DEVICE)
    with at(-1):
        default(shop, default_rate="30.00")
    with at(1):
        pull(shop, device=DEVICE)  # after the sale: it tells nothing about it
        result = sell(sale_of(shop, "a", {"rate": "28.50"}, occurred_at=noon.isoformat()))
    assert line_of(result) == ("30.00", "DEFAULT")
    assert codes(result) == ["rate_differs"]


def test_a_rate_that_came_after_the_sale_is_not_known(
    shop: Shop, sell: Callable[..., Json], noon: datetime, at: Clock
) -> None:
    with at(-4):
        pull(shop, device=DEVICE)
    with at(1):
        default(shop, default_rate="29.00")
    with at(2):
        result = sell(sale_of(shop, "a", {"rate": "29.00"}, occurred_at=noon.isoformat()))
    assert (line_of(result), codes(result)) == (("28.50", "DEFAULT"), ["rate_differs"])


def test_another_device_s_pull_tells_nothing(shop: Shop, sell: Callable[..., Json], noon: datetime, at: Clock) -> None:
    with at(-4):
        pull(shop, device="another")
        pull(shop, device=DEVICE, by=shop.admin)
    with at(-3):
        default(shop, default_rate="29.00")
    with at(1):
        result = sell(sale_of(shop, "a", {"rate": "28.50"}, occurred_at=noon.isoformat()))
    assert (line_of(result), codes(result)) == (("29.00", "DEFAULT"), ["rate_differs"])


def test_a_contract_rate_of_the_last_pull_is_kept(
    shop: Shop, sell: Callable[..., Json], noon: datetime, at: Clock
) -> None:
    with at(-48):
        contract(shop, "26.00", noon - timedelta(days=2))
    with at(-4):
        pull(shop, device=DEVICE)
    with at(-3):
        contract(shop, "25.00", noon)
    moment = noon.isoformat()
    with at(1):
        results = [
            line_of(sell(sale_of(shop, f"r{rate}", {"rate": rate}, occurred_at=moment)))
            for rate in ("26.00", "25.00", "28.50")
        ]
    # The default was no price of this customer's at any time.
    assert results == [("26.00", "KNOWN"), ("25.00", "CONTRACT"), ("25.00", "CONTRACT")]
    assert [each.client_temp_id for each in Discrepancy.objects.all()] == ["r28.50"]


def superseded(shop: Shop, rate: str | None, day: datetime) -> None:
    body = {"equipment": shop.cylinder.pk, "rate": rate, "valid_from": clock.business_date(day).isoformat()}
    address = f"/api/customers/{shop.customer.pk}/rates/"
    answer = post_confirmed(shop.client_of(shop.admin), address, {**body, "reason": "Slip of the pen."})
    assert answer.status_code == 201, answer.json()


@pytest.mark.parametrize("hours", [-3, 0.5], ids=["before the sale", "after the sale"])
def test_a_contract_rate_that_was_superseded_is_kept_where_the_field_showed_it(
    shop: Shop, sell: Callable[..., Json], noon: datetime, at: Clock, hours: float
) -> None:
    """Whoever pulled it before could show nothing else; whoever shows nothing is billed by what counts now."""
    day = noon - timedelta(days=2)
    with at(-48):
        contract(shop, "36.00", day)
    with at(-4):
        pull(shop, device=DEVICE)
    with at(hours):
        superseded(shop, "34.00", day)
    with at(1):
        lines = [
            line_of(sell(sale_of(shop, f"r{rate}", {"rate": rate}, occurred_at=noon.isoformat())))
            for rate in ("36.00", "34.00", "28.50", None)
        ]
        pull(shop, device=DEVICE)
    counts = ("34.00", "CONTRACT")
    assert lines == [("36.00", "KNOWN" if hours < 0 else "CONTRACT"), counts, counts, counts]
    assert [each.client_temp_id for each in Discrepancy.objects.all()] == ["r28.50"]
    with at(2):
        late = sell(sale_of(shop, "late", {"rate": "36.00"}, occurred_at=(noon + timedelta(hours=1.5)).isoformat()))
    assert (line_of(late), codes(late)) == (counts, ["rate_differs"])


def test_what_was_taken_at_the_superseded_rate_is_listed(
    shop: Shop, sell: Callable[..., Json], noon: datetime, at: Clock
) -> None:
    day = noon - timedelta(days=2)
    with at(-48):
        contract(shop, "36.00", day)
    with at(-4):
        pull(shop, device=DEVICE)
    with at(-3):
        superseded(shop, "34.00", day)
    with at(1):
        sold = sell(sale_of(shop, "a", {"rate": "36.00", "quantity": 5}, occurred_at=noon.isoformat()))
        [row] = shop.client_of(shop.admin).get("/api/reports/mispriced/").json()["rows"]
    assert line_of(sold) == ("36.00", "KNOWN")
    assert (row["transaction"], row["rate"], row["rate_in_force"], row["difference"], row["gst_amount"]) == (
        sold["id"], "36.00", "34.00", "10.00", "0.90",
    )  # fmt: skip


def test_a_contract_that_ended_holds_where_the_field_did_not_know(
    shop: Shop, sell: Callable[..., Json], noon: datetime, at: Clock
) -> None:
    with at(-48):
        contract(shop, "26.00", noon - timedelta(days=2))
    with at(-4):
        pull(shop, device=DEVICE)
    with at(-3):
        superseded(shop, None, noon)
    with at(1):
        lines = [
            line_of(sell(sale_of(shop, f"r{rate}", {"rate": rate}, occurred_at=noon.isoformat())))
            for rate in ("26.00", "28.50", "27.00")
        ]
    assert lines == [("26.00", "KNOWN"), ("28.50", "DEFAULT"), ("28.50", "DEFAULT")]
    assert [each.client_temp_id for each in Discrepancy.objects.all()] == ["r27.00"]


def test_a_contract_rate_that_was_entered_after_the_sale_and_replaced_since_was_never_shown(
    shop: Shop, sell: Callable[..., Json], noon: datetime, at: Clock
) -> None:
    with at(-4):
        pull(shop, device=DEVICE)
    for hours, rate in ((1, "25.00"), (2, "24.00")):
        with at(hours):
            contract(shop, rate, noon - timedelta(days=hours == 1))
    with at(3):
        result = sell(sale_of(shop, "a", {"rate": "25.00"}, occurred_at=noon.isoformat()))
    assert (line_of(result), codes(result)) == (("24.00", "CONTRACT"), ["rate_differs"])


def test_a_default_before_the_first_contract_is_kept(
    shop: Shop, sell: Callable[..., Json], noon: datetime, at: Clock
) -> None:
    with at(-4):
        pull(shop, device=DEVICE)
    with at(-3):
        contract(shop, "25.00", noon)
    with at(1):
        result = sell(sale_of(shop, "a", {"rate": "28.50"}, occurred_at=noon.isoformat()))
    assert line_of(result) == ("28.50", "KNOWN")


def test_a_retry_goes_by_the_pull_before_the_sale(
    shop: Shop, sell: Callable[..., Json], noon: datetime, at: Clock
) -> None:
    with at(-4):
        pull(shop, device=DEVICE)
    with at(-3):
        default(shop, default_rate="29.00")
    with at(1):
        kept = sell(sale_of(shop, "a", {"rate": "28.50"}, vehicle="GBX9Z", occurred_at=noon.isoformat()))
        pull(shop, device=DEVICE)
        shop.count("vehicle", VehicleFactory(depot=shop.depot, number="GBX9Z").number, 5)
        assert retry(shop, kept["conflict"]).status_code == 200
    assert TransactionItem.objects.get().rate_source == "KNOWN"


def test_what_an_administrator_names_is_an_override(shop: Shop, sell: Callable[..., Json]) -> None:
    result = sell(sale_of(shop, "a", {"rate": "27.00"}, vehicle=shop.driver.vehicle_no), by=shop.admin)
    assert line_of(result) == ("27.00", "OVERRIDE")


def test_online_and_protocol_1_still_refuse_another_rate(shop: Shop, push: Push) -> None:
    assert push(sale_of(shop, "a", {"rate": "27.00"}))[0]["errors"][0]["code"] == "rate_mismatch"
    assert error_of(shop.sell({"type": "SALE", "rate": "27.00"}))[1] == "rate_mismatch"


# --- Vehicles and numbers ---


def test_a_vehicle_that_was_not_assigned_is_noted_with_the_sale_and_the_load(
    shop: Shop, sell: Callable[..., Json]
) -> None:
    other = VehicleFactory(depot=shop.depot, number="GBX1A")
    shop.count("vehicle", other.number, 5)
    result = sell(sale_of(shop, "a", vehicle="GBX1A"))
    load = load_of(shop, "b")
    load["data"]["vehicle"] = "GBX1A"
    assert codes(result) == codes(sell(load)) == ["vehicle_not_assigned"]
    own = shop.driver.vehicle_no
    assert {(each.shown, each.billed) for each in Discrepancy.objects.all()} == {("GBX1A", own)}
    assert codes(sell(sale_of(shop, "c", vehicle=own))) == []


def test_a_number_that_comes_twice_is_flagged_once_and_refused_never(shop: Shop, sell: Callable[..., Json]) -> None:
    """A restored phone counts from where its backup was."""
    sell(numbered(sale_of(shop, "a"), 7))
    result = sell(numbered(sale_of(shop, "b"), 7))
    assert (result["status"], codes(result)) == ("created", ["number_reused"])
    assert codes(sell(numbered(sale_of(shop, "b"), 7))) == ["number_reused"]
    assert codes(sell(numbered(sale_of(shop, "a"), 7))) == []
    noted, device = Discrepancy.objects.get(), Device.objects.get()
    assert (noted.entity_type, noted.entity_id, noted.client_temp_id) == ("sync.device", device.pk, "b")
    assert (device.received, device.last_number) == (1, 7)


@pytest.mark.parametrize(
    ("minutes", "noted"), [(-1, []), (4, []), (6, ["number_reused"])], ids=["before", "clocks differ", "after"]
)
def test_a_number_that_never_came_and_comes_of_a_later_sale_is_used_again(
    shop: Shop, minutes: int, noted: list[str]
) -> None:
    """The phone had recorded number 2, and was restored before it sent it: what that was never comes."""
    told = clock.now().replace(microsecond=0)
    with time_machine.travel(told, tick=False):
        sold_before = numbered(sale_of(shop, "a", occurred_at=told.isoformat()), 1, clock_offset_s=0)
        assert send_raw(shop, sold_before, last_number=2).json()["device"]["missing"] == [2]
    at = (told + timedelta(minutes=minutes)).isoformat()
    sold = numbered(sale_of(shop, "b", occurred_at=at), 2, clock_offset_s=0)
    following = numbered(sale_of(shop, "c", occurred_at=at), 3, clock_offset_s=0)
    with time_machine.travel(told + timedelta(minutes=30), tick=False):
        for _ in range(2):
            results = send_raw(shop, sold, following, last_number=3).json()["results"]
            assert [(result["id"] is not None, codes(result)) for result in results] == [(True, noted), (True, [])]
    assert [each.code for each in Discrepancy.objects.all()] == noted


# --- Seeing to it ---


@pytest.fixture
def noted(shop: Shop, sell: Callable[..., Json]) -> Discrepancy:
    sell(sale_of(shop, "a", based_on={"total_with_gst": "1.00"}))
    found: Discrepancy = Discrepancy.objects.get()
    return found


def test_a_supervisor_sees_to_it_once(
    shop: Shop, noted: Discrepancy, supervisor: User, sell: Callable[..., Json], nothing_changes: Unchanged
) -> None:
    sell(sale_of(shop, "b", based_on={"total_with_gst": "1.00"}))
    client = shop.client_of(supervisor)
    path = f"/api/discrepancies/{noted.pk}/seen/"
    body = {"remarks": "Paid back", "client_temp_id": "s"}
    assert client.post(path, body).json()["seen_by"] == supervisor.pk
    evidence = AuditLog.objects.latest("id")
    assert (evidence.action, evidence.entity_id, evidence.user) == ("discrepancies.seen", noted.pk, supervisor)
    with nothing_changes():
        assert client.post(path, body).json()["remarks"] == "Paid back"
        assert error_of(client.post(path, {})) == (409, "already_seen", None)


def test_who_may_not_decide_about_it_doesn_t_see_to_it(noted: Discrepancy) -> None:
    """Whatever view leads there."""
    with pytest.raises(Denied):
        see_to_discrepancy(actor=UserFactory(role=Role.SUPERVISOR), discrepancy_id=noted.pk)


def test_what_was_noted_belongs_to_the_depot_of_then(shop: Shop, noted: Discrepancy, supervisor: User) -> None:
    User.objects.get_queryset().filter(pk=shop.driver.pk).update(depot=None)
    assert shop.client_of(supervisor).get("/api/discrepancies/").json()["count"] == 1


def test_the_list_is_filtered(shop: Shop, noted: Discrepancy) -> None:
    client = shop.client_of(shop.admin)
    today = clock.business_date(clock.now()).isoformat()
    wanted: list[tuple[Json, int]] = [
        ({"seen": "false"}, 1), ({"seen": "true"}, 0), ({"code": "total_differs"}, 1), ({"code": "after_count"}, 0),
        ({"user": shop.driver.pk}, 1), ({"user": shop.admin.pk}, 0), ({"depot": shop.depot.pk}, 1),
        ({"date_from": today}, 1), ({"date_to": "2020-01-01"}, 0),
        ({"entity_type": "transactions.transaction", "entity_id": noted.entity_id}, 1), ({"entity_id": 10**9}, 0),
    ]  # fmt: skip
    for asked, count in wanted:
        assert client.get("/api/discrepancies/", asked).json()["count"] == count, asked


def test_the_office_shows_it_everywhere_and_marks_it_as_seen(shop: Shop, noted: Discrepancy) -> None:
    office, sale = logged_in(shop.admin), Transaction.objects.get()

    def waiting() -> dict[str, str]:
        return {it.text: it.count for it in office.get("/admin/").context["awaited"]}

    assert waiting()["discrepancy to look at"] == "1"
    pages = (
        url("transactions.transaction", "change", sale.pk), url("invoices.invoice", "change", sale.invoice_id),
        url("discrepancies.discrepancy", "change", noted.pk),
    )  # fmt: skip
    for page in pages:
        assert noted.detail in office.get(page).content.decode()
    listed = url("discrepancies.discrepancy")
    body = {"action": "mark_as_seen", "_selected_action": noted.pk}
    assert b"Mark as seen" in office.post(listed, body).content
    office.post(listed, {**body, "_answered": "1", "remarks": "Called"})
    assert noted.seen.remarks == "Called"
    assert "discrepancy to look at" not in waiting()
    assert [row.pk for row in office.get(listed, {"seen": "yes"}).context["cl"].queryset] == [noted.pk]
    assert [*office.get(listed, {"seen": "no"}).context["cl"].queryset] == []
    for page in pages:
        assert "Seen" in office.get(page).content.decode()


def test_nobody_sees_to_what_differs_in_their_own_operation(
    shop: Shop, sell: Callable[..., Json], supervisor: User, nothing_changes: Unchanged
) -> None:
    operation = sale_of(shop, "own", vehicle=shop.driver.vehicle_no, based_on={"total_with_gst": "1.00"})
    assert "total_differs" in codes(sell(operation, by=supervisor))
    pk = Discrepancy.objects.filter(code="total_differs").get().pk
    path = f"/api/discrepancies/{pk}/seen/"
    with nothing_changes():
        refused = shop.client_of(supervisor).post(path, {})
        assert error_of(refused) == (403, "permission_denied", None)
        assert refused.json()["errors"][0]["detail"].startswith("Somebody else has to")
    assert shop.client_of(shop.admin).post(path, {}).status_code == 200


# --- Another depot's vehicle ---


@pytest.fixture
def theirs(shop: Shop) -> Vehicle:
    """A vehicle of another depot, which has a supervisor."""
    vehicle: Vehicle = VehicleFactory(depot=DepotFactory(), number="GBX1A")
    shop.count("vehicle", vehicle.number, 5)
    return vehicle


def listed(shop: Shop, user: User) -> list[str]:
    rows = shop.client_of(user).get("/api/discrepancies/").json()["results"]
    return sorted(row["code"] for row in rows)


def test_both_depots_see_who_sold_from_the_other_one_s_vehicle(
    shop: Shop, sell: Callable[..., Json], theirs: Vehicle, supervisor: User
) -> None:
    there = UserFactory(role=Role.SUPERVISOR, depot=theirs.depot)
    assert codes(sell(sale_of(shop, "a", vehicle="GBX1A"))) == ["vehicle_not_assigned"]
    for user in (supervisor, there, shop.admin, shop.driver):
        assert listed(shop, user) == ["vehicle_not_assigned"], user
    assert listed(shop, UserFactory(role=Role.SUPERVISOR)) == []
    pk = Discrepancy.objects.get().pk
    shown = shop.client_of(there).get(f"/api/discrepancies/{pk}/").json()
    assert (shown["depot"], shown["vehicle_depot"]) == (shop.depot.pk, theirs.depot_id)
    office = logged_in(there)
    assert office.get("/admin/").content.count(b"discrepancy to look at") == 1
    assert shop.client_of(there).post(f"/api/discrepancies/{pk}/seen/", {}).status_code == 200


@pytest.mark.parametrize("pushed", [True, False])
def test_to_take_another_depot_s_vehicle_is_noted_for_both(
    shop: Shop, sell: Callable[..., Json], theirs: Vehicle, supervisor: User, pushed: bool
) -> None:
    there = UserFactory(role=Role.SUPERVISOR, depot=theirs.depot)
    if pushed:
        assert codes(sell(taken("a", "GBX1A"))) == ["vehicle_of_another_depot"]
    else:
        assert shop.client_of(shop.driver).post(f"/api/vehicles/{theirs.pk}/take/", {}).status_code == 201
    noted = Discrepancy.objects.get()
    assert (noted.entity_type, noted.user, noted.shown) == ("fleet.assignment", shop.driver, "GBX1A")
    assert noted.detail == f"{shop.driver} of {shop.depot} took GBX1A of {theirs.depot}."
    assert listed(shop, supervisor) == listed(shop, there) == ["vehicle_of_another_depot"]


@pytest.mark.parametrize("own", [True, False])
def test_to_take_a_vehicle_of_the_own_depot_or_of_none_is_not(shop: Shop, sell: Callable[..., Json], own: bool) -> None:
    VehicleFactory(depot=shop.depot if own else None, number="GBX1A")
    assert codes(sell(taken("a", "GBX1A"))) == []


# --- A vehicle taken before the present one ---


@pytest.mark.parametrize("pushed", [True, False])
@pytest.mark.parametrize("assigned", ["GBX2B", None])
def test_to_take_a_vehicle_from_before_the_present_assignment_is_noted(
    shop: Shop, sell: Callable[..., Json], theirs: Vehicle, supervisor: User, pushed: bool, assigned: str | None
) -> None:
    """Else nobody would hear of what is sold from it in between."""
    VehicleFactory(depot=shop.depot, number="GBX2B")
    Vehicle.objects.filter(pk=theirs.pk).update(depot=shop.depot)
    noon = clock.now() - timedelta(hours=1)
    body = {"user": shop.driver.pk, "vehicle": assigned, "occurred_at": noon.isoformat()}
    assert shop.client_of(supervisor).post("/api/vehicle-assignments/", body).status_code == 201
    shop.driver.refresh_from_db()
    before = (noon - timedelta(minutes=30)).isoformat()
    if pushed:
        assert codes(sell({**taken("a", "GBX1A"), "occurred_at": before})) == ["vehicle_not_assigned"]
    else:
        answer = shop.client_of(shop.driver).post(f"/api/vehicles/{theirs.pk}/take/", {"occurred_at": before})
        assert answer.status_code == 201
    noted = Discrepancy.objects.get()
    assert (noted.entity_type, noted.user, noted.shown) == ("fleet.assignment", shop.driver, "GBX1A")
    assert (noted.billed, noted.vehicle_depot) == (assigned or "none", shop.depot)
    assert listed(shop, supervisor) == ["vehicle_not_assigned"]
    shop.driver.refresh_from_db()
    assert shop.driver.vehicle_no == (assigned or ""), "the present one stays"


def test_to_take_a_vehicle_late_is_not_noted_where_none_followed(
    shop: Shop, sell: Callable[..., Json], supervisor: User
) -> None:
    """Nor where what followed was corrected: it doesn't count any more. Nor where it was somebody else's."""
    for number in ("GBX1A", "GBX2B"):
        VehicleFactory(depot=shop.depot, number=number)
    office = shop.client_of(supervisor)
    colleague = UserFactory(depot=shop.depot)
    for user in (shop.driver, colleague):
        made = office.post("/api/vehicle-assignments/", {"user": user.pk, "vehicle": "GBX2B"}).json()
        if user == shop.driver:
            at = (clock.now() - timedelta(hours=3)).isoformat()
            corrected = {"vehicle": "GBX2B", "reason": "Since the morning", "occurred_at": at}
            office.post(f"/api/vehicle-assignments/{made['id']}/correct/", corrected)
    shop.driver.refresh_from_db()
    late = (clock.now() - timedelta(hours=2)).isoformat()
    assert codes(sell({**taken("a", "GBX1A"), "occurred_at": late})) == []
