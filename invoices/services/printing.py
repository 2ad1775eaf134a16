"""Documents on paper: one, or a pile of them as one file."""

from collections.abc import Sequence
from datetime import datetime

from accounts.models import User
from audit.services import record
from foundation import clock
from foundation.commands import command
from foundation.errors import UnknownReference
from foundation.operations.idempotency import idempotent
from invoices import documents, locks
from invoices.models import Invoice


@command
@idempotent
def mark_printed(*, actor: User, invoice_id: int) -> Invoice:
    """Note that the document was handed over on paper; the first time counts. Locks the invoice."""
    invoice = locks.invoice(invoice_id)
    _mark(actor, invoice, clock.now())
    return invoice


@command
def print_batch(*, actor: User, invoice_ids: Sequence[int]) -> bytes:
    """One PDF of the documents, in the given order, each marked as printed; stamped where something was taken back.

    Locks the invoices in primary-key order. Raises UnknownReference for one that the actor may not see,
    StorageUnavailable, UnreadableRecord.
    """
    visible = set(Invoice.objects.visible_to(actor).filter(pk__in=invoice_ids).values_list("pk", flat=True))
    for index, pk in enumerate(invoice_ids):
        if pk not in visible:
            raise UnknownReference(pk, attr=f"invoices.{index}", what="invoice")
    rows = {invoice.pk: invoice for invoice in locks.invoices(invoice_ids)}
    pdf = documents.merged(rows[pk] for pk in dict.fromkeys(invoice_ids))
    now = clock.now()
    for invoice in rows.values():
        _mark(actor, invoice, now)
    return pdf


def _mark(actor: User, invoice: Invoice, now: datetime) -> None:
    before = {"status": invoice.status, "printed_at": invoice.printed_at}
    if invoice.printed_at is None:
        invoice.printed_at = now
        invoice.status = invoice.furthest_status()
        invoice.save(update_fields=["printed_at", "status"])
    record(
        actor=actor,
        action="invoices.invoice.printed",
        target=invoice,
        before=before,
        after={"status": invoice.status, "printed_at": invoice.printed_at},
    )
