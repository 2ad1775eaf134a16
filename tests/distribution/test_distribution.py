"""Loads: drafted, confirmed once or cancelled, all items or none."""

from datetime import datetime, timedelta

import pytest
import time_machine

from audit.models import AuditLog
from discrepancies.models import Discrepancy
from distribution.errors import NoVehicle
from distribution.models import Distribution
from distribution.services import (
    NewDistribution,
    NewItem,
    cancel_distribution,
    confirm_distribution,
    create_distribution,
)
from foundation import clock
from foundation.access.capabilities import Role
from foundation.errors import Denied, Invalid
from foundation.operations.occurrence import Approval
from inventory.models import StockMovement
from tests.conftest import Shop, error_of
from tests.factories import DepotFactory, DriverFactory, EquipmentFactory, UserFactory
from tests.types import Answer, Json, Unchanged

pytestmark = pytest.mark.django_db

OUT, IN = {"direction": "OUT"}, {"direction": "IN"}


def made(response: Answer) -> Json:
    assert response.status_code in (200, 201), response.json()
    answer: Json = response.json()
    return answer


def test_a_draft_moves_nothing(shop: Shop) -> None:
    before = StockMovement.objects.count()
    load = made(shop.draft({**OUT, "quantity": 5}, {**OUT, "quantity": 2}, {**IN, "quantity": 3, "condition": "EMPTY"}))
    assert (load["status"], load["total_collection"], load["total_return"]) == ("DRAFT", 7, 3)
    assert load["distribution_number"].startswith("DST-")
    assert load["vehicle_no"] == shop.driver.vehicle_no
    assert StockMovement.objects.count() == before


def test_confirming_moves_out_and_in(shop: Shop) -> None:
    shop.sell({"type": "SWAP", "quantity": 4})
    load = made(shop.draft({**OUT, "quantity": 10}, {**IN, "quantity": 4, "condition": "EMPTY"}))
    confirmed = made(shop.confirm(load["id"]))
    assert (confirmed["status"], confirmed["confirmed_by"]) == ("CONFIRMED", shop.driver.pk)
    assert confirmed["confirmed_at"] is not None
    assert shop.stock(depot=shop.depot) == 90
    assert shop.stock("EMPTY", depot=shop.depot) == 4
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == 26
    assert shop.stock("EMPTY", vehicle_no=shop.driver.vehicle_no) == 0


def test_damaged_ones_are_loaded_and_come_back_as_such(shop: Shop) -> None:
    damaged = {"condition": "DAMAGED", "quantity": 4}
    shop.count("depot", shop.depot.pk, 9, condition="DAMAGED")
    for direction, at_depot, on_board in ((OUT, 5, 4), (IN, 9, 0)):
        made(shop.confirm(made(shop.draft({**direction, **damaged}))["id"]))
        assert shop.stock("DAMAGED", depot=shop.depot) == at_depot
        assert shop.stock("DAMAGED", vehicle_no=shop.driver.vehicle_no) == on_board
    kinds = StockMovement.objects.filter(cause_type="distribution.distribution").order_by("id")
    assert [movement.kind for movement in kinds] == ["DISTRIBUTION_OUT", "DISTRIBUTION_IN"]


def test_what_comes_in_may_go_out_again_by_the_same_load(shop: Shop) -> None:
    load = made(shop.draft({**OUT, "quantity": 110}, {**IN, "quantity": 20}))
    made(shop.confirm(load["id"]))
    assert (shop.stock(depot=shop.depot), shop.stock(vehicle_no=shop.driver.vehicle_no)) == (10, 110)


def test_a_load_is_dated_by_singapore_and_happened_when_it_was_made(shop: Shop) -> None:
    happened = datetime.fromisoformat("2026-01-19T22:00:00+08:00")
    with time_machine.travel("2026-01-20T00:30:00+08:00", tick=False):
        load = made(shop.draft(OUT, occurred_at=happened.isoformat(), remarks="Dock 2"))
        now = made(shop.draft(OUT))
    assert (load["distribution_number"], load["remarks"]) == ("DST-20260120-000001", "Dock 2")
    assert Distribution.objects.get(pk=load["id"]).date.isoformat() == "2026-01-20"
    assert [datetime.fromisoformat(load[name]) for name in ("occurred_at", "created_at")] == [
        happened, happened + timedelta(hours=2, minutes=30),
    ]  # fmt: skip
    assert now["occurred_at"] == now["created_at"] == load["created_at"]
    with time_machine.travel("2026-01-21T06:00:00+08:00", tick=False):
        confirmed = made(shop.confirm(load["id"]))
    movement = StockMovement.objects.latest("id")
    assert movement.occurred_at == happened
    assert datetime.fromisoformat(confirmed["confirmed_at"]) == movement.created_at
    assert (movement.date.isoformat(), confirmed["cancelled_at"]) == ("2026-01-21", None)


def take_stock(shop: Shop) -> None:
    """A hundred are at the depot now, it is found."""
    items = [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 100}]
    body = {"depot": shop.depot.pk, "reason": "Counted", "items": items, "counted_at": clock.now().isoformat()}
    made(shop.client_of(shop.admin).post("/api/depot-work/stock-take/", body))


@pytest.mark.parametrize("pushed", [True, False])
def test_a_draft_from_before_a_stock_take_moves_when_it_is_confirmed(shop: Shop, pushed: bool) -> None:
    """What was counted was still there: drafting it had moved nothing. Also where a push says no time of its own."""
    load = made(shop.draft({**OUT, "quantity": 10}))["id"]
    take_stock(shop)
    if pushed:
        operation = {"type": "distribution.confirm", "client_temp_id": "a", "data": {"distribution": load}}
        answer = shop.client_of(shop.driver).post("/api/sync/push/", {"operations": [operation]})
        assert answer.json()["results"][0]["status"] == "created"
    else:
        made(shop.confirm(load))
    assert (shop.stock(depot=shop.depot), shop.stock(vehicle_no=shop.driver.vehicle_no)) == (90, 30)
    assert not Discrepancy.objects.exists()


def test_a_draft_that_says_when_it_happened_and_was_counted_since_is_noted(shop: Shop) -> None:
    """Like whatever else comes late: whoever counted saw the depot without it."""
    told = (clock.now() - timedelta(minutes=1)).isoformat()
    load = made(shop.draft({**OUT, "quantity": 10}, occurred_at=told))["id"]
    take_stock(shop)
    made(shop.confirm(load))
    assert (shop.stock(depot=shop.depot), shop.stock(vehicle_no=shop.driver.vehicle_no)) == (100, 30)
    noted = Discrepancy.objects.get()
    assert (noted.code, noted.entity_type, noted.entity_id) == ("after_count", "distribution.distribution", load)
    [row] = shop.client_of(shop.driver).get("/api/discrepancies/").json()["results"]
    assert row["id"] == noted.pk, "who confirmed it is told"


def test_a_cancelled_one_says_when(shop: Shop) -> None:
    load = made(shop.draft(OUT))
    with time_machine.travel("2026-01-21T06:00:00+08:00", tick=False):
        cancelled = made(shop.client_of(shop.driver).post(f"/api/distributions/{load['id']}/cancel/"))
    assert cancelled["cancelled_at"] == "2026-01-21T06:00:00+08:00"
    assert (cancelled["confirmed_at"], cancelled["confirmed_by"]) == (None, None)


def test_the_commands_themselves_ask_whose_load_it_is(shop: Shop, nothing_changes: Unchanged) -> None:
    load = made(shop.draft(OUT))["id"]
    for stranger in (DriverFactory(depot=shop.depot), UserFactory(role=Role.SUPERVISOR), UserFactory(role=Role.SALES)):
        with nothing_changes():
            with pytest.raises(Denied):
                confirm_distribution(actor=stranger, distribution_id=load)
            with pytest.raises(Denied):
                cancel_distribution(actor=stranger, distribution_id=load)


def test_the_command_itself_asks_for_items(shop: Shop, nothing_changes: Unchanged) -> None:
    with nothing_changes(), pytest.raises(Invalid):
        create_distribution(actor=shop.driver, data=NewDistribution(depot=shop.depot.pk, items=()))


def test_a_second_confirm_is_refused(shop: Shop, nothing_changes: Unchanged) -> None:
    load = made(shop.draft(OUT))
    made(shop.confirm(load["id"]))
    with nothing_changes():
        assert error_of(shop.confirm(load["id"]))[:2] == (409, "already_confirmed")


def test_a_cancelled_draft_cannot_be_confirmed_and_a_confirmed_one_not_cancelled(
    shop: Shop, nothing_changes: Unchanged
) -> None:
    client = shop.client_of(shop.driver)
    first, second = made(shop.draft(OUT)), made(shop.draft(OUT))
    assert made(client.post(f"/api/distributions/{first['id']}/cancel/"))["status"] == "CANCELLED"
    made(shop.confirm(second["id"]))
    with nothing_changes():
        assert error_of(shop.confirm(first["id"]))[:2] == (409, "distribution_cancelled")
        assert error_of(client.post(f"/api/distributions/{first['id']}/cancel/"))[:2] == (409, "distribution_cancelled")
        assert error_of(client.post(f"/api/distributions/{second['id']}/cancel/"))[:2] == (409, "already_confirmed")


def test_what_was_never_out_cannot_come_in(shop: Shop, nothing_changes: Unchanged) -> None:
    load = made(shop.draft(OUT, {**IN, "quantity": 1, "condition": "EMPTY"}))
    with nothing_changes():
        assert error_of(shop.confirm(load["id"])) == (409, "insufficient_stock", "items.1.quantity")


def test_all_items_move_or_none(shop: Shop, nothing_changes: Unchanged) -> None:
    rare = EquipmentFactory()
    load = made(shop.draft({**OUT, "quantity": 5}, {**OUT, "equipment": rare.pk}))
    with nothing_changes():
        assert error_of(shop.confirm(load["id"])) == (409, "insufficient_stock", "items.1.quantity")


def test_a_user_without_a_vehicle_loads_into_the_field(shop: Shop) -> None:
    staff = UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot, vehicle_no="")
    load = made(shop.draft({**OUT, "quantity": 6}, by=staff))
    made(shop.confirm(load["id"], by=staff))
    assert shop.stock(kind="FIELD") == 6


def test_a_driver_without_a_vehicle_unloads_nothing(shop: Shop, nothing_changes: Unchanged) -> None:
    """What they never loaded would come out of nowhere. The depot takes in what they bring, and they load as before."""
    walker = DriverFactory(depot=shop.depot, vehicle_no="")
    with nothing_changes():
        assert error_of(shop.draft({**OUT, "quantity": 5}, IN, by=walker)) == (409, "no_vehicle", "vehicle")
    made(shop.confirm(made(shop.draft({**OUT, "quantity": 6}, by=walker))["id"], by=walker))
    staff = UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot, vehicle_no="")
    made(shop.confirm(made(shop.draft({**IN, "quantity": 2}, by=staff))["id"], by=staff))
    assert shop.stock(kind="FIELD") == 4
    named = made(shop.draft({**IN, "quantity": 2}, by=walker, vehicle=shop.driver.vehicle_no))
    made(shop.confirm(named["id"], by=walker))
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == 18


def test_nor_do_they_confirm_what_an_earlier_release_let_them_draft(shop: Shop, nothing_changes: Unchanged) -> None:
    """Unless somebody who sees what they bring does, or decides about what was kept."""
    walker = DriverFactory(depot=shop.depot, vehicle_no="")
    data = NewDistribution(depot=shop.depot.pk, items=(NewItem(shop.cylinder.pk, "IN", "FULL", 1),))
    first, second = (create_distribution(actor=walker, data=data, approval=Approval(by=shop.admin)) for _ in range(2))
    with nothing_changes():
        assert error_of(shop.confirm(first.pk, by=walker)) == (409, "no_vehicle", None)
        with pytest.raises(NoVehicle):
            confirm_distribution(actor=walker, distribution_id=first.pk, approval=Approval(by=None))
    made(shop.confirm(first.pk, by=UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot)))
    confirm_distribution(actor=walker, distribution_id=second.pk, approval=Approval(by=shop.admin))
    assert shop.stock(kind="FIELD") == -2


def test_the_vehicle_is_the_one_of_the_draft(shop: Shop) -> None:
    load = made(shop.draft(OUT))
    old = shop.driver.vehicle_no
    shop.driver.vehicle_no = "NEW1"
    shop.driver.save()
    made(shop.confirm(load["id"]))
    assert shop.stock(vehicle_no=old) == 21


def test_inactive_places_and_things_are_refused(shop: Shop, nothing_changes: Unchanged) -> None:
    closed, old = DepotFactory(is_active=False), EquipmentFactory(is_active=False)
    with nothing_changes():
        assert error_of(shop.draft(OUT, depot=closed.pk)) == (409, "depot_inactive", "depot")
        assert error_of(shop.draft(OUT, {**OUT, "equipment": old.pk})) == (
            409, "equipment_inactive", "items.1.equipment",
        )  # fmt: skip
        assert error_of(shop.draft(OUT, depot=999_999)) == (400, "does_not_exist", "depot")


def test_a_depot_that_closed_meanwhile_gives_nothing_out(shop: Shop, nothing_changes: Unchanged) -> None:
    load = made(shop.draft(OUT))
    shop.client_of(shop.admin).delete(f"/api/depots/{shop.depot.pk}/")
    with nothing_changes():
        assert error_of(shop.confirm(load["id"]))[:2] == (409, "depot_inactive")


def test_a_supervisor_confirms_their_drivers_load(shop: Shop) -> None:
    supervisor = UserFactory(role=Role.SUPERVISOR, depot=shop.depot)
    load = made(shop.draft(OUT))
    assert made(shop.confirm(load["id"], by=supervisor))["confirmed_by"] == supervisor.pk


def test_a_load_is_its_depot_s_and_not_its_driver_s(shop: Shop) -> None:
    elsewhere = DepotFactory()
    shop.count("depot", elsewhere.pk, 10)
    load = made(shop.draft(OUT, depot=elsewhere.pk))
    of_driver, of_depot = (UserFactory(role=Role.SUPERVISOR, depot=depot) for depot in (shop.depot, elsewhere))
    assert shop.client_of(of_driver).get("/api/distributions/").json()["count"] == 0
    assert shop.confirm(load["id"], by=of_driver).status_code == 404
    assert made(shop.confirm(load["id"], by=of_depot))["status"] == "CONFIRMED"


def test_a_supervisor_cannot_load_at_another_depot(shop: Shop, nothing_changes: Unchanged) -> None:
    supervisor = UserFactory(role=Role.SUPERVISOR, depot=shop.depot)
    elsewhere = DepotFactory()
    with nothing_changes():
        assert error_of(shop.draft(OUT, by=supervisor, depot=elsewhere.pk)) == (403, "permission_denied", "depot")


def test_the_same_load_sent_again_is_the_first_one(shop: Shop, nothing_changes: Unchanged) -> None:
    first = shop.draft(OUT, client_temp_id="op-1")
    with nothing_changes():
        again = shop.draft(OUT, client_temp_id="op-1")
        other = shop.draft({**OUT, "quantity": 2}, client_temp_id="op-1")
    assert (again.status_code, again["Idempotent-Replayed"], again.content) == (200, "true", first.content)
    assert error_of(other) == (409, "idempotency_conflict", "client_temp_id")


def test_how_long_ago_a_load_may_have_happened(shop: Shop) -> None:
    long_ago = (clock.now() - timedelta(days=8)).isoformat()
    assert error_of(shop.draft(OUT, occurred_at=long_ago)) == (409, "occurred_at_out_of_range", "occurred_at")


def test_an_older_one_happens_when_it_is_approved(shop: Shop) -> None:
    """Its evidence says by whom."""
    items = (NewItem(shop.cylinder.pk, "OUT", "FULL", 1),)
    long_ago = clock.now() - timedelta(days=8)
    data = NewDistribution(depot=shop.depot.pk, items=items, occurred_at=long_ago)
    load = create_distribution(actor=shop.driver, data=data, approval=Approval(by=shop.admin))
    assert load.occurred_at == long_ago
    evidence = AuditLog.objects.latest("id").after
    assert evidence is not None
    assert evidence["approved_by"] == shop.admin.username


def test_the_old_path_does_the_same(shop: Shop) -> None:
    item = {"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 1, **OUT}
    response = shop.client_of(shop.driver).post(
        "/api/distributions/create_distribution/", {"depot": shop.depot.pk, "items": [item]}
    )
    assert made(response)["status"] == "DRAFT"


def test_every_step_leaves_its_evidence(shop: Shop) -> None:
    first, second = made(shop.draft(OUT)), made(shop.draft(OUT))
    made(shop.confirm(first["id"]))
    made(shop.client_of(shop.driver).post(f"/api/distributions/{second['id']}/cancel/"))
    said = AuditLog.objects.filter(entity_type="distribution.distribution").order_by("id")
    assert [(record.action, record.entity_id) for record in said] == [
        ("distribution.created", first["id"]),
        ("distribution.created", second["id"]),
        ("distribution.confirmed", first["id"]),
        ("distribution.cancelled", second["id"]),
    ]
    assert said[0].after == {
        "distribution_number": first["distribution_number"], "depot": shop.depot.code,
        "vehicle_no": shop.driver.vehicle_no, "total_collection": 1, "total_return": 0,
    }  # fmt: skip
    assert [(record.before, record.after) for record in said[2:]] == [
        ({"status": "DRAFT"}, {"status": "CONFIRMED"}),
        ({"status": "DRAFT"}, {"status": "CANCELLED"}),
    ]
