"""Closings and GST returns in the office."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from tests.admin.pages import logged_in
from tests.conftest import Shop
from tests.factories import EquipmentFactory
from tests.periods.test_gst_returns import Q1, Quarter, at

pytestmark = pytest.mark.django_db


@pytest.fixture
def quarter(shop: Shop) -> Iterator[Quarter]:
    with time_machine.travel(at("2025-03-20T09:00:00"), tick=False) as travel:
        yield Quarter(shop, travel, EquipmentFactory(default_rate=None))


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_a_return_is_filed_and_told_box_by_box(quarter: Quarter) -> None:
    quarter.sell("1000.00")
    quarter.go("2025-04-03T09:00:00")
    office = logged_in(quarter.shop.admin)
    sent = {"form": "F5", "starts_on": Q1[0], "ends_on": Q1[1], "reference": "GST-1"}
    assert office.post("/admin/periods/gstreturn/add/", sent).status_code == 302
    [filed] = quarter.shop.client_of(quarter.shop.admin).get("/api/gst-returns/").json()["results"]
    page = text_of(office.get(f"/admin/periods/gstreturn/{filed['id']}/change/"))
    assert "1 documents of 2025-01-01 to 2025-03-31: 1,000.00 and GST 90.00" in page
    for name in ("gst-f5", "gst-documents"):
        told = text_of(office.get(f"/admin/reports/{name}/?gst_return={filed['id']}"))
        assert "1,000.00" in told
        assert "90.00" in told
    following = office.get("/admin/periods/gstreturn/add/").content.decode()
    assert 'value="2025-04-01"' in following
    assert 'value="2025-06-30"' in following


@pytest.mark.parametrize(
    ("late", "says"), [("40.00", "The next F5 has it."), ("34000.00", "more than S$ 3000. It needs an F7.")]
)
def test_the_page_of_a_return_tells_what_turned_up(quarter: Quarter, late: str, says: str) -> None:
    quarter.sell("1000.00")
    quarter.go("2025-04-03T09:00:00")
    filed = quarter.file(Q1)
    quarter.late(late)
    quarter.go("2025-04-04T09:00:00")
    office = logged_in(quarter.shop.admin)
    page = text_of(office.get(f"/admin/periods/gstreturn/{filed['id']}/change/"))
    assert "1 documents: " in page
    assert says in page


def test_the_books_are_closed_and_reopened(quarter: Quarter) -> None:
    quarter.go("2025-04-03T09:00:00")
    office = logged_in(quarter.shop.admin)
    assert office.post("/admin/periods/period/add/", {"ends_on": "2025-03-31"}).status_code == 302
    [period] = quarter.shop.client_of(quarter.shop.admin).get("/api/periods/").json()["results"]
    assert period["closed_until"] == "2025-03-31"
    again = office.post("/admin/periods/period/add/", {"ends_on": "2025-02-28"}, follow=True)
    assert "The books are closed up to 2025-03-31." in text_of(again)
    action = {"CHANGE_FORM-action": "reopen", "_selected_action": [period["id"]]}
    asked = office.post(f"/admin/periods/period/{period['id']}/change/", action)
    assert "Reopen the last closing" in text_of(asked)
