"""Bill again: an invoice that was wrong is credited, and what is right is billed, in one commit."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from accounts import locks as user_locks
from accounts.models import User
from customers import locks as customer_locks
from customers.models import Customer
from customers.selectors import meter_rate_at
from foundation import clock
from foundation.commands import command
from foundation.confirmations import Question, Unconfirmed
from foundation.entities import entity_name
from foundation.errors import Denied, DomainError, UnknownReference
from foundation.operations.idempotency import idempotent
from foundation.operations.position import Position
from inventory import locks as stock_locks
from inventory.models import LocationKind, StockMovement
from inventory.services import Place, customer_place, locations, vehicle_place
from invoices import locks as invoice_locks
from invoices.models import Invoice
from invoices.snapshot import InvoiceSnapshot, MeterUsage, Replaced
from payments.services import release, settle_again
from sequences.services import take_numbers
from transactions.errors import AlreadyVoided, MeterMovedOn, NoInvoice
from transactions.models import Transaction, TransactionItem
from transactions.planning import NewSale
from transactions.pricing import Usage, usage_between
from transactions.services import sales
from transactions.services.voids import Goods, NewVoid, has_latest_reading, moved_meter, void_transaction


@dataclass(frozen=True, slots=True)
class NewBill:
    """What takes a sale's place, and why. Of the new ``sale`` only who bought what, and the reading, are its own: when
    it was, from which vehicle and by whom stays, and so does the money.
    """

    transaction: int
    reason: str
    sale: NewSale


@command
@idempotent
def bill_again(*, actor: User, data: NewBill) -> Transaction:
    """Void a sale as never made, and record what is right as of the same moment; each document names the other.

    It has the seller, depot and vehicle of the one whose place it takes, the prices and the GST rate of that moment as
    the books know them now, however long ago it was. Where the meter has moved on, its readings stand and their usage
    is billed again, at the rate that is right. What had settled the voided invoice settles the new one, see
    `payments.services.release`; the rest is credit.

    Idempotent by (actor, client_temp_id). Locks the seller (shared), both customers, the invoice, all balances that it
    may move, the deposits, the payments, the number tickets. Raises what `void_transaction` and
    `create_customer_transaction_and_invoice` do, and NoInvoice.
    """
    original: Transaction = Transaction.objects.select_related("user", "invoice").get(pk=data.transaction)
    user_locks.makers([original.user_id])
    customers = {row.pk: row for row in customer_locks.customers([original.customer_id, data.sale.customer])}
    if not Customer.objects.visible_to(actor).filter(pk=data.sale.customer).exists():
        raise UnknownReference(data.sale.customer, attr="sale.customer")
    invoice = invoice_locks.invoice(original.invoice_id)
    if invoice.kind != Invoice.Kind.TAX_INVOICE or original.reverses_id is not None:
        raise NoInvoice(f"{invoice.invoice_number} is no tax invoice of a sale.")
    if invoice.voided_on is not None:
        # Before its meter is asked about: of what is voided no usage is left to be credited.
        raise AlreadyVoided(f"{original.transaction_number} is voided already.")
    before, after = customers[original.customer_id], customers[data.sale.customer]
    _lock_balances(original, data.sale, before, after)
    said = InvoiceSnapshot.from_json(invoice.snapshot)
    stays = _reading_stays(original, said, before)
    carried = _carried(original, said.meter, data.sale, after) if stays else None
    sale = replace(data.sale, current_meter=None) if stays else data.sale
    position, released = _position(original), release(invoice, after)
    now = clock.now()
    numbers = take_numbers(sales.NUMBER_PREFIX, sales.INVOICE_PREFIX, day=clock.business_date(now))
    void = NewVoid(
        original.pk,
        data.reason,
        Goods.NEVER_LEFT,
        keep_meter=stays,
        credit_kind=Invoice.CreditKind.TAX_ERROR,
        billed_again=numbers[1],
    )
    reversal = void_transaction(actor=actor, data=void)
    again = sales.Again(
        original=original,
        replaces=Replaced(invoice.invoice_number, invoice.date, reversal.invoice.invoice_number, data.reason),
        numbers=numbers,
        tax_point_on=invoice.tax_point_on,
        carried=carried,
        position=position,
        released=released,
    )
    with _named_as_sent():
        recorded = sales.bill_again(actor=actor, data=sale, again=again)
    settle_again(actor, released, recorded.invoice, now=now)
    recorded.invoice.refresh_from_db(fields=[*Invoice.life_cycle])
    return recorded


def _lock_balances(original: Transaction, sale: NewSale, before: Customer, after: Customer) -> None:
    """Of the void and of the sale at once: one after the other would not be in the order of their keys."""
    ends = (
        vehicle_place(original.vehicle_no),
        customer_place(before),
        customer_place(after),
        Place(LocationKind.OUTSIDE),
    )
    billed = TransactionItem.objects.filter(transaction=original).values_list("equipment_id", flat=True)
    stock_locks.balances_of([place.pk for place in locations(*ends) if place.pk], [*billed, *sale.equipment])


def _reading_stays(original: Transaction, said: InvoiceSnapshot, customer: Customer) -> bool:
    """Has the meter moved on since, or was the usage billed again before: are its readings no more this sale's own?"""
    if moved_meter(original):
        return not has_latest_reading(original, customer)
    return original.current_meter_reading is None and said.meter is not None


def _carried(original: Transaction, meter: MeterUsage | None, sale: NewSale, customer: Customer) -> Usage | None:
    """The usage of readings that stand, at the rate that is right. Raises MeterMovedOn where they would be others."""
    if meter is None:
        return None
    if sale.current_meter not in (None, meter.current_reading) or customer.pk != original.customer_id:
        raise MeterMovedOn(
            f"The meter has moved on since {original.transaction_number}: its reading of {meter.current_reading} "
            "stands, and its usage is this customer's. Please credit the usage by its amount.",
            attr="sale.current_meter" if customer.pk == original.customer_id else "sale.customer",
        )
    if not meter.usage:
        return None
    rate = meter_rate_at(customer, original.occurred_at)
    usage = usage_between(
        meter.meter_number, meter.last_reading, meter.current_reading, meter.rate if rate is None else rate
    )
    return replace(usage, is_carried=True)


def _position(original: Transaction) -> Position | None:
    """Where the goods of a sale stand in the order of what happened; None: they didn't move."""
    moved = StockMovement.objects.filter(cause_type=entity_name(original), cause_id=original.pk, count__isnull=True)
    first = moved.order_by("pk").first()
    return first.position if first else None


@contextmanager
def _named_as_sent() -> Iterator[None]:
    """What is refused of the sale names the field of the request. Questions are answered as they are asked."""
    try:
        yield
    except (Question, Unconfirmed, Denied):
        raise
    except DomainError as error:
        if error.attr is not None:
            error.attr = f"sale.{error.attr}"
        raise
