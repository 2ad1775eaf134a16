"""What is paid from a cash bag lowers what is expected in it, and is handed in like the cash."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from audit.models import AuditLog
from discrepancies.models import Discrepancy
from foundation import remains
from foundation.access.capabilities import Role
from foundation.errors import Denied, Invalid
from payments.models import CashCount, CashExpense
from payments.selectors import cash_in_bag
from payments.services import NewExpense, record_expense, reverse_expense
from sync.models import SyncConflict
from tests.admin.pages import logged_in, url
from tests.admin.test_life_of_an_invoice import chosen
from tests.conftest import Shop, error_of
from tests.factories import CustomerFactory, DepotFactory, DriverFactory, UserFactory
from tests.inventory.days import at, moment, opened, require_right_books
from tests.sync.test_pushed_counts import Phone
from tests.types import Answer, Json, Unchanged

__all__ = ["opened"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _books_are_right(db: None) -> Iterator[None]:
    yield
    require_right_books()


def take(shop: Shop, amount: str, method: str = "CASH", **more: Any) -> Json:
    body = {"customer": shop.customer.pk, "method": method, "amount": amount, "allocations": [], **more}
    answer = shop.client_of(shop.driver).post("/api/payments/", body)
    assert answer.status_code == 201, answer.content
    paid: Json = answer.json()
    return paid


def ask(shop: Shop, amount: str = "18.00", by: User | None = None, **more: Any) -> Answer:
    return shop.client_of(by or shop.driver).post("/api/expenses/", {"amount": amount, "reason": "Petrol", **more})


def spend(shop: Shop, amount: str = "18.00", by: User | None = None, **more: Any) -> Json:
    answer = ask(shop, amount, by, **more)
    assert answer.status_code == 201, answer.content
    made: Json = answer.json()
    return made


def undo(shop: Shop, expense: Json, by: User | None = None, **more: Any) -> Answer:
    body = {"reason": "A slip", **more}
    return shop.client_of(by or shop.admin).post(f"/api/expenses/{expense['id']}/reverse/", body)


def count(shop: Shop, cash: str = "0.00", **more: Any) -> Json:
    answer = shop.client_of(shop.driver).post("/api/cash-counts/", {"cash": cash, **more})
    assert answer.status_code == 201, answer.content
    made: Json = answer.json()
    return made


def sign(shop: Shop, counted: Json) -> Json:
    answer = shop.client_of(shop.admin).post(f"/api/cash-counts/{counted['id']}/sign-off/", {})
    assert answer.status_code == 200, answer.content
    signed: Json = answer.json()
    return signed


def read(shop: Shop, counted: Json, by: User | None = None) -> Json:
    told: Json = shop.client_of(by or shop.admin).get(f"/api/cash-counts/{counted['id']}/").json()
    return told


def seen(shop: Shop, counted: Json) -> tuple[str | None, str | None]:
    told = read(shop, counted)
    return told["expected"], told["variance"]


def listed(shop: Shop, **asked: str | int) -> list[int]:
    rows = shop.client_of(shop.admin).get("/api/expenses/", asked).json()["results"]
    return [row["id"] for row in rows]


def test_an_expense_lowers_what_is_expected_in_the_bag(opened: Shop) -> None:
    with at(10):
        take(opened, "100.00")
    with at(11):
        made = spend(opened, reference="R-1")
        assert cash_in_bag(opened.driver) == Decimal("82.00")
    expense = CashExpense.objects.get()
    assert made == {
        "id": expense.pk,
        "expense_number": f"EXP-{expense.pk:06d}",
        "client_temp_id": None,
        "user": opened.driver.pk,
        "user_name": opened.driver.get_full_name(),
        "depot": opened.depot.pk,
        "amount": "18.00",
        "reason": "Petrol",
        "reference": "R-1",
        "occurred_at": moment(11).isoformat(),
        "cash_count": None,
        "reverses": None,
        "reversal": None,
        "created_at": moment(11).isoformat(),
    }
    record = AuditLog.objects.get(action="payments.expense.recorded")
    assert (record.entity_id, record.user, record.reason) == (expense.pk, opened.driver, "Petrol")
    assert record.after is not None
    assert (record.after["amount"], record.after["reference"]) == ("18.00", "R-1")
    with at(12):
        counted = count(opened, "82.00")
        assert seen(opened, counted) == ("82.00", "0.00")
    with at(13):
        assert sign(opened, counted)["expected"] == "82.00"
        rows = opened.client_of(opened.admin).get("/api/cash-counts/").json()["results"]
        assert [(row["expected"], row["variance"]) for row in rows] == [("82.00", "0.00")]
    expense.refresh_from_db()
    assert expense.cash_count_id == counted["id"]
    assert cash_in_bag(opened.driver) == 0


def test_more_may_be_spent_than_is_in_the_bag(opened: Shop) -> None:
    with at(10):
        spend(opened)
    assert cash_in_bag(opened.driver) == Decimal("-18.00")
    assert "S$ -18.00 of cash in the bag" in remains.remaining(opened.driver)


def test_each_spends_of_the_own_bag(opened: Shop) -> None:
    mate = DriverFactory(depot=opened.depot)
    with at(10):
        take(opened, "100.00")
        spend(opened, by=mate)
    with at(12):
        assert sign(opened, count(opened, "100.00"))["variance"] == "0.00"
    assert CashExpense.objects.get().cash_count is None


# --- Late -----------------------------------------------------------------------------------------


def test_a_late_expense_explains_the_count_that_was_signed_before_it_came(opened: Shop) -> None:
    with at(10):
        take(opened, "100.00")
    with at(12):
        counted = count(opened, "82.00")
        assert sign(opened, counted)["variance"] == "-18.00"
    with at(15):
        made = spend(opened, occurred_at=moment(11).isoformat())
        assert made["cash_count"] == counted["id"]
        assert seen(opened, counted) == ("82.00", "0.00")
        assert seen(opened, count(opened)) == ("0.00", "0.00")
    [noted] = Discrepancy.objects.all()
    assert (noted.code, noted.shown, noted.billed) == ("after_count", "S$ 18.00", counted["count_number"])
    assert noted.detail.startswith("S$ 18.00 for Petrol, recorded as spent after")
    changed = opened.client_of(opened.admin).get("/api/cash-counts/", {"changed": "true"}).json()["results"]
    assert [row["id"] for row in changed] == [counted["id"]]


def test_a_late_expense_of_the_afternoon_is_in_the_next_bag(opened: Shop) -> None:
    with at(12):
        counted = count(opened)
        sign(opened, counted)
    with at(15):
        spend(opened, occurred_at=moment(12, 1).isoformat())
    assert seen(opened, counted) == ("0.00", "0.00")
    with at(18):
        assert seen(opened, count(opened))[0] == "-18.00"


def test_a_count_that_comes_late_takes_its_expenses_from_the_later_one(opened: Shop) -> None:
    for hour in (10, 15):
        with at(hour):
            spend(opened)
    with at(18):
        later = count(opened)
        assert sign(opened, later)["expected"] == "-36.00"
    with at(20):
        earlier = count(opened, occurred_at=moment(12).isoformat())
        assert sign(opened, earlier)["expected"] == "-18.00"
    assert seen(opened, later)[0] == "-18.00"
    assert Discrepancy.objects.get().entity_id == later["id"]


def test_an_expense_of_now_comes_after_a_hand_in_of_the_same_instant(opened: Shop) -> None:
    with at(12):
        spend(opened)
        first = count(opened)
        assert sign(opened, first)["expected"] == "-18.00"
        spend(opened, "2.00")
        assert sign(opened, count(opened))["expected"] == "-2.00"
    assert seen(opened, first)[0] == "-18.00"


def test_an_expense_is_of_the_depot_of_its_time(opened: Shop) -> None:
    other = DepotFactory()
    with at(12):
        moved = opened.client_of(opened.admin).patch(f"/api/accounts/users/{opened.driver.pk}/", {"depot": other.pk})
        assert moved.status_code == 200
    opened.driver.refresh_from_db()
    with at(15):
        late, now = spend(opened, occurred_at=moment(11).isoformat()), spend(opened)
        assert (late["depot"], now["depot"]) == (opened.depot.pk, other.pk)
        assert (listed(opened, depot=opened.depot.pk), listed(opened, depot=other.pk)) == ([late["id"]], [now["id"]])


# --- Wrong ----------------------------------------------------------------------------------------


def test_an_expense_of_long_ago_is_refused(opened: Shop, nothing_changes: Unchanged) -> None:
    with at(12), nothing_changes():
        refused = ask(opened, occurred_at="2026-01-12T11:00:00+08:00")
    assert error_of(refused) == (409, "occurred_at_out_of_range", "occurred_at")


def test_an_unlikely_expense_is_asked_about(opened: Shop, nothing_changes: Unchanged) -> None:
    with at(12):
        with nothing_changes():
            assert error_of(ask(opened, "10000.01")) == (409, "amount_unlikely", "amount")
        meant = [{"code": "amount_unlikely", "attr": "amount", "value": "10000.01"}]
        assert spend(opened, "10000.01", confirm=meant)["amount"] == "10000.01"


def test_a_bag_owes_no_more_than_the_books_hold(opened: Shop, nothing_changes: Unchanged) -> None:
    """And a reversal fills none beyond that."""
    most = "9999999.99"
    meant = [{"code": "amount_unlikely", "attr": "amount", "value": most}]
    with at(12):
        first, *_ = [spend(opened, most, confirm=meant, reference=f"R-{each}") for each in range(10)]
        with nothing_changes():
            assert error_of(ask(opened, "1.00")) == (400, "amount_out_of_range", "amount")
        assert undo(opened, first).status_code == 201
        for _ in range(19):
            take(opened, most, confirm=meant, customer=CustomerFactory().pk)
        with nothing_changes():
            assert error_of(undo(opened, {"id": first["id"] + 1})) == (400, "amount_out_of_range", None)


def test_the_commands_themselves_ask_for_amount_reason_and_right(opened: Shop, nothing_changes: Unchanged) -> None:
    staff = UserFactory(role=Role.DEPOT_STAFF, depot=opened.depot)
    with at(12):
        expense_id = spend(opened)["id"]
        with nothing_changes():
            for amount in (0, -1):
                with pytest.raises(Invalid):
                    record_expense(actor=opened.driver, data=NewExpense(Decimal(amount), "Petrol"))
            with pytest.raises(Invalid):
                record_expense(actor=opened.driver, data=NewExpense(Decimal(1), " "))
            with pytest.raises(Denied):
                record_expense(actor=staff, data=NewExpense(Decimal(1), "Petrol"))
            with pytest.raises(Denied):
                reverse_expense(actor=staff, expense_id=expense_id, reason="A slip")
            with pytest.raises(Invalid):
                reverse_expense(actor=opened.driver, expense_id=expense_id, reason=" ")


# --- Twice ----------------------------------------------------------------------------------------


def test_an_expense_that_is_sent_twice_is_recorded_once(opened: Shop) -> None:
    with at(12):
        first = spend(opened, client_temp_id="e1")
        again = ask(opened, client_temp_id="e1")
        assert (again.status_code, again.json()["id"]) == (200, first["id"])
        other = ask(opened, "19.00", client_temp_id="e1")
        assert error_of(other) == (409, "idempotency_conflict", "client_temp_id")
        assert [undo(opened, first, client_temp_id="r1").status_code for _ in range(2)] == [201, 200]
    assert CashExpense.objects.count() == 2


# --- Undone ---------------------------------------------------------------------------------------


def test_who_paid_takes_an_expense_back_while_it_is_in_the_bag(opened: Shop) -> None:
    with at(11):
        made = spend(opened, reference="R-1")
    with at(12):
        undone = undo(opened, made, by=opened.driver).json()
        assert cash_in_bag(opened.driver) == 0
    assert (undone["amount"], undone["reverses"], undone["reason"]) == ("-18.00", made["id"], "A slip")
    assert (undone["user"], undone["depot"], undone["reference"]) == (opened.driver.pk, opened.depot.pk, "R-1")
    record = AuditLog.objects.get(action="payments.expense.reversed")
    assert (record.entity_id, record.user, record.reason) == (made["id"], opened.driver, "A slip")
    assert record.after == {"reversal": undone["id"], "amount": "-18.00"}
    assert listed(opened, is_reversed="true") == [made["id"]]
    assert listed(opened, is_reversed="false") == [undone["id"]]


def test_an_expense_is_reversed_once(opened: Shop, nothing_changes: Unchanged) -> None:
    with at(12):
        made = spend(opened)
        undone = undo(opened, made).json()
        with nothing_changes():
            for row in (made, undone):
                assert error_of(undo(opened, row)) == (409, "already_reversed", None)


def test_what_was_handed_in_is_reversed_with_its_count_and_by_others_alone(
    opened: Shop, nothing_changes: Unchanged
) -> None:
    with at(10):
        take(opened, "100.00")
        made = spend(opened)
    with at(12):
        counted = count(opened, "82.00")
        sign(opened, counted)
    with at(13):
        with nothing_changes():
            assert error_of(undo(opened, made, by=opened.driver))[0] == 403
        boss = UserFactory(role=Role.SUPERVISOR, depot=opened.depot)
        assert undo(opened, made, by=boss).json()["cash_count"] == counted["id"]
        assert seen(opened, counted) == ("100.00", "-18.00")
        assert seen(opened, count(opened)) == ("0.00", "0.00")
    assert Discrepancy.objects.get().detail.startswith("S$ -18.00 for A slip, recorded as taken back after")


def test_a_reversal_stands_beside_its_expense(opened: Shop) -> None:
    """So that a count between the two, which is signed later, expects neither."""
    with at(10):
        made = spend(opened)
    with at(11):
        counted = count(opened)
    with at(12):
        undo(opened, made)
        assert sign(opened, counted)["expected"] == "0.00"
    assert {*CashExpense.objects.values_list("cash_count", flat=True)} == {counted["id"]}


# --- Pushed ---------------------------------------------------------------------------------------


def paid(phone: Phone, minutes_ago: float = 60, **data: Any) -> Json:
    return phone.recorded("expense.create", minutes_ago, **{"amount": "18.00", "reason": "Petrol", **data})


def test_a_pushed_expense_happened_when_it_was_paid(opened: Shop) -> None:
    with at(12):
        phone = Phone(opened)
        operation = paid(phone, reference="R-1")
        [result], [again] = phone.push(operation), phone.push(operation)
    expense = CashExpense.objects.get()
    assert (result["status"], result["id"], result["number"]) == ("created", expense.pk, str(expense))
    assert (again["status"], again["id"]) == ("duplicate", expense.pk)
    assert (expense.occurred_at, expense.reference, expense.user) == (moment(11), "R-1", opened.driver)


def test_what_a_device_numbered_above_its_count_comes_behind_it(opened: Shop) -> None:
    with at(12):
        phone = Phone(opened)
        [counted] = phone.push(phone.recorded("cash_count", 30, cash="0.00"))
        phone.push(paid(phone, 60))
        assert seen(opened, counted)[0] == "0.00"
        sign(opened, counted)
    assert CashExpense.objects.get().cash_count is None
    assert cash_in_bag(opened.driver) == Decimal("-18.00")


@pytest.mark.parametrize("is_signed_first", [True, False])
def test_what_comes_late_and_is_numbered_above_a_count_explains_nothing(opened: Shop, is_signed_first: bool) -> None:
    with at(12):
        phone = Phone(opened)
        [counted] = phone.push(phone.recorded("cash_count", 30, cash="0.00"))
        late = paid(phone, 60)
        if is_signed_first:
            sign(opened, counted)
        phone.push(late)
        if not is_signed_first:
            sign(opened, counted)
    assert (CashExpense.objects.get().cash_count, seen(opened, counted)[0]) == (None, "0.00")
    assert [row.code for row in Discrepancy.objects.all()] == ["after_count"]


def test_a_kept_expense_is_still_on_its_way_to_the_bag(opened: Shop) -> None:
    with at(12):
        phone, other = Phone(opened), Phone(opened, "phone-2")
        [counted] = phone.push(phone.recorded("cash_count", 5, cash="0.00"))
        [refused] = other.push(paid(other, reason=" "))
        assert refused["status"] == "rejected"
        assert [each["entity_id"] for each in read(opened, counted)["pending"]] == [SyncConflict.objects.get().pk]
        goods = opened.client_of(opened.driver).post("/api/vehicle-counts/", {"counts": []}).json()["id"]
        assert opened.client_of(opened.admin).get(f"/api/vehicle-counts/{goods}/").json()["pending"] == []


def test_who_has_no_bag_pushes_no_expense(opened: Shop) -> None:
    staff = UserFactory(role=Role.DEPOT_STAFF, depot=opened.depot)
    with at(12):
        [operation] = [paid(Phone(opened))]
        body = {"protocol": 2, "sent_at": moment(12).isoformat(), "device": {"id": "d", "last_number": 1}}
        pushed = opened.client_of(staff).post("/api/sync/push/", {**body, "operations": [operation]}).json()
    assert [error["code"] for error in pushed["results"][0]["errors"]] == ["permission_denied"]
    assert not CashExpense.objects.exists()


# --- In the office --------------------------------------------------------------------------------


def test_the_office_records_and_reverses_an_expense(opened: Shop) -> None:
    with at(12):
        client = logged_in(opened.admin)
        sent = client.post(
            url("payments.cashexpense", "add"),
            {"amount": "12.50", "reason": "Parking", "reference": "P-9", "form_id": "x"},
        )
        assert sent.status_code == 302
        expense = CashExpense.objects.get()
        assert (expense.user, expense.amount, expense.reason) == (opened.admin, Decimal("12.50"), "Parking")
        assert "Parking" in client.get(url("payments.cashexpense")).content.decode()
        assert str(expense) in client.get(url("payments.cashexpense", "change", expense.pk)).content.decode()
        chosen(client, "payments.cashexpense", "reverse", expense, reason="A slip")
    assert CashExpense.objects.get(reverses=expense).reason == "A slip"


def test_who_signs_off_is_told_of_each_expense(opened: Shop) -> None:
    with at(10):
        take(opened, "100.00")
        made = spend(opened)
        undo(opened, spend(opened, "4.00", reason="Parking"))
    with at(12):
        counted = count(opened, "82.00")
        client = logged_in(opened.admin)
        row = CashCount.objects.get(pk=counted["id"])
        page = chosen(client, "payments.cashcount", "sign_off", row).content.decode()
        assert f"{made['expense_number']}: S$ 18.00 was spent, Petrol" in page
        assert "Parking" not in page
        sign(opened, counted)
        page = client.get(url("payments.cashcount", "change", row.pk)).content.decode()
        assert f"/payments/cashexpense/?cash_count__id__exact={row.pk}" in page
        assert "expenses: 18.00; cash expected: 82.00" in page


def test_the_front_page_tells_the_bags_less_expenses(opened: Shop) -> None:
    with at(10):
        take(opened, "100.00")
        spend(opened)
        page = logged_in(opened.admin).get("/admin/").content.decode()
    assert "82.00" in page
