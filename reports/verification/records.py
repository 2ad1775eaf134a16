"""Numbers, documents and evidence."""

from collections import defaultdict
from itertools import islice
from typing import Any

from django.apps import apps
from django.db.models import (
    Count,
    IntegerField,
    Max,
    Min,
)
from django.db.models.functions import Left

from audit.models import AuditLog
from customers.models import Customer
from customers.services import CODE_PREFIX
from distribution.models import Distribution
from distribution.services import NUMBER_PREFIX as DISTRIBUTION_PREFIX
from foundation.columns import beyond_columns, no_json
from foundation.entities import entity_name
from foundation.ledger import guards
from foundation.unreadable import UnreadableRecord
from inventory.models import Count as StockCount
from inventory.models import DepotWork, Inventory, StockMovement, VehicleTransfer
from inventory.services import COUNT_PREFIX, TRANSFER_PREFIX, WORK_PREFIX
from invoices import documents
from invoices.errors import StorageUnavailable
from invoices.models import Invoice
from invoices.selectors import orphaned_documents
from invoices.services import NUMBER_PREFIX as INVOICE_PREFIX
from payments.models import CashCount, CashExpense, Payment
from payments.services import CASH_COUNT_PREFIX
from reports.verification.figures import Breaks, Watch
from sequences.models import Sequence, Ticket
from settlements.models import Settlement
from settlements.services import NUMBER_PREFIX as SETTLEMENT_PREFIX
from transactions.models import (
    MeterReplacement,
    Transaction,
)
from transactions.services import NUMBER_PREFIX as TRANSACTION_PREFIX


def numbers_can_be_read(watch: Watch) -> Breaks:
    """SQLite writes any number, and any text, into any column, where the CHECK was left out."""
    for model in apps.get_models():
        # Rows of tasks have no number for a key; they aren't ours.
        if not isinstance(model._meta.pk, IntegerField):
            continue
        for broken, what in (
            (beyond_columns(model), "a number that its column doesn't hold"),
            (no_json(model), "JSON that can't be read"),
        ):
            for window in watch.windows(model) if broken else ():
                for pk in model._default_manager.filter(window & broken).values_list("pk", flat=True):
                    yield f"{model._meta.verbose_name} {pk} has {what}"


_NUMBERED: dict[str, tuple[Any, str]] = {
    TRANSACTION_PREFIX: (Transaction, "transaction_number"),
    INVOICE_PREFIX[Invoice.Kind.TAX_INVOICE]: (Invoice, "invoice_number"),
    INVOICE_PREFIX[Invoice.Kind.CREDIT_NOTE]: (Invoice, "invoice_number"),
    INVOICE_PREFIX[Invoice.Kind.COLLECTION_NOTE]: (Invoice, "invoice_number"),
    DISTRIBUTION_PREFIX: (Distribution, "distribution_number"),
    CODE_PREFIX: (Customer, "customer_code"),
    SETTLEMENT_PREFIX: (Settlement, "settlement_number"),
    WORK_PREFIX: (DepotWork, "work_number"),
    TRANSFER_PREFIX: (VehicleTransfer, "transfer_number"),
    COUNT_PREFIX: (StockCount, "count_number"),
    CASH_COUNT_PREFIX: (CashCount, "count_number"),
}


def numbers_are_complete(watch: Watch) -> Breaks:
    """Per prefix and day: used, free and void numbers are 1 to n, each once, and n is what the counter says."""
    void: dict[int, list[int]] = defaultdict(list)
    for entity, after in AuditLog.objects.filter(action="sequences.number.voided").values_list("entity_id", "after"):
        void[entity].append(after["number"])
    for window in watch.windows(Sequence, step=100):
        for counter in Sequence.objects.filter(window).order_by("date", "prefix"):
            yield from _incomplete(counter, void[counter.pk])
    for prefix, (model, field) in _NUMBERED.items():
        yield from _numbers_without_counter(prefix, model, field)


def _incomplete(counter: Sequence, void: list[int]) -> Breaks:
    model, field = _NUMBERED[counter.prefix]
    free = list(Ticket.objects.filter(prefix=counter.prefix, date=counter.date).values_list("number", flat=True))
    # Between two numbers of the same length: only digits differ, which every collation orders alike.
    used = model.objects.filter(**{f"{field}__gte": f"{counter}-000000", f"{field}__lte": f"{counter}-999999"})
    if _add_up(counter, used.order_by(), field, [*free, *void]):
        return
    numbers = sorted([int(number[-6:]) for number in used.values_list(field, flat=True)] + free + void)
    there = {*numbers}
    missing = islice((number for number in range(1, counter.last_number + 1) if number not in there), 5)
    surplus = sorted({number for number in numbers if number > counter.last_number or numbers.count(number) > 1})
    yield f"{counter}: counter at {counter.last_number}, missing {[*missing]}, surplus {surplus[:5]}"


def _add_up(counter: Sequence, used: Any, field: str, unused: list[int]) -> bool:
    """Are there n numbers from 1 to n, none of them twice? The used ones are unique, and are only counted."""
    there = used.aggregate(count=Count("pk"), first=Min(field), last=Max(field))
    if there["count"] + len(unused) != counter.last_number or len({*unused}) != len(unused):
        return False
    ends = [int(number[-6:]) for number in (there["first"], there["last"]) if number]
    if not all(1 <= number <= counter.last_number for number in (*ends, *unused)):
        return False
    return not used.filter(**{f"{field}__in": [f"{counter}-{number:06d}" for number in unused]}).exists()


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


def documents_are_stored(watch: Watch) -> Breaks:
    for window in watch.windows(Invoice, step=2_000):
        for invoice in Invoice.objects.filter(window).only("invoice_number", "pdf_path", "pdf_sha256"):
            try:
                documents.read(invoice.pdf_path, invoice.pdf_sha256)
            except StorageUnavailable:
                yield f"{invoice.invoice_number}: its PDF {invoice.pdf_path} can't be read"
            except UnreadableRecord:
                yield f"{invoice.invoice_number}: its PDF {invoice.pdf_path} was altered"


def no_document_is_an_orphan(watch: Watch) -> Breaks:
    for path in orphaned_documents():
        yield f"{path} belongs to no invoice; `manage.py sweep_documents` removes it"


def everything_is_in_the_audit_log(watch: Watch) -> Breaks:
    sales = Transaction.objects.sales()
    credits = Transaction.objects.filter(corrects__isnull=False)
    voids = Transaction.objects.filter(reverses__isnull=False)
    # What came with a sale stands in its record; what earlier releases paid back with a void, in the void's.
    payments = Payment.objects.filter(is_on_the_spot=False, reverses__isnull=True)
    reversed_payments = Payment.objects.filter(reverses__is_on_the_spot=False)
    counts = StockCount.objects.filter(kind=StockCount.Kind.VEHICLE, settlement__isnull=True)
    counted = counts.filter(status=StockCount.Status.SIGNED_OFF)
    cash = CashCount.objects.filter(settlement__isnull=True)
    handed_in = cash.filter(status=CashCount.Status.SIGNED_OFF)
    expenses = CashExpense.objects.filter(reverses__isnull=True)
    reversed_expenses = CashExpense.objects.filter(reverses__isnull=False)
    settled = Settlement.objects.filter(status=Settlement.Status.SIGNED_OFF)
    confirmed = Distribution.objects.filter(status=Distribution.Status.CONFIRMED)
    corrections = StockMovement.objects.filter(kind=StockMovement.Kind.CORRECTION, cause_type=entity_name(Inventory))
    for entities, entity_type, key, action in (
        (sales, Transaction, "pk", "transactions.sale.recorded"),
        (voids, Transaction, "reverses_id", "transactions.sale.voided"),
        (credits, Transaction, "pk", "transactions.sale.credited"),
        (payments.filter(is_goodwill=False), Payment, "pk", ("invoices.payment.recorded", "payments.credit.paid_out")),
        (payments.filter(is_goodwill=True), Payment, "pk", "payments.goodwill.refunded"),
        (reversed_payments, Payment, "reverses_id", "invoices.payment.reversed"),
        (Payment.objects.filter(banked_on__isnull=False), Payment, "pk", "payments.payment.banked"),
        (Payment.objects.filter(bounced_on__isnull=False), Payment, "pk", "payments.cheque.bounced"),
        (Settlement.objects, Settlement, "pk", "transactions.settlement.counted"),
        (DepotWork.objects.filter(reverses=None), DepotWork, "pk", "inventory.depot_work.recorded"),
        (DepotWork.objects.exclude(reverses=None), DepotWork, "reverses_id", "inventory.depot_work.reversed"),
        (VehicleTransfer.objects, VehicleTransfer, "pk", "inventory.vehicle_transfer.recorded"),
        (counts, StockCount, "pk", "inventory.count.recorded"),
        (counted, StockCount, "pk", "inventory.count.signed_off"),
        (cash, CashCount, "pk", "payments.cash_count.recorded"),
        (handed_in, CashCount, "pk", "payments.cash_count.signed_off"),
        (expenses, CashExpense, "pk", "payments.expense.recorded"),
        (reversed_expenses, CashExpense, "reverses_id", "payments.expense.reversed"),
        (settled, Settlement, "pk", "transactions.settlement.signed_off"),
        (MeterReplacement.objects, Customer, "customer_id", "transactions.meter.replaced"),
        (Distribution.objects, Distribution, "pk", "distribution.created"),
        (confirmed, Distribution, "pk", "distribution.confirmed"),
        (corrections, Inventory, "cause_id", "inventory.balance.corrected"),
    ):
        actions = (action,) if isinstance(action, str) else action
        evidence = AuditLog.objects.filter(entity_type=entity_name(entity_type), action__in=actions).order_by()
        for window in watch.windows(entities.model):
            wanted = set(entities.filter(window).order_by().values_list(key, flat=True))
            if not wanted:
                continue
            told = evidence.filter(entity_id__gte=min(wanted), entity_id__lte=max(wanted))
            for pk in sorted(wanted - set(told.values_list("entity_id", flat=True))):
                yield f"{entity_type._meta.verbose_name} {pk} has no {' or '.join(actions)}"


def ledgers_are_guarded(watch: Watch) -> Breaks:
    for name in guards.missing():
        yield f"the trigger {name} is missing, or is not what it should be; `manage.py migrate` puts it back"
