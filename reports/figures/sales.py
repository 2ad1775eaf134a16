"""What was billed: by time, by people, by customer, by equipment; and what the GST return asks for.

The books are the sum of all documents: a void counts on its own day, negative. All figures of a period come from
one index of the invoices, but for those by equipment, which come from the lines.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from operator import add
from typing import Any

from django.db import models
from django.db.models import Case, Count, Q, QuerySet, Sum, Value, When

from accounts.models import User
from depots.models import Depot
from equipment.models import Equipment
from foundation.access.capabilities import Capability, Scope
from foundation.access.scoping import rows_within
from foundation.infrastructure.expressions import added_up
from foundation.money import ZERO, sum_of
from invoices.models import Invoice
from payments.selectors import rounded_away
from reports.figures.names import customer_names
from reports.report import Column, Figure, Kind, Report, Row, count, money
from transactions.models import Transaction, TransactionItem

METER = "Gas by meter"
NOWHERE = "–"


class GroupBy(models.TextChoices):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    DEPOT = "depot"
    DRIVER = "driver"
    CUSTOMER = "customer"
    EQUIPMENT = "equipment"


SALES_COLUMNS = (
    Column("key", "Key"),
    Column("name", "Group"),
    count("invoices", "Tax invoices"),
    count("credit_notes", "Credit notes"),
    money("subtotal", "Before GST"),
    money("gst_amount", "GST"),
    money("total_amount", "With GST"),
)
EQUIPMENT_COLUMNS = (
    Column("key", "Key"),
    Column("name", "Equipment"),
    Column("type", "Type"),
    count("quantity", "Pieces"),
    money("subtotal", "Before GST"),
)
GST_COLUMNS = (
    Column("month", "Month"),
    Column("gst_rate", "GST rate (%)", Kind.RATE),
    count("invoices", "Tax invoices"),
    money("invoiced_supplies", "Invoiced supplies"),
    money("invoiced_tax", "Invoiced GST"),
    count("credit_notes", "Credit notes"),
    money("credited_supplies", "Credited supplies"),
    money("credited_tax", "Credited GST"),
    money("standard_rated_supplies", "Standard-rated supplies"),
    money("output_tax", "Output tax"),
    money("outside_gst", "Outside GST (deposits)"),
)


def sales_summary(user: User, *, date_from: date, date_to: date, group_by: GroupBy) -> Report:
    """Documents and amounts of a period, both dates included."""
    by_equipment = group_by is GroupBy.EQUIPMENT
    rows = _by_equipment(user, date_from, date_to) if by_equipment else _by_document(user, date_from, date_to, group_by)
    rounding = rounded_away(rows_within(user, Capability.REPORT_SALES), Q(date__gte=date_from, date__lte=date_to))
    return Report(
        name="sales-summary",
        title=f"Sales by {group_by.label.lower()}",
        parameters={"date_from": date_from, "date_to": date_to, "group_by": group_by.value},
        columns=EQUIPMENT_COLUMNS if by_equipment else SALES_COLUMNS,
        rows=rows,
        figures=[Figure("cash_rounding", "Cash rounding", Kind.MONEY, rounding)],
    )


def gst(user: User, *, date_from: date, date_to: date) -> Report:
    """By month of the tax point and by rate, what the GST return (IRAS form GST F5) asks for.

    Box 1, total value of standard-rated supplies, and box 6, output tax due: both net of credit notes. Deposits are
    no supply and stand beside them.
    """
    cells: dict[tuple[str, Decimal], dict[str, Any]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    documents = (
        _documents(user, date_from, date_to, by="gst_on")
        .values_list("gst_on", "gst_rate", "kind")
        .annotate(
            documents=Count("pk"),
            taxable=sum_of("taxable_amount"),
            gst=sum_of("gst_amount"),
            before_gst=sum_of("subtotal"),
        )
    )
    for day, rate, kind, documents_count, taxable, tax, subtotal in documents:
        cell = cells[f"{day:%Y-%m}", rate]
        what, prefix = ("invoices", "invoiced") if kind == Invoice.Kind.TAX_INVOICE else ("credit_notes", "credited")
        cell[what] += documents_count
        cell[f"{prefix}_supplies"] += taxable
        cell[f"{prefix}_tax"] += tax
        cell["standard_rated_supplies"] += taxable
        cell["output_tax"] += tax
        cell["outside_gst"] += subtotal - taxable
    rows: list[Row] = [
        {
            "month": month,
            "gst_rate": rate,
            **{
                column.name: int(cell[column.name]) if column.kind is Kind.COUNT else cell[column.name]
                for column in GST_COLUMNS[2:]
            },
        }
        for (month, rate), cell in sorted(cells.items())
    ]
    return Report(
        name="gst",
        title=f"GST by month{_whose(user)}",
        parameters={"date_from": date_from, "date_to": date_to},
        columns=GST_COLUMNS,
        rows=rows,
    )


def _whose(user: User) -> str:
    """Of a reader who sees a part of the company alone."""
    match user.scope(Capability.REPORT_SALES):
        case Scope.DEPOT:
            return f" of {user.depot or 'no depot'} alone"
        case Scope.OWN:
            return f" of {user.get_full_name()} alone"
        case _:
            return ""


def _documents(user: User, date_from: date, date_to: date, *, by: str = "date") -> QuerySet[Any]:
    """Those that bill or credit something: a collection note does neither."""
    mine = rows_within(user, Capability.REPORT_SALES) & ~Q(kind=Invoice.Kind.COLLECTION_NOTE)
    return Invoice.objects.filter(mine, **{f"{by}__gte": date_from, f"{by}__lte": date_to}).order_by()


def _by_document(user: User, date_from: date, date_to: date, group_by: GroupBy) -> list[Row]:
    grouping: dict[GroupBy, tuple[str, Callable[[Iterable[Any]], Callable[[Any], tuple[str, str]]]]] = {
        GroupBy.DAY: ("date", lambda _: lambda day: (str(day), str(day))),
        GroupBy.WEEK: ("date", lambda _: _week),
        GroupBy.MONTH: ("date", lambda _: lambda day: (f"{day:%Y-%m}", f"{day:%B %Y}")),
        GroupBy.DRIVER: ("user_id", _drivers),
        GroupBy.DEPOT: ("depot_id", _depots),
        GroupBy.CUSTOMER: ("customer_id", _customers),
    }
    by, naming = grouping[group_by]
    is_invoice = Case(When(kind=Invoice.Kind.TAX_INVOICE, then=Value(1)), default=Value(0))
    found = list(
        _documents(user, date_from, date_to)
        .values_list(by)
        .annotate(
            documents=Count("pk"),
            invoices=Sum(is_invoice),
            before_gst=sum_of("subtotal"),
            gst=sum_of("gst_amount"),
            with_gst=sum_of("total_amount"),
        )
    )
    group_of = naming([key for key, *_ in found])
    groups: dict[tuple[str, str], list[Any]] = defaultdict(lambda: [0, 0, ZERO, ZERO, ZERO])
    for key, documents, invoices, *amounts in found:
        figures = (invoices, documents - invoices, *amounts)
        groups[group_of(key)] = [*map(add, groups[group_of(key)], figures)]
    names = [column.name for column in SALES_COLUMNS[2:]]
    return [
        {"key": key, "name": name, **dict(zip(names, figures, strict=True))}
        for (key, name), figures in sorted(groups.items())
    ]


def _week(day: date) -> tuple[str, str]:
    """ISO 8601 weeks, from Monday."""
    year, week, weekday = day.isocalendar()
    monday = day - timedelta(days=weekday - 1)
    return f"{year}-W{week:02d}", f"Week from {monday}"


def _drivers(pks: Iterable[int]) -> Callable[[int], tuple[str, str]]:
    users = {user.pk: user for user in User.objects.get_queryset().filter(pk__in=pks)}
    return lambda pk: (users[pk].username, users[pk].get_full_name())


def _depots(pks: Iterable[int | None]) -> Callable[[int | None], tuple[str, str]]:
    names: dict[int | None, tuple[str, str]] = {depot.pk: (depot.code, depot.name) for depot in Depot.objects.all()}
    names[None] = (NOWHERE, "Without a depot")
    return names.__getitem__


def _customers(pks: Iterable[int]) -> Callable[[int], tuple[str, str]]:
    return customer_names(pks).__getitem__


def _by_equipment(user: User, date_from: date, date_to: date) -> list[Row]:
    """Lines by equipment and type, and what the meters billed, which is in no line."""
    period = Q(date__gte=date_from, date__lte=date_to) & rows_within(user, Capability.REPORT_SALES)
    sales = Transaction.objects.filter(period)
    return [*_lines(sales), *_usage(sales)]


def _lines(sales: QuerySet[Transaction]) -> Iterator[Row]:
    known = {item.pk: item for item in Equipment.objects.all()}
    lines = (
        TransactionItem.objects.filter(transaction__in=sales.order_by().values("pk"))
        .order_by()
        .values_list("equipment_id", "type")
        .annotate(pieces=added_up("quantity"), sum=sum_of("amount"))
    )
    for equipment, kind, quantity, amount in sorted(lines, key=lambda line: (known[line[0]].sku, line[1])):
        yield {
            "key": known[equipment].sku,
            "name": known[equipment].name,
            "type": kind,
            "quantity": quantity,
            "subtotal": amount,
        }


def _usage(sales: QuerySet[Transaction]) -> Iterator[Row]:
    billed = sales.exclude(usage_amount=0).aggregate(amount=sum_of("usage_amount"), readings=Count("pk"))
    if billed["readings"]:
        yield {"key": "METER", "name": METER, "type": "USAGE", "quantity": None, "subtotal": billed["amount"]}
