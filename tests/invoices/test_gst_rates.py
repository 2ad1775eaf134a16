"""A GST rate that was wrong is superseded by one of the same date."""

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine

from audit.models import AuditLog
from foundation import clock
from invoices.models import GstRate
from invoices.selectors import gst_rate_on, gst_rates
from tests.admin.pages import form_of, logged_in, send_confirmed, url
from tests.conftest import Shop, error_of, post_confirmed
from tests.transactions.test_sale import of
from tests.types import Json, Unchanged

pytestmark = pytest.mark.django_db

ADDRESS = "/api/gst-rates/"


def gst(shop: Shop, rate: str, valid_from: str, **more: Any) -> Json:
    body = {"rate": rate, "valid_from": valid_from, **more}
    answer = post_confirmed(shop.client_of(shop.admin), ADDRESS, body)
    assert answer.status_code == 201, answer.json()
    made: Json = answer.json()
    return made


def test_a_rate_of_the_same_date_supersedes_the_one_that_was_wrong(shop: Shop) -> None:
    today = clock.business_date(clock.now()).isoformat()
    gst(shop, "90.00", today)
    assert of(shop.sell({"type": "SALE"}))[1]["gst_rate"] == "90.00"
    gst(shop, "8.00", today, reason="Slip.")
    made = gst(shop, "9.50", today, reason="Budget.")
    assert (made["reason"], made["is_superseded"]) == ("Budget.", False)
    assert of(shop.sell({"type": "SALE"}))[1]["gst_rate"] == "9.50"
    listed = shop.client_of(shop.admin).get(ADDRESS).json()["results"]
    assert [(row["rate"], row["is_superseded"], row["reason"]) for row in listed[:4]] == [
        ("9.50", False, "Budget."), ("8.00", True, "Slip."), ("90.00", True, ""), ("9.00", False, ""),
    ]  # fmt: skip
    assert AuditLog.objects.filter(action="invoices.gst_rate.created").latest("id").after["reason"] == "Budget."


def test_a_rate_is_superseded_for_a_reason_and_by_another_one(shop: Shop, nothing_changes: Unchanged) -> None:
    client = shop.client_of(shop.admin)
    with nothing_changes():
        for reason in ({}, {"reason": ""}):
            wrong = {"rate": "9.50", "valid_from": "2024-01-01", **reason}
            assert error_of(client.post(ADDRESS, wrong)) == (400, "invalid", "reason")
        same = {"rate": "9.00", "valid_from": "2024-01-01", "reason": "Again."}
        assert error_of(client.post(ADDRESS, same)) == (400, "unique", "valid_from")
        other = {"rate": "9.50", "valid_from": "2024-01-01", "reason": "Slip."}
        assert shop.client_of(shop.driver).post(ADDRESS, other).status_code == 403


def test_what_is_superseded_may_be_said_again(shop: Shop) -> None:
    gst(shop, "9.50", "2024-01-01", reason="Slip.")
    gst(shop, "9.00", "2024-01-01", reason="It was right.")
    assert gst_rate_on(date(2024, 1, 1)) == 9


def test_a_rate_that_comes_twice_is_added_once(shop: Shop) -> None:
    body = {"rate": "9.00", "valid_from": "2035-01-01", "client_temp_id": "a"}
    first = shop.client_of(shop.admin).post(ADDRESS, body)
    again = shop.client_of(shop.admin).post(ADDRESS, body)
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())


def test_the_office_supersedes_with_a_reason_and_shows_which_counts(shop: Shop) -> None:
    client = logged_in(shop.admin)
    sent = {**form_of(client, url(GstRate, "add")), "rate": "9.50", "valid_from": "2024-01-01", "reason": "Slip."}
    sent["_save"] = "Save"
    assert send_confirmed(client, url(GstRate, "add"), sent).status_code == 302
    tomorrow = clock.business_date(clock.now()) + timedelta(days=1)
    gst(shop, "9.00", tomorrow.isoformat())
    page = client.get(url(GstRate)).content.decode()
    counted = ("Superseded</span>", 'badge-good">Counts', 'badge-open">Will count')
    assert [page.count(each) for each in counted] == [1, 3, 1]


def test_many_dates_have_the_rates_that_one_has(shop: Shop, django_assert_num_queries: Any) -> None:
    gst(shop, "8.50", "2023-01-01", reason="Slip.")
    day, days = date(2007, 6, 29), []
    while day < date(2024, 2, 1):
        days.append(day)
        day += timedelta(days=97)
    days += [date(2007, 6, 30), date(2007, 7, 1), date(2022, 12, 31), date(2023, 1, 1), date(2023, 12, 31)]
    with django_assert_num_queries(1):
        rate_on = gst_rates()
        found = [rate_on(day) for day in days]
    assert found == [gst_rate_on(day) for day in days]
    with time_machine.travel("2023-06-01T09:00:00+08:00", tick=False):
        assert of(shop.sell({"type": "SALE"}))[1]["gst_rate"] == "8.50"


def test_a_year_that_was_mistyped_is_a_slip(shop: Shop, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        for day in ("1999-12-31", "2206-01-01"):
            wrong = {"rate": "9.50", "valid_from": day, "reason": "Slip."}
            assert error_of(shop.client_of(shop.admin).post(ADDRESS, wrong)) == (400, "invalid", "valid_from")
