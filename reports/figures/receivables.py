"""What customers owe, by how long it is overdue, as of any date.

An invoice's open amount as of a date is what is open today, and what was settled of it since. So only invoices that
are open, or were settled later, are read: an index finds them, however many were ever issued. All goes by the day on
which it was recorded: what was owed on a day that has passed never changes.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q

from accounts.models import User
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.infrastructure.expressions import by_value
from foundation.money import ZERO, sum_of, to_cents
from invoices.models import Invoice
from payments.models import Allocation, Payment
from reports.figures.names import customer_names
from reports.report import Column, Report, Row, money

BUCKETS = (
    ("current", "Not due", 0),
    ("days_1_30", "1–30 days", 30),
    ("days_31_60", "31–60 days", 60),
    ("days_61_90", "61–90 days", 90),
)
"""Days overdue, up to and with; beyond: the last one."""
OLDEST = ("days_over_90", "Over 90 days")

COLUMNS = (
    Column("customer_code", "Customer"),
    Column("name", "Name"),
    *(money(name, label) for name, label, _ in BUCKETS),
    money(*OLDEST),
    money("credit", "Credit"),
    money("total", "Owed"),
    money("entered_later", "Received by then, entered later"),
)


def receivables(user: User, *, as_of: date, customer: int | None = None) -> Report:
    """By customer: what is owed by days overdue, less what stands to the customer's credit.

    Beside it what had come in by then (or gone out) for it and was entered later: it isn't part of what is owed.
    """
    only = Q() if customer is None else Q(customer=customer)
    mine = rows_within(user, Capability.REPORT_SALES) & only
    rows: dict[int, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for customer_id, due_on, amount in open_items(mine, as_of):
        rows[customer_id][bucket_of(due_on, as_of) if amount > 0 else "credit"] += amount
    for customer_id, amount in _entered_later(mine, as_of):
        rows[customer_id]["entered_later"] += amount
    names = customer_names(rows)
    table: list[Row] = []
    for pk, row in rows.items():
        owed = {column.name: row[column.name] for column in COLUMNS[2:-2]}
        later = row["entered_later"]
        if any(owed.values()) or later:
            code, name = names[pk]
            figures = {**owed, "total": sum(owed.values(), ZERO), "entered_later": later}
            table.append({"customer_code": code, "name": name, **figures})
    table.sort(key=lambda row: str(row["customer_code"]))
    return Report(
        name="receivables",
        title="Receivables",
        parameters={"as_of": as_of, "customer": customer},
        columns=COLUMNS,
        rows=table,
    )


def bucket_of(due_on: date, as_of: date) -> str:
    days = (as_of - due_on).days
    return next((name for name, _, most in BUCKETS if days <= most), OLDEST[0])


def open_items(of: Q, as_of: date) -> Iterator[tuple[int, date, Decimal]]:
    """Customer, due date, and what was open at the end of a date: of a document, or of money.

    Below zero it is credit: of a credit note, or of a payment. Of what was paid out too much it is owed, since that
    day.
    """
    settled_since = _allocated_after(as_of, "invoice_id", 1)
    for pk, amount in _allocated_after(as_of, "credit_note_id", -1).items():
        settled_since[pk] = settled_since.get(pk, ZERO) + amount
    fields = ("pk", "customer_id", "date", "due_on", "total_amount", "settled_amount")
    for pk, customer_id, day, due_on, total, settled in _still_open(Invoice, "settled_on", of, as_of, fields):
        amount = total - settled + settled_since.get(pk, ZERO)
        if amount and day <= as_of:
            yield customer_id, due_on, amount
    used_since = _allocated_after(as_of, "payment_id", 1)
    for pk, amount in _allocated_after(as_of, "payout_id", -1).items():
        used_since[pk] = used_since.get(pk, ZERO) + amount
    columns = ("pk", "customer_id", "date", "amount", "allocated_amount")
    for pk, customer_id, day, amount, used in _still_open(Payment, "used_up_on", of, as_of, columns):
        credit = amount - used + used_since.get(pk, ZERO)
        if credit and day <= as_of:
            yield customer_id, day, -credit


def _entered_later(of: Q, as_of: date) -> Iterable[tuple[int, Decimal]]:
    """By customer: what came in by a date, less what went out, was recorded after it, and stands.

    Without what settles a document that was recorded after it too: that one wasn't owed by then.
    """
    later: Any = Payment.objects.filter(of, received_on__lte=as_of, date__gt=as_of, is_goodwill=False).order_by()
    later = later.filter(reverses__isnull=True, reversal__isnull=True)
    for customer_id, amount in later.values_list("customer_id").annotate(sum=sum_of("amount")):
        yield customer_id, to_cents(amount)
    beside: Any = Allocation.objects.filter(payment__in=later, invoice__date__gt=as_of).order_by()
    for customer_id, amount in beside.values_list("payment__customer_id").annotate(sum=sum_of("amount")):
        yield customer_id, -to_cents(amount)


def _still_open(model: Any, closed_on: str, of: Q, as_of: date, fields: Sequence[str]) -> Iterator[Any]:
    """Rows that are open today, or were closed after a date. Whether they were there by then, the caller looks.

    Two statements, and no condition on their own date: otherwise a planner reads all rows up to that date. A row that
    is closed between the two is told once. The first of the fields is the primary key.
    """
    seen: set[int] = set()
    for still in (Q(**{f"{closed_on}__isnull": True}), Q(**{f"{closed_on}__gt": as_of})):
        for row in model.objects.filter(of, still).order_by().values_list(*fields).iterator(2_000):
            if row[0] not in seen:
                seen.add(row[0])
                yield row


def _allocated_after(as_of: date, source: str, sign: int) -> dict[int, Decimal]:
    later: Any = Allocation.objects.filter(date__gt=as_of, **{f"{source}__isnull": False}).order_by()
    settled = later.annotate(key=by_value(source)).values_list("key").annotate(sum=sum_of("amount"))
    return {pk: sign * to_cents(amount) for pk, amount in settled}
