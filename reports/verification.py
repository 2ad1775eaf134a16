"""The proof that the books are right: every invariant, checked on the live data, read-only.

Each check yields a sentence for each break that it finds, and nothing where all is well. The database compares
and answers with broken rows alone, a window of primary keys at a time, so that neither memory nor a statement
grows with history.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any, Protocol

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    DecimalField,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Left, Round
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual

from audit.models import AuditLog
from core import guards
from customers.models import Customer
from customers.services import CODE_PREFIX
from distribution.models import Distribution, DistributionItem
from distribution.services import NUMBER_PREFIX as DISTRIBUTION_PREFIX
from inventory.models import VIRTUAL_KINDS, Inventory, StockMovement
from invoices import documents
from invoices.errors import StorageUnavailable
from invoices.models import Invoice
from invoices.selectors import orphaned_documents
from invoices.services import NUMBER_PREFIX as INVOICE_PREFIX
from sequences.models import Sequence, Ticket
from transactions.models import Transaction, TransactionItem
from transactions.services import NUMBER_PREFIX as TRANSACTION_PREFIX

Breaks = Iterator[str]


class Watch(Protocol):
    """Whoever watches how far a check has come."""

    def windows(self, model: Any, key: str = "pk", step: int = 20_000) -> Iterator[Q]:
        """Conditions that cut a model's rows into windows of primary keys; ``key`` is what holds that key."""


_NUMBER = BigIntegerField()
_DECIMAL = DecimalField(max_digits=18, decimal_places=2)
_SAID = ("subtotal", "gst_amount", "total_amount")

_NUMBERED: dict[str, tuple[Any, str]] = {
    TRANSACTION_PREFIX: (Transaction, "transaction_number"),
    INVOICE_PREFIX[Invoice.Kind.TAX_INVOICE]: (Invoice, "invoice_number"),
    INVOICE_PREFIX[Invoice.Kind.CREDIT_NOTE]: (Invoice, "invoice_number"),
    DISTRIBUTION_PREFIX: (Distribution, "distribution_number"),
    CODE_PREFIX: (Customer, "customer_code"),
}


def balances_are_sums_of_movements(watch: Watch) -> Breaks:
    sums: dict[tuple[int, int, str], int] = defaultdict(int)
    for end, sign in (("to", 1), ("from", -1)):
        key = (f"{end}_location_id", "equipment_id", f"{end}_condition")
        for *where, total in (
            StockMovement.objects.order_by().values_list(*key).annotate(total=Sum("quantity")).iterator(2_000)
        ):
            sums[tuple(where)] += sign * total
    for location, equipment, condition, quantity in Inventory.objects.values_list(
        "location_id", "equipment_id", "condition", "quantity"
    ).iterator(2_000):
        moved = sums.pop((location, equipment, condition), 0)
        if moved != quantity:
            yield f"location {location}, equipment {equipment} {condition}: balance {quantity}, movements {moved}"
    for (location, equipment, condition), moved in sums.items():
        if moved:
            yield f"location {location}, equipment {equipment} {condition}: no balance, movements {moved}"


def cylinders_are_conserved(watch: Watch) -> Breaks:
    totals = Inventory.objects.order_by().values_list("equipment__sku").annotate(total=Sum("quantity"))
    for sku, total in totals:
        if total:
            yield f"{sku}: all locations together hold {total}, not 0"


def no_real_balance_is_negative(watch: Watch) -> Breaks:
    for row in Inventory.objects.exclude(location__kind__in=VIRTUAL_KINDS).filter(
        Q(quantity__lt=0) | Q(may_be_negative=True)
    ):
        yield f"balance {row.pk} of location {row.location_id}: {row.quantity}"


def amounts_add_up(watch: Watch) -> Breaks:
    for window in watch.windows(Transaction, "transaction_id"):
        yield from _broken_lines(window)
    for window in watch.windows(Transaction):
        yield from _broken_sales(window)


def _broken_lines(window: Q) -> Breaks:
    """A line amounts to quantity x rate; what a RETURN pays back is negative."""
    sign = Case(When(type=TransactionItem.Type.RETURN, then=Value(-1)), default=Value(1))
    right = Q(amount_cents=F("owed"))
    lines = TransactionItem.objects.filter(window).annotate(
        amount_cents=_whole("amount", 100), owed=sign * F("quantity") * _whole("rate", 100)
    )
    for line in lines.annotate(wrong=_unless(right)).filter(wrong=1).select_related("transaction"):
        yield (
            f"{line.transaction.transaction_number}: line {line.pk} amounts to {line.amount}, "
            f"not {line.quantity} x {line.rate}"
        )


def _broken_sales(window: Q) -> Breaks:
    """Items, usage and total of a sale, and what its invoice makes of them."""
    sales = (
        Transaction.objects.filter(window)
        .order_by()
        .values("transaction_number", "invoice__invoice_number")
        .annotate(
            lines=_line_cents(),
            taxed_lines=_line_cents(taxable=True),
            items=_whole("items_amount", 100),
            used=_whole("usage", 100),
            read=Coalesce(
                _whole("current_meter_reading", 100) - _whole("last_meter_reading", 100), 0, output_field=_NUMBER
            ),
            unit=Coalesce(_whole("meter_rate", 10_000), 0, output_field=_NUMBER),
            metered=_whole("usage_amount", 100),
            total=_whole("total_amount", 100),
            billed=_whole("invoice__subtotal", 100),
            gst_rate=_whole("invoice__gst_rate", 100),
            gst=_whole("invoice__gst_amount", 100),
            owed=_whole("invoice__total_amount", 100),
        )
        .annotate(taxable=F("metered") + F("taxed_lines"))
    )
    says = {name: KeyTextTransform(name, "invoice__snapshot") for name in ("number", "transaction_number")}
    says_cents = {name: _whole(Cast(KeyTextTransform(name, "invoice__snapshot"), _DECIMAL), 100) for name in _SAID}
    rules = {
        "items amount {items}, lines add up to {lines}": Q(items=F("lines")),
        "usage {used}, readings say {read}": Q(used=F("read")),
        "usage amount {metered}, usage {used} at {unit} / 100": _is_rounded("metered", F("used") * F("unit"), 10_000),
        "total {total}, {metered} + {items}": Q(total=F("metered") + F("items")),
        "{invoice__invoice_number} bills {billed}, the sale {total}": Q(billed=F("total")),
        "{invoice__invoice_number}: GST {gst} on {taxable} at {gst_rate} %": _is_rounded(
            "gst", F("taxable") * F("gst_rate"), 10_000
        ),
        "{invoice__invoice_number}: total {owed}, {billed} + {gst}": Q(owed=F("billed") + F("gst")),
        "{invoice__invoice_number}: the document says something else than the row": Q(
            invoice__invoice_number=says["number"],
            transaction_number=says["transaction_number"],
            billed=says_cents["subtotal"],
            gst=says_cents["gst_amount"],
            owed=says_cents["total_amount"],
        ),
    }
    flags = {f"wrong_{number}": _unless(rule) for number, rule in enumerate(rules.values())}
    any_wrong = reduce(or_, (Q(**{flag: 1}) for flag in flags))
    for sale in sales.annotate(**flags).filter(any_wrong):
        shown = {name: _in_dollars(value) for name, value in sale.items()}
        for flag, text in zip(flags, rules, strict=True):
            if sale[flag]:
                yield f"{sale['transaction_number']}: {text.format(**shown)}"


def every_invoice_has_its_sale(watch: Watch) -> Breaks:
    for number in Invoice.objects.filter(transaction__isnull=True).values_list("invoice_number", flat=True):
        yield f"{number} bills no transaction"


def meter_chains_are_unbroken(watch: Watch) -> Breaks:
    readings = Transaction.objects.filter(current_meter_reading__isnull=False)
    before = readings.filter(customer=OuterRef("customer"), pk__lt=OuterRef("pk")).order_by("-pk")
    previous = Subquery(before.values("current_meter_reading")[:1])
    for window in watch.windows(Transaction):
        broken = (
            readings.filter(window)
            .annotate(previous=previous)
            .filter(
                Q(previous__isnull=False) & (Q(last_meter_reading__isnull=True) | ~Q(last_meter_reading=F("previous")))
            )
        )
        for sale in broken:
            yield (
                f"{sale.transaction_number} starts at {sale.last_meter_reading}, the reading before was {sale.previous}"
            )
    latest = readings.filter(customer=OuterRef("pk")).order_by("-pk").values("current_meter_reading")[:1]
    for window in watch.windows(Customer):
        for customer in (
            Customer.objects.filter(window)
            .annotate(read=Subquery(latest))
            .filter(Q(read__isnull=False) & (Q(last_meter_reading__isnull=True) | ~Q(last_meter_reading=F("read"))))
        ):
            stands, read = customer.last_meter_reading, customer.read
            yield f"{customer.customer_code} stands at {stands}, its last sale read {read}"


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
    missing = sorted(set(range(1, counter.last_number + 1)) - set(numbers))
    surplus = sorted({number for number in numbers if number > counter.last_number or numbers.count(number) > 1})
    yield f"{counter}: counter at {counter.last_number}, missing {missing[:5]}, surplus {surplus[:5]}"


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
                pdf = documents.read(invoice.pdf_path)
            except StorageUnavailable:
                yield f"{invoice.invoice_number}: its PDF {invoice.pdf_path} can't be read"
                continue
            if hashlib.sha256(pdf).hexdigest() != invoice.pdf_sha256:
                yield f"{invoice.invoice_number}: its PDF {invoice.pdf_path} was altered"


def no_document_is_an_orphan(watch: Watch) -> Breaks:
    for path in orphaned_documents():
        yield f"{path} belongs to no invoice; `manage.py sweep_documents` removes it"


def movements_are_those_of_their_documents(watch: Watch) -> Breaks:
    """Of each equipment as many pieces were moved as the document's lines say."""
    kind = TransactionItem.Type
    pieces = Case(
        When(type__in=(kind.SALE, kind.RETURN), then=F("quantity")),
        When(type=kind.SWAP, then=F("quantity") * 2),
        default=Value(0),
    )
    # A void takes the goods back or leaves them, and says which.
    sold = TransactionItem.objects.filter(transaction__reverses__isnull=True)
    voids = Transaction.objects.filter(reverses__isnull=False)
    yield from _other_movements(watch, Transaction, "transaction_id", sold, pieces, ignoring=voids)
    loaded = DistributionItem.objects.filter(distribution__status=Distribution.Status.CONFIRMED)
    yield from _other_movements(
        watch, Distribution, "distribution_id", loaded, F("quantity"), ignoring=Distribution.objects.none()
    )


def _other_movements(watch: Watch, document: Any, key: str, lines: Any, pieces: Any, *, ignoring: Any) -> Breaks:
    causes = StockMovement.objects.filter(cause_type=document._meta.label_lower)
    for by_key, by_cause in zip(watch.windows(document, key), watch.windows(document, "cause_id"), strict=True):
        said = _summed(lines.filter(by_key), key, pieces)
        moved = _summed(causes.filter(by_cause).exclude(cause_id__in=ignoring.values("pk")), "cause_id", F("quantity"))
        for pk, equipment in sorted(said.keys() | moved.keys()):
            wanted, found = said.get((pk, equipment), 0), moved.get((pk, equipment), 0)
            if wanted != found:
                name = document._meta.verbose_name
                yield f"{name} {pk} says {wanted} of equipment {equipment}, {found} were moved"


def _summed(rows: Any, key: str, pieces: Any) -> dict[tuple[int, int], int]:
    """Pieces by document and equipment."""
    grouped = rows.order_by().values_list(key, "equipment_id").annotate(pieces=Sum(pieces))
    return {(pk, equipment): pieces for pk, equipment, pieces in grouped}


def everything_is_in_the_audit_log(watch: Watch) -> Breaks:
    confirmed = Distribution.objects.filter(status=Distribution.Status.CONFIRMED)
    corrections = StockMovement.objects.filter(kind=StockMovement.Kind.CORRECTION)
    for entities, entity_type, key, action in (
        (Transaction.objects, Transaction, "pk", "transactions.sale.recorded"),
        (Distribution.objects, Distribution, "pk", "distribution.created"),
        (confirmed, Distribution, "pk", "distribution.confirmed"),
        (corrections, Inventory, "cause_id", "inventory.balance.corrected"),
    ):
        evidence = AuditLog.objects.filter(entity_type=entity_type._meta.label_lower, action=action).order_by()
        for window in watch.windows(entities.model):
            wanted = set(entities.filter(window).order_by().values_list(key, flat=True))
            if not wanted:
                continue
            told = evidence.filter(entity_id__gte=min(wanted), entity_id__lte=max(wanted))
            for pk in sorted(wanted - set(told.values_list("entity_id", flat=True))):
                yield f"{entity_type._meta.verbose_name} {pk} has no {action}"


def ledgers_are_guarded(watch: Watch) -> Breaks:
    for name in guards.missing():
        yield f"the trigger {name} is missing, or is not what it should be; `manage.py migrate` puts it back"


def _line_cents(**of: bool) -> Coalesce:
    """What the lines of a transaction add up to, in cents."""
    lines = TransactionItem.objects.filter(transaction=OuterRef("pk"), **of).order_by().values("transaction")
    return Coalesce(Subquery(lines.annotate(sum=Sum(_whole("amount", 100))).values("sum")), 0, output_field=_NUMBER)


# --- Whole numbers in SQL -------------------------------------------------------------------------


def _whole(value: Any, scale: int) -> Any:
    """A decimal times ``scale`` as an integer, so that SQLite, which computes decimals as floats, is exact too."""
    return Cast(Round((F(value) if isinstance(value, str) else value) * Value(scale)), _NUMBER)


def _is_rounded(name: str, exact: Any, unit: int) -> Q:
    """Is the integer ``name`` = ``exact`` / ``unit``, rounded half away from zero? Without a division."""
    excess = 2 * exact - 2 * unit * F(name)
    above = Q(GreaterThanOrEqual(exact, 0)) & Q(GreaterThanOrEqual(excess, -unit)) & Q(LessThan(excess, unit))
    below = Q(LessThan(exact, 0)) & Q(GreaterThan(excess, -unit)) & Q(LessThanOrEqual(excess, unit))
    return above | below


def _unless(rule: Q) -> Case:
    """1 where the rule isn't met, also where something is missing."""
    return Case(When(rule, then=Value(0)), default=Value(1))


def _in_dollars(value: Any) -> Any:
    return Decimal(value) / 100 if isinstance(value, int) else value


CHECKS: dict[str, Callable[[Watch], Breaks]] = {
    "Balances are the sums of their movements": balances_are_sums_of_movements,
    "Cylinders are conserved": cylinders_are_conserved,
    "No real balance is below zero": no_real_balance_is_negative,
    "Amounts add up from their lines": amounts_add_up,
    "Movements are those of their documents": movements_are_those_of_their_documents,
    "Every invoice has its sale": every_invoice_has_its_sale,
    "Meter chains are unbroken": meter_chains_are_unbroken,
    "Numbers are complete": numbers_are_complete,
    "Every invoice has its PDF, unaltered": documents_are_stored,
    "No PDF is without an invoice": no_document_is_an_orphan,
    "Everything is in the audit log": everything_is_in_the_audit_log,
    "The database guards the ledgers": ledgers_are_guarded,
}
