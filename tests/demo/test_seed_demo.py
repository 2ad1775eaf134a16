"""The demo data: complete, right, and only where it belongs."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import transaction
from pytest_django import Settings

from accounts.models import User
from customers.models import Customer
from depots.models import Depot
from distribution.models import Distribution
from foundation.access.capabilities import Role
from foundation.operations.occurrence import OccurredAtOutOfRange
from inventory.models import Inventory, StockMovement
from tests.factories import DepotFactory
from transactions.models import Transaction, TransactionItem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stub_pdf"), pytest.mark.any_engine]


@pytest.fixture(autouse=True)
def _in_development(settings: Settings) -> None:
    settings.DEBUG = True


def seed(*arguments: str) -> str:
    out = StringIO()
    call_command("seed_demo", *arguments, stdout=out)
    return out.getvalue()


def test_it_loads_a_business_whose_books_verify() -> None:
    assert seed() == "Demo data: 3 depots, 9 stock items, 40 customers, 10 users, 32 sales.\n"
    assert {user.role for user in User.objects.get_queryset()} == set(Role)
    assert set(Depot.objects.values_list("code", flat=True)) == {"SINGGAS", "UNION", "HSH KB"}
    assert Distribution.objects.filter(status="DRAFT").count() == 1
    call_command("verify_books", stdout=StringIO())


def test_every_balance_is_the_sum_of_its_movements() -> None:
    seed()
    sums: Counter[tuple[int, int, str]] = Counter()
    for move in StockMovement.objects.all():
        sums[move.from_location_id, move.equipment_id, move.from_condition] -= move.quantity
        sums[move.to_location_id, move.equipment_id, move.to_condition] += move.quantity
    balances = {(row.location_id, row.equipment_id, row.condition): row.quantity for row in Inventory.objects.all()}
    assert balances
    assert balances == dict(sums)


def test_it_makes_the_same_business_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foundation.clock.now", lambda: datetime(2026, 1, 20, 4, 0, tzinfo=UTC))
    first, second = _books_of_one_run(), _books_of_one_run()
    assert len(first["sales"]) == 33  # one of them a reversal
    assert first == second


def _books_of_one_run() -> dict[str, list[tuple[Any, ...]]]:
    """What a run makes, by its names and not by its keys; taken back afterwards."""
    with transaction.atomic():
        seed()
        books: dict[str, list[tuple[Any, ...]]] = {
            "customers": list(
                Customer.objects.order_by("pk").values_list(
                    "customer_code", "name", "phone", "meter_number", "last_meter_reading"
                )
            ),
            "sales": list(
                Transaction.objects.order_by("pk").values_list(
                    "transaction_number", "customer_name", "user__username", "usage", "total_amount", "occurred_at"
                )
            ),
            "lines": list(
                TransactionItem.objects.order_by("pk").values_list(
                    "equipment__sku", "type", "condition", "quantity", "rate"
                )
            ),
            "stock": list(
                Inventory.objects.order_by("pk").values_list(
                    "location__kind", "location__vehicle_no", "equipment__sku", "condition", "quantity"
                )
            ),
        }
        transaction.set_rollback(True)
    return books


@pytest.mark.parametrize("days", [1, 2, 7])
def test_its_sales_are_as_young_as_this_machine_takes_them(settings: Settings, days: int) -> None:
    settings.OCCURRED_AT_MAX_AGE = timedelta(days=days)
    seed()
    assert Transaction.objects.filter(reverses=None).count() == 32


def test_it_refuses_a_database_with_data() -> None:
    DepotFactory()
    with pytest.raises(CommandError, match="isn't empty"):
        seed()
    assert Customer.objects.count() == 0


def test_it_leaves_data_alone_when_told_to() -> None:
    DepotFactory()
    assert seed("--if-empty") == "The database has data already: no demo data loaded.\n"
    assert Customer.objects.count() == 0


def test_it_refuses_where_debug_is_off(settings: Settings) -> None:
    settings.DEBUG = False
    for arguments in ((), ("--if-empty",), ("--logins",)):
        with pytest.raises(CommandError, match="DEBUG is off"):
            seed(*arguments)
    assert not User.objects.get_queryset().exists()


def test_what_goes_wrong_half_way_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("periods.demo.SALES", 10_000)
    with pytest.raises(OccurredAtOutOfRange):
        seed()
    assert not User.objects.get_queryset().exists()
    assert not Transaction.objects.exists()
    assert list(Path(django_settings.MEDIA_ROOT).rglob("*.pdf")) == []


def test_it_prints_the_log_ins_without_touching_the_database() -> None:
    said = seed("--logins")
    assert "hsh-demo-2026" in said
    assert "driver1     Driver         HSH KB · GBK1234A" in said
    assert not User.objects.get_queryset().exists()
