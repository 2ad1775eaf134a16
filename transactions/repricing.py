"""Which documents stand that the books would price otherwise now: what is left to correct once a rate was put right.

Each line is priced again as of its sale's own moment. What a person priced on purpose (OVERRIDE) isn't listed, nor what
was refunded at what had been charged for it (LOT); what was billed at what the field showed is, where the books have
another price by now. Nothing here changes a document: `services.credits` does.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Q, QuerySet, Sum

from customers.models import CustomerRate, MeterRate
from customers.selectors import contract_rates_of, meter_rates_in_force
from equipment.models import EquipmentPrice
from equipment.selectors import Prices, prices_in_force
from foundation import clock
from foundation.money import ZERO, shown, sum_of, to_cents
from foundation.remains import tells_of
from invoices.models import GstRate, Invoice
from invoices.selectors import gst_rate_day, gst_rates
from invoices.snapshot import InvoiceSnapshot
from transactions.crediting import Taxed
from transactions.models import RateSource, Transaction, TransactionItem

Type = TransactionItem.Type
LISTED = frozenset({RateSource.CONTRACT, RateSource.DEFAULT, RateSource.KNOWN, RateSource.FIELD})
"""Sources of a rate that the books would choose anew."""
METER, GST = "METER", "GST"
"""What stands in the place of a line's type: the meter's usage, and the GST of the whole document."""


@dataclass(frozen=True, slots=True)
class MispricedLine:
    """What is left of a line, and how much more of it was billed than would be now; negative: less.

    ``line`` as the invoice prints it. None: the GST rate, with ``rate`` and ``in_force`` in per cent. ``pieces`` None:
    they aren't counted. ``in_force`` None: the books have no price by now, and nobody can say what it should have been.
    """

    line: int | None
    kind: str
    sku: str
    name: str
    pieces: int | None
    rate: Decimal
    in_force: Decimal | None
    difference: Decimal | None
    gst: Decimal | None


@dataclass(frozen=True, slots=True)
class Mispriced:
    """A document, and its lines that would be priced otherwise."""

    sale: int
    invoice: int
    number: str
    day: date
    customer: int
    lines: list[MispricedLine]

    @property
    def total(self) -> Decimal:
        """With GST, of what can be said."""
        return sum(((line.difference or ZERO) + (line.gst or ZERO) for line in self.lines), ZERO)


def mispriced(
    within: Q, *, date_from: date, date_to: date, customer: int | None = None, equipment: int | None = None
) -> Iterator[Mispriced]:
    """The standing documents of a period that would be priced otherwise, in their order; of one customer or equipment.

    ``within``: whose. As many queries for a year as for a day. With ``equipment`` neither meters nor GST rates.
    """
    period = within & Q(date__gte=date_from, date__lte=date_to, invoice__voided_on__isnull=True)
    if customer is not None:
        period &= Q(customer=customer)
    sales = Transaction.objects.sales().filter(period).order_by()
    rows = {sale.pk: sale for sale in map(_Sale._make, sales.values_list(*_Sale.columns()).order_by("pk"))}
    in_force = _InForce.read(rows.values(), customer)
    lines: dict[int, list[_Item]] = defaultdict(list)
    items = TransactionItem.objects.filter(transaction__in=sales.values("pk")).order_by("pk")
    for item in map(_Item._make, items.values_list(*_Item.columns())):
        lines[item.sale].append(item)
    taken = _Taken.read(sales)
    for sale in rows.values():
        found = [*_lines_of(sale, lines[sale.pk], in_force, taken, equipment)]
        if found:
            yield Mispriced(sale.pk, sale.invoice, sale.number, sale.day, sale.customer, found)


def difference_of(pieces: Decimal | int, left: Decimal, billed: Decimal, in_force: Decimal) -> Decimal:
    """How much more of what is left of a line was billed than its pieces cost by the rate in force; negative: less.

    Money that was credited of a rate that was too high has corrected it so far. Of one that was too low it was credited
    for another reason, and what is left was too low by as much in proportion.
    """
    right = to_cents(pieces * in_force)
    if left == to_cents(pieces * billed) or not billed:
        return left - right
    if in_force < billed:
        return max(left - right, ZERO)
    return left - to_cents(left * in_force / billed)


class _Sale(NamedTuple):
    pk: int
    customer: int
    day: date
    tax_point_on: date
    occurred_at: datetime
    reading: Decimal | None
    meter_rate: Decimal | None
    usage: Decimal
    usage_amount: Decimal
    invoice: int
    number: str
    taxable: Decimal
    gst_rate: Decimal
    gst: Decimal
    replaces: int | None

    @staticmethod
    def columns() -> tuple[str, ...]:
        return (
            "pk", "customer", "date", "invoice__tax_point_on", "occurred_at", "current_meter_reading", "meter_rate",
            "usage", "usage_amount", "invoice", "invoice__invoice_number", "invoice__taxable_amount",
            "invoice__gst_rate", "invoice__gst_amount", "replaces",
        )  # fmt: skip


class _Item(NamedTuple):
    pk: int
    sale: int
    equipment: int
    sku: str
    name: str
    type: str
    quantity: int
    rate: Decimal
    source: str
    amount: Decimal
    is_taxable: bool

    @staticmethod
    def columns() -> tuple[str, ...]:
        return (
            "pk", "transaction", "equipment", "equipment__sku", "equipment_name", "type", "quantity", "rate",
            "rate_source", "amount", "taxable",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _InForce:
    """What counts, of any moment: read once for all documents."""

    contract: Callable[[int, int, date], Decimal | None]
    prices: Callable[[int, datetime], Prices]
    meter: Callable[[int, datetime], Decimal | None]
    gst_on: Callable[[date], Decimal]
    carried: Mapping[int, Decimal]
    """By what bills it again, the usage whose readings stand elsewhere."""

    @classmethod
    def read(cls, rows: Collection[_Sale], customer: int | None) -> "_InForce":
        return cls(
            contract=contract_rates_of(customer),
            prices=prices_in_force(),
            meter=meter_rates_in_force(customer),
            gst_on=gst_rates(),
            carried=_carried(row.pk for row in rows if row.replaces is not None),
        )

    def rate_of(self, item: _Item, sale: _Sale) -> Decimal | None:
        """As `pricing` lists it."""
        if item.type == Type.SHELL:
            return None
        prices = self.prices(item.equipment, sale.occurred_at)
        if item.type == Type.DEPOSIT:
            return prices.deposit
        contract = self.contract(sale.customer, item.equipment, clock.business_date(sale.occurred_at))
        return prices.default_rate if contract is None else contract

    def gst_rate_of(self, sale: _Sale) -> Decimal:
        delivered_on = clock.business_date(sale.occurred_at)
        return self.gst_on(gst_rate_day(tax_point_on=sale.tax_point_on, delivered_on=delivered_on))


@dataclass(frozen=True, slots=True)
class _Taken:
    """What other documents took back: pieces and money of lines, money of meters, and the taxed part of documents."""

    lines: Mapping[int, tuple[int, Decimal]] = field(default_factory=dict)
    usage: Mapping[int, Decimal] = field(default_factory=dict)
    taxed: Mapping[int, Taxed] = field(default_factory=dict)

    @classmethod
    def read(cls, sales: QuerySet[Transaction]) -> "_Taken":
        credited = sales.exclude(invoice__credited_amount=0)
        items = (
            TransactionItem.objects.filter(corrects__transaction__in=credited.values("pk"))
            .order_by()
            .values_list("corrects")
        )
        notes = Transaction.objects.filter(corrects__in=credited.values("pk")).order_by().values_list("corrects")
        documents = Invoice.objects.filter(corrects__in=credited.values("invoice")).order_by().values_list("corrects")
        return cls(
            lines={
                pk: (pieces, amount)
                for pk, pieces, amount in items.annotate(pieces=Sum("quantity"), sum=sum_of("amount"))
            },
            usage=dict(notes.annotate(sum=sum_of("usage_amount"))),
            taxed={
                pk: Taxed(-net, -gst)
                for pk, net, gst in documents.annotate(net=sum_of("taxable_amount"), gst=sum_of("gst_amount"))
            },
        )


def _carried(again: Iterable[int]) -> dict[int, Decimal]:
    """The usage that documents bill again though its readings are another sale's."""
    sales = Transaction.objects.filter(pk__in=[*again], current_meter_reading__isnull=True).exclude(usage_amount=0)
    meters = {
        pk: InvoiceSnapshot.from_json(said).meter
        for pk, said in sales.values_list("pk", "invoice__snapshot").order_by()
    }
    return {pk: meter.usage for pk, meter in meters.items() if meter is not None}


def _lines_of(
    sale: _Sale, items: Iterable[_Item], in_force: _InForce, taken: _Taken, equipment: int | None
) -> Iterator[MispricedLine]:
    """Those that would be priced otherwise. Their GST is what crediting them one after the other comes to."""
    credited = taken.taxed.get(sale.invoice, Taxed())
    off, number = Taxed(), 0
    for number, item in enumerate(items, start=1):
        if item.source not in LISTED or equipment not in (None, item.equipment):
            continue
        rate = in_force.rate_of(item, sale)
        pieces, amount = taken.lines.get(item.pk, (0, ZERO))
        pieces, left = item.quantity + pieces, item.amount + amount
        if rate is None and (item.source == RateSource.FIELD or not pieces):
            continue
        difference = None if rate is None else difference_of(pieces, left, item.rate, rate)
        if difference == 0:
            continue
        part = (
            _with_gst(credited.plus(off), difference, sale.gst_rate) if item.is_taxable else Taxed(difference or ZERO)
        )
        off = off.plus(part) if item.is_taxable else off
        tax = None if rate is None else part.gst
        yield MispricedLine(number, item.type, item.sku, item.name, pieces, item.rate, rate, difference, tax)
    if equipment is not None:
        return
    usage = in_force.carried.get(sale.pk, sale.usage)
    if usage != 0 and sale.meter_rate is not None:
        rate = in_force.meter(sale.customer, sale.occurred_at)
        left = sale.usage_amount + taken.usage.get(sale.pk, ZERO)
        difference = None if rate is None else difference_of(usage, left, sale.meter_rate, rate)
        if difference != 0:
            part = _with_gst(credited.plus(off), difference, sale.gst_rate)
            off = off.plus(part)
            tax = None if rate is None else part.gst
            yield MispricedLine(number + 1, METER, "", "Gas by meter", None, sale.meter_rate, rate, difference, tax)
    gst_rate = in_force.gst_rate_of(sale)
    if gst_rate != sale.gst_rate:
        left_of_it = Taxed(sale.taxable, sale.gst).less(credited).less(off)
        tax = left_of_it.gst - to_cents(left_of_it.net * gst_rate / 100)
        if tax != 0:
            yield MispricedLine(None, GST, "", "GST", None, sale.gst_rate, gst_rate, ZERO, tax)


def _with_gst(credited: Taxed, net: Decimal | None, rate: Decimal) -> Taxed:
    """So much more is credited (negative: billed): the GST of all of it is rounded, less that of what was before."""
    if net is None:
        return Taxed()
    return Taxed(net, to_cents((credited.net + net) * rate / 100) - credited.gst)


@tells_of(CustomerRate)
def mispriced_by_contract(rate: CustomerRate) -> Iterable[str]:
    """What was billed since its date and isn't priced so."""
    return _told(rate.valid_from, customer=rate.customer_id, equipment=rate.equipment_id)


@tells_of(MeterRate)
def mispriced_by_meter_rate(rate: MeterRate) -> Iterable[str]:
    """Likewise of a meter's rate."""
    return _told(rate.day, customer=rate.customer_id)


@tells_of(EquipmentPrice)
def mispriced_by_price(price: EquipmentPrice) -> Iterable[str]:
    """Likewise of a price or a deposit."""
    return _told(price.day, equipment=price.equipment_id)


@tells_of(GstRate)
def mistaxed(rate: GstRate) -> Iterable[str]:
    """Likewise of a GST rate."""
    return _told(rate.valid_from)


def _told(since: date, *, customer: int | None = None, equipment: int | None = None) -> Iterator[str]:
    today = clock.business_date(clock.now())
    if since > today:
        return
    found = [*mispriced(Q(), date_from=since, date_to=today, customer=customer, equipment=equipment)]
    if found:
        total = sum((each.total for each in found), ZERO)
        how = "too little" if total < 0 else "too much"
        documents = "1 document" if len(found) == 1 else f"{len(found)} documents"
        much = f"S$ {shown(abs(total))} {how}, with GST"
        yield f"{documents} since {since.isoformat()} would be priced otherwise now: {much}"
