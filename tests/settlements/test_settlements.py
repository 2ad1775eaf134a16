"""The end of a seller's day: counted blind, signed off by somebody else, brought into the books."""

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from foundation.access.capabilities import Role
from inventory.models import StockMovement
from payments.models import Payment
from tests.conftest import Shop, error_of
from tests.factories import DepotFactory, DriverFactory, UserFactory
from tests.types import Answer, Json, Unchanged

pytestmark = pytest.mark.django_db


def count(shop: Shop, *lines: tuple[str, int], by: User | None = None, cash: str = "0.00", **more: Any) -> Answer:
    counts = [{"equipment": shop.cylinder.pk, "condition": condition, "quantity": n} for condition, n in lines]
    return shop.client_of(by or shop.driver).post("/api/settlements/", {"counts": counts, "cash": cash, **more})


def decide(shop: Shop, settlement: Json, what: str = "sign-off", by: User | None = None, **body: Any) -> Any:
    return shop.client_of(by or shop.admin).post(f"/api/settlements/{settlement['id']}/{what}/", body)


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
    answer = count(day, ("FULL", 20), ("EMPTY", 3), cash="124.20").json()
    lines = {line["condition"]: line for line in answer["lines"]}
    names = ("opening", "loaded", "delivered", "collected", "unloaded", "other", "expected", "counted", "variance")
    # The fixture's opening count of 20 was made today: it is among the other movements.
    assert [lines["FULL"][name] for name in names] == [0, 10, 7, 0, 2, 20, 21, 20, -1]
    assert [lines["EMPTY"][name] for name in names] == [0, 0, 0, 3, 0, 0, 3, 3, 0]
    # 4 x 28.50 + 9 %
    assert (answer["cash_expected"], answer["cash_counted"], answer["cash_variance"]) == ("124.26", "124.20", "-0.06")
    assert answer["status"] == "COUNTED"


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
    settlement = count(day, ("FULL", 21), ("EMPTY", 3), ("DAMAGED", 2)).json()
    decide(day, settlement)
    assert day.stock("DAMAGED", vehicle_no=day.driver.vehicle_no) == 2


def test_what_is_not_named_was_not_there(day: Shop) -> None:
    settlement = count(day).json()
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
        assert error_of(decide(day, settlement))[:2] == (409, "insufficient_stock")


def test_cash_is_handed_in_once(day: Shop) -> None:
    decide(day, count(day, ("FULL", 21), ("EMPTY", 3), cash="124.26").json())
    assert count(day, ("FULL", 21), ("EMPTY", 3)).json()["cash_expected"] == "0.00"


def test_only_cash_counts_as_in_the_bag(day: Shop) -> None:
    owed = day.client_of(day.driver).get("/api/invoices/?is_open=true").json()["results"][0]
    day.client_of(day.driver).post(f"/api/invoices/{owed['id']}/pay/", {"method": "PAYNOW"})
    assert count(day).json()["cash_expected"] == "124.26"


def test_a_void_takes_its_cash_out_of_the_bag(day: Shop) -> None:
    sale = day.client_of(day.driver).get("/api/transactions/?payment_received=true").json()["results"][0]
    response = day.client_of(day.admin).post(f"/api/transactions/{sale['id']}/void/", {"reason": "x"})
    assert response.status_code == 201, response.json()
    assert count(day).json()["cash_expected"] == "0.00"


def test_a_rejected_count_is_made_again(day: Shop) -> None:
    first = count(day).json()
    assert error_of(count(day)) == (409, "settlement_pending", None)
    assert decide(day, first, "reject").status_code == 400, "it needs a reason"
    rejected = decide(day, first, "reject", remarks="The empties were forgotten").json()
    assert (rejected["status"], rejected["decision_remarks"]) == ("REJECTED", "The empties were forgotten")
    again = count(day, ("FULL", 21), ("EMPTY", 3), cash="124.26").json()
    assert (again["cash_expected"], again["status"]) == ("124.26", "COUNTED")
    assert error_of(decide(day, first)) == (409, "settlement_decided", None)


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
    answer = count(shop, by=walker, cash="31.07").json()
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
    assert Payment.objects.filter(handed_in_at__isnull=True).count() == 0
    assert Decimal(first.json()["cash_expected"]) == Decimal("124.26")
