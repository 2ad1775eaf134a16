"""What a sale costs: every line priced on the server, every reading billed once.

Pure functions over rows that the service has locked or read: no queries here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from customers.models import Customer
from customers.selectors import ContractRates
from deposits.held import Held, Refund
from equipment.models import Equipment
from equipment.selectors import Prices
from foundation.errors import Invalid
from foundation.limits import AMOUNT, QUANTITY, RATE, READING, USAGE
from foundation.money import ZERO, to_cents
from inventory.models import Condition
from transactions.errors import MeterReadingDecreased, NoMeter, RateMismatch
from transactions.models import RateSource, TransactionItem

Type = TransactionItem.Type
Reason = TransactionItem.Reason
CREDITS = frozenset({Type.RETURN, Type.SETOFF})
"""What gives deposits back; its amount is negative."""
UNTAXED = frozenset({Type.DEPOSIT, *CREDITS})
"""A refundable deposit is no consideration for a supply, so GST stays away from it (IRAS e-Tax Guide)."""
LEAVING = frozenset({Type.RETURN, Type.SHELL})
"""What takes shells away from the customer's site for good."""
CARRIED = frozenset({Type.SALE, Type.SWAP, Type.RETURN})
"""What comes off a vehicle or onto it."""


@dataclass(frozen=True, slots=True)
class SaleItem:
    """A line of a sale, as asked for. ``rate`` None: the server's price, whatever it is."""

    equipment: int
    type: str
    quantity: int
    condition: str = ""
    rate: Decimal | None = None
    reason: str = ""
    returned_equipment: int | None = None


class Asked(NamedTuple):
    """A line to be recorded, and the position of the item that asked for it."""

    item: SaleItem
    position: int


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
    instead; else None. ``refunds``: which deposits it gives back.
    """

    index: int
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
    reason: str = ""
    refunds: Sequence[Refund] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """A reading and what it bills. A meter's first reading is its baseline: ``last`` is None, usage zero.

    ``is_carried``: it is billed once more, and stands in the chain of readings where it was billed first.
    """

    meter_number: str
    last: Decimal | None
    current: Decimal
    quantity: Decimal
    rate: Decimal
    amount: Decimal
    is_carried: bool = False


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
    return usage_between(customer.meter_number, last, reading, rate)


def usage_between(meter_number: str, last: Decimal | None, reading: Decimal, rate: Decimal) -> Usage:
    """What a meter's two readings bill. Raises AmountOutOfRange."""
    quantity = ZERO if last is None else reading - last
    amount = to_cents(quantity * rate)
    for limit, value in ((READING, reading), (USAGE, quantity), (AMOUNT, amount)):
        limit.require(value, attr="current_meter")
    return Usage(meter_number, last, reading, quantity, rate, amount)


def spelled_out(
    items: Sequence[SaleItem], equipment: Mapping[int, Equipment], prices: Mapping[int, Prices]
) -> Iterator[Asked]:
    """The lines that the items come to: a shell of another kind that comes back for a full one is a line of its own.

    Of ours in another size it is a RETURN, and the new one's deposit is charged; of another brand it is only taken.
    Raises Invalid where another brand's is to be sold or lent.
    """
    for index, item in enumerate(items):
        back, item = item.returned_equipment, replace(item, returned_equipment=None)
        if item.type == Type.SWAP and back not in (None, item.equipment):
            lines = [replace(item, type=Type.SALE, condition="")]
            if not equipment[back].is_foreign and prices[item.equipment].deposit is not None:
                lines.append(SaleItem(item.equipment, Type.DEPOSIT, item.quantity))
            lines.append(SaleItem(back, Type.RETURN, item.quantity, item.condition))
        else:
            lines = [item if back is None else replace(item, equipment=back)]
        for line in lines:
            if equipment[line.equipment].is_foreign and line.type != Type.RETURN:
                raise Invalid(
                    f"{equipment[line.equipment].sku} is another brand's: it is only taken back.",
                    attr=f"items.{index}.equipment",
                )
            yield Asked(line, index)


def price_items(
    asked: Sequence[Asked],
    equipment: Mapping[int, Equipment],
    prices: Mapping[int, Prices],
    contracts: Mapping[int, ContractRates],
    *,
    sites: Mapping[int, Held],
    may_override: bool,
    lost_is_taxable: bool,
    known: Mapping[int, Known] | None = None,
) -> list[PricedItem]:
    """Price every line; see `_price` for the rate. Raises RateMismatch, Invalid, AmountOutOfRange.

    ``sites`` says of each equipment that leaves the customer's site what the customer holds of it before. ``known`` is
    there for what was sold without a network: the goods are gone, and another rate refuses nothing.
    """
    held = dict(sites)
    # A deposit that is charged now is for what comes now: nothing that goes is refunded by it, nor lent without one.
    for item, _ in asked:
        if item.type == Type.DEPOSIT and item.equipment in held:
            before = held[item.equipment]
            held[item.equipment] = replace(before, at_site=before.at_site - item.quantity)
    priced: list[PricedItem] = []
    for item, index in asked:
        row = equipment[item.equipment]
        refunds: Sequence[Refund] = ()
        if item.type in LEAVING and not row.is_foreign:
            before = held.get(item.equipment, Held())
            refunds, held[item.equipment] = before.without(item.quantity, loan_first=item.reason != Reason.LOST)
        elif item.type == Type.RETURN:
            refunds = [Refund(None, item.quantity, ZERO)]
        if item.type == Type.RETURN:
            priced += _returned(item, row, refunds, index, is_done=known is not None)
            continue
        listed = [
            *_listed(item, prices[item.equipment], contracts.get(item.equipment, ContractRates())),
            *_known(item, known.get(item.equipment, Known()) if known else Known()),
        ]
        charge = _price(item, row, listed, index, may_override=may_override, is_done=known is not None)
        if item.type == Type.SHELL:
            charge = replace(charge, taxable=item.reason == Reason.BOUGHT or lost_is_taxable)
        priced.append(charge)
        if item.type == Type.SHELL:
            paid = [refund for refund in refunds if refund.lot is not None]
            if not may_override:
                _require_deposit_covered(charge, paid, prices[item.equipment].deposit)
            priced += _given_back(Type.SETOFF, item, row, paid, index)
    return priced


def _returned(
    item: SaleItem, equipment: Equipment, refunds: Sequence[Refund], index: int, *, is_done: bool
) -> list[PricedItem]:
    """What comes back is refunded at what was charged for it, whatever it costs today, and whoever is asking."""
    QUANTITY.require(item.quantity, attr=f"items.{index}.quantity")
    lines = _given_back(Type.RETURN, item, equipment, refunds, index)
    if item.rate is None or all(line.rate == item.rate for line in lines):
        return lines
    if not is_done:
        refunded = ", ".join(f"{line.quantity} at {line.rate}" for line in lines)
        raise RateMismatch(
            f"{equipment.sku} is refunded at what was charged: {refunded}, not {item.rate}.", attr=f"items.{index}.rate"
        )
    return [line if line.rate == item.rate else replace(line, shown_rate=item.rate) for line in lines]


def _require_deposit_covered(shell: PricedItem, paid: Sequence[Refund], deposit: Decimal | None) -> None:
    """Nobody lists what a shell costs. But no seller pays its deposit out by it, nor lets it go for less than that."""
    least = max(sum((refund.amount for refund in paid), ZERO), shell.quantity * (deposit or ZERO))
    if shell.amount < least:
        raise RateMismatch(
            f"{shell.quantity} × {shell.equipment.sku} can't cost less than the deposit of {least}: {shell.amount}.",
            attr=f"items.{shell.index}.rate",
        )


def _given_back(
    kind: Type, item: SaleItem, equipment: Equipment, refunds: Sequence[Refund], index: int
) -> list[PricedItem]:
    """A line for each amount that a piece refunds."""
    by_rate: dict[Decimal, list[Refund]] = {}
    for refund in refunds:
        by_rate.setdefault(refund.of_one, []).append(refund)
    lines = []
    for rate, of_it in by_rate.items():
        quantity = sum(refund.pieces for refund in of_it)
        amount = to_cents(-quantity * rate) + ZERO
        AMOUNT.require(amount, attr=f"items.{index}.quantity")
        lines.append(
            PricedItem(
                index=index,
                equipment=equipment,
                type=kind,
                condition=(item.condition or Condition.EMPTY) if kind == Type.RETURN else "",
                quantity=quantity,
                rate=rate,
                rate_source=RateSource.LOT,
                amount=amount,
                taxable=False,
                listed_rate=None,
                refunds=of_it,
            )
        )
    return lines


def _listed(item: SaleItem, prices: Prices, contract: ContractRates) -> list[Listed]:
    """The price in force; behind it the one that could be known then, where that was another.

    The contract's rate, else the equipment's. A DEPOSIT goes by the equipment's deposit instead; nobody lists what a
    SHELL costs.
    """
    known = prices.known or prices
    if item.type == Type.DEPOSIT:
        deposits = [each.deposit for each in (prices, known) if each.deposit is not None]
        return [Listed(deposit, RateSource.DEFAULT) for deposit in dict.fromkeys(deposits)]
    if item.type == Type.SHELL:
        return [Listed(None, RateSource.FIELD)]
    sides = ((contract.valid, prices.default_rate), (contract.known, known.default_rate))
    return [
        Listed(default, RateSource.DEFAULT) if rate is None else Listed(rate, RateSource.CONTRACT)
        for rate, default in sides
    ]


def _known(item: SaleItem, known: Known) -> list[Listed]:
    if item.type == Type.SHELL:
        return []
    rates = known.deposits if item.type == Type.DEPOSIT else known.rates
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
    """The listed rate; the field's where none is listed, but for a deposit."""
    attr = f"items.{index}.rate"
    price, source = listed[0] if listed else Listed(None, RateSource.OVERRIDE)
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
        elif price is None:
            raise Invalid(f"{equipment.sku} has no deposit: please have one set.", attr=attr)
        else:
            raise RateMismatch(f"The rate of {equipment.sku} is {price}, not {item.rate}.", attr=attr)
    elif price is not None:
        rate = price
    elif item.type == Type.DEPOSIT:
        raise Invalid(f"{equipment.sku} has no deposit: please have one set.", attr=attr)
    else:
        raise Invalid(f"{equipment.sku} has no rate for this customer: please send one.", attr=attr)
    amount = to_cents(item.quantity * rate)
    QUANTITY.require(item.quantity, attr=f"items.{index}.quantity")
    RATE.require(rate, attr=attr)
    AMOUNT.require(amount, attr=f"items.{index}.quantity")
    return PricedItem(
        index=index,
        equipment=equipment,
        type=item.type,
        condition="",
        quantity=item.quantity,
        rate=rate,
        rate_source=source,
        amount=amount,
        taxable=item.type not in UNTAXED,
        listed_rate=overridden,
        shown_rate=differs,
        reason=item.reason,
    )
