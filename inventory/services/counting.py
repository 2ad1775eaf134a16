"""What counts say of the books: which ones cover a balance, and what they leave to be brought into line.

Between two counts of a place only movements change what the books say; at a count they say what was counted. So each
count has one right adjustment: counted, less the count before it, less what moved in between. However late a movement
or another count comes, what was posted is brought to that.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, DateTimeField, F, Min, Q, QuerySet, Value, When

from accounts.models import User
from equipment.models import Equipment
from foundation.infrastructure.expressions import added_up
from foundation.operations.ordering import numbered_above
from foundation.operations.position import JUST_AFTER
from inventory.locks import BalanceKey
from inventory.models import Count, CountLine, Location, StockMovement
from inventory.selectors import Stock

_MOMENT = F("ordered_at")


@dataclass(frozen=True, slots=True)
class StandingCount:
    """A count that the books go by, with what it says."""

    row: Count
    lines: Mapping[Stock, int]

    @property
    def at(self) -> datetime:
        return self.row.ordered_at

    def covers(self, key: BalanceKey) -> bool:
        location, *stock = key
        return location == self.row.location_id and (self.row.is_complete or tuple(stock) in self.lines)

    def counted(self, stocks: Iterable[Stock]) -> dict[Stock, int]:
        """What it says of these; of a complete one also that nothing was there."""
        if self.row.is_complete:
            return {stock: self.lines.get(stock, 0) for stock in (*stocks, *self.lines)}
        return dict(self.lines)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """By how much what is posted for a count differs from what is right, and what the books said before it."""

    count: Count
    stock: Stock
    expected: int
    difference: int


def standing_counts(ends: Collection[BalanceKey], *, since: datetime) -> list[StandingCount]:
    """Those of these balances' places that were made at a moment or later, in their order."""
    return counts_of({location for location, *_ in ends}, since=since)


def counts_of(locations: Collection[int], *, since: datetime) -> list[StandingCount]:
    """Those of these places that were made at a moment or later, in their order."""
    rows = list(Count.objects.standing().filter(location__in=locations, ordered_at__gte=since))
    if not rows:
        return []
    lines = _said(rows)
    return [StandingCount(row, lines[row.pk]) for row in sorted(rows, key=lambda row: row.order)]


def _said(counts: Sequence[Count]) -> dict[int, dict[Stock, int]]:
    """What each of these counts named."""
    lines: dict[int, dict[Stock, int]] = defaultdict(dict)
    said = CountLine.objects.filter(count__in=counts).values_list("count_id", "equipment_id", "condition", "quantity")
    for count, equipment, condition, quantity in said:
        lines[count][equipment, condition] = quantity
    return lines


def adjustments(
    location: Location,
    counts: Sequence[StandingCount],
    balances: Mapping[Stock, int],
    *,
    moment: F | Case = _MOMENT,
) -> list[Adjustment]:
    """What is to be posted so that the books say what these counts say.

    ``counts`` are all that stand of the place from one on, in their order; ``balances`` what is there now; ``moment``
    is that of a movement. The caller holds the locks.
    """
    rows = StockMovement.objects.alias(moment=moment)
    posted = _posted(location, counts)
    book: dict[Stock, int] = defaultdict(int, balances)
    for moved in (_moved(rows, location, moment__gt=counts[0].at), *posted.values()):
        for stock, pieces in moved.items():
            book[stock] -= pieces
    found = []
    for count, following in zip(counts, [*counts[1:], None], strict=True):
        for stock, counted in count.counted(list(book)).items():
            difference = counted - book[stock] - posted[count.row.pk][stock]
            found.append(Adjustment(count.row, stock, book[stock], difference))
            book[stock] = counted
        if following is not None:
            between = _moved(rows, location, moment__gt=count.at, moment__lte=following.at)
            for stock, pieces in between.items():
                book[stock] += pieces
    return found


def books_before(count: Count) -> dict[Stock, int]:
    """What the books say was there at a count's moment, before they were brought to it. The caller holds the locks."""
    found = defaultdict(int, _said([count])[count.pk])
    for stock, pieces in _added(StockMovement.objects.filter(count=count), count.location).items():
        found[stock] -= pieces
    return found


def opens_the_books(count: Count, stock: Stock) -> bool:
    """Is this stock-take or correction the first that the books hear of a balance? The caller holds the locks."""
    equipment, condition = stock
    here = {"equipment": equipment, "to_condition": condition, "to_location": count.location_id}
    arrived = StockMovement.objects.filter(**here, count=None, ordered_at__lte=count.ordered_at)
    earlier = Count.objects.standing().filter(location=count.location_id, ordered_at__lt=count.ordered_at)
    covered = Q(is_complete=True) | Q(lines__equipment=equipment, lines__condition=condition)
    return count.kind != Count.Kind.VEHICLE and not arrived.exists() and not earlier.filter(covered).exists()


def _moved(rows: QuerySet[Any], location: Location, **between: datetime) -> dict[Stock, int]:
    """What movements, and no adjustments, brought to a place; negative: took from it."""
    return _added(rows.filter(count__isnull=True, **between), location)


def _posted(location: Location, counts: Sequence[StandingCount]) -> dict[int, dict[Stock, int]]:
    """What each count's adjustments brought to its place."""
    return {count.row.pk: _added(StockMovement.objects.filter(count=count.row), location) for count in counts}


def _added(rows: QuerySet[Any], location: Location) -> dict[Stock, int]:
    pieces: dict[Stock, int] = defaultdict(int)
    for end, sign in (("to", 1), ("from", -1)):
        grouped = (
            rows.filter(**{f"{end}_location": location})
            .order_by()
            .values_list("equipment_id", f"{end}_condition")
            .annotate(pieces=added_up("quantity"))
        )
        for equipment, condition, quantity in grouped:
            pieces[equipment, condition] += sign * quantity
    return pieces


def may_compare(reader: User, count: Count) -> bool:
    """Who may decide about an open count sees it beside the books; whoever counted it doesn't."""
    is_others = count.status == Count.Status.COUNTED and count.user_id != reader.pk
    return is_others and Count.objects.decidable_by(reader).filter(pk=count.pk).exists()


def lines_seen_by(reader: User, count: Count) -> list[CountLine]:
    """A count's lines, beside the books as they are now where the reader may compare them."""
    if may_compare(reader, count):
        return compared_lines(count)
    return (
        lines_by_now(count)
        if count.status == Count.Status.SIGNED_OFF
        else list(count.lines.select_related("equipment"))
    )


def lines_by_now(count: Count) -> list[CountLine]:
    """A signed count's lines with what the books say of its moment by now; also what they have only heard of since."""
    lines = {(line.equipment_id, line.condition): line for line in count.lines.select_related("equipment")}
    books = books_before(count)
    unheard = {stock: pieces for stock, pieces in books.items() if pieces and stock not in lines}
    equipment = Equipment.objects.in_bulk({pk for pk, _ in unheard})
    for stock in sorted(unheard):
        lines[stock] = CountLine(
            count=count, equipment=equipment[stock[0]], condition=stock[1], quantity=0, expected=0
        )  # fmt: skip
    for stock, line in lines.items():
        line.expected_now = books[stock]
    return [*lines.values()]


def compared_lines(count: Count) -> list[CountLine]:
    """The lines of an open count as they would be if it was signed off now, without a lock and not saved.

    What nobody named and the books say was there has one too. What its own device numbered above it comes behind it
    then, whatever its time says.
    """
    above = numbered_above(count) & Q(ordered_at__lte=count.ordered_at)
    behind = Value(count.ordered_at + JUST_AFTER)
    moment = Case(When(above, then=behind), default=F("ordered_at"), output_field=DateTimeField())
    touched = Q(from_location=count.location_id) | Q(to_location=count.location_id)
    first = StockMovement.objects.filter(above, touched).aggregate(first=Min("ordered_at"))["first"]
    here, own = count.location, {(line.equipment_id, line.condition): line.quantity for line in count.lines.all()}
    following = [*counts_of([here.pk], since=first or count.ordered_at), StandingCount(count, own)]
    balances = {(row.equipment_id, row.condition): row.quantity for row in here.inventories.all()}
    found = adjustments(here, sorted(following, key=lambda each: each.row.order), balances, moment=moment)
    expected = {each.stock: each.expected for each in found if each.count.pk == count.pk}
    equipment = Equipment.objects.in_bulk({pk for pk, _ in expected})
    lines = []
    for stock, pieces in sorted(expected.items()):
        if pieces or stock in own:
            line = CountLine(
                count=count,
                equipment=equipment[stock[0]],
                condition=stock[1],
                quantity=own.get(stock, 0),
                expected=pieces,
            )
            line.expected_now, line.is_named = pieces, stock in own
            lines.append(line)
    return lines
