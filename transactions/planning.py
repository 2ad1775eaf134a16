"""What a sale comes to: a pure function of what was asked for and of rows that were read. No queries, no clock."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from customers.models import Customer
from customers.selectors import ContractRates
from deposits.held import Held
from discrepancies.services import Code
from equipment.models import Equipment
from equipment.selectors import Prices
from foundation.confirmations import Question
from foundation.errors import Invalid
from foundation.limits import AMOUNT
from foundation.money import ZERO
from inventory.models import Condition, Location, StockMovement
from inventory.services import Move
from invoices.services import Billing
from invoices.snapshot import Line, MeterUsage
from payments.errors import MoneyNotFound
from payments.models import Payment
from payments.offsets import Open, Refunded, offsets
from payments.tender import Portion, Tender, in_coins, portions, rounding_of, total_of
from payments.unlikely import unfound_deposit
from transactions.errors import EmptySale, MeterMovedOn, RateMismatch, TenderExceedsDue
from transactions.pricing import (
    CARRIED,
    CREDITS,
    LEAVING,
    Asked,
    Known,
    PricedItem,
    SaleItem,
    Type,
    Usage,
    price_items,
    read_meter,
    spelled_out,
)  # fmt: skip
from transactions.unlikely import unlikely_in_sale
from transactions.usage import Habit


@dataclass(frozen=True, slots=True)
class Seen:
    """What a sale without a network was based on. ``pulled_at``: since when its prices were known; None: unknown.

    ``cash``: what was taken for it, or negative: paid out; None: the total, by an app that knows no set-off. Beside a
    tender its sign alone says something: whether that was taken or paid out.
    """

    pulled_at: datetime | None = None
    last_reading: Decimal | None = None
    total_with_gst: Decimal | None = None
    cash: Decimal | None = None


@dataclass(frozen=True, slots=True)
class NewSale:
    """A sale, as asked for. ``occurred_at`` None: now; ``vehicle`` None: the one assigned to the seller then.

    ``payment_received``: all that is due changed hands in cash; or ``tender`` says what did and how, all of it or a
    part: its amounts have no sign. ``seen`` None: it was sold with a network, and what was shown is what is billed, or
    it is refused.
    """

    customer: int
    items: Sequence[SaleItem] = ()
    current_meter: Decimal | None = None
    payment_received: bool = False
    tender: Sequence[Tender] = ()
    remarks: str = ""
    occurred_at: datetime | None = None
    vehicle: str | None = None
    seen: Seen | None = None

    @property
    def equipment(self) -> list[int]:
        """All that it names: of each item what it is about, then what comes back for it."""
        others = [item.returned_equipment for item in self.items if item.returned_equipment is not None]
        return [*(item.equipment for item in self.items), *others]

    @property
    def coming_back(self) -> set[int]:
        """The indexes among the `equipment` of what is brought back: that is always taken."""
        back = {index for index, item in enumerate(self.items) if item.type == Type.RETURN}
        return back | {*range(len(self.items), len(self.equipment))}

    def tax_point_on(self, *, occurred_on: date, issued_on: date) -> date:
        """When the supply counts: on the earlier of payment and invoice (GST Act 1993, s 11).

        What is paid on the spot in part, counts wholly then. A cheque and a card are no payment before the bank has
        paid them.
        """
        at_once = (Payment.Method.CASH, Payment.Method.PAYNOW)
        is_paid = self.payment_received or any(each.method in at_once for each in self.tender)
        return min(occurred_on, issued_on) if is_paid else issued_on

    @property
    def only_takes_back(self) -> bool:
        only_returns = bool(self.items) and all(item.type == Type.RETURN for item in self.items)
        return only_returns and self.current_meter is None

    @property
    def needs_vehicle(self) -> bool:
        """Does anything come off the vehicle or onto it? A reading, a service or a deposit doesn't."""
        return any(item.type in CARRIED for item in self.items)


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
    tax_point_on: date
    gst_rate: Decimal
    lost_is_taxable: bool
    known: Mapping[int, Known] | None = None
    meter_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """What a customer holds of all that leaves the site, before it does; and what is open of the invoices that charged
    the deposits of it, by lot: also of those that charged them again, as the void of a refund does. ``unfound`` is what
    paid those, without cash, and wasn't found at the bank.
    """

    held: Mapping[int, Held]
    charged_by: Mapping[int, Sequence[Open]]
    unfound: Mapping[int, Sequence[Payment]]


@dataclass(frozen=True, slots=True)
class RefundPlan:
    """A refund, and what it is set off against: the invoices that charged it, and the sale that it is beside."""

    items: Sequence[PricedItem]
    billing: Billing
    against: Mapping[int, Decimal]
    against_sale: Decimal


class Settled(NamedTuple):
    """How a sale and its refund are settled.

    ``due`` is what has to change hands, ``tender`` what does: to the seller, or negative: to the customer. With its
    ``rounding`` it settles so much less. ``paid_out`` is what of the refund that settles.
    """

    due: Decimal
    tender: Sequence[Tender]
    rounding: Decimal
    against: Mapping[Open, Decimal]
    against_sale: Decimal
    paid_out: Decimal

    @property
    def set_off(self) -> Decimal:
        """How much of the refund is."""
        return sum(self.against.values(), self.against_sale)

    @property
    def moved(self) -> Decimal:
        return total_of(self.tender)

    @property
    def settling(self) -> Decimal:
        """What that comes to, with what it was rounded by."""
        return self.moved - self.rounding


@dataclass(frozen=True, slots=True)
class SalePlan:
    """A sale that the rules allow: its lines, its reading, and what is billed. A refund that exceeds it has a document
    of its own beside it; where there is nothing but a refund, ``billing`` is the refund's. What changes hands settles
    its document by ``tendered``; ``moved`` is all of it, negative: to the customer.
    """

    items: Sequence[PricedItem]
    usage: Usage | None
    billing: Billing
    tendered: Sequence[Portion] = ()
    refund: RefundPlan | None = None
    differences: Sequence[Difference] = ()
    questions: Sequence[Question] = ()

    @property
    def all_items(self) -> list[PricedItem]:
        return [*self.items, *(self.refund.items if self.refund and self.is_beside_sale else ())]

    @property
    def is_beside_sale(self) -> bool:
        """Are there two documents?"""
        return self.refund is not None and self.refund.billing is not self.billing

    @property
    def moved(self) -> Decimal:
        return total_of(portion.tender for portion in self.tendered)

    @property
    def cash(self) -> Decimal:
        """Into the bag, or negative: out of it."""
        return total_of((portion.tender for portion in self.tendered), method=Payment.Method.CASH)

    @property
    def is_settled_at_once(self) -> bool:
        """Does what changed hands settle the one document there is, one payment at most, and nothing else?"""
        is_paid = self.billing.payment_received and self.refund is None and len(self.tendered) <= 1
        return is_paid and all(each.amount == each.tender.amount for each in self.tendered)

    @property
    def owed(self) -> Decimal:
        """By both documents, before anything is set off or paid."""
        beside = self.refund.billing.total_amount if self.refund and self.is_beside_sale else ZERO
        return self.billing.total_amount + beside


def moves_of(
    lines: Sequence[Asked], equipment: Mapping[int, Equipment], vehicle: Location, customer: Location, outside: Location
) -> list[Move]:
    """The stock that each line moves; a customer's cylinders are counted as FULL, whatever is in them."""
    kind, full, empty = StockMovement.Kind, Condition.FULL, Condition.EMPTY
    moves: list[Move] = []
    legs: list[tuple[StockMovement.Kind, Location, str, Location, str]]
    for item, index in lines:
        row = equipment[item.equipment]
        match item.type:
            case Type.SALE:
                legs = [(kind.SALE, vehicle, full, customer, full)]
            case Type.SWAP:
                legs = [
                    (kind.SWAP_OUT, vehicle, full, customer, full),
                    (kind.SWAP_IN, customer, full, vehicle, empty),
                ]
            case Type.RETURN:
                # The books know nothing of another brand's shells before they are brought.
                legs = [(kind.FOREIGN, outside, empty, customer, full)] if row.is_foreign else []
                legs.append((kind.RETURN, customer, full, vehicle, item.condition or empty))
            case Type.SHELL:
                legs = [(kind.SHELL, customer, full, outside, empty)]
            case _:
                legs = []
        moves += [Move(leg[0], row, item.quantity, *leg[1:], f"items.{index}.quantity") for leg in legs]
    return moves


def leaving(lines: Sequence[Asked]) -> Counter[int]:
    """How many of which equipment leave the customer's site for good."""
    gone: Counter[int] = Counter()
    for item, _ in lines:
        if item.type in LEAVING:
            gone[item.equipment] += item.quantity
    return gone


def plan_sale(
    *,
    sale: NewSale,
    vehicle_no: str,
    customer: Customer,
    meter_rate: Decimal | None,
    listed: PriceList,
    site: Site,
    may_override: bool,
    occurred_at: datetime,
    habit: Habit | None = None,
    carried: Usage | None = None,
) -> SalePlan:
    """Price every line, bill the reading, add up; what is unlikely about it are the plan's questions.

    ``meter_rate`` is the customer's at that moment, ``habit`` that of the meter, where one was read; ``carried`` is
    usage that is billed again, whose reading stands. Raises MeterMovedOn, NoMeter, MeterReadingDecreased, RateMismatch,
    Invalid, EmptySale, AmountOutOfRange.
    """
    if sale.current_meter is not None and customer.meter_replaced_at and occurred_at < customer.meter_replaced_at:
        raise MeterMovedOn("The meter was replaced after this reading was taken.", attr="current_meter")
    usage = carried or read_meter(customer, sale.current_meter, meter_rate)
    items = price_items(
        lines_of(sale, listed),
        listed.equipment,
        listed.prices,
        listed.contracts,
        sites=site.held,
        may_override=may_override,
        lost_is_taxable=listed.lost_is_taxable,
        known=listed.known,
    )
    credits = [item for item in items if item.type in CREDITS]
    charges = [item for item in items if item.type not in CREDITS]
    metered = bool(usage and usage.quantity)
    if not items and not metered:
        raise EmptySale("There are neither lines nor usage: nothing to bill.")
    bill = partial(_bill, sale, vehicle_no, customer, listed=listed, occurred_at=occurred_at)
    billed = credited = bill(items, usage)
    refund = None
    if billed.subtotal < 0 and (charges or metered):
        items, billed, credited = charges, bill(charges, usage), bill(credits, None)
    owes, back = max(billed.total_amount, ZERO), max(-credited.total_amount, ZERO)
    settled = _settled(sale, credits, site, owes=owes, back=back)
    if not may_override:
        _require_known_payout(sale, settled, credits, listed)
    taken = min(max(settled.settling, ZERO), owes)
    to_settle = taken - settled.paid_out
    tendered = portions(settled.tender, to_settle, settled.rounding)
    paid_by = [(each.tender.method, abs(each.tender.amount)) for each in tendered]
    is_on_the_spot = sale.payment_received or bool(settled.moved)
    billing = replace(
        billed,
        set_off=settled.against_sale,
        paid=taken,
        paid_by=paid_by if taken else (),
        rounding=settled.rounding if taken else ZERO,
        payment_received=is_on_the_spot and taken == owes - settled.against_sale,
    )
    if back:
        is_paid = settled.paid_out > 0 and settled.paid_out == back - settled.set_off
        credited = replace(
            credited,
            set_off=settled.set_off,
            paid=settled.paid_out,
            paid_by=paid_by if settled.paid_out else (),
            rounding=-settled.rounding if settled.paid_out else ZERO,
            set_off_against=[charge.number for charge in settled.against],
            payment_received=is_paid,
        )
        against = {charge.invoice: amount for charge, amount in settled.against.items()}
        refund = RefundPlan(credits, credited, against, settled.against_sale)
        billing = billing if owes else credited
    everything = [*charges, *credits]
    differences = [*_differences(sale, everything, usage, settled, owed=owes - back)]
    questions = unlikely_in_sale(
        everything,
        usage,
        billing,
        settled.moved,
        habit,
        occurred_at,
        is_reported=sale.occurred_at is not None,
        attr_of_money="tender" if sale.tender else "payment_received",
        last_seen=sale.seen.last_reading if sale.seen else None,
    )
    more = [*_more_than_due(sale, settled), *_not_found(sale, settled, credits, site)]
    return SalePlan(items, usage, billing, tendered, refund, differences, [*questions, *more])


def lines_of(sale: NewSale, listed: PriceList) -> list[Asked]:
    return list(spelled_out(sale.items, listed.equipment, listed.prices))


def _settled(sale: NewSale, credits: Sequence[PricedItem], site: Site, *, owes: Decimal, back: Decimal) -> Settled:
    """How what a sale ``owes`` and what it gives ``back`` are settled.

    The refund is set off against the invoices that charged its deposits, then against the sale; the rest is due. But
    what changed hands in the field has settled both documents as it could, and only what is left is set off.
    """
    refunds = [Refunded(refund.lot.pk, refund.amount) for item in credits for refund in item.refunds if refund.lot]
    set_off = partial(offsets, refunds, site.charged_by)
    due = owes - back + sum(set_off(most=back).values(), ZERO)
    tender = _tender(sale, credits, due, total=owes - back)
    cash = total_of(tender, method=Payment.Method.CASH)
    rounding = rounding_of(cash, due - total_of(tender) + cash)
    settling = total_of(tender) - rounding
    paid_out = min(max(-settling, ZERO), back)
    to_pay = max(owes - max(settling, ZERO), ZERO)
    left = back - paid_out
    against = set_off(most=left - min(left, to_pay) if sale.payment_received else left)
    against_sale = min(left - sum(against.values(), ZERO), to_pay)
    return Settled(due, tender, rounding, against, against_sale, paid_out)


def _tender(sale: NewSale, credits: Sequence[PricedItem], due: Decimal, *, total: Decimal) -> Sequence[Tender]:
    """What changes hands, signed: as the field says, else as the sale comes to. Raises Invalid, AmountOutOfRange."""
    if sale.payment_received:
        cash = _cash(sale, credits, due)
        return [Tender(Payment.Method.CASH, cash)] if cash else []
    if not sale.tender:
        return []
    way = (sale.seen.cash or sale.seen.total_with_gst if sale.seen else due) or total
    tender = [each if way >= 0 else replace(each, amount=-each.amount, given=None) for each in sale.tender]
    AMOUNT.require(total_of(tender), attr="tender")
    if sale.seen is None and total_of(tender) < min(due, in_coins(due), ZERO):
        raise Invalid(f"Only {abs(min(due, ZERO))} is to be paid out.", attr="tender")
    return tender


def _cash(sale: NewSale, credits: Sequence[PricedItem], due: Decimal) -> Decimal:
    """What is due, in coins; where the field showed another amount, that one: it has changed hands.

    Raises AmountOutOfRange.
    """
    if sale.seen is None:
        return in_coins(due)
    if sale.seen.cash is not None:
        return sale.seen.cash
    if sale.seen.total_with_gst is not None:
        return in_coins(sale.seen.total_with_gst)
    more = ((item.shown_rate - item.rate) * item.quantity for item in credits if item.shown_rate is not None)
    cash = due - sum(more, ZERO)
    AMOUNT.require(cash, attr="items")
    return in_coins(cash)


def _more_than_due(sale: NewSale, settled: Settled) -> Iterator[Question]:
    """Ask about a tender that is more than the sale comes to: older debts are paid so, and typing errors made."""
    more = settled.settling - max(settled.due, ZERO)
    if sale.tender and more > 0:
        detail = f"{settled.moved} is more than what is due, {max(settled.due, ZERO)}: the rest settles older invoices."
        yield TenderExceedsDue(detail, attr="tender", value=settled.moved)


def _not_found(sale: NewSale, settled: Settled, credits: Sequence[PricedItem], site: Site) -> Iterator[MoneyNotFound]:
    """Ask about deposits that are paid out though nobody has found what paid for them."""
    charges = {
        charge.invoice
        for item in credits
        for refund in item.refunds
        if refund.lot
        for charge in site.charged_by.get(refund.lot.pk, ())
    }
    paid_by = {payment.pk: payment for pk in sorted(charges) for payment in site.unfound.get(pk, ())}
    attr = "tender" if sale.tender else "payment_received"
    return unfound_deposit(paid_by.values(), [each.method for each in settled.tender if each.amount < 0], attr=attr)


def _require_known_payout(sale: NewSale, settled: Settled, credits: Sequence[PricedItem], listed: PriceList) -> None:
    """A phone that didn't know the lots may have paid out more than is due: never more than the deposits that it knew.

    What is due never exceeds that. Raises RateMismatch.
    """
    most = ZERO
    for item in credits:
        known = listed.known.get(item.equipment.pk, Known()).deposits if listed.known else frozenset[Decimal]()
        most += item.quantity * max(item.rate, listed.prices[item.equipment.pk].deposit or ZERO, *known)
    if -settled.settling > most:
        raise RateMismatch(
            f"{_moved(settled.moved)}; due was: {_moved(settled.due)}. No deposit comes to more than {most}.",
            attr="based_on.total_with_gst" if sale.seen is None or sale.seen.cash is None else "based_on.cash",
        )


def _differences(
    sale: NewSale, items: Sequence[PricedItem], usage: Usage | None, settled: Settled, *, owed: Decimal
) -> Iterator[Difference]:
    seen = sale.seen
    for item in items:
        if item.shown_rate is not None:
            detail = f"{item.equipment.sku} was shown at {item.shown_rate}, and is billed at {item.rate}."
            yield Difference(Code.RATE_DIFFERS, item.shown_rate, item.rate, detail)
    if seen is None:
        return
    if seen.total_with_gst not in (None, owed):
        detail = f"{seen.total_with_gst} was shown, {owed} is billed."
        yield Difference(Code.TOTAL_DIFFERS, seen.total_with_gst, owed, detail)
    more = ZERO if seen.total_with_gst is None else seen.total_with_gst - owed
    due = settled.due + more
    is_other = settled.moved not in (due, in_coins(due)) if sale.payment_received else settled.settling < min(due, ZERO)
    if is_other:
        detail = f"{_moved(settled.moved)}; due was: {_moved(settled.due)}."
        yield Difference(Code.CASH_DIFFERS, settled.moved, settled.due, detail)
    if usage is not None and seen.last_reading not in (None, usage.last):
        last = "none" if usage.last is None else usage.last
        detail = f"{seen.last_reading} was known as the meter's last reading, and it is {last}."
        yield Difference(Code.READING_DIFFERS, seen.last_reading, last, detail)


def _moved(cash: Decimal) -> str:
    return f"{-cash} paid out" if cash < 0 else f"{cash} taken" if cash else "nothing"


def usage_line(meter_number: str, amount: Decimal) -> Line:
    """Money of a meter's usage, where its readings stand."""
    return Line(f"Gas by meter {meter_number}".strip(), "", "USAGE", "", 0, ZERO, amount, taxable=True)


def _bill(
    sale: NewSale,
    vehicle_no: str,
    customer: Customer,
    items: Sequence[PricedItem],
    usage: Usage | None,
    *,
    listed: PriceList,
    occurred_at: datetime,
) -> Billing:
    """Add up what is owed. Raises AmountOutOfRange."""
    usage_amount = usage.amount if usage else ZERO
    subtotal = sum((item.amount for item in items), usage_amount)
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
            meter_number=usage.meter_number,
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
        gst_rate=listed.gst_rate,
        tax_point_on=listed.tax_point_on,
        payment_received=sale.payment_received,
        vehicle_no=vehicle_no,
        remarks=sale.remarks,
        occurred_at=occurred_at,
    )
    AMOUNT.require(billing.total_amount, attr="items" if items else "current_meter")
    return billing
