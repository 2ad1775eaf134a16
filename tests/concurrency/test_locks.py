"""Each lock, shown to be needed: with it the race ends well, without it the same race ends badly.

The critical section is held open until all are in it, so that the race happens on every run: with the lock, nobody
else comes. On SQLite the second half holds too: its transactions are IMMEDIATE, so that one writer is at work at a
time, with row locks or without.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections, models, transaction
from django.db.models import Value
from django.db.models.functions import Concat
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from audit.models import AuditLog
from customers.models import Customer
from deposits import locks as deposit_locks
from deposits.models import DepositLot
from depots.models import Depot
from distribution.models import Distribution
from fleet.models import Assignment, Vehicle
from foundation import clock
from foundation.commands import command
from foundation.infrastructure.shared_locks import share
from inventory.models import Count, Inventory, Location
from invoices import locks as invoice_locks
from invoices.models import Invoice, InvoiceEmail
from invoices.services.emails import claim_email
from payments import locks as payment_locks
from payments.models import CashCount, Payment
from sequences.models import Sequence, Ticket
from sequences.services import ReservationLost
from settlements.models import Settlement
from tests.concurrency.races import Signal, Threads, at_once, post, until
from tests.conftest import Shop, client_for
from tests.factories import DepotFactory, DriverFactory, EquipmentFactory, MeteredCustomerFactory, VehicleFactory
from tests.types import Answer
from transactions.errors import AlreadyVoided

pytestmark = pytest.mark.django_db(transaction=True)

ON_SQLITE = connection.vendor == "sqlite"
RACERS = 4
HELD = 0.1 if ON_SQLITE else 2.0
"""Seconds to wait for the others, who come late on a crowded machine."""
Race = Callable[[Shop], bool]
"""Runs the race; says whether it ended well."""


def books_verify() -> bool:
    connection.close()
    try:
        call_command("verify_books", stdout=StringIO())
    except CommandError:
        return False
    return True


def sell_from_one_vehicle(shop: Shop) -> bool:
    customers = [MeteredCustomerFactory() for _ in range(RACERS)]
    items = [{"equipment": shop.cylinder.pk, "type": "SALE", "quantity": 1}]
    answers = at_once(
        lambda i: post(shop.driver, "/api/transactions/", {"customer": customers[i].pk, "items": items}), RACERS
    )
    return {answer.status_code for answer in answers} == {201} and books_verify()


def read_one_meter(shop: Shop) -> bool:
    customer, drivers = MeteredCustomerFactory(), [DriverFactory() for _ in range(RACERS)]
    at_once(
        lambda i: post(drivers[i], "/api/transactions/", {"customer": customer.pk, "current_meter": f"{1210 + i}.00"}),
        RACERS,
    )
    return books_verify()


def confirm_one_load(shop: Shop) -> bool:
    load = shop.draft({"direction": "OUT", "quantity": 2}).json()
    answers = at_once(lambda _: post(shop.driver, f"/api/distributions/{load['id']}/confirm/"), RACERS)
    return sorted(answer.status_code for answer in answers) == [200, 409, 409, 409] and books_verify()


def sign_off_one_count(shop: Shop) -> bool:
    """One whose two counts were signed off before, so that they let it happen four times."""
    counts = [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 19}]
    day = post(shop.driver, "/api/settlements/", {"cash": "0.00", "counts": counts}).json()["id"]
    settlement = Settlement.objects.get(pk=day)
    for address in (f"vehicle-counts/{settlement.vehicle_count_id}", f"cash-counts/{settlement.cash_count_id}"):
        assert post(shop.admin, f"/api/{address}/sign-off/").status_code == 200
    answers = at_once(lambda _: post(shop.admin, f"/api/settlements/{day}/sign-off/"), RACERS)
    return sorted(answer.status_code for answer in answers) == [200, 409, 409, 409] and books_verify()


def sign_off_one_vehicle_count(shop: Shop) -> bool:
    counts = [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 19}]
    counted = post(shop.driver, "/api/vehicle-counts/", {"counts": counts}).json()["id"]
    answers = at_once(lambda _: post(shop.admin, f"/api/vehicle-counts/{counted}/sign-off/"), RACERS)
    return sorted(answer.status_code for answer in answers) == [200, 409, 409, 409] and books_verify()


def take_over_one_bag(shop: Shop) -> bool:
    counted = post(shop.driver, "/api/cash-counts/", {"cash": "0.00"}).json()["id"]
    answers = at_once(lambda _: post(shop.admin, f"/api/cash-counts/{counted}/sign-off/"), RACERS)
    return sorted(answer.status_code for answer in answers) == [200, 409, 409, 409] and books_verify()


def load_what_was_never_there_before_a_count(shop: Shop) -> bool:
    """New balances of a place whose count finds none of them."""
    before, loads = clock.now().isoformat(), []
    for _ in range(RACERS - 1):
        other = EquipmentFactory()
        shop.count("depot", shop.depot.pk, 5, equipment_id=other.pk)
        loads.append(shop.draft({"direction": "OUT", "equipment": other.pk}, occurred_at=before).json()["id"])
    counts = [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 19}]
    counted = post(shop.driver, "/api/vehicle-counts/", {"counts": counts}).json()["id"]

    def work(index: int) -> Answer:
        if index == RACERS - 1:
            return post(shop.admin, f"/api/vehicle-counts/{counted}/sign-off/")
        return post(shop.driver, f"/api/distributions/{loads[index]}/confirm/")

    answers = at_once(work, RACERS)
    return {answer.status_code for answer in answers} == {200} and books_verify()


def print_one_invoice(shop: Shop) -> bool:
    """Alone, and in a pile: only one of them is the first."""
    invoice = shop.sell({"type": "SALE"}).json()["invoice"]["id"]

    def work(index: int) -> Answer:
        if index % 2:
            return post(shop.admin, f"/api/invoices/{invoice}/print/")
        return post(shop.admin, "/api/invoices/print-batch/", {"invoices": [invoice]})

    answers = at_once(work, RACERS)
    evidence = AuditLog.objects.filter(action="invoices.invoice.printed")
    first = [printed for printed in evidence if printed.before["printed_at"] is None]
    return {answer.status_code for answer in answers} == {200} and len(first) == 1


def claim_one_email(shop: Shop) -> bool:
    invoice = shop.sell({"type": "SALE"}).json()["invoice"]["id"]
    email = post(shop.admin, f"/api/invoices/{invoice}/email/", {"to": "a@example.sg"}).json()["id"]
    claims = at_once(lambda _: claim_email(email_id=email), RACERS)
    return claims.count(None) == 3


def take_numbers_side_by_side(shop: Shop) -> bool:
    drivers = [DriverFactory(depot=shop.depot) for _ in range(RACERS)]
    items = [{"equipment": shop.cylinder.pk, "direction": "OUT", "condition": "FULL", "quantity": 1}]
    body = {"depot": shop.depot.pk, "items": items}
    shop.draft({"direction": "OUT"})
    with patch.object(ReservationLost, "__init__", side_effect=ReservationLost.__init__, autospec=True) as lost:
        answers = at_once(lambda i: post(drivers[i], "/api/distributions/", body), RACERS)
    # Without the lock no number is used twice either, but each of them by one after many attempts.
    return {answer.status_code for answer in answers} == {201} and not lost.called


def correct_one_assignment(shop: Shop) -> bool:
    """Without the lock the others meet the unique key, which nobody should see."""
    wrong = Assignment.objects.get(user=shop.driver)
    url, body = f"/api/vehicle-assignments/{wrong.pk}/correct/", {"vehicle": None, "reason": "x"}
    answers = at_once(lambda _: post(shop.admin, url, body), RACERS)
    return sorted(answer.status_code for answer in answers) == [201, 409, 409, 409] and books_verify()


def change_one_vehicle(shop: Shop) -> bool:
    """Each says what it was before: only the first one's record says that it was in use."""
    vehicle = VehicleFactory(depot=shop.depot)
    url = f"/api/vehicles/{vehicle.pk}/"
    at_once(lambda _: client_for(shop.admin).delete(url), RACERS)
    return AuditLog.objects.filter(action="fleet.vehicle.deactivated").count() == 1


LOCKS: dict[type[models.Model], tuple[Race, tuple[str, ...]]] = {
    User: (correct_one_assignment, ("accounts.locks.users",)),
    Vehicle: (change_one_vehicle, ("fleet.locks.vehicle",)),
    Inventory: (sell_from_one_vehicle, ("inventory.locks.balances",)),
    Customer: (read_one_meter, ("customers.locks.visible_customer",)),
    Distribution: (confirm_one_load, ("distribution.locks.distribution",)),
    Ticket: (take_numbers_side_by_side, ("sequences.locks.lowest_free_ticket",)),
    Settlement: (sign_off_one_count, ("settlements.locks.settlement",)),
    Count: (sign_off_one_vehicle_count, ("inventory.locks.count",)),
    CashCount: (take_over_one_bag, ("payments.locks.cash_count",)),
    Location: (load_what_was_never_there_before_a_count, ("inventory.locks.balances",)),
    Invoice: (print_one_invoice, ("invoices.locks.invoice", "invoices.locks.invoices")),
    InvoiceEmail: (claim_one_email, ("invoices.locks.email",)),
}


@pytest.fixture(params=LOCKS, ids=lambda model: model._meta.label_lower)
def race(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[type[models.Model], Race]:
    """A lock's model and its race, with the time between the lock and the change drawn out."""
    run, paths = LOCKS[request.param]
    inside = threading.Barrier(RACERS)

    def held_open(original: Callable[..., Any]) -> Callable[..., Any]:
        def lock(*args: Any, **kwargs: Any) -> Any:
            rows = original(*args, **kwargs)
            if threading.current_thread() is not threading.main_thread():  # which prepares the race
                with suppress(threading.BrokenBarrierError):  # once one has waited in vain, nobody waits
                    inside.wait(HELD)
            return rows

        return lock

    for path in paths:
        module, name = path.rsplit(".", 1)
        monkeypatch.setattr(path, held_open(getattr(import_module(module), name)))
    return request.param, run


def test_with_the_lock_the_race_ends_well(race: tuple[type[models.Model], Race], shop: Shop) -> None:
    _, run = race
    assert run(shop)


def test_without_the_lock_it_does_not(
    race: tuple[type[models.Model], Race], shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: it shows that the test above can fail."""
    unlocked, run = race
    original = models.QuerySet.select_for_update

    def select_for_update(self: Any, **options: Any) -> Any:
        return self.all() if self.model is unlocked else original(self, **options)

    monkeypatch.setattr(models.QuerySet, "select_for_update", select_for_update)
    assert run(shop) is ON_SQLITE


# --- The order of locks ---------------------------------------------------------------------------

ORDER: tuple[type[models.Model], ...] = (
    Distribution, Settlement, CashCount, User, Vehicle, Count, Customer, Invoice, Location, Inventory, DepositLot,
    Payment, Sequence,
)  # fmt: skip


def waited_for(locked: list[type[models.Model]]) -> list[type[models.Model]]:
    """All but the tickets, which others pass over: a sale reserves them before anything else."""
    return [model for model in locked if model is not Ticket]


def test_locks_are_taken_in_one_order(shop: Shop, locked: list[type[models.Model]]) -> None:
    """document → customer → balances (docs/architecture.md), and as few as the command needs."""
    reserved = [] if ON_SQLITE else [Ticket, Ticket]
    metered = MeteredCustomerFactory()
    shop.draft({"direction": "OUT"})
    shop.sell({"type": "SWAP"}, customer=metered.pk)
    load = shop.draft({"direction": "OUT"}).json()
    shop.count("depot", shop.depot.pk, 95)
    commands: list[tuple[list[type[models.Model]], Callable[[], Any]]] = [
        ([Ticket], lambda: shop.draft({"direction": "OUT"})),
        ([Distribution, Inventory], lambda: shop.confirm(load["id"])),
        (
            [*reserved, Customer, Inventory],
            lambda: shop.sell({"type": "SWAP"}, {"type": "DEPOSIT"}, customer=metered.pk, current_meter="1250.00"),
        ),
        ([Ticket, Location, Inventory, Inventory], lambda: shop.count("depot", shop.depot.pk, 90)),
    ]
    for expected, work in commands:
        locked.clear()
        assert work().status_code in (200, 201)
        assert locked == expected
        assert waited_for(locked) == sorted(waited_for(locked), key=ORDER.index)


def test_what_follows_a_sale_locks_in_the_same_order(shop: Shop, locked: list[type[models.Model]]) -> None:
    admin = shop.client_of(shop.admin)
    lines = ({"type": "SWAP"}, {"type": "DEPOSIT"})
    sales = [shop.sell(*lines, payment_received=True).json(), *(shop.sell({"type": "SWAP"}).json() for _ in range(3))]
    # The day's first credit note prints numbers, in a transaction of its own.
    assert admin.post(f"/api/transactions/{sales[3]['transaction']['id']}/void/", {"reason": "x"}).status_code == 201
    unpaid = sales[1]["invoice"]["id"]
    credit = {"customer": shop.customer.pk, "method": "CHEQUE", "amount": "60.00"}
    counts = [{"equipment": shop.cylinder.pk, "condition": "FULL", "quantity": 1}]
    vehicle = Vehicle.objects.get(number=shop.driver.vehicle_no)
    work = {"kind": "GOODS_IN", "depot": shop.depot.pk, "reason": "Bought", "items": counts}
    for url, body, needed in (
        (
            f"transactions/{sales[0]['transaction']['id']}/void/",
            {"reason": "x"},
            {User, Customer, Invoice, DepositLot},
        ),
        (
            f"invoices/{unpaid}/credit/",
            {"reason": "x", "lines": [{"line": 1, "amount": "1.00"}]},
            {User, Customer, Invoice},
        ),
        (f"invoices/{unpaid}/pay/", {"amount": "1.00"}, {Customer, Invoice}),
        ("payments/", credit, {Customer, Invoice}),
        ("payments/", {**credit, "amount": "61.00", "allocations": []}, {Customer}),
        (None, None, {Customer, Invoice, Payment}),
        ("reverse", {"reason": "x"}, {User, Customer, Invoice, Payment}),
        (f"transactions/{sales[2]['transaction']['id']}/void/", {"reason": "x"}, {Payment}),
        ("depot-work/", work, {Inventory, Ticket}),
        (f"vehicles/{vehicle.pk}/take/", {}, {User}),
        (
            f"vehicles/{vehicle.pk}/transfer/",
            {"to_vehicle": VehicleFactory().number, "items": counts},
            {Inventory, Ticket},
        ),
        ("settlements/", {"cash": "1.00", "counts": counts}, {User, Inventory, Ticket}),
        ("sign-off", {}, {Settlement, CashCount, User, Count, Location, Inventory}),
    ):
        if url is None:
            url, body = f"payments/{Payment.objects.latest('pk').pk}/allocate/", {}
        elif url == "reverse":
            url = f"payments/{Payment.objects.latest('pk').pk}/reverse/"
        elif url == "sign-off":
            url = f"settlements/{Settlement.objects.get().pk}/sign-off/"
        client = shop.client_of(shop.driver) if url == "settlements/" else admin
        locked.clear()
        answer = client.post(f"/api/{url}", body)
        assert answer.status_code in (200, 201), (url, answer.content)
        assert needed <= set(locked), url
        # What is held already may be locked again.
        first = list(dict.fromkeys(waited_for(locked)))
        assert first == sorted(first, key=ORDER.index), url


def test_billing_again_locks_all_that_it_may_change_first(
    shop: Shop, locked: list[type[models.Model]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What voids and what bills lock in turn: not in the order of all of these, were they not locked at once."""
    sale = shop.sell({"type": "SWAP"}).json()["transaction"]["id"]

    def void(**_: Any) -> None:
        raise AlreadyVoided("here")

    monkeypatch.setattr("transactions.services.billing_again.void_transaction", void)
    right = {"customer": shop.customer.pk, "items": [{"equipment": shop.cylinder.pk, "type": "SALE", "quantity": 1}]}
    locked.clear()
    url = f"/api/transactions/{sale}/bill-again/"
    assert shop.client_of(shop.admin).post(url, {"reason": "x", "sale": right}).status_code == 409
    assert waited_for(locked) == [User, Customer, Invoice, Inventory]


def test_the_actor_is_held_before_all_else(
    shop: Shop, locked: list[type[models.Model]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written refers to them: that lock would else come behind those that a take-over of their bag waits for."""
    shared: list[Any] = []

    def share(rows: models.QuerySet[Any]) -> None:
        shared.append((rows.model, *rows.values_list("pk", flat=True), list(locked)))

    shop.sell({"type": "SWAP"})  # The day's first one prints its numbers, in transactions of their own.
    locked.clear()
    monkeypatch.setattr("foundation.operations.idempotency.share", share)
    assert shop.sell({"type": "SWAP"}).status_code == 201
    assert shared[0] == (User, shop.driver.pk, [])


def test_what_many_hold_at_once_nobody_takes_for_themselves(
    shop: Shop, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    seller = User.objects.filter(pk=shop.driver.pk)
    if ON_SQLITE:  # One writer holds all there is.
        with django_assert_num_queries(0):
            share(seller)
        return
    shared, asked = Signal("the shared lock"), Signal("whoever wants it for themselves")

    def hold() -> None:
        with transaction.atomic():
            share(seller.all())
            shared.set()
            asked.wait()

    with Threads() as beside:
        beside.start(hold)
        shared.wait()
        with transaction.atomic():
            share(seller.all())
        with pytest.raises(OperationalError), transaction.atomic():
            seller.select_for_update(nowait=True).get()
        asked.set()


def test_rows_are_locked_in_the_order_of_their_keys(shop: Shop) -> None:
    """Whoever locks some of the same rows waits, and meets nobody on the way."""
    for _ in range(3):
        shop.sell({"type": "SALE"}, payment_received=True)
    invoices = list(Invoice.objects.order_by("-pk").values_list("pk", flat=True))
    payments = list(Payment.objects.order_by("-pk").values_list("pk", flat=True))
    for _ in range(4):
        shop.sell({"type": "DEPOSIT"})
    lots = list(DepositLot.objects.order_by("-pk").values_list("pk", flat=True))[:3]
    with transaction.atomic():
        for locked in (
            invoice_locks.invoices(invoices),
            payment_locks.payments(payments),
            deposit_locks.lots(lots).values(),
        ):
            keys = [row.pk for row in locked]
            assert keys == sorted(keys)
            assert len(keys) == 3
        assert payment_locks.payments_of(invoices[0]) == [Payment.objects.get(pk=payments[0])]


# --- What the database refuses for the moment, forced for real ------------------------------------


def rename(depot: Depot) -> None:
    Depot.objects.filter(pk=depot.pk).update(name=Concat("name", Value("+")))


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


class Seen(list[object]):
    """The codes (MySQL) or texts (SQLite) of what a command met before it went through."""

    def watching(self, work: Callable[[], None]) -> Callable[[], None]:
        @command
        def watched() -> None:
            try:
                work()
            except OperationalError as error:
                self.append(error.args[0])
                raise

        return watched


def a_deadlock(seen: Seen) -> None:
    """Two commands lock the same two rows the other way round."""
    pair = [DepotFactory(name=""), DepotFactory(name="")]
    holding = [Signal("the lock on one row"), Signal("the lock on the other row")]

    def both(mine: int, other: int) -> None:
        rename(pair[mine])
        holding[mine].set()
        holding[other].wait()  # at the second attempt it is long given
        rename(pair[other])

    at_once(lambda index: seen.watching(lambda: both(index, 1 - index))(), 2)
    assert set(Depot.objects.values_list("name", flat=True)) == {"++"}


def a_lock_time_out(seen: Seen) -> None:
    depot, held = DepotFactory(name=""), Signal("the lock")

    def hold() -> None:
        with transaction.atomic():
            rename(depot)
            held.set()
            until(lambda: seen, "the time-out of whoever waits")  # MySQL looks at them once a second

    def wait() -> None:
        held.wait()
        execute("SET innodb_lock_wait_timeout = 1")
        seen.watching(lambda: rename(depot))()

    at_once(lambda index: (hold, wait)[index](), 2)
    assert Depot.objects.get().name == "++"


def a_changed_snapshot(seen: Seen) -> None:
    """MariaDB's snapshot isolation: a row that was read has been changed by somebody else meanwhile."""
    if connection.display_name != "MariaDB":
        pytest.skip("MySQL has no such isolation.")
    depot, read, changed = DepotFactory(name=""), Signal("the read"), Signal("the change")

    def reader() -> None:
        execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        execute("SET innodb_snapshot_isolation = ON")

        def work() -> None:
            Depot.objects.get(pk=depot.pk)
            read.set()
            changed.wait()
            rename(depot)

        seen.watching(work)()

    def writer() -> None:
        read.wait()
        rename(depot)
        changed.set()

    at_once(lambda index: (reader, writer)[index](), 2)
    assert Depot.objects.get().name == "++"


def a_locked_file(seen: Seen) -> None:
    depot, held = DepotFactory(name=""), Signal("the lock")

    def hold() -> None:
        with transaction.atomic():
            rename(depot)
            held.set()
            until(lambda: seen, "the refusal of whoever comes second")

    def wait() -> None:
        held.wait()
        execute("PRAGMA busy_timeout = 1")

        def begin(execute: Any, sql: str, *rest: Any) -> Any:
            try:
                return execute(sql, *rest)
            except OperationalError as error:
                seen.append(error.args[0])
                raise

        with connections["default"].execute_wrapper(begin):
            command(lambda: rename(depot))()

    at_once(lambda index: (hold, wait)[index](), 2)
    assert Depot.objects.get().name == "++"


FORCED: dict[Callable[[Seen], None], int | str] = (
    {a_locked_file: "database is locked"}
    if ON_SQLITE
    else {a_deadlock: 1213, a_lock_time_out: 1205, a_changed_snapshot: 1020}
)


@pytest.mark.parametrize("force", FORCED, ids=lambda force: force.__name__)
def test_what_the_database_refuses_for_the_moment_happens_once_all_the_same(force: Callable[[Seen], None]) -> None:
    seen = Seen()
    force(seen)
    assert FORCED[force] in seen
