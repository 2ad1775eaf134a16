"""The sale: stock, meter, price, number, invoice, PDF and evidence in one commit, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.transaction import on_commit

from accounts.models import User
from audit.services import record
from customers import locks as customer_locks
from customers.errors import CustomerInactive
from customers.models import Customer
from customers.selectors import contract_rates, meter_rate_at
from customers.services import move_meter
from equipment.selectors import prices_at, require_active
from foundation import clock
from foundation.access.capabilities import Capability
from foundation.commands import command
from foundation.errors import UnknownReference
from foundation.limits import AMOUNT, BALANCE
from foundation.money import ZERO
from foundation.observability.metrics import SALES
from foundation.operations.idempotency import Recorded, idempotent
from foundation.operations.occurrence import Approval, require_recent
from inventory.models import Condition, Location, StockMovement
from inventory.services import Move, customer_place, hold_stock, locations, post_movements, vehicle_place
from invoices.models import Invoice
from invoices.selectors import gst_rate_on, open_amount
from invoices.services import Billing, issue_invoice
from invoices.snapshot import Line, MeterUsage
from payments.services import require_room_in_bag, take_on_the_spot
from sequences.services import take_numbers
from transactions.deposits import move_deposits
from transactions.errors import EmptySale, MeterMovedOn, NegativeTotal
from transactions.models import Transaction, TransactionItem
from transactions.pricing import PricedItem, SaleItem, Type, Usage, price_items, read_meter

NUMBER_PREFIX = "TRX"
OPERATION = "transaction.create"


@dataclass(frozen=True, slots=True)
class NewSale:
    """A sale, as asked for. ``occurred_at`` None: now."""

    customer: int
    items: Sequence[SaleItem] = ()
    current_meter: Decimal | None = None
    payment_received: bool = False
    remarks: str = ""
    occurred_at: datetime | None = None
    client_temp_id: str | None = None


@command
@idempotent(OPERATION, Transaction)
def create_customer_transaction_and_invoice(
    *, actor: User, data: NewSale, approval: Approval | None = None
) -> Recorded[Transaction]:
    """Record one sale with everything that belongs to it.

    Idempotent by (actor, client_temp_id). ``approval`` lets a kept one happen (see the sync app). Locks the
    customer, then the balances in primary-key order, then the number tickets. Raises IdempotencyConflict,
    RefusedBefore, OccurredAtOutOfRange, UnknownReference, CustomerInactive, EquipmentInactive, NoMeter, MeterMovedOn,
    MeterReadingDecreased, RateMismatch, Invalid, EmptySale, NegativeTotal, AmountOutOfRange, InsufficientStock,
    StorageUnavailable.
    """
    now = clock.now()
    occurred_at = data.occurred_at or now
    require_recent(occurred_at, now=now, approval=approval)

    customer = _lock_customer(actor, data.customer)
    if data.current_meter is not None and customer.meter_replaced_at and occurred_at < customer.meter_replaced_at:
        raise MeterMovedOn("The meter was replaced after this reading was taken.", attr="current_meter")
    usage = read_meter(customer, data.current_meter, meter_rate_at(customer, occurred_at))
    equipment = require_active(actor, [item.equipment for item in data.items])
    items = price_items(
        data.items,
        equipment,
        prices_at(equipment, occurred_at),
        contract_rates(customer, equipment, occurred_at),
        may_override=_may_override(actor, approval),
    )
    billing = _bill(actor, data, customer, items, usage, occurred_at=occurred_at, now=now)

    vehicle, site = locations(vehicle_place(actor.vehicle_no), customer_place(customer))
    hold = hold_stock(_moves(items, vehicle, site))
    number, invoice_number = take_numbers(NUMBER_PREFIX, billing.number_prefix, day=clock.business_date(now))
    invoice = issue_invoice(actor=actor, billing=billing, number=invoice_number, transaction_number=number, now=now)
    if data.payment_received and invoice.total_amount:
        take_on_the_spot(invoice, user=actor, now=now)
    transaction = Transaction.objects.create(
        transaction_number=number,
        invoice=invoice,
        customer=customer,
        customer_name=customer.name,
        user=actor,
        vehicle_no=actor.vehicle_no,
        client_temp_id=data.client_temp_id,
        meter_number=customer.meter_number if usage else "",
        last_meter_reading=usage.last if usage else None,
        current_meter_reading=usage.current if usage else None,
        meter_rate=usage.rate if usage else None,
        usage=usage.quantity if usage else ZERO,
        usage_amount=usage.amount if usage else ZERO,
        items_amount=sum((item.amount for item in items), ZERO),
        total_amount=billing.subtotal,
        payment_type=customer.payment_type,
        payment_received=data.payment_received,
        remarks=data.remarks,
        occurred_at=occurred_at,
        created_at=now,
        date=clock.business_date(now),
    )
    lines = [_item_row(transaction, item) for item in items]
    TransactionItem.objects.bulk_create(lines)
    move_deposits(customer, lines)
    post_movements(hold, actor=actor, cause=transaction, occurred_at=occurred_at, now=now)
    if usage is not None and usage.current != usage.last:
        move_meter(customer, usage.current)
    on_commit(SALES.labels("sale").inc)
    record(
        actor=actor,
        action="transactions.sale.recorded",
        target=transaction,
        before={"last_meter_reading": usage.last} if usage else None,
        after=_evidence(transaction, invoice, items, usage, approval),
    )
    return Recorded(transaction)


def _lock_customer(actor: User, customer_id: int) -> Customer:
    customer = customer_locks.visible_customer(actor, customer_id)
    if customer is None:
        raise UnknownReference(customer_id, attr="customer")
    if not customer.is_active:
        raise CustomerInactive(f"{customer.name} is not served any more.", attr="customer")
    return customer


def _bill(
    actor: User,
    sale: NewSale,
    customer: Customer,
    items: Sequence[PricedItem],
    usage: Usage | None,
    *,
    occurred_at: datetime,
    now: datetime,
) -> Billing:
    """Add up what is owed, or refuse what can't be billed."""
    usage_amount = usage.amount if usage else ZERO
    metered = bool(usage and usage.quantity)
    if not items and not metered:
        raise EmptySale("There are neither lines nor usage: nothing to bill.")
    subtotal = sum((item.amount for item in items), usage_amount)
    if subtotal < 0 and (metered or any(item.taxable for item in items)):
        raise NegativeTotal("The refunds exceed the sale. Please record refund and sale apart.", attr="items")
    # Paid on the spot, the tax point is the payment; else the issue of the invoice (GST Act 1993, s 11).
    tax_point = occurred_at if sale.payment_received else now
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
        gst_rate=gst_rate_on(clock.business_date(tax_point)),
        payment_received=sale.payment_received,
        vehicle_no=actor.vehicle_no,
        remarks=sale.remarks,
        occurred_at=occurred_at,
    )
    attr = "items" if items else "current_meter"
    AMOUNT.require(billing.total_amount, attr=attr)
    if sale.payment_received:
        require_room_in_bag(actor, billing.total_amount, attr="payment_received")
    else:
        BALANCE.require(open_amount(customer) + billing.total_amount, attr=attr)
    return billing


def _moves(items: Sequence[PricedItem], vehicle: Location, customer: Location) -> list[Move]:
    """The stock that each line moves; a customer's cylinders are counted as FULL, whatever is in them."""
    kind, full, empty = StockMovement.Kind, Condition.FULL, Condition.EMPTY
    moves: list[Move] = []
    legs: list[tuple[StockMovement.Kind, Location, str, Location, str]]
    for index, item in enumerate(items):
        attr = f"items.{index}.quantity"
        match item.type:
            case Type.SALE:
                legs = [(kind.SALE, vehicle, full, customer, full)]
            case Type.SWAP:
                legs = [(kind.SWAP_OUT, vehicle, full, customer, full), (kind.SWAP_IN, customer, full, vehicle, empty)]
            case Type.RETURN:
                legs = [(kind.RETURN, customer, full, vehicle, item.condition)]
            case _:
                legs = []
        moves += [Move(leg[0], item.equipment, item.quantity, *leg[1:], attr) for leg in legs]
    return moves


def _item_row(transaction: Transaction, item: PricedItem) -> TransactionItem:
    return TransactionItem(
        transaction=transaction,
        equipment=item.equipment,
        equipment_name=item.equipment.name,
        type=item.type,
        condition=item.condition,
        quantity=item.quantity,
        rate=item.rate,
        rate_source=item.rate_source,
        amount=item.amount,
        taxable=item.taxable,
    )


def _may_override(actor: User, approval: Approval | None) -> bool:
    if approval is not None and approval.rates:
        return bool(approval.by.can(Capability.OVERRIDE_RATE))
    return actor.can(Capability.OVERRIDE_RATE)


def _evidence(
    transaction: Transaction,
    invoice: Invoice,
    items: Sequence[PricedItem],
    usage: Usage | None,
    approval: Approval | None,
) -> dict[str, object]:
    evidence: dict[str, object] = {
        "transaction_number": transaction.transaction_number,
        "invoice_number": invoice.invoice_number,
        "customer": transaction.customer_name,
        "items": [f"{item.type} {item.quantity} x {item.equipment.sku} at {item.rate}" for item in items],
        "total_amount": invoice.total_amount,
        "pdf_sha256": invoice.pdf_sha256,
    }
    if usage:
        evidence["last_meter_reading"] = usage.current
    if approval:
        evidence["approved_by"] = approval.by.username
    overrides = [
        {"equipment": item.equipment.sku, "rate": item.rate, "instead_of": item.listed_rate}
        for item in items
        if item.listed_rate is not None
    ]
    return {**evidence, "rate_overrides": overrides} if overrides else evidence
