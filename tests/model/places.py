"""Where things are: what moved and what was counted, in the order in which it happened."""

from collections.abc import Sequence
from datetime import datetime

from tests.model.records import (
    ON_FOOT,
    OUTSIDE,
    Count,
    Customer,
    DayEnd,
    Depot,
    Item,
    Line,
    Load,
    Movement,
    Order,
    Person,
    Refused,
    day_of,
)


class Places:
    def __init__(self) -> None:
        self.movements: list[Movement] = []
        self.loads: list[Load] = []
        self.day_ends: list[DayEnd] = []
        self.counts_that_stand: list[Count] = []
        self.orders: list[Order] = []

    def _order(self, at: datetime, happened: datetime | None = None) -> Order:
        """Of what moves. Heard of at once it comes after the counts that stand; late, before those of its moment."""
        if happened is not None and happened != at:
            return happened, 0, 0, 0
        standing = [count.order for count in self.counts_that_stand]
        standing += [day_end.order for day_end in self.day_ends if day_end.state == "signed off"]
        after = max((turn + 1 for moment, turn, _, _ in standing if moment == at), default=0)
        self.orders.append((at, after, 0, 0))
        return self.orders[-1]

    def _order_of_count(self, at: datetime) -> Order:
        """After all that was heard of so far."""
        turn = max((turn for moment, turn, _, _ in self.orders if moment == at), default=0)
        self.orders.append((at, turn, 1, len(self.orders)))
        return self.orders[-1]

    def loads_vehicle(
        self, driver: Person, depot: Depot, items: Sequence[tuple[str, Item, str, int]], *, at: datetime
    ) -> None:
        """OUT of the depot onto the vehicle, or IN again: direction, item, condition, pieces."""
        if not driver.vehicle and any(direction == "IN" for direction, *_ in items):
            raise Refused("no_vehicle")
        movements = []
        for direction, item, condition, pieces in items:
            if direction == "OUT":
                movements.append(Movement(at, "loaded", item, pieces, depot.place, condition, driver.place, condition))
            else:
                movements.append(
                    Movement(at, "unloaded", item, pieces, driver.place, condition, depot.place, condition)
                )
        self._move(movements, self._order(at))
        self.loads.append(Load(driver, driver.vehicle, day_of(at)))

    def works(
        self,
        kind: str,
        depot: Depot,
        items: Sequence[tuple[Item, str, int]],
        *,
        at: datetime,
        to_depot: Depot | None = None,
    ) -> None:
        """What a depot does besides loading."""
        movements = []
        for item, condition, pieces in items:
            source, target, becomes = depot.place, depot.place, condition
            if kind == "REFILL":
                becomes = "FULL"
            if kind == "DAMAGE":
                becomes = "DAMAGED"
            if kind == "GOODS_IN":
                source = OUTSIDE
            if kind == "SCRAP":
                target = OUTSIDE
            if kind == "TRANSFER" and to_depot is not None:
                target = to_depot.place
            movements.append(Movement(at, "work", item, pieces, source, condition, target, becomes))
        self._move(movements, self._order(at))

    def counts(self, place: str, item: Item, condition: str, pieces: int, *, at: datetime) -> None:
        """A place was counted; what the books had otherwise came from outside, or went there."""
        count = Count(place, {(item, condition): pieces}, False, self._order_of_count(at))
        self._post(to_reach(count, item, condition, pieces - self.pieces_at(place, item, condition), "count", at))
        self.counts_that_stand.append(count)

    def pieces_at(self, place: str, item: Item, condition: str) -> int:
        return self._pieces(place, item, condition, self.movements)

    def _pieces(self, place: str, item: Item, condition: str, movements: Sequence[Movement]) -> int:
        return sum(
            pieces for movement in movements for *end, pieces in movement.ends if end == [place, item, condition]
        )

    def _move(self, movements: list[Movement], order: Order) -> list[Movement]:
        """All of them or none. What comes before a count that stands was counted already: the first such takes it back.

        But it must have been there by then: what was found later is no proof of that.
        """
        taken_back = []
        for movement in movements:
            movement.order = order
        for movement in movements:
            for place, item, condition, pieces in movement.ends:
                after = [
                    count
                    for count in self.counts_that_stand
                    if count.order > order and count.covers(place, item, condition)
                ]
                if after:
                    first = min(after, key=lambda count: count.order)
                    taken_back += to_reach(first, item, condition, -pieces, "compensation", movement.when)
                    known = [each for each in [*self.movements, *movements] if self._is_before(each, first)]
                    was_there = self._pieces(place, item, condition, known) >= 0
                    if pieces < 0 and not was_there and not self._opens_the_books(first, item, condition):
                        raise Refused("insufficient_stock")
        self._post([*movements, *taken_back])
        return movements

    def _is_before(self, movement: Movement, count: Count) -> bool:
        """Did it happen before a count, or bring the books to an earlier one?"""
        return (movement.count.order if movement.count else movement.order) < count.order

    def _opens_the_books(self, count: Count, item: Item, condition: str) -> bool:
        """Of what was there before a stock-take that was the first to be heard of it, the books say nothing."""
        arrived = [
            movement
            for movement in self.movements
            if movement.count is None
            and (movement.target, movement.item, movement.target_condition) == (count.place, item, condition)
            and movement.order < count.order
        ]
        earlier = [each for each in self.counts_that_stand if each.order < count.order]
        return (
            not count.is_complete and not arrived and not any(e.covers(count.place, item, condition) for e in earlier)
        )

    def _post(self, movements: list[Movement]) -> None:
        """No depot, vehicle or customer gives what it hasn't got."""
        self.movements += movements
        for movement in movements:
            place, condition = movement.source, movement.source_condition
            if place not in (OUTSIDE, ON_FOOT) and self.pieces_at(place, movement.item, condition) < 0:
                del self.movements[len(self.movements) - len(movements) :]
                raise Refused("insufficient_stock")


def movements_of(seller: Person, customer: Customer, lines: Sequence[Line], at: datetime) -> list[Movement]:
    """At a customer's nobody sees what is in a cylinder: there it counts as full."""
    movements = []
    here, there = seller.place, customer.place
    for line in lines:
        if line.type in ("SALE", "SWAP"):
            movements.append(Movement(at, "delivered", line.item, line.quantity, here, "FULL", there, "FULL"))
        if line.type == "SWAP":
            movements.append(Movement(at, "collected", line.item, line.quantity, there, "FULL", here, "EMPTY"))
        if line.type == "RETURN":
            movements.append(Movement(at, "collected", line.item, line.quantity, there, "FULL", here, line.comes_back))
    return movements


def to_reach(count: Count, item: Item, condition: str, difference: int, why: str, at: datetime) -> list[Movement]:
    """What brings the books to a count, against the rest of the world."""
    place = count.place
    if difference > 0:
        return [Movement(at, why, item, difference, OUTSIDE, condition, place, condition, count=count)]
    if difference < 0:
        return [Movement(at, why, item, -difference, place, condition, OUTSIDE, condition, count=count)]
    return []
