"""Invoices on their way by email, through a real mail server on the loopback and the real worker."""

import socket
from asyncio import WriteTransport
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import timedelta
from email import message_from_bytes
from typing import Any

import pytest
import time_machine
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from django.core import mail
from django.core.management import call_command
from django.db import transaction
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from audit.models import AuditLog
from foundation import clock
from foundation.infrastructure.mail import Delivery, Outcome, deliver
from invoices.models import Invoice, InvoiceEmail
from invoices.services import emails, send_invoice_email, sweep_emails
from tests.concurrency.races import Threads
from tests.conftest import Shop, error_of, stub_document
from tests.types import Answer, Unchanged

pytestmark = pytest.mark.django_db


class Mailbox:
    """What the server does with a message: its reply to RCPT, to DATA, or nothing of the sort."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.to_recipient = "250 OK"
        self.to_message = "250 Accepted"
        self.dies = False
        self.server: SMTP | None = None

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        if self.dies:
            # Taken or not? The client gets no answer.
            assert isinstance(server.transport, WriteTransport)
            server.transport.abort()
            return "250 too late"
        if self.to_message.startswith("250"):
            self.messages.append(message_from_bytes(envelope.content))
        return self.to_message


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    box = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    use_server(settings, port)
    yield box
    controller.stop()


def use_server(settings: Settings, port: int) -> None:
    options = {"host": "127.0.0.1", "port": port, "timeout": 0.5}
    settings.MAILERS = {"default": {"BACKEND": "foundation.infrastructure.mail.SmtpBackend", "OPTIONS": options}}


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Does what waits in the queue and is due, then ends. It keeps the test's own connection, and its transaction."""
    module = "django_tasks_db.management.commands.db_worker"
    monkeypatch.setattr(f"{module}.close_old_connections", lambda: None)
    monkeypatch.setattr(f"{module}.exclusive_transaction", lambda using: nullcontext())

    def work() -> None:
        call_command("db_worker", batch=True, interval=0, reload=False, startup_delay=False, verbosity=0)

    return work


@pytest.fixture
def invoice(shop: Shop) -> Invoice:
    shop.customer.email = "ahhock@example.sg"
    shop.customer.save()
    return Invoice.objects.get(pk=shop.sell({"type": "SALE"}).json()["invoice"]["id"])


def request(shop: Shop, invoice: Invoice, **body: str) -> Answer:
    return shop.client_of(shop.driver).post(f"/api/invoices/{invoice.pk}/email/", body)


def test_the_worker_sends_the_document(
    shop: Shop, invoice: Invoice, mailbox: Mailbox, worker: Callable[[], None]
) -> None:
    answer = request(shop, invoice)
    assert (answer.status_code, answer.json()["status"]) == (202, "QUEUED")
    assert not mailbox.messages
    worker()
    [message] = mailbox.messages
    assert message["To"] == "ahhock@example.sg"
    assert invoice.invoice_number in message["Subject"]
    parts = {part.get_content_type(): part for part in message.walk() if not part.is_multipart()}
    assert set(parts) == {"text/plain", "text/html", "application/pdf"}
    assert parts["application/pdf"].get_filename() == f"{invoice.invoice_number}.pdf"
    assert parts["application/pdf"].get_payload(decode=True) == stub_document(invoice.invoice_number)
    assert "31.07" in parts["text/plain"].get_payload(decode=True).decode()
    assert "31.07" in parts["text/html"].get_payload(decode=True).decode()
    invoice.refresh_from_db()
    email = InvoiceEmail.objects.get()
    assert (invoice.status, email.status, invoice.emailed_at) == ("emailed", "SENT", email.sent_at)
    assert AuditLog.objects.filter(action="invoices.invoice.emailed", entity_id=invoice.pk).count() == 1


def test_the_message_goes_to_the_address_that_was_named(
    shop: Shop, invoice: Invoice, mailbox: Mailbox, worker: Callable[[], None]
) -> None:
    assert request(shop, invoice, to="accounts@example.sg").status_code == 202
    worker()
    assert [message["To"] for message in mailbox.messages] == ["accounts@example.sg"]


def test_a_paid_invoice_stays_paid(shop: Shop, mailbox: Mailbox, worker: Callable[[], None]) -> None:
    paid = shop.sell({"type": "SALE"}, payment_received=True).json()["invoice"]
    request(shop, Invoice.objects.get(pk=paid["id"]), to="a@example.sg")
    worker()
    invoice = Invoice.objects.get(pk=paid["id"])
    assert (invoice.status, invoice.emailed_at is not None) == ("paid", True)


def test_one_request_is_sent_once_however_often_its_task_runs(
    shop: Shop, invoice: Invoice, mailbox: Mailbox, worker: Callable[[], None]
) -> None:
    request(shop, invoice)
    request(shop, invoice)
    email = InvoiceEmail.objects.get()
    send_invoice_email.enqueue(email.pk)
    worker()
    assert send_invoice_email.call(email.pk) == "not due"
    assert len(mailbox.messages) == 1
    request(shop, invoice)
    worker()
    assert len(mailbox.messages) == 2, "a new request is a new message"


def test_two_workers_at_one_request_send_once(shop: Shop, invoice: Invoice, mailbox: Mailbox) -> None:
    email = InvoiceEmail.objects.get(pk=request(shop, invoice).json()["id"])
    assert emails.claim_email(email_id=email.pk) is not None
    assert emails.claim_email(email_id=email.pk) is None


@pytest.mark.parametrize("reply", ["450 Mailbox busy", "421 Closing"])
def test_a_busy_server_is_tried_again_later(
    shop: Shop, invoice: Invoice, mailbox: Mailbox, worker: Callable[[], None], reply: str
) -> None:
    request(shop, invoice)
    mailbox.to_recipient = reply
    worker()
    email = InvoiceEmail.objects.get()
    assert (email.status, email.attempts, email.last_error) == ("QUEUED", 1, reply)
    assert email.next_try_at is not None
    assert timedelta(minutes=1) < email.next_try_at - clock.now() <= timedelta(minutes=2)
    mailbox.to_recipient = "250 OK"
    worker()
    assert not mailbox.messages, "not before its time"
    with time_machine.travel(email.next_try_at + timedelta(seconds=1)):
        worker()
    assert len(mailbox.messages) == 1
    first_id, email = email.message_id, InvoiceEmail.objects.get()
    assert (email.status, email.message_id, mailbox.messages[0]["Message-ID"]) == ("SENT", first_id, first_id)


@pytest.mark.parametrize("refusing", ["to_recipient", "to_message"])
def test_a_refusal_for_good_is_shown_and_not_repeated(
    shop: Shop, invoice: Invoice, mailbox: Mailbox, worker: Callable[[], None], refusing: str
) -> None:
    request(shop, invoice)
    setattr(mailbox, refusing, "550 No such user")
    worker()
    email = InvoiceEmail.objects.get()
    assert (email.status, email.last_error) == ("FAILED", "550 No such user")
    invoice.refresh_from_db()
    assert (invoice.status, invoice.emailed_at) == ("generated", None)
    shown = shop.client_of(shop.driver).get(f"/api/invoices/{invoice.pk}/emails/").json()["results"]
    assert [(row["status"], row["last_error"]) for row in shown] == [("FAILED", "550 No such user")]
    assert AuditLog.objects.filter(action="invoices.email.failed").count() == 1
    setattr(mailbox, refusing, "250 OK")
    request(shop, invoice)
    worker()
    assert len(mailbox.messages) == 1


def test_it_gives_up_visibly_in_the_end(
    shop: Shop, invoice: Invoice, mailbox: Mailbox, worker: Callable[[], None]
) -> None:
    request(shop, invoice)
    mailbox.to_message = "451 Try later"
    now = clock.now()
    for _ in range(emails.MAX_ATTEMPTS):
        with time_machine.travel(now):
            worker()
        email = InvoiceEmail.objects.get()
        now = (email.next_try_at or now) + timedelta(seconds=1)
    assert (email.status, email.attempts, email.next_try_at) == ("FAILED", emails.MAX_ATTEMPTS, None)


def test_a_server_that_dies_with_the_message_leaves_doubt_and_nothing_is_sent_twice(
    shop: Shop, invoice: Invoice, mailbox: Mailbox, worker: Callable[[], None]
) -> None:
    request(shop, invoice)
    mailbox.dies = True
    worker()
    email = InvoiceEmail.objects.get()
    assert email.status == "UNCERTAIN"
    mailbox.dies = False
    with time_machine.travel(clock.now() + timedelta(days=1)):
        sweep_emails()
        worker()
    assert not mailbox.messages
    request(shop, invoice)
    worker()
    assert len(mailbox.messages) == 1, "a person may ask again"


def test_nobody_listens(shop: Shop, invoice: Invoice, settings: Settings, worker: Callable[[], None]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        use_server(settings, probe.getsockname()[1])
        request(shop, invoice)
        worker()
    email = InvoiceEmail.objects.get()
    assert (email.status, email.attempts) == ("QUEUED", 1)
    assert "refused" in email.last_error


def test_a_server_that_says_nothing_times_out(
    shop: Shop, invoice: Invoice, settings: Settings, worker: Callable[[], None]
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        use_server(settings, silent.getsockname()[1])
        request(shop, invoice)
        worker()
    email = InvoiceEmail.objects.get()
    assert (email.status, email.last_error) == ("QUEUED", "Connection unexpectedly closed: timed out")


def test_a_server_that_forgets_to_say_goodbye_took_the_message(settings: Settings) -> None:
    """The message is accepted; QUIT is never answered."""
    listener = socket.create_server(("127.0.0.1", 0))
    use_server(settings, listener.getsockname()[1])
    replies = ["220 hi", "250 hi", "250 from", "250 to", "354 go", "250 taken"]

    def serve() -> None:
        peer, _ = listener.accept()
        lines = peer.makefile("rb")
        peer.sendall(f"{replies[0]}\r\n".encode())
        for reply in replies[1:]:
            line = lines.readline()
            if reply == "250 taken":
                while line != b".\r\n":
                    line = lines.readline()
            peer.sendall(f"{reply}\r\n".encode())
        lines.readline()

    with listener, Threads() as beside:
        beside.start(serve)
        delivery = deliver(mail.EmailMessage("Hi", "there", "us@example.sg", ["them@example.sg"]))
    assert delivery.outcome == Outcome.ACCEPTED


def test_a_worker_that_died_while_sending_is_noticed(
    shop: Shop, invoice: Invoice, mailbox: Mailbox, worker: Callable[[], None]
) -> None:
    email = InvoiceEmail.objects.get(pk=request(shop, invoice).json()["id"])
    emails.claim_email(email_id=email.pk)
    DBTaskResult.objects.all().delete()
    assert sweep_emails() == 0, "it may still be at it"
    with time_machine.travel(clock.now() + emails.LEASE + timedelta(seconds=1)):
        assert sweep_emails() == 1
    email.refresh_from_db()
    assert (email.status, mailbox.messages) == ("UNCERTAIN", [])


ACCEPTED, REFUSED = Delivery(Outcome.ACCEPTED, ""), Delivery(Outcome.REFUSED, "550 No such user")
DEAD, LATER = Delivery(Outcome.UNCERTAIN, "The worker ended."), Delivery(Outcome.LATER, "451 Try later")


@pytest.mark.parametrize(
    ("reports", "status"),
    [
        ([ACCEPTED, DEAD], "SENT"),
        ([REFUSED, DEAD], "FAILED"),
        ([LATER, DEAD], "QUEUED"),
        ([ACCEPTED, REFUSED], "SENT"),
        ([DEAD, DEAD], "UNCERTAIN"),
        ([DEAD, ACCEPTED], "SENT"),
        ([DEAD, REFUSED], "FAILED"),
        ([DEAD, LATER], "FAILED"),
    ],
)
def test_what_became_of_an_attempt_is_noted_once_and_only_doubt_gives_way(
    shop: Shop, invoice: Invoice, reports: list[Delivery], status: str
) -> None:
    """A sweep read the row while its worker was still at it; or the worker was slow, and thought dead."""
    email = InvoiceEmail.objects.get(pk=request(shop, invoice).json()["id"])
    emails.claim_email(email_id=email.pk)
    for report in reports:
        emails.note_delivery(email_id=email.pk, attempt=1, delivery=report)
    email.refresh_from_db()
    assert email.status == status
    assert (email.sent_at is not None) is (status == "SENT")


def test_the_report_of_an_earlier_attempt_says_nothing_of_this_one(shop: Shop, invoice: Invoice) -> None:
    email = InvoiceEmail.objects.get(pk=request(shop, invoice).json()["id"])
    emails.claim_email(email_id=email.pk)
    emails.note_delivery(email_id=email.pk, attempt=1, delivery=LATER)
    with time_machine.travel(clock.now() + timedelta(hours=1)):
        emails.claim_email(email_id=email.pk)
    emails.note_delivery(email_id=email.pk, attempt=1, delivery=DEAD)
    email.refresh_from_db()
    assert (email.status, email.attempts) == ("SENDING", 2)


def test_a_sweep_leaves_alone_what_was_sent_since_it_looked(
    shop: Shop, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = InvoiceEmail.objects.get(pk=request(shop, invoice).json()["id"])
    emails.claim_email(email_id=email.pk)
    note = emails.note_delivery

    def first_the_worker(**arguments: Any) -> InvoiceEmail:
        note(email_id=email.pk, attempt=1, delivery=ACCEPTED)
        return note(**arguments)

    monkeypatch.setattr(emails, "note_delivery", first_the_worker)
    with time_machine.travel(clock.now() + emails.LEASE + timedelta(seconds=1)):
        assert sweep_emails() == 0
    email.refresh_from_db()
    assert email.status == "SENT"


def test_a_request_whose_task_is_lost_gets_another(
    shop: Shop, invoice: Invoice, mailbox: Mailbox, worker: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    request(shop, invoice)
    DBTaskResult.objects.all().delete()
    call_command("sweep_emails")
    with time_machine.travel(clock.now() + emails.OVERDUE + timedelta(minutes=1)):
        call_command("sweep_emails")
        worker()
    assert capsys.readouterr().out.splitlines() == ["Nothing was left behind.", "Picked up 1 email."]
    assert len(mailbox.messages) == 1


def test_a_customer_who_wants_them_gets_every_invoice(shop: Shop, mailbox: Mailbox, worker: Callable[[], None]) -> None:
    change = {"email": "boss@example.sg", "email_invoices": True}
    assert shop.client_of(shop.admin).patch(f"/api/customers/{shop.customer.pk}/", change).status_code == 200
    sale = shop.sell({"type": "SALE"}).json()
    shop.client_of(shop.admin).post(f"/api/transactions/{sale['transaction']['id']}/void/", {"reason": "Wrong"})
    worker()
    assert [message["Subject"].split()[0] for message in mailbox.messages] == ["Tax", "Credit"]


def test_a_sale_that_fails_asks_for_no_email(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.customer.email, shop.customer.email_invoices = "boss@example.sg", True
    shop.customer.save()

    def fail(**kwargs: object) -> None:
        raise RuntimeError("lightning")

    monkeypatch.setattr("transactions.services.sales.record", fail)
    assert shop.sell({"type": "SALE"}).status_code == 500
    assert (InvoiceEmail.objects.count(), DBTaskResult.objects.count()) == (0, 0)


def test_an_unreadable_document_is_tried_again(
    shop: Shop, invoice: Invoice, mailbox: Mailbox, worker: Callable[[], None], settings: Settings
) -> None:
    request(shop, invoice)
    settings.MEDIA_ROOT = "/nonexistent"
    worker()
    assert InvoiceEmail.objects.get().status == "QUEUED"


def test_no_address_is_refused(shop: Shop, nothing_changes: Unchanged) -> None:
    invoice = Invoice.objects.get(pk=shop.sell({"type": "SALE"}).json()["invoice"]["id"])
    with nothing_changes():
        assert error_of(request(shop, invoice)) == (409, "no_email_address", "to")


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("x", "invalid"),
        ("a@b", "invalid"),
        ("a@example.sg\nBcc: b@example.sg", "invalid"),
        ("a@example.sg, b@example.sg", "invalid"),
        ("é@", "invalid"),
        ("a" * 250 + "@example.sg", "max_length"),
    ],
)
def test_what_is_no_address_is_refused(
    shop: Shop, invoice: Invoice, nothing_changes: Unchanged, address: str, code: str
) -> None:
    with nothing_changes():
        assert error_of(request(shop, invoice, to=address)) == (400, code, "to")


def test_a_customer_s_name_can_t_add_a_header(shop: Shop, mailbox: Mailbox, worker: Callable[[], None]) -> None:
    shop.customer.name = "Evil\r\nBcc: everyone@example.sg"
    shop.customer.save()
    invoice = Invoice.objects.get(pk=shop.sell({"type": "SALE"}).json()["invoice"]["id"])
    request(shop, invoice, to="a@example.sg")
    worker()
    assert mailbox.messages[0]["Bcc"] is None
    assert mailbox.messages[0]["To"] == "a@example.sg"


def test_the_request_and_its_task_are_one_commit(shop: Shop, invoice: Invoice) -> None:
    with transaction.atomic():
        emails.request_email(actor=shop.driver, invoice_id=invoice.pk)
        transaction.set_rollback(True)
    assert (InvoiceEmail.objects.count(), DBTaskResult.objects.count()) == (0, 0)
