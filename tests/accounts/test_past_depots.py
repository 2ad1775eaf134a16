"""A driver who changes the depot leaves behind what was recorded at the old one."""

from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import PastDepot, User
from accounts.selectors import depot_at
from audit.models import AuditLog
from audit.seals import breaks, seal_next_batch
from depots.models import Depot
from foundation import clock
from foundation.access.capabilities import Role
from foundation.ledger import guards
from inventory.models import StockMovement
from invoices.models import Invoice, InvoiceEmail
from payments.models import Payment
from sync.models import SyncConflict
from sync.services import push
from tests.admin.pages import logged_in, url
from tests.conftest import Shop, error_of
from tests.factories import DepotFactory, MeteredCustomerFactory, UserFactory
from tests.fleet.conftest import ago, moment
from tests.types import Answer
from transactions.models import MeterReplacement, Transaction

pytestmark = pytest.mark.django_db

FROZEN = (Transaction, Invoice, Payment, StockMovement, MeterReplacement, SyncConflict, AuditLog)
SEEN = ("transactions", "invoices", "payments", "sync/conflicts", "audit")


@dataclass
class Move:
    """``old`` and ``new`` supervise the depots that the driver leaves and goes to."""

    shop: Shop
    other: Depot
    old: User
    new: User

    def move(self, depot: Depot | None = None) -> None:
        body = {"depot": (depot or self.other).pk}
        moved = self.shop.client_of(self.shop.admin).patch(f"/api/accounts/users/{self.shop.driver.pk}/", body)
        assert moved.status_code == 200
        self.shop.driver.refresh_from_db()  # as each request does

    def work(self) -> Answer:
        """A sale that is paid, and a pushed one that is refused."""
        sold = self.shop.sell({"type": "SALE"}, payment_received=True)
        assert sold.status_code == 201
        refused = {"type": "SALE", "equipment": self.shop.cylinder.pk, "quantity": 500}
        self.push(data={"customer": self.shop.customer.pk, "items": [refused]})
        return sold

    def push(self, **more: Any) -> Any:
        operation = {"type": "transaction.create", "client_temp_id": f"c{SyncConflict.objects.count()}", **more}
        [result] = push(actor=self.shop.driver, operations=[operation])
        return result

    def seen(self, reader: User) -> dict[str, set[int]]:
        client = self.shop.client_of(reader)
        answers = {name: client.get(f"/api/{name}/?page_size=200").json()["results"] for name in SEEN}
        seen = {name: {row["id"] for row in rows} for name, rows in answers.items()}
        seen["audit"] -= {*AuditLog.objects.exclude(user=self.shop.driver).values_list("pk", flat=True)}
        return seen


@pytest.fixture
def move(shop: Shop) -> Move:
    other = DepotFactory()
    return Move(
        shop=shop,
        other=other,
        old=UserFactory(role=Role.SUPERVISOR, depot=shop.depot),
        new=UserFactory(role=Role.SUPERVISOR, depot=other),
    )


def test_the_past_stays_with_the_old_supervisor(move: Move) -> None:
    move.work()
    before = move.seen(move.old)
    assert all(before.values())
    move.move()
    assert move.seen(move.old) == before
    assert not any(move.seen(move.new).values())
    move.work()
    assert move.seen(move.old) == before
    assert all(move.seen(move.new).values())


def test_so_it_does_in_the_office_and_its_exports(move: Move) -> None:
    number = move.work().json()["transaction"]["transaction_number"]
    move.move()
    for reader, sees in ((move.old, True), (move.new, False)):
        office = logged_in(reader)
        for model in (Transaction, Invoice, Payment, SyncConflict):
            assert (office.get(url(model)).context["cl"].result_count == 1) is sees, (reader, model)
        assert (number.encode() in b"".join(office.get(url(Transaction, "export", "csv")))) is sees
        page = office.get(url(Transaction, "change", Transaction.objects.get().pk))
        assert (page.status_code == 200) is sees


def test_an_email_is_its_invoice_s(move: Move) -> None:
    invoice = move.work().json()["invoice"]["id"]
    sent = move.shop.client_of(move.shop.driver).post(f"/api/invoices/{invoice}/email/", {"to": "a@example.sg"})
    assert sent.status_code == 202
    move.move()
    assert InvoiceEmail.objects.visible_to(move.old).count() == 1
    assert InvoiceEmail.objects.visible_to(move.new).count() == 0


def test_reports_do_not_change(move: Move) -> None:
    move.work()
    today = clock.business_date(clock.now())
    period = {"date_from": str(today), "date_to": str(today)}

    def told(reader: User) -> Any:
        client = move.shop.client_of(reader)
        return [
            client.get("/api/reports/sales-summary/", {**period, "group_by": group}).json()["rows"]
            for group in ("depot", "equipment")
        ] + [client.get("/api/reports/gst/", period).json()["rows"]]

    before = {reader: told(reader) for reader in (move.shop.admin, move.old)}
    assert before[move.old][0][0]["key"] == move.shop.depot.code
    move.move()
    assert {reader: told(reader) for reader in before} == before
    assert told(move.new) == [[], [], []]


def test_a_supervisor_is_told_the_cash_of_their_own_depot(move: Move) -> None:
    """Of a bag in which there is some of both, on the day of the move."""
    move.work()
    move.move()
    for _ in range(2):
        move.work()
    told = {}
    for reader in (move.old, move.new, move.shop.admin):
        client = move.shop.client_of(reader)
        figures = client.get("/api/reports/driver-day/", {"driver": move.shop.driver.pk}).json()["figures"]
        told[reader] = {figure["name"]: figure["value"] for figure in figures}["cash_in_bag"]
    assert told == {move.old: "31.07", move.new: "62.14", move.shop.admin: "93.21"}


def test_a_day_is_reported_to_who_supervised_it(move: Move) -> None:
    with time_machine.travel(moment(days=3)):
        move.work()
    move.shop.driver.refresh_from_db()
    move.move()
    today = clock.business_date(clock.now())

    def day(reader: User, back: int) -> Answer:
        asked = {"driver": str(move.shop.driver.pk), "date": str(today - timedelta(days=back))}
        return move.shop.client_of(reader).get("/api/reports/driver-day/", asked)

    def documents(answer: Answer) -> int:
        return next(int(figure["value"]) for figure in answer.json()["figures"] if figure["name"] == "documents")

    past = day(move.old, 3)
    assert past.status_code == 200
    assert documents(past) == 1
    assert error_of(day(move.new, 3))[0] == 400
    assert error_of(day(move.old, -1))[0] == 400
    # Both had him today, each sees the own depot's documents.
    move.work()
    assert tuple(documents(day(reader, 0)) for reader in (move.old, move.new)) == (0, 1)
    people = [str(logged_in(reader).get("/admin/reports/driver-day/").content) for reader in (move.old, move.new)]
    assert all(move.shop.driver.username in page for page in people)


def test_what_comes_late_is_the_depot_s_of_its_moment(move: Move) -> None:
    before = ago(hours=1)
    with time_machine.travel(moment(minutes=30)):
        move.move()
    line = {"type": "SALE", "equipment": move.shop.cylinder.pk, "quantity": 1}
    data = {"customer": move.shop.customer.pk, "items": [line]}
    late = move.push(occurred_at=before, data={**data, "payment_received": True}).made
    assert {late.depot, late.invoice.depot, Payment.objects.get().depot} == {move.shop.depot}
    assert {row.depot for row in StockMovement.objects.filter(cause_id=late.pk, kind="SALE")} == {move.shop.depot}
    assert AuditLog.objects.get(action="transactions.sale.recorded").depot == move.shop.depot
    assert Transaction.objects.visible_to(move.old).count() == 1
    assert Transaction.objects.visible_to(move.new).count() == 0
    kept = move.push(occurred_at=before, data={**data, "items": [{**line, "quantity": 500}]}).conflict
    assert kept.depot == move.shop.depot
    assert move.push(occurred_at=ago(minutes=1), data=data).made.depot == move.other


def test_a_void_stays_where_the_sale_was(move: Move) -> None:
    sale = move.work().json()["transaction"]["id"]
    move.move()
    address, why = f"/api/transactions/{sale}/void/", {"reason": "Wrong customer"}
    assert move.shop.client_of(move.new).post(address, why).status_code == 404
    assert move.shop.client_of(move.old).post(address, why).status_code == 201
    assert set(Transaction.objects.values_list("depot", flat=True)) == {move.shop.depot.pk}
    assert set(Invoice.objects.values_list("depot", flat=True)) == {move.shop.depot.pk}
    assert Payment.objects.get().depot == move.shop.depot


def test_nobody_reverses_the_payments_of_another_depot_s_past(move: Move) -> None:
    move.work()
    move.move()
    address, why = f"/api/payments/{Payment.objects.get().pk}/reverse/", {"reason": "Wrong"}
    assert move.shop.client_of(move.new).post(address, why).status_code == 404
    assert move.shop.client_of(move.old).post(address, why).status_code == 201
    assert set(Payment.objects.values_list("depot", flat=True)) == {move.shop.depot.pk}


def test_lists_are_asked_by_depot(move: Move) -> None:
    move.work()
    move.move()
    admin = move.shop.client_of(move.shop.admin)
    for name in ("transactions", "invoices", "payments"):
        for depot, count in ((move.shop.depot, 1), (move.other, 0)):
            found = admin.get(f"/api/{name}/?depot={depot.pk}").json()["results"]
            assert [row["depot"] for row in found] == [depot.pk] * count


def test_each_moment_has_its_depot(move: Move) -> None:
    third, driver = DepotFactory(), move.shop.driver
    for back, depot in ((5, move.other), (3, third)):
        with time_machine.travel(moment(hours=back)):
            move.move(depot)
    first, second = PastDepot.objects.order_by("until")
    assert [depot_at(driver, moment(hours=hours)) for hours in (6, 4, 2)] == [
        move.shop.depot.pk,
        move.other.pk,
        third.pk,
    ]
    assert depot_at(driver, first.until) == move.other.pk, "the moment of the change is the first with the new one"
    assert depot_at(driver, second.until) == third.pk


def test_who_had_no_depot_then_is_seen_by_no_supervisor(move: Move) -> None:
    User.objects.filter(pk=move.shop.driver.pk).update(depot=None)
    move.shop.driver.refresh_from_db()
    before = ago(minutes=5)
    move.move()
    move.push(occurred_at=before, data={"customer": move.shop.customer.pk, "items": [
        {"type": "SALE", "equipment": move.shop.cylinder.pk, "quantity": 1}
    ]})  # fmt: skip
    assert set(Transaction.objects.values_list("depot", flat=True)) == {None}
    assert not AuditLog.objects.visible_to(move.new).filter(action="transactions.sale.recorded").exists()


def test_sealed_records_stay_sealed(move: Move) -> None:
    move.work()
    seal_next_batch(through=10**9)
    assert list(breaks()) == []


@pytest.mark.django_db(transaction=True)
def test_the_depots_of_an_earlier_version_s_books_are_filled_in(move: Move, unguarded: None) -> None:
    metered, admin = MeteredCustomerFactory(), move.shop.client_of(move.shop.admin)
    for back, depot in ((5, move.other), (3, move.shop.depot)):
        with time_machine.travel(moment(hours=back)):
            sold = move.work().json()["transaction"]["id"]
            meter = {"final_reading": "1210.00", "new_meter_number": f"new{back}", "first_reading": "1210.00"}
            assert move.shop.client_of(move.old).post(
                f"/api/customers/{metered.pk}/replace-meter/", meter
            ).status_code == 201  # fmt: skip
            move.move(depot)
    move.work()
    late = move.shop.sell({"type": "SALE"}, payment_received=True, occurred_at=ago(hours=4))
    for sale in (sold, late.json()["transaction"]["id"]):
        assert admin.post(f"/api/transactions/{sale}/void/", {"reason": "x"}).status_code == 201
    # Of a late sale's audit record no earlier version knew more than when it was written.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE audit_auditlog SET depot_id = %s WHERE action = 'transactions.sale.recorded' AND entity_id = %s",
            [move.shop.depot.pk, late.json()["transaction"]["id"]],
        )

    def written() -> Any:
        past = list(PastDepot.objects.order_by("until").values_list("user", "depot"))
        return [past, *(list(model._base_manager.order_by("pk").values_list("pk", "depot")) for model in FROZEN)]

    known = written()
    assert all(known)
    assert {depot for rows in known[1:] for _, depot in rows} >= {move.shop.depot.pk, move.other.pk}
    with connection.cursor() as cursor:
        for model in FROZEN:
            cursor.execute(f"UPDATE {model._meta.db_table} SET depot_id = NULL")
        cursor.execute("DELETE FROM accounts_pastdepot")
        cursor.execute("UPDATE accounts_user SET depot_since = NULL")
    last = [("accounts", "0005_fill_depots")]
    state = MigrationExecutor(connection).loader.project_state(last).apps
    import_module("accounts.migrations.0005_fill_depots").fill(state, SimpleNamespace(connection=connection))
    assert written() == known
    move.shop.driver.refresh_from_db()
    assert move.shop.driver.depot_since == PastDepot.objects.latest("until").until
    guards.install(apps)
