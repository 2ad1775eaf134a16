"""What a sale comes to: a pure function of what was asked for and of rows that were read. No queries, no clock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from customers.models import Customer
from customers.selectors import ContractRates
from discrepancies.services import Code
from equipment.models import Equipment
from equipment.selectors import Prices
from foundation.confirmations import Question
from foundation.limits import AMOUNT
from foundation.money import ZERO
from inventory.models import Condition, Location, StockMovement
from inventory.services import Move
from invoices.services import Billing
from invoices.snapshot import Line, MeterUsage
from transactions.errors import EmptySale, MeterMovedOn, NegativeTotal
from transactions.pricing import Known, PricedItem, SaleItem, Type, Usage, price_items, read_meter
from transactions.unlikely import unlikely_in_sale
from transactions.usage import Habit


@dataclass(frozen=True, slots=True)
class Seen:
    """What a sale without a network was based on. ``pulled_at``: since when its prices were known; None: unknown."""

    pulled_at: datetime | None = None
    last_reading: Decimal | None = None
    total_with_gst: Decimal | None = None


@dataclass(frozen=True, slots=True)
class NewSale:
    """A sale, as asked for. ``occurred_at`` None: now; ``vehicle`` None: the one assigned to the seller then.

    ``seen`` None: it was sold with a network, and what was shown is what is billed, or it is refused.
    """

    customer: int
    items: Sequence[SaleItem] = ()
    current_meter: Decimal | None = None
    payment_received: bool = False
    remarks: str = ""
    occurred_at: datetime | None = None
    vehicle: str | None = None
    seen: Seen | None = None

    @property
    def coming_back(self) -> set[int]:
        """The indexes of the items that bring something back: that is always taken."""
        return {index for index, item in enumerate(self.items) if item.type == Type.RETURN}

    @property
    def only_takes_back(self) -> bool:
        return bool(self.items) and len(self.coming_back) == len(self.items) and self.current_meter is None


class Difference(NamedTuple):
    """Between what the field saw and what is recorded."""

    code: Code
    shown: object
    billed: object
    detail: str


@dataclass(frozen=True, slots=True)
class PriceList:
    """What a sale's prices are made of, as of its own moment: rows that no sale locks."""

    equipment: Mapping[int, Equipment]
    prices: Mapping[int, Prices]
    contracts: Mapping[int, ContractRates]
    gst_rate: Decimal
    known: Mapping[int, Known] | None = None


@dataclass(frozen=True, slots=True)
class SalePlan:
    """A sale that the rules allow, but for the stock: its lines, its reading, and what is billed."""

    items: Sequence[PricedItem]
    usage: Usage | None
    billing: Billing
    differences: Sequence[Difference] = ()
    questions: Sequence[Question] = ()

    def moves(self, vehicle: Location, customer: Location) -> list[Move]:
        """The stock that each line moves; a customer's cylinders are counted as FULL, whatever is in them."""
        kind, full, empty = StockMovement.Kind, Condition.FULL, Condition.EMPTY
        moves: list[Move] = []
        legs: list[tuple[StockMovement.Kind, Location, str, Location, str]]
        for index, item in enumerate(self.items):
            attr = f"items.{index}.quantity"
            match item.type:
                case Type.SALE:
                    legs = [(kind.SALE, vehicle, full, customer, full)]
                case Type.SWAP:
                    legs = [
                        (kind.SWAP_OUT, vehicle, full, customer, full),
                        (kind.SWAP_IN, customer, full, vehicle, empty),
                    ]
                case Type.RETURN:
                    legs = [(kind.RETURN, customer, full, vehicle, item.condition)]
                case _:
                    legs = []
            moves += [Move(leg[0], item.equipment, item.quantity, *leg[1:], attr) for leg in legs]
        return moves


def plan_sale(
    *,
    sale: NewSale,
    vehicle_no: str,
    customer: Customer,
    meter_rate: Decimal | None,
    listed: PriceList,
    may_override: bool,
    occurred_at: datetime,
    habit: Habit | None = None,
) -> SalePlan:
    """Price every line, bill the reading, add up; what is unlikely about it are the plan's questions.

    ``meter_rate`` is the customer's at that moment, ``habit`` that of the meter, where one was read. Raises
    MeterMovedOn, NoMeter, MeterReadingDecreased, RateMismatch, Invalid, EmptySale, NegativeTotal, AmountOutOfRange.
    """
    if sale.current_meter is not None and customer.meter_replaced_at and occurred_at < customer.meter_replaced_at:
        raise MeterMovedOn("The meter was replaced after this reading was taken.", attr="current_meter")
    usage = read_meter(customer, sale.current_meter, meter_rate)
    items = price_items(
        sale.items, listed.equipment, listed.prices, listed.contracts, may_override=may_override, known=listed.known
    )
    billing = _bill(sale, vehicle_no, customer, items, usage, gst_rate=listed.gst_rate, occurred_at=occurred_at)
    differences = [*_differences(sale.seen, items, usage, billing)]
    questions = unlikely_in_sale(
        items,
        usage,
        billing,
        habit,
        occurred_at,
        is_reported=sale.occurred_at is not None,
        last_seen=sale.seen.last_reading if sale.seen else None,
    )
    return SalePlan(items, usage, billing, differences, [*questions])


def _differences(
    seen: Seen | None, items: Sequence[PricedItem], usage: Usage | None, billing: Billing
) -> Iterator[Difference]:
    for item in items:
        if item.shown_rate is not None:
            detail = f"{item.equipment.sku} was shown at {item.shown_rate}, and is billed at {item.rate}."
            yield Difference(Code.RATE_DIFFERS, item.shown_rate, item.rate, detail)
    if seen is None:
        return
    if seen.total_with_gst not in (None, billing.total_amount):
        detail = f"{seen.total_with_gst} was shown, {billing.total_amount} is billed."
        yield Difference(Code.TOTAL_DIFFERS, seen.total_with_gst, billing.total_amount, detail)
    if usage is not None and seen.last_reading not in (None, usage.last):
        last = "none" if usage.last is None else usage.last
        detail = f"{seen.last_reading} was known as the meter's last reading, and it is {last}."
        yield Difference(Code.READING_DIFFERS, seen.last_reading, last, detail)


def _bill(
    sale: NewSale,
    vehicle_no: str,
    customer: Customer,
    items: Sequence[PricedItem],
    usage: Usage | None,
    *,
    gst_rate: Decimal,
    occurred_at: datetime,
) -> Billing:
    """Add up what is owed, or refuse what can't be billed."""
    usage_amount = usage.amount if usage else ZERO
    metered = bool(usage and usage.quantity)
    if not items and not metered:
        raise EmptySale("There are neither lines nor usage: nothing to bill.")
    subtotal = sum((item.amount for item in items), usage_amount)
    if subtotal < 0 and (metered or any(item.taxable for item in items)):
        raise NegativeTotal("The refunds exceed the sale. Please record refund and sale apart.", attr="items")
    billing = Billing(
        customer=customer,
        lines=[
            Line(
                description=item.equipment.name,
                sku=item.equipment.sku,
                type=item.type,
                condition=item.condition,
                quantity=item.quantity,
                rate=item.rate,
                amount=item.amount,
                taxable=item.taxable,
            )
            for item in items
        ],
        meter=MeterUsage(
            meter_number=customer.meter_number,
            last_reading=usage.current if usage.last is None else usage.last,
            current_reading=usage.current,
            usage=usage.quantity,
            rate=usage.rate,
            amount=usage.amount,
        )
        if usage
        else None,
        subtotal=subtotal,
        taxable_amount=sum((item.amount for item in items if item.taxable), usage_amount),
        gst_rate=gst_rate,
        payment_received=sale.payment_received,
        vehicle_no=vehicle_no,
        remarks=sale.remarks,
        occurred_at=occurred_at,
    )
    AMOUNT.require(billing.total_amount, attr="items" if items else "current_meter")
    return billing
