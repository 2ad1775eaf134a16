"""Money without cash: listed until somebody else has found it in the bank's report; cheques that bounce."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from audit.models import AuditLog, Confirmation
from foundation.access.capabilities import Role
from payments.models import Payment
from payments.selectors import cash_in_bag, credit_of
from tests.admin.pages import logged_in, url
from tests.conftest import Shop, error_of, to_confirm
from tests.factories import DepotFactory, UserFactory
from tests.payments.test_payments import at, invoice_of, pay, read, record, reverse
from tests.types import Answer, Unchanged

pytestmark = pytest.mark.django_db


def act(shop: Shop, payment: int, what: str, by: User | None = None, **body: Any) -> Answer:
    return shop.client_of(by or shop.admin).post(f"/api/payments/{payment}/{what}/", body)


def unmatched(shop: Shop, by: User | None = None) -> list[int]:
    found = shop.client_of(by or shop.admin).get("/api/payments/?unmatched=true&ordering=id").json()["results"]
    return [row["id"] for row in found]


def taken(shop: Shop, method: str = "PAYNOW", **more: Any) -> int:
    answer = record(shop, "10.00", by=shop.driver, method=method, **more)
    assert answer.status_code == 201, answer.json()
    pk: int = answer.json()["id"]
    return pk


@pytest.mark.parametrize("method", ["PAYNOW", "CARD", "CHEQUE", "BANK_TRANSFER"])
def test_what_was_taken_without_cash_is_listed_until_it_is_found(shop: Shop, method: str) -> None:
    """A driver who keeps the cash and calls it PayNow shows."""
    payment = taken(shop, method)
    taken(shop, "CASH")
    assert unmatched(shop) == [payment]
    assert act(shop, payment, "bank").json()["banked_on"] is not None
    assert unmatched(shop) == []
    listed = shop.client_of(shop.admin).get("/api/payments/?unmatched=false").json()["results"]
    assert payment in [row["id"] for row in listed]


def test_nobody_finds_what_they_took_themselves(shop: Shop, nothing_changes: Unchanged) -> None:
    supervisor = UserFactory(role=Role.SUPERVISOR, depot=shop.depot)
    stranger = UserFactory(role=Role.SUPERVISOR, depot=DepotFactory())
    own = record(shop, "10.00", by=supervisor, method="PAYNOW").json()["id"]
    others = taken(shop)
    with nothing_changes():
        assert act(shop, own, "bank", by=supervisor).status_code == 403
        assert act(shop, others, "bank", by=shop.driver).status_code == 403
        assert act(shop, others, "bank", by=stranger).status_code == 404
        assert act(shop, others, "unbank", by=shop.driver, reason="x").status_code == 403
        assert act(shop, others, "bounce", by=shop.driver, reason="x").status_code == 403
    assert act(shop, others, "bank", by=supervisor).status_code == 200


def test_the_day_is_said_again_corrected_and_taken_back(shop: Shop, nothing_changes: Unchanged) -> None:
    with at(5):
        payment = taken(shop)
    with at(8):
        for day in ("2026-01-06", "2026-01-06", "2026-01-07"):
            assert act(shop, payment, "bank", banked_on=day).json()["banked_on"] == day
        assert AuditLog.objects.filter(action="payments.payment.banked").count() == 2
        for wrong in ("2026-01-04", "2026-01-09"):
            with nothing_changes():
                assert error_of(act(shop, payment, "bank", banked_on=wrong)) == (400, "invalid", "banked_on")
        assert act(shop, payment, "unbank", reason="Another one").json()["banked_on"] is None
        assert unmatched(shop) == [payment]
        with nothing_changes():
            assert error_of(act(shop, payment, "unbank", reason="Another one")) == (409, "not_banked", None)
            assert error_of(act(shop, payment, "unbank", reason=" ")) == (400, "blank", "reason")


def test_cash_and_what_was_reversed_is_not_banked(shop: Shop, nothing_changes: Unchanged) -> None:
    cash, payment = taken(shop, "CASH"), taken(shop)
    reverse(shop, payment)
    with nothing_changes():
        assert error_of(act(shop, cash, "bank")) == (400, "invalid", "banked_on")
        assert error_of(act(shop, payment, "bank")) == (409, "already_reversed", None)


def test_what_nobody_found_is_still_listed_when_it_was_reversed(shop: Shop) -> None:
    """A driver who keeps the cash, calls it PayNow and has that reversed shows all the same."""
    kept, sent_back, cheque = (taken(shop, method) for method in ("PAYNOW", "CARD", "CHEQUE"))
    found = taken(shop, reference="PN-1")
    reverse(shop, kept)
    reverse(shop, sent_back)
    act(shop, cheque, "bounce", reason="Refer to drawer")
    act(shop, found, "bank")
    assert unmatched(shop) == [kept, sent_back]
    office = logged_in(shop.admin)
    changelist = url(Payment)
    for asked, rows in (("yes", set()), ("reversed", {kept, sent_back})):
        page = office.get(changelist, {"unmatched": asked})
        assert {row.pk for row in page.context["cl"].queryset} == rows


def test_reversing_what_the_bank_has_is_asked_about(shop: Shop, nothing_changes: Unchanged) -> None:
    with at(5):
        payment, cheque = taken(shop), taken(shop, "CHEQUE")
        for each in (payment, cheque):
            act(shop, each, "bank", banked_on="2026-01-05")
        with nothing_changes():
            asked = act(shop, payment, "reverse", reason="Another customer's")
        assert [(each["code"], each["attr"], each["value"]) for each in to_confirm(asked)] == [
            ("money_banked", "reason", "2026-01-05")
        ]
        meant = act(shop, payment, "reverse", reason="Another customer's", confirm=to_confirm(asked))
        assert meant.status_code == 201
        assert Confirmation.objects.get().confirmed_by == shop.admin
        assert act(shop, cheque, "bounce", reason="Refer to drawer").status_code == 201
        mistaken = taken(shop)
        act(shop, mistaken, "bank")
        act(shop, mistaken, "unbank", reason="Another one")
        assert act(shop, mistaken, "reverse", reason="Entered twice").status_code == 201


def test_a_cheque_is_received_banked_and_bounces(shop: Shop, nothing_changes: Unchanged) -> None:
    invoice = invoice_of(shop)
    with at(5):
        invoice = invoice_of(shop)
        pay(shop, invoice, method="CHEQUE", reference="DBS 004412")
    payment = Payment.objects.get().pk
    with at(7):
        assert act(shop, payment, "bank", by=UserFactory(role=Role.ADMIN)).status_code == 200
        reversal = act(shop, payment, "bounce", reason="Refer to drawer")
        assert reversal.status_code == 201, reversal.json()
        assert (reversal.json()["reverses"], reversal.json()["amount"]) == (payment, "-31.07")
        with nothing_changes():
            assert error_of(act(shop, payment, "bounce", reason="Again")) == (409, "already_reversed", None)
    row = Payment.objects.get(pk=payment)
    assert (row.bounced_on, row.banked_on) == (date(2026, 1, 7), date(2026, 1, 7))
    assert read(shop, invoice)["outstanding_amount"] == "31.07"
    assert (credit_of(shop.customer), cash_in_bag(shop.driver)) == (Decimal(0), Decimal(0))


def test_only_a_customers_cheque_bounces(shop: Shop, nothing_changes: Unchanged) -> None:
    payment = taken(shop)
    with nothing_changes():
        assert error_of(act(shop, payment, "bounce", reason="x")) == (400, "invalid", None)


def test_cash_for_money_that_nobody_has_found_is_asked_about(shop: Shop, nothing_changes: Unchanged) -> None:
    """Who calls cash PayNow, and pays it back from the bag, would take it twice."""
    payment = taken(shop)
    body = {"customer": shop.customer.pk, "amount": "10.00", "method": "CASH"}
    with nothing_changes():
        asked = shop.client_of(shop.admin).post("/api/payouts/", body)
        assert error_of(asked) == (409, "money_not_found", "amount")
    assert act(shop, payment, "bank").status_code == 200
    assert shop.client_of(shop.admin).post("/api/payouts/", body).status_code == 201


def test_what_came_in_the_same_way_is_paid_back_first_then_what_was_found(
    shop: Shop, nothing_changes: Unchanged
) -> None:
    unfound, found, cash = (taken(shop, method) for method in ("PAYNOW", "CARD", "CASH"))
    assert act(shop, found, "bank").status_code == 200
    supervisor = UserFactory(role=Role.SUPERVISOR, depot=shop.depot)
    body = {"customer": shop.customer.pk, "amount": "10.00", "method": "CASH"}
    for slip, left in (("1", ["10.00", "10.00", "0.00"]), ("2", ["10.00", "0.00", "0.00"])):
        assert shop.client_of(supervisor).post("/api/payouts/", {**body, "reference": slip}).status_code == 201
        rows = [Payment.objects.get(pk=pk) for pk in (unfound, found, cash)]
        assert [str(row.credit_amount) for row in rows] == left
    with nothing_changes():
        asked = shop.client_of(supervisor).post("/api/payouts/", {**body, "reference": "3"})
        assert error_of(asked) == (409, "money_not_found", "amount")


def test_what_was_reversed_stays_as_the_bank_had_it(shop: Shop, nothing_changes: Unchanged) -> None:
    payment = taken(shop)
    act(shop, payment, "bank")
    asked = act(shop, payment, "reverse", reason="x")
    assert act(shop, payment, "reverse", reason="x", confirm=to_confirm(asked)).status_code == 201
    with nothing_changes():
        assert error_of(act(shop, payment, "unbank", reason="x")) == (409, "already_reversed", None)
