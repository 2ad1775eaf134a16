"""A seller's day: what the vehicle carried, and what was billed and taken."""

from collections.abc import Iterator
from datetime import date

from django.db.models import Count, Q

from accounts.models import User
from accounts.selectors import vehicle_at
from distribution.models import Distribution
from equipment.models import Equipment
from foundation import clock
from foundation.money import ZERO, sum_of
from inventory.models import Inventory, Location
from inventory.selectors import Flow, flows_of_day, moved_after
from inventory.services import vehicle_place
from invoices.models import Invoice
from payments.bag import Bag
from payments.models import CashCount, CashExpense, Payment
from payments.selectors import MoneyTaken, money_taken, rounded_away
from reports.report import Column, Figure, Kind, Report, Row, count
from transactions.models import Transaction

COLUMNS = (
    Column("sku", "SKU"),
    Column("name", "Equipment"),
    Column("condition", "Condition"),
    count("opening", "Opening"),
    count("loaded", "Loaded"),
    count("delivered", "Delivered"),
    count("collected", "Collected"),
    count("unloaded", "Unloaded"),
    count("other", "Other"),
    count("closing", "Closing"),
)


def driver_day(driver: User, *, day: date, within: Q = Q()) -> Report:  # noqa: B008 -- never changed
    """The stock of the vehicle that somebody drove on a Singapore date, and the money of that date.

    ``within``: those of their documents alone.
    """
    vehicle_no = _vehicle_of(driver, day)
    return Report(
        name="driver-day",
        title=f"Day of {driver.get_full_name()}",
        parameters={"driver": driver.pk, "date": day, "vehicle_no": vehicle_no},
        columns=COLUMNS,
        rows=_stock(vehicle_no, day) if vehicle_no else [],
        figures=_money(driver, day, within),
    )


def _vehicle_of(driver: User, day: date) -> str:
    """As the day's documents say, else the one assigned when it ended. A void names that of its sale."""
    for documents in (Transaction.objects.sales(), Distribution.objects):
        latest = documents.filter(user=driver, date=day).order_by("-pk").values_list("vehicle_no", flat=True).first()
        if latest:
            return str(latest)
    return vehicle_at(driver, clock.end_of(day))


def _stock(vehicle_no: str, day: date) -> list[Row]:
    vehicle = Location.objects.filter(key=vehicle_place(vehicle_no).key).first()
    if vehicle is None:
        return []
    known = {item.pk: item for item in Equipment.objects.all()}
    balances = Inventory.objects.filter(location=vehicle)
    now = {(row.equipment_id, row.condition): row.quantity for row in balances}
    since, flows = moved_after(vehicle, day), flows_of_day(vehicle, day)
    rows: list[Row] = []
    for stock in {*now, *flows}:
        equipment, condition = stock
        flow, closing = flows.get(stock, Flow()), now.get(stock, 0) - since.get(stock, 0)
        if closing or stock in flows:
            rows.append(
                {
                    "sku": known[equipment].sku,
                    "name": known[equipment].name,
                    "condition": condition,
                    "opening": closing - flow.net,
                    "loaded": flow.loaded,
                    "delivered": flow.delivered,
                    "collected": flow.collected,
                    "unloaded": flow.unloaded,
                    "other": flow.other,
                    "closing": closing,
                }
            )
    return sorted(rows, key=lambda row: (str(row["sku"]), str(row["condition"])))


def _money(driver: User, day: date, within: Q) -> list[Figure]:
    billed = Invoice.objects.filter(within, user=driver, date=day).aggregate(
        documents=Count("pk"), subtotal=sum_of("subtotal"), gst=sum_of("gst_amount"), total=sum_of("total_amount")
    )
    goodwill = Payment.objects.filter(within, user=driver, date=day, is_goodwill=True).aggregate(sum=sum_of("amount"))
    # What was signed off later was still in the bag that evening.
    handed_in_since = CashCount.objects.filter(user=driver, decided_at__gt=clock.end_of(day))
    not_handed_in = Q(cash_count__isnull=True) | Q(cash_count__in=handed_in_since)
    in_bag = Bag().filter(within, not_handed_in, user=driver, date__lte=day).total
    payments, expenses = Payment.objects, CashExpense.objects
    money = money_taken(*(rows.filter(within, user=driver, date=day) for rows in (payments, expenses)))
    return [
        Figure("documents", "Documents", Kind.COUNT, billed["documents"]),
        Figure("subtotal", "Billed before GST", Kind.MONEY, billed["subtotal"]),
        Figure("gst_amount", "GST", Kind.MONEY, billed["gst"]),
        Figure("total_amount", "Billed with GST", Kind.MONEY, billed["total"]),
        Figure("cash", "Cash taken, less paid back", Kind.MONEY, money.cash),
        Figure("other_payments", "Other payments taken, less paid back", Kind.MONEY, money.without_cash),
        Figure("cash_rounding", "Cash rounding", Kind.MONEY, rounded_away(within & Q(user=driver), Q(date=day))),
        Figure("goodwill", "Goodwill refunds among them", Kind.MONEY, goodwill["sum"] or ZERO),
        Figure("cash_in_bag", "Cash not handed in by then", Kind.MONEY, in_bag),
        *_by_method(money),
    ]


def _by_method(money: MoneyTaken) -> Iterator[Figure]:
    for each in money.methods:
        name, label = each.method.lower(), each.method.label
        yield Figure(f"{name}_taken", f"{label} taken", Kind.MONEY, each.taken)
        yield Figure(f"{name}_paid_back", f"{label} paid back", Kind.MONEY, each.paid_back)
    yield Figure("expenses", "Expenses paid from the cash", Kind.MONEY, money.expenses)
    yield Figure(
        "cash_expected", "Cash of the day: taken, less paid back and expenses", Kind.MONEY, money.cash_expected
    )
