"""What customers owe, by how long it is overdue, as of any date.

An invoice's open amount as of a date is what is open today, and what was settled of it since. So only invoices that
are open, or were settled later, are read: an index finds them, however many were ever issued.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q

from accounts.models import User
from core.access import Capability
from core.money import ZERO, sum_of, to_cents
from core.scoping import rows_within
from invoices.models import Allocation, Invoice, Payment
from reports.figures.grouping import by_value
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
)


def receivables(user: User, *, as_of: date, customer: int | None = None) -> Report:
    """By customer: open invoices by days overdue, less what stands to the customer's credit."""
    only = Q() if customer is None else Q(customer=customer)
    mine = rows_within(user, Capability.REPORT_SALES) & only
    rows: dict[int, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for customer_id, due_on, is_credit, amount in open_documents(mine, as_of):
        rows[customer_id]["credit" if is_credit else bucket_of(due_on, as_of)] += amount
    for customer_id, amount in _credits(mine, as_of):
        rows[customer_id]["credit"] -= amount
    names = customer_names(rows)
    table: list[Row] = []
    for pk, row in rows.items():
        figures = {column.name: row[column.name] for column in COLUMNS[2:-1]}
        if any(figures.values()):
            code, name = names[pk]
            table.append({"customer_code": code, "name": name, **figures, "total": sum(figures.values(), ZERO)})
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


def open_documents(of: Q, as_of: date) -> Iterable[tuple[int, date, bool, Decimal]]:
    """Customer, due date, whether it is a credit note, and what was open at the end of a date."""
    settled_since = _allocated_after(as_of, "invoice_id", 1) | {}
    for pk, amount in _allocated_after(as_of, "credit_note_id", -1).items():
        settled_since[pk] = settled_since.get(pk, ZERO) + amount
    documents = Invoice.objects.filter(of, Q(settled_on__isnull=True) | Q(settled_on__gt=as_of), date__lte=as_of)
    fields = documents.order_by().values_list("pk", "customer_id", "due_on", "total_amount", "settled_amount")
    for pk, customer_id, due_on, total, settled in fields.iterator(2_000):
        amount = total - settled + settled_since.get(pk, ZERO)
        if amount:
            yield customer_id, due_on, total < 0, amount


def _credits(of: Q, as_of: date) -> Iterable[tuple[int, Decimal]]:
    used_since = _allocated_after(as_of, "payment_id", 1)
    payments = Payment.objects.filter(of, Q(used_up_on__isnull=True) | Q(used_up_on__gt=as_of), received_on__lte=as_of)
    for pk, customer_id, amount, used in payments.order_by().values_list(
        "pk", "customer_id", "amount", "allocated_amount"
    ):
        yield customer_id, amount - used + used_since.get(pk, ZERO)


def _allocated_after(as_of: date, source: str, sign: int) -> dict[int, Decimal]:
    later: Any = Allocation.objects.filter(date__gt=as_of, **{f"{source}__isnull": False}).order_by()
    settled = later.annotate(key=by_value(source)).values_list("key").annotate(sum=sum_of("amount"))
    return {pk: sign * to_cents(amount) for pk, amount in settled}
