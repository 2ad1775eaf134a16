"""A sale's page is laid out while nothing that others wait for is held, and taken only where it says what is booked.

`meanwhile` is what another client does while a page is being laid out: it would wait for ever for a lock that is held.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from audit.models import AuditLog
from customers.models import Customer
from foundation import clock
from foundation.commands import command
from invoices.models import Invoice
from invoices.snapshot import InvoiceSnapshot
from sequences import hints
from sequences.models import Ticket
from sequences.services import print_tickets, take_numbers
from tests.concurrency.races import CLIENTS, PATIENCE, Running, Threads, at_once, post
from tests.conftest import Shop, error_of, open_shop, stub_document
from tests.factories import CustomerFactory, DriverFactory, MeteredCustomerFactory, UserFactory
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)

ON_SQLITE = connection.vendor == "sqlite"
no_row_locks = pytest.mark.skipif(not ON_SQLITE, reason="A reserved number is a locked row, and can't be lost.")
SALE = {"type": "SALE"}


class Layout:
    """Stands in for the renderer: a page says what its snapshot says. Notes each, and what goes on meanwhile."""

    patience: float = PATIENCE
    """Seconds that a page waits for what goes on meanwhile; less where that has to wait for the page."""

    def __init__(self, beside: Threads) -> None:
        self.pages: list[str] = []
        self.finished: list[str] = []
        self.in_transaction: list[bool] = []
        self.meanwhile_running: list[Running] = []
        self._actions: list[Callable[[], Any]] = []
        self._beside = beside

    def meanwhile(self, action: Callable[[], Any]) -> None:
        """Do that while the next page is laid out."""
        self._actions.append(action)

    def __call__(self, snapshot: InvoiceSnapshot) -> bytes:
        self.pages.append(snapshot.number)
        self.in_transaction.append(connection.in_atomic_block)
        if self._actions:
            running = self._beside.start(self._actions.pop(0))
            self.meanwhile_running.append(running)
            running.join(self.patience)
        self.finished.append(snapshot.number)
        return stub_document(json.dumps(snapshot.to_json()))

    @property
    def answers(self) -> list[Any]:
        """Of what went on meanwhile, once it is over."""
        for running in self.meanwhile_running:
            running.join(PATIENCE)
        return [running.answer for running in self.meanwhile_running]


@pytest.fixture
def layout(monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    with Threads() as beside:
        layout = Layout(beside)
        monkeypatch.setattr("invoices.services.issuing.render_invoice", layout)
        yield layout


@pytest.fixture
def shop(layout: Layout) -> Shop:
    """With numbers for the day, and nothing laid out yet."""
    shop = open_shop()
    assert shop.sell(SALE).status_code == 201
    layout.pages.clear()
    layout.in_transaction.clear()
    return shop


@pytest.fixture(autouse=True)
def books_hold(layout: Layout) -> Iterator[None]:
    """Whatever happened meanwhile: every document says what its invoice does, and the books verify."""
    yield
    assert len(layout.answers) == len(layout.meanwhile_running)
    for invoice in Invoice.objects.all():
        stored = Path(settings.MEDIA_ROOT, invoice.pdf_path).read_bytes()
        assert stored == stub_document(json.dumps(invoice.snapshot))
    connection.close()
    call_command("verify_books", stdout=StringIO())


def numbers() -> list[tuple[int, int]]:
    """Of each sale, and of its document, in the order of the books."""
    rows = Transaction.objects.order_by("pk").values_list("transaction_number", "invoice__invoice_number")
    return [(int(number[-6:]), int(document[-6:])) for number, document in rows]


def other_seller(shop: Shop) -> Any:
    driver = DriverFactory(depot=shop.depot)
    shop.count("vehicle", driver.vehicle_no, 5)
    return driver


# --- Nothing is held ------------------------------------------------------------------------------


def test_others_sell_to_the_same_customer_from_the_same_vehicle_meanwhile(shop: Shop, layout: Layout) -> None:
    layout.meanwhile(lambda: shop.sell(SALE))
    assert shop.sell(SALE).status_code == 201
    assert [answer.status_code for answer in layout.answers] == [201]
    assert numbers() == [(1, 1), (3, 3), (2, 2)]
    assert len(layout.pages) == 2


def test_a_late_sale_of_what_was_counted_as_gone_keeps_nobody_waiting(shop: Shop, layout: Layout) -> None:
    before, other = clock.now().isoformat(), other_seller(shop)
    assert shop.count("vehicle", shop.driver.vehicle_no, 0).status_code == 200
    layout.meanwhile(lambda: shop.sell(SALE, by=other))
    assert shop.sell({**SALE, "quantity": 2}, occurred_at=before).status_code == 201
    assert [answer.status_code for answer in layout.answers] == [201]
    assert numbers() == [(1, 1), (3, 3), (2, 2)]


def test_what_the_books_of_a_count_did_not_have_is_refused_before_a_page_is_laid_out(
    shop: Shop, layout: Layout
) -> None:
    before = clock.now().isoformat()
    assert shop.count("vehicle", shop.driver.vehicle_no, 0).status_code == 200
    answer = shop.sell({**SALE, "quantity": 30}, occurred_at=before)
    assert error_of(answer) == (409, "insufficient_stock", "items.0.quantity")
    assert layout.pages == []


def test_a_refund_is_laid_out_once(shop: Shop, layout: Layout) -> None:
    """What is refunded goes by what is at the site: the same, as seen ahead and under the locks."""
    assert shop.sell({"type": "SALE", "quantity": 2}, {"type": "DEPOSIT"}).status_code == 201
    layout.pages.clear()
    refund = shop.sell({"type": "RETURN", "quantity": 3}).json()["invoice"]
    assert refund["total_amount"] == "-60.00"
    assert len(layout.pages) == 1


def test_a_credit_note_keeps_nobody_waiting(shop: Shop, layout: Layout) -> None:
    sale = Transaction.objects.get()
    layout.meanwhile(lambda: shop.sell(SALE))
    assert post(shop.admin, f"/api/transactions/{sale.pk}/void/", {"reason": "Twice"}).status_code == 201
    assert [answer.status_code for answer in layout.answers] == [201]
    assert [number[:2] for number in layout.pages] == ["CN", "IN"]


def test_a_credit_in_part_keeps_nobody_waiting(shop: Shop, layout: Layout) -> None:
    sale = Transaction.objects.get()
    layout.meanwhile(lambda: shop.sell(SALE))
    body = {"reason": "Leaking", "lines": [{"line": 1, "quantity": 1}]}
    assert post(shop.admin, f"/api/invoices/{sale.invoice_id}/credit/", body).status_code == 201
    assert [answer.status_code for answer in layout.answers] == [201]
    assert [number[:2] for number in layout.pages] == ["CN", "IN"]


def test_a_credit_of_what_is_not_there_is_refused_before_its_page(shop: Shop, layout: Layout) -> None:
    sale = Transaction.objects.get()
    shop.count("customer", shop.customer.pk, 0)
    body = {"reason": "Leaking", "lines": [{"line": 1, "quantity": 1}]}
    assert post(shop.admin, f"/api/invoices/{sale.invoice_id}/credit/", body).status_code == 409
    assert layout.pages == []


def test_a_pushed_sale_keeps_nobody_waiting(shop: Shop, layout: Layout) -> None:
    """Operation by operation: another driver sells in between each two."""
    other = other_seller(shop)
    lines = [{"equipment": shop.cylinder.pk, "quantity": 1, **SALE}]
    operations = [
        {"type": "transaction.create", "client_temp_id": f"p{n}", "data": {"customer": shop.customer.pk, "items": lines}}
        for n in range(3)
    ]  # fmt: skip
    layout.meanwhile(lambda: shop.sell(SALE, by=other))
    pushed = post(shop.driver, "/api/sync/push/", {"operations": operations}).json()["results"]
    assert [result["status"] for result in pushed] == ["created"] * 3
    assert [answer.status_code for answer in layout.answers] == [201]
    assert len(layout.pages) == 4


def test_a_user_s_pages_are_laid_out_one_at_a_time_and_another_s_beside_them(
    shop: Shop, layout: Layout, settings: Any, tmp_path: Path
) -> None:
    settings.USER_TURNS_FOLDER = str(tmp_path / "turns")
    other = other_seller(shop)
    layout.meanwhile(lambda: shop.sell(SALE, by=other))
    assert shop.sell(SALE).status_code == 201
    assert layout.finished[-2:] == layout.pages[-2:][::-1]
    layout.patience = 0.5
    layout.meanwhile(lambda: shop.sell(SALE))
    assert shop.sell(SALE).status_code == 201
    assert [answer.status_code for answer in layout.answers] == [201, 201]
    assert layout.finished[-2:] == layout.pages[-2:]


# --- What was laid out may be out of date ---------------------------------------------------------


def test_a_customer_that_changed_meanwhile(shop: Shop, layout: Layout) -> None:
    url = f"/api/customers/{shop.customer.pk}/"
    layout.meanwhile(lambda: shop.client_of(shop.admin).patch(url, {"name": "Renamed Pte. Ltd."}))
    sold = shop.sell(SALE).json()
    invoice = Invoice.objects.get(pk=sold["invoice"]["id"])
    assert invoice.snapshot["customer"]["name"] == sold["transaction"]["customer_name"] == "Renamed Pte. Ltd."
    assert layout.pages == [invoice.invoice_number] * 2


def test_a_customer_that_was_closed_meanwhile(shop: Shop, layout: Layout) -> None:
    """The sale was a moment earlier; what says a later one is refused."""
    layout.meanwhile(lambda: shop.client_of(shop.admin).delete(f"/api/customers/{shop.customer.pk}/"))
    assert shop.sell(SALE).status_code == 201
    closed = Customer.objects.get(pk=shop.customer.pk).deactivated_at
    assert closed is not None
    assert Transaction.objects.latest("pk").occurred_at < closed
    assert error_of(shop.sell(SALE)) == (409, "customer_inactive", "customer")
    assert shop.sell(SALE, customer=CustomerFactory().pk).status_code == 201
    assert numbers() == [(1, 1), (2, 2), (3, 3)]


def test_a_meter_that_was_read_meanwhile(shop: Shop, layout: Layout) -> None:
    metered, other = MeteredCustomerFactory(last_meter_reading="1200.00"), other_seller(shop)
    layout.meanwhile(lambda: shop.sell(customer=metered.pk, current_meter="1210.00", by=other))
    sold = shop.sell(customer=metered.pk, current_meter="1216.00").json()["transaction"]
    assert (sold["last_meter_reading"], sold["usage"]) == ("1210.00", "6.00")
    assert len(layout.pages) == 3


def test_a_meter_that_was_replaced_meanwhile(shop: Shop, layout: Layout) -> None:
    metered = MeteredCustomerFactory(last_meter_reading="1200.00")
    new = {"final_reading": "1200.00", "new_meter_number": "NEW", "first_reading": "0.00"}
    layout.meanwhile(lambda: post(shop.admin, f"/api/customers/{metered.pk}/replace-meter/", new))
    assert error_of(shop.sell(customer=metered.pk, current_meter="1216.00")) == (409, "meter_moved_on", "current_meter")
    assert shop.sell(customer=metered.pk, current_meter="16.00").json()["transaction"]["usage"] == "16.00"


def test_a_price_that_changed_meanwhile_was_another_at_the_sales_moment(shop: Shop, layout: Layout) -> None:
    url = f"/api/equipment/{shop.cylinder.pk}/"
    layout.meanwhile(lambda: shop.client_of(shop.admin).patch(url, {"default_rate": "31.00"}))
    assert shop.sell(SALE).json()["transaction"]["items"][0]["rate"] == "28.50"
    assert shop.sell(SALE).json()["transaction"]["items"][0]["rate"] == "31.00"
    assert len(layout.pages) == 2


def test_midnight_in_between(layout: Layout) -> None:
    with time_machine.travel(datetime.fromisoformat("2026-01-20T23:59:50+08:00"), tick=False) as now:
        shop = open_shop()
        shop.sell(SALE)
        layout.meanwhile(lambda: now.move_to(datetime.fromisoformat("2026-01-21T00:00:01+08:00")))
        sold = shop.sell(SALE).json()
    assert sold["transaction"]["transaction_number"] == "TRX-20260121-000001"
    assert sold["invoice"]["invoice_number"] == "INV-20260121-000001"
    assert sold["transaction"]["created_at"].startswith("2026-01-21T00:00:01")
    # What had been reserved of the day before was not used, and is not missed.
    assert not Ticket.objects.filter(date="2026-01-20").exists()
    assert not AuditLog.objects.filter(action="sequences.number.voided").exists()


# --- Numbers ----------------------------------------------------------------------------------------


@no_row_locks
@pytest.mark.parametrize("lost", [("TRX", "INV"), ("INV",), ("TRX",)], ids=["both", "the document's", "the sale's"])
def test_a_number_that_was_used_meanwhile(shop: Shop, layout: Layout, lost: tuple[str, ...]) -> None:
    """By somebody who doesn't look for hints. The other number isn't used up for nothing."""
    day = Ticket.objects.latest("pk").date
    taken: list[str] = []

    @command
    def take(*, actor: None) -> None:
        taken.extend(take_numbers(*lost, day=day))

    layout.meanwhile(lambda: take(actor=None))
    assert shop.sell(SALE).status_code == 201
    assert len(taken) == len(lost)
    assert numbers() == [(1, 1), (3 if "TRX" in lost else 2, 3 if "INV" in lost else 2)]
    assert len(layout.pages) == 2
    Ticket.objects.bulk_create(Ticket(prefix=number[:3], date=day, number=int(number[-6:])) for number in taken)


@no_row_locks
def test_a_number_that_goes_while_it_is_being_reserved(
    shop: Shop, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the list and the hint another sale commits, and gives its hint back: one layout is enough."""
    hint, first = hints._hint, iter([True])

    def late(pk: int, held: ExitStack) -> bool:
        if next(first, False):
            at_once(lambda _: shop.sell(SALE), 1)
        return hint(pk, held)

    monkeypatch.setattr(hints, "_hint", late)
    assert shop.sell(SALE).status_code == 201
    assert numbers() == [(1, 1), (2, 2), (3, 3)]
    assert len(layout.pages) == 2


def test_a_refusal_gives_its_numbers_back(shop: Shop, layout: Layout) -> None:
    """The last cylinders go to somebody else while the page is laid out."""
    layout.meanwhile(lambda: shop.sell({"type": "SALE", "quantity": 19}))
    assert error_of(shop.sell(SALE))[:2] == (409, "insufficient_stock")
    assert numbers() == [(1, 1), (3, 3)]
    shop.count("vehicle", shop.driver.vehicle_no, 5)
    assert shop.sell(SALE).status_code == 201
    assert numbers() == [(1, 1), (3, 3), (2, 2)]


def test_what_is_refused_as_things_are_reserves_nothing_and_lays_out_nothing(shop: Shop, layout: Layout) -> None:
    assert error_of(shop.sell({"type": "SALE", "quantity": 30}))[1] == "insufficient_stock"
    assert error_of(shop.sell({**SALE, "rate": "1.00"}))[1] == "rate_mismatch"
    assert layout.pages == []


def test_a_day_is_closed_beside_a_reserved_number(shop: Shop, layout: Layout) -> None:
    """With row locks the closing waits for the sale; without them the sale finds its number gone, and gets another."""
    tomorrow = Ticket.objects.latest("pk").date.replace(year=2030)

    def close() -> None:
        for prefix in ("TRX", "INV"):
            print_tickets(prefix=prefix, day=tomorrow, beyond=None)

    layout.patience = PATIENCE if ON_SQLITE else 0.5
    layout.meanwhile(close)
    assert shop.sell(SALE).status_code == 201
    assert layout.answers == [None]
    assert numbers() == [(1, 1), (2, 2)]
    assert not AuditLog.objects.filter(action="sequences.number.voided").exists()


# --- Once -------------------------------------------------------------------------------------------


def test_a_replay_lays_out_nothing(shop: Shop, layout: Layout) -> None:
    first = shop.sell(SALE, client_temp_id="op-1")
    layout.pages.clear()
    again = shop.sell(SALE, client_temp_id="op-1")
    assert (again.status_code, again.content) == (200, first.content)
    assert error_of(shop.sell(SALE, SALE, client_temp_id="op-1"))[1] == "idempotency_conflict"
    assert layout.pages == []


def test_the_same_operation_twice_at_once(shop: Shop, layout: Layout) -> None:
    """With row locks the second waits for the first; without them the first to commit is the one that happened."""
    layout.patience = PATIENCE if ON_SQLITE else 0.5
    layout.meanwhile(lambda: shop.sell(SALE, client_temp_id="op-1"))
    mine = shop.sell(SALE, client_temp_id="op-1")
    [theirs] = layout.answers
    assert {mine.status_code, theirs.status_code} == {200, 201}
    assert mine.json()["transaction"]["id"] == theirs.json()["transaction"]["id"]
    assert Transaction.objects.count() == 2
    assert sorted(int(number[-6:]) for number in Transaction.objects.values_list("transaction_number", flat=True)) == (
        [1, 3] if ON_SQLITE else [1, 2]
    )


def test_inside_another_command_it_is_laid_out_there(shop: Shop, layout: Layout) -> None:
    metered = MeteredCustomerFactory(last_meter_reading="1200.00")
    new = {"final_reading": "1210.00", "new_meter_number": "NEW", "first_reading": "0.00"}
    assert post(shop.admin, f"/api/customers/{metered.pk}/replace-meter/", new).status_code == 201
    assert layout.in_transaction == [True]


# --- All of it at once ------------------------------------------------------------------------------


def test_any_mix_of_what_lays_pages_out(shop: Shop, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sales to one customer, voids, replaced meters, refused and repeated ones: no deadlock, and no number twice."""
    retries: list[None] = []
    monkeypatch.setattr("foundation.commands.COMMAND_RETRIES.inc", lambda: retries.append(None))
    metered, drivers = MeteredCustomerFactory(last_meter_reading="0.00"), [other_seller(shop) for _ in range(4)]
    supervisors = [UserFactory(role="SUPERVISOR", depot=shop.depot) for _ in range(CLIENTS)]

    def work(index: int) -> set[int]:
        codes = set()
        for turn in range(3):
            lines = [{"equipment": shop.cylinder.pk, "type": kind, "quantity": 1} for kind in ("SWAP", "DEPOSIT")]
            body = {"customer": metered.pk, "items": lines, "client_temp_id": f"{index % 8}-{turn}"}
            sold = post(drivers[index % 4], "/api/transactions/", body)
            codes.add(sold.status_code)
            refused = {"customer": metered.pk, "items": [{**lines[0], "quantity": 500}]}
            codes.add(post(drivers[index % 4], "/api/transactions/", refused).status_code)
            if sold.status_code == 201 and turn:
                url = f"/api/transactions/{sold.json()['transaction']['id']}/void/"
                codes.add(post(supervisors[index], url, {"reason": "Mixed up"}).status_code)
            if index == 7:
                new = {"final_reading": f"{turn}.00", "new_meter_number": f"M{turn}", "first_reading": f"{turn}.00"}
                url = f"/api/customers/{metered.pk}/replace-meter/"
                codes.add(post(supervisors[index], url, new).status_code)
        return codes

    assert set().union(*at_once(work)) == {200, 201, 409}
    if not ON_SQLITE:
        assert retries == []
    found = numbers()
    assert len({number for number, _ in found}) == len(found)
