"""The proof that the books are right: every invariant, checked on the live data, read-only.

Each check yields a sentence for each break that it finds, and nothing where all is well. Rows are read
in chunks of primary keys, so that memory stays bounded on any database.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from django.db.models import Exists, F, Min, OuterRef, Q, Subquery, Sum, Window
from django.db.models.functions import Lag, Left

from audit.models import AuditLog
from core import guards
from core.money import ZERO, to_cents
from customers.models import Customer
from customers.services import CODE_PREFIX
from distribution.models import Distribution
from distribution.services import NUMBER_PREFIX as DISTRIBUTION_PREFIX
from inventory.models import VIRTUAL_KINDS, Inventory, StockMovement
from invoices import documents
from invoices.errors import StorageUnavailable
from invoices.models import Invoice
from invoices.selectors import orphaned_documents
from invoices.services import NUMBER_PREFIX as INVOICE_PREFIX
from invoices.snapshot import InvoiceSnapshot
from sequences.models import Sequence, Ticket
from transactions.models import Transaction, TransactionItem
from transactions.services import NUMBER_PREFIX as TRANSACTION_PREFIX

Breaks = Iterator[str]

CHUNK = 2_000
_NUMBERED: dict[str, tuple[Any, str]] = {
    TRANSACTION_PREFIX: (Transaction, "transaction_number"),
    INVOICE_PREFIX[Invoice.Kind.TAX_INVOICE]: (Invoice, "invoice_number"),
    INVOICE_PREFIX[Invoice.Kind.CREDIT_NOTE]: (Invoice, "invoice_number"),
    DISTRIBUTION_PREFIX: (Distribution, "distribution_number"),
    CODE_PREFIX: (Customer, "customer_code"),
}


def balances_are_sums_of_movements() -> Breaks:
    sums: dict[tuple[int, int, str], int] = defaultdict(int)
    for end, sign in (("to", 1), ("from", -1)):
        key = (f"{end}_location_id", "equipment_id", f"{end}_condition")
        for *where, total in (
            StockMovement.objects.order_by().values_list(*key).annotate(total=Sum("quantity")).iterator(CHUNK)
        ):
            sums[tuple(where)] += sign * total
    for location, equipment, condition, quantity in Inventory.objects.values_list(
        "location_id", "equipment_id", "condition", "quantity"
    ).iterator(CHUNK):
        moved = sums.pop((location, equipment, condition), 0)
        if moved != quantity:
            yield f"location {location}, equipment {equipment} {condition}: balance {quantity}, movements {moved}"
    for (location, equipment, condition), moved in sums.items():
        if moved:
            yield f"location {location}, equipment {equipment} {condition}: no balance, movements {moved}"


def cylinders_are_conserved() -> Breaks:
    totals = Inventory.objects.order_by().values_list("equipment__sku").annotate(total=Sum("quantity"))
    for sku, total in totals:
        if total:
            yield f"{sku}: all locations together hold {total}, not 0"


def no_real_balance_is_negative() -> Breaks:
    for row in Inventory.objects.exclude(location__kind__in=VIRTUAL_KINDS).filter(
        Q(quantity__lt=0) | Q(may_be_negative=True)
    ):
        yield f"balance {row.pk} of location {row.location_id}: {row.quantity}"


def amounts_add_up() -> Breaks:
    for chunk in _chunks(Transaction.objects.select_related("invoice")):
        lines: dict[int, list[TransactionItem]] = defaultdict(list)
        for item in TransactionItem.objects.filter(transaction_id__gte=chunk[0].pk, transaction_id__lte=chunk[-1].pk):
            lines[item.transaction_id].append(item)
        for sale in chunk:
            for problem in _sale_problems(sale, lines[sale.pk]):
                yield f"{sale.transaction_number}: {problem}"


def _sale_problems(sale: Transaction, lines: list[TransactionItem]) -> Breaks:
    for line in lines:
        sign = -1 if line.type == TransactionItem.Type.RETURN else 1
        if line.amount != to_cents(sign * line.quantity * line.rate):
            yield f"line {line.pk} amounts to {line.amount}, not {line.quantity} x {line.rate}"
    items_amount = sum((line.amount for line in lines), ZERO)
    if sale.items_amount != items_amount:
        yield f"items amount {sale.items_amount}, lines add up to {items_amount}"
    last, current = sale.last_meter_reading, sale.current_meter_reading
    usage = current - last if current is not None and last is not None else ZERO
    if sale.usage != usage:
        yield f"usage {sale.usage}, readings {last} to {current}"
    if sale.usage_amount != to_cents(usage * (sale.meter_rate or ZERO)):
        yield f"usage amount {sale.usage_amount}, {usage} x {sale.meter_rate}"
    if sale.total_amount != sale.usage_amount + sale.items_amount:
        yield f"total {sale.total_amount}, {sale.usage_amount} + {sale.items_amount}"
    yield from _invoice_problems(
        sale.invoice, sale, sale.usage_amount + sum((line.amount for line in lines if line.taxable), ZERO)
    )


def _invoice_problems(invoice: Invoice, sale: Transaction, taxable: Decimal) -> Breaks:
    if invoice.subtotal != sale.total_amount:
        yield f"{invoice.invoice_number} bills {invoice.subtotal}, the sale {sale.total_amount}"
    if invoice.gst_amount != to_cents(taxable * invoice.gst_rate / 100):
        yield f"{invoice.invoice_number}: GST {invoice.gst_amount} on {taxable} at {invoice.gst_rate} %"
    if invoice.total_amount != invoice.subtotal + invoice.gst_amount:
        yield f"{invoice.invoice_number}: total {invoice.total_amount}, {invoice.subtotal} + {invoice.gst_amount}"
    says = InvoiceSnapshot.from_json(invoice.snapshot)
    if (says.number, says.transaction_number, says.subtotal, says.gst_amount, says.total_amount) != (
        invoice.invoice_number,
        sale.transaction_number,
        invoice.subtotal,
        invoice.gst_amount,
        invoice.total_amount,
    ):
        yield f"{invoice.invoice_number}: the document says something else than the row"


def every_invoice_has_its_sale() -> Breaks:
    for number in Invoice.objects.filter(transaction__isnull=True).values_list("invoice_number", flat=True):
        yield f"{number} bills no transaction"


def meter_chains_are_unbroken() -> Breaks:
    readings = Transaction.objects.filter(current_meter_reading__isnull=False)
    previous = Window(Lag("current_meter_reading"), partition_by=F("customer_id"), order_by=F("id").asc())
    broken = readings.annotate(previous=previous).filter(
        Q(previous__isnull=False) & (Q(last_meter_reading__isnull=True) | ~Q(last_meter_reading=F("previous")))
    )
    for sale in broken:
        yield f"{sale.transaction_number} starts at {sale.last_meter_reading}, the reading before was {sale.previous}"
    latest = readings.filter(customer=OuterRef("pk")).order_by("-id").values("current_meter_reading")[:1]
    for customer in Customer.objects.annotate(read=Subquery(latest)).filter(
        Q(read__isnull=False) & (Q(last_meter_reading__isnull=True) | ~Q(last_meter_reading=F("read")))
    ):
        yield f"{customer.customer_code} stands at {customer.last_meter_reading}, its last sale read {customer.read}"


def numbers_are_complete() -> Breaks:
    """Per prefix and day: used, free and void numbers are 1 to n, each once, and n is what the counter says."""
    void: dict[int, list[int]] = defaultdict(list)
    for entity, after in AuditLog.objects.filter(action="sequences.number.voided").values_list("entity_id", "after"):
        void[entity].append(after["number"])
    for counter in Sequence.objects.order_by("date", "prefix").iterator(CHUNK):
        model, field = _NUMBERED[counter.prefix]
        # Between two numbers of the same length: only digits differ, which every collation orders alike.
        used = model.objects.filter(
            **{f"{field}__gte": f"{counter}-000000", f"{field}__lte": f"{counter}-999999"}
        ).values_list(field, flat=True)
        free = Ticket.objects.filter(prefix=counter.prefix, date=counter.date).values_list("number", flat=True)
        numbers = sorted([int(number[-6:]) for number in used] + [*free] + void[counter.pk])
        if numbers != list(range(1, counter.last_number + 1)):
            missing = sorted(set(range(1, counter.last_number + 1)) - set(numbers))
            surplus = sorted(
                {number for number in numbers if number > counter.last_number or numbers.count(number) > 1}
            )
            yield f"{counter}: counter at {counter.last_number}, missing {missing[:5]}, surplus {surplus[:5]}"
    for prefix, (model, field) in _NUMBERED.items():
        yield from _numbers_without_counter(prefix, model, field)


def _numbers_without_counter(prefix: str, model: Any, field: str) -> Breaks:
    known = {str(counter) for counter in Sequence.objects.filter(prefix=prefix)}
    seen = (
        model.objects.filter(**{f"{field}__startswith": f"{prefix}-"})
        .order_by()
        .annotate(stem=Left(field, len(prefix) + 9))
        .values("stem")
        .annotate(first=Min(field))
    )
    for row in seen:
        if row["stem"] not in known and row["first"][len(row["stem"]) : len(row["stem"]) + 1] == "-":
            yield f"{row['first']}: there is no counter {row['stem']}"


def documents_are_stored() -> Breaks:
    for chunk in _chunks(Invoice.objects.only("invoice_number", "pdf_path", "pdf_sha256")):
        for invoice in chunk:
            try:
                pdf = documents.read(invoice.pdf_path)
            except StorageUnavailable:
                yield f"{invoice.invoice_number}: its PDF {invoice.pdf_path} can't be read"
                continue
            if hashlib.sha256(pdf).hexdigest() != invoice.pdf_sha256:
                yield f"{invoice.invoice_number}: its PDF {invoice.pdf_path} was altered"


def no_document_is_an_orphan() -> Breaks:
    for path in orphaned_documents():
        yield f"{path} belongs to no invoice; `manage.py sweep_documents` removes it"


def everything_is_in_the_audit_log() -> Breaks:
    confirmed = Distribution.objects.filter(status=Distribution.Status.CONFIRMED)
    corrections = StockMovement.objects.filter(kind=StockMovement.Kind.CORRECTION)
    for entities, entity_type, key, action in (
        (Transaction.objects, Transaction, "pk", "transactions.sale.recorded"),
        (Distribution.objects, Distribution, "pk", "distribution.created"),
        (confirmed, Distribution, "pk", "distribution.confirmed"),
        (corrections, Inventory, "cause_id", "inventory.balance.corrected"),
    ):
        evidence = AuditLog.objects.filter(
            entity_type=entity_type._meta.label_lower, entity_id=OuterRef(key), action=action
        )
        for entity in entities.filter(~Exists(evidence)).iterator(CHUNK):
            yield f"{entity._meta.verbose_name} {entity.pk} ({entity}) has no {action}"


def ledgers_are_guarded() -> Breaks:
    for name in guards.missing():
        yield f"the trigger {name} is missing, or is not what it should be; `manage.py migrate` puts it back"


def _chunks(queryset: Any) -> Iterator[list[Any]]:
    last = 0
    while rows := list(queryset.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        yield rows
        last = rows[-1].pk


CHECKS: dict[str, Callable[[], Breaks]] = {
    "Balances are the sums of their movements": balances_are_sums_of_movements,
    "Cylinders are conserved": cylinders_are_conserved,
    "No real balance is below zero": no_real_balance_is_negative,
    "Amounts add up from their lines": amounts_add_up,
    "Every invoice has its sale": every_invoice_has_its_sale,
    "Meter chains are unbroken": meter_chains_are_unbroken,
    "Numbers are complete": numbers_are_complete,
    "Every invoice has its PDF, unaltered": documents_are_stored,
    "No PDF is without an invoice": no_document_is_an_orphan,
    "Everything is in the audit log": everything_is_in_the_audit_log,
    "The database guards the ledgers": ledgers_are_guarded,
}
