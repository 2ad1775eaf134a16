"""The sale: stock, meter, price, number, invoice, PDF and evidence in one commit, or nothing.

It is planned and its page laid out before anything is locked that others wait for (`_lay_out`). Then it is planned once
more, over locked rows, and recorded (`_record`), with that page where it says the very same.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db.transaction import on_commit

from accounts.models import User
from accounts.selectors import VehicleUsed, depot_at, vehicle_used
from audit.services import record
from customers import locks as customer_locks
from customers.errors import CustomerInactive
from customers.models import Customer
from customers.selectors import ContractRates, contract_rates, meter_rate_at
from customers.services import move_meter
from discrepancies.services import note_discrepancy, note_other_vehicle
from equipment.models import Equipment
from equipment.selectors import prices_at, prices_between, require_active
from foundation import clock, confirmations
from foundation.access.capabilities import Capability
from foundation.ahead import Ahead, ahead_of_locks
from foundation.commands import command
from foundation.errors import UnknownReference
from foundation.limits import BALANCE
from foundation.master_data import was_active
from foundation.money import ZERO
from foundation.observability.metrics import SALES
from foundation.operations.idempotency import client_temp_id, idempotent, is_known
from foundation.operations.occurrence import Approval, require_recent
from inventory.models import Location
from inventory.services import customer_place, hold_stock, locations, look_at_stock, post_movements, vehicle_place
from invoices.models import Invoice
from invoices.selectors import gst_rate_on, open_amount
from invoices.services import Page, issue_invoice
from payments.services import require_room_in_bag, take_on_the_spot
from sequences.services import take_numbers
from transactions.deposits import move_deposits
from transactions.models import Transaction, TransactionItem
from transactions.planning import NewSale, PriceList, SalePlan, plan_sale
from transactions.pricing import Known, PricedItem, Usage
from transactions.usage import Habit, habit_of

NUMBER_PREFIX = "TRX"
OPERATION = "transaction.create"


def create_customer_transaction_and_invoice(
    *, actor: User, data: NewSale, approval: Approval | None = None
) -> Transaction:
    """Record one sale with everything that belongs to it.

    Idempotent by (actor, client_temp_id). ``approval`` lets a kept one happen (see the sync app). Locks the number
    tickets, for which nobody waits, then the customer, then the balances in primary-key order. Raises
    IdempotencyConflict, RefusedBefore, OccurredAtOutOfRange, UnknownReference, CustomerInactive, EquipmentInactive,
    NoMeter, MeterMovedOn, MeterReadingDecreased, RateMismatch, Invalid, EmptySale, NegativeTotal, AmountOutOfRange,
    Unconfirmed, InsufficientStock, StorageUnavailable.
    """
    return ahead_of_locks(
        partial(_lay_out, actor, data, approval),
        lambda ahead: _record(actor=actor, data=data, approval=approval, ahead=ahead),
        unless=is_known,
    )


@dataclass(frozen=True, slots=True)
class _LaidOut:
    """What was read, and the page that was laid out of it."""

    vehicle: VehicleUsed
    listed: PriceList
    places: list[Location]
    page: Page
    version: int
    """The customer's then: every reading raises it."""
    habit: Habit | None


def _lay_out(actor: User, data: NewSale, approval: Approval | None, held: ExitStack) -> _LaidOut:
    """Plan the sale over rows as they are, and lay its page out."""
    now = clock.now()
    occurred_at = _moment(data, approval, now)
    customer = _served(Customer.objects.visible_to(actor).filter(pk=data.customer).first(), data, occurred_at)
    vehicle = vehicle_used(actor, data.vehicle, occurred_at)
    listed = _price_list(actor, data, customer, occurred_at, now)
    habit = _habit(data, customer)
    plan = _plan(actor, data, approval, customer, vehicle, listed, occurred_at, habit)
    ends = vehicle_place(vehicle.number), customer_place(customer)
    stock = look_at_stock([place.key for place in ends], listed.equipment, occurred_at=occurred_at, now=now)
    places = stock.locations(*ends)
    # Who can't be served as things are would reserve numbers and lay a page out for nothing.
    stock.require(plan.moves(*places), approval=approval)
    confirmations.require(plan.questions)
    page = Page.lay_out(actor=actor, billing=plan.billing, transaction_prefix=NUMBER_PREFIX, now=now, held=held)
    return _LaidOut(vehicle, listed, places, page, customer.version, habit)


@command
@idempotent
def _record(*, actor: User, data: NewSale, approval: Approval | None, ahead: Ahead[_LaidOut]) -> Transaction:
    """Lock, decide, write. See `create_customer_transaction_and_invoice`."""
    laid_out = ahead()
    locked = customer_locks.visible_customer(actor, data.customer)
    if laid_out is not None and not laid_out.page.is_of_today():
        laid_out = None
    now = laid_out.page.now if laid_out else clock.now()
    occurred_at = _moment(data, approval, now)
    customer = _served(locked, data, occurred_at)
    vehicle = laid_out.vehicle if laid_out else vehicle_used(actor, data.vehicle, occurred_at)
    listed = laid_out.listed if laid_out else _price_list(actor, data, customer, occurred_at, now)
    habit = laid_out.habit if laid_out and laid_out.version == customer.version else _habit(data, customer)
    plan = _plan(actor, data, approval, customer, vehicle, listed, occurred_at, habit)
    items, usage, billing = plan.items, plan.usage, plan.billing
    if data.payment_received:
        require_room_in_bag(actor, billing.total_amount, attr="payment_received")
    else:
        attr = "items" if items else "current_meter"
        BALANCE.require(open_amount(customer) + billing.total_amount, attr=attr)

    page = laid_out.page if laid_out else None
    if laid_out and all(place.pk for place in laid_out.places):
        places = laid_out.places
    else:
        places = locations(vehicle_place(vehicle.number), customer_place(customer))
    hold = hold_stock(plan.moves(*places), occurred_at=occurred_at, now=now, approval=approval)
    answers = confirmations.require(plan.questions)
    numbers = take_numbers(
        NUMBER_PREFIX, billing.number_prefix, day=clock.business_date(now), reserved=page.reserved if page else None
    )
    depot_id = depot_at(actor, occurred_at)
    invoice = issue_invoice(
        actor=actor,
        depot_id=depot_id,
        billing=billing,
        numbers=numbers,
        now=now,
        page=page,
        held_because=confirmations.why_held(answers),
    )
    if data.payment_received and invoice.total_amount:
        take_on_the_spot(invoice, user=actor, occurred_at=occurred_at, now=now)
    transaction = Transaction.objects.create(
        transaction_number=numbers[0],
        invoice=invoice,
        customer=customer,
        customer_name=customer.name,
        user=actor,
        depot_id=depot_id,
        vehicle_no=vehicle.number,
        client_temp_id=client_temp_id(),
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
    post_movements(hold, actor=actor, cause=transaction, now=now)
    if usage is not None and usage.current != usage.last:
        move_meter(customer, usage.current)
    for code, shown, billed, detail in plan.differences:
        note_discrepancy(code, user=actor, about=transaction, detail=detail, now=now, shown=shown, billed=billed)
    note_other_vehicle(vehicle, user=actor, about=transaction, now=now)
    on_commit(SALES.labels("sale").inc)
    record(
        actor=actor,
        action="transactions.sale.recorded",
        target=transaction,
        before={"last_meter_reading": usage.last} if usage else None,
        after=_evidence(transaction, invoice, items, usage, approval) | vehicle.evidence,
        depot_id=depot_id,
        answers=answers,
    )
    return transaction


def _moment(data: NewSale, approval: Approval | None, now: datetime) -> datetime:
    occurred_at = data.occurred_at or now
    require_recent(occurred_at, now=now, approval=approval)
    return occurred_at


def _served(customer: Customer | None, data: NewSale, occurred_at: datetime) -> Customer:
    """Who was a customer then; from others everything is taken back."""
    if customer is None:
        raise UnknownReference(data.customer, attr="customer")
    if not (was_active(customer, occurred_at) or data.only_takes_back):
        raise CustomerInactive(customer.name, attr="customer")
    return customer


def _price_list(actor: User, data: NewSale, customer: Customer, occurred_at: datetime, now: datetime) -> PriceList:
    """Read once for a sale, locked or not: what changes later was not the price at the sale's moment."""
    items = [item.equipment for item in data.items]
    equipment = require_active(actor, items, at=occurred_at, coming_back=data.coming_back)
    pulled_at = data.seen.pulled_at if data.seen else None
    contracts = contract_rates(customer, equipment, occurred_at, pulled_at=pulled_at)
    # Paid on the spot, the tax point is the payment; else the issue of the invoice (GST Act 1993, s 11).
    tax_point = occurred_at if data.payment_received else now
    return PriceList(
        equipment=equipment,
        prices=prices_at(equipment, occurred_at),
        contracts=contracts,
        gst_rate=gst_rate_on(clock.business_date(tax_point)),
        known=_known(equipment, contracts, pulled_at, occurred_at) if data.seen else None,
    )


def _habit(data: NewSale, customer: Customer) -> Habit | None:
    return habit_of(customer) if data.current_meter is not None else None


def _known(
    equipment: Mapping[int, Equipment],
    contracts: Mapping[int, ContractRates],
    pulled_at: datetime | None,
    occurred_at: datetime,
) -> dict[int, Known]:
    """What a device that pulled then may have shown, up to the sale. Nothing where no pull is known."""
    if pulled_at is None:
        return {}
    known = {}
    for pk, prices in prices_between(equipment, pulled_at, occurred_at).items():
        rates = contracts.get(pk, ContractRates()).pulled
        defaults = {each.default_rate for each in prices} if None in rates else set()
        deposits = frozenset(each.deposit for each in prices if each.deposit is not None)
        known[pk] = Known(frozenset(rate for rate in rates | defaults if rate is not None), deposits)
    return known


def _plan(
    actor: User,
    data: NewSale,
    approval: Approval | None,
    customer: Customer,
    vehicle: VehicleUsed,
    listed: PriceList,
    occurred_at: datetime,
    habit: Habit | None,
) -> SalePlan:
    return plan_sale(
        sale=data,
        vehicle_no=vehicle.number,
        customer=customer,
        meter_rate=meter_rate_at(customer, occurred_at),
        listed=listed,
        may_override=_may_override(actor, approval),
        occurred_at=occurred_at,
        habit=habit,
    )


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
        evidence |= approval.evidence
    overrides = [
        {"equipment": item.equipment.sku, "rate": item.rate, "instead_of": item.listed_rate}
        for item in items
        if item.listed_rate is not None
    ]
    return {**evidence, "rate_overrides": overrides} if overrides else evidence
