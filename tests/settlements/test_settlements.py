"""The end of a seller's day: counted blind, signed off by somebody else, brought into the books."""

import csv
import io
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from accounts.models import User
from audit.models import AuditLog
from foundation import clock
from foundation.access.capabilities import Role
from foundation.errors import Denied, Invalid
from inventory.models import StockMovement
from inventory.services import sign_off_count
from payments.models import CashCount
from payments.services import reject_cash_count, sign_off_cash_count
from settlements.errors import SettlementDecided
from settlements.models import Settlement
from settlements.services import reject_settlement, sign_off_settlement
from tests.admin.pages import logged_in, url
from tests.conftest import Shop, error_of
from tests.factories import DepotFactory, DriverFactory, UserFactory
from tests.types import Answer, Json, Unchanged

pytestmark = pytest.mark.django_db


def count(shop: Shop, *lines: tuple[str, int], by: User | None = None, cash: str = "0.00", **more: Any) -> Answer:
    counts = [{"equipment": shop.cylinder.pk, "condition": condition, "quantity": n} for condition, n in lines]
    return shop.client_of(by or shop.driver).post("/api/settlements/", {"counts": counts, "cash": cash, **more})


def decide(shop: Shop, settlement: Json, what: str = "sign-off", by: User | None = None, **body: Any) -> Any:
    return shop.client_of(by or shop.admin).post(f"/api/settlements/{settlement['id']}/{what}/", body)


def beside(shop: Shop, answer: Answer) -> Json:
    """A count beside the books, as whoever may sign it off reads it."""
    assert answer.status_code in (200, 201), answer.content
    read: Json = shop.client_of(shop.admin).get(f"/api/settlements/{answer.json()['id']}/").json()
    return read


def at(day: int, hour: int = 10) -> Any:
    """Singapore's clock stands still, in January 2026."""
    return time_machine.travel(datetime(2026, 1, day, hour, 30, tzinfo=clock.SINGAPORE), tick=False)


@pytest.fixture
def colleague(shop: Shop) -> Any:
    """With five full cylinders on a vehicle."""
    driver = DriverFactory(depot=shop.depot)
    shop.count("vehicle", driver.vehicle_no, 5)
    return driver


@pytest.fixture
def day(shop: Shop) -> Shop:
    """20 on the vehicle, 10 more loaded, 4 sold for cash, 3 swapped on account, 2 unloaded."""
    load = shop.draft({"direction": "OUT", "quantity": 10}).json()
    shop.confirm(load["id"])
    assert shop.sell({"type": "SALE", "quantity": 4}, payment_received=True).status_code == 201
    assert shop.sell({"type": "SWAP", "quantity": 3}).status_code == 201
    back = shop.draft({"direction": "IN", "quantity": 2}).json()
    shop.confirm(back["id"])
    return shop


def test_the_count_stands_beside_what_the_day_should_have_left(day: Shop) -> None:
    answer = beside(day, count(day, ("FULL", 20), ("EMPTY", 3), cash="124.20"))
    lines = {line["condition"]: line for line in answer["lines"]}
    names = ("opening", "loaded", "delivered", "collected", "unloaded", "other", "expected", "counted", "variance")
    assert [lines["FULL"][name] for name in names] == [20, 10, 7, 0, 2, 0, 21, 20, -1]
    assert [lines["EMPTY"][name] for name in names] == [0, 0, 0, 3, 0, 0, 3, 3, 0]
    # 4 x 28.50 + 9 %
    assert (answer["cash_expected"], answer["cash_counted"], answer["cash_variance"]) == ("124.26", "124.20", "-0.06")
    assert answer["status"] == "COUNTED"


def test_whoever_counts_is_told_nothing_of_the_books_before_somebody_else_signs(day: Shop) -> None:
    """A supervisor who sells counts blind as well, though they see others' counts beside the books."""
    seller = UserFactory(role=Role.SUPERVISOR, depot=day.depot, vehicle_no=day.driver.vehicle_no)
    client = day.client_of(seller)
    answer = count(day, ("FULL", 18), by=seller, cash="5.00")
    pk = answer.json()["id"]
    seen = [answer.json(), client.get(f"/api/settlements/{pk}/").json()]
    seen += client.get("/api/settlements/").json()["results"]
    for each in seen:
        assert (each["cash_expected"], each["cash_counted"], each["cash_variance"]) == (None, "5.00", None)
        [line] = each["lines"]
        assert line == dict.fromkeys(line) | {
            "equipment": day.cylinder.pk, "sku": day.cylinder.sku, "condition": "FULL", "counted": 18,
        }  # fmt: skip
    office = logged_in(seller)
    pages = [url("transactions.settlement"), url("transactions.settlement", "change", pk)]
    pages.append(f"{url('transactions.settlement')}export/csv/")
    pages += ["/admin/"]
    for text in (b"".join(office.get(page)).decode() for page in pages):
        assert ">+5.00<" not in text
        assert ">-3<" not in text
    table = b"".join(office.get(pages[2])).decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(table))
    assert (row["Cash expected"], row["Cash counted"], row["Cash variance"]) == ("", "5.00", "")
    evidence = client.get("/api/audit/", {"entity_type": "transactions.settlement"}).json()["results"]
    assert [{*record["after"]} for record in evidence] == [{"settlement_number", "vehicle_no", "cash_counted"}]
    decide(day, {"id": pk}, "reject", remarks="Again")
    rejected = client.get(f"/api/settlements/{pk}/").json()
    assert (rejected["status"], rejected["cash_expected"]) == ("REJECTED", None)
    [decided] = AuditLog.objects.filter(action="transactions.settlement.rejected")
    assert decided.after == {"status": "REJECTED"}
    again = count(day, ("FULL", 18), by=seller, cash="5.00").json()
    assert decide(day, again).json()["cash_variance"] == "5.00"
    signed = client.get(f"/api/settlements/{again['id']}/").json()
    assert (signed["cash_expected"], signed["cash_variance"]) == ("0.00", "5.00")
    assert {line["condition"]: line["expected"] for line in signed["lines"]} == {"FULL": 21, "EMPTY": 3}


def test_nothing_moves_before_it_is_signed_off(day: Shop) -> None:
    settlement = count(day, ("FULL", 20), ("EMPTY", 3)).json()
    assert day.stock(vehicle_no=day.driver.vehicle_no) == 21
    signed = decide(day, settlement, remarks="One left at the last stop")
    assert signed.json()["status"] == "SIGNED_OFF"
    assert day.stock(vehicle_no=day.driver.vehicle_no) == 20
    movement = StockMovement.objects.get(kind="VARIANCE")
    assert (movement.quantity, movement.to_location.kind, movement.reason) == (
        1,
        "OUTSIDE",
        "One left at the last stop",
    )


def test_a_surplus_comes_in(day: Shop) -> None:
    settlement = beside(day, count(day, ("FULL", 21), ("EMPTY", 3), ("DAMAGED", 2)))
    assert {line["condition"]: line["variance"] for line in settlement["lines"]} == {
        "FULL": 0,
        "EMPTY": 0,
        "DAMAGED": 2,
    }
    decide(day, settlement)
    assert day.stock("DAMAGED", vehicle_no=day.driver.vehicle_no) == 2


def test_what_is_not_named_was_not_there(day: Shop) -> None:
    settlement = beside(day, count(day))
    assert {line["condition"]: line["counted"] for line in settlement["lines"]} == {"FULL": 0, "EMPTY": 0}
    decide(day, settlement)
    assert day.stock(vehicle_no=day.driver.vehicle_no) == day.stock("EMPTY", vehicle_no=day.driver.vehicle_no) == 0


def test_the_vehicle_may_sell_on_between_count_and_signature(day: Shop) -> None:
    settlement = count(day, ("FULL", 20), ("EMPTY", 3)).json()
    day.sell({"type": "SALE", "quantity": 5})
    decide(day, settlement)
    assert day.stock(vehicle_no=day.driver.vehicle_no) == 15


def test_a_variance_that_is_gone_meanwhile_is_refused(day: Shop, nothing_changes: Unchanged) -> None:
    settlement = count(day, ("FULL", 0), ("EMPTY", 3)).json()
    day.sell({"type": "SALE", "quantity": 5})
    with nothing_changes():
        assert error_of(decide(day, settlement))[:2] == (409, "count_contradicted")


def test_cash_is_handed_in_once(day: Shop) -> None:
    decide(day, count(day, ("FULL", 21), ("EMPTY", 3), cash="124.26").json())
    assert beside(day, count(day, ("FULL", 21), ("EMPTY", 3)))["cash_expected"] == "0.00"


def test_only_cash_counts_as_in_the_bag(day: Shop) -> None:
    owed = day.client_of(day.driver).get("/api/invoices/?is_open=true").json()["results"][0]
    day.client_of(day.driver).post(f"/api/invoices/{owed['id']}/pay/", {"method": "PAYNOW"})
    assert beside(day, count(day))["cash_expected"] == "124.26"


def test_a_void_leaves_its_cash_in_the_bag_until_it_is_paid_back(day: Shop) -> None:
    sale = day.client_of(day.driver).get("/api/transactions/?payment_received=true").json()["results"][0]
    response = day.client_of(day.admin).post(f"/api/transactions/{sale['id']}/void/", {"reason": "x"})
    assert response.status_code == 201, response.json()
    assert beside(day, count(day))["cash_expected"] == "124.26"
    back = {"customer": sale["customer"], "amount": "124.26"}
    assert day.client_of(day.driver).post("/api/payouts/", back).status_code == 201
    # Since the count before.
    assert beside(day, count(day))["cash_expected"] == "-124.26"


def test_a_rejected_count_is_made_again(day: Shop) -> None:
    first = count(day).json()
    assert decide(day, first, "reject").status_code == 400, "it needs a reason"
    rejected = decide(day, first, "reject", remarks="The empties were forgotten").json()
    assert (rejected["status"], rejected["decision_remarks"]) == ("REJECTED", "The empties were forgotten")
    again = beside(day, count(day, ("FULL", 21), ("EMPTY", 3), cash="124.26"))
    assert (again["cash_expected"], again["status"]) == ("124.26", "COUNTED")
    assert error_of(decide(day, first)) == (409, "settlement_decided", None)
    assert AuditLog.objects.get(action="transactions.settlement.rejected").reason == "The empties were forgotten"


def test_nobody_signs_off_their_own_count(shop: Shop, nothing_changes: Unchanged) -> None:
    own = count(shop, by=shop.admin).json()
    with nothing_changes():
        assert error_of(decide(shop, own)) == (403, "permission_denied", None)
    other = UserFactory(role=Role.ADMIN)
    signed = decide(shop, own, by=other).json()
    assert (signed["status"], signed["decided_by"]) == ("SIGNED_OFF", other.pk)


def test_who_signs_off(day: Shop, nothing_changes: Unchanged) -> None:
    settlement = count(day, ("FULL", 21), ("EMPTY", 3)).json()
    elsewhere, staff = (UserFactory(role=Role.DEPOT_STAFF, depot=depot) for depot in (DepotFactory(), day.depot))
    with nothing_changes():
        assert decide(day, settlement, by=day.driver).status_code == 403
        assert decide(day, settlement, by=elsewhere).status_code == 404
    signed = decide(day, settlement, by=staff).json()
    assert (signed["status"], signed["decided_by"]) == ("SIGNED_OFF", staff.pk)


def test_a_driver_without_a_vehicle_counts_the_bag_alone(shop: Shop, nothing_changes: Unchanged) -> None:
    walker = DriverFactory(depot=shop.depot, vehicle_no="")
    shop.sell({"type": "SALE"}, by=walker, payment_received=True)
    with nothing_changes():
        assert error_of(count(shop, ("FULL", 1), by=walker)) == (400, "invalid", "counts")
    answer = beside(shop, count(shop, by=walker, cash="31.07"))
    assert (answer["cash_variance"], answer["lines"]) == ("0.00", [])
    assert decide(shop, answer).status_code == 200


def test_wrong_input_is_refused(shop: Shop, nothing_changes: Unchanged) -> None:
    client = shop.client_of(shop.driver)
    line = {"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 1}
    with nothing_changes():
        for body, code, attr in (
            ({}, "required", "cash"),
            ({"cash": "-1.00"}, "min_value", "cash"),
            ({"cash": "x"}, "invalid", "cash"),
            ({"cash": "0.00", "counts": [{**line, "quantity": -1}]}, "min_value", "counts.0.quantity"),
            ({"cash": "0.00", "counts": [line, line]}, "invalid", "counts.1"),
            ({"cash": "0.00", "counts": [{**line, "equipment": 999_999}]}, "does_not_exist", "counts.0.equipment"),
            ({"cash": "0.00", "counts": [{**line, "condition": "NEW"}]}, "invalid_choice", "counts.0.condition"),
        ):
            assert error_of(client.post("/api/settlements/", body)) == (400, code, attr), body


def test_the_same_count_sent_again_is_kept_once(day: Shop) -> None:
    first, second = (count(day, ("FULL", 20), cash="1.00", client_temp_id="s-1") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert CashCount.objects.count() == 1
    assert Decimal(beside(day, first)["cash_expected"]) == Decimal("124.26")


def test_a_signed_off_count_is_decided(shop: Shop, nothing_changes: Unchanged) -> None:
    settlement = count(shop, ("FULL", 19)).json()
    decide(shop, settlement)
    with nothing_changes():
        for what in ("sign-off", "reject"):
            assert error_of(decide(shop, settlement, what, remarks="x")) == (409, "settlement_decided", None)


def test_a_count_stays_with_the_depot_where_it_was_made(shop: Shop) -> None:
    settlement = count(shop, ("FULL", 20)).json()
    there = UserFactory(role=Role.DEPOT_STAFF, depot=DepotFactory())
    moved = {"depot": there.depot_id}
    assert shop.client_of(shop.admin).patch(f"/api/accounts/users/{shop.driver.pk}/", moved).status_code == 200
    assert decide(shop, settlement, by=there).status_code == 404
    assert decide(shop, settlement, by=UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot)).status_code == 200


def test_what_is_not_named_was_not_there_however_long_ago_it_was_loaded(shop: Shop) -> None:
    with at(20):
        driver = DriverFactory(depot=shop.depot)
        shop.count("vehicle", driver.vehicle_no, 3)
    with at(21):
        [line] = beside(shop, count(shop, by=driver))["lines"]
    assert [line[name] for name in ("opening", "expected", "counted", "variance")] == [3, 3, 0, -3]


def test_one_driver_s_cash_is_not_another_s(shop: Shop, colleague: Any) -> None:
    shop.sell({"type": "SALE"}, payment_received=True)
    shop.sell({"type": "SALE", "quantity": 2}, payment_received=True, by=colleague)
    assert beside(shop, count(shop))["cash_expected"] == "31.07"
    assert beside(shop, count(shop, by=colleague))["cash_expected"] == "62.13"


def test_one_driver_s_count_keeps_nobody_else_from_counting(shop: Shop, colleague: Any) -> None:
    assert [count(shop, by=driver).status_code for driver in (shop.driver, colleague)] == [201, 201]


def test_a_rejected_count_gives_back_its_own_cash_alone(shop: Shop, colleague: Any) -> None:
    """Not what was handed in before, and not a colleague's that was handed in at the same instant."""
    with at(20):
        shop.sell({"type": "SALE"}, payment_received=True)
        decide(shop, count(shop, ("FULL", 19)).json())
    with at(21):
        shop.sell({"type": "SALE", "quantity": 2}, payment_received=True)
        shop.sell({"type": "SALE"}, payment_received=True, by=colleague)
        day, colleagues = (beside(shop, count(shop, by=driver)) for driver in (shop.driver, colleague))
        assert (day["cash_expected"], colleagues["cash_expected"]) == ("62.13", "31.07")
    with at(22):
        decide(shop, day, "reject", remarks="Count again")
        decide(shop, colleagues)
        assert beside(shop, count(shop))["cash_expected"] == "62.13"
        assert beside(shop, count(shop, by=colleague))["cash_expected"] == "0.00"


def test_all_cash_is_in_the_bag_whatever_it_settles(shop: Shop) -> None:
    credit = {"customer": shop.customer.pk, "method": "CASH", "amount": "50.00"}
    assert shop.client_of(shop.driver).post("/api/payments/", credit).status_code == 201
    assert beside(shop, count(shop))["cash_expected"] == "50.00"


def test_a_variance_happened_when_it_was_counted_and_is_recorded_when_it_is_signed_off(shop: Shop) -> None:
    with at(20, hour=18):
        settlement = count(shop, ("FULL", 19)).json()
    with at(21, hour=9):
        signed = decide(shop, settlement).json()
    movement = StockMovement.objects.get(kind="VARIANCE")
    assert movement.occurred_at == Settlement.objects.get().created_at == datetime.fromisoformat(signed["created_at"])
    assert movement.created_at == Settlement.objects.get().decided_at == datetime.fromisoformat(signed["decided_at"])
    assert (movement.created_at - movement.occurred_at).total_seconds() == 15 * 3600
    assert (signed["decided_by"], movement.user_id) == (shop.admin.pk, shop.admin.pk)
    assert movement.reason == f"Day-end count {signed['settlement_number']}"


def test_the_counted_vehicle_is_brought_to_the_count_whatever_the_driver_drives_by_then(shop: Shop) -> None:
    vehicle = shop.driver.vehicle_no
    settlement = count(shop, ("FULL", 19)).json()
    changed = {"vehicle_no": "GBX9999Z"}
    assert shop.client_of(shop.admin).patch(f"/api/accounts/users/{shop.driver.pk}/", changed).status_code == 200
    assert decide(shop, settlement).status_code == 200
    assert shop.stock(vehicle_no=vehicle) == 19


def test_each_condition_is_brought_to_its_own_count(day: Shop) -> None:
    """Two full ones are missing, one empty is too many."""
    decide(day, count(day, ("FULL", 19), ("EMPTY", 4)).json())
    vehicle = day.driver.vehicle_no
    assert (day.stock(vehicle_no=vehicle), day.stock("EMPTY", vehicle_no=vehicle)) == (19, 4)


def test_what_was_sold_out_today_is_listed_and_not_tomorrow(shop: Shop) -> None:
    with at(20, hour=0):
        driver = DriverFactory(depot=shop.depot)
        shop.count("vehicle", driver.vehicle_no, 3)
    with at(21, hour=0):
        shop.sell({"type": "SALE", "quantity": 3}, by=driver)
        settlement = beside(shop, count(shop, by=driver))
        [line] = settlement["lines"]
        assert [line[name] for name in ("opening", "delivered", "other", "expected", "counted")] == [3, 3, 0, 0, 0]
        assert Settlement.objects.get().date.isoformat() == "2026-01-21"
        decide(shop, settlement)
    with at(22, hour=0):
        assert beside(shop, count(shop, by=driver))["lines"] == []


def test_the_evidence_says_what_was_counted_and_decided(day: Shop) -> None:
    settlement = count(day, ("FULL", 20), ("EMPTY", 5), cash="124.20").json()
    decide(day, settlement, remarks="One left behind")
    counted, signed = AuditLog.objects.filter(action__startswith="transactions.settlement.").order_by("id")
    variances = [f"+2 {day.cylinder.sku} EMPTY", f"-1 {day.cylinder.sku} FULL"]
    assert (counted.action, counted.entity_id, counted.user) == (
        "transactions.settlement.counted",
        settlement["id"],
        day.driver,
    )
    assert counted.after == {
        "settlement_number": settlement["settlement_number"], "vehicle_no": day.driver.vehicle_no,
        "cash_counted": "124.20",
    }  # fmt: skip
    assert (signed.action, signed.entity_id, signed.user, signed.reason) == (
        "transactions.settlement.signed_off",
        settlement["id"],
        day.admin,
        "One left behind",
    )
    assert signed.before == {"status": "COUNTED"}
    assert signed.after == {"status": "SIGNED_OFF", "cash_variance": "-0.06", "variances": variances}


def test_the_services_refuse_by_themselves(day: Shop, nothing_changes: Unchanged) -> None:
    """What no form and no route lets through today."""
    settlement = count(day, ("FULL", 21), ("EMPTY", 3)).json()["id"]
    stranger = UserFactory(role=Role.SUPERVISOR, depot=DepotFactory())
    with nothing_changes():
        for actor in (day.driver, stranger):
            with pytest.raises(Denied):
                sign_off_settlement(actor=actor, settlement_id=settlement)
        with pytest.raises(Invalid, match="counted again"):
            reject_settlement(actor=day.admin, settlement_id=settlement, remarks=" ")


def test_a_day_end_whose_counts_were_decided_is_decided_by_the_same_rules(
    shop: Shop, nothing_changes: Unchanged
) -> None:
    own = count(shop, by=shop.admin).json()["id"]
    counts, boss = Settlement.objects.get(pk=own), UserFactory(role=Role.ADMIN)
    stranger = UserFactory(role=Role.SUPERVISOR)
    assert counts.cash_count is not None
    reject_cash_count(actor=boss, count_id=counts.cash_count.pk, remarks="Again")
    with nothing_changes():
        for actor, remarks, refused in (
            (shop.admin, "x", Denied),
            (stranger, "x", Denied),
            (boss, "  ", Invalid),
        ):
            with pytest.raises(refused):
                reject_settlement(actor=actor, settlement_id=own, remarks=remarks)
        with pytest.raises(SettlementDecided):
            sign_off_settlement(actor=boss, settlement_id=own)
    reject_settlement(actor=boss, settlement_id=own, remarks="Again")
    with nothing_changes(), pytest.raises(SettlementDecided):
        reject_settlement(actor=boss, settlement_id=own, remarks="Once more")


def test_a_day_end_of_which_a_part_was_signed_off_and_a_part_rejected_is_rejected(shop: Shop) -> None:
    """Else it would wait for ever."""
    own = count(shop).json()["id"]
    counts = Settlement.objects.get(pk=own)
    assert counts.cash_count is not None
    assert counts.vehicle_count is not None
    sign_off_count(actor=shop.admin, count_id=counts.vehicle_count.pk)
    reject_cash_count(actor=shop.admin, count_id=counts.cash_count.pk, remarks="Again")
    with pytest.raises(SettlementDecided):
        sign_off_settlement(actor=shop.admin, settlement_id=own)
    assert reject_settlement(actor=shop.admin, settlement_id=own, remarks="Again").status == "REJECTED"


def test_a_day_end_that_was_signed_off_in_parts_is_not_rejected(shop: Shop) -> None:
    own = count(shop).json()["id"]
    counts = Settlement.objects.get(pk=own)
    assert counts.cash_count is not None
    assert counts.vehicle_count is not None
    sign_off_count(actor=shop.admin, count_id=counts.vehicle_count.pk)
    sign_off_cash_count(actor=shop.admin, count_id=counts.cash_count.pk)
    with pytest.raises(SettlementDecided):
        reject_settlement(actor=shop.admin, settlement_id=own, remarks="Again")
    assert sign_off_settlement(actor=shop.admin, settlement_id=own).status == "SIGNED_OFF"
