"""Cash is handed in with the first count after it was taken, in whatever order things arrive."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit.models import AuditLog
from discrepancies.models import Discrepancy
from equipment.models import Equipment
from foundation import clock, remains
from foundation.access.capabilities import Role
from foundation.errors import Denied, Invalid
from foundation.operations.idempotency import Operation, named
from foundation.operations.models import ClientOperation
from foundation.remains import UnderWay
from payments.models import CashCount, Payment
from payments.selectors import cash_in_bag, expectation_seen_by
from payments.services import NewCashCount, record_cash_count, reject_cash_count, sign_off_cash_count
from sync.models import Device
from tests.conftest import Shop, error_of
from tests.factories import DriverFactory, EquipmentFactory, UserFactory
from tests.inventory.days import at, moment, opened, require_right_books
from tests.types import Answer, Json, Unchanged
from transactions.pricing import SaleItem
from transactions.services import NewSale, create_customer_transaction_and_invoice

__all__ = ["opened"]
pytestmark = pytest.mark.django_db

EACH = "117.72"
"""What a visit is paid with: 108.00 and 9 %."""


@pytest.fixture(autouse=True)
def _books_are_right(db: None) -> Iterator[None]:
    yield
    require_right_books()


@pytest.fixture
def visit(db: None) -> Equipment:
    return EquipmentFactory(default_rate="108.00")


def take(shop: Shop, visit: Equipment, by: User | None = None, **more: Any) -> Json:
    """A visit that is paid in cash on the spot."""
    answer = shop.sell({"equipment": visit.pk, "type": "SERVICE"}, payment_received=True, by=by, **more)
    assert answer.status_code == 201, answer.content
    sold: Json = answer.json()
    return sold


def count(shop: Shop, cash: str, by: User | None = None, **more: Any) -> Json:
    answer = shop.client_of(by or shop.driver).post("/api/cash-counts/", {"cash": cash, **more})
    assert answer.status_code == 201, answer.content
    made: Json = answer.json()
    return made


def decide(shop: Shop, counted: Json, what: str = "sign-off", by: User | None = None, **body: Any) -> Answer:
    return shop.client_of(by or shop.admin).post(f"/api/cash-counts/{counted['id']}/{what}/", body)


def sign(shop: Shop, counted: Json) -> Json:
    answer = decide(shop, counted)
    assert answer.status_code == 200, answer.content
    signed: Json = answer.json()
    return signed


def seen(shop: Shop, counted: Json) -> tuple[str | None, str | None]:
    """What should be in the bag and how it differs, as somebody of the office sees it."""
    read = shop.client_of(shop.admin).get(f"/api/cash-counts/{counted['id']}/").json()
    return read["expected"], read["variance"]


def test_a_signed_count_hands_in_what_was_taken_before_it(opened: Shop, visit: Equipment) -> None:
    with at(10):
        take(opened, visit)
    with at(12):
        counted = count(opened, "117.70")
        assert Payment.objects.get().cash_count is None
    with at(15):
        take(opened, visit)
    with at(18):
        signed = sign(opened, counted)
        assert (signed["expected"], signed["variance"], signed["status"]) == (EACH, "-0.02", "SIGNED_OFF")
        assert signed["decided_at"] == moment(18).isoformat()
        assert seen(opened, count(opened, EACH)) == (EACH, "0.00")


def test_only_ones_own_cash_is_in_the_bag(opened: Shop, visit: Equipment) -> None:
    mate = DriverFactory(depot=opened.depot)
    with at(10):
        take(opened, visit, by=mate)
        owed = opened.sell({"equipment": visit.pk, "type": "SERVICE"}).json()["invoice"]["id"]
        opened.client_of(opened.driver).post(f"/api/invoices/{owed}/pay/", {"method": "PAYNOW"})
    with at(12):
        counted = count(opened, "0.00")
        assert seen(opened, counted) == ("0.00", "0.00")
        assert sign(opened, counted)["expected"] == "0.00"
    assert Payment.objects.get(user=mate).cash_count is None


# --- What comes late ------------------------------------------------------------------------------


def test_cash_that_arrives_late_explains_the_hand_in_before_it_and_enters_no_later_bag(
    opened: Shop, visit: Equipment
) -> None:
    with at(12):
        counted = count(opened, EACH)
        assert sign(opened, counted)["variance"] == EACH
    with at(15):
        take(opened, visit, occurred_at=moment(11).isoformat())
        assert seen(opened, counted) == (EACH, "0.00")
        assert seen(opened, count(opened, "0.00")) == ("0.00", "0.00")
    [noted] = Discrepancy.objects.all()
    assert (noted.code, noted.shown, noted.billed) == ("after_count", f"S$ {EACH}", counted["count_number"])


def changed_since(shop: Shop) -> dict[str, list[int]]:
    """The counts in the list, by whether something of before them came after their signatures."""
    client = shop.client_of(shop.admin)
    return {
        value: [row["id"] for row in client.get("/api/cash-counts/", {"changed": value}).json()["results"]]
        for value in ("true", "false")
    }


def test_a_signed_count_that_late_cash_changed_is_found(opened: Shop, visit: Equipment) -> None:
    counts = []
    for hour in (12, 18):
        with at(hour):
            counts.append(count(opened, "0.00"))
            sign(opened, counts[-1])
    with at(19):
        take(opened, visit)
        still_open = count(opened, EACH)
    first, second, last = (each["id"] for each in (*counts, still_open))
    assert changed_since(opened) == {"true": [], "false": [last, second, first]}
    with at(20):
        take(opened, visit, occurred_at=moment(11).isoformat())
    assert changed_since(opened) == {"true": [first], "false": [last, second]}


def test_a_signed_count_that_a_reversal_changed_is_found(opened: Shop, visit: Equipment) -> None:
    with at(10):
        take(opened, visit)
    with at(12):
        counted = count(opened, EACH)
        sign(opened, counted)
        other = count(opened, "0.00", by=DriverFactory(depot=opened.depot))
    with at(13):
        url = f"/api/payments/{Payment.objects.get().pk}/reverse/"
        assert opened.client_of(opened.admin).post(url, {"reason": "Wrong stall"}).status_code == 201
    assert changed_since(opened) == {"true": [counted["id"]], "false": [other["id"]]}


def test_a_signed_count_whose_cash_another_count_took_is_found(opened: Shop, visit: Equipment) -> None:
    with at(10):
        take(opened, visit)
    with at(18):
        later = count(opened, EACH)
        sign(opened, later)
    with at(20):
        earlier = count(opened, EACH, occurred_at=moment(12).isoformat())
        sign(opened, earlier)
    assert changed_since(opened) == {"true": [later["id"]], "false": [earlier["id"]]}


def test_a_count_that_was_signed_with_all_its_cash_has_not_changed(opened: Shop, visit: Equipment) -> None:
    """Also where that came to it late, as long as nobody had signed."""
    with at(12):
        counted = count(opened, EACH)
    with at(15):
        take(opened, visit, occurred_at=moment(11).isoformat())
        assert sign(opened, counted)["variance"] == "0.00"
    assert changed_since(opened) == {"true": [], "false": [counted["id"]]}


def test_what_was_paid_out_before_a_hand_in_explains_it(opened: Shop, visit: Equipment) -> None:
    with at(10):
        take(opened, visit)
        charged = opened.sell({"type": "SALE"}, {"type": "DEPOSIT"}, by=opened.admin, payment_received=True)
        assert charged.status_code == 201
    with at(12):
        counted = count(opened, "57.72")
        assert sign(opened, counted)["variance"] == "-60.00"
    with at(15):
        late = opened.sell({"type": "RETURN"}, payment_received=True, occurred_at=moment(11).isoformat())
        assert late.status_code == 201
        assert seen(opened, counted) == ("57.72", "0.00")


@pytest.mark.parametrize("is_signed_first", [True, False])
def test_cash_of_the_counts_own_moment_was_counted(opened: Shop, visit: Equipment, is_signed_first: bool) -> None:
    with at(12):
        counted = count(opened, EACH)
        if is_signed_first:
            sign(opened, counted)
    with at(15):
        take(opened, visit, occurred_at=moment(12).isoformat())
        if not is_signed_first:
            sign(opened, counted)
    assert seen(opened, counted) == (EACH, "0.00")


def test_late_cash_of_the_afternoon_is_in_the_next_bag(opened: Shop, visit: Equipment) -> None:
    with at(12):
        counted = count(opened, "0.00")
        sign(opened, counted)
    with at(15):
        take(opened, visit, occurred_at=moment(12, 1).isoformat())
    assert seen(opened, counted) == ("0.00", "0.00")
    with at(18):
        assert seen(opened, count(opened, EACH)) == (EACH, "0.00")


def test_a_count_that_comes_late_takes_its_cash_from_the_later_one(opened: Shop, visit: Equipment) -> None:
    for hour in (10, 15):
        with at(hour):
            take(opened, visit)
    with at(18):
        later = count(opened, EACH)
        assert sign(opened, later)["variance"] == f"-{EACH}"
    with at(20):
        earlier = count(opened, EACH, occurred_at=moment(12).isoformat())
        assert sign(opened, earlier)["variance"] == "0.00"
    assert seen(opened, later) == (EACH, "0.00")


def test_an_open_count_before_another_one_takes_its_part_of_the_expectation(opened: Shop, visit: Equipment) -> None:
    with at(10):
        take(opened, visit)
    with at(12):
        first = count(opened, EACH)
    with at(15):
        take(opened, visit)
    with at(18):
        second = count(opened, EACH)
    assert [seen(opened, each) for each in (first, second)] == [(EACH, "0.00")] * 2
    with at(19):
        decide(opened, first, "reject", remarks="Count again")
    assert seen(opened, second)[0] == "235.44"


def test_the_bags_of_one_user_are_signed_off_in_their_order(
    opened: Shop, visit: Equipment, nothing_changes: Unchanged
) -> None:
    """What the page says of a bag is what its signature hands in."""
    mate = DriverFactory(depot=opened.depot)
    with at(10):
        take(opened, visit)
    with at(11):
        other = count(opened, "0.00", by=mate)
    with at(12):
        first = count(opened, EACH)
    with at(18):
        second = count(opened, "0.00")
    with at(19):
        with nothing_changes():
            assert error_of(decide(opened, second)) == (409, "earlier_count_open", None)
        sign(opened, first)
        assert sign(opened, second)["variance"] == "0.00"
    assert other["status"] == "COUNTED"


def test_counts_of_one_instant_are_decided_in_the_order_in_which_they_were_recorded(
    opened: Shop, visit: Equipment
) -> None:
    with at(10):
        take(opened, visit)
    with at(12):
        first, second = count(opened, EACH), count(opened, "0.00")
    with at(19):
        assert error_of(decide(opened, second)) == (409, "earlier_count_open", None)
        assert sign(opened, first)["variance"] == "0.00"
        assert sign(opened, second)["variance"] == "0.00"


def test_late_cash_is_handed_in_with_the_first_count_after_it(opened: Shop, visit: Equipment) -> None:
    counts = []
    for hour in (12, 18):
        with at(hour):
            counts.append(count(opened, "0.00"))
            sign(opened, counts[-1])
    with at(20):
        take(opened, visit, occurred_at=moment(11).isoformat())
    assert [seen(opened, each)[0] for each in counts] == [EACH, "0.00"]


def test_late_cash_explains_its_own_users_count_alone(opened: Shop, visit: Equipment) -> None:
    mate = DriverFactory(depot=opened.depot)
    with at(12):
        counted = count(opened, "0.00", by=mate)
        sign(opened, counted)
    with at(20):
        take(opened, visit, occurred_at=moment(11).isoformat())
    assert seen(opened, counted)[0] == "0.00"
    assert Payment.objects.get().cash_count is None


def test_a_later_hand_in_takes_nothing_of_the_one_before(opened: Shop, visit: Equipment) -> None:
    counts = []
    for hour, visits, cash in ((10, 1, EACH), (15, 2, "235.44")):
        with at(hour):
            for _ in range(visits):
                take(opened, visit)
        with at(hour + 1):
            counts.append(count(opened, cash))
            sign(opened, counts[-1])
    assert [seen(opened, each) for each in counts] == [(EACH, "0.00"), ("235.44", "0.00")]


def test_cash_of_now_comes_after_a_hand_in_of_the_same_instant(opened: Shop, visit: Equipment) -> None:
    with at(12):
        counted = count(opened, "0.00")
        sign(opened, counted)
        take(opened, visit)
    assert seen(opened, counted) == ("0.00", "0.00")


def test_a_count_of_now_covers_what_was_taken_in_the_same_instant(opened: Shop, visit: Equipment) -> None:
    with at(12):
        take(opened, visit)
        first = count(opened, EACH)
        assert sign(opened, first)["variance"] == "0.00"
        take(opened, visit)
        assert sign(opened, count(opened, EACH))["variance"] == "0.00"
    assert seen(opened, first) == (EACH, "0.00")


def test_a_count_of_long_ago_is_refused(opened: Shop, nothing_changes: Unchanged) -> None:
    body = {"cash": "1.00", "occurred_at": (moment(12) - timedelta(days=8)).isoformat()}
    with at(12), nothing_changes():
        refused = opened.client_of(opened.driver).post("/api/cash-counts/", body)
        assert error_of(refused) == (409, "occurred_at_out_of_range", "occurred_at")


# --- What one device numbered ---------------------------------------------------------------------


@pytest.mark.parametrize("is_signed_first", [True, False])
def test_cash_that_a_device_numbered_above_its_count_can_not_explain_it(
    opened: Shop, visit: Equipment, is_signed_first: bool
) -> None:
    def as_of_device(number: int) -> Any:
        return named(
            Operation(user=opened.driver, client_temp_id=f"n{number}", type="test", sent={}, device="d", number=number)
        )

    with at(13):
        with as_of_device(5):
            counted = {
                "id": record_cash_count(actor=opened.driver, data=NewCashCount(Decimal(0), occurred_at=moment(12))).pk
            }
        if is_signed_first:
            sign(opened, counted)
        with as_of_device(6):
            sale = NewSale(
                customer=opened.customer.pk,
                items=(SaleItem(visit.pk, "SERVICE", 1),),
                payment_received=True,
                occurred_at=moment(11),
            )
            create_customer_transaction_and_invoice(actor=opened.driver, data=sale)
        if not is_signed_first:
            sign(opened, counted)
    assert seen(opened, counted) == ("0.00", "0.00")
    with at(18):
        assert seen(opened, count(opened, EACH)) == (EACH, "0.00")


# --- Handing in is final --------------------------------------------------------------------------


def test_a_void_after_the_hand_in_does_not_change_the_next_bag(opened: Shop, visit: Equipment) -> None:
    """The driver would keep the next day's 117.72."""
    with at(10):
        sale = take(opened, visit)
    with at(12):
        first = count(opened, EACH)
        sign(opened, first)
    with at(13):
        void = opened.client_of(opened.admin).post(
            f"/api/transactions/{sale['transaction']['id']}/void/", {"reason": "Wrong stall"}
        )
        assert void.status_code == 201
    assert not Discrepancy.objects.exists()
    with at(15):
        take(opened, visit)
    with at(18):
        assert seen(opened, count(opened, EACH)) == (EACH, "0.00")
    with at(19):
        assert seen(opened, count(opened, "0.00"))[0] == "0.00"


def test_a_reversal_after_the_hand_in_does_not_change_the_next_bag(opened: Shop) -> None:
    driver = opened.client_of(opened.driver)
    money = {"customer": opened.customer.pk, "method": "CASH", "amount": "50.00"}
    with at(10):
        paid = driver.post("/api/payments/", money).json()
    with at(12):
        sign(opened, count(opened, "50.00"))
    with at(13):
        reversed_ = opened.client_of(opened.admin).post(f"/api/payments/{paid['id']}/reverse/", {"reason": "Twice"})
        assert reversed_.status_code == 201
        assert cash_in_bag(opened.driver) == 0
    with at(15):
        driver.post("/api/payments/", money)
    with at(18):
        assert seen(opened, count(opened, "50.00")) == ("50.00", "0.00")


def test_a_void_before_the_hand_in_leaves_the_cash_in_the_bag(opened: Shop, visit: Equipment) -> None:
    """Whoever pays it back takes it out."""
    with at(10):
        sale = take(opened, visit)
    with at(11):
        opened.client_of(opened.admin).post(
            f"/api/transactions/{sale['transaction']['id']}/void/", {"reason": "Wrong stall"}
        )
    with at(12):
        assert seen(opened, count(opened, EACH)) == (EACH, "0.00")
    with at(13):
        back = {"customer": opened.customer.pk, "amount": EACH}
        assert opened.client_of(opened.driver).post("/api/payouts/", back).status_code == 201
    with at(14):
        assert seen(opened, count(opened, "0.00")) == (f"-{EACH}", EACH)


# --- Who counts and who decides -------------------------------------------------------------------


def test_a_rejected_count_leaves_everything_in_the_bag(opened: Shop, visit: Equipment) -> None:
    with at(10):
        take(opened, visit)
    with at(12):
        counted = count(opened, "100.00")
        assert decide(opened, counted, "reject").status_code == 400, "it needs a reason"
        rejected = decide(opened, counted, "reject", remarks="The coins").json()
        assert (rejected["status"], rejected["decision_remarks"]) == ("REJECTED", "The coins")
        assert error_of(decide(opened, counted)) == (409, "cash_count_decided", None)
        assert error_of(decide(opened, counted, "reject", remarks="x")) == (409, "cash_count_decided", None)
        assert seen(opened, counted) == (None, None), "it is counted again, blind"
        assert seen(opened, count(opened, EACH)) == (EACH, "0.00")
    assert AuditLog.objects.get(action="payments.cash_count.rejected").reason == "The coins"


def test_nobody_signs_off_their_own_bag(opened: Shop, nothing_changes: Unchanged) -> None:
    with at(12):
        own = count(opened, "0.00", by=opened.admin)
        with nothing_changes():
            assert error_of(decide(opened, own)) == (403, "permission_denied", None)
        taken_back = count(opened, "1.00", by=opened.admin)
        assert decide(opened, taken_back, "reject", remarks="A slip").json()["status"] == "REJECTED"
        assert seen(opened, own) == (None, None)
        assert decide(opened, own, by=UserFactory(role=Role.ADMIN)).status_code == 200


def test_who_counted_takes_a_mistake_back_before_anybody_decided(opened: Shop, nothing_changes: Unchanged) -> None:
    """For a reason, on record; what was decided stands, and a colleague's count is not theirs to take back."""
    colleague = DriverFactory(depot=opened.depot)
    with at(12):
        wrong, right = (count(opened, found) for found in ("2.00", "0.00"))
        with nothing_changes():
            assert decide(opened, wrong, "reject", by=opened.driver).status_code == 400, "it needs a reason"
            assert decide(opened, wrong, "reject", by=colleague, remarks="x").status_code == 404
            assert decide(opened, wrong, by=opened.driver).status_code == 403, "nobody signs off their own"
        taken_back = decide(opened, wrong, "reject", by=opened.driver, remarks="A slip").json()
        assert (taken_back["status"], taken_back["decided_by"]) == ("REJECTED", opened.driver.pk)
        assert decide(opened, right).status_code == 200
        with nothing_changes():
            assert error_of(decide(opened, right, "reject", by=opened.driver, remarks="x"))[:2] == (
                409,
                "cash_count_decided",
            )
    said = AuditLog.objects.get(action="payments.cash_count.rejected")
    assert (said.user, said.reason) == (opened.driver, "A slip")


def test_a_count_is_blind_for_its_counter(opened: Shop, visit: Equipment) -> None:
    with at(10):
        take(opened, visit)
    with at(12):
        counted = count(opened, "100.00")
        assert (counted["expected"], counted["variance"]) == (None, None)
        assert seen(opened, counted) == (EACH, "-17.72")
        address = f"/api/cash-counts/{counted['id']}/"
        assert opened.client_of(opened.driver).get(address).json() == counted
        listed = opened.client_of(opened.admin).get("/api/cash-counts/").json()["results"]
        assert listed[0]["expected"] is None
        sign(opened, counted)
        assert opened.client_of(opened.driver).get(address).json()["variance"] == "-17.72"
        listed = opened.client_of(opened.admin).get("/api/cash-counts/").json()["results"]
        assert (listed[0]["expected"], listed[0]["variance"]) == (EACH, "-17.72")


def test_who_may_not_decide_sees_no_expectation(opened: Shop, visit: Equipment) -> None:
    with at(10):
        take(opened, visit)
    with at(12):
        counted = CashCount.objects.get(pk=count(opened, "100.00")["id"])
    assert expectation_seen_by(UserFactory(role=Role.SUPERVISOR), counted) is None
    assert expectation_seen_by(opened.admin, counted) == Decimal(EACH)


def test_the_command_itself_asks_who_decides(opened: Shop, nothing_changes: Unchanged) -> None:
    with at(12):
        counted = count(opened, "0.00")["id"]
        for stranger in (UserFactory(role=Role.SUPERVISOR), DriverFactory(depot=opened.depot)):
            with nothing_changes():
                with pytest.raises(Denied):
                    sign_off_cash_count(actor=stranger, count_id=counted)
                with pytest.raises(Denied):
                    reject_cash_count(actor=stranger, count_id=counted, remarks="x")


def test_the_command_itself_wants_to_know_why(opened: Shop, nothing_changes: Unchanged) -> None:
    with at(12):
        counted = count(opened, "0.00")["id"]
        with nothing_changes(), pytest.raises(Invalid):
            reject_cash_count(actor=opened.admin, count_id=counted, remarks="  ")


def test_a_count_says_what_is_still_on_its_way(opened: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    telling: dict[Any, Any] = remains._TELLING
    now = clock.now()
    device = Device.objects.create(user=opened.driver, key="phone-1", first_heard_at=now, heard_at=now, protocol=2)
    told = UnderWay("operation 17", user=7, entity="sync.device", entity_id=device.pk)
    monkeypatch.setitem(telling, CashCount, [lambda row: [told]])
    with at(12):
        assert [each["detail"] for each in count(opened, "0.00")["pending"]] == ["operation 17"]
    listed = opened.client_of(opened.driver).get("/api/cash-counts/").json()["results"]
    assert listed[0]["pending"] is None


# --- Twice ----------------------------------------------------------------------------------------


def test_the_same_count_sent_again_is_the_same(opened: Shop) -> None:
    with at(12):
        first = count(opened, "5.00", client_temp_id="c1")
        body = {"cash": "5.00", "client_temp_id": "c1"}
        again = opened.client_of(opened.driver).post("/api/cash-counts/", body)
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    assert ClientOperation.objects.get(client_temp_id="c1").type == "cash_count"


def test_the_list_costs_the_same_whatever_its_length(opened: Shop, visit: Equipment) -> None:
    client = opened.client_of(opened.admin)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/api/cash-counts/").status_code == 200
        return len(queries)

    with at(10):
        take(opened, visit)
        sign(opened, count(opened, EACH))
        once = cost()
        for _ in range(3):
            take(opened, visit)
            sign(opened, count(opened, EACH, by=opened.driver))
        assert cost() == once


def test_of_a_rejected_count_no_record_says_what_should_have_been_there(opened: Shop) -> None:
    """Whoever counted may read them: a supervisor who sells."""
    with at(9):
        counted = count(opened, "5.00")
        assert decide(opened, counted, "reject", remarks="Again").status_code == 200
    decided = AuditLog.objects.get(action="payments.cash_count.rejected")
    assert decided.after == {"status": "REJECTED", "cash": "5.00"}
