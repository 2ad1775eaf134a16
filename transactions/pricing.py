"""What a sale costs: every line priced on the server, every reading billed once.

Pure functions over rows that the service has locked or read: no queries here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.errors import Invalid
from core.money import ZERO, to_cents
from customers.models import Customer
from equipment.models import Equipment
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


@dataclass(frozen=True, slots=True)
class PricedItem:
    """A line with its price. ``listed_rate`` is what an override replaced, else None."""

    equipment: Equipment
    type: str
    condition: str
    quantity: int
    rate: Decimal
    rate_source: RateSource
    amount: Decimal
    taxable: bool
    listed_rate: Decimal | None


@dataclass(frozen=True, slots=True)
class Usage:
    """A reading and what it bills. A meter's first reading is its baseline: ``last`` is None, usage zero."""

    last: Decimal | None
    current: Decimal
    quantity: Decimal
    rate: Decimal
    amount: Decimal


def read_meter(customer: Customer, reading: Decimal | None) -> Usage | None:
    """Bill what the meter moved since the last reading; None without a reading.

    Raises NoMeter, MeterReadingDecreased.
    """
    if reading is None:
        return None
    if customer.meter_rate is None:
        raise NoMeter(f"{customer.name} has no gas meter.", attr="current_meter")
    last = customer.last_meter_reading
    if last is not None and reading < last:
        raise MeterReadingDecreased(f"The last reading was {last}; {reading} is below it.", attr="current_meter")
    quantity = ZERO if last is None else reading - last
    return Usage(
        last=last,
        current=reading,
        quantity=quantity,
        rate=customer.meter_rate,
        amount=to_cents(quantity * customer.meter_rate),
    )


def price_items(
    items: Sequence[SaleItem],
    equipment: Mapping[int, Equipment],
    contract_rates: Mapping[int, Decimal],
    *,
    may_override: bool,
) -> list[PricedItem]:
    """Price every line; see `_price` for the rate. Raises RateMismatch, Invalid."""
    return [
        _price(item, equipment[item.equipment], contract_rates.get(item.equipment), index, may_override=may_override)
        for index, item in enumerate(items)
    ]


def _price(
    item: SaleItem, equipment: Equipment, contract: Decimal | None, index: int, *, may_override: bool
) -> PricedItem:
    """The contract's rate, else the equipment's, else the one from the field.

    DEPOSIT and RETURN go by the equipment's deposit instead, else by the field's rate, else 0.00.
    """
    attr = f"items.{index}.rate"
    listed: Decimal | None
    if item.type in UNTAXED:
        listed, source = equipment.deposit, RateSource.DEFAULT
    elif contract is not None:
        listed, source = contract, RateSource.CONTRACT
    else:
        listed, source = equipment.default_rate, RateSource.DEFAULT
    overridden = None
    if listed is None:
        source = RateSource.FIELD
        if item.rate is None and item.type not in UNTAXED:
            raise Invalid(f"{equipment.sku} has no rate for this customer: please send one.", attr=attr)
        rate = item.rate if item.rate is not None else ZERO
    elif item.rate is None or item.rate == listed:
        rate = listed
    elif may_override:
        rate, source, overridden = item.rate, RateSource.OVERRIDE, listed
    else:
        raise RateMismatch(f"The rate of {equipment.sku} is {listed}, not {item.rate}.", attr=attr)
    sign = -1 if item.type == Type.RETURN else 1
    return PricedItem(
        equipment=equipment,
        type=item.type,
        condition=(item.condition or Condition.EMPTY) if item.type == Type.RETURN else "",
        quantity=item.quantity,
        rate=rate,
        rate_source=source,
        amount=to_cents(sign * item.quantity * rate),
        taxable=item.type not in UNTAXED,
        listed_rate=overridden,
    )
