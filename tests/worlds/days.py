"""How a world reaches the office, and what of it the office was told."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from heapq import heappop, heappush
from itertools import count as numbers
from random import Random
from typing import Any

import time_machine

from foundation.clock import business_date
from inventory.errors import CountContradicted, EarlierCountOpen, InsufficientStock
from tests.simulator.phones import HOUR, MINUTE
from tests.simulator.rule import Books, Count, Goods, Movement, Order, books
from tests.simulator.worlds import CASH, CUSTOMERS, DEPOT, OUTSIDE, VEHICLES, Odds, world
from tests.worlds.office import Office, moment

ODDS = Odds(losses=True, miscounts=True, jumping_clocks=True, counted_and_undone=5)
MILLISECOND = 1_000
LAST = 14 * 24 * HOUR
"""Nobody comes back to what isn't decided by then."""
Event = Callable[[], object]
Commits = Callable[[], AbstractContextManager[object]]


@dataclass
class Told:
    """What the office was told, as the rule reads it.

    Goods are ordered by the counts of goods, cash by those of cash.
    """

    goods: dict[str, Movement] = field(default_factory=dict)
    cash: dict[str, Movement] = field(default_factory=dict)
    signed: list[Count] = field(default_factory=list)

    def books(self) -> Books:
        goods = books(self.goods.values(), [count for count in self.signed if not count.takes_all])
        cash = books(self.cash.values(), [count for count in self.signed if count.takes_all])
        balances = {
            stock: quantity for stock, quantity in {**goods.balances, **cash.balances}.items() if stock[0] != OUTSIDE
        }
        return Books(balances, {**goods.adjustments, **cash.adjustments})

    def having(self, *movements: Movement | None) -> "Told":
        """And these, of goods or of cash."""
        return Told(
            self.goods | {each.name: each for each in movements if each and not _is_cash(each)},
            self.cash | {each.name: each for each in movements if each and _is_cash(each)},
            self.signed,
        )

    def counted(self, count: Count) -> "Told":
        return Told(self.goods, self.cash, [*self.signed, count])

    def is_short(self, *of: Movement) -> bool:
        """Of these, also where the books didn't have what left before a count."""
        said = self.books()
        if any(quantity < 0 for (_, item), quantity in said.balances.items() if item != CASH):
            return True
        order = Order(count for count in self.signed if not count.takes_all)
        for movement in of:
            for stock in (stock for stock, pieces in movement.ends.items() if pieces < 0 and stock[0] != OUTSIDE):
                since = (count for count in order.of_stock(stock) if order.of(count) >= order.of(movement))
                count = next(since, None)
                if (
                    count
                    and count.found_of(stock) < said.adjustments.get((count.name, stock), 0)
                    and not order.opens(count, stock, self.goods.values())
                ):
                    return True
        return False


def _is_cash(movement: Movement) -> bool:
    return any(item == CASH for _, item in movement.ends)


def _is_such_a_sale(other: Movement, movement: Movement) -> bool:
    """To the same customer, or to one that moved none (a swap)."""
    customers = {place for place, _ in movement.ends if place in CUSTOMERS}
    others = {place for place, _ in other.ends if place in CUSTOMERS}
    sold = any(place in VEHICLES for place, _ in other.ends) and not any(place == DEPOT for place, _ in other.ends)
    return sold and (not customers or not others or customers == others)


@dataclass
class Waiting:
    """Something that was refused. Short: there isn't enough for it, or what it refers to hasn't come."""

    what: str
    is_short: Callable[[], bool]
    again: Event
    told: Callable[[], Told] | None = None
    """Of what was pushed: the server tries that again by itself."""
    since: int = 0


class Days:
    """Lets a world's records arrive, some at once and some much later.

    What is refused is tried again as soon as the rule has room for it. ``commits`` surrounds each commit, and does what
    follows it.
    """

    def __init__(self, seed: int, steps: int, clock: time_machine.Traveller, commits: Commits) -> None:
        self.chance = Random(seed)
        self.clock, self.now = clock, 0
        self.commits = commits
        self.office, self.told = Office(self.chance), Told()
        self.waiting: list[Waiting] = []
        self.refused = self.decided = 0
        self._events: list[tuple[int, int, Event]] = []
        self._numbers = numbers()
        for record in map(self._misdated, world(seed, ODDS, steps).records):
            self._later(self._arrival(record.at), self._what(record))

    def _misdated(self, record: Movement | Count) -> Movement | Count:
        """Much happens in the same instant; and half of what phones say is of another time, for their numbers to put right."""
        at = record.at
        if record.origin.number and self.chance.random() < 0.5:
            at += self.chance.randrange(-12 * HOUR, 4 * HOUR)
        return replace(record, at=max(0, at - at % (20 * MINUTE)))

    def _what(self, record: Movement | Count) -> Event:
        if isinstance(record, Movement):
            if record.undoes is None:
                return lambda: self._record(record)
            goods = self.chance.choice([record.goods, record.goods, record.goods, None])
            return lambda: self._void(record, goods)
        if record.is_whole:
            return lambda: self._count(record)
        if record.place in CUSTOMERS:
            return lambda: self._correct(record)
        return lambda: self._take_stock(record)

    def run(self) -> None:
        while self._events:
            at, _, event = heappop(self._events)
            self._do(at, event)
            while ready := self._ready():
                if ready[0].told is not None:
                    self._let_happen(ready[0])
                else:
                    self.waiting.remove(ready[0])
                    self._do(self.now, ready[0].again)
        self._decide()

    def _decide(self) -> None:
        """Somebody looks at what is kept, and lets happen what a count since has taken into account."""
        for each in [each for each in self.waiting if each.told is not None]:
            if each in self.waiting and each.told is not None and not each.told().is_short():
                self._let_happen(each)

    def _let_happen(self, kept: Waiting) -> None:
        self.decided += 1
        self._do(self.now, partial(self.office.decide, kept.what))
        assert kept not in self.waiting

    def _do(self, at: int, event: Event) -> None:
        self._move_to(at)
        with self.commits():
            event()
        for each in [*self.waiting]:
            if each.told is not None and self.office.has(each.what):
                self.told = each.told()
                self.waiting.remove(each)

    def _ready(self) -> list[Waiting]:
        """What the office may do now. The server has done by itself what it may.

        That is what came today, unless somebody has sold to that customer again.
        """
        ready = [each for each in self.waiting if not each.is_short()]
        for each in ready:
            if each.told is not None and business_date(moment(each.since)) == business_date(moment(self.now)):
                [late] = (movement for name, movement in each.told().goods.items() if name == each.what)
                assert any(_is_such_a_sale(other, late) for other in self.told.goods.values()), each.what
        return ready

    def _move_to(self, at: int) -> None:
        """No two things arrive in the same instant."""
        self.now = max(at, self.now + MILLISECOND)
        self.clock.move_to(moment(self.now))

    def _arrival(self, at: int) -> int:
        return at + self.chance.choice([0, 0, self.chance.randrange(HOUR), self.chance.randrange(30 * HOUR)])

    def _later(self, at: int, event: Event) -> None:
        heappush(self._events, (at, next(self._numbers), event))

    # What arrives.

    def _try(
        self, what: str, command: Event, told: Callable[[], Told], again: Event, *of: Movement, pushed: bool = False
    ) -> None:
        """Do it. It is refused exactly if something would be short by the rule, and waits then."""
        try:
            command()
        except (InsufficientStock, CountContradicted):
            assert told().is_short(*of)
            self.refused += 1
            self.waiting.append(Waiting(what, lambda: told().is_short(*of), again, told if pushed else None, self.now))
        else:
            self.told = told()
            assert not self.told.is_short(*of)

    def _record(self, record: Movement) -> None:
        ends = {end: cents for end, cents in record.ends.items() if end[1] == CASH}
        goods = self._told(record)
        cash = replace(goods, ends=ends) if ends else None
        self._try(
            record.name,
            lambda: self.office.record(record),
            lambda: self.told.having(goods, cash),
            lambda: self._record(record),
            goods,
            pushed=self.office.is_pushed(record),
        )

    def _void(self, record: Movement, goods: Goods | None) -> None:
        """A void happens when the office says so. It moves no money.

        But cash that was never taken is taken back by the office: it stands beside what was recorded as paid.
        """
        assert record.undoes is not None
        name = record.undoes.name

        def again() -> None:
            self._void(record, goods)

        if name not in self.told.goods:
            self.waiting.append(Waiting(record.name, lambda: name not in self.told.goods, again))
            return
        undoing = self._told(record, at=self.now, undoes=self.told.goods[name], goods=goods)
        back = None
        if goods is Goods.NEVER_LEFT and (paid := self.told.cash.get(name)):
            ends = {end: -cents for end, cents in paid.ends.items()}
            back = replace(undoing, ends=ends, undoes=paid, goods=Goods.NEVER_LEFT)
        self._try(
            record.name,
            lambda: self.office.void(record, goods.value if goods else "gone"),
            lambda: self.told.having(undoing if goods else None, back),
            again,
            *([undoing] if goods else []),
        )

    def _told(self, record: Movement, **changes: Any) -> Movement:
        """Of the goods."""
        ends = {end: pieces for end, pieces in record.ends.items() if end[1] != CASH}
        return replace(record, ends=ends, origin=self.office.device_of(record.origin), **changes)

    def _count(self, record: Count) -> None:
        """Most are signed some time, some rejected; some nobody looks at."""
        self.office.count(record)
        counted = replace(record, origin=self.office.device_of(record.origin))
        decide = self.chance.choices([self._sign, self.office.reject, None], [8, 2, 1])[0]
        if decide is not None:
            self._later(self._arrival(self.now), lambda: decide(counted))

    def _sign(self, counted: Count) -> None:
        """In the order of their moments: the office comes back to it."""
        try:
            self._count_stands(counted, lambda: self.office.sign(counted), lambda: self._sign(counted))
        except EarlierCountOpen:
            if self.now < LAST:
                self._later(self.now + 4 * HOUR, lambda: self._sign(counted))

    def _take_stock(self, record: Count) -> None:
        self._count_stands(record, lambda: self.office.take_stock(record), lambda: self._take_stock(record))

    def _correct(self, record: Count) -> None:
        counted = replace(record, at=self.now)
        self._count_stands(counted, lambda: self.office.correct(counted), lambda: self._correct(record))

    def _count_stands(self, count: Count, command: Event, again: Event) -> None:
        self._try(count.name, command, lambda: self.told.counted(count), again)
