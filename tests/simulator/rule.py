"""The rule in closed form: what the books say is a function of what is known, never of the order in which it came."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

TICK = 1
"""The smallest step of time, a microsecond; times are counted in it."""

Stock = tuple[str, str]
"""What has a balance: a place, and what lies there. A seller's cash bag is a place too."""


class Goods(Enum):
    """What became of the goods of what is undone. Those that are gone for good don't move: no movement is written."""

    NEVER_LEFT = "never_left"
    CAME_BACK = "came_back"


@dataclass(frozen=True)
class Origin:
    """Where an operation was recorded; devices number what they record, per user, from 1. Online there is no number: 0."""

    device: str = ""
    user: str = ""
    number: int = 0

    def follows(self, other: "Origin") -> bool:
        """Was it recorded after the other one, for certain?"""
        return (self.device, self.user) == (other.device, other.user) and self.number > other.number


@dataclass(frozen=True, eq=False)
class Movement:
    """An operation that moves goods or cash: by how much it changes each balance. ``at`` is its corrected time."""

    name: str
    at: int
    ends: Mapping[Stock, int]
    origin: Origin = field(default_factory=Origin)
    undoes: "Movement | None" = None
    goods: Goods | None = None


@dataclass(frozen=True, eq=False)
class Count:
    """What was found at a place. A whole count covers all there can be; else only what is named.

    ``takes_all``: a hand-in; what was found is taken away, and nothing is left.
    """

    name: str
    at: int
    place: str
    found: Mapping[str, int]
    is_whole: bool = True
    takes_all: bool = False
    origin: Origin = field(default_factory=Origin)

    def covers(self, stock: Stock) -> bool:
        place, item = stock
        return place == self.place and (self.is_whole or item in self.found)

    def found_of(self, stock: Stock) -> int:
        return self.found.get(stock[1], 0)

    def left_of(self, stock: Stock) -> int:
        return 0 if self.takes_all else self.found_of(stock)


class Order:
    """Where all that happened stands, given the counts that are signed off."""

    def __init__(self, signed: Iterable[Count]) -> None:
        self._moments: dict[Count, int] = {}
        for count in sorted(signed, key=lambda count: count.origin.number):
            self._moments[count] = max(count.at, self._behind(count.origin))
        self.counts = sorted(
            self._moments,
            key=lambda count: (
                self._moments[count], count.origin.device, count.origin.number, count.origin.user, count.name,
            ),
        )  # fmt: skip
        """By moment; at the same one by device and number, else by name."""

    def of(self, what: Movement | Count) -> int:
        """Its moment; behind every signed count that its device and user recorded before.

        What never left is undone where it happened, whoever says so and when; nothing comes back before it left.
        """
        if isinstance(what, Count):
            return self._moments.get(what, max(what.at, self._behind(what.origin)))
        own = max(what.at, self._behind(what.origin))
        if what.undoes is None:
            return own
        original = self.of(what.undoes)
        return original if what.goods is Goods.NEVER_LEFT else max(own, original)

    def of_stock(self, stock: Stock) -> list[Count]:
        return [count for count in self.counts if count.covers(stock)]

    def opens(self, count: Count, stock: Stock, movements: Iterable[Movement]) -> bool:
        """Is this stock-take the first that the books hear of a balance?"""
        came = (movement for movement in movements if movement.ends.get(stock, 0) > 0)
        is_first = self.of_stock(stock)[0] is count
        return not count.is_whole and is_first and all(self.of(movement) > self.of(count) for movement in came)

    def _behind(self, origin: Origin) -> int:
        return max(
            (moment + TICK for count, moment in self._moments.items() if origin.follows(count.origin)), default=-1
        )


@dataclass(frozen=True)
class Books:
    """What each balance is, and by how much each count changed it. What is zero isn't named."""

    balances: Mapping[Stock, int]
    adjustments: Mapping[tuple[str, Stock], int]


def books(movements: Collection[Movement], signed: Collection[Count]) -> Books:
    """After a count a balance is what was left; what happened since is added.

    A count's adjustment is what it found, less what the count before left and what moved between the two. Movements
    come before the counts of the same moment.
    """
    order = Order(signed)
    placed = [(order.of(movement), movement) for movement in movements]
    balances: dict[Stock, int] = {}
    adjustments: dict[tuple[str, Stock], int] = {}
    for stock in stocks(movements, signed):
        since, there = -1, 0
        for count in order.of_stock(stock):
            until = order.of(count)
            moved = sum(movement.ends.get(stock, 0) for at, movement in placed if since < at <= until)
            adjustments[count.name, stock] = count.found_of(stock) - there - moved
            since, there = until, count.left_of(stock)
        balances[stock] = there + sum(movement.ends.get(stock, 0) for at, movement in placed if at > since)
    return Books(
        {stock: quantity for stock, quantity in balances.items() if quantity},
        {key: quantity for key, quantity in adjustments.items() if quantity},
    )


def stocks(movements: Collection[Movement], signed: Collection[Count]) -> set[Stock]:
    """All that moved or was found."""
    return {stock for movement in movements for stock in movement.ends} | {
        (count.place, item) for count in signed for item in count.found
    }
