"""The outbox by itself: when a request may be sent, what is kept of each attempt, and who sees it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django_tasks_db.models import DBTaskResult

from accounts.models import User
from audit.models import AuditLog
from foundation import clock
from foundation.access.capabilities import Role
from foundation.infrastructure.mail import Delivery, Outcome
from invoices.models import Invoice, InvoiceEmail
from invoices.selectors import emails_queued, longest_wait
from invoices.services import sweep_emails
from invoices.services.emails import LEASE, MAX_ATTEMPTS, OVERDUE, claim_email, note_delivery
from tests.conftest import Shop
from tests.factories import DepotFactory, DriverFactory, UserFactory

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 1, 20, 12, tzinfo=clock.SINGAPORE)
TAKEN, LATER = Delivery(Outcome.ACCEPTED, ""), Delivery(Outcome.LATER, "451 Try later")


def at(moment: datetime) -> Any:
    """The clock stands still."""
    return time_machine.travel(moment, tick=False)


@pytest.fixture
def invoice(shop: Shop) -> Invoice:
    with at(NOON - timedelta(hours=1)):
        return Invoice.objects.get(pk=shop.sell({"type": "SALE"}).json()["invoice"]["id"])


def ask(shop: Shop, invoice: Invoice, to: str = "site@example.sg", by: User | None = None) -> int:
    answer = shop.client_of(by or shop.driver).post(f"/api/invoices/{invoice.pk}/email/", {"to": to})
    assert answer.status_code == 202
    pk: int = answer.json()["id"]
    return pk


def send(pk: int, delivery: Delivery = TAKEN) -> InvoiceEmail:
    """One attempt."""
    claimed = claim_email(email_id=pk)
    assert claimed is not None
    return note_delivery(email_id=pk, attempt=claimed.attempts, delivery=delivery)


def test_each_pause_is_twice_the_one_before_and_nothing_is_sent_meanwhile(shop: Shop, invoice: Invoice) -> None:
    pauses, moment = [], NOON
    with at(NOON):
        email = ask(shop, invoice)
    for _ in range(1, MAX_ATTEMPTS):
        with at(moment):
            next_try = send(email, LATER).next_try_at
        assert next_try is not None
        pauses.append((next_try - moment) // MINUTE)
        assert DBTaskResult.objects.filter(run_after=next_try).count() == 1
        with at(next_try - timedelta(seconds=1)):
            assert claim_email(email_id=email) is None
        moment = next_try
    assert pauses == [2, 4, 8, 16, 32, 64, 128]
    with at(moment):
        assert send(email, LATER).status == "FAILED"


def test_a_worker_holds_a_request_until_it_notes_what_became_of_it(shop: Shop, invoice: Invoice) -> None:
    with at(NOON):
        email = ask(shop, invoice)
        claim_email(email_id=email)
        held = InvoiceEmail.objects.get()
        assert (held.status, held.attempts, held.lease_until) == ("SENDING", 1, NOON + 5 * MINUTE)
        note_delivery(email_id=email, attempt=1, delivery=LATER)
    assert InvoiceEmail.objects.get().lease_until is None


def test_a_dead_worker_s_request_is_swept_when_its_lease_is_over(shop: Shop, invoice: Invoice) -> None:
    with at(NOON):
        claim_email(email_id=ask(shop, invoice))
    with at(NOON + LEASE):
        assert sweep_emails() == 0
    with at(NOON + LEASE + timedelta(seconds=1)):
        assert sweep_emails() == 1


def test_a_request_that_was_claimed_late_is_not_lost(shop: Shop, invoice: Invoice) -> None:
    with at(NOON):
        email = ask(shop, invoice)
    with at(NOON + OVERDUE):
        assert sweep_emails() == 0
        claim_email(email_id=email)
    with at(NOON + OVERDUE + MINUTE):
        assert sweep_emails() == 0


def test_one_that_waits_for_its_next_try_is_not_lost_however_long_ago_it_was_asked_for(
    shop: Shop, invoice: Invoice
) -> None:
    moment = NOON
    with at(NOON):
        email = ask(shop, invoice)
    for _ in range(4):  # at 0, 2, 6 and 14 minutes; again at 30
        with at(moment):
            moment = send(email, LATER).next_try_at or NOON
    with at(NOON + 29 * MINUTE):
        assert sweep_emails() == 0


def test_an_invoice_was_emailed_when_the_first_message_was_taken(shop: Shop, invoice: Invoice) -> None:
    for hours in (0, 1):
        with at(NOON + timedelta(hours=hours) - MINUTE):
            email = ask(shop, invoice)
        with at(NOON + timedelta(hours=hours)):
            send(email)
    sent = InvoiceEmail.objects.order_by("pk").values_list("sent_at", flat=True)
    assert list(sent) == [NOON, NOON + timedelta(hours=1)]
    assert Invoice.objects.get().emailed_at == NOON


def test_printed_later_it_still_is_an_emailed_invoice(shop: Shop, invoice: Invoice) -> None:
    send(ask(shop, invoice))
    printed = shop.client_of(shop.driver).post(f"/api/invoices/{invoice.pk}/print/").json()
    assert printed["status"] == "emailed"


def test_asked_for_again_it_is_sent_at_once(shop: Shop, invoice: Invoice) -> None:
    with at(NOON):
        email = ask(shop, invoice)
        send(email, LATER)
    with at(NOON + MINUTE):
        assert claim_email(email_id=email) is None
        assert ask(shop, invoice) == email
        assert DBTaskResult.objects.filter(run_after=NOON + MINUTE).count() == 1
        assert send(email).status == "SENT"


def test_one_that_is_being_sent_is_not_asked_for_twice(shop: Shop, invoice: Invoice) -> None:
    email = ask(shop, invoice)
    claim_email(email_id=email)
    tasks, due = DBTaskResult.objects.count(), InvoiceEmail.objects.get().next_try_at
    assert ask(shop, invoice) == email
    assert (DBTaskResult.objects.count(), InvoiceEmail.objects.get().next_try_at) == (tasks, due)


def test_nobody_is_sent_what_they_did_not_ask_for(shop: Shop) -> None:
    shop.customer.email = "kitchen@example.sg"
    shop.customer.save()
    shop.sell({"type": "SALE"})
    assert not InvoiceEmail.objects.exists()


def test_another_address_and_another_invoice_are_another_message(shop: Shop, invoice: Invoice) -> None:
    other = Invoice.objects.get(pk=shop.sell({"type": "SALE"}).json()["invoice"]["id"])
    assert len({ask(shop, invoice), ask(shop, invoice, "boss@example.sg"), ask(shop, other)}) == 3


def test_the_address_that_is_named_comes_before_the_customer_s(shop: Shop, invoice: Invoice) -> None:
    shop.customer.email = "kitchen@example.sg"
    shop.customer.save()
    ask(shop, invoice, "boss@example.sg")
    ask(shop, invoice, "")
    assert list(InvoiceEmail.objects.order_by("pk").values_list("to", flat=True)) == [
        "boss@example.sg",
        "kitchen@example.sg",
    ]


def test_the_evidence_says_who_asked_and_what_became_of_it(shop: Shop, invoice: Invoice) -> None:
    email = ask(shop, invoice, by=shop.admin)
    send(email, LATER)
    InvoiceEmail.objects.filter(pk=email).update(next_try_at=None)
    send(email, Delivery(Outcome.REFUSED, "5" * 600))
    requested, failed = AuditLog.objects.filter(action__startswith="invoices.email.").order_by("id")
    assert (requested.action, requested.entity_id, requested.user) == (
        "invoices.email.requested",
        invoice.pk,
        shop.admin,
    )
    assert requested.entity_type == failed.entity_type == "invoices.invoice"
    assert requested.after == {"email": email, "to": "site@example.sg"}
    assert (failed.action, failed.entity_id, failed.user) == ("invoices.email.failed", invoice.pk, shop.admin)
    assert failed.after == {"email": email, "to": "site@example.sg", "status": "FAILED", "attempts": 2}
    assert failed.reason == InvoiceEmail.objects.get().last_error == "5" * 500


def test_an_email_is_seen_by_whoever_sees_its_invoice(shop: Shop, invoice: Invoice) -> None:
    elsewhere = UserFactory(role=Role.ADMIN, depot=DepotFactory())
    ask(shop, invoice, by=elsewhere)
    seeing = [
        (elsewhere, 1), (shop.driver, 1), (UserFactory(role=Role.SUPERVISOR, depot=shop.depot), 1),
        (UserFactory(role=Role.SUPERVISOR, depot=elsewhere.depot), 0), (DriverFactory(depot=shop.depot), 0),
        (UserFactory(role=Role.DEPOT_STAFF, depot=shop.depot), 0),
    ]  # fmt: skip
    for user, count in seeing:
        assert InvoiceEmail.objects.visible_to(user).count() == count, user.role


def test_the_queue_and_its_longest_wait_are_told(shop: Shop, invoice: Invoice) -> None:
    assert (emails_queued(), longest_wait()) == (0, 0)
    for minutes, to in ((0, "sent"), (1, "first"), (2, "second"), (9, "not due yet")):
        with at(NOON + minutes * MINUTE):
            email = ask(shop, invoice, f"{to.replace(' ', '-')}@example.sg")
            if to == "sent":
                send(email)
    with at(NOON + 5 * MINUTE):
        assert (emails_queued(), longest_wait()) == (3, 240)
    with at(NOON + MINUTE - timedelta(seconds=1)):
        assert longest_wait() == 0
