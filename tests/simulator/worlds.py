"""Random days of a distributor: what happened, and what of it was recorded, by whom and with which times."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.simulator.phones import MINUTE, SECOND, Clocks, Phone
from tests.simulator.rule import Count, Goods, Movement, Origin, Stock

OUTSIDE = "outside"
DEPOT = "depot"
VEHICLES = ("van", "lorry")
CUSTOMERS = ("hawker", "hotel")
SIZES = ("14 kg", "50 kg")
USERS = {"ahmad": "van", "siti": "van", "kumar": "lorry"}
"""Who drives what: two of them one truck, in turns."""


def bag(user: str) -> str:
    return f"bag of {user}"


UNLIMITED = frozenset({OUTSIDE, *map(bag, USERS)})
CASH = "cents"
PRICE, DEPOSIT = 2895, 2000
"""Of one cylinder, in cents."""


def full(size: str) -> str:
    return f"full {size}"


def empty(size: str) -> str:
    return f"empty {size}"


@dataclass(frozen=True)
class Odds:
    """What may go wrong in a world."""

    losses: bool = False
    miscounts: bool = False
    jumping_clocks: bool = False
    counted_and_undone: int = 1
    """How many times as often as on a usual day."""


@dataclass
class World:
    """What there is in truth, and what was told the office. ``happened``: the moments of what was recorded, in truth."""

    there: dict[Stock, int] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    happened: dict[str, int] = field(default_factory=dict)

    @property
    def records(self) -> list[Movement | Count]:
        return [*self.movements, *self.counts]


class Maker:
    """Lets time pass, and something happen at each step."""

    def __init__(self, seed: int, odds: Odds, steps: int) -> None:
        self.chance = Random(seed)
        self.odds = odds
        self.now = 48 * 60 * MINUTE
        self.clocks = Clocks(self.chance, jumping=odds.jumping_clocks)
        self.phones = {user: self.clocks.phone(f"phone of {user}", user) for user in USERS}
        self.world = World()
        self.undoable: list[Movement] = []
        self.mistakes: list[Movement] = []
        self._begin()
        for _ in range(steps):
            self._step()
        for mistake in self.mistakes:
            self._undo(mistake, Goods.NEVER_LEFT)

    def _begin(self) -> None:
        """Goods in, loaded, and the first customers served."""
        self._move({(OUTSIDE, full(size)): -40 for size in SIZES} | {(DEPOT, full(size)): 40 for size in SIZES})
        for vehicle, customer in zip(VEHICLES, CUSTOMERS, strict=True):
            self._move({(DEPOT, full(size)): -12 for size in SIZES} | {(vehicle, full(size)): 12 for size in SIZES})
            for size in SIZES:
                self._carry(4, (vehicle, full(size)), (customer, full(size)))

    def _step(self) -> None:
        self.now += self.chance.choice([SECOND, MINUTE, self.chance.randrange(1, 90) * MINUTE])
        for phone in self.phones.values():
            self.clocks.pass_time(phone)
        user = self.chance.choice([*USERS])
        vehicle, size, customer = USERS[user], self.chance.choice(SIZES), self.chance.choice(CUSTOMERS)
        if self.chance.random() < 0.15:  # another one's truck, for once
            vehicle = self.chance.choice(VEHICLES)
        pieces = self.chance.randint(1, 5)
        happenings: list[Callable[[], object]] = [
            lambda: self._sell(user, vehicle, customer, size, pieces),
            lambda: self._swap(user, vehicle, customer, size, pieces),
            lambda: self._carry(pieces, (customer, full(size)), (vehicle, empty(size)), user),
            lambda: self._carry(pieces, (DEPOT, full(size)), (vehicle, full(size)), self.chance.choice([user, ""])),
            lambda: self._carry(pieces, (vehicle, empty(size)), (DEPOT, empty(size)), self.chance.choice([user, ""])),
            lambda: self._refill(size, pieces),
            lambda: self._carry(pieces, (vehicle, full(size)), (self._other(vehicle), full(size)), user),
            lambda: self._mistake(user, vehicle, customer, size, pieces),
            lambda: self._take_back(),
            lambda: self._count(vehicle, user),
            lambda: self._stock_take(size),
            lambda: self._hand_in(user),
            lambda: self._refund(user, vehicle, customer, size, pieces),
            lambda: self._lose(),
            lambda: self.phones[user].reinstall(f"phone of {user}, {self.now}"),
        ]  # fmt: skip
        often = self.odds.counted_and_undone
        weights = [8, 8, 4, 6, 4, 3, 3, 2 * often, 2 * often, 4 * often, 3, 3 * often, 1, 2, 0.3]
        [happens] = self.chance.choices(happenings, weights)
        happens()

    # What happens.

    def _sell(self, user: str, vehicle: str, customer: str, size: str, pieces: int) -> None:
        pieces = self._at_most(pieces, (vehicle, full(size)))
        if pieces:
            ends = {(vehicle, full(size)): -pieces, (customer, full(size)): pieces}
            self.undoable.append(self._move(ends | self._paid(user, pieces), user))

    def _swap(self, user: str, vehicle: str, customer: str, size: str, pieces: int) -> None:
        """As many shells come back as cylinders go out."""
        pieces = min(self._at_most(pieces, (vehicle, full(size))), self._at_most(pieces, (customer, full(size))))
        if pieces:
            ends = {(vehicle, full(size)): -pieces, (vehicle, empty(size)): pieces}
            self.undoable.append(self._move(ends | self._paid(user, pieces), user))

    def _paid(self, user: str, pieces: int) -> dict[Stock, int]:
        cents = self.chance.choice([0, pieces * PRICE])
        return {(bag(user), CASH): cents, (OUTSIDE, CASH): -cents} if cents else {}

    def _refill(self, size: str, pieces: int) -> None:
        pieces = self._at_most(pieces, (DEPOT, empty(size)))
        if pieces:
            self._move({(DEPOT, empty(size)): -pieces, (DEPOT, full(size)): pieces})

    def _carry(self, pieces: int, source: Stock, target: Stock, user: str = "") -> None:
        pieces = self._at_most(pieces, source)
        if pieces:
            self._move({source: -pieces, target: pieces}, user)

    def _mistake(self, user: str, vehicle: str, customer: str, size: str, pieces: int) -> None:
        """A sale by a slip of the finger: recorded, and nothing happened. It is undone some time."""
        ends = {(vehicle, full(size)): -pieces, (customer, full(size)): pieces} | self._paid(user, pieces)
        self.mistakes.append(self._recorded(ends, user))

    def _take_back(self) -> None:
        if self.mistakes and self.chance.random() < 0.5:
            self._undo(self.mistakes.pop(), Goods.NEVER_LEFT)
        elif self.undoable:
            self._undo(self.undoable.pop(self.chance.randrange(len(self.undoable))), Goods.CAME_BACK)

    def _undo(self, original: Movement, goods: Goods) -> None:
        """By anybody; a driver's phone asks for it. Goods that came back do so now; money doesn't."""
        user = self.chance.choice(["", *USERS])
        never_left = goods is Goods.NEVER_LEFT
        ends = {
            stock: -quantity for stock, quantity in original.ends.items() if never_left or stock[1] != CASH
        }  # fmt: skip
        if never_left:
            self._recorded(ends, user, original, goods)
        elif all(self._at_most(-quantity, stock) >= -quantity for stock, quantity in ends.items()):
            self._move(ends, user, original, goods)

    def _refund(self, user: str, vehicle: str, customer: str, size: str, pieces: int) -> None:
        """Shells come back, and what was paid for them is paid out of the bag."""
        pieces = self._at_most(pieces, (customer, full(size)))
        cents = pieces * DEPOSIT
        if pieces and cents == self._at_most(cents, (bag(user), CASH)):
            ends = {(customer, full(size)): -pieces, (vehicle, empty(size)): pieces}
            self.undoable.append(self._move(ends | {(bag(user), CASH): -cents, (OUTSIDE, CASH): cents}, user))

    def _lose(self) -> None:
        """Stolen, or fallen off the truck: nobody records it."""
        stock = self.chance.choice(sorted(self.world.there))
        if self.odds.losses and stock[0] != OUTSIDE:
            self._change({stock: -self._at_most(self.chance.randint(1, 3), stock)})

    # What is counted.

    def _count(self, vehicle: str, user: str) -> None:
        self._found(vehicle, self._found_at(vehicle), user)

    def _stock_take(self, size: str) -> None:
        """Named lines alone, at the depot or at a customer's."""
        place = self.chance.choice([DEPOT, *CUSTOMERS])
        items = [full(size), empty(size)] if place == DEPOT else [full(size)]
        found = self._found_at(place)
        self._found(place, {item: found.get(item, 0) for item in items}, "", is_whole=False)

    def _hand_in(self, user: str) -> None:
        found = self._found_at(bag(user))
        self._found(bag(user), found, user, takes_all=True)
        self._change({(bag(user), CASH): -self.world.there.get((bag(user), CASH), 0)})

    def _found_at(self, place: str) -> dict[str, int]:
        found = {item: quantity for (at, item), quantity in self.world.there.items() if at == place and quantity}
        if self.odds.miscounts and found and self.chance.random() < 0.3:
            item = self.chance.choice(sorted(found))
            found[item] = max(0, found[item] + self.chance.randint(-2, 2))
        return found

    # What is recorded.

    def _move(
        self, ends: dict[Stock, int], user: str = "", undoes: Movement | None = None, goods: Goods | None = None
    ) -> Movement:
        self._change(ends)
        return self._recorded(ends, user, undoes, goods)

    def _recorded(
        self, ends: dict[Stock, int], user: str = "", undoes: Movement | None = None, goods: Goods | None = None
    ) -> Movement:
        name = f"movement {len(self.world.movements)}"
        at, origin = self._time(user)
        movement = Movement(name, at, ends, origin, undoes, goods)
        self.world.movements.append(movement)
        self.world.happened[name] = (
            self.world.happened[undoes.name] if goods is Goods.NEVER_LEFT and undoes else self.now
        )
        return movement

    def _found(
        self, place: str, found: dict[str, int], user: str, *, is_whole: bool = True, takes_all: bool = False
    ) -> None:
        name = f"count {len(self.world.counts)}"
        at, origin = self._time(user)
        self.world.counts.append(Count(name, at, place, found, is_whole, takes_all, origin))
        self.world.happened[name] = self.now
        self.now += SECOND  # what comes after it doesn't happen at the same moment

    def _time(self, user: str) -> tuple[int, Origin]:
        """The office is online, its clock is the server's. A phone sends when it can, which may be after a jump."""
        if not user:
            return self.now, Origin()
        phone = self.phones[user]
        recorded = phone.record(self.now)
        at_sending = Phone(phone.device, user, ahead=phone.ahead, correction=phone.correction)
        if self.odds.jumping_clocks and self.chance.random() < 0.2:
            self.clocks.pass_time(at_sending)
        sent = self.now + self.chance.choice([0, self.chance.randrange(600) * MINUTE])
        return at_sending.receive(recorded, sent, sent + self.clocks.latency()), recorded.origin

    def _change(self, ends: dict[Stock, int]) -> None:
        for stock, quantity in ends.items():
            self.world.there[stock] = self.world.there.get(stock, 0) + quantity

    def _at_most(self, pieces: int, stock: Stock) -> int:
        return pieces if stock[0] == OUTSIDE else max(0, min(pieces, self.world.there.get(stock, 0)))

    def _other(self, vehicle: str) -> str:
        return next(other for other in VEHICLES if other != vehicle)


def world(seed: int, odds: Odds, steps: int = 60) -> World:
    return Maker(seed, odds, steps).world
