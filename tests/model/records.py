"""What is written down when something happens, and the few rules that need no books to look into."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

SINGAPORE = timezone(timedelta(hours=8))
ZERO = Decimal("0.00")
Order = tuple[datetime, int, int, int]
"""A place in what happened: the moment; at one moment what came after a count that stood is later; what moves comes
before what is counted; counts follow each other as they were made."""
FIRST: Order = (datetime.min.replace(tzinfo=UTC), 0, 0, 0)
OUTSIDE, ON_FOOT = "OUTSIDE", "FIELD"
"""The rest of the world, and what drivers without a vehicle carry. Only these two may fall below zero."""

GST_RATES = [
    (date(2007, 7, 1), Decimal("7.00")),
    (date(2023, 1, 1), Decimal("8.00")),
    (date(2024, 1, 1), Decimal("9.00")),
]


def day_of(moment: datetime) -> date:
    """The date in Singapore."""
    return moment.astimezone(SINGAPORE).date()


def to_the_cent(amount: Decimal) -> Decimal:
    """Half a cent is a cent, on either side of nothing."""
    cents = int(abs(amount) * 100 + Decimal("0.5"))
    return Decimal(-cents if amount < 0 else cents).scaleb(-2)


def in_coins(amount: Decimal) -> Decimal:
    """To 5 cents, half of them up; what would come to nothing stays as it is."""
    cents = int(abs(amount) * 100)
    coins = (cents * 2 + 5) // 10 * 5
    if coins == 0:
        return amount
    return Decimal(-coins if amount < 0 else coins).scaleb(-2)


def gst_rate_on(day: date) -> Decimal:
    rate = ZERO
    for begins, percent in GST_RATES:
        if begins <= day:
            rate = percent
    return rate


class Refused(Exception):
    """What can't be done isn't, and nothing changes. The argument is the code that the API says it with."""


@dataclass(eq=False)
class Depot:
    code: str
    name: str

    @property
    def place(self) -> str:
        return f"depot {self.code}"


@dataclass(eq=False)
class Item:
    """Something that is sold, lent or counted."""

    sku: str
    name: str
    deposits: list[tuple[datetime, Decimal]] = field(default_factory=list)
    """From when on which deposit is charged for it. Of what has none, none is."""

    def deposit_at(self, moment: datetime) -> Decimal:
        begun = [amount for since, amount in self.deposits if since <= moment]
        return begun[-1]


@dataclass(eq=False)
class Customer:
    code: str
    name: str
    terms: int
    """Days to pay in."""

    @property
    def place(self) -> str:
        return f"customer {self.code}"


@dataclass(eq=False)
class Person:
    username: str
    name: str
    depot: Depot | None = None
    vehicle: str = ""
    is_office: bool = False
    """Settles anybody's invoices; a seller the own ones only."""
    earlier: list[tuple[datetime, str]] = field(default_factory=list)
    """Until when which other vehicle was theirs."""

    def changes_to(self, vehicle: str, at: datetime) -> None:
        self.earlier.append((at, self.vehicle))
        self.vehicle = vehicle

    def vehicle_when_ended(self, day: date) -> str:
        for until, vehicle in self.earlier:
            if day_of(until) > day:
                return vehicle
        return self.vehicle

    @property
    def place(self) -> str:
        return f"vehicle {self.vehicle}" if self.vehicle else ON_FOOT


@dataclass(frozen=True)
class Line:
    """One line of a sale. Deposits bear no GST. What comes back is refunded: at which rate, the books say."""

    type: str
    item: Item
    quantity: int
    rate: Decimal
    comes_back: str = "EMPTY"
    credited: Decimal | None = None
    """Of a credit note: so much is taken back, by however many pieces."""

    @property
    def amount(self) -> Decimal:
        if self.credited is not None:
            return -self.credited
        amount = to_the_cent(self.quantity * self.rate)
        return -amount if self.type == "RETURN" else amount

    @property
    def is_taxed(self) -> bool:
        return self.type not in ("DEPOSIT", "RETURN")


@dataclass(frozen=True)
class Usage:
    """What a gas meter moved since the last reading."""

    units: Decimal
    rate: Decimal
    credited: Decimal | None = None
    """Of a credit note: so much is taken back, and the meter stays."""

    @property
    def amount(self) -> Decimal:
        if self.credited is not None:
            return -self.credited
        return to_the_cent(self.units * self.rate)


@dataclass(eq=False)
class Document:
    """A tax invoice, a credit note, or the note of what came back without money."""

    number: str
    kind: str
    day: date
    due_on: date
    customer: Customer
    seller: Person
    vehicle: str
    lines: list[Line]
    usage: Usage | None
    subtotal: Decimal
    taxable: Decimal
    gst_rate: Decimal
    gst: Decimal
    total: Decimal
    counts_on: date
    """In whose GST period it counts."""
    voids: "Document | None" = None
    credits: "Document | None" = None
    """What it takes a part of back."""
    of_lines: list[int] = field(default_factory=list)
    """Which of its lines; the meter's usage is behind the last."""
    movements: list["Movement"] = field(default_factory=list)
    refund: "Document | None" = None
    """Of the same visit, because it exceeds this."""


@dataclass(eq=False)
class Lot:
    """A deposit: somebody paid for pieces that are lent."""

    customer: Customer
    item: Item
    since: datetime


@dataclass(eq=False)
class LotChange:
    """Pieces and money that came into a deposit, or out of it, by a document."""

    lot: Lot
    pieces: int
    amount: Decimal
    document: Document


@dataclass(eq=False)
class Payment:
    """Money that came in; a negative one went out."""

    customer: Customer
    taker: Person
    method: str
    amount: Decimal
    received_on: date
    entered_on: date
    came_with: Document | None = None
    """The sale that it was paid with, on the spot."""
    reverses: "Payment | None" = None
    is_goodwill: bool = False
    """Paid out though nothing is owed: part of no account."""
    order: Order = FIRST
    number: str = ""
    """Of the receipt, once it is known."""

    @property
    def in_bag(self) -> Decimal:
        return self.amount if self.method == "CASH" else Decimal(0)


@dataclass(eq=False)
class Expense:
    """So much was paid from somebody's own cash."""

    taker: Person
    amount: Decimal
    entered_on: date
    order: Order

    @property
    def in_bag(self) -> Decimal:
        return -self.amount


@dataclass(eq=False)
class Allocation:
    """So much of a payment, or of a credit note, settles so much of a document, from a day on.

    Or so much of a payment is paid out by another one; what that was rounded by settles it itself.
    """

    source: Payment | Document
    target: Document | Payment
    amount: Decimal
    day: date
    is_rounding: bool = False
    """It is what the source was rounded by, and nothing of the source itself."""


@dataclass(eq=False)
class Movement:
    """So many pieces from one place to another."""

    when: datetime
    why: str
    item: Item
    quantity: int
    source: str
    source_condition: str
    target: str
    target_condition: str
    order: Order = FIRST
    count: "Count | None" = None
    """Nothing moved: the books are brought to it."""

    @property
    def ends(self) -> list[tuple[str, "Item", str, int]]:
        """Where it changes how many there are: place, item, condition, pieces."""
        return [
            (self.source, self.item, self.source_condition, -self.quantity),
            (self.target, self.item, self.target_condition, self.quantity),
        ]


@dataclass(eq=False)
class Count:
    """What was found at a place. What a complete one doesn't name wasn't there."""

    place: str
    found: dict[tuple[Item, str], int]
    is_complete: bool
    order: Order

    def covers(self, place: str, item: Item, condition: str) -> bool:
        return place == self.place and (self.is_complete or (item, condition) in self.found)


@dataclass(eq=False)
class Load:
    """A driver loaded or unloaded."""

    driver: Person
    vehicle: str
    day: date


@dataclass(eq=False)
class DayEnd:
    """What a seller counted, and what should have been there."""

    seller: Person
    vehicle: str
    order: Order
    cash_expected: Decimal
    cash_counted: Decimal
    expected: dict[tuple[Item, str], int]
    counted: dict[tuple[Item, str], int]
    state: str = "open"
    signed_at: datetime | None = None
