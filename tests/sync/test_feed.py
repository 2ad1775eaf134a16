"""In which order an app is told, and how much at a time: whatever the pages, nothing is left out or told twice."""

from collections.abc import Callable
from datetime import date, datetime

import pytest
import time_machine

from foundation.changes import Change
from foundation.clock import SINGAPORE
from sync import feed
from sync.models import Feed, FeedEntry
from tests.conftest import Shop
from tests.factories import CustomerRateFactory, DepotFactory, EquipmentFactory
from tests.types import Json

pytestmark = pytest.mark.django_db
Pull = Callable[..., Json]


@pytest.fixture
def pull(shop: Shop) -> Pull:
    def get(cursor: str | None = None, **asked: int) -> Json:
        sent: dict[str, str | int] = {**asked, **({"cursor": cursor} if cursor else {})}
        response = shop.client_of(shop.driver).get("/api/sync/pull/", sent)
        assert response.status_code == 200, response.content
        answer: Json = response.json()
        return answer

    return get


def rename_depots(shop: Shop, count: int) -> list[int]:
    depots = [DepotFactory() for _ in range(count)]
    for depot in depots:
        assert shop.client_of(shop.admin).patch(f"/api/depots/{depot.pk}/", {"name": "New"}).status_code == 200
    return [depot.pk for depot in depots]


def test_one_pull_tells_of_all_changes_however_many_are_numbered_at_once(
    shop: Shop, pull: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pull()["cursor"]
    depots = rename_depots(shop, 7)
    monkeypatch.setattr(feed, "NUMBERED_AT_ONCE", 3)
    assert [row["id"] for row in pull(before)["depots"]] == depots


def test_changes_are_numbered_once_each_in_the_order_in_which_they_were_noted(
    shop: Shop, pull: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull()
    depots = rename_depots(shop, 4)
    shop.client_of(shop.admin).patch(f"/api/depots/{depots[0]}/", {"name": "Newer"})
    monkeypatch.setattr(feed, "NUMBERED_AT_ONCE", 2)
    before = Feed.objects.get().position
    pull()
    numbers = dict(FeedEntry.objects.filter(position__gt=before).values_list("entity_id", "position"))
    assert numbers == {depots[1]: before + 2, depots[2]: before + 3, depots[3]: before + 4, depots[0]: before + 5}
    assert Feed.objects.get().position == before + 5
    assert not Change.objects.exists()


def test_a_page_that_is_just_full_is_the_last_one(shop: Shop, pull: Pull) -> None:
    before = pull()["cursor"]
    rename_depots(shop, 4)
    first = pull(before, page_size=3)
    assert (len(first["depots"]), first["has_more"]) == (3, True)
    last = pull(first["cursor"], page_size=1)
    assert (len(last["depots"]), last["has_more"]) == (1, False)
    assert pull(last["cursor"])["depots"] == []


def test_each_kind_is_told_from_its_first_row_on(shop: Shop, pull: Pull) -> None:
    """The depots' last key, where a page ended, is higher than the equipment's."""
    depots = [shop.depot.pk, *(DepotFactory().pk for _ in range(shop.cylinder.pk + 5))]
    first = pull(page_size=len(depots) - 1)
    second = pull(first["cursor"])
    assert [row["id"] for row in (*first["depots"], *second["depots"])] == depots
    assert [row["id"] for row in second["equipment"]] == [shop.cylinder.pk]


def test_the_own_vehicle_and_drafts_are_told_in_order(shop: Shop, pull: Pull) -> None:
    other = EquipmentFactory()
    shop.count("vehicle", shop.driver.vehicle_no, 4, equipment_id=other.pk)
    shop.count("vehicle", shop.driver.vehicle_no, 3, condition="EMPTY")
    drafts = [shop.draft({"direction": "OUT"}).json()["id"] for _ in range(3)]
    shop.confirm(drafts.pop(1))
    answer = pull()
    assert answer["stock"] == [
        {"equipment": shop.cylinder.pk, "condition": "EMPTY", "quantity": 3},
        {"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 21},
        {"equipment": other.pk, "condition": "FULL", "quantity": 4},
    ]
    assert [load["id"] for load in answer["distributions"]] == drafts


def test_a_rate_is_in_force_from_its_date_in_singapore_on_for_its_equipment_alone(shop: Shop, pull: Pull) -> None:
    other = EquipmentFactory()
    for equipment, rate, day in (
        (shop.cylinder, "27.00", date(2026, 1, 20)),
        (shop.cylinder, "30.00", date(2026, 1, 1)),
        (other, "9.00", date(2026, 1, 2)),
    ):
        CustomerRateFactory(customer=shop.customer, equipment=equipment, rate=rate, valid_from=day)
    # In UTC it is still the 19th.
    with time_machine.travel(datetime(2026, 1, 20, 7, 30, tzinfo=SINGAPORE), tick=False):
        [customer] = pull()["customers"]
    assert [(rate["equipment"], rate["rate"]) for rate in customer["rates"]] == [
        (other.pk, "9.00"), (shop.cylinder.pk, "27.00"),
    ]  # fmt: skip
