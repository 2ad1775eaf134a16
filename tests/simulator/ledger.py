"""The rule as a server keeps it: rows are added, never changed, as operations arrive and counts are signed off."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.simulator.rule import Books, Count, Movement, Order, Stock


@dataclass(frozen=True)
class Row:
    """A change of a balance. ``of`` made it; ``charged_to`` is the count whose difference it is, or is a part of."""

    stock: Stock
    quantity: int
    of: str
    charged_to: str = ""


class Refused(Exception):
    """Not enough there, or what it refers to isn't known: it waits for what comes later."""


class Ledger:
    """One operation or signature at a time. What is refused is kept, and tried again after every commit.

    ``unlimited``: the places that may owe (outside, cash bags).
    """

    def __init__(self, unlimited: Iterable[str] = ()) -> None:
        self.unlimited = frozenset(unlimited)
        self.rows: list[Row] = []
        self.movements: list[Movement] = []
        self.order = Order([])
        self.waiting: list[Movement | Count] = []
        self._balances: dict[Stock, int] = {}

    def receive(self, what: Movement | Count) -> None:
        """A movement that arrives, or a count that is signed off."""
        self.waiting.append(what)
        self._try()

    def decide(self) -> None:
        """Somebody looks at what waits, and lets happen what a count since has taken into account."""
        self._try(is_decided=True)

    def _try(self, *, is_decided: bool = False) -> None:
        while any(self._commit(each, is_decided) for each in sorted(self.waiting, key=self.order.of)):
            pass

    def balance(self, stock: Stock) -> int:
        return self._balances.get(stock, 0)

    def books(self) -> Books:
        """What the rows add up to."""
        adjustments: dict[tuple[str, Stock], int] = {}
        for row in self.rows:
            if row.charged_to:
                key = (row.charged_to, row.stock)
                adjustments[key] = adjustments.get(key, 0) + row.quantity
        return Books(
            {stock: quantity for stock, quantity in self._balances.items() if quantity},
            {key: quantity for key, quantity in adjustments.items() if quantity},
        )

    def _commit(self, what: Movement | Count, is_decided: bool) -> bool:
        """All of it or nothing."""
        rows, balances, movements, order = len(self.rows), dict(self._balances), [*self.movements], self.order
        try:
            if isinstance(what, Count):
                self._sign(what)
            else:
                self._record(what)
                if not is_decided:
                    self._require_there_when_counted(self.rows[rows:])
            self._require_enough(self.rows[rows:])
        except Refused:
            del self.rows[rows:]
            self._balances, self.movements, self.order = balances, movements, order
            return False
        self.waiting.remove(what)
        return True

    def _require_enough(self, written: list[Row]) -> None:
        """After the movement and its compensation: what was counted already takes nothing from what is there now."""
        for place, item in {row.stock for row in written}:
            if place not in self.unlimited and self.balance((place, item)) < 0:
                raise Refused(f"{item} at {place}")

    def _require_there_when_counted(self, written: list[Row]) -> None:
        """What was found is no proof of what left before: the books of that moment had it."""
        for row in written:
            if row.charged_to and row.quantity > 0 and row.stock[0] not in self.unlimited:
                count = next(each for each in self.order.counts if each.name == row.charged_to)
                if self._before(count, row.stock) < 0 and not self.order.opens(count, row.stock, self.movements):
                    raise Refused(f"{row.stock} at {count.name}")

    def _record(self, movement: Movement) -> None:
        if movement.undoes is not None and movement.undoes not in self.movements:
            raise Refused(movement.undoes.name)
        for stock, quantity in movement.ends.items():
            self._write(stock, quantity, movement.name)
        self._compensate(movement)

    def _compensate(self, movement: Movement) -> None:
        """Whoever counted after it has counted it: once, against the first count after it, at each of its ends."""
        self.movements.append(movement)
        for stock, quantity in movement.ends.items():
            if first := self._first_after(movement, stock):
                self._write(stock, -quantity, movement.name, first)

    def _give_back(self, movement: Movement) -> None:
        """It isn't before that count after all: the opposite, also where it was in the count's own difference."""
        self.movements.remove(movement)
        for stock, quantity in movement.ends.items():
            if first := self._first_after(movement, stock):
                self._write(stock, quantity, movement.name, first)

    def _sign(self, count: Count) -> None:
        """Put it among the counts of its place. What its device recorded after it moves behind it, counts as well."""
        before, after = self.order, Order([*self.order.counts, count])
        moving = [movement for movement in self.movements if before.of(movement) != after.of(movement)]
        counts = [each for each in before.counts if before.of(each) != after.of(each)]
        for movement in moving:
            self._give_back(movement)
        for each in reversed(counts):
            self._take_out(each)
        for each in after.counts:
            if each is count or each in counts:
                self._put_in(each)
        for movement in moving:
            self._compensate(movement)

    def _put_in(self, count: Count) -> None:
        """Compare it with the books at its moment; what it changes is charged to the next count."""
        self.order = Order([*self.order.counts, count])
        for stock in self._stocks_of(count):
            taken = count.found_of(stock) - count.left_of(stock)
            self._change_by(count, stock, difference=count.found_of(stock) - self._before(count, stock), taken=taken)

    def _take_out(self, count: Count) -> None:
        """As if it hadn't been signed: all that was charged to it falls to the next count."""
        adjustments = self.books().adjustments
        for stock in self._stocks_of(count):
            taken = count.found_of(stock) - count.left_of(stock)
            self._change_by(count, stock, difference=-adjustments.get((count.name, stock), 0), taken=-taken)
        self.order = Order(each for each in self.order.counts if each is not count)

    def _change_by(self, count: Count, stock: Stock, *, difference: int, taken: int) -> None:
        self._write(stock, difference, count.name, count.name)
        self._write(stock, -taken, count.name)
        following = self.order.of_stock(stock)
        for each in following[following.index(count) + 1 :][:1]:
            self._write(stock, taken - difference, count.name, each.name)

    def _stocks_of(self, count: Count) -> set[Stock]:
        """A whole count covers what nobody named as well; of what never moved there is nothing to say."""
        moved = {stock for movement in self.movements for stock in movement.ends}
        found = {(each.place, item) for each in self.order.counts for item in each.found}
        return {stock for stock in moved | found if count.covers(stock)}

    def _before(self, count: Count, stock: Stock) -> int:
        """The books at its moment: what the count before left, and what moved since."""
        earlier = self.order.of_stock(stock)
        earlier = earlier[: earlier.index(count)]
        since, there = (self.order.of(earlier[-1]), earlier[-1].left_of(stock)) if earlier else (-1, 0)
        until = self.order.of(count)
        return there + sum(
            movement.ends.get(stock, 0) for movement in self.movements if since < self.order.of(movement) <= until
        )

    def _first_after(self, movement: Movement, stock: Stock) -> str:
        at = self.order.of(movement)
        return next((count.name for count in self.order.of_stock(stock) if self.order.of(count) >= at), "")

    def _write(self, stock: Stock, quantity: int, of: str, charged_to: str = "") -> None:
        if quantity:
            self.rows.append(Row(stock, quantity, of, charged_to))
            self._balances[stock] = self.balance(stock) + quantity
