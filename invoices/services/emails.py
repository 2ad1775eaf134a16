"""Documents on their way by email: an outbox that a worker empties.

A request is a row, written in the commit of what asks for it, and a task that carries its id (Django's Tasks
framework keeps it in the same database, so both are there or neither). The worker claims the row, sends, and notes
what became of it. It tries again where the message was certainly not taken, and stops where that isn't certain:
one request is never sent twice.
"""

from datetime import datetime, timedelta

from django.tasks import task

from accounts.models import User
from audit.services import record
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.commands import command
from foundation.errors import Denied, DomainError
from foundation.infrastructure.mail import Delivery, Outcome, deliver
from foundation.operations.idempotency import idempotent
from invoices import locks
from invoices.errors import NoEmailAddress, NotHeld
from invoices.mailing import compose, new_message_id
from invoices.models import EmailHold, Invoice, InvoiceEmail
from invoices.selectors import why_held

MAX_ATTEMPTS = 8
LEASE = timedelta(minutes=5)
"""Longer than a worker can be at one message: a mail server has some 20 seconds for each of its few answers."""
OVERDUE = timedelta(minutes=10)
"""A request that nobody took for so long after its time has lost its task."""

Status = InvoiceEmail.Status
_UNDER_WAY = (Status.HELD, Status.QUEUED, Status.SENDING)


@command
@idempotent
def request_email(*, actor: User, invoice_id: int, to: str = "") -> InvoiceEmail:
    """Send the document to an address; without one to the customer's own.

    A request that is still under way is hurried, not doubled; that of a held document waits for its release. Locks the
    invoice, then that request. Raises NoEmailAddress.
    """
    invoice = locks.invoice(invoice_id)
    address = to or invoice.customer.email
    if not address:
        raise NoEmailAddress(f"{invoice.customer.name} has no email address: please name one.", attr="to")
    now = clock.now()
    pending = InvoiceEmail.objects.filter(invoice=invoice, to=address, status__in=_UNDER_WAY)
    email = pending.first()
    if email is None:
        email = queue_email(invoice, to=address, requested_by=actor, now=now, is_held=bool(why_held(invoice)))
    else:
        email = locks.email(email.pk)
        if email.status == Status.QUEUED:
            _try_at(email, now)
    record(actor=actor, action="invoices.email.requested", target=invoice, after={"email": email.pk, "to": address})
    return email


def queue_email(invoice: Invoice, *, to: str, requested_by: User, now: datetime, is_held: bool) -> InvoiceEmail:
    """Put a request into the outbox, in the caller's transaction; that of a held document waits there."""
    email: InvoiceEmail = InvoiceEmail.objects.create(
        invoice=invoice,
        to=to,
        requested_by=requested_by,
        requested_at=now,
        message_id=new_message_id(),
        status=Status.HELD if is_held else Status.QUEUED,
        next_try_at=None if is_held else now,
    )
    if not is_held:
        send_invoice_email.enqueue(email.pk)
    return email


@command
@idempotent
def release_email(*, actor: User, invoice_id: int, remarks: str = "") -> Invoice:
    """Let a held document be emailed, and what was asked for meanwhile go.

    Locks the invoice, which guards its hold, then the requests. Raises Denied, NotHeld.
    """
    invoice = locks.invoice(invoice_id)
    if not Invoice.objects.filter(rows_within(actor, Capability.RELEASE_EMAIL), pk=invoice_id).exists():
        raise Denied
    hold = EmailHold.objects.filter(invoice=invoice).first()
    if hold is None or hold.released_at is not None:
        raise NotHeld(f"{invoice.invoice_number} isn't held.")
    now = clock.now()
    hold.released_at, hold.released_by, hold.remarks = now, actor, remarks
    hold.save(update_fields=["released_at", "released_by", "remarks"])
    waiting = [
        locks.email(pk) for pk in invoice.emails.filter(status=Status.HELD).order_by("pk").values_list("pk", flat=True)
    ]
    for email in waiting:
        email.status = Status.QUEUED
        email.save(update_fields=["status"])
        _try_at(email, now)
    record(
        actor=actor,
        action="invoices.email.released",
        target=invoice,
        before={"held_because": hold.because},
        after={"emails": [email.pk for email in waiting]},
        reason=remarks,
    )
    return invoice


@task
def send_invoice_email(email_id: int) -> str:
    """What the worker does: claim, send, note. Answers the request's status. Does nothing for one that isn't due."""
    email = claim_email(email_id=email_id)
    if email is None:
        return "not due"
    try:
        delivery = deliver(compose(email))
    except DomainError as error:
        delivery = Delivery(Outcome.LATER, error.detail)
    return str(note_delivery(email_id=email_id, attempt=email.attempts, delivery=delivery).status)


@command
def claim_email(*, email_id: int) -> InvoiceEmail | None:
    """Take a request that is due, for `LEASE`; None where another worker has it, or it isn't due. Locks it."""
    email = locks.email(email_id)
    now = clock.now()
    if email.status != Status.QUEUED or (email.next_try_at and email.next_try_at > now):
        return None
    email.status = Status.SENDING
    email.attempts += 1
    email.lease_until = now + LEASE
    email.save(update_fields=["status", "attempts", "lease_until"])
    return email


@command
def note_delivery(*, email_id: int, attempt: int, delivery: Delivery) -> InvoiceEmail:
    """Keep what became of an attempt, and try again later where that is safe. Locks the invoice, then the request.

    What was decided meanwhile stands: a report of an attempt that is over changes nothing. Only doubt gives way to
    knowledge: an attempt that was taken for dead (UNCERTAIN) may still say that its message was taken, or wasn't. It
    isn't tried again then, because somebody who saw the doubt may have asked anew.
    """
    invoice = locks.invoice(InvoiceEmail.objects.values_list("invoice_id", flat=True).get(pk=email_id))
    email = locks.email(email_id)
    was_in_doubt = email.status == Status.UNCERTAIN and delivery.outcome != Outcome.UNCERTAIN
    if email.attempts != attempt or not (email.status == Status.SENDING or was_in_doubt):
        return email
    now = clock.now()
    email.lease_until, email.last_error = None, delivery.error[:500]
    match delivery.outcome:
        case Outcome.ACCEPTED:
            email.status, email.sent_at, email.next_try_at = Status.SENT, now, None
            _mark_emailed(invoice, now)
        case Outcome.LATER if email.attempts < MAX_ATTEMPTS and not was_in_doubt:
            email.status = Status.QUEUED
            _try_at(email, now + _pause_after(email.attempts))
        case Outcome.UNCERTAIN:
            email.status, email.next_try_at = Status.UNCERTAIN, None
        case _:
            email.status, email.next_try_at = Status.FAILED, None
    email.save(update_fields=["status", "sent_at", "next_try_at", "lease_until", "last_error"])
    if email.status != Status.QUEUED:
        record(
            actor=email.requested_by,
            action="invoices.invoice.emailed" if email.status == Status.SENT else "invoices.email.failed",
            target=invoice,
            after={"email": email.pk, "to": email.to, "status": email.status, "attempts": email.attempts},
            reason=email.last_error,
        )
    return email


def sweep_emails() -> int:
    """Pick up what a dead worker left behind; answers how many requests that were.

    One that was being sent when its worker died may have arrived: it is shown, not repeated. One whose task got
    lost gets another.
    """
    now = clock.now()
    dead = InvoiceEmail.objects.filter(status=Status.SENDING, lease_until__lt=now).values_list("pk", "attempts")
    lost = InvoiceEmail.objects.filter(status=Status.QUEUED, next_try_at__lt=now - OVERDUE)
    swept = 0
    in_doubt = Delivery(Outcome.UNCERTAIN, "The worker ended while it was sending.")
    for pk, attempt in list(dead):
        swept += note_delivery(email_id=pk, attempt=attempt, delivery=in_doubt).status == Status.UNCERTAIN
    for pk in lost.values_list("pk", flat=True):
        send_invoice_email.enqueue(pk)
        swept += 1
    return swept


def _try_at(email: InvoiceEmail, moment: datetime) -> None:
    email.next_try_at = moment
    email.save(update_fields=["next_try_at"])
    send_invoice_email.using(run_after=moment).enqueue(email.pk)


def _pause_after(attempts: int) -> timedelta:
    """2, 4, 8 … minutes: the last of `MAX_ATTEMPTS` comes after some four hours."""
    return timedelta(minutes=2**attempts)


def _mark_emailed(invoice: Invoice, now: datetime) -> None:
    """The first time counts."""
    if invoice.emailed_at is None:
        invoice.emailed_at = now
        invoice.status = invoice.furthest_status()
        invoice.save(update_fields=["emailed_at", "status"])
