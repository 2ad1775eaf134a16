"""The books are closed up to a day, and reopened with a reason."""

from datetime import date
from typing import Any

import pytest
import time_machine

from periods import services
from periods.selectors import held_between
from tests.conftest import Shop, error_of
from tests.periods.test_gst_returns import at
from tests.types import Json, Unchanged

pytestmark = pytest.mark.django_db

SALE = {"type": "SALE"}


@pytest.fixture
def april(shop: Shop) -> Any:
    with time_machine.travel(at("2025-04-02T09:00:00"), tick=False) as travel:
        yield travel


def close(shop: Shop, day: str, **more: Any) -> Any:
    return shop.client_of(shop.admin).post("/api/periods/", {"ends_on": day, **more}, format="json")


def reopen(shop: Shop, pk: int, reason: str = "Too early") -> Any:
    return shop.client_of(shop.admin).post(f"/api/periods/{pk}/reopen/", {"reason": reason}, format="json")


def closed(shop: Shop, day: str) -> Json:
    answer = close(shop, day)
    assert answer.status_code == 201, answer.json()
    period: Json = answer.json()
    return period


def test_closings_follow_one_another(shop: Shop, april: Any) -> None:
    first, second = closed(shop, "2025-02-28"), closed(shop, "2025-03-31")
    assert (first["starts_on"], first["closed_until"]) == (None, "2025-02-28")
    assert (second["starts_on"], second["closed_until"]) == ("2025-03-01", "2025-03-31")
    assert error_of(close(shop, "2025-03-31")) == (409, "already_closed", "ends_on")
    assert error_of(close(shop, "2025-01-31")) == (409, "already_closed", "ends_on")


def test_a_closing_keeps_what_the_books_held(shop: Shop, april: Any) -> None:
    april.move_to(at("2025-03-31T09:00:00"), tick=False)
    shop.sell(SALE, payment_received=True)
    shop.sell(SALE)
    april.move_to(at("2025-04-02T09:00:00"), tick=False)
    shop.sell(SALE, payment_received=True, occurred_at="2025-03-31T18:00:00+08:00")
    period = closed(shop, "2025-03-31")
    invoices = shop.client_of(shop.admin).get("/api/invoices/").json()["results"]
    assert (period["documents"], period["billed"]) == (2, f"{2 * float(invoices[0]['total_amount']):.2f}")
    assert period["received"] == invoices[0]["total_amount"]


def test_a_day_that_is_not_over_is_refused(shop: Shop, april: Any, nothing_changes: Unchanged) -> None:
    with nothing_changes():
        for day in ("2025-04-02", "2025-04-03", "2030-01-01"):
            assert error_of(close(shop, day)) == (400, "invalid", "ends_on")
    april.move_to(at("2025-04-03T00:30:00"), tick=False)
    assert error_of(close(shop, "2025-04-02")) == (400, "invalid", "ends_on")
    april.move_to(at("2025-04-03T01:00:00"), tick=False)
    closed(shop, "2025-04-02")


def test_the_last_closing_alone_is_reopened_and_with_a_reason(shop: Shop, april: Any) -> None:
    first, second = closed(shop, "2025-02-28"), closed(shop, "2025-03-31")
    assert error_of(reopen(shop, first["id"]))[:2] == (409, "not_the_last_closing")
    assert error_of(reopen(shop, second["id"], " "))[0] == 400
    reopening = reopen(shop, second["id"]).json()
    assert (reopening["reopens"], reopening["closed_until"]) == (second["id"], "2025-02-28")
    assert error_of(reopen(shop, second["id"]))[:2] == (409, "not_the_last_closing")
    assert error_of(reopen(shop, reopening["id"]))[:2] == (409, "not_the_last_closing")
    assert reopen(shop, first["id"]).json()["closed_until"] is None
    again = closed(shop, "2025-03-31")
    assert (again["starts_on"], again["closed_until"]) == (None, "2025-03-31")
    for earlier in (second, reopening):
        assert error_of(reopen(shop, earlier["id"]))[:2] == (409, "not_the_last_closing")


def test_two_closings_at_once_follow_one_another(shop: Shop, april: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one takes the place between reading and writing: the command begins again.

    On one connection the other one is taken back with the first attempt.
    """
    real, others = held_between, iter([date(2025, 2, 28)])

    def beside(*days: Any) -> Any:
        if (day := next(others, None)) is not None:
            services.close_period(actor=shop.admin, data=services.NewPeriod(day))
        return real(*days)

    monkeypatch.setattr("periods.services.closing.held_between", beside)
    assert closed(shop, "2025-03-31")["starts_on"] is None
    assert shop.client_of(shop.admin).get("/api/periods/").json()["count"] == 1


def test_a_closing_comes_twice_and_counts_once(shop: Shop, april: Any) -> None:
    first = close(shop, "2025-03-31", client_temp_id="march")
    again = close(shop, "2025-03-31", client_temp_id="march")
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_closing_holds_what_came_after_the_last_one(shop: Shop, april: Any) -> None:
    shop.sell(SALE)
    april.move_to(at("2025-04-03T09:00:00"), tick=False)
    assert closed(shop, "2025-04-02")["documents"] == 1
    shop.sell(SALE)
    shop.sell(SALE)
    april.move_to(at("2025-04-04T09:00:00"), tick=False)
    assert closed(shop, "2025-04-03")["documents"] == 2
