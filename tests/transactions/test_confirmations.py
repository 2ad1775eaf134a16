"""What is possible but unlikely is asked, all at once, and holds for the value that was seen."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.conf import settings

from audit.models import AuditLog, Confirmation
from customers.models import Customer
from foundation import clock
from foundation.access.capabilities import Role
from tests.conftest import Shop, error_of, to_confirm
from tests.factories import DriverFactory, MeteredCustomerFactory, UserFactory
from tests.types import Json, Unchanged
from transactions.models import MeterReplacement

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=clock.SINGAPORE)


def after(days: float) -> time_machine.travel:
    return time_machine.travel(NOON + timedelta(days=days), tick=False)


def read_each_day(shop: Shop, customer: Customer, *readings: str) -> None:
    for day, reading in enumerate(readings, start=1):
        with after(day):
            assert shop.sell(customer=customer.pk, current_meter=reading).status_code == 201


@pytest.fixture
def metered(shop: Shop) -> Customer:
    """Known since noon, at 1,200.00."""
    with after(0):
        customer: Customer = MeteredCustomerFactory()
        return customer


@pytest.fixture
def plenty(shop: Shop) -> Shop:
    assert shop.count("vehicle", shop.driver.vehicle_no, 200).status_code == 200
    return shop


def asked(response: Any) -> list[tuple[str, str, str]]:
    return [(each["code"], each["attr"], each["value"]) for each in to_confirm(response)]


# --- The mechanism ---


def test_all_that_is_unlikely_is_asked_at_once_and_nothing_changes(
    plenty: Shop, metered: Customer, nothing_changes: Unchanged
) -> None:
    with nothing_changes(), after(1):
        answer = plenty.sell(
            {"type": "SALE", "quantity": 60},
            {"type": "SALE", "quantity": 51},
            customer=metered.pk,
            current_meter="9200.00",
        )
    assert answer.json()["type"] == "client_error"
    assert asked(answer) == [
        ("quantity_unlikely", "items.0.quantity", "60"),
        ("quantity_unlikely", "items.1.quantity", "51"),
        ("usage_unlikely", "current_meter", "9200.00"),
        ("amount_unlikely", "items", "22196.22"),
    ]


def test_the_same_again_with_each_answer_is_recorded_and_stays_with_it(plenty: Shop) -> None:
    sale: Json = {
        "items": [{"equipment": plenty.cylinder.pk, "type": "SALE", "quantity": 60}],
        "customer": plenty.customer.pk,
    }
    confirm = to_confirm(plenty.client_of(plenty.driver).post("/api/transactions/", sale))
    answer = plenty.client_of(plenty.driver).post("/api/transactions/", {**sale, "confirm": confirm})
    assert answer.status_code == 201, answer.json()
    kept = Confirmation.objects.get()
    pk = answer.json()["transaction"]["id"]
    assert (kept.code, kept.attr, kept.value) == ("quantity_unlikely", "items.0.quantity", "60")
    assert (kept.entity_type, kept.entity_id, kept.user, kept.confirmed_by) == (
        "transactions.transaction", pk, plenty.driver, plenty.driver,
    )  # fmt: skip
    assert (kept.depot, kept.date) == (plenty.depot, clock.business_date(kept.at))
    record = AuditLog.objects.get(action="transactions.sale.recorded")
    assert record.after is not None
    assert record.after["asked"] == [{**confirm[0], "confirmed_by": plenty.driver.username}]


@pytest.mark.parametrize(
    ("said", "is_enough"),
    [
        ({}, True),
        ({"value": "60.00"}, True),  # the same, spelt otherwise
        ({"value": "61"}, False),
        ({"code": "amount_unlikely"}, False),
        ({"attr": "items.1.quantity"}, False),
    ],
)
def test_a_confirmation_holds_for_that_value_of_that_field_only(plenty: Shop, said: Json, is_enough: bool) -> None:
    confirm = {"code": "quantity_unlikely", "attr": "items.0.quantity", "value": "60", **said}
    answer = plenty.sell({"type": "SALE", "quantity": 60}, confirm=[confirm])
    assert (answer.status_code == 201) is is_enough
    assert Confirmation.objects.exists() is is_enough


def test_part_of_the_answers_is_asked_for_the_rest(plenty: Shop) -> None:
    lines = [{"type": "SALE", "quantity": 60}, {"type": "SALE", "quantity": 70}]
    first, second = to_confirm(plenty.sell(*lines))
    assert to_confirm(plenty.sell(*lines, confirm=[first])) == [second]
    assert plenty.sell(*lines, confirm=[first, second]).status_code == 201


def test_what_nobody_asked_may_be_confirmed_and_leaves_nothing(plenty: Shop) -> None:
    said = {"code": "quantity_unlikely", "attr": "items.0.quantity", "value": "1"}
    assert plenty.sell({"type": "SALE"}, confirm=[said]).status_code == 201
    assert not Confirmation.objects.exists()


@pytest.mark.parametrize(
    ("confirm", "attr"),
    [
        ("x", "confirm.non_field_errors"),
        ([{"code": "quantity_unlikely"}], "confirm.0.attr"),
        ([{"code": "c", "attr": "a", "value": 60}], "confirm.0.value"),
        ([{"code": "c", "attr": "a", "value": "60", "by": 1}], "confirm.0.by"),
        ([{"code": "c", "attr": "a", "value": "x" * 201}], "confirm.0.value"),
        ([{"code": "c", "attr": "a", "value": "1"}] * 501, "confirm.non_field_errors"),
    ],
)
def test_a_malformed_confirmation_is_refused(shop: Shop, confirm: object, attr: str) -> None:
    answer = shop.sell({"type": "SALE"}, confirm=confirm)
    assert answer.status_code == 400
    assert attr in [error["attr"] for error in answer.json()["errors"]]


def test_what_can_not_ask_knows_no_confirmation(shop: Shop) -> None:
    answer = shop.client_of(shop.admin).post("/api/depots/", {"code": "X", "name": "X", "confirm": []})
    assert error_of(answer) == (400, "unknown_field", "confirm")


def test_a_confirmation_is_no_part_of_what_makes_two_operations_the_same(plenty: Shop) -> None:
    line = {"type": "SALE", "quantity": 60}
    confirm = to_confirm(plenty.sell(line, client_temp_id="a"))
    first = plenty.sell(line, client_temp_id="a", confirm=confirm)
    again = plenty.sell(line, client_temp_id="a")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["transaction"]["id"] == first.json()["transaction"]["id"]
    assert Confirmation.objects.count() == 1


def test_one_request_s_answers_are_not_the_next_one_s(plenty: Shop) -> None:
    client = plenty.client_of(plenty.driver)
    sale: Json = {"customer": plenty.customer.pk,
                  "items": [{"equipment": plenty.cylinder.pk, "type": "SALE", "quantity": 60}]}  # fmt: skip
    confirm = to_confirm(client.post("/api/transactions/", sale))
    assert client.post("/api/transactions/", {**sale, "confirm": confirm}).status_code == 201
    assert client.post("/api/transactions/", sale).status_code == 409


def test_what_a_rule_refuses_is_refused_before_anything_is_asked(shop: Shop) -> None:
    assert error_of(shop.sell({"type": "SALE", "quantity": 500})) == (409, "insufficient_stock", "items.0.quantity")


# --- The limits ---


@pytest.mark.parametrize(
    ("name", "value", "sale", "code"),
    [
        ("QUANTITY", "4", {"items": [{"type": "SALE", "quantity": 5}]}, "quantity_unlikely"),
        ("AMOUNT", "31.06", {"items": [{"type": "SALE", "quantity": 1}]}, "amount_unlikely"),
        ("USAGE_PER_DAY", "3", {"current_meter": "1203.01"}, "usage_unlikely"),
    ],
)
def test_each_limit_is_a_setting(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sale: Json, code: str
) -> None:
    customer = MeteredCustomerFactory()
    items, more = sale.get("items", []), {key: each for key, each in sale.items() if key != "items"}
    monkeypatch.setitem(settings.UNLIKELY, name, Decimal(value))
    assert code in [each["code"] for each in to_confirm(shop.sell(*items, customer=customer.pk, **more))]


def test_the_factor_of_usage_is_a_setting(shop: Shop, metered: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    read_each_day(shop, metered, "1201.00", "1202.00", "1203.00")
    monkeypatch.setitem(settings.UNLIKELY, "USAGE_FACTOR", Decimal(2))
    with after(13):
        assert asked(shop.sell(customer=metered.pk, current_meter="1223.01")) == [
            ("usage_unlikely", "current_meter", "1223.01")
        ]
        assert shop.sell(customer=metered.pk, current_meter="1223.00").status_code == 201


def test_a_rate_that_is_overridden_is_asked_about(shop: Shop) -> None:
    assert asked(shop.sell({"type": "SALE", "rate": "19.94"}, by=shop.admin)) == [
        ("rate_unlikely", "items.0.rate", "19.94")
    ]
    assert shop.sell({"type": "SALE", "rate": "19.95"}, by=shop.admin).status_code == 201


@pytest.mark.parametrize("kind", ["DEPOSIT"])
def test_so_is_that_of_a_deposit(shop: Shop, kind: str) -> None:
    answer = shop.sell({"type": "SALE", "quantity": 4}, {"type": kind, "rate": "90.00"}, by=shop.admin)
    assert asked(answer)[0] == ("rate_unlikely", "items.1.rate", "90.00")


# --- The meter ---


def test_a_slipped_decimal_is_asked_about_and_taken_back(shop: Shop, metered: Customer) -> None:
    with after(30):
        slipped = shop.sell(customer=metered.pk, current_meter="125050.00")
        assert asked(slipped)[0] == ("usage_unlikely", "current_meter", "125050.00")
        assert shop.sell(customer=metered.pk, current_meter="1250.50").status_code == 201


def test_one_slip_is_not_what_is_usual(shop: Shop, metered: Customer) -> None:
    """Also where the meter has hardly a history: what follows would go unasked."""
    read_each_day(shop, metered, "1201.00")
    with after(2):
        slipped = shop.sell(customer=metered.pk, current_meter="12030.00")
        said: Json = {"customer": metered.pk, "current_meter": "12030.00", "confirm": to_confirm(slipped)}
        assert shop.sell(**said).status_code == 201
    with after(3):
        assert asked(shop.sell(customer=metered.pk, current_meter="12081.00"))[0] == (
            "usage_unlikely", "current_meter", "12081.00",
        )  # fmt: skip


def test_voided_readings_are_no_history(shop: Shop, metered: Customer) -> None:
    with after(1):
        first = shop.sell(customer=metered.pk, current_meter="1240.00")
        assert first.status_code == 201
        pk = first.json()["transaction"]["id"]
        void = shop.client_of(shop.admin).post(f"/api/transactions/{pk}/void/", {"reason": "Wrong customer"})
        assert void.status_code == 201
    with after(2):
        assert shop.sell(customer=metered.pk, current_meter="1300.00").status_code == 201
        # 50 a day: of 40 in a day it would be 200.
    with after(3):
        assert asked(shop.sell(customer=metered.pk, current_meter="1550.01")) == [
            ("usage_unlikely", "current_meter", "1550.01")
        ]


def test_what_is_read_again_the_same_morning_says_nothing_about_a_day(shop: Shop, metered: Customer) -> None:
    with after(10):
        assert shop.sell(customer=metered.pk, current_meter="1210.00").status_code == 201
    for minutes in range(1, 8):
        with after(10 + minutes / 1440):
            assert shop.sell(customer=metered.pk, current_meter=f"1210.0{minutes}").status_code == 201
    with after(10.6):
        assert asked(shop.sell(customer=metered.pk, current_meter="1260.08")) == [
            ("usage_unlikely", "current_meter", "1260.08")
        ]
        assert shop.sell(customer=metered.pk, current_meter="1212.00").status_code == 201


def test_a_meter_s_history_is_its_own(shop: Shop, metered: Customer) -> None:
    """The new one has none, and begins when it was put in."""
    office = shop.client_of(shop.admin)
    read_each_day(shop, metered, "1200.30", "1200.60", "1201.00")
    with after(20):
        new = {"final_reading": "1202.00", "new_meter_number": "NEW", "first_reading": "5.00"}
        assert office.post(f"/api/customers/{metered.pk}/replace-meter/", new).status_code == 201
    with after(22):
        assert asked(shop.sell(customer=metered.pk, current_meter="105.01")) == [
            ("usage_unlikely", "current_meter", "105.01")
        ]
        assert shop.sell(customer=metered.pk, current_meter="105.00").status_code == 201


def test_a_first_reading_is_where_a_meter_begins(shop: Shop) -> None:
    customer = MeteredCustomerFactory(last_meter_reading=None)
    assert shop.sell({"type": "SALE"}, customer=customer.pk, current_meter="88000.00").status_code == 201
    assert asked(shop.sell(customer=customer.pk, current_meter="88050.01")) == [
        ("usage_unlikely", "current_meter", "88050.01")
    ]


def test_a_reading_from_before_the_last_one_is_asked_about(shop: Shop, metered: Customer) -> None:
    with after(2):
        assert shop.sell(customer=metered.pk, current_meter="1210.00").status_code == 201
    with after(3):
        earlier = (NOON + timedelta(days=1)).isoformat()
        answer = shop.sell(customer=metered.pk, current_meter="1220.00", occurred_at=earlier)
        assert asked(answer) == [("reading_before_last", "occurred_at", earlier)]
        at_the_same_time = (NOON + timedelta(days=2)).isoformat()
        assert shop.sell(customer=metered.pk, current_meter="1220.00", occurred_at=at_the_same_time).status_code == 201
        # The last one that was recorded isn't the latest.
        before: Json = {"customer": metered.pk, "current_meter": "1230.00", "occurred_at": earlier}
        assert shop.sell(**before, confirm=to_confirm(shop.sell(**before))).status_code == 201
        between = (NOON + timedelta(days=1.5)).isoformat()
        answer = shop.sell(customer=metered.pk, current_meter="1240.00", occurred_at=between)
        assert asked(answer)[0] == ("reading_before_last", "occurred_at", between)


def test_a_replacement_asks_for_its_final_reading_and_its_number_together(
    shop: Shop, metered: Customer, nothing_changes: Unchanged
) -> None:
    office, address = shop.client_of(shop.admin), f"/api/customers/{metered.pk}/replace-meter/"
    MeteredCustomerFactory(meter_number="M-7")
    new = {"final_reading": "1260.00", "new_meter_number": "m-7", "first_reading": "0.00"}
    with after(1):
        with nothing_changes():
            answer = office.post(address, new)
        assert asked(answer) == [
            ("meter_number_in_use", "new_meter_number", "m-7"),
            ("usage_unlikely", "final_reading", "1260.00"),
        ]
        answer = office.post(address, {**new, "confirm": to_confirm(answer)})
    assert answer.status_code == 201, answer.json()
    found = Confirmation.objects.order_by("entity_type").values_list("code", "entity_type", "entity_id")
    assert list(found) == [
        ("meter_number_in_use", "customers.customer", metered.pk),
        ("usage_unlikely", "transactions.transaction", MeterReplacement.objects.get().final_sale_id),
    ]


def test_a_new_meter_with_the_old_one_s_number_is_asked_about(shop: Shop, metered: Customer) -> None:
    new = {"final_reading": "1200.00", "new_meter_number": metered.meter_number, "first_reading": "0.00"}
    answer = shop.client_of(shop.admin).post(f"/api/customers/{metered.pk}/replace-meter/", new)
    assert asked(answer) == [("meter_number_in_use", "new_meter_number", metered.meter_number)]


def test_a_replacement_that_bills_nothing_asks_for_its_number_alone(shop: Shop, metered: Customer) -> None:
    MeteredCustomerFactory(meter_number="M-7")
    new = {"final_reading": "1200.00", "new_meter_number": "M-7", "first_reading": "0.00"}
    with after(1):
        answer = shop.client_of(shop.admin).post(f"/api/customers/{metered.pk}/replace-meter/", new)
    assert asked(answer) == [("meter_number_in_use", "new_meter_number", "M-7")]


# --- Who sees what was asked ---


def test_the_list_is_each_one_s_own_the_depot_s_or_all(plenty: Shop) -> None:
    elsewhere = DriverFactory()
    assert plenty.count("vehicle", elsewhere.vehicle_no, 60).status_code == 200
    for seller in (plenty.driver, elsewhere):
        line = {"type": "SALE", "quantity": 51}
        assert plenty.sell(line, by=seller, confirm=to_confirm(plenty.sell(line, by=seller))).status_code == 201

    def seen_by(user: Any, query: str = "") -> list[int]:
        answer = plenty.client_of(user).get(f"/api/confirmations/{query}")
        return sorted(each["user"] for each in answer.json()["results"])

    supervisor = UserFactory(role=Role.SUPERVISOR, depot=plenty.depot)
    both = sorted([plenty.driver.pk, elsewhere.pk])
    assert seen_by(plenty.admin) == both
    assert seen_by(supervisor) == seen_by(plenty.driver) == [plenty.driver.pk]
    assert seen_by(plenty.admin, "?is_confirmed=false") == []
    assert seen_by(plenty.admin, "?is_confirmed=true&code=quantity_unlikely") == both
    assert seen_by(plenty.admin, "?code=usage_unlikely") == []


def test_the_list_knows_the_codes_of_all_questions_and_no_other(shop: Shop) -> None:
    client = shop.client_of(shop.admin)
    answer = client.get("/api/confirmations/?code=nonsense")
    assert error_of(answer) == (400, "invalid_choice", "code")
    # Of the lowest layer, of others, and one that stands below another app's.
    for code in ("name_unprintable", "gst_rate_unlikely", "goods_in_unlikely", "reading_before_last"):
        answer = client.get(f"/api/confirmations/?code={code}")
        assert (answer.status_code, answer.json()["results"]) == (200, [])


def test_confirmations_are_written_once(plenty: Shop) -> None:
    line = {"type": "SALE", "quantity": 51}
    assert plenty.sell(line, confirm=to_confirm(plenty.sell(line))).status_code == 201
    pk = Confirmation.objects.get().pk
    for method in ("put", "patch", "delete"):
        assert getattr(plenty.client_of(plenty.admin), method)(f"/api/confirmations/{pk}/").status_code == 405


def test_a_refund_is_as_unlikely_as_a_sale(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    charged = [{"type": "SALE", "quantity": 2}, {"type": "DEPOSIT", "quantity": 2}]
    assert shop.sell(*charged).status_code == 201
    monkeypatch.setitem(settings.UNLIKELY, "AMOUNT", Decimal("119.99"))
    assert asked(shop.sell({"type": "RETURN", "quantity": 2})) == [("amount_unlikely", "items", "-120.00")]
