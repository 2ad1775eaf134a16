"""What every report is: named columns, rows, their totals. How it is shown is somebody else's business."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum, auto

from foundation.money import to_cents
from foundation.unreadable import is_unreadable

Value = str | int | Decimal | date | datetime | None
Row = Mapping[str, Value]


class Kind(StrEnum):
    TEXT = auto()
    COUNT = auto()
    MONEY = auto()
    """Singapore dollars, two decimals."""
    RATE = auto()
    """Per cent, two decimals."""
    DATE = auto()
    PRICE = auto()
    """Of one piece or unit, up to four decimals; of a GST rate, per cent."""
    ID = auto()
    """Of a row whose page the office opens."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    label: str
    kind: Kind = Kind.TEXT
    is_summed: bool = False
    opens: str = ""
    """Of an id, what has the page, as the office names it."""
    says: str = ""
    """What the link to it says."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure beside the table."""

    name: str
    label: str
    kind: Kind
    value: Value


@dataclass(frozen=True, slots=True)
class Report:
    """Parameters say what was asked for, in the words of the query."""

    name: str
    title: str
    parameters: Mapping[str, Value]
    columns: Sequence[Column]
    rows: Sequence[Row]
    figures: Sequence[Figure] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        """SQLite's sums have more decimals than money has."""
        amounts = [column.name for column in self.columns if column.kind is Kind.MONEY]
        prices = [column.name for column in self.columns if column.kind is Kind.PRICE]
        object.__setattr__(self, "rows", [_legible(_with_cents(row, amounts), prices) for row in self.rows])
        object.__setattr__(self, "figures", [replace(figure, value=_cents(figure.value)) for figure in self.figures])

    @property
    def totals(self) -> dict[str, Value]:
        """The sums of the columns that can be summed."""
        totals: dict[str, Value] = {}
        for column in self.columns:
            if column.is_summed:
                values = [row.get(column.name) for row in self.rows]
                zero = Decimal("0.00") if column.kind is Kind.MONEY else 0
                totals[column.name] = sum((value for value in values if isinstance(value, int | Decimal)), zero)
        return totals


def _with_cents(row: Row, amounts: Sequence[str]) -> Row:
    return {**row, **{name: _cents(row.get(name)) for name in amounts if name in row}}


def _legible(row: Row, prices: Sequence[str]) -> Row:
    """What can't be read is told as any other NaN."""
    unreadable = [name for name in prices if is_unreadable(row.get(name))]
    return {**row, **dict.fromkeys(unreadable, Decimal("NaN"))} if unreadable else row


def _cents(value: Value) -> Value:
    return to_cents(value) if isinstance(value, Decimal) else value


def count(name: str, label: str) -> Column:
    return Column(name, label, Kind.COUNT, is_summed=True)


def money(name: str, label: str) -> Column:
    return Column(name, label, Kind.MONEY, is_summed=True)
