"""What an earlier version kept of prices and meter rates becomes what counts from when on."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from customers.models import Customer, MeterRate
from customers.selectors import meter_rate_at
from equipment.models import Equipment, EquipmentPrice
from equipment.selectors import Prices, prices_at
from foundation.clock import SINGAPORE
from foundation.ledger import guards

pytestmark = pytest.mark.django_db(transaction=True)

EARLIER = [("equipment", "0007_equipment_prices"), ("customers", "0009_dated_meter_rates")]
PRESENT = [("equipment", "0009_without_past_prices"), ("customers", "0011_without_past_meter_rates")]
DAYS = [datetime(2026, 1, day, 12, tzinfo=SINGAPORE) for day in (5, 10, 15)]
JUST_BEFORE = timedelta(microseconds=1)
PRICES = (("28.50", "60.00"), (None, "60.00"), ("30.00", "60.00"), ("30.00", "70.00"))


@pytest.fixture
def earlier(unguarded: None) -> Any:
    """The models of before; what they hold is carried over at the end."""
    executor = MigrationExecutor(connection)
    executor.migrate(EARLIER)
    yield executor.loader.project_state(EARLIER).apps
    MigrationExecutor(connection).migrate(PRESENT)
    guards.install()
    connection.close()


def carried_over() -> None:
    MigrationExecutor(connection).migrate(PRESENT)


def test_each_price_counts_from_when_it_did(earlier: Any) -> None:
    old: Any = earlier.get_model("equipment", "Equipment")
    changed = old.objects.create(sku="A", name="A", default_rate="30.00", deposit="70.00", priced_at=DAYS[-1])
    for (rate, deposit), until in zip(PRICES, DAYS, strict=False):
        earlier.get_model("equipment", "PastPrice").objects.create(
            equipment=changed, default_rate=rate, deposit=deposit, until=until
        )
    old.objects.create(sku="B", name="B", default_rate="5.00")
    old.objects.create(sku="C", name="C")
    carried_over()
    one, two, three = Equipment.objects.order_by("sku")
    found = [
        prices_at({one.pk: one}, moment)[one.pk]
        for moment in (DAYS[0] - JUST_BEFORE, *DAYS, DAYS[1] - JUST_BEFORE, DAYS[2] - JUST_BEFORE)
    ]
    assert [(each.default_rate and str(each.default_rate), str(each.deposit), each.known) for each in found] == [
        (*PRICES[index], None) for index in (0, 1, 2, 3, 1, 2)
    ]
    assert prices_at({two.pk: two}, DAYS[0])[two.pk] == Prices(two.default_rate, None)
    assert prices_at({three.pk: three}, DAYS[0])[three.pk] == Prices(None, None)
    kept = EquipmentPrice.objects.order_by("pk").values_list("equipment__sku", "kind", "valid_from", "created_at")
    assert list(kept) == [
        ("A", "DEFAULT_RATE", None, None),
        ("A", "DEFAULT_RATE", DAYS[0], DAYS[0]),
        ("A", "DEFAULT_RATE", DAYS[1], DAYS[1]),
        ("A", "DEPOSIT", None, None),
        ("A", "DEPOSIT", DAYS[2], DAYS[2]),
        ("B", "DEFAULT_RATE", None, None),
    ]


def test_each_meter_s_rate_counts_from_when_it_did(earlier: Any) -> None:
    old: Any = earlier.get_model("customers", "Customer")
    changed = old.objects.create(customer_code="A", name="A", meter_rate="2.3000", meter_rate_at=DAYS[-1])
    # As long as there was none, none was kept.
    for rate, until in (("2.1500", DAYS[0]), ("2.2000", DAYS[2])):
        earlier.get_model("customers", "PastMeterRate").objects.create(customer=changed, meter_rate=rate, until=until)
    old.objects.create(customer_code="B", name="B", meter_rate="5.0000", meter_rate_at=DAYS[1])
    gone = old.objects.create(customer_code="C", name="C", meter_rate=None, meter_rate_at=DAYS[1])
    earlier.get_model("customers", "PastMeterRate").objects.create(customer=gone, meter_rate="3.0000", until=DAYS[1])
    old.objects.create(customer_code="D", name="D")
    carried_over()
    one, two, three, four = Customer.objects.order_by("customer_code")
    moments = [DAYS[0] - JUST_BEFORE, *DAYS]
    rates = [[str(meter_rate_at(each, moment)) for moment in moments] for each in (one, two, three, four)]
    assert rates == [
        ["2.1500", "2.2000", "2.2000", "2.3000"],
        ["5.0000"] * 4,
        ["3.0000", "3.0000", "None", "None"],
        ["None"] * 4,
    ]
    assert MeterRate.objects.count() == 6
