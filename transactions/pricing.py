"""What a sale costs: every line priced on the server, every reading billed once.

Pure functions over rows that the service has locked or read: no queries here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from customers.models import Customer
from customers.selectors import ContractRates
from equipment.models import Equipment
from equipment.selectors import Prices
from foundation.errors import Invalid
from foundation.limits import AMOUNT, QUANTITY, RATE, READING, USAGE
from foundation.money import ZERO, to_cents
from inventory.models import Condition
from transactions.errors import MeterReadingDecreased, NoMeter, RateMismatch
from transactions.models import RateSource, TransactionItem

Type = TransactionItem.Type
UNTAXED = frozenset({Type.DEPOSIT, Type.RETURN})
"""A refundable deposit is no consideration for a supply, so GST stays away from it (IRAS e-Tax Guide)."""


@dataclass(frozen=True, slots=True)
class SaleItem:
    """A line of a sale, as asked for. ``rate`` None: the server's price, whatever it is."""

    equipment: int
    type: str
    quantity: int
    condition: str = ""
    rate: Decimal | None = None


class Listed(NamedTuple):
    """A price and where it stands. ``rate`` None: there is none, and the field names it."""

    rate: Decimal | None
    source: RateSource


class Known(NamedTuple):
    """The prices of one equipment by which an app without network may have sold, though others are in force."""

    rates: frozenset[Decimal] = frozenset()
    deposits: frozenset[Decimal] = frozenset()


@dataclass(frozen=True, slots=True)
class PricedItem:
    """A line with its price. ``listed_rate`` is what an override replaced, ``shown_rate`` what the field had shown
    instead; else None.
    """

    equipment: Equipment
    type: str
    condition: str
    quantity: int
    rate: Decimal
    rate_source: RateSource
    amount: Decimal
    taxable: bool
    listed_rate: Decimal | None
    shown_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """A reading and what it bills. A meter's first reading is its baseline: ``last`` is None, usage zero."""

    last: Decimal | None
    current: Decimal
    quantity: Decimal
    rate: Decimal
    amount: Decimal


def read_meter(customer: Customer, reading: Decimal | None, rate: Decimal | None) -> Usage | None:
    """Bill what the meter moved since the last reading, at the rate of that time; None without a reading.

    Raises NoMeter, MeterReadingDecreased, AmountOutOfRange.
    """
    if reading is None:
        return None
    if rate is None:
        raise NoMeter(f"{customer.name} has no gas meter.", attr="current_meter")
    last = customer.last_meter_reading
    if last is not None and reading < last:
        raise MeterReadingDecreased(f"The last reading was {last}; {reading} is below it.", attr="current_meter")
    quantity = ZERO if last is None else reading - last
    amount = to_cents(quantity * rate)
    for limit, value in ((READING, reading), (USAGE, quantity), (AMOUNT, amount)):
        limit.require(value, attr="current_meter")
    return Usage(last=last, current=reading, quantity=quantity, rate=rate, amount=amount)


def price_items(
    items: Sequence[SaleItem],
    equipment: Mapping[int, Equipment],
    prices: Mapping[int, Prices],
    contracts: Mapping[int, ContractRates],
    *,
    may_override: bool,
    known: Mapping[int, Known] | None = None,
) -> list[PricedItem]:
    """Price every line; see `_price` for the rate. Raises RateMismatch, Invalid, AmountOutOfRange.

    ``known`` is there for what was sold without a network: the goods are gone, and another rate refuses nothing.
    """
    return [
        _price(
            item,
            equipment[item.equipment],
            [
                *_listed(item, prices[item.equipment], contracts.get(item.equipment, ContractRates())),
                *_known(item, known.get(item.equipment, Known()) if known else Known()),
            ],
            index,
            may_override=may_override,
            is_done=known is not None,
        )
        for index, item in enumerate(items)
    ]


def _listed(item: SaleItem, prices: Prices, contract: ContractRates) -> list[Listed]:
    """The price in force; behind it the one that could be known then, where that was another.

    The contract's rate, else the equipment's. DEPOSIT and RETURN go by the equipment's deposit instead.
    """
    if item.type in UNTAXED:
        return [Listed(prices.deposit, RateSource.DEFAULT)]
    default = Listed(prices.default_rate, RateSource.DEFAULT)
    return [default if rate is None else Listed(rate, RateSource.CONTRACT) for rate in (contract.valid, contract.known)]


def _known(item: SaleItem, known: Known) -> list[Listed]:
    rates = known.deposits if item.type in UNTAXED else known.rates
    return [Listed(rate, RateSource.KNOWN) for rate in rates]


def _price(
    item: SaleItem,
    equipment: Equipment,
    listed: Sequence[Listed],
    index: int,
    *,
    may_override: bool,
    is_done: bool,
) -> PricedItem:
    """The listed rate; the field's where none is listed, which for a deposit may be left out as 0.00."""
    attr = f"items.{index}.rate"
    price, source = listed[0]
    overridden = differs = None
    if item.rate is not None:
        shown = next((each for each in listed if each.rate in (item.rate, None)), None)
        rate = item.rate
        if shown is not None:
            source = RateSource.FIELD if shown.rate is None else shown.source
        elif may_override:
            source, overridden = RateSource.OVERRIDE, price
        elif is_done and price is not None:
            rate, differs = price, item.rate
        else:
            raise RateMismatch(f"The rate of {equipment.sku} is {price}, not {item.rate}.", attr=attr)
    elif price is not None:
        rate = price
    elif item.type in UNTAXED:
        rate, source = ZERO, RateSource.FIELD
    else:
        raise Invalid(f"{equipment.sku} has no rate for this customer: please send one.", attr=attr)
    sign = -1 if item.type == Type.RETURN else 1
    amount = to_cents(sign * item.quantity * rate)
    QUANTITY.require(item.quantity, attr=f"items.{index}.quantity")
    RATE.require(rate, attr=attr)
    AMOUNT.require(amount, attr=f"items.{index}.quantity")
    return PricedItem(
        equipment=equipment,
        type=item.type,
        condition=(item.condition or Condition.EMPTY) if item.type == Type.RETURN else "",
        quantity=item.quantity,
        rate=rate,
        rate_source=source,
        amount=amount,
        taxable=item.type not in UNTAXED,
        listed_rate=overridden,
        shown_rate=differs,
    )
