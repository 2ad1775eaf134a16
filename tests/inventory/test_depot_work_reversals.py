"""Depot work is taken back like a sale: by a document of its own, once, by whoever may do such work."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from accounts.models import User
from audit.models import AuditLog
from depots.models import Depot
from discrepancies.models import Discrepancy
from foundation import clock
from foundation.access.capabilities import Role
from foundation.errors import Denied, Invalid
from inventory.models import DepotWork, StockMovement
from inventory.services import NewReversal, reverse_depot_work
from tests.admin.pages import logged_in, messages_of, url
from tests.conftest import Shop, error_of
from tests.factories import DepotFactory, EquipmentFactory, UserFactory
from tests.inventory.test_depot_work import held, take, work
from tests.types import Answer, Json, Unchanged

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 1, 20, 9, tzinfo=clock.SINGAPORE)


@pytest.fixture
def staff(shop: Shop) -> User:
    return UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot)


def done(answer: Answer) -> Json:
    assert answer.status_code == 201, answer.json()
    made: Json = answer.json()
    return made


def reverse(shop: Shop, pk: int, by: User | None = None, **body: Any) -> Answer:
    sent = {"reason": "Entered twice", **body}
    return shop.client_of(by or shop.admin).post(f"/api/depot-work/{pk}/reverse/", sent)


@pytest.mark.parametrize("goods", ["came_back", "never_left"])
@pytest.mark.parametrize(
    ("kind", "condition"),
    [("REFILL", "EMPTY"), ("GOODS_IN", "FULL"), ("DAMAGE", "FULL"), ("SCRAP", "DAMAGED"), ("TRANSFER", "FULL")],
)
def test_all_is_as_if_the_work_had_not_been(shop: Shop, kind: str, condition: str, goods: str) -> None:
    there = DepotFactory()
    for state in ("EMPTY", "DAMAGED"):
        shop.count("depot", shop.depot.pk, 30, condition=state)
    before = held(shop)
    more: Json = {"to_depot": there.pk} if kind == "TRANSFER" else {}
    first = done(work(shop, kind, condition, 7, reference="DO-1", **more))
    assert held(shop) != before
    made = done(reverse(shop, first["id"], goods=goods))
    assert (held(shop), sum(held(shop, there).values())) == (before, 0)
    assert made["work_number"].startswith("WRK-")
    assert (made["kind"], made["reverses"], made["reversal"], made["reason"], made["reference"]) == (
        kind, first["id"], None, "Entered twice", "DO-1",
    )  # fmt: skip
    assert [(line["condition"], line["quantity"]) for line in made["items"]] == [(condition, -7)]
    moved, back = StockMovement.objects.filter(cause_type="inventory.depotwork").order_by("pk")
    assert (back.kind, back.reverses, back.cause_id, back.quantity) == ("REVERSAL", moved, made["id"], 7)
    listed = {
        row["id"]: row["reversal"] for row in shop.client_of(shop.admin).get("/api/depot-work/").json()["results"]
    }
    assert listed == {first["id"]: made["id"], made["id"]: None}
    call_command("verify_books")


def test_other_brands_shells_come_back_from_their_owner(shop: Shop) -> None:
    foreign = EquipmentFactory(is_foreign=True)
    shop.stocked("depot", shop.depot.pk, 3, equipment_id=foreign.pk, condition="EMPTY")
    given = [{"equipment": foreign.pk, "condition": "EMPTY", "quantity": 3}]
    first = done(work(shop, "EXCHANGE", items=given))
    done(reverse(shop, first["id"]))
    assert shop.stock("EMPTY", equipment=foreign, depot=shop.depot) == 3


def test_all_lines_are_taken_back(shop: Shop) -> None:
    line = {"equipment": shop.cylinder.pk, "quantity": 2}
    both = [{**line, "condition": "FULL"}, {**line, "condition": "EMPTY", "quantity": 5}]
    first = done(work(shop, "GOODS_IN", items=both))
    made = done(reverse(shop, first["id"]))
    assert [(each["condition"], each["quantity"]) for each in made["items"]] == [("FULL", -2), ("EMPTY", -5)]
    assert held(shop) == {"FULL": 100, "EMPTY": 0, "DAMAGED": 0}


def test_it_is_taken_back_once(shop: Shop, nothing_changes: Unchanged) -> None:
    first = done(work(shop, "GOODS_IN"))
    made = done(reverse(shop, first["id"]))
    with nothing_changes():
        assert error_of(reverse(shop, first["id"])) == (409, "already_reversed", None)
        assert error_of(reverse(shop, made["id"])) == (409, "already_reversed", None)


def test_a_count_is_superseded_by_another_count(shop: Shop, nothing_changes: Unchanged) -> None:
    counted = done(take(shop, ("FULL", 90)))
    with nothing_changes():
        refused = reverse(shop, counted["id"])
    assert error_of(refused) == (400, "invalid", None)
    assert "Please count again" in refused.json()["errors"][0]["detail"]


def test_what_has_moved_on_is_not_taken_back(shop: Shop, nothing_changes: Unchanged) -> None:
    first = done(work(shop, "GOODS_IN", "EMPTY", 5))
    done(work(shop, "REFILL", "EMPTY", 1))
    with nothing_changes():
        for goods in ("came_back", "never_left"):
            assert error_of(reverse(shop, first["id"], goods=goods)) == (409, "insufficient_stock", "goods")


def test_goods_that_go_back_leave_what_was_counted_in_between_alone(shop: Shop) -> None:
    """They were there when it was counted."""
    with time_machine.travel(NINE):
        first = done(work(shop, "GOODS_IN", "FULL", 5))
    with time_machine.travel(NINE + timedelta(hours=1)):
        done(take(shop, ("FULL", 105)))
    with time_machine.travel(NINE + timedelta(hours=2)):
        made = done(reverse(shop, first["id"]))
    assert held(shop)["FULL"] == 100
    assert not StockMovement.objects.filter(kind="COMPENSATION").exists()
    assert DepotWork.objects.get(pk=made["id"]).occurred_at >= NINE + timedelta(hours=2)
    call_command("verify_books")


def test_a_count_since_then_explains_what_never_happened(shop: Shop) -> None:
    """5 were taken in by mistake, 100 were counted: the count has booked the difference already."""
    with time_machine.travel(NINE):
        first = done(work(shop, "GOODS_IN", "FULL", 5))
    with time_machine.travel(NINE + timedelta(hours=1)):
        done(take(shop, ("FULL", 100)))
    with time_machine.travel(NINE + timedelta(hours=2)):
        made = done(reverse(shop, first["id"], goods="never_left"))
    assert held(shop)["FULL"] == 100
    assert Discrepancy.objects.get(entity_id=made["id"], code="after_count").entity_type == "inventory.depotwork"
    call_command("verify_books")


def test_what_compensated_for_late_work_is_not_taken_back(shop: Shop) -> None:
    """It arrived after a count that it precedes; whether it goes back now or never was, the count stands."""
    with time_machine.travel(NINE + timedelta(hours=1)):
        done(take(shop, ("FULL", 100)))
    with time_machine.travel(NINE + timedelta(hours=2)):
        late = [done(work(shop, "GOODS_IN", "FULL", 5, occurred_at=NINE.isoformat())) for _ in range(2)]
        assert held(shop)["FULL"] == 100
        done(reverse(shop, late[0]["id"], goods="never_left"))
        assert held(shop)["FULL"] == 100
        done(reverse(shop, late[1]["id"], goods="came_back"))
    assert held(shop)["FULL"] == 95
    call_command("verify_books")


def test_who_may_do_such_work_there_may_take_it_back(shop: Shop, staff: User, nothing_changes: Unchanged) -> None:
    there = DepotFactory()
    elsewhere = UserFactory(role=Role.DEPOT_STAFF, depot=there)
    shop.count("depot", shop.depot.pk, 3, condition="DAMAGED")
    transfer = done(work(shop, "TRANSFER", to_depot=there.pk))["id"]
    scrap = done(work(shop, "SCRAP", "DAMAGED", 3))["id"]
    with nothing_changes():
        assert error_of(reverse(shop, transfer, by=elsewhere)) == (403, "permission_denied", None)
        assert error_of(reverse(shop, scrap, by=staff)) == (403, "permission_denied", None)
        assert error_of(reverse(shop, scrap, by=elsewhere)) == (404, "not_found", None)
        assert reverse(shop, transfer, by=shop.driver).status_code == 403
        with pytest.raises(Denied):
            reverse_depot_work(actor=staff, data=NewReversal(scrap, "A slip"))
    made = done(reverse(shop, transfer, by=staff))
    assert made["user"] == staff.pk
    supervisor = UserFactory(role=Role.SUPERVISOR, depot=shop.depot)
    done(reverse(shop, scrap, by=supervisor))
    assert (held(shop)["FULL"], held(shop)["DAMAGED"], held(shop, there)["FULL"]) == (100, 3, 0)


def test_a_reversal_has_its_reason(shop: Shop, nothing_changes: Unchanged) -> None:
    first = done(work(shop, "GOODS_IN"))
    with nothing_changes():
        assert reverse(shop, first["id"], reason=" ").status_code == 400
        with pytest.raises(Invalid):
            reverse_depot_work(actor=shop.admin, data=NewReversal(first["id"], " "))
        assert reverse(shop, first["id"], goods="gone").status_code == 400


def test_a_closed_depot_gets_nothing_back(shop: Shop, nothing_changes: Unchanged) -> None:
    """What never happened never left it; and what goes out of it goes out."""
    there = DepotFactory()
    transfer = done(work(shop, "TRANSFER", to_depot=there.pk))["id"]
    wrong = done(work(shop, "GOODS_IN"))["id"]
    refill = done(work(shop, "DAMAGE", quantity=1))["id"]
    Depot.objects.filter(pk=shop.depot.pk).update(is_active=False, deactivated_at=clock.now())
    with nothing_changes():
        assert error_of(reverse(shop, transfer)) == (409, "depot_inactive", "goods")
    for pk in (wrong, refill):
        done(reverse(shop, pk))
    done(reverse(shop, transfer, goods="never_left"))
    assert held(shop) == {"FULL": 100, "EMPTY": 0, "DAMAGED": 0}


def test_the_same_reversal_sent_again_is_recorded_once(shop: Shop) -> None:
    pk = done(work(shop, "GOODS_IN"))["id"]
    first, second = (reverse(shop, pk, client_temp_id="r-1") for _ in range(2))
    assert (first.status_code, second.status_code, second["Idempotent-Replayed"]) == (201, 200, "true")
    assert first.json() == second.json()
    assert DepotWork.objects.count() == 2


def test_who_took_it_back_and_why_is_in_the_evidence(shop: Shop, staff: User) -> None:
    first = done(work(shop, "GOODS_IN"))
    made = done(reverse(shop, first["id"], by=staff))
    line = AuditLog.objects.get(action="inventory.depot_work.reversed")
    assert (line.entity_id, line.user, line.reason) == (first["id"], staff, "Entered twice")
    assert line.after == {
        "work_number": first["work_number"], "reversal": made["work_number"], "goods": "came_back",
    }  # fmt: skip


def test_what_was_taken_back_is_no_usual_delivery(shop: Shop) -> None:
    """The delivery note is free again, and the wrong quantity says nothing of the next one."""
    asked = work(shop, "GOODS_IN", quantity=600, reference="DO-9")
    confirm = [{name: error[name] for name in ("code", "attr", "value")} for error in asked.json()["errors"]]
    wrong = done(work(shop, "GOODS_IN", quantity=600, reference="DO-9", confirm=confirm))
    done(reverse(shop, wrong["id"]))
    done(work(shop, "GOODS_IN", quantity=60, reference="DO-9"))
    again = work(shop, "GOODS_IN", quantity=301, reference="DO-10")
    assert error_of(again) == (409, "goods_in_unlikely", "items.0.quantity")


def test_the_office_takes_it_back_with_a_reason(shop: Shop, nothing_changes: Unchanged) -> None:
    first = DepotWork.objects.get(pk=done(work(shop, "GOODS_IN"))["id"])
    client, page = logged_in(shop.admin), url("inventory.depotwork", "change", first.pk)
    chosen = {"CHANGE_FORM-action": "reverse", "_selected_action": [first.pk]}
    offered = '<option value="reverse">'
    assert offered in client.get(page).content.decode()
    with nothing_changes():
        assert "It never happened" in client.post(page, chosen).content.decode()
        refused = client.post(page, {**chosen, "_answered": "1", "reason": " ", "goods": "came_back"})
        assert "reason" in refused.context["form"].errors
    answer = {**chosen, "_answered": "1", "reason": "Entered twice", "goods": "never_left"}
    told = messages_of(client.post(page, answer, follow=True))
    reversal = DepotWork.objects.get(reverses=first)
    assert told == [f"{first}: reversed by {reversal}."]
    with nothing_changes():
        assert "reversed already" in messages_of(client.post(page, {**answer, "reason": "Again"}, follow=True))[0]
    seen, listed = client.get(page).content.decode(), client.get(url("inventory.depotwork")).content.decode()
    assert offered not in seen
    assert reversal.work_number in seen
    assert "Reversed" in listed
    assert "Reversal" in listed
    other = client.get(url("inventory.depotwork", "change", reversal.pk)).content.decode()
    assert offered not in other
    assert first.work_number in other


def test_the_office_offers_it_to_those_who_may(shop: Shop, staff: User) -> None:
    shop.count("depot", shop.depot.pk, 3, condition="DAMAGED")
    scrap, counted = done(work(shop, "SCRAP", "DAMAGED", 3))["id"], done(take(shop, ("FULL", 99)))["id"]
    offered = '<option value="reverse">'
    for user, pk, may in ((staff, scrap, False), (shop.admin, scrap, True), (shop.admin, counted, False)):
        page = logged_in(user).get(url("inventory.depotwork", "change", pk)).content.decode()
        assert (offered in page) is may
