"""The figures of the office's front page, reckoned by hand."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from foundation.access.capabilities import Role
from foundation.clock import SINGAPORE
from tests.conftest import Shop
from tests.factories import CustomerFactory, DepotFactory, DriverFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    # Half past seven in Singapore; in UTC it is still the 19th.
    with time_machine.travel(datetime(2026, 1, 20, 7, 30, tzinfo=SINGAPORE), tick=False) as traveller:
        yield traveller


def page(reader: Any) -> Any:
    client = Client()
    client.force_login(reader)
    return client.get("/admin/").context


def tiles(reader: Any) -> dict[str, tuple[Any, str]]:
    return {tile.label: (tile.value, tile.note) for tile in page(reader)["tiles"]}


def overdue(reader: Any) -> int:
    """How many the list of invoices shows as such."""
    client = Client()
    client.force_login(reader)
    found: int = client.get("/admin/invoices/invoice/", {"open": "overdue"}).context["cl"].result_count
    return found


def test_an_invoice_is_overdue_from_the_day_after_its_last(shop: Shop, clock: time_machine.Traveller) -> None:
    buyer = CustomerFactory(payment_type="CREDIT", payment_terms_days=7)
    # 28.50 with 9 % is 31.07 (2.565 is 2.57).
    assert shop.sell({"type": "SALE"}, customer=buyer.pk).status_code == 201
    clock.shift(timedelta(days=7))
    assert tiles(shop.admin)["Open invoices"] == (Decimal("31.07"), "S$ 0.00 of it overdue")
    assert overdue(shop.admin) == 0
    clock.shift(timedelta(days=1))
    assert tiles(shop.admin)["Open invoices"] == (Decimal("31.07"), "S$ 31.07 of it overdue")
    assert overdue(shop.admin) == 1


def test_cash_in_bags_is_what_was_taken_and_not_handed_in(shop: Shop, clock: time_machine.Traveller) -> None:
    shop.sell({"type": "SALE"}, payment_received=True)
    cheque = {"customer": shop.customer.pk, "method": "CHEQUE", "amount": "9.00"}
    assert shop.client_of(shop.driver).post("/api/payments/", cheque).status_code == 201
    assert tiles(shop.admin)["Cash in bags"] == (Decimal("31.07"), "not handed in yet")
    counted = shop.client_of(shop.driver).post("/api/settlements/", {"cash": "31.07", "counts": []}).json()
    sign_off = shop.client_of(shop.admin).post(f"/api/settlements/{counted['id']}/sign-off/", {})
    assert sign_off.status_code == 200
    assert tiles(shop.admin)["Cash in bags"] == (Decimal("0.00"), "not handed in yet")


def test_billed_today_is_of_this_day_and_of_the_reader_s_depot(shop: Shop, clock: time_machine.Traveller) -> None:
    other = DriverFactory(depot=DepotFactory())
    shop.count("vehicle", other.vehicle_no, 5)
    shop.sell({"type": "SALE"})
    shop.sell({"type": "SALE", "quantity": 2}, by=other)
    mine = UserFactory(role=Role.SUPERVISOR, depot=shop.depot)
    assert tiles(mine)["Billed today"] == (Decimal("31.07"), "1 invoice, 0 credit notes")
    # 57.00 with 9 % is 62.13.
    assert tiles(shop.admin)["Billed today"] == (Decimal("93.20"), "2 invoices, 0 credit notes")
    days = page(shop.admin)["sales"]
    assert [(bar.label, bar.value) for bar in days][-2:] == [("19", Decimal("0.00")), ("20", Decimal("93.20"))]
    assert (len(days), days[0].label) == (14, "7")
    clock.shift(timedelta(days=1))
    assert tiles(shop.admin)["Billed today"] == (Decimal("0.00"), "0 invoices, 0 credit notes")


def test_the_fullest_places_come_first_and_full_cylinders_are_told_by_kind(
    shop: Shop, clock: time_machine.Traveller
) -> None:
    shop.sell({"type": "SWAP", "quantity": 5})
    told = tiles(shop.admin)
    assert told["Full in depots"] == (100, "0 empty, 0 damaged")
    assert told["Full on vehicles"] == (15, "5 empty, 0 damaged")
    places = page(shop.admin)["stock"]
    assert [(bar.label, bar.value) for bar in places[:2]] == [
        (f"depot {shop.depot}", 100), (f"vehicle {shop.driver.vehicle_no}", 20),
    ]  # fmt: skip
    assert places[1].parts == (("full", 15, 15), ("empty", 5, 5))


def test_money_of_other_depots_is_not_told(shop: Shop, clock: time_machine.Traveller) -> None:
    shop.sell({"type": "SALE"}, payment_received=True)
    shop.sell({"type": "SALE"})
    elsewhere = tiles(UserFactory(role=Role.SUPERVISOR))
    assert elsewhere["Cash in bags"] == (Decimal("0.00"), "not handed in yet")
    assert elsewhere["Open invoices"] == (Decimal("0.00"), "S$ 0.00 of it overdue")


def test_what_is_outside_is_no_place(shop: Shop, clock: time_machine.Traveller) -> None:
    assert sorted(bar.label for bar in page(shop.admin)["stock"]) == [
        f"depot {shop.depot}", f"vehicle {shop.driver.vehicle_no}",
    ]  # fmt: skip


def test_a_day_of_credit_notes_has_no_bar(shop: Shop, clock: time_machine.Traveller) -> None:
    shop.sell({"type": "DEPOSIT", "quantity": 2}, {"type": "SALE", "quantity": 2})
    clock.shift(timedelta(days=1))
    shop.sell({"type": "RETURN"})
    assert [(bar.value, bar.parts) for bar in page(shop.admin)["sales"]][-2:] == [
        (Decimal("182.13"), (("sales", 182, 100),)), (Decimal("-60.00"), (("sales", -60, 0),)),
    ]  # fmt: skip
