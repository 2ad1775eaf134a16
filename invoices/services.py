"""Issuing documents, and the little that happens to them afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings

from accounts.models import User
from audit.services import create_recorded, record
from core import clock
from core.commands import command
from core.money import to_cents
from customers.models import Customer
from invoices import documents, locks
from invoices.models import GstRate, Invoice
from invoices.rendering import render_invoice
from invoices.snapshot import Correction, InvoiceSnapshot, Line, MeterUsage, Party

NUMBER_PREFIX = {Invoice.Kind.TAX_INVOICE: "INV", Invoice.Kind.CREDIT_NOTE: "CN"}


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

    @property
    def gst_amount(self) -> Decimal:
        return to_cents(self.taxable_amount * self.gst_rate / 100)

    @property
    def kind(self) -> Invoice.Kind:
        """A refund's document is a credit note; everything else is billed by a tax invoice."""
        return Invoice.Kind.CREDIT_NOTE if self.subtotal < 0 else Invoice.Kind.TAX_INVOICE

    @property
    def number_prefix(self) -> str:
        return NUMBER_PREFIX[self.kind]


def issue_invoice(*, actor: User, billing: Billing, number: str, transaction_number: str, now: datetime) -> Invoice:
    """Render, store and record one document, in the caller's transaction, under numbers taken there.

    Raises StorageUnavailable. The caller's audit record covers the invoice too.
    """
    day = clock.business_date(now)
    customer = billing.customer
    due_on = day + timedelta(days=customer.payment_terms_days)
    snapshot = InvoiceSnapshot(
        kind=billing.kind,
        number=number,
        transaction_number=transaction_number,
        issued_at=now.astimezone(clock.SINGAPORE),
        occurred_at=billing.occurred_at.astimezone(clock.SINGAPORE),
        due_on=due_on,
        supplier=Party(**settings.COMPANY),
        customer=Party(
            name=customer.name,
            address=customer.address,
            postal_code=customer.postal_code,
            uen=customer.uen,
            gst_registration_no=customer.gst_registration_no,
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
        total_amount=billing.subtotal + billing.gst_amount,
        payment_type=customer.payment_type,
        payment_terms_days=customer.payment_terms_days,
        payment_received=billing.payment_received,
        served_by=actor.get_full_name(),
        vehicle_no=billing.vehicle_no,
        remarks=billing.remarks,
        corrects=billing.corrects,
    )
    document = documents.store(render_invoice(snapshot), number=number, day=day)
    return Invoice.objects.create(
        invoice_number=number,
        kind=billing.kind,
        customer=customer,
        user=actor,
        status=Invoice.Status.PAID if billing.payment_received else Invoice.Status.GENERATED,
        subtotal=snapshot.subtotal,
        gst_rate=snapshot.gst_rate,
        gst_amount=snapshot.gst_amount,
        total_amount=snapshot.total_amount,
        snapshot=snapshot.to_json(),
        pdf_path=document.path,
        pdf_sha256=document.sha256,
        generated_at=now,
        date=day,
        due_on=due_on,
        paid_at=billing.occurred_at if billing.payment_received else None,
    )


@command
def mark_printed(*, actor: User, invoice_id: int) -> Invoice:
    """Note that the document was handed over on paper; the first time counts. Locks the invoice."""
    invoice = locks.invoice(invoice_id)
    before = {"status": invoice.status, "printed_at": invoice.printed_at}
    if invoice.printed_at is None:
        invoice.printed_at = clock.now()
        if invoice.status == Invoice.Status.GENERATED:
            invoice.status = Invoice.Status.PRINTED
        invoice.save(update_fields=["printed_at", "status"])
    record(
        actor=actor,
        action="invoices.invoice.printed",
        target=invoice,
        before=before,
        after={"status": invoice.status, "printed_at": invoice.printed_at},
    )
    return invoice


@command
def add_gst_rate(*, actor: User, values: Mapping[str, Any]) -> GstRate:
    """A new rate from a date on; those before it stay. Raises Duplicate for a second one from the same date."""
    return create_recorded(actor=actor, action="invoices.gst_rate.created", new=GstRate(**values))
