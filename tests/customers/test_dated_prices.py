"""Default prices, deposits and meter rates from a date on: put right, superseded, entered ahead."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from audit.models import AuditLog, Confirmation
from customers.models import Customer, MeterRate
from customers.services import take_over_meter_rate
from equipment.models import EquipmentPrice
from equipment.selectors import prices_at, prices_between
from equipment.services import take_over_prices
from foundation import clock
from foundation.clock import SINGAPORE
from tests.conftest import Shop, error_of, to_confirm
from tests.factories import CustomerFactory, EquipmentFactory, MeteredCustomerFactory
from tests.types import Answer, Json, Unchanged
from transactions.models import Transaction, TransactionItem

pytestmark = pytest.mark.django_db

TODAY = date(2026, 1, 20)
LATER = date(2026, 2, 1)


def at(day: date = TODAY, hour: int = 12, minute: int = 0) -> time_machine.travel:
    return time_machine.travel(datetime(day.year, day.month, day.day, hour, minute, tzinfo=SINGAPORE), tick=False)


@pytest.fixture(autouse=True)
def noon() -> Any:
    with at():
        yield


def days(count: int) -> date:
    return TODAY + timedelta(days=count)


def price(shop: Shop, amount: str | None, day: date, kind: str = "DEFAULT_RATE", **more: Any) -> Answer:
    """All that is asked about it is confirmed."""
    body = {"kind": kind, "amount": amount, "valid_from": day.isoformat(), **more}
    return confirmed(shop, f"/api/equipment/{shop.cylinder.pk}/prices/", body)


def meter(shop: Shop, customer: Customer, rate: str | None, day: date, **more: Any) -> Answer:
    body = {"meter_rate": rate, "valid_from": day.isoformat(), **more}
    return confirmed(shop, f"/api/customers/{customer.pk}/meter-rates/", body)


def confirmed(shop: Shop, address: str, body: Json) -> Answer:
    client = shop.client_of(shop.admin)
    answer: Answer = client.post(address, body)
    if answer.status_code == 409 and all("confirmable" in error for error in answer.json()["errors"]):
        answer = client.post(address, {**body, "confirm": to_confirm(answer)})
    return answer


def done(answer: Answer) -> Json:
    assert answer.status_code in (200, 201), answer.json()
    made: Json = answer.json()
    return made


def listed(shop: Shop) -> list[tuple[str, str | None, str | None, str]]:
    """Kind, amount, date, and what became of it."""
    answer = shop.client_of(shop.driver).get(f"/api/equipment/{shop.cylinder.pk}/prices/")
    return [
        (row["kind"], row["amount"], row["valid_from"] and row["valid_from"][:10], state(row))
        for row in done(answer)["results"]
    ]


def state(row: Json) -> str:
    return "superseded" if row["is_superseded"] else "in force" if row["is_in_force"] else ""


def shown(shop: Shop) -> str:
    """What lists and apps are told."""
    told: str = shop.client_of(shop.driver).get(f"/api/equipment/{shop.cylinder.pk}/").json()["default_rate"]
    return told


def sold(shop: Shop, **more: Any) -> str:
    """What one costs."""
    rate: str = done(shop.sell({"type": "SALE"}, **more))["transaction"]["items"][0]["rate"]
    return rate


def begin() -> None:
    call_command("begin_prices", verbosity=0)


def pulled(shop: Shop, cursor: str | None = None) -> Json:
    return done(shop.client_of(shop.driver).get("/api/sync/pull/", {"cursor": cursor} if cursor else {}))


# --- A past date ---


def test_a_price_from_a_past_date_counts_for_what_is_recorded_later(shop: Shop) -> None:
    with at(days(-4)):
        before = done(shop.sell({"type": "SALE"}))
    made = done(price(shop, "29.00", days(-5), reason="The list of January said so"))
    assert (made["valid_from"], made["is_in_force"]) == ("2026-01-15T00:00:00+08:00", True)
    assert shown(shop) == sold(shop) == "29.00"
    moments = [datetime(2026, 1, 14, 23, 59, 59, tzinfo=SINGAPORE), datetime(2026, 1, 15, tzinfo=SINGAPORE)]
    rates = [sold(shop, occurred_at=moment.isoformat()) for moment in moments]
    assert rates == ["28.50", "29.00"]
    unchanged = TransactionItem.objects.get(transaction_id=before["transaction"]["id"])
    assert str(unchanged.rate) == "28.50"


def test_a_past_price_ends_where_the_next_one_begins(shop: Shop) -> None:
    with at(days(-2)):
        shop.client_of(shop.admin).patch(f"/api/equipment/{shop.cylinder.pk}/", {"default_rate": "30.00"})
    made = done(price(shop, "29.00", days(-5), reason="Forgotten"))
    assert made["is_in_force"] is False
    assert shown(shop) == sold(shop) == "30.00"
    assert sold(shop, occurred_at=datetime(2026, 1, 17, tzinfo=SINGAPORE).isoformat()) == "29.00"


def test_one_price_leaves_the_other_as_it_is(shop: Shop) -> None:
    done(price(shop, "29.00", LATER))
    done(price(shop, "70.00", TODAY, "DEPOSIT"))
    with at(LATER):
        items = done(shop.sell({"type": "SALE"}, {"type": "DEPOSIT"}))["transaction"]["items"]
    assert [item["rate"] for item in items] == ["29.00", "70.00"]


def test_a_past_date_needs_a_reason_and_is_asked_about(shop: Shop, nothing_changes: Unchanged) -> None:
    address = f"/api/equipment/{shop.cylinder.pk}/prices/"
    body = {"kind": "DEFAULT_RATE", "amount": "2.85", "valid_from": days(-1).isoformat()}
    admin = shop.client_of(shop.admin)
    with nothing_changes():
        assert error_of(admin.post(address, body)) == (400, "invalid", "reason")
        assert error_of(admin.post(address, {**body, "reason": "  "})) == (400, "invalid", "reason")
        asked = admin.post(address, {**body, "reason": "Typed wrong"})
        assert [(error["code"], error["attr"]) for error in asked.json()["errors"]] == [
            ("rate_unlikely", "amount"), ("rate_from_past", "valid_from"),
        ]  # fmt: skip
        assert error_of(admin.post(address, {**body, "valid_from": "0001-01-01"})) == (400, "invalid", "valid_from")
        assert error_of(admin.post(address, {**body, "valid_from": "1999-12-31"})) == (400, "invalid", "valid_from")
    made = done(price(shop, "2.85", days(-1), reason="Typed wrong"))
    assert {kept.entity_id for kept in Confirmation.objects.all()} == {made["id"]}


# --- The same date ---


def test_the_last_one_of_a_date_counts_and_the_others_stay(shop: Shop) -> None:
    done(price(shop, "2.85", days(-3), reason="New list"))
    assert sold(shop) == "2.85"
    assert error_of(price(shop, "29.00", days(-3))) == (400, "invalid", "reason")
    done(price(shop, "29.00", days(-3), reason="A slipped decimal"))
    assert shown(shop) == sold(shop) == "29.00"
    assert listed(shop) == [
        ("DEFAULT_RATE", "29.00", "2026-01-17", "in force"),
        ("DEFAULT_RATE", "2.85", "2026-01-17", "superseded"),
        ("DEFAULT_RATE", "28.50", None, ""),
        ("DEPOSIT", "60.00", None, "in force"),
    ]


def test_what_was_changed_in_the_course_of_a_day_is_superseded_by_its_date(shop: Shop) -> None:
    with at(hour=10):
        shop.client_of(shop.admin).patch(f"/api/equipment/{shop.cylinder.pk}/", {"default_rate": "30.00"})
    assert error_of(price(shop, "29.00", TODAY)) == (400, "invalid", "reason")
    done(price(shop, "29.00", TODAY, reason="Wrong line of the list"))
    assert shown(shop) == sold(shop) == "29.00"
    assert sold(shop, occurred_at=datetime(2026, 1, 20, 10, 30, tzinfo=SINGAPORE).isoformat()) == "29.00"
    with at(hour=13):
        shop.client_of(shop.admin).patch(f"/api/equipment/{shop.cylinder.pk}/", {"default_rate": "31.00"})
        assert sold(shop) == "31.00"
        assert sold(shop, occurred_at=datetime(2026, 1, 20, 12, 30, tzinfo=SINGAPORE).isoformat()) == "29.00"
        states = [(amount, became) for kind, amount, _, became in listed(shop) if kind == "DEFAULT_RATE"]
    assert states == [("31.00", "in force"), ("30.00", "superseded"), ("29.00", ""), ("28.50", "")]


def test_what_would_change_nothing_is_refused(shop: Shop, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        for day in (days(-3), TODAY, LATER):
            assert error_of(price(shop, "28.50", day)) == (409, "price_unchanged", "amount")
    done(price(shop, "29.00", LATER))
    assert error_of(price(shop, "29.00", LATER, reason="x")) == (409, "price_unchanged", "amount")
    done(price(shop, "28.50", LATER, reason="Not yet"))  # as before: what was entered ahead is taken back
    with at(LATER):
        assert sold(shop) == "28.50"


def test_no_price_can_count_from_a_date_on(shop: Shop) -> None:
    unpriced = EquipmentFactory(default_rate=None)
    address = f"/api/equipment/{unpriced.pk}/prices/"
    body = {"kind": "DEFAULT_RATE", "amount": None, "valid_from": LATER.isoformat()}
    assert error_of(shop.client_of(shop.admin).post(address, body)) == (409, "price_unchanged", "amount")
    done(price(shop, None, LATER))
    with at(LATER):
        assert error_of(shop.sell({"type": "SALE"}))[:2] == (400, "invalid")
        begin()
        assert shown(shop) is None


# --- A future date ---


def test_a_future_price_counts_from_its_date_without_the_clock_s_command(shop: Shop) -> None:
    made = done(price(shop, "29.00", LATER))
    assert (made["is_in_force"], made["is_superseded"]) == (False, False)
    with at(days(11), 23, 59):
        assert sold(shop) == "28.50"
    with at(LATER, 0):
        assert sold(shop) == "29.00"
        assert shown(shop) == "28.50"  # until the command comes
        assert ("DEFAULT_RATE", "29.00", "2026-02-01", "in force") in listed(shop)


def test_the_clock_s_command_takes_it_over_once_and_apps_hear_of_it(shop: Shop) -> None:
    metered = MeteredCustomerFactory()
    done(price(shop, "29.00", LATER))
    done(meter(shop, metered, "2.2000", LATER))
    with at(days(11), 23, 59):
        cursor = pulled(shop)["cursor"]
        records = AuditLog.objects.count()
        begin()
        assert (AuditLog.objects.count(), shown(shop)) == (records, "28.50")
    with at(LATER, 0, 1):
        begin()
        told = pulled(shop, cursor)
        assert [row["default_rate"] for row in told["equipment"]] == ["29.00"]
        assert [(row["meter_rate"], row["version"]) for row in told["customers"]] == [("2.2000", 2)]
        begin()
        assert AuditLog.objects.count() == records + 2
        assert pulled(shop, told["cursor"])["equipment"] == []
    begun = AuditLog.objects.filter(user=None).order_by("pk")
    assert [(each.action, each.before and each.before.get("default_rate")) for each in begun] == [
        ("equipment.price.begun", "28.50"), ("customers.meter_rate.begun", None),
    ]  # fmt: skip


def test_a_price_that_is_sent_as_it_was_read_reverts_no_begun_one(shop: Shop) -> None:
    """Before the clock's command has come."""
    done(price(shop, "29.00", LATER))
    with at(LATER, 0):
        address = f"/api/equipment/{shop.cylinder.pk}/"
        done(shop.client_of(shop.admin).patch(address, {"default_rate": "28.50", "name": "Renamed"}))
        assert sold(shop) == "29.00"
        done(shop.client_of(shop.admin).patch(address, {"default_rate": "29.00"}))
        assert (shown(shop), EquipmentPrice.objects.filter(kind="DEFAULT_RATE").count()) == ("29.00", 2)


def test_a_change_from_now_on_ends_at_a_future_price(shop: Shop) -> None:
    done(price(shop, "29.00", LATER))
    shop.client_of(shop.admin).patch(f"/api/equipment/{shop.cylinder.pk}/", {"default_rate": "30.00"})
    assert sold(shop) == "30.00"
    with at(LATER):
        begin()
        assert sold(shop) == shown(shop) == "29.00"


# --- What the field knew ---


def test_what_an_app_could_have_known_is_what_had_been_entered(shop: Shop) -> None:
    equipment = {shop.cylinder.pk: shop.cylinder}

    def known(begin: datetime, end: datetime) -> list[str]:
        prices = prices_between(equipment, begin, end)[shop.cylinder.pk]
        return sorted({str(each.default_rate) for each in prices})

    pull = clock.now() - timedelta(hours=2)
    done(price(shop, "29.00", days(-2), reason="Forgotten"))
    done(price(shop, "30.00", LATER))
    assert known(pull, clock.now() - timedelta(minutes=1)) == ["28.50"]
    assert known(pull, clock.now()) == ["28.50", "29.00"]
    assert known(clock.now(), clock.now()) == ["29.00"]
    midnight = datetime(2026, 2, 1, tzinfo=SINGAPORE)
    assert known(midnight - timedelta(seconds=1), midnight - timedelta(seconds=1)) == ["29.00"]
    assert known(midnight - timedelta(seconds=1), midnight) == ["29.00", "30.00"]
    # An app that pulls at midnight is told what the clock's command hasn't taken over yet.
    assert known(midnight, midnight + timedelta(hours=1)) == ["29.00", "30.00"]
    assert known(midnight + timedelta(minutes=14), midnight + timedelta(hours=1)) == ["29.00", "30.00"]
    assert known(midnight + timedelta(minutes=15), midnight + timedelta(hours=1)) == ["30.00"]
    before = prices_at(equipment, clock.now() - timedelta(hours=1))[shop.cylinder.pk]
    assert (str(before.default_rate), before.known and str(before.known.default_rate)) == ("29.00", "28.50")
    assert prices_at(equipment, clock.now())[shop.cylinder.pk].known is None


def test_a_change_from_now_on_is_all_that_an_app_knows_that_pulls_after_it(shop: Shop) -> None:
    shop.client_of(shop.admin).patch(f"/api/equipment/{shop.cylinder.pk}/", {"default_rate": "29.00"})
    pull = clock.now() + timedelta(minutes=1)
    prices = prices_between({shop.cylinder.pk: shop.cylinder}, pull, pull)[shop.cylinder.pk]
    assert [str(each.default_rate) for each in prices] == ["29.00"]


# --- Meters ---


def test_a_reading_from_before_the_change_is_billed_at_the_rate_of_then(shop: Shop) -> None:
    metered = MeteredCustomerFactory()
    done(meter(shop, metered, "2.3000", days(-2), reason="The contract of January"))
    row = shop.client_of(shop.driver).get(f"/api/customers/{metered.pk}/").json()
    assert (row["meter_rate"], row["version"]) == ("2.3000", 2)
    moments = [datetime(2026, 1, 17, 23, 59, tzinfo=SINGAPORE), datetime(2026, 1, 18, tzinfo=SINGAPORE)]
    sales = [
        done(shop.sell(customer=metered.pk, current_meter=reading, occurred_at=moment.isoformat()))["transaction"]
        for reading, moment in zip(("1210.00", "1220.00"), moments, strict=True)
    ]
    assert [(sale["meter_rate"], sale["usage_amount"]) for sale in sales] == [("2.1500", "21.50"), ("2.3000", "23.00")]


def test_a_meter_s_rates_are_superseded_and_listed(shop: Shop) -> None:
    metered = MeteredCustomerFactory()
    done(meter(shop, metered, "22.0000", LATER))
    assert error_of(meter(shop, metered, "2.2000", LATER)) == (400, "invalid", "reason")
    assert error_of(meter(shop, metered, "22.0000", LATER, reason="x")) == (409, "price_unchanged", "meter_rate")
    made = done(meter(shop, metered, "2.2000", LATER, reason="A slipped decimal"))
    record = AuditLog.objects.latest("pk")
    assert (record.action, record.entity_id, record.reason) == (
        "customers.meter_rate.set", made["id"], "A slipped decimal",
    )  # fmt: skip
    rows = done(shop.client_of(shop.driver).get(f"/api/customers/{metered.pk}/meter-rates/"))["results"]
    assert [(row["meter_rate"], state(row)) for row in rows] == [
        ("2.2000", ""), ("22.0000", "superseded"), ("2.1500", "in force"),
    ]  # fmt: skip
    assert rows[0]["created_by"] == shop.admin.pk
    assert done(shop.client_of(shop.driver).get(f"/api/customers/{metered.pk}/"))["meter_rate"] == "2.1500"
    with at(LATER):
        sale = done(shop.sell(customer=metered.pk, current_meter="1210.00"))["transaction"]
    assert sale["meter_rate"] == "2.2000"


def test_a_customer_may_get_a_meter_from_a_date_on(shop: Shop) -> None:
    bare = CustomerFactory(last_meter_reading="0.00")
    assert error_of(meter(shop, bare, None, LATER)) == (409, "price_unchanged", "meter_rate")
    done(meter(shop, bare, "2.2000", LATER))
    assert error_of(shop.sell(customer=bare.pk, current_meter="1.00"))[1] == "no_meter"
    with at(LATER):
        begin()
        assert done(shop.client_of(shop.driver).get(f"/api/customers/{bare.pk}/"))["meter_rate"] == "2.2000"
        assert done(shop.sell(customer=bare.pk, current_meter="1.00"))["transaction"]["meter_rate"] == "2.2000"
    assert MeterRate.objects.count() == 1


# --- Once, and what it costs ---


@pytest.mark.parametrize("of", ["price", "meter"])
def test_it_happens_once(shop: Shop, of: str) -> None:
    if of == "price":
        address, body = f"/api/equipment/{shop.cylinder.pk}/prices/", {"kind": "DEPOSIT", "amount": "61.00"}
    else:
        address, body = f"/api/customers/{MeteredCustomerFactory().pk}/meter-rates/", {"meter_rate": "2.2000"}
    sent = {**body, "valid_from": LATER.isoformat(), "client_temp_id": "once"}
    first, again = (shop.client_of(shop.admin).post(address, sent) for _ in range(2))
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    assert (
        EquipmentPrice.objects.filter(amount="61.00").count() + MeterRate.objects.filter(meter_rate="2.2").count() == 1
    )


def test_more_prices_cost_no_more_queries(
    shop: Shop, django_assert_max_num_queries: Callable[[int], AbstractContextManager[Any]]
) -> None:
    for day in range(1, 6):
        done(price(shop, f"{28 + day}.00", days(day)))
    client = shop.client_of(shop.admin)
    with django_assert_max_num_queries(4):
        assert done(client.get(f"/api/equipment/{shop.cylinder.pk}/prices/"))["count"] == 7
    with django_assert_max_num_queries(1):
        prices_at({shop.cylinder.pk: shop.cylinder, (other := EquipmentFactory.build(pk=0)).pk: other}, clock.now())
    assert not Transaction.objects.exists()


# --- Beside what is changed from now on ---


def test_new_equipment_has_its_prices_ever_since(shop: Shop) -> None:
    body = {"sku": "NEW-1", "name": "New", "equipment_type": "CYLINDER", "default_rate": "12.00"}
    made = done(shop.client_of(shop.admin).post("/api/equipment/", body))
    rows = done(shop.client_of(shop.admin).get(f"/api/equipment/{made['id']}/prices/"))["results"]
    assert [(row["kind"], row["amount"], row["valid_from"], row["created_by"]) for row in rows] == [
        ("DEFAULT_RATE", "12.00", None, shop.admin.pk)
    ]


def test_a_new_customer_s_rate_counts_ever_since(shop: Shop) -> None:
    made = done(shop.client_of(shop.admin).post("/api/customers/", {"name": "New", "meter_rate": "2.0000"}))
    rows = done(shop.client_of(shop.admin).get(f"/api/customers/{made['id']}/meter-rates/"))["results"]
    assert [(row["meter_rate"], row["valid_from"], row["created_by"]) for row in rows] == [
        ("2.0000", None, shop.admin.pk)
    ]


def test_apps_hear_of_a_price_that_counts_at_once(shop: Shop) -> None:
    metered = MeteredCustomerFactory()
    cursor = pulled(shop)["cursor"]
    done(price(shop, "29.00", days(-1), reason="Forgotten"))
    done(meter(shop, metered, "2.2000", days(-1), reason="Forgotten"))
    told = pulled(shop, cursor)
    assert [row["default_rate"] for row in told["equipment"]] == ["29.00"]
    assert [row["meter_rate"] for row in told["customers"]] == ["2.2000"]


def test_a_price_that_only_a_part_of_its_date_has_can_be_set_for_all_of_it(shop: Shop) -> None:
    shop.client_of(shop.admin).patch(f"/api/equipment/{shop.cylinder.pk}/", {"default_rate": "30.00"})
    done(price(shop, "28.50", TODAY, reason="The change was a mistake"))
    assert shown(shop) == sold(shop) == "28.50"


def test_the_price_before_is_that_of_the_days_before(shop: Shop) -> None:
    """What is superseded was wrong: nobody is asked about the way back."""
    done(price(shop, "2.85", LATER))
    body = {"kind": "DEFAULT_RATE", "amount": "29.00", "valid_from": LATER.isoformat(), "reason": "A slipped decimal"}
    assert shop.client_of(shop.admin).post(f"/api/equipment/{shop.cylinder.pk}/prices/", body).status_code == 201


def test_a_meter_s_rate_that_has_begun_is_taken_over_by_who_sends_it(shop: Shop) -> None:
    metered = MeteredCustomerFactory()
    done(meter(shop, metered, "2.2000", LATER))
    with at(LATER, 0):
        done(shop.client_of(shop.admin).patch(f"/api/customers/{metered.pk}/", {"meter_rate": "2.2000"}))
    assert MeterRate.objects.count() == 2


def test_taking_over_what_is_so_already_changes_nothing(shop: Shop, nothing_changes: Unchanged) -> None:
    metered = MeteredCustomerFactory()
    with nothing_changes():
        assert take_over_meter_rate(customer_id=metered.pk) is False
        assert take_over_prices(equipment_id=shop.cylinder.pk) is False
