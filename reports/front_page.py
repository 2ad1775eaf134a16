"""What the office's front page tells its reader: today's figures, the latest days' sales, and where the stock is.

Each part is there for who may read the report behind it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, Q
from django.urls import reverse
from django.utils.http import urlencode

from accounts.models import User
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.access.scoping import rows_within
from foundation.money import ZERO, shown, sum_of
from foundation.unreadable import WORD, is_unreadable
from inventory.models import VIRTUAL_KINDS, Condition, LocationKind
from invoices.models import Invoice
from payments.bag import Bag
from reports import figures
from reports.figures import GroupBy
from reports.report import Row

DAYS = 14
"""That the chart of sales shows."""
PLACES = 12
"""At most so many in the chart of stock: those with the most pieces."""


@dataclass(frozen=True, slots=True)
class Tile:
    label: str
    value: Decimal | int
    note: str
    url: str


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    title: str
    value: Decimal | int
    parts: tuple[tuple[str, int, int], ...]
    """Name, value, and per cent of the longest bar, of what the bar is put together from."""
    url: str = ""


def front_page(user: User) -> dict[str, Any]:
    today = clock.business_date(clock.now())
    page: dict[str, Any] = {"tiles": [], "sales": [], "stock": []}
    if user.can(Capability.REPORT_SALES):
        days = _days(user, today)
        page["tiles"] += _money(user, today, days[-1])
        page["sales"] = list(_sales_bars(days))
    if user.can(Capability.REPORT_STOCK):
        places = _places(user)
        page["tiles"] += _cylinders(places)
        page["stock"] = list(_stock_bars(places))
    return page


def page_of(report: str, **asked: str) -> str:
    address = reverse(f"admin:reports_{report}")
    return f"{address}?{urlencode(asked)}" if asked else address


def _days(user: User, today: date) -> list[Row]:
    first = today - timedelta(days=DAYS - 1)
    found = figures.sales_summary(user, date_from=first, date_to=today, group_by=GroupBy.DAY).rows
    billed = {row["key"]: row for row in found}
    nothing: Row = {"invoices": 0, "credit_notes": 0, "total_amount": ZERO}
    return [
        billed.get(str(day), {"key": str(day), **nothing}) for day in (first + timedelta(days=n) for n in range(DAYS))
    ]


def _money(user: User, today: date, billed: Row) -> Iterator[Tile]:
    mine = rows_within(user, Capability.REPORT_SALES)
    documents = f"{_counted(billed['invoices'], 'invoice')}, {_counted(billed['credit_notes'], 'credit note')}"
    yield Tile("Billed today", _amount(billed["total_amount"]), documents, page_of("sales-summary"))
    cash = Bag().filter(mine, cash_count__isnull=True).total
    yield Tile("Cash in bags", cash, "not handed in yet", reverse("admin:invoices_payment_changelist"))
    still_open = F("total_amount") - F("settled_amount")
    owed = Invoice.objects.filter(mine, settled_on__isnull=True, total_amount__gt=0).aggregate(
        sum=sum_of(still_open), overdue=sum_of(still_open, Q(due_on__lt=today))
    )
    yield Tile("Open invoices", owed["sum"], f"S$ {shown(owed['overdue'])} of it overdue", page_of("receivables"))


Pieces = dict[tuple[str, str], dict[str, Any]]
"""By kind and name of a place, and by condition: counts, and what can't be read."""


def _places(user: User) -> Pieces:
    places: Pieces = defaultdict(lambda: dict.fromkeys(Condition.values, 0))
    for row in figures.stock(user).rows:
        if row["kind"] not in VIRTUAL_KINDS:
            places[str(row["kind"]), str(row["place"])][str(row["condition"])] += row["quantity"]
    return places


def _pieces_in(places: Pieces, kind: str, condition: str) -> int:
    return sum(pieces[condition] for (place_kind, _), pieces in places.items() if place_kind == kind)


def _cylinders(places: Pieces) -> Iterator[Tile]:
    for kind, label in ((LocationKind.DEPOT, "Full in depots"), (LocationKind.VEHICLE, "Full on vehicles")):
        others = ", ".join(
            f"{_pieces_in(places, kind, condition):,} {condition.label.lower()}"
            for condition in (Condition.EMPTY, Condition.DAMAGED)
        )
        yield Tile(label, _pieces_in(places, kind, Condition.FULL), others, page_of("stock"))


def _sales_bars(days: list[Row]) -> Iterator[Bar]:
    most = _longest(_amount(row["total_amount"]) for row in days)
    for row in days:
        day, total = date.fromisoformat(str(row["key"])), _amount(row["total_amount"])
        percent = 0 if is_unreadable(total) else int(max(total, ZERO) * 100 / most)
        title = f"{day:%A %-d %B}: S$ {shown(total)} in {_counted(row['invoices'], 'invoice')}"
        address = page_of("sales-summary", date_from=str(row["key"]), date_to=str(row["key"]), group_by=GroupBy.DRIVER)
        yield Bar(f"{day:%-d}", title, total, (("sales", 0 if is_unreadable(total) else int(total), percent),), address)


def _stock_bars(places: Pieces) -> Iterator[Bar]:
    sums = {place: sum(pieces.values()) for place, pieces in places.items()}
    most = _longest(sums.values())
    # What can't be read has no length, and is shown first.
    largest = sorted(places, key=lambda place: (not is_unreadable(sums[place]), -sums[place]))[:PLACES]
    for place in largest:
        pieces = {} if is_unreadable(sums[place]) else places[place]
        parts = tuple((name.lower(), count, int(count * 100 // most)) for name, count in pieces.items() if count)
        title = ", ".join(f"{count:,} {condition}" for condition, count, _ in parts)
        yield Bar(place[1], f"{place[1]}: {title or WORD}", sums[place], parts)


def _longest(values: Iterable[Decimal | int]) -> Decimal | int:
    return max([value for value in values if not is_unreadable(value)] + [1])


def _counted(count: object, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _amount(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else ZERO
