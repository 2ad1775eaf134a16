"""Four eyes: what somebody recorded is taken back, or paid out, by another person, or listed for one (FOUR_EYES)."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from accounts.models import User
from discrepancies.models import Discrepancy
from foundation.access.capabilities import Role
from inventory.models import DepotWork
from payments.models import Payment
from tests.conftest import Shop, error_of, post_confirmed
from tests.factories import CustomerFactory, DepotFactory, UserFactory
from tests.types import Answer, Json, Unchanged
from transactions.models import Transaction

pytestmark = pytest.mark.django_db
Act = Callable[[User], Answer]
REFILLS = {"type": "REFILL", "quantity": 2}


def done(answer: Answer) -> Json:
    assert answer.status_code in (200, 201), answer.json()
    made: Json = answer.json()
    return made


def sold(shop: Shop, by: User, **more: Any) -> Json:
    return done(shop.sell(REFILLS, by=by, **more))


def void_of(shop: Shop, sale: Json) -> Act:
    address = f"/api/transactions/{sale['transaction']['id']}/void/"
    return lambda by: shop.client_of(by).post(address, {"reason": "Wrong stall"})


def credit_of(shop: Shop, sale: Json) -> Act:
    body = {"reason": "Leaking", "lines": [{"line": 1, "quantity": 1}]}
    return lambda by: shop.client_of(by).post(f"/api/invoices/{sale['invoice']['id']}/credit/", body)


def paid(shop: Shop, by: User, **more: Any) -> Json:
    body = {"customer": shop.customer.pk, "method": "PAYNOW", "amount": "30.00", "reference": "PN-1", **more}
    return done(shop.client_of(by).post("/api/payments/", body))


_turns = count(2)


def payout(shop: Shop, method: str = "PAYNOW") -> Act:
    """Each with a reference of its own: nothing of it is asked about."""
    body = {"customer": shop.customer.pk, "amount": "5.00", "method": method}
    return lambda by: shop.client_of(by).post("/api/payouts/", {**body, "reference": f"PN-{next(_turns)}"})


def goodwill(shop: Shop) -> Act:
    address, body = f"/api/customers/{shop.customer.pk}/goodwill-refunds/", {"method": "PAYNOW", "reason": "Waited"}
    return lambda by: shop.client_of(by).post(address, {**body, "amount": f"5.{next(_turns):02}"})


def work(shop: Shop, by: User, kind: str, condition: str = "FULL") -> Answer:
    line = {"equipment": shop.cylinder.pk, "condition": condition, "quantity": 5}
    body = {"kind": kind, "depot": shop.depot.pk, "reason": "Delivered", "items": [line]}
    return shop.client_of(by).post("/api/depot-work/", body)


def of_void(shop: Shop, maker: User) -> Act:
    return void_of(shop, sold(shop, maker))


def of_credit(shop: Shop, maker: User) -> Act:
    return credit_of(shop, sold(shop, maker))


def of_payment(shop: Shop, maker: User) -> Act:
    made = paid(shop, maker)
    return lambda by: shop.client_of(by).post(f"/api/payments/{made['id']}/reverse/", {"reason": "A slip"})


def of_payout(shop: Shop, maker: User) -> Act:
    paid(shop, maker)
    return payout(shop)


def of_depot_work(shop: Shop, maker: User) -> Act:
    pk = done(work(shop, maker, "GOODS_IN"))["id"]
    return lambda by: shop.client_of(by).post(f"/api/depot-work/{pk}/reverse/", {"reason": "Entered twice"})


def of_goodwill(shop: Shop, maker: User) -> Act:
    sold(shop, maker)
    return goodwill(shop)


ABOUT: dict[Any, Any] = {
    of_void: Transaction, of_credit: Transaction, of_payment: Payment, of_payout: Payment, of_depot_work: DepotWork,
    of_goodwill: Payment,
}  # fmt: skip
each_command = pytest.mark.parametrize("prepare", ABOUT, ids=lambda prepare: prepare.__name__)


@pytest.fixture
def maker(shop: Shop) -> User:
    return UserFactory(role=Role.SUPERVISOR, depot=shop.depot, first_name="Siti", last_name="")


@pytest.fixture
def other(shop: Shop) -> User:
    return UserFactory(role=Role.SUPERVISOR, depot=shop.depot, first_name="Nur", last_name="Aisyah")


def listed() -> list[Discrepancy]:
    return list(Discrepancy.objects.filter(code="own_correction").order_by("pk"))


@each_command
def test_by_default_it_happens_and_another_person_looks_at_it(
    prepare: Callable[[Shop, User], Act], shop: Shop, maker: User, other: User, nothing_changes: Unchanged
) -> None:
    done(prepare(shop, maker)(maker))
    [row] = listed()
    newest = ABOUT[prepare]._default_manager.order_by("-pk")[0]
    assert (row.entity_type, row.entity_id, row.user) == (newest.entity, newest.pk, maker)
    assert (row.depot, row.billed) == (shop.depot, str(newest))
    assert "by the same person" in row.detail
    open_rows = shop.client_of(other).get("/api/discrepancies/?seen=false&code=own_correction").json()["results"]
    assert [each["id"] for each in open_rows] == [row.pk]
    address, remarks = f"/api/discrepancies/{row.pk}/seen/", {"remarks": "Asked the customer"}
    with nothing_changes():
        assert error_of(shop.client_of(maker).post(address, remarks)) == (403, "permission_denied", None)
    assert done(shop.client_of(other).post(address, remarks))["seen_by"] == other.pk
    call_command("verify_books")


@each_command
def test_where_another_person_is_required_nothing_is_recorded_and_they_may(
    prepare: Callable[[Shop, User], Act], shop: Shop, maker: User, other: User, settings: Settings,
    nothing_changes: Unchanged,
) -> None:  # fmt: skip
    settings.FOUR_EYES = "require"
    act = prepare(shop, maker)
    with nothing_changes():
        refused = act(maker)
    assert error_of(refused) == (409, "needs_another_person", None)
    told = refused.json()["errors"][0]["detail"]
    assert "Nur Aisyah" in told
    assert "Siti" not in told
    assert listed() == []
    done(act(other))
    assert len(listed()) == (1 if prepare is of_goodwill else 0)
    call_command("verify_books")


@each_command
def test_it_can_be_left_to_everybody(
    prepare: Callable[[Shop, User], Act], shop: Shop, maker: User, settings: Settings
) -> None:
    settings.FOUR_EYES = "off"
    done(prepare(shop, maker)(maker))
    assert listed() == []


@each_command
def test_what_another_person_recorded_is_nobody_s_own(
    prepare: Callable[[Shop, User], Act], shop: Shop, maker: User, other: User
) -> None:
    done(prepare(shop, maker)(other))
    assert len(listed()) == (1 if prepare is of_goodwill else 0)


def test_who_may_is_told_by_name(shop: Shop, maker: User, settings: Settings) -> None:
    """Who holds the right here, and works here still; at most three."""
    settings.FOUR_EYES = "require"
    for name, more in (
        ("Elsewhere", {"depot": DepotFactory()}), ("Gone", {"is_active": False}), ("Staff", {"role": Role.DEPOT_STAFF}),
    ):  # fmt: skip
        UserFactory(**{"role": Role.SUPERVISOR, "depot": shop.depot, "first_name": name, "last_name": "", **more})
    sale = sold(shop, maker)
    User.objects.filter(pk=shop.admin.pk).update(is_active=False)
    number = sale["transaction"]["transaction_number"]
    said = f"You recorded {number} yourself: another person has to do this."
    [error] = void_of(shop, sale)(maker).json()["errors"]
    assert error["detail"] == f"{said} Nobody else may: an administrator can change that."
    for name in ("Ann", "Ben", "Cai", "Dan"):
        UserFactory(role=Role.ADMIN, username=name.lower(), first_name=name, last_name="")
    [error] = void_of(shop, sale)(maker).json()["errors"]
    assert error["detail"] == f"{said} Ann or Ben or Cai may."


def test_a_right_is_still_needed(shop: Shop, settings: Settings) -> None:
    """A driver voids nothing, least of all what is theirs."""
    settings.FOUR_EYES = "require"
    assert error_of(void_of(shop, sold(shop, shop.driver))(shop.driver)) == (403, "permission_denied", None)


def test_a_cheque_that_the_bank_sent_back_is_not_taken_back_by_who_took_it(
    shop: Shop, maker: User, settings: Settings
) -> None:
    settings.FOUR_EYES = "require"
    cheque = paid(shop, maker, method="CHEQUE")
    done(shop.client_of(maker).post(f"/api/payments/{cheque['id']}/bounce/", {"reason": "No funds"}))
    assert listed() == []


def test_credit_is_of_who_took_back_what_the_money_had_settled(shop: Shop, maker: User, other: User) -> None:
    """The driver took the cash and somebody else voided: two have seen it."""
    sale = sold(shop, shop.driver, payment_received=True)
    done(void_of(shop, sale)(maker))
    assert listed() == []
    done(payout(shop, method="CASH")(shop.driver))
    done(payout(shop, method="CASH")(other))
    assert listed() == []
    done(payout(shop, method="CASH")(maker))
    [row] = listed()
    assert (row.user, row.entity_id) == (maker, Payment.objects.latest("pk").pk)


def test_money_that_never_settled_anything_is_of_who_took_it_whatever_else_was_taken_back(
    shop: Shop, maker: User, other: User
) -> None:
    sale = sold(shop, maker)
    paid(shop, maker, amount="500.00")
    done(void_of(shop, sale)(other))
    done(payout(shop)(maker))
    assert len(listed()) == 1


def test_any_credit_of_one_s_own_makes_a_payout_one_s_own(shop: Shop, maker: User, other: User) -> None:
    """5.00 of a payment of 3.00 that somebody else took, and of one's own: that one is named."""
    paid(shop, other, amount="3.00")
    mine = paid(shop, maker, amount="7.00", reference="PN-OWN")
    done(payout(shop)(maker))
    assert [row.shown for row in listed()] == [mine["payment_number"]]


def test_a_credit_note_is_of_who_wrote_it(shop: Shop, maker: User, other: User) -> None:
    """Not of the seller, whose name it bears."""
    sale = sold(shop, maker, payment_received=True)
    done(credit_of(shop, sale)(other))
    done(payout(shop)(maker))
    assert listed() == []
    done(payout(shop)(other))
    assert [row.user for row in listed()] == [other]


def test_a_credit_note_is_of_who_took_back_what_it_had_settled(shop: Shop, maker: User, other: User) -> None:
    note = done(credit_of(shop, sold(shop, shop.driver, payment_received=True))(other))["invoice"]
    against = sold(shop, shop.driver)
    share = {"credit_note": note["id"], "amount": note["total_amount"].removeprefix("-")}
    body = {"customer": shop.customer.pk, "credits": [share]}
    done(shop.client_of(other).post("/api/set-offs/", body))
    done(void_of(shop, against)(maker))
    done(payout(shop, method="CASH")(other))
    assert listed() == []
    done(payout(shop, method="CASH")(maker))
    assert [(row.user, row.shown) for row in listed()] == [(maker, note["invoice_number"])]
    call_command("verify_books")


@pytest.mark.parametrize("rate", [None, "0.00"])
def test_credit_with_another_customer_is_of_who_billed_it_there(
    shop: Shop, maker: User, other: User, settings: Settings, rate: str | None
) -> None:
    """Less than was taken at the door, or nothing: the rest of the driver's cash is a friend's credit."""
    friend = CustomerFactory()
    sale = sold(shop, shop.driver, payment_received=True)
    right = {"customer": friend.pk, "items": [{**REFILLS, "equipment": shop.cylinder.pk, "quantity": 1, "rate": rate}]}
    address = f"/api/transactions/{sale['transaction']['id']}/bill-again/"
    done(post_confirmed(shop.client_of(maker), address, {"reason": "Wrong stall", "sale": right}))
    body = {"customer": friend.pk, "amount": "5.00", "method": "CASH"}
    done(shop.client_of(shop.driver).post("/api/payouts/", body))
    done(shop.client_of(other).post("/api/payouts/", body))
    assert listed() == []
    settings.FOUR_EYES = "require"
    refused = shop.client_of(maker).post("/api/payouts/", body)
    assert error_of(refused) == (409, "needs_another_person", None)
    settings.FOUR_EYES = "review"
    done(shop.client_of(maker).post("/api/payouts/", body))
    assert [row.user for row in listed()] == [maker]
    call_command("verify_books")


def test_a_refund_is_of_who_recorded_it(shop: Shop) -> None:
    deposit = {"type": "DEPOSIT", "quantity": 1}
    shop.cylinder.deposit = "40.00"
    shop.cylinder.save()
    done(shop.sell({"type": "SALE"}, deposit, payment_received=True))
    done(shop.sell({"type": "RETURN"}))
    done(payout(shop, method="CASH")(shop.driver))
    assert [row.user for row in listed()] == [shop.driver]


def test_goodwill_is_paid_by_who_does_not_serve_the_customer(
    shop: Shop, maker: User, other: User, settings: Settings
) -> None:
    """And listed in any case: nobody else has a part in it."""
    settings.FOUR_EYES = "require"
    shop.customer = CustomerFactory()
    done(goodwill(shop)(maker))
    done(goodwill(shop)(maker))
    paid(shop, maker)
    assert error_of(goodwill(shop)(maker)) == (409, "needs_another_person", None)
    sold(shop, shop.driver)
    done(goodwill(shop)(other))
    assert [row.user for row in listed()] == [maker, maker, other]


@pytest.mark.parametrize(("mode", "rows"), [("off", 0), ("review", 1), ("require", 1)])
def test_what_is_scrapped_is_looked_at(shop: Shop, maker: User, settings: Settings, mode: str, rows: int) -> None:
    """It takes nothing back that somebody recorded, and nobody can look at it afterwards."""
    settings.FOUR_EYES = mode
    scrapped = done(work(shop, maker, "SCRAP"))
    done(work(shop, maker, "DAMAGE"))
    assert [row.entity_id for row in listed()] == [scrapped["id"]] * rows
