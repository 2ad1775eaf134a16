"""Issuing documents: laid out ahead of the locks, stored and recorded in the caller's transaction."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.models import User
from audit.services import create_recorded
from customers.models import Customer
from foundation import clock, confirmations
from foundation.changes import announce
from foundation.commands import command
from foundation.dated import require_day
from foundation.errors import Duplicate, Invalid
from foundation.infrastructure import file_locks
from foundation.money import ZERO, to_cents
from foundation.operations.idempotency import idempotent
from invoices import documents
from invoices.models import EmailHold, GstRate, Invoice
from invoices.paynow import paynow_payload
from invoices.rendering import render_invoice
from invoices.services.emails import queue_email
from invoices.snapshot import Correction, InvoiceSnapshot, Line, MeterUsage, PaidBy, Party, Replaced
from invoices.unlikely import unlikely_gst_rate
from sequences.services import Reservation, reserve_numbers

NUMBER_PREFIX = {
    Invoice.Kind.TAX_INVOICE: "INV", Invoice.Kind.CREDIT_NOTE: "CN", Invoice.Kind.COLLECTION_NOTE: "COL"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Billing:
    """What is billed: priced lines and meter usage of one visit, with their tax."""

    customer: Customer
    lines: Sequence[Line]
    meter: MeterUsage | None
    subtotal: Decimal
    taxable_amount: Decimal
    gst_rate: Decimal
    payment_received: bool
    vehicle_no: str
    remarks: str
    occurred_at: datetime
    corrects: Correction | None = None
    replaces: Replaced | None = None
    set_off: Decimal = ZERO
    """How much of it is settled at once by another document; a size, for credit notes too."""
    paid: Decimal = ZERO
    """How much of it changes hands with it; a size too."""
    paid_by: Sequence[tuple[str, Decimal]] = ()
    """By which methods, each with its size."""
    rounding: Decimal = ZERO
    """How much more cash that was than it settles; negative: less."""
    set_off_against: Sequence[str] = ()
    """The numbers of the documents that a refund is set off against."""
    tax_point_on: date | None = None
    """Of an invoice, when the supply counts. None: on its issue."""
    gst_on: date | None = None
    """In whose GST period it counts. None: that of its tax point."""
    credit_kind: str = Invoice.CreditKind.GENUINE
    gst: Decimal | None = None
    """Of a credit in part, whose GST follows from what was credited before. None: that of the amount."""

    @property
    def gst_amount(self) -> Decimal:
        if self.gst is not None:
            return self.gst
        return to_cents(self.taxable_amount * self.gst_rate / 100)

    @property
    def total_amount(self) -> Decimal:
        return self.subtotal + self.gst_amount

    @property
    def kind(self) -> Invoice.Kind:
        """A refund's document is a credit note, and so is that of a void; everything else is billed by a tax invoice.

        But the void of a refund bills again what was refunded; and what comes back without money is only noted, also
        where the meter was read and hadn't moved.
        """
        is_metered = self.meter is not None and self.meter.usage != 0
        if self.subtotal == 0 and not is_metered and all(line.type == "RETURN" for line in self.lines):
            return Invoice.Kind.COLLECTION_NOTE
        is_credit = self.subtotal < 0 or (self.corrects is not None and self.subtotal == 0)
        return Invoice.Kind.CREDIT_NOTE if is_credit else Invoice.Kind.TAX_INVOICE

    def tax_point(self, *, issued_on: date) -> date:
        """When it counts: a credit note on its issue."""
        is_invoice = self.kind == Invoice.Kind.TAX_INVOICE
        return self.tax_point_on if is_invoice and self.tax_point_on else issued_on

    @property
    def number_prefix(self) -> str:
        return NUMBER_PREFIX[self.kind]


@dataclass(frozen=True, slots=True)
class Page:
    """A document that was laid out before its command locked anything: when, under which numbers, and what it says."""

    now: datetime
    reserved: Reservation
    said: dict[str, Any]
    pdf: bytes

    @classmethod
    def lay_out(
        cls, *, actor: User, billing: Billing, transaction_prefix: str, now: datetime, held: ExitStack
    ) -> "Page":
        """Lay the document out under numbers that are reserved for it.

        See `reserve_numbers` for what is locked. A user's pages are laid out one at a time: however many operations
        they have under way, they take one processor. Raises OutOfTickets.
        """
        prefixes = (transaction_prefix, billing.number_prefix)
        with ExitStack() as turn:
            if settings.USER_TURNS_FOLDER:
                file_locks.hold(Path(settings.USER_TURNS_FOLDER, str(actor.pk)), until=turn, wait=True)
            reserved = reserve_numbers(*prefixes, day=clock.business_date(now), held=held)
            snapshot = _snapshot(actor, billing, reserved.numbers, now)
            return cls(now=now, reserved=reserved, said=snapshot.to_json(), pdf=render_invoice(snapshot))

    def is_of_today(self) -> bool:
        """Is the day still the one whose numbers it bears?"""
        return clock.business_date(self.now) == clock.business_date(clock.now())


def issue_invoice(
    *,
    actor: User,
    depot_id: int | None,
    billing: Billing,
    numbers: Sequence[str],
    now: datetime,
    page: Page | None = None,
    seller: User | None = None,
    is_paid: bool = False,
    corrects: Invoice | None = None,
    held_because: str = "",
) -> Invoice:
    """Store and record one document, in the caller's transaction, under numbers taken there.

    ``numbers`` are the transaction's and the document's own. ``page`` is taken where it says, word for word, what the
    document has to say; else it is laid out here. ``seller`` is whose sale it bills, where that isn't the actor, and
    ``depot_id`` where that was. What is paid on the spot (``is_paid``) is issued as settled: the caller takes the money
    next, in the same commit. ``corrects`` is what it takes back, locked: that has so much less left. A customer who
    wants every invoice by email gets this one; where ``held_because`` says why, only once it was released. The caller
    holds the customer's lock, and its audit record covers the invoice too. Raises StorageUnavailable.
    """
    day, customer = clock.business_date(now), billing.customer
    tax_point_on = billing.tax_point(issued_on=day)
    snapshot = _snapshot(actor, billing, numbers, now)
    said = snapshot.to_json()
    # As JSON, which tells 28.5 from 28.50: they are equal, and print differently.
    pdf = page.pdf if page is not None and page.said == said else render_invoice(snapshot)
    document = documents.store(pdf, number=snapshot.number, day=day)
    is_settled = is_paid or snapshot.total_amount == 0
    invoice: Invoice = Invoice.objects.create(
        invoice_number=snapshot.number,
        kind=billing.kind,
        customer=customer,
        user=seller or actor,
        depot_id=depot_id,
        status=Invoice.Status.PAID if is_paid else Invoice.Status.GENERATED,
        subtotal=snapshot.subtotal,
        taxable_amount=snapshot.taxable_amount,
        gst_rate=snapshot.gst_rate,
        gst_amount=snapshot.gst_amount,
        total_amount=snapshot.total_amount,
        snapshot=said,
        pdf_path=document.path,
        pdf_sha256=document.sha256,
        generated_at=now,
        date=day,
        tax_point_on=tax_point_on,
        gst_on=billing.gst_on or tax_point_on,
        credit_kind=billing.credit_kind if billing.kind == Invoice.Kind.CREDIT_NOTE else "",
        due_on=snapshot.due_on,
        paid_at=billing.occurred_at if is_paid else None,
        settled_amount=snapshot.total_amount if is_settled else ZERO,
        settled_on=day if is_settled else None,
        corrects=corrects,
    )
    if corrects is not None:
        _take_off(corrects, -invoice.total_amount, on=day)
    if held_because:
        EmailHold.objects.create(invoice=invoice, because=held_because[:500], held_at=now)
    if customer.email_invoices and customer.email:
        queue_email(invoice, to=customer.email, requested_by=actor, now=now, is_held=bool(held_because))
    return invoice


def _take_off(invoice: Invoice, amount: Decimal, *, on: date) -> None:
    """So much less is left of a document, whose total has the same sign."""
    invoice.credited_amount += amount
    if invoice.credited_amount == invoice.total_amount:
        invoice.voided_on = on
    invoice.save(update_fields=["credited_amount", "voided_on"])


def _snapshot(actor: User, billing: Billing, numbers: Sequence[str], now: datetime) -> InvoiceSnapshot:
    """All that the document says; ``actor`` is who serves."""
    customer = billing.customer
    transaction_number, number = numbers
    return InvoiceSnapshot(
        kind=billing.kind,
        number=number,
        transaction_number=transaction_number,
        issued_at=now.astimezone(clock.SINGAPORE),
        occurred_at=billing.occurred_at.astimezone(clock.SINGAPORE),
        due_on=clock.business_date(now) + timedelta(days=customer.payment_terms_days),
        supplier=Party(**settings.COMPANY),
        customer=Party(
            name=customer.name,
            address=customer.address,
            postal_code=customer.postal_code,
            uen=customer.uen,
            gst_registration_no=customer.gst_registration_no if settings.COMPANY_GST_REGISTERED else "",
            email=customer.email,
            phone=customer.phone,
        ),
        customer_code=customer.customer_code,
        lines=tuple(billing.lines),
        meter=billing.meter,
        subtotal=billing.subtotal,
        taxable_amount=billing.taxable_amount,
        gst_rate=billing.gst_rate,
        gst_amount=billing.gst_amount,
        total_amount=billing.total_amount,
        payment_type=customer.payment_type,
        payment_terms_days=customer.payment_terms_days,
        payment_received=billing.payment_received,
        served_by=actor.get_full_name(),
        vehicle_no=billing.vehicle_no,
        remarks=billing.remarks,
        corrects=billing.corrects,
        replaces=billing.replaces,
        paynow=_paynow(billing, number),
        set_off=billing.set_off,
        paid=billing.paid,
        paid_by=tuple(PaidBy(*each) for each in billing.paid_by),
        rounding=billing.rounding,
        set_off_against=tuple(billing.set_off_against),
    )


def _paynow(billing: Billing, number: str) -> str:
    """What the QR code of an invoice that is still to be paid says; empty where there is none."""
    owed = billing.total_amount - billing.set_off - billing.paid
    if owed <= 0 or not settings.COMPANY["uen"]:
        return ""
    return paynow_payload(uen=settings.COMPANY["uen"], name=settings.COMPANY["name"], amount=owed, reference=number)


@command
@idempotent
def add_gst_rate(*, actor: User, values: Mapping[str, object]) -> GstRate:
    """A new rate from a date on; those before it stay. One of the same date is superseded, for a ``reason``.

    Raises Duplicate where it says what counts from that date already, Invalid for a date mistyped by decades or without
    the reason, Unconfirmed.
    """
    new = GstRate(**values)
    require_day(new.valid_from)
    superseded = GstRate.objects.filter(valid_from=new.valid_from).order_by("-id").first()
    if superseded and superseded.rate == new.rate:
        raise Duplicate(f"This counts from that date already: {superseded}.", attr="valid_from")
    if superseded and not new.reason:
        raise Invalid(f"Please say why: it supersedes the {superseded}.", attr="reason")
    today = clock.business_date(clock.now())
    answers = confirmations.require(unlikely_gst_rate(new.rate, new.valid_from, today=today))
    if superseded:
        announce(superseded)
    return create_recorded(actor=actor, action="invoices.gst_rate.created", new=new, answers=answers)
