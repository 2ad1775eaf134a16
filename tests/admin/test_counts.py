"""Counts in the office: the question before a signature, and where their pages lead."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import Model

from foundation import clock, remains
from foundation.access.capabilities import Role
from inventory.models import Count, DepotWork, StockMovement
from payments.models import CashCount
from tests.admin.pages import errors_of, logged_in, messages_of, url
from tests.admin.test_life_of_an_invoice import chosen, lines
from tests.conftest import Shop
from tests.factories import DriverFactory, EquipmentFactory, UserFactory
from tests.types import Json

pytestmark = pytest.mark.django_db


def count(shop: Shop, full: int = 18) -> Count:
    body = {"counts": [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": full}]}
    answer = shop.client_of(shop.driver).post("/api/vehicle-counts/", body)
    made: Count = Count.objects.get(pk=answer.json()["id"])
    return made


def count_cash(shop: Shop, cash: str) -> CashCount:
    answer = shop.client_of(shop.driver).post("/api/cash-counts/", {"cash": cash})
    made: CashCount = CashCount.objects.get(pk=answer.json()["id"])
    return made


def test_a_vehicle_count_is_signed_off_after_its_variance_was_seen(shop: Shop) -> None:
    client = logged_in(UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot))
    counted = count(shop)
    assert "vehicle count to sign off" in client.get("/admin/").content.decode()
    asked = chosen(client, "inventory.count", "sign_off", counted).content.decode()
    assert f"-2 {shop.cylinder.sku} FULL: 18 counted, 20 in the books" in asked
    done = chosen(client, "inventory.count", "sign_off", counted, remarks="Lost on the road")
    assert messages_of(done) == [f"{counted}: signed off."]
    assert shop.stock(vehicle_no=shop.driver.vehicle_no) == 18
    assert "already" in messages_of(chosen(client, "inventory.count", "reject", counted, remarks="x"))[0]
    assert "-2" in client.get(url("inventory.count", "change", counted.pk)).content.decode()


def test_who_decides_sees_what_a_count_leaves_out_before_signing(shop: Shop) -> None:
    """Its page says so, and the question too; whoever counted is told nothing of the books."""
    left_out, nothing_left = EquipmentFactory(), EquipmentFactory()
    shop.count("vehicle", shop.driver.vehicle_no, 3, equipment_id=left_out.pk, condition="EMPTY")
    shop.count("vehicle", shop.driver.vehicle_no, 5, equipment_id=nothing_left.pk)
    line = {"equipment": nothing_left.pk, "condition": "FULL", "quantity": 0}
    kept = {"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 20}
    body = {"counts": [kept, line], "vehicle": shop.driver.vehicle_no}
    supervisor = UserFactory(role=Role.SUPERVISOR, depot=shop.depot)
    made = shop.client_of(supervisor).post("/api/vehicle-counts/", body).json()
    counted = Count.objects.get(pk=made["id"])
    staff = logged_in(UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot))
    told = (
        f"-3 {left_out.sku} EMPTY: not named, 3 in the books",
        f"-5 {nothing_left.sku} FULL: 0 counted, 5 in the books",
    )
    for page in (
        staff.get(url("inventory.count", "change", counted.pk)).content.decode(),
        chosen(staff, "inventory.count", "sign_off", counted).content.decode(),
    ):
        assert [words for words in told if words not in page] == []
    own = logged_in(supervisor).get(url("inventory.count", "change", counted.pk)).content.decode()
    assert "in the books" not in own
    chosen(staff, "inventory.count", "sign_off", counted, remarks="")
    assert "in the books" not in staff.get(url("inventory.count", "change", counted.pk)).content.decode()


def test_a_signed_count_says_what_came_afterwards(shop: Shop) -> None:
    client, before = logged_in(UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot)), clock.now()
    counted = count(shop)
    chosen(client, "inventory.count", "sign_off", counted, remarks="Lost on the road")
    listed = url("inventory.count")
    assert str(counted) not in client.get(listed, {"changed": "yes"}).content.decode()
    assert shop.sell({"type": "SALE", "quantity": 2}, occurred_at=before.isoformat()).status_code == 201
    page = client.get(url("inventory.count", "change", counted.pk)).content.decode()
    assert f"{shop.cylinder.sku} FULL: -2 signed, +0 now" in page
    assert str(counted) in client.get(listed, {"changed": "yes"}).content.decode()


def test_a_signed_bag_that_changed_afterwards_is_found(shop: Shop) -> None:
    client, before = logged_in(shop.admin), clock.now()
    counted = count_cash(shop, "0.00")
    chosen(client, "payments.cashcount", "sign_off", counted, remarks="")
    listed = url("payments.cashcount")
    assert str(counted) not in client.get(listed, {"changed": "yes"}).content.decode()
    late = shop.sell({"type": "SERVICE"}, payment_received=True, occurred_at=before.isoformat())
    assert late.status_code == 201
    assert str(counted) in client.get(listed, {"changed": "yes"}).content.decode()


def test_a_count_that_agrees_says_so(shop: Shop) -> None:
    asked = chosen(logged_in(shop.admin), "inventory.count", "sign_off", count(shop, 20)).content.decode()
    assert "The goods agree with the books." in asked


def test_whoever_counted_sees_no_variance(shop: Shop) -> None:
    body: Json = {"counts": [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 18}]}
    body |= {"vehicle": shop.driver.vehicle_no}
    own = shop.client_of(shop.admin).post("/api/vehicle-counts/", body).json()["id"]
    cash = shop.client_of(shop.admin).post("/api/cash-counts/", {"cash": "5.00"}).json()["id"]
    client = logged_in(shop.admin)
    asked = chosen(client, "inventory.count", "sign_off", Count.objects.get(pk=own)).content.decode()
    assert "in the books" not in asked
    asked = chosen(client, "payments.cashcount", "sign_off", CashCount.objects.get(pk=cash)).content.decode()
    assert "expected" not in asked


@pytest.mark.parametrize(
    ("label", "model", "made"),
    [
        ("inventory.count", Count, count),
        ("payments.cashcount", CashCount, lambda shop: count_cash(shop, "0.00")),
    ],
)
def test_a_signature_is_asked_for_beside_what_is_still_on_its_way(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, label: str, model: type[Model], made: Callable[[Shop], Model]
) -> None:
    monkeypatch.setitem(remains._TELLING, model, [lambda row: ["operation 17 of driver1"]])
    client, counted = logged_in(shop.admin), made(shop)
    asked = chosen(client, label, "sign_off", counted).content.decode()
    assert "Still on its way: operation 17 of driver1" in asked
    assert "operation 17 of driver1" in client.get(url(label, "change", counted.pk)).content.decode()


def test_a_rejected_count_is_to_be_made_again(shop: Shop) -> None:
    client, counted, cash = logged_in(shop.admin), count(shop), count_cash(shop, "1.00")
    for label, row in (("inventory.count", counted), ("payments.cashcount", cash)):
        assert "remarks" in chosen(client, label, "reject", row, remarks="").context["form"].errors
        assert messages_of(chosen(client, label, "reject", row, remarks="Again")) == [f"{row}: rejected."]
        row.refresh_from_db()
        assert (row.status, row.decision_remarks) == ("REJECTED", "Again")


def test_a_bag_is_taken_over_after_its_variance_was_seen(shop: Shop) -> None:
    assert shop.sell({"type": "SERVICE"}, payment_received=True).status_code == 201
    client, counted = logged_in(shop.admin), count_cash(shop, "30.00")
    assert "cash count to sign off" in client.get("/admin/").content.decode()
    asked = chosen(client, "payments.cashcount", "sign_off", counted).content.decode()
    assert "Cash -1.07: 30.00 counted, 31.07 expected" in asked
    assert messages_of(chosen(client, "payments.cashcount", "sign_off", counted, remarks="")) == [
        f"{counted}: signed off."
    ]
    assert "-1.07" in client.get(url("payments.cashcount")).content.decode()


def test_a_day_end_is_asked_about_as_its_counts_are(shop: Shop) -> None:
    body = {"cash": "5.00", "counts": []}
    day = shop.client_of(shop.driver).post("/api/settlements/", body).json()["id"]
    client = logged_in(shop.admin)
    front = client.get("/admin/").content.decode()
    assert "day-end to sign off" in front
    assert "count to sign off" not in front, "it is decided with its day-end"
    sent = {"action": "sign_off", "_selected_action": [day]}
    asked = client.post(url("transactions.settlement"), sent).content.decode()
    assert f"-20 {shop.cylinder.sku} FULL" in asked
    assert "Cash +5.00" in asked


def test_stock_takes_and_corrections_are_counts_that_nobody_signs(shop: Shop) -> None:
    client = logged_in(shop.admin)
    correction = Count.objects.filter(kind="CORRECTION")[0]
    assert correction.count_number in client.get(f"{url('inventory.count')}?kind__exact=CORRECTION").content.decode()
    assert (
        "You may not sign off" in messages_of(chosen(client, "inventory.count", "sign_off", correction, remarks=""))[0]
    )


def _work(shop: Shop, kind: str, counted_at: object) -> Json:
    moment = clock.now() - timedelta(hours=1) if counted_at else None
    local = moment and moment.astimezone(clock.SINGAPORE)
    item = {"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 97}
    return {
        "kind": kind, "depot": shop.depot.pk, "reason": "Month's end",
        "counted_at_0": f"{local:%Y-%m-%d}" if local else "", "counted_at_1": f"{local:%H:%M:%S}" if local else "",
        **lines(item), "_save": "Save",
    }  # fmt: skip


def test_a_stock_take_says_when_it_was_counted(shop: Shop) -> None:
    sent = _work(shop, "STOCK_TAKE", counted_at=True)
    answer = logged_in(shop.admin).post(url("inventory.depotwork", "add"), sent)
    assert answer.status_code == 302, errors_of(answer)
    work = DepotWork.objects.get()
    assert clock.now() - work.occurred_at > timedelta(minutes=59)
    assert work.count is not None
    assert work.count.occurred_at == work.occurred_at


def test_other_work_is_not_counted(shop: Shop) -> None:
    answer = logged_in(shop.admin).post(url("inventory.depotwork", "add"), _work(shop, "GOODS_IN", counted_at=True))
    assert errors_of(answer) == {"counted_at": ["Only a stock-take says when it was counted."]}
    assert not DepotWork.objects.exists()


def test_a_movement_names_its_count_and_what_it_takes_back(shop: Shop) -> None:
    client, counted = logged_in(shop.admin), count(shop)
    chosen(client, "inventory.count", "sign_off", counted, remarks="")
    variance = StockMovement.objects.get(count=counted)
    page = client.get(url("inventory.stockmovement", "change", variance.pk)).content.decode()
    assert url("inventory.count", "change", counted.pk) in page
    sale = shop.sell({"type": "SALE"}).json()["transaction"]["id"]
    assert shop.client_of(shop.admin).post(f"/api/transactions/{sale}/void/", {"reason": "x"}).status_code == 201
    back = StockMovement.objects.get(kind="REVERSAL")
    page = client.get(url("inventory.stockmovement", "change", back.pk)).content.decode()
    assert url("inventory.stockmovement", "change", back.reverses_id) in page


def test_of_several_counts_each_is_named_above_its_own_lines(shop: Shop) -> None:
    colleague = DriverFactory(depot=shop.depot)
    shop.count("vehicle", colleague.vehicle_no, 5)
    first = count(shop)
    made = shop.client_of(colleague).post("/api/vehicle-counts/", {"counts": []}).json()
    second = Count.objects.get(pk=made["id"])
    sent = {"action": "sign_off", "_selected_action": [first.pk, second.pk]}
    asked = logged_in(shop.admin).post(url("inventory.count"), sent).content.decode()
    told = {str(first): "-2 ", str(second): "-5 "}
    places = [(asked.index(f"<strong>{name}</strong>"), asked.index(f"<li>{line}")) for name, line in told.items()]
    assert sorted(place for pair in places for place in pair) == [place for pair in sorted(places) for place in pair]


def test_a_stock_take_says_what_differed_and_what_is_still_on_its_way(shop: Shop) -> None:
    draft = shop.draft({"direction": "OUT", "quantity": 12}).json()
    answer = logged_in(shop.admin).post(
        url("inventory.depotwork", "add"), _work(shop, "STOCK_TAKE", counted_at=False), follow=True
    )
    said = " ".join(messages_of(answer))
    assert f'Still on its way: <a href="{url("distribution.distribution", "change", draft["id"])}">' in said
    assert f"-3 {shop.cylinder.sku} FULL: 97 counted, 100 in the books" in said
    body = {
        "depot": shop.depot.pk,
        "reason": "Again",
        "items": [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 88}],
    }
    [pending] = shop.client_of(shop.admin).post("/api/depot-work/stock-take/", body).json()["pending"]
    assert (pending["entity_type"], pending["entity_id"]) == ("distribution.distribution", draft["id"])
