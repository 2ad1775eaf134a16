"""The sale: stock, meter, price, number, invoice, PDF and evidence in one commit, or nothing.

It is planned and its page laid out before anything is locked that others wait for (`_lay_out`). Then it is planned once
more, over locked rows, and recorded (`_record`), with that page where it says the very same.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

from django.conf import settings
from django.db.transaction import on_commit

from accounts.models import User
from accounts.selectors import VehicleUsed, depot_at, vehicle_used
from audit.services import record
from customers import locks as customer_locks
from customers.errors import CustomerInactive
from customers.models import Customer
from customers.selectors import ContractRates, contract_rates, meter_rate_at
from customers.services import move_meter
from deposits.models import LotMovement
from deposits.selectors import held_by
from deposits.services import Cause, Charge, charge_deposits, refund_deposits
from discrepancies.models import Discrepancy
from discrepancies.services import note_discrepancy, note_other_vehicle
from equipment.models import Equipment
from equipment.selectors import prices_at, prices_between, require_active
from fleet.services import require_number_in_use
from foundation import clock, confirmations
from foundation.access.capabilities import Capability
from foundation.ahead import Ahead, ahead_of_locks
from foundation.commands import command
from foundation.confirmations import Answer, Question
from foundation.errors import Invalid, UnknownReference
from foundation.limits import BALANCE
from foundation.master_data import was_active
from foundation.money import ZERO
from foundation.observability.metrics import SALES
from foundation.operations.idempotency import client_temp_id, idempotent, is_known
from foundation.operations.occurrence import Approval, require_recent
from foundation.operations.position import Position
from inventory.models import Location, LocationKind, StockMovement
from inventory.services import (
    Move,
    Place,
    customer_place,
    hold_stock,
    locations,
    look_at_stock,
    post_movements,
    vehicle_place,
)  # fmt: skip
from invoices.models import Invoice
from invoices.selectors import gst_rate_day, gst_rate_on, open_amount
from invoices.services import NUMBER_PREFIX as DOCUMENT_PREFIXES
from invoices.services import Billing, Page, issue_invoice
from invoices.snapshot import Replaced
from payments.selectors import open_of_charges, unfound_of
from payments.services import (
    Released,
    may_refund_by,
    require_cash_in_the_field,
    require_room_in_bag,
    set_off,
    settle_on_the_spot,
    take_on_the_spot,
)
from payments.tender import Portion, Tender
from payments.unlikely import repeated_reference
from sequences.services import take_numbers
from transactions.models import Transaction, TransactionItem
from transactions.planning import (
    NewSale,
    PriceList,
    RefundPlan,
    SalePlan,
    Site,
    leaving,
    lines_of,
    moves_of,
    plan_sale,
)  # fmt: skip
from transactions.pricing import Asked, Known, PricedItem, Type, Usage
from transactions.usage import Habit, habit_of

NUMBER_PREFIX = "TRX"
INVOICE_PREFIX = DOCUMENT_PREFIXES[Invoice.Kind.TAX_INVOICE]
OPERATION = "transaction.create"


def create_customer_transaction_and_invoice(
    *, actor: User, data: NewSale, approval: Approval | None = None
) -> Transaction:
    """Record one sale with everything that belongs to it.

    Idempotent by (actor, client_temp_id). ``approval`` lets a kept one happen (see the sync app). Locks the number
    tickets, for which nobody waits, then the customer, then the balances in primary-key order. Raises
    IdempotencyConflict, RefusedBefore, OccurredAtOutOfRange, UnknownReference, CustomerInactive, VehicleInactive,
    EquipmentInactive, NoMeter, MeterMovedOn, MeterReadingDecreased, RateMismatch, Invalid, EmptySale, AmountOutOfRange,
    Unconfirmed, InsufficientStock, StorageUnavailable.
    """
    if approval and approval.without_reading:
        data = replace(data, current_meter=None)
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


def _lay_out(actor: User, data: NewSale, approval: Approval | None, held: ExitStack) -> _LaidOut | None:
    """Plan the sale over rows as they are, and lay its page out. Two documents, which are rare, are laid out later."""
    now = clock.now()
    occurred_at = _moment(data, approval, now)
    customer = _served(Customer.objects.visible_to(actor).filter(pk=data.customer).first(), data, occurred_at)
    vehicle = _vehicle(actor, data, occurred_at)
    listed = _price_list(actor, data, customer, occurred_at, now)
    habit = _habit(data, customer)
    lines = lines_of(data, listed)
    ends = _ends(lines, listed, vehicle, customer)
    stock = look_at_stock([place.key for place in ends], listed.equipment, occurred_at=occurred_at, now=now)
    places = stock.locations(*ends)
    # Who can't be served as things are would reserve numbers and lay a page out for nothing.
    left = stock.require(moves_of(lines, listed.equipment, *places), approval=approval)
    site = _site(customer, lines, {key[1]: count for key, count in left.items() if key[0] == places[1].pk})
    plan = _plan(actor, data, approval, customer, vehicle, listed, site, occurred_at, habit)
    confirmations.require([*plan.questions, *_of_tender(actor, data)])
    if plan.is_beside_sale:
        return None
    page = Page.lay_out(actor=actor, billing=plan.billing, transaction_prefix=NUMBER_PREFIX, now=now, held=held)
    return _LaidOut(vehicle, listed, places, page, customer.version, habit)


@dataclass(frozen=True, slots=True)
class Again:
    """What a sale bills again: the voided ``original``, of whose seller, moment and place it is too.

    ``numbers`` are its own, which the credit note has named already; it moves no tax point (``tax_point_on``), so that
    it counts in the GST period where the first one was wrong; ``carried`` is usage whose reading stands; ``position``
    is the original's, in the order of what happened.
    """

    original: Transaction
    replaces: Replaced
    numbers: Sequence[str]
    tax_point_on: date
    carried: Usage | None
    position: Position | None
    released: Released


def bill_again(*, actor: User, data: NewSale, again: Again) -> Transaction:
    """Record the sale that takes a voided one's place, in the caller's transaction. It comes to an invoice.

    Raises what `create_customer_transaction_and_invoice` does.
    """
    data = replace(data, occurred_at=again.original.occurred_at)
    return _record(actor=actor, data=data, approval=Approval(by=actor), ahead=lambda: None, again=again)


@dataclass(frozen=True, slots=True)
class _Visit:
    """What both documents of one sale have in common."""

    actor: User
    seller: User
    data: NewSale
    approval: Approval | None
    customer: Customer
    vehicle: VehicleUsed
    depot_id: int | None
    occurred_at: datetime
    now: datetime
    again: Again | None = None


@command
@idempotent
def _record(
    *,
    actor: User,
    data: NewSale,
    approval: Approval | None,
    ahead: Ahead[_LaidOut | None],
    again: Again | None = None,
) -> Transaction:
    """Lock, decide, write. See `create_customer_transaction_and_invoice`, and `bill_again`."""
    laid_out = ahead()
    locked = customer_locks.visible_customer(actor, data.customer)
    if laid_out is not None and not laid_out.page.is_of_today():
        laid_out = None
    now = laid_out.page.now if laid_out else clock.now()
    occurred_at = _moment(data, approval, now)
    customer = _served(locked, data, occurred_at)
    if again:
        vehicle = VehicleUsed(again.original.vehicle_no, again.original.vehicle_no)
    else:
        vehicle = laid_out.vehicle if laid_out else _vehicle(actor, data, occurred_at)
    listed = laid_out.listed if laid_out else _price_list(actor, data, customer, occurred_at, now, again)
    habit = laid_out.habit if laid_out and laid_out.version == customer.version else _habit(data, customer)
    lines = lines_of(data, listed)
    if laid_out and all(place.pk for place in laid_out.places):
        places = laid_out.places
    else:
        places = locations(*_ends(lines, listed, vehicle, customer))
    moves = moves_of(lines, listed.equipment, *places)
    if approval and approval.site_reason:
        moves = [*_found_at_site(moves, customer, occurred_at, now), *moves]
    if again:
        moves = [replace(move, position=again.position) for move in moves]
    hold = hold_stock(moves, occurred_at=occurred_at, now=now, approval=approval)
    site = _site(customer, lines, {key[1]: count for key, count in hold.left.items() if key[0] == places[1].pk})
    plan = _plan(actor, data, approval, customer, vehicle, listed, site, occurred_at, habit, again)
    billing = _in_its_place(plan.billing, again) if again else plan.billing
    if plan.moved < 0 and data.occurred_at is None:
        for index, each in enumerate(data.tender):
            require_cash_in_the_field(actor, each.method, attr=f"tender.{index}.method")
    if plan.cash:
        require_room_in_bag(actor, plan.cash, attr="tender" if data.tender else "payment_received")
    if plan.moved != plan.owed:
        attr = "items" if plan.items else "current_meter"
        BALANCE.require(open_amount(customer) + plan.owed - plan.moved, attr=attr)
    answers = confirmations.require([*plan.questions, *_of_tender(actor, data)])

    seller = again.original.user if again else actor
    depot_id = again.original.depot_id if again else depot_at(actor, occurred_at)
    visit = _Visit(actor, seller, data, approval, customer, vehicle, depot_id, occurred_at, now, again)
    page = laid_out.page if laid_out else None
    paid_with = plan.tendered if plan.is_settled_at_once else None
    sale = _write(visit, plan.items, plan.usage, billing, answers, page=page, paid_with=paid_with)
    refund = sale
    if plan.refund and plan.is_beside_sale:
        refund = _write(visit, plan.refund.items, None, _naming(plan.refund, sale), beside=sale)
    if plan.refund or (plan.tendered and paid_with is None):
        _settle(plan, visit, sale, refund)
    post_movements(
        hold,
        actor=actor,
        cause=sale,
        now=now,
        reason=approval.site_reason if approval else "",
        of_another={StockMovement.Kind.RETURN: refund, StockMovement.Kind.FOREIGN: refund},
    )
    usage = plan.usage
    if usage is not None and not usage.is_carried and usage.current != usage.last:
        move_meter(customer, usage.current)
    for code, shown, billed, detail in plan.differences:
        note_discrepancy(code, user=actor, about=sale, detail=detail, now=now, shown=shown, billed=billed)
    if plan.moved < 0 and not all(may_refund_by(actor, each.method) for each in data.tender):
        code, detail = Discrepancy.Code.CASH_DIFFERS, "It was paid out without cash: in the field it is paid in cash."
        note_discrepancy(code, user=actor, about=sale, detail=detail, now=now, shown=plan.cash, billed=plan.moved)
    note_other_vehicle(vehicle, user=actor, about=sale, now=now)
    on_commit(SALES.labels("sale").inc)
    return sale


def _write(
    visit: _Visit,
    items: Sequence[PricedItem],
    usage: Usage | None,
    billing: Billing,
    answers: Sequence[Answer] = (),
    *,
    page: Page | None = None,
    paid_with: Sequence[Portion] | None = None,
    beside: Transaction | None = None,
) -> Transaction:
    """One document: its numbers, the invoice, the transaction with its lines, the deposits, and its record.

    ``paid_with``: all of it, at once.
    """
    actor, data, customer, now = visit.actor, visit.data, visit.customer, visit.now
    again = None if beside else visit.again
    numbers = (
        again.numbers
        if again
        else take_numbers(
            NUMBER_PREFIX, billing.number_prefix, day=clock.business_date(now), reserved=page.reserved if page else None
        )
    )
    read = None if usage is None or usage.is_carried else usage
    invoice = issue_invoice(
        actor=actor,
        depot_id=visit.depot_id,
        billing=billing,
        numbers=numbers,
        now=now,
        page=page,
        seller=visit.seller,
        is_paid=paid_with is not None,
        held_because=confirmations.why_held(answers),
    )
    for portion in paid_with or ():
        take_on_the_spot(invoice, portion, user=actor, occurred_at=visit.occurred_at, now=now)
    transaction: Transaction = Transaction.objects.create(
        transaction_number=numbers[0],
        invoice=invoice,
        beside=beside,
        replaces=again.original if again else None,
        customer=customer,
        customer_name=customer.name,
        user=visit.seller,
        depot_id=visit.depot_id,
        vehicle_no=visit.vehicle.number,
        client_temp_id=None if beside else client_temp_id(),
        meter_number=read.meter_number if read else "",
        last_meter_reading=read.last if read else None,
        current_meter_reading=read.current if read else None,
        meter_rate=usage.rate if usage else None,
        usage=read.quantity if read else ZERO,
        usage_amount=usage.amount if usage else ZERO,
        items_amount=sum((item.amount for item in items), ZERO),
        total_amount=billing.subtotal,
        payment_type=customer.payment_type,
        payment_received=data.payment_received or billing.payment_received,
        remarks=data.remarks,
        occurred_at=visit.occurred_at,
        created_at=now,
        date=clock.business_date(now),
    )
    TransactionItem.objects.bulk_create(_item_row(transaction, item) for item in items)
    _move_deposits(visit, items, Cause(transaction, numbers[1], now))
    record(
        actor=actor,
        action="transactions.sale.recorded",
        target=transaction,
        before={"last_meter_reading": read.last} if read else None,
        after=_evidence(transaction, invoice, items, read, () if beside else data.tender, visit.approval)
        | ({"replaces": again.replaces.invoice_number, "reason": again.replaces.reason} if again else {})
        | visit.vehicle.evidence,
        depot_id=visit.depot_id,
        answers=answers,
    )
    return transaction


def _move_deposits(visit: _Visit, items: Sequence[PricedItem], cause: Cause) -> None:
    charges = [Charge(item.equipment, item.quantity, item.amount) for item in items if item.type == Type.DEPOSIT]
    if charges:
        charge_deposits(visit.customer, charges, cause=cause, occurred_at=visit.occurred_at)
    for kind, type_ in ((LotMovement.Kind.RETURNED, Type.RETURN), (LotMovement.Kind.SET_OFF, Type.SETOFF)):
        refunds = [refund for item in items if item.type == type_ for refund in item.refunds]
        refund_deposits(refunds, kind=kind, cause=cause)


def _naming(refund: RefundPlan, sale: Transaction) -> Billing:
    """A refund's document names the sale that it is set off against, whose number is known now."""
    if not refund.against_sale:
        return refund.billing
    numbers = [*refund.billing.set_off_against, sale.invoice.invoice_number]
    return replace(refund.billing, set_off_against=numbers)


def _settle(plan: SalePlan, visit: _Visit, sale: Transaction, refund: Transaction) -> None:
    """Set the refund off, and let what changed hands settle its document."""
    if plan.refund:
        against = dict(plan.refund.against)
        if plan.refund.against_sale:
            against[sale.invoice.pk] = plan.refund.against_sale
        set_off(visit.actor, refund.invoice, against, now=visit.now)
    for document in {sale.pk: sale.invoice, refund.pk: refund.invoice}.values():
        document.refresh_from_db(fields=[*Invoice.life_cycle])
    if plan.tendered:
        settled = (sale if plan.moved > 0 else refund).invoice
        settle_on_the_spot(settled, plan.tendered, user=visit.actor, occurred_at=visit.occurred_at, now=visit.now)


def _found_at_site(moves: Sequence[Move], customer: Customer, occurred_at: datetime, now: datetime) -> list[Move]:
    """What has to have been at the customer's site beyond what the books know, so that all of this can come back."""
    [site, world] = locations(customer_place(customer), Place(LocationKind.OUTSIDE))
    stock = look_at_stock([site.key], {move.equipment.pk for move in moves}, occurred_at=occurred_at, now=now)
    missing = {key: -count for key, count in stock.left(moves).items() if key[0] == site.pk and count < 0}
    rows = {move.equipment.pk: move.equipment for move in moves}
    kind = StockMovement.Kind.CORRECTION
    return [
        Move(kind, rows[equipment], count, world, condition, site, condition, "items")
        for (_, equipment, condition), count in missing.items()
    ]


def _ends(lines: Sequence[Asked], listed: PriceList, vehicle: VehicleUsed, customer: Customer) -> list[Place]:
    """Vehicle, customer, and where shells come from and go to; a sale that moves none has the vehicle instead."""
    ends = [vehicle_place(vehicle.number), customer_place(customer)]
    leaves = any(item.type == Type.SHELL or listed.equipment[item.equipment].is_foreign for item, _ in lines)
    return [*ends, Place(LocationKind.OUTSIDE) if leaves else ends[0]]


def _site(customer: Customer, lines: Sequence[Asked], left: Mapping[int, int]) -> Site:
    """What the customer holds of what leaves the site, where so many are ``left`` without it."""
    gone = leaving(lines)
    if not gone:
        return Site({}, {}, {})
    held = held_by(customer.pk, {pk: left.get(pk, 0) + count for pk, count in gone.items()})
    charged_by = open_of_charges(lot.pk for each in held.values() for lot in each.lots)
    return Site(held, charged_by, unfound_of(charge.invoice for each in charged_by.values() for charge in each))


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


def _vehicle(actor: User, data: NewSale, occurred_at: datetime) -> VehicleUsed:
    """The sale's, which was in use then if anything comes off it or onto it."""
    used = vehicle_used(actor, data.vehicle, occurred_at)
    if data.needs_vehicle:
        require_number_in_use(used.number, occurred_at, attr="vehicle")
    return used


def _price_list(
    actor: User,
    data: NewSale,
    customer: Customer,
    occurred_at: datetime,
    now: datetime,
    again: Again | None = None,
) -> PriceList:
    """Read once for a sale, locked or not: what changes later was not the price at the sale's moment."""
    equipment = require_active(actor, data.equipment, at=occurred_at, coming_back=data.coming_back)
    pulled_at = data.seen.pulled_at if data.seen else None
    contracts = contract_rates(customer, equipment, occurred_at, pulled_at=pulled_at)
    day, issued_on = clock.business_date(occurred_at), clock.business_date(now)
    tax_point_on = again.tax_point_on if again else data.tax_point_on(occurred_on=day, issued_on=issued_on)
    return PriceList(
        equipment=equipment,
        prices=prices_at(equipment, occurred_at),
        meter_rate=meter_rate_at(customer, occurred_at) if data.current_meter is not None else None,
        contracts=contracts,
        tax_point_on=tax_point_on,
        gst_rate=gst_rate_on(gst_rate_day(tax_point_on=tax_point_on, delivered_on=day)),
        lost_is_taxable=settings.LOST_SHELLS_ARE_TAXABLE,
        known=_known(equipment, contracts, pulled_at, occurred_at) if data.seen else None,
    )


def _of_tender(actor: User, data: NewSale) -> Iterator[Question]:
    """What is asked of each tender but for its amount."""
    for index, each in enumerate(data.tender):
        yield from repeated_reference(actor, each.method, each.reference, attr=f"tender.{index}.reference")


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
    site: Site,
    occurred_at: datetime,
    habit: Habit | None,
    again: Again | None = None,
) -> SalePlan:
    return plan_sale(
        sale=data,
        vehicle_no=vehicle.number,
        customer=customer,
        meter_rate=listed.meter_rate,
        listed=listed,
        site=site,
        may_override=_may_override(actor, approval),
        occurred_at=occurred_at,
        habit=habit,
        carried=again.carried if again else None,
    )


def _in_its_place(billing: Billing, again: Again) -> Billing:
    """An invoice that names the one whose place it takes, and what of that had been settled."""
    if billing.kind != Invoice.Kind.TAX_INVOICE:
        raise Invalid(
            "What is billed again comes to no invoice: void the sale, and record what is right.", attr="items"
        )
    settled = again.released.amount(billing.total_amount - billing.set_off)
    return replace(billing, replaces=again.replaces, set_off=billing.set_off + settled)


def _item_row(transaction: Transaction, item: PricedItem) -> TransactionItem:
    return TransactionItem(
        transaction=transaction,
        equipment=item.equipment,
        equipment_name=item.equipment.name,
        type=item.type,
        condition=item.condition,
        reason=item.reason,
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
    tender: Sequence[Tender],
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
    if tender:
        evidence["tender"] = [f"{each.method} {each.amount}" for each in tender]
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
